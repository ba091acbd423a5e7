"""Random initializers: NumPy's Philox, from a seed of their own."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

from tricera import ops
from tricera.core import dtypes, rng
from tricera.initializers.initializer import Initializer
from tricera.random import SeedGenerator


class RandomInitializer(Initializer):
    """An initializer with a seed: the same values at each call, unless the seed is a `SeedGenerator`."""

    def __init__(self, seed: Any = None) -> None:
        if seed is not None and not isinstance(seed, (int, np.integer, SeedGenerator)):
            raise ValueError(f"`seed` must be an integer, a SeedGenerator or None, not {seed!r}.")
        seed = int(seed) if isinstance(seed, np.integer) else seed  # so that a config can be written as JSON
        self._given = seed
        self.seed = rng.draw_seed() if seed is None else seed

    def generator(self) -> np.random.Generator:
        """The generator of one call."""
        if isinstance(self.seed, SeedGenerator):
            first, second = (int(word) for word in ops.convert_to_numpy(self.seed.next()))
            return rng.generator(second << 32 | first)
        return rng.generator(int(self.seed))

    def _as(self, values: Any, dtype: str) -> np.ndarray:
        """Values of a continuous distribution in a dtype, which rounding to integers would leave nothing of."""
        if "float" not in dtype and not dtype.startswith("complex"):
            raise ValueError(f"{type(self).__name__} makes values of a float dtype, not of {dtype!r}.")
        return np.asarray(values).astype(dtypes.numpy_dtype(dtype))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        from tricera.core.configurable import config_of

        seed = config_of(self._given) if isinstance(self._given, SeedGenerator) else self._given
        return {"seed": seed, **super().get_config()}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Make an initializer from what `get_config` gave."""
        if isinstance(config.get("seed"), dict):
            config = {**config, "seed": SeedGenerator.from_config(config["seed"]["config"])}
        return cls(**config)


