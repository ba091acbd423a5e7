"""Pooling into a given number of parts, however large the input is."""

from __future__ import annotations

from typing import Any

from tricera import ops
from tricera.core import config
from tricera.layers.convolution.base import per_axis
from tricera.layers.input_spec import InputSpec
from tricera.layers.layer import Layer


class _AdaptivePooling(Layer):
    rank: int
    mean: bool

    def __init__(self, output_size: Any, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not isinstance(output_size, (int, list, tuple)) or (
            isinstance(output_size, (list, tuple)) and len(output_size) != self.rank
        ):
            raise TypeError(
                f"`output_size` of the layer {self.name!r} must be a positive integer or {self.rank} of them, not {output_size!r}."
            )
        self.output_size = per_axis(output_size, self.rank, "output_size")
        self.data_format = config.standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)
        self.built = True

    def call(self, inputs: Any) -> Any:
        """Reduce the parts."""
        pool = ops.adaptive_average_pool if self.mean else ops.adaptive_max_pool
        return pool(inputs, output_size=self.output_size, data_format=self.data_format)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The input's shape, with `output_size` for the spatial axes."""
        shape = tuple(input_shape)
        if self.data_format == "channels_first":
            return (*shape[:2], *self.output_size)
        return (shape[0], *self.output_size, shape[-1])

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {**super().get_config(), "output_size": self.output_size, "data_format": self.data_format}


class AdaptiveAveragePooling1D(_AdaptivePooling):
    """The mean of each of as many equal parts of sequences as asked for.

    Args:
        output_size: how many parts.
        data_format: `"channels_last"` or `"channels_first"`.
        **kwargs: those of `Layer`.

    Part i of n of an axis of m elements is [floor(i m / n), ceil((i + 1) m / n)); parts may overlap.

    Raises:
        TypeError: `output_size` isn't an integer or one in a list.
        ValueError: it isn't positive.

    Example:
        >>> AdaptiveAveragePooling1D(2)(ops.ones((1, 5, 3))).shape[1:]
        (2, 3)
    """

    rank, mean = 1, True


class AdaptiveAveragePooling2D(_AdaptivePooling):
    """The mean of each of as many equal parts of images as asked for.

    Args:
        output_size: how many parts, an integer or one for each spatial axis.
        data_format: `"channels_last"` or `"channels_first"`.
        **kwargs: those of `Layer`.

    Part i of n of an axis of m elements is [floor(i m / n), ceil((i + 1) m / n)); parts may overlap.

    Raises:
        TypeError: `output_size` isn't an integer or 2 of them.
        ValueError: it isn't positive.

    Example:
        >>> AdaptiveAveragePooling2D(2)(ops.ones((1, 5, 5, 3))).shape[1:]
        (2, 2, 3)
    """

    rank, mean = 2, True


class AdaptiveAveragePooling3D(_AdaptivePooling):
    """The mean of each of as many equal parts of volumes as asked for.

    Args:
        output_size: how many parts, an integer or one for each spatial axis.
        data_format: `"channels_last"` or `"channels_first"`.
        **kwargs: those of `Layer`.

    Part i of n of an axis of m elements is [floor(i m / n), ceil((i + 1) m / n)); parts may overlap.

    Raises:
        TypeError: `output_size` isn't an integer or 3 of them.
        ValueError: it isn't positive.

    Example:
        >>> AdaptiveAveragePooling3D(2)(ops.ones((1, 5, 5, 5, 3))).shape[1:]
        (2, 2, 2, 3)
    """

    rank, mean = 3, True


class AdaptiveMaxPooling1D(_AdaptivePooling):
    """The largest element of each of as many equal parts of sequences as asked for.

    Args:
        output_size: how many parts.
        data_format: `"channels_last"` or `"channels_first"`.
        **kwargs: those of `Layer`.

    Part i of n of an axis of m elements is [floor(i m / n), ceil((i + 1) m / n)); parts may overlap.

    Raises:
        TypeError: `output_size` isn't an integer or one in a list.
        ValueError: it isn't positive.

    Example:
        >>> AdaptiveMaxPooling1D(2)(ops.ones((1, 5, 3))).shape[1:]
        (2, 3)
    """

    rank, mean = 1, False


class AdaptiveMaxPooling2D(_AdaptivePooling):
    """The largest element of each of as many equal parts of images as asked for.

    Args:
        output_size: how many parts, an integer or one for each spatial axis.
        data_format: `"channels_last"` or `"channels_first"`.
        **kwargs: those of `Layer`.

    Part i of n of an axis of m elements is [floor(i m / n), ceil((i + 1) m / n)); parts may overlap.

    Raises:
        TypeError: `output_size` isn't an integer or 2 of them.
        ValueError: it isn't positive.

    Example:
        >>> AdaptiveMaxPooling2D(2)(ops.ones((1, 5, 5, 3))).shape[1:]
        (2, 2, 3)
    """

    rank, mean = 2, False


class AdaptiveMaxPooling3D(_AdaptivePooling):
    """The largest element of each of as many equal parts of volumes as asked for.

    Args:
        output_size: how many parts, an integer or one for each spatial axis.
        data_format: `"channels_last"` or `"channels_first"`.
        **kwargs: those of `Layer`.

    Part i of n of an axis of m elements is [floor(i m / n), ceil((i + 1) m / n)); parts may overlap.

    Raises:
        TypeError: `output_size` isn't an integer or 3 of them.
        ValueError: it isn't positive.

    Example:
        >>> AdaptiveMaxPooling3D(2)(ops.ones((1, 5, 5, 5, 3))).shape[1:]
        (2, 2, 2, 3)
    """

    rank, mean = 3, False
