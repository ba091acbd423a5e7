"""Convolutions in one to three dimensions, with kernels laid out (spatial..., in, out)."""

from __future__ import annotations

from typing import Any

from tricera.core import config, windows
from tricera.core.op import composed, primitive
from tricera.core.tensor import Spec, Tensor, TensorLike
from tricera.ops.elementwise import add
from tricera.ops.shape import reshape


def _conv_spec(
    inputs: Spec,
    kernel: Spec,
    strides: Any = 1,
    padding: str = "valid",
    data_format: Any = None,
    dilation_rate: Any = 1,
) -> Spec:
    plan = windows.conv("conv", inputs.shape, kernel.shape, strides, padding, data_format, dilation_rate)
    return Spec(plan.shape(inputs.shape[0]), inputs.dtype)


@primitive(spec=_conv_spec)
def conv(
    inputs: TensorLike,
    kernel: TensorLike,
    strides: int | tuple[int, ...] = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: int | tuple[int, ...] = 1,
) -> Tensor:
    """The convolution (cross-correlation) y[p, o] = sum over k, i of x[p stride + k dilation, i] w[k, i, o].

    Args:
        inputs: a tensor (batch, spatial..., channels), or (batch, channels, spatial...), with 1 to 3 spatial axes.
        kernel: a tensor (spatial..., in, out); an `in` that divides the input's channels makes groups of channels.
        strides: the step of the window, an integer or one for each spatial axis.
        padding: `"valid"` (none), `"same"` (zeros on both sides, such that the result has ceil(n / stride) elements),
            or, in one dimension, `"causal"` (zeros before, such that no element sees a later one).
        data_format: `"channels_last"` or `"channels_first"`; default: the configured one.
        dilation_rate: the spacing of the kernel's elements.

    Returns:
        A tensor (batch, spatial..., out) or (batch, out, spatial...), of the common dtype of its arguments.

    Raises:
        ValueError: the shapes don't fit, or the kernel is longer than the input.

    Example:
        >>> import numpy as np
        >>> tuple(conv(np.ones((1, 5, 1)), np.ones((3, 1, 2))).shape[1:])
        (3, 2)
    """
    ...


@composed
def biased_conv(
    inputs: TensorLike,
    kernel: TensorLike,
    bias: TensorLike,
    strides: int | tuple[int, ...] = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: int | tuple[int, ...] = 1,
) -> Tensor:
    """`conv` with a bias, one a channel of the result, what a convolution layer computes.

    Args:
        inputs: a tensor (batch, spatial..., channels), or (batch, channels, spatial...), with 1 to 3 spatial axes.
        kernel: a tensor (spatial..., in, out).
        bias: a tensor (out,).
        strides: the step of the window.
        padding: as for `conv`.
        data_format: as for `conv`.
        dilation_rate: the spacing of the kernel's elements.

    Returns:
        A tensor (batch, spatial..., out) or (batch, out, spatial...), of the common dtype of its arguments.

    Example:
        >>> import numpy as np
        >>> tuple(biased_conv(np.ones((1, 5, 1)), np.ones((3, 1, 2)), np.ones(2)).shape)
        (1, 3, 2)
    """
    out = conv(inputs, kernel, strides=strides, padding=padding, data_format=data_format, dilation_rate=dilation_rate)
    if (data_format or config.image_data_format()) == "channels_first":
        bias = reshape(bias, (1, -1, *(1,) * (len(inputs.shape) - 2)))
    return add(out, bias)


def _conv_transpose_spec(
    inputs: Spec,
    kernel: Spec,
    strides: Any = 1,
    padding: str = "valid",
    output_padding: Any = None,
    data_format: Any = None,
    dilation_rate: Any = 1,
) -> Spec:
    plan = windows.conv_transpose(
        "conv_transpose", inputs.shape, kernel.shape, strides, padding, output_padding, data_format, dilation_rate
    )
    return Spec(plan.shape(inputs.shape[0]), inputs.dtype)