def truncated_normal(generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Standard normal numbers; those beyond two standard deviations are drawn again."""
    values = generator.standard_normal(shape)
    flat = values.reshape(-1)
    outside = np.flatnonzero(np.abs(flat) > 2)
    while outside.size:
        flat[outside] = generator.standard_normal(outside.size)
        outside = outside[np.abs(flat[outside]) > 2]
    return flat.reshape(shape)


class RandomNormal(RandomInitializer):
    """Normally distributed values.

    Args:
        mean: the mean.
        stddev: the standard deviation.
        seed: an integer, a SeedGenerator, or None.
    """

    _config = ("mean", "stddev")

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: Any = None) -> None:
        super().__init__(seed)
        self.mean, self.stddev = mean, stddev

    def on_host(self, shape: tuple[int, ...], dtype: str) -> np.ndarray:
        """The value as an array."""
        return self._as(self.mean + self.stddev * self.generator().standard_normal(shape), dtype)


class TruncatedNormal(RandomNormal):
    """Normally distributed values, those beyond two standard deviations drawn again."""

    def on_host(self, shape: tuple[int, ...], dtype: str) -> np.ndarray:
        """The value as an array."""
        return self._as(self.mean + self.stddev * truncated_normal(self.generator(), shape), dtype)


class RandomUniform(RandomInitializer):
    """Uniform values.

    Args:
        minval: the lower end.
        maxval: the upper end.
        seed: an integer, a SeedGenerator, or None.
    """

    _config = ("minval", "maxval")

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: Any = None) -> None:
        super().__init__(seed)
        if minval > maxval:
            raise ValueError(f"`minval` {minval!r} must not be above `maxval` {maxval!r}.")
        self.minval, self.maxval = minval, maxval

    def on_host(self, shape: tuple[int, ...], dtype: str) -> np.ndarray:
        """The value as an array."""
        values = self.generator().random(shape)
        if dtypes.is_int(dtype):
            return np.floor(self.minval + (self.maxval - self.minval) * values).astype(dtype)
        return (self.minval + (self.maxval - self.minval) * values).astype(dtypes.numpy_dtype(dtype))


def compute_fans(shape: Any, input_axes: Any = None, output_axes: Any = None) -> tuple[float, float]:
    """How many inputs and outputs a unit of a kernel has.

    Args:
        shape: the kernel's; the last two axes are inputs and outputs, those before are the receptive field.
        input_axes: the axes of the inputs, where it's otherwise.
        output_axes: the axes of the outputs.
    """
    shape = tuple(shape)
    if input_axes is not None or output_axes is not None:
        inputs = _axes(input_axes, len(shape), -2)
        outputs = _axes(output_axes, len(shape), -1)
        field = math.prod(d for i, d in enumerate(shape) if i not in inputs and i not in outputs)
        return float(field * math.prod(shape[i] for i in inputs)), float(field * math.prod(shape[i] for i in outputs))
    if len(shape) < 1:
        return 1.0, 1.0
    if len(shape) == 1:
        return float(shape[0]), float(shape[0])
    field = math.prod(shape[:-2])
    return float(shape[-2] * field), float(shape[-1] * field)


def _axes(axes: Any, rank: int, default: int) -> tuple[int, ...]:
    axes = (default,) if axes is None else (axes,) if isinstance(axes, int) else tuple(axes)
    return tuple(a % rank for a in axes)


class VarianceScaling(RandomInitializer):
    """Values whose variance is scale / n, n being the inputs, outputs, or their mean (Glorot & Bengio 2010; He et al. 2015).

    Args:
        scale: the factor.
        mode: `"fan_in"`, `"fan_out"` or `"fan_avg"`.
        distribution: `"truncated_normal"`, `"untruncated_normal"` or `"uniform"`.
        seed: an integer, a SeedGenerator, or None.
        input_axes: the kernel's axes of inputs, the last but one for None.
        output_axes: the kernel's axes of outputs, the last for None.

    Raises:
        ValueError: the scale isn't positive, or an unknown mode or distribution.
    """

    _config: ClassVar[tuple[str, ...]] = ("scale", "mode", "distribution", "input_axes", "output_axes")

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: Any = None,
        input_axes: Any = None,
        output_axes: Any = None,
    ) -> None:
        super().__init__(seed)
        if mode not in ("fan_in", "fan_out", "fan_avg"):
            raise ValueError(f"`mode` must be 'fan_in', 'fan_out' or 'fan_avg', not {mode!r}.")
        distribution = str(distribution).lower()
        distribution = "truncated_normal" if distribution == "normal" else distribution
        if distribution not in ("truncated_normal", "untruncated_normal", "uniform"):
            raise ValueError(
                f"`distribution` must be 'truncated_normal', 'untruncated_normal' or 'uniform', not {distribution!r}."
            )
        self.scale, self.mode, self.distribution = scale, mode, distribution
        self.input_axes, self.output_axes = input_axes, output_axes

    def on_host(self, shape: tuple[int, ...], dtype: str) -> np.ndarray:
        """The value as an array."""
        fan_in, fan_out = compute_fans(shape, self.input_axes, self.output_axes)
        n = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        variance = self.scale / max(1.0, n)
        generator = self.generator()
        if self.distribution == "uniform":
            limit = math.sqrt(3 * variance)
            values = generator.uniform(-limit, limit, shape)
        elif self.distribution == "truncated_normal":
            # The standard deviation of a normal variable truncated at two of its own is 0.8796.
            values = truncated_normal(generator, shape) * (math.sqrt(variance) / 0.87962566103423978)
        else:
            values = generator.standard_normal(shape) * math.sqrt(variance)
        return self._as(values, dtype)


class _Named(VarianceScaling):
    """A `VarianceScaling` of fixed scale, mode and distribution."""

    _fixed: tuple[float, str, str]
    _config: ClassVar[tuple[str, ...]] = ("input_axes", "output_axes")

    def __init__(self, seed: Any = None, input_axes: Any = None, output_axes: Any = None) -> None:
        scale, mode, distribution = self._fixed
        super().__init__(scale, mode, distribution, seed, input_axes, output_axes)


class GlorotUniform(_Named):
    """Uniform in +-sqrt(6 / (inputs + outputs)) (Glorot & Bengio 2010)."""

    _fixed = (1.0, "fan_avg", "uniform")


class GlorotNormal(_Named):
    """Truncated normal of variance 2 / (inputs + outputs) (Glorot & Bengio 2010)."""

    _fixed = (1.0, "fan_avg", "truncated_normal")


class HeUniform(_Named):
    """Uniform in +-sqrt(6 / inputs) (He et al. 2015)."""

    _fixed = (2.0, "fan_in", "uniform")


class HeNormal(_Named):
    """Truncated normal of variance 2 / inputs (He et al. 2015)."""

    _fixed = (2.0, "fan_in", "truncated_normal")


class LecunUniform(_Named):
    """Uniform in +-sqrt(3 / inputs) (LeCun et al. 1998)."""

    _fixed = (1.0, "fan_in", "uniform")


class LecunNormal(_Named):
    """Truncated normal of variance 1 / inputs (LeCun et al. 1998)."""

    _fixed = (1.0, "fan_in", "truncated_normal")


class Orthogonal(RandomInitializer):
    """A random matrix with orthonormal rows or columns (Saxe et al. 2013); leading axes are flattened into rows.

    Args:
        gain: a factor.
        seed: an integer, a SeedGenerator, or None.
    """

    _config = ("gain",)

    def __init__(self, gain: float = 1.0, seed: Any = None) -> None:
        super().__init__(seed)
        self.gain = gain

    def on_host(self, shape: tuple[int, ...], dtype: str) -> np.ndarray:
        """The value as an array."""
        if len(shape) < 2:
            raise ValueError(f"The orthogonal initializer needs at least two axes; the shape given is {shape}.")
        rows, columns = math.prod(shape[:-1]), shape[-1]
        q, r = np.linalg.qr(self.generator().standard_normal((max(rows, columns), min(rows, columns))))
        q = q * np.sign(np.diag(r))  # makes the decomposition unique, hence the distribution uniform
        return self._as(self.gain * (q.T if rows < columns else q).reshape(shape), dtype)
