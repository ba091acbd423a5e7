"""The dropout family, noise, and activity regularization."""

from __future__ import annotations

import math
from typing import Any

from tricera import ops, random, regularizers
from tricera.core import checks, config
from tricera.core.variable import standardize_shape
from tricera.layers.input_spec import InputSpec
from tricera.layers.layer import Layer


class _Noise(Layer):
    """A random layer: it has a seed generator if its rate isn't 0."""

    def __init__(self, rate: Any, seed: int | None, what: str = "rate", below: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        number = isinstance(rate, (int, float)) and not isinstance(rate, bool)
        if not number or not 0 <= rate <= 1 or (below and rate == 1):
            limit = "below 1" if below else "1"
            raise ValueError(f"`{what}` of the layer {self.name!r} must be a number from 0 to {limit}, not {rate!r}.")
        checks.integer(optional=True)("seed", seed)
        self.seed = seed
        self.supports_masking = True
        if rate > 0:
            self.seed_generator = random.SeedGenerator(seed)
        self.built = True


class Dropout(_Noise):
    """In training, sets a fraction of the elements to 0 and scales the others by 1 / (1 - rate) (Srivastava et al. 2014).

    Args:
        rate: the fraction, from 0 to 1.
        noise_shape: the shape of the mask, which broadcasts; None entries follow the input.
        seed: an integer, or None.
        **kwargs: those of `Layer`.

    Raises:
        ValueError: the rate isn't in [0, 1].
    """

    def __init__(self, rate: float, noise_shape: Any = None, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(rate, seed, **kwargs)
        if noise_shape is not None and not isinstance(noise_shape, (list, tuple)):
            raise ValueError(f"`noise_shape` must be a shape or None, not {noise_shape!r}.")
        self.rate, self.noise_shape = rate, None if noise_shape is None else standardize_shape(noise_shape)

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Drop out."""
        if not training or self.rate == 0:
            return inputs
        return random.dropout(inputs, self.rate, noise_shape=self.shape_of_noise(inputs), seed=self.seed_generator)

    def shape_of_noise(self, inputs: Any) -> Any:
        """The shape of the mask."""
        return self.noise_shape

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {**super().get_config(), "rate": self.rate, "seed": self.seed, "noise_shape": self.noise_shape}


class _SpatialDropout(Dropout):
    rank: int

    def __init__(
        self, rate: float, data_format: str | None = "channels_last", seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(rate, seed=seed, **kwargs)
        self.data_format = config.standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def shape_of_noise(self, inputs: Any) -> Any:
        """Whole channels."""
        shape = ops.shape(inputs)
        ones = (1,) * self.rank
        return (shape[0], *ones, shape[-1]) if self.data_format == "channels_last" else (shape[0], shape[1], *ones)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        config_ = {"rate": self.rate, "seed": self.seed, "name": self.name, "dtype": self.dtype_policy.name}
        return config_ if self.rank == 1 else {**config_, "data_format": self.data_format}


class SpatialDropout1D(_SpatialDropout):
    """Drops out whole channels of sequences (Tompson et al. 2014).

    Args:
        rate: the fraction.
        seed: an integer, or None.
        name: the layer's name.
        dtype: a dtype policy.
    """

    rank = 1

    def __init__(
        self, rate: float, seed: int | None = None, name: str | None = None, dtype: Any = None, **kwargs: Any
    ) -> None:
        super().__init__(rate, "channels_last", seed, name=name, dtype=dtype, **kwargs)


class SpatialDropout2D(_SpatialDropout):
    """Drops out whole channels of images (Tompson et al. 2014).

    Args:
        rate: the fraction.
        data_format: `"channels_last"` or `"channels_first"`.
        seed: an integer, or None.
        name: the layer's name.
        dtype: a dtype policy.
    """

    rank = 2

    def __init__(
        self,
        rate: float,
        data_format: str | None = None,
        seed: int | None = None,
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(rate, data_format, seed, name=name, dtype=dtype, **kwargs)


class SpatialDropout3D(_SpatialDropout):
    """Drops out whole channels of volumes (Tompson et al. 2014).

    Args:
        rate: the fraction.
        data_format: `"channels_last"` or `"channels_first"`.
        seed: an integer, or None.
        name: the layer's name.
        dtype: a dtype policy.
    """

    rank = 3

    def __init__(
        self,
        rate: float,
        data_format: str | None = None,
        seed: int | None = None,
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(rate, data_format, seed, name=name, dtype=dtype, **kwargs)


class GaussianDropout(_Noise):
    """In training, multiplies by normal noise of mean 1 and variance rate / (1 - rate).

    Args:
        rate: as for `Dropout`.
        seed: an integer, or None.
        **kwargs: those of `Layer`.
    """

    def __init__(self, rate: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(rate, seed, below=True, **kwargs)
        self.rate = rate

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Multiply by noise."""
        if not training or self.rate == 0:
            return inputs
        spread = math.sqrt(self.rate / (1.0 - self.rate))
        noise = random.normal(
            ops.shape(inputs), mean=1.0, stddev=spread, dtype=self.compute_dtype, seed=self.seed_generator
        )
        return ops.multiply(inputs, noise)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {**super().get_config(), "rate": self.rate, "seed": self.seed}


class GaussianNoise(_Noise):
    """In training, adds normal noise.

    Args:
        stddev: its standard deviation.
        seed: an integer, or None.
        **kwargs: those of `Layer`.
    """

    def __init__(self, stddev: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(stddev, seed, what="stddev", **kwargs)
        self.stddev = stddev

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Add noise."""
        if not training or self.stddev == 0:
            return inputs
        return ops.add(
            inputs,
            random.normal(ops.shape(inputs), stddev=self.stddev, dtype=self.compute_dtype, seed=self.seed_generator),
        )

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {**super().get_config(), "stddev": self.stddev, "seed": self.seed}


class AlphaDropout(_Noise):
    """Dropout that keeps the mean and variance of selu's outputs (Klambauer et al. 2017).

    Args:
        rate: as for `Dropout`.
        noise_shape: as for `Dropout`.
        seed: an integer, or None.
        **kwargs: those of `Layer`.
    """

    def __init__(self, rate: float, noise_shape: Any = None, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(rate, seed, below=True, **kwargs)
        self.rate, self.noise_shape = rate, noise_shape

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Drop out."""
        if not training or self.rate == 0:
            return inputs
        alpha_p = -1.6732632423543772 * 1.0507009873554805
        shape = ops.shape(inputs)
        noise_shape = (
            shape
            if self.noise_shape is None
            else tuple(s if n is None else n for n, s in zip(self.noise_shape, shape, strict=True))
        )
        keep = ops.greater_equal(random.uniform(noise_shape, seed=self.seed_generator), self.rate)
        a = 1.0 / math.sqrt((1 - self.rate) * (1 + self.rate * alpha_p**2))
        b = -a * alpha_p * self.rate
        return ops.add(ops.multiply(a, ops.where(keep, inputs, ops.cast(alpha_p, ops.dtype(inputs)))), b)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {**super().get_config(), "rate": self.rate, "seed": self.seed, "noise_shape": self.noise_shape}


class ActivityRegularization(Layer):
    """Adds a penalty on its input to the loss.

    Args:
        l1: the factor of the absolute values.
        l2: the factor of the squares.
        **kwargs: those of `Layer`.
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **kwargs: Any) -> None:
        super().__init__(activity_regularizer=regularizers.L1L2(l1=l1, l2=l2), **kwargs)
        self.supports_masking = True
        self.l1, self.l2 = l1, l2
        self.built = True

    def call(self, inputs: Any) -> Any:
        """The input itself."""
        return inputs

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        config_ = super().get_config()
        config_.pop("activity_regularizer", None)
        return {**config_, "l1": self.l1, "l2": self.l2}
