"""Pooling: windows, or whole samples, reduced to a maximum or a mean."""

from __future__ import annotations

from typing import Any

from tricera import ops
from tricera.core import config
from tricera.layers.convolution.base import per_axis
from tricera.layers.input_spec import InputSpec
from tricera.layers.layer import Layer


class _Pooling(Layer):
    rank: int
    mean: bool

    def __init__(
        self,
        pool_size: Any = 2,
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        self.pool_size = per_axis(pool_size, self.rank, "pool_size")
        self.strides = self.pool_size if strides is None else per_axis(strides, self.rank, "strides")
        self.padding = padding.lower() if isinstance(padding, str) else padding
        if self.padding not in ("valid", "same"):
            raise ValueError(f"`padding` of the layer {self.name!r} must be 'valid' or 'same', not {padding!r}.")
        self.data_format = config.standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)
        self.built = True

    def call(self, inputs: Any) -> Any:
        """Reduce the windows."""
        pool = ops.average_pool if self.mean else ops.max_pool
        return pool(
            inputs, pool_size=self.pool_size, strides=self.strides, padding=self.padding, data_format=self.data_format
        )

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {
            **super().get_config(), "pool_size": self.pool_size, "padding": self.padding, "strides": self.strides,
            "data_format": self.data_format,
        }  # fmt: skip


