"""The geometry of sliding windows: convolutions, their transposes and pooling, worked out once for all backends.

A plan holds every argument in full (one integer a spatial axis) beside the sizes that follow; making it checks them.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from tricera.core import config
from tricera.core.spec import window_length
from tricera.core.tensor import Shape


class Plan(NamedTuple):
    """One sliding of a window.

    Attributes:
        window: the lengths of the window.
        strides: its steps.
        dilation: the spacing of its elements.
        padding: `"valid"`, `"same"` or `"causal"`.
        first: whether channels stand before the spatial axes.
        groups: how many groups the channels fall into.
        sizes: the input's spatial lengths, None where unknown.
        out: the result's.
        channels: how many channels the result has.
    """

    window: tuple[int, ...]
    strides: tuple[int, ...]
    dilation: tuple[int, ...]
    padding: str
    first: bool
    groups: int
    sizes: Shape
    out: Shape
    channels: int | None

    def pads(self) -> tuple[tuple[int, int], ...]:
        """The elements added before and after each spatial axis (whose length must be known, but for `"valid"`)."""
        if self.padding == "valid":
            return ((0, 0),) * len(self.window)
        pairs = []
        for size, window, stride, dilation in zip(self.sizes, self.window, self.strides, self.dilation, strict=True):
            reach = dilation * (window - 1) + 1
            if self.padding == "causal":
                pairs.append((reach - 1, 0))
                continue
            total = max((-(-size // stride) - 1) * stride + reach - size, 0)  # type: ignore[operator]
            pairs.append((total // 2, total - total // 2))
        return tuple(pairs)

    def shape(self, batch: int | None) -> Shape:
        """The shape of the result."""
        return (batch, self.channels, *self.out) if self.first else (batch, *self.out, self.channels)


def each(value: Any, n: int, name: str, op: str) -> tuple[int, ...]:
    """`value` as `n` positive integers.

    Raises:
        ValueError: it is neither an integer nor `n` of them, or one is below 1.
    """
    values = (value,) * n if isinstance(value, int) else tuple(value) if isinstance(value, (list, tuple)) else ()
    if len(values) == 1:
        values *= n
    if len(values) != n or not all(isinstance(v, int) and v > 0 for v in values):
        raise ValueError(
            f"ops.{op}: `{name}` must be a positive integer or {n} of them, one a spatial axis, not {value!r}."
        )
    return values


def channels_first(op: str, data_format: str | None) -> bool:
    """Whether channels come first."""
    data_format = data_format or config.image_data_format()
    if data_format not in ("channels_first", "channels_last"):
        raise ValueError(f"ops.{op}: `data_format` must be 'channels_last' or 'channels_first', not {data_format!r}.")
    return data_format == "channels_first"


def layout(op: str, shape: Shape, data_format: str | None) -> tuple[bool, Shape, int | None]:
    """Whether channels come first, the spatial lengths, and the number of channels."""
    first = channels_first(op, data_format)
    if not 3 <= len(shape) <= 5:
        raise ValueError(
            f"ops.{op}: the input must have 3, 4 or 5 axes (batch, 1 to 3 spatial axes, channels), not the shape {tuple(shape)}."
        )
    if first:
        return True, tuple(shape[2:]), shape[1]
    return False, tuple(shape[1:-1]), shape[-1]


def _padding(op: str, padding: Any, allowed: tuple[str, ...]) -> str:
    name = padding.lower() if isinstance(padding, str) else padding
    if name not in allowed:
        raise ValueError(f"ops.{op}: `padding` must be one of {', '.join(map(repr, allowed))}, not {padding!r}.")
    return name


def _lengths(op: str, sizes: Shape, window: Any, strides: Any, padding: str, dilation: Any) -> Shape:
    return tuple(
        window_length(n, k, s, padding, d, f"ops.{op}")
        for n, k, s, d in zip(sizes, window, strides, dilation, strict=True)
    )


def _some(op: str, kernel: Shape) -> None:
    if 0 in kernel:
        raise ValueError(f"ops.{op}: a kernel of the shape {tuple(kernel)} holds nothing.")


def conv(
    op: str, shape: Shape, kernel: Shape, strides: Any, padding: Any, data_format: str | None, dilation_rate: Any
) -> Plan:
    """Plan a convolution of an input of this shape with a kernel (spatial..., in / groups, out).

    Raises:
        ValueError: the arguments don't fit each other.
    """
    first, sizes, channels = layout(op, shape, data_format)
    n = len(sizes)
    if len(kernel) != n + 2:
        raise ValueError(
            f"ops.{op}: an input of shape {tuple(shape)} needs a kernel of {n + 2} axes ({n} spatial, in, out), "
            f"not the shape {tuple(kernel)}."
        )
    window, inner, outer = tuple(kernel[:n]), kernel[-2], kernel[-1]
    _some(op, kernel)
    strides, dilation = each(strides, n, "strides", op), each(dilation_rate, n, "dilation_rate", op)
    padding = _padding(op, padding, ("valid", "same", "causal") if n == 1 else ("valid", "same"))
    groups = 1 if channels is None or not inner else channels // inner
    if inner == 0 or (inner is not None and channels is not None and channels % inner):
        raise ValueError(
            f"ops.{op}: the input has {channels} channels, which the kernel's {inner} input channels don't divide "
            f"(shapes {tuple(shape)} and {tuple(kernel)}). Check `data_format`."
        )
    if outer is not None and groups and outer % groups:
        raise ValueError(f"ops.{op}: {outer} output channels can't be divided into {groups} groups.")
    out = _lengths(op, sizes, window, strides, padding, dilation)
    return Plan(window, strides, dilation, padding, first, groups, sizes, out, outer)  # type: ignore[arg-type]


def pool(op: str, shape: Shape, pool_size: Any, strides: Any, padding: Any, data_format: str | None) -> Plan:
    """Plan pooling over an input of this shape.

    Raises:
        ValueError: the arguments don't fit each other.
    """
    first, sizes, channels = layout(op, shape, data_format)
    n = len(sizes)
    window = each(pool_size, n, "pool_size", op)
    strides = window if strides is None else each(strides, n, "strides", op)
    padding = _padding(op, padding, ("valid", "same"))
    dilation = (1,) * n
    out = _lengths(op, sizes, window, strides, padding, dilation)
    return Plan(window, strides, dilation, padding, first, 1, sizes, out, channels)


class Transposed(NamedTuple):
    """A transposed convolution: the full result, of length (n - 1) stride + reach, is cut to `out` elements from `crop` on.

    Attributes:
        window: the lengths of the kernel.
        strides: the steps.
        dilation: the spacing of the kernel's elements.
        first: whether channels stand before the spatial axes.
        sizes: the input's spatial lengths, None where unknown.
        reach: the length that the kernel covers on each axis.
        crop: how many elements go at the beginning of each axis.
        extra: how much longer than n * stride the result is (negative: shorter).
        channels: how many channels the result has.
    """

    window: tuple[int, ...]
    strides: tuple[int, ...]
    dilation: tuple[int, ...]
    first: bool
    sizes: Shape
    reach: tuple[int, ...]
    crop: tuple[int, ...]
    extra: tuple[int, ...]
    channels: int | None

    def out(self) -> Shape:
        """The result's spatial lengths."""
        return tuple(
            None if n is None or e is None else n * s + e
            for n, s, e in zip(self.sizes, self.strides, self.extra, strict=True)
        )

    def tail(self) -> tuple[int, ...]:
        """What is added at the end of each axis of the full result once `crop` is gone (negative: cut off)."""
        # out - (full - crop) = n s + extra - (n s - s + reach) + crop, whatever n is.
        return tuple(e + s - r + c for e, s, r, c in zip(self.extra, self.strides, self.reach, self.crop, strict=True))

    def shape(self, batch: int | None) -> Shape:
        """The shape of the result."""
        return (batch, self.channels, *self.out()) if self.first else (batch, *self.out(), self.channels)


