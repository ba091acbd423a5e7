"""What all convolutions share: their options, and how these are checked."""

from __future__ import annotations

from typing import Any

from tricera import ops
from tricera.core import config
from tricera.core.checks import positive
from tricera.layers.core.dense import KernelLayer
from tricera.layers.input_spec import InputSpec


def per_axis(value: Any, rank: int, name: str, zero: bool = False) -> tuple[int, ...]:
    """An integer for each spatial axis.

    Raises:
        ValueError: it isn't an integer or `rank` of them, or one isn't positive.
    """
    values = (
        (value,) * rank
        if hasattr(value, "__index__")
        else tuple(value)
        if isinstance(value, (list, tuple))
        else (None,)
    )
    if len(values) != rank or any(
        isinstance(v, bool) or not hasattr(v, "__index__") or v.__index__() < (0 if zero else 1) for v in values
    ):
        raise ValueError(f"`{name}` must be a positive integer or {rank} of them, not {value!r}.")
    return tuple(v.__index__() for v in values)


class BaseConv(KernelLayer):
    """A convolution over `rank` spatial axes.

    Args:
        rank: the number of spatial axes.
        filters: the number of output channels, None where the inputs decide.
        kernel_size: the lengths of the window.
        strides: its steps.
        padding: `"valid"`, `"same"` or (1-D) `"causal"`.
        data_format: `"channels_last"` or `"channels_first"`.
        dilation_rate: the spacing of the window's elements.
        groups: into how many groups the channels fall.
        **kwargs: those of `KernelLayer`.

    Raises:
        ValueError: an option is out of range, or two contradict each other.
    """

    paddings: tuple[str, ...] = ("valid", "same")
    has_filters = True  # whether the caller says how many output channels there are
    bias: Any

    def __init__(
        self, rank: int, filters: int | None, kernel_size: Any, strides: Any = 1, padding: str = "valid",
        data_format: str | None = None, dilation_rate: Any = 1, groups: int = 1, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(**kwargs)
        self.rank = rank
        if self.has_filters:
            self.filters = positive("filters", filters)
        self.groups = positive("groups", groups)
        self.kernel_size = per_axis(kernel_size, rank, "kernel_size")
        self.strides = per_axis(strides, rank, "strides")
        self.dilation_rate = per_axis(dilation_rate, rank, "dilation_rate")
        self.padding = padding.lower() if isinstance(padding, str) else padding
        if self.padding not in self.paddings:
            raise ValueError(f"`padding` of the layer {self.name!r} must be one of {self.paddings}, not {padding!r}.")
        if self.has_filters and self.filters % groups:
            raise ValueError(
                f"`filters` ({filters}) of the layer {self.name!r} must be divisible by `groups` ({groups})."
            )
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ValueError(
                f"The layer {self.name!r} can't have strides {self.strides} and dilation {self.dilation_rate}, both above 1."
            )
        self.data_format = config.standardize_data_format(data_format)
        self.input_spec = InputSpec(min_ndim=rank + 2)

    @property
    def channel_axis(self) -> int:
        """The axis of the channels."""
        return -1 if self.data_format == "channels_last" else 1

    def channels_of(self, input_shape: Any) -> int:
        """The number of input channels.

        Raises:
            ValueError: it isn't known.
        """
        channels = input_shape[self.channel_axis]
        if channels is None:
            raise ValueError(
                f"The layer {self.name!r} needs to know the number of channels; the input shape given is {tuple(input_shape)}."
            )
        self.input_spec = InputSpec(min_ndim=self.rank + 2, axes={self.channel_axis: channels})
        return channels

    def check_window(self, input_shape: Any) -> None:
        """Refuse images that are smaller than the window, where nothing is padded.

        Raises:
            ValueError: an axis is too short.
        """
        rank = self.rank
        sizes = input_shape[-rank - 1 : -1] if self.data_format == "channels_last" else input_shape[-rank:]
        window = tuple((k - 1) * d + 1 for k, d in zip(self.kernel_size, self.dilation_rate, strict=True))
        if self.padding == "valid" and any(n is not None and n < w for n, w in zip(sizes, window, strict=True)):
            raise ValueError(
                f"The window {window} (`kernel_size` with its dilation) of the layer {self.name!r} is larger than its input of "
                f"shape {tuple(input_shape)}. Use `padding='same'`, a smaller window, or a larger input."
            )

    def with_bias(self, x: Any) -> Any:
        """Add the bias and apply the activation."""
        if self.bias is not None:
            bias = self.bias
            if self.data_format == "channels_first":
                bias = ops.reshape(bias, (1, -1, *(1,) * self.rank))
            x = ops.add(x, bias)
        return self.activate(x)

    def flat(self, inputs: Any) -> tuple[Any, Any]:
        """The input with one batch axis, and a function that brings further batch axes back."""
        extra = len(inputs.shape) - self.rank - 2
        if not extra:
            return inputs, lambda x: x
        lead = ops.shape(inputs)[: extra + 1]
        return ops.reshape(inputs, (-1, *ops.shape(inputs)[extra + 1 :])), lambda x: ops.reshape(
            x, (*lead, *ops.shape(x)[1:])
        )

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        base = super().get_config()
        first = {k: base.pop(k) for k in ("name", "trainable", "dtype")}
        own = {
            "filters": getattr(self, "filters", None), "kernel_size": self.kernel_size, "strides": self.strides,
            "padding": self.padding, "data_format": self.data_format, "dilation_rate": self.dilation_rate, "groups": self.groups,
        }  # fmt: skip
        return {**first, **own, **base}