class _GlobalPooling(Layer):
    rank: int
    mean: bool

    def __init__(self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = config.standardize_data_format(data_format)
        self.keepdims = keepdims
        self.input_spec = InputSpec(ndim=self.rank + 2)
        self.built = True

    @property
    def axes(self) -> tuple[int, ...]:
        """The spatial axes."""
        first = 1 if self.data_format == "channels_last" else 2
        return tuple(range(first, first + self.rank))

    def call(self, inputs: Any) -> Any:
        """Reduce the samples."""
        return (ops.mean if self.mean else ops.max)(inputs, axis=self.axes, keepdims=self.keepdims)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {**super().get_config(), "data_format": self.data_format, "keepdims": self.keepdims}


class MaxPooling1D(_Pooling):
    """The largest element of each window of sequences.

    Args:
        pool_size: the size of the window.
        strides: its step, the window's size for None.
        padding: `"valid"` or `"same"`.
        data_format: `"channels_last"` or `"channels_first"`.
        name: the layer's name.
        **kwargs: those of `Layer`.
    """

    rank, mean = 1, False

    def __init__(
        self, pool_size: Any = 2, strides: Any = None, padding: str = "valid", data_format: str | None = None,
        name: str | None = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(pool_size, strides, padding, data_format, name, **kwargs)


class MaxPooling2D(_Pooling):
    """The largest element of each window of images.

    Args:
        pool_size: the size of the window.
        strides: its step, the window's size for None.
        padding: `"valid"` or `"same"`.
        data_format: `"channels_last"` or `"channels_first"`.
        name: the layer's name.
        **kwargs: those of `Layer`.
    """

    rank, mean = 2, False

    def __init__(
        self, pool_size: Any = (2, 2), strides: Any = None, padding: str = "valid", data_format: str | None = None,
        name: str | None = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(pool_size, strides, padding, data_format, name, **kwargs)


class MaxPooling3D(_Pooling):
    """The largest element of each window of volumes.

    Args:
        pool_size: the size of the window.
        strides: its step, the window's size for None.
        padding: `"valid"` or `"same"`.
        data_format: `"channels_last"` or `"channels_first"`.
        name: the layer's name.
        **kwargs: those of `Layer`.
    """

    rank, mean = 3, False

    def __init__(
        self, pool_size: Any = (2, 2, 2), strides: Any = None, padding: str = "valid", data_format: str | None = None,
        name: str | None = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(pool_size, strides, padding, data_format, name, **kwargs)


class AveragePooling1D(_Pooling):
    """The mean of each window of sequences.

    Args:
        pool_size: the size of the window.
        strides: its step, the window's size for None.
        padding: `"valid"` or `"same"` (padding does not count).
        data_format: `"channels_last"` or `"channels_first"`.
        name: the layer's name.
        **kwargs: those of `Layer`.
    """

    rank, mean = 1, True

    def __init__(
        self, pool_size: Any = 2, strides: Any = None, padding: str = "valid", data_format: str | None = None,
        name: str | None = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(pool_size, strides, padding, data_format, name, **kwargs)


class AveragePooling2D(_Pooling):
    """The mean of each window of images.

    Args:
        pool_size: the size of the window.
        strides: its step, the window's size for None.
        padding: `"valid"` or `"same"` (padding does not count).
        data_format: `"channels_last"` or `"channels_first"`.
        name: the layer's name.
        **kwargs: those of `Layer`.
    """

    rank, mean = 2, True

    def __init__(
        self, pool_size: Any = (2, 2), strides: Any = None, padding: str = "valid", data_format: str | None = None,
        name: str | None = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(pool_size, strides, padding, data_format, name, **kwargs)


class AveragePooling3D(_Pooling):
    """The mean of each window of volumes.

    Args:
        pool_size: the size of the window.
        strides: its step, the window's size for None.
        padding: `"valid"` or `"same"` (padding does not count).
        data_format: `"channels_last"` or `"channels_first"`.
        name: the layer's name.
        **kwargs: those of `Layer`.
    """

    rank, mean = 3, True

    def __init__(
        self, pool_size: Any = (2, 2, 2), strides: Any = None, padding: str = "valid", data_format: str | None = None,
        name: str | None = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(pool_size, strides, padding, data_format, name, **kwargs)


class GlobalMaxPooling1D(_GlobalPooling):
    """The largest element of each channel over sequences.

    Args:
        data_format: `"channels_last"` or `"channels_first"`.
        keepdims: keep the spatial axes, with length 1.
        **kwargs: those of `Layer`.
    """

    rank, mean = 1, False


class GlobalMaxPooling2D(_GlobalPooling):
    """The largest element of each channel over images.

    Args:
        data_format: `"channels_last"` or `"channels_first"`.
        keepdims: keep the spatial axes, with length 1.
        **kwargs: those of `Layer`.
    """

    rank, mean = 2, False


class GlobalMaxPooling3D(_GlobalPooling):
    """The largest element of each channel over volumes.

    Args:
        data_format: `"channels_last"` or `"channels_first"`.
        keepdims: keep the spatial axes, with length 1.
        **kwargs: those of `Layer`.
    """

    rank, mean = 3, False


class GlobalAveragePooling1D(_GlobalPooling):
    """The mean of each channel over sequences; masked steps do not count, and a sample of masked steps alone gives 0.

    Args:
        data_format: `"channels_last"` or `"channels_first"`.
        keepdims: keep the axis of steps, with length 1.
        **kwargs: those of `Layer`.
    """

    rank, mean = 1, True

    def __init__(self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any) -> None:
        super().__init__(data_format, keepdims, **kwargs)
        self.supports_masking = True

    def call(self, inputs: Any, mask: Any = None) -> Any:
        """Reduce the samples."""
        if mask is None:
            return super().call(inputs)
        weights = ops.expand_dims(ops.cast(mask, ops.dtype(inputs)), 2 if self.data_format == "channels_last" else 1)
        total = ops.sum(ops.multiply(inputs, weights), axis=self.axes, keepdims=self.keepdims)
        return ops.divide_no_nan(total, ops.sum(weights, axis=self.axes, keepdims=self.keepdims))

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """None: the steps are gone."""
        return None


class GlobalAveragePooling2D(_GlobalPooling):
    """The mean of each channel over images.

    Args:
        data_format: `"channels_last"` or `"channels_first"`.
        keepdims: keep the spatial axes, with length 1.
        **kwargs: those of `Layer`.
    """

    rank, mean = 2, True


class GlobalAveragePooling3D(_GlobalPooling):
    """The mean of each channel over volumes.

    Args:
        data_format: `"channels_last"` or `"channels_first"`.
        keepdims: keep the spatial axes, with length 1.
        **kwargs: those of `Layer`.
    """

    rank, mean = 3, True