def _output_padding(op: str, value: Any, strides: tuple[int, ...]) -> tuple[int | None, ...]:
    n = len(strides)
    if value is None:
        return (None,) * n
    values = (value,) * n if isinstance(value, int) else tuple(value)
    if len(values) != n or any(p is not None and not 0 <= p < max(s, 1) for p, s in zip(values, strides, strict=False)):
        raise ValueError(
            f"ops.{op}: `output_padding` must be {n} integers, each at least 0 and below its stride {strides}, not {value!r}."
        )
    return values


def conv_transpose(
    op: str,
    shape: Shape,
    kernel: Shape,
    strides: Any,
    padding: Any,
    output_padding: Any,
    data_format: str | None,
    dilation_rate: Any,
) -> Transposed:
    """Plan a transposed convolution with a kernel (spatial..., out, in).

    Raises:
        ValueError: the arguments don't fit each other.
    """
    first, sizes, channels = layout(op, shape, data_format)
    n = len(sizes)
    if len(kernel) != n + 2:
        raise ValueError(
            f"ops.{op}: an input of shape {tuple(shape)} needs a kernel of {n + 2} axes ({n} spatial, out, in), "
            f"not the shape {tuple(kernel)}."
        )
    if channels is not None and kernel[-1] is not None and kernel[-1] != channels:
        raise ValueError(
            f"ops.{op}: the input has {channels} channels, the kernel takes {kernel[-1]} "
            f"(shapes {tuple(shape)} and {tuple(kernel)}; the kernel's last axis is the input's channels). Check `data_format`."
        )
    window = tuple(kernel[:n])
    _some(op, kernel)
    strides, dilation = each(strides, n, "strides", op), each(dilation_rate, n, "dilation_rate", op)
    padding = _padding(op, padding, ("valid", "same"))
    reach = tuple(None if k is None else d * (k - 1) + 1 for k, d in zip(window, dilation, strict=True))
    crop: list[int] = []
    extra: list[int | None] = []
    for r, s, p in zip(reach, strides, _output_padding(op, output_padding, strides), strict=True):
        if r is None:  # only inference meets kernels of unknown length
            crop.append(0)
            extra.append(0 if padding == "same" and p is None else None)
            continue
        if padding == "valid":
            crop.append(0)
            extra.append(max(r - s, 0) if p is None else r - s + p)
            continue
        longer = 0 if p is None else r - s - 2 * (r // 2) + p
        extra.append(longer)
        # As the gradient of a "same" convolution: what is too long goes half before, half after.
        crop.append(max(r - s - longer, 0) // 2)
    return Transposed(window, strides, dilation, first, sizes, reach, tuple(crop), tuple(extra), kernel[-2])  # type: ignore[arg-type]


def grouped_kernel(inputs: Any, kernel: Any, data_format: str | None) -> tuple[Any, ...]:
    """The shape of a depthwise kernel (spatial..., channels, multiplier) as that of a grouped one.

    Raises:
        ValueError: it does not have as many channels as the input.
    """
    first = channels_first("depthwise_conv", data_format)
    channels = inputs[1 if first else -1] if len(inputs) > 1 else None
    inner = kernel[-2] if len(kernel) > 2 and kernel[-2] is not None else channels
    if len(kernel) < 3 or (channels is not None and inner != channels):
        raise ValueError(
            f"ops.depthwise_conv: the input (shape {tuple(inputs)}) has {channels} channels, and the kernel must have the shape "
            f"(spatial..., channels, multiplier), not {tuple(kernel)}."
        )
    return (*kernel[:-2], 1, None if inner is None or kernel[-1] is None else inner * kernel[-1])


def pad_widths(pad_width: Any, rank: int) -> tuple[tuple[int, int], ...]:
    """One (before, after) pair an axis."""
    if isinstance(pad_width, int):
        return ((pad_width, pad_width),) * rank
    pairs: list[Any] = [tuple(p) if isinstance(p, (list, tuple)) else p for p in pad_width]
    if len(pairs) == 2 and all(isinstance(p, int) for p in pairs):
        return ((pairs[0], pairs[1]),) * rank
    if len(pairs) == 1 and rank != 1:
        return tuple(pairs[0] if len(pairs[0]) == 2 else pairs[0] * 2 for _ in range(rank))
    if len(pairs) != rank:
        raise ValueError(f"ops.pad: `pad_width` must hold one pair an axis ({rank}); got {pad_width}.")
    return tuple((p[0], p[-1]) for p in pairs)