@primitive(spec=_conv_transpose_spec)
def conv_transpose(
    inputs: TensorLike,
    kernel: TensorLike,
    strides: int | tuple[int, ...] = 1,
    padding: str = "valid",
    output_padding: Any = None,
    data_format: str | None = None,
    dilation_rate: int | tuple[int, ...] = 1,
) -> Tensor:
    """The transpose of a convolution: each element of the input adds a scaled kernel to the result, `strides` apart.

    Args:
        inputs: a tensor (batch, spatial..., channels), or (batch, channels, spatial...), with 1 to 3 spatial axes.
        kernel: a tensor (spatial..., out, in).
        strides: how far apart the kernels are laid down.
        padding: `"valid"` keeps all of it, `"same"` as much as makes the result `strides` times as long.
        output_padding: lengthens the result, below the stride; None: the lengths above.
        data_format: `"channels_last"` or `"channels_first"`; default: the configured one.
        dilation_rate: the spacing of the kernel's elements.

    Returns:
        A tensor (batch, spatial..., out) or (batch, out, spatial...), of the common dtype of its arguments.

    Raises:
        ValueError: the shapes don't fit.

    Example:
        >>> import numpy as np
        >>> tuple(conv_transpose(np.ones((1, 5, 1)), np.ones((3, 2, 1)), strides=2).shape[1:])
        (11, 2)
    """
    ...


def _depthwise_spec(
    inputs: Spec,
    kernel: Spec,
    strides: Any = 1,
    padding: str = "valid",
    data_format: Any = None,
    dilation_rate: Any = 1,
) -> Spec:
    grouped = windows.grouped_kernel(inputs.shape, kernel.shape, data_format)
    plan = windows.conv("depthwise_conv", inputs.shape, grouped, strides, padding, data_format, dilation_rate)
    return Spec(plan.shape(inputs.shape[0]), inputs.dtype)


@composed(spec=_depthwise_spec)
def depthwise_conv(
    inputs: TensorLike,
    kernel: TensorLike,
    strides: int | tuple[int, ...] = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: int | tuple[int, ...] = 1,
) -> Tensor:
    """A convolution of each channel by itself.

    Args:
        inputs: a tensor (batch, spatial..., channels), or (batch, channels, spatial...).
        kernel: a tensor (spatial..., channels, multiplier).
        strides: the step of the window.
        padding: as for `conv`.
        data_format: as for `conv`.
        dilation_rate: the spacing of the kernel's elements.

    Returns:
        A tensor with channels * multiplier channels, of the common dtype; those of one input channel stand together.

    Raises:
        ValueError: the shapes don't fit.

    Example:
        >>> import numpy as np
        >>> tuple(depthwise_conv(np.ones((1, 5, 2)), np.ones((3, 2, 3))).shape[1:])
        (3, 6)
    """
    grouped = reshape(kernel, windows.grouped_kernel(inputs.shape, kernel.shape, data_format))
    return conv(inputs, grouped, strides, padding, data_format, dilation_rate)


@composed
def separable_conv(
    inputs: TensorLike,
    depthwise_kernel: TensorLike,
    pointwise_kernel: TensorLike,
    strides: int | tuple[int, ...] = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: int | tuple[int, ...] = 1,
) -> Tensor:
    """A depthwise convolution, then one with a kernel of length 1 that mixes the channels.

    Args:
        inputs: a tensor (batch, spatial..., channels), or (batch, channels, spatial...).
        depthwise_kernel: a tensor (spatial..., channels, multiplier).
        pointwise_kernel: a tensor (1..., channels * multiplier, out).
        strides: the step of the window of the depthwise convolution.
        padding: as for `conv`.
        data_format: as for `conv`.
        dilation_rate: the spacing of the depthwise kernel's elements.

    Returns:
        A tensor with `out` channels, of the common dtype of its arguments.

    Raises:
        ValueError: the shapes don't fit.

    Example:
        >>> import numpy as np
        >>> tuple(separable_conv(np.ones((1, 5, 2)), np.ones((3, 2, 3)), np.ones((1, 6, 4))).shape)
        (1, 3, 4)
    """
    deep = depthwise_conv(inputs, depthwise_kernel, strides, padding, data_format, dilation_rate)
    return conv(deep, pointwise_kernel, 1, "valid", data_format, 1)
