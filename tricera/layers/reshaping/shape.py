"""Flatten, Reshape, Permute, RepeatVector."""

from __future__ import annotations

import math
from typing import Any

from tricera import ops
from tricera.core import checks, config
from tricera.core.checks import positive
from tricera.layers.input_spec import InputSpec
from tricera.layers.layer import Layer


class Flatten(Layer):
    """All axes but the batch's as one.

    Args:
        data_format: `"channels_last"` or `"channels_first"` (moved last before flattening).
        **kwargs: those of `Layer`.

    Example:
        >>> Flatten()(ops.ones((2, 3, 4))).shape[1]
        12
    """

    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = config.standardize_data_format(data_format)
        self.input_spec = InputSpec(min_ndim=1)
        self._channels_first = self.data_format == "channels_first"
        self.built = True

    def call(self, inputs: Any) -> Any:
        """Flatten."""
        shape = tuple(inputs.shape)
        if self._channels_first and len(shape) > 1:
            inputs = ops.transpose(inputs, (0, *range(2, len(shape)), 1))
        if len(shape) == 1:
            return ops.expand_dims(inputs, -1)
        rest = None if None in shape[1:] else math.prod(shape[1:])
        return ops.reshape(inputs, (ops.shape(inputs)[0] if rest is None else -1, -1 if rest is None else rest))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {**super().get_config(), "data_format": self.data_format}


class Reshape(Layer):
    """Another shape for each sample.

    Args:
        target_shape: without the batch axis; one dimension may be -1.
        **kwargs: those of `Layer`.

    Example:
        >>> tuple(Reshape((2, -1))(ops.ones((1, 6))).shape)
        (1, 2, 3)
    """

    def __init__(self, target_shape: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not isinstance(target_shape, (list, tuple)):
            raise ValueError(f"`target_shape` must be a tuple of integers, not {target_shape!r}.")
        for size in target_shape:
            checks.integer(-1, optional=True)("target_shape", size)
        self.target_shape = tuple(target_shape)
        if self.target_shape.count(-1) > 1:
            raise ValueError(
                f"At most one dimension of `target_shape` may be -1; the layer {self.name!r} was given {self.target_shape}."
            )

    def build(self, input_shape: Any) -> None:
        """Check that the sizes fit."""
        known = [d for d in input_shape[1:]]
        if None not in known:
            size, fixed = math.prod(known), math.prod(d for d in self.target_shape if d != -1)
            if (size != fixed) if -1 not in self.target_shape else (fixed == 0 or size % fixed):
                raise ValueError(
                    f"The layer {self.name!r} can't reshape samples of shape {tuple(known)} ({size} elements) to {self.target_shape}."
                )

    def call(self, inputs: Any) -> Any:
        """Reshape."""
        shape = tuple(inputs.shape)
        target = self.target_shape
        if -1 in target and None not in shape[1:]:
            fixed = math.prod(d for d in target if d != -1)
            target = tuple(math.prod(shape[1:]) // fixed if d == -1 else d for d in target)
        batch = -1 if -1 not in target else ops.shape(inputs)[0]
        return ops.reshape(inputs, (batch, *target))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {**super().get_config(), "target_shape": self.target_shape}


class Permute(Layer):
    """The axes of each sample in another order.

    Args:
        dims: the order, axes counting from 1.
        **kwargs: those of `Layer`.
    """

    def __init__(self, dims: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dims = tuple(dims)
        if sorted(self.dims) != list(range(1, len(self.dims) + 1)):
            raise ValueError(
                f"`dims` of the layer {self.name!r} must hold each of 1 to {len(self.dims)} once; got {self.dims}."
            )
        self.input_spec = InputSpec(ndim=len(self.dims) + 1)
        self.built = True

    def call(self, inputs: Any) -> Any:
        """Permute."""
        return ops.transpose(inputs, (0, *self.dims))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {**super().get_config(), "dims": self.dims}


class RepeatVector(Layer):
    """Each vector n times, as a sequence.

    Args:
        n: how often.
        **kwargs: those of `Layer`.

    Input: (batch, features). Output: (batch, n, features).
    """

    def __init__(self, n: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not isinstance(n, int):
            raise TypeError(f"`n` of the layer {self.name!r} must be an integer, not {n!r}.")
        self.n = positive("n", n)
        self.input_spec = InputSpec(ndim=2)
        self.built = True

    def call(self, inputs: Any) -> Any:
        """Repeat."""
        return ops.repeat(ops.expand_dims(inputs, 1), self.n, axis=1)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {**super().get_config(), "n": self.n}
