"""Normalisation: to unit length, over a batch, over a layer, by the root mean square."""

from __future__ import annotations

from typing import Any

from tricera.core import config
from tricera.core.op import composed
from tricera.core.tensor import Tensor, TensorLike
from tricera.ops.creation import dtype, shape
from tricera.ops.elementwise import add, cast, divide, maximum, multiply, power, square, subtract
from tricera.ops.reduce import mean as mean_, moments, sum as sum_
from tricera.ops.shape import reshape
from tricera.ops.unary import absolute, rsqrt

_NARROW = ("float16", "bfloat16")


def _axes(op: str, axis: Any, rank: int) -> tuple[int, ...]:
    axes = (axis,) if isinstance(axis, int) else tuple(axis)
    if any(not -rank <= a < rank for a in axes):
        raise ValueError(f"ops.{op}: `axis`={axis} is out of range for a tensor of {rank} axes.")
    return tuple(sorted({a % rank for a in axes}))


def _fit(op: str, name: str, parameter: Any, x: Any, axes: tuple[int, ...]) -> None:
    shape = tuple(parameter.shape)
    lengths = [x.shape[a] for a in axes] if len(shape) == len(axes) else list(x.shape)[-len(shape) :] if shape else []
    if len(shape) > len(x.shape) or any(
        d not in (1, None) and n is not None and d != n for d, n in zip(shape, lengths, strict=True)
    ):
        raise ValueError(
            f"ops.{op}: `{name}` has the shape {shape}, which does not fit the axes {axes} of the shape {tuple(x.shape)}."
        )


def _beside(parameter: Any, x: Any, axes: tuple[int, ...]) -> Any:
    """A parameter with one axis for each of `axes`, lined up with `x`."""
    shape = tuple(parameter.shape)
    if len(shape) != len(axes):
        return parameter
    if axes == tuple(range(len(x.shape) - len(axes), len(x.shape))):
        return parameter
    lengths = iter(shape)
    return reshape(parameter, tuple(next(lengths) if i in axes else 1 for i in range(len(x.shape))))


@composed(promote="float")
def normalize(x: TensorLike, axis: Any = -1, order: int = 2, epsilon: float | None = None) -> Tensor:
    """x divided by its norm along axes, x / max((sum |x|^order)^(1/order), epsilon).

    Args:
        x: a tensor.
        axis: an axis or a tuple of them; None means all.
        order: the norm's order, an integer of at least 1.
        epsilon: the least value that is divided by; default: `config.epsilon()`.

    Returns:
        A float tensor of the same shape; integers become floatx.

    Raises:
        ValueError: another order.

    Example:
        >>> from tricera import ops
        >>> [f"{value:.2f}" for value in ops.convert_to_numpy(normalize([3.0, 4.0]))]
        ['0.60', '0.80']
    """
    if not isinstance(order, int) or order < 1:
        raise ValueError(f"ops.normalize: `order` must be an integer of at least 1, not {order!r}.")
    least = config.epsilon() if epsilon is None else epsilon
    if order == 2:
        # In this form the gradient at 0 is finite.
        return multiply(x, rsqrt(maximum(sum_(square(x), axis=axis, keepdims=True), least**2)))
    total = sum_(power(absolute(x), float(order)), axis=axis, keepdims=True)
    return divide(x, maximum(power(total, 1.0 / order), least))


@composed(promote="float")
def channel_scaling(
    x: TensorLike,
    mean: TensorLike,
    variance: TensorLike,
    axis: int,
    offset: TensorLike | None,
    scale: TensorLike | None,
    epsilon: float,
) -> Tensor:
    """`batch_normalization` with checked arguments.

    Args:
        x: a tensor.
        mean: the means, as many as `axis` is long.
        variance: the variances.
        axis: the axis of the channels, not negative.
        offset: added afterwards, one a channel, or None.
        scale: a factor, one a channel, or None.
        epsilon: keeps the root off 0.

    Returns:
        A float tensor of the shape of `x`.

    Example:
        >>> from tricera import ops
        >>> out = channel_scaling([[1.0, 3.0]], [1.0, 1.0], [4.0, 4.0], 1, None, None, 0.0)
        >>> ops.convert_to_numpy(out).round(3).tolist()
        [[0.0, 1.0]]
    """
    shape = tuple(-1 if i == axis else 1 for i in range(len(x.shape)))
    factor = rsqrt(add(variance, epsilon))
    if scale is not None:
        factor = multiply(factor, scale)
    out = multiply(subtract(x, reshape(mean, shape)), reshape(factor, shape))
    return out if offset is None else add(out, reshape(offset, shape))


@composed(promote="float")
def batch_normalization(
    x: TensorLike,
    mean: TensorLike,
    variance: TensorLike,
    axis: int,
    offset: TensorLike | None = None,
    scale: TensorLike | None = None,
    epsilon: float = 1e-3,
) -> Tensor:
    """(x - mean) / sqrt(variance + epsilon) * scale + offset, each channel with its own statistics (Ioffe & Szegedy 2015).

    Args:
        x: a tensor.
        mean: the means, as many as `axis` is long.
        variance: the variances.
        axis: the axis of the channels.
        offset: added afterwards, one a channel.
        scale: a factor, one a channel.
        epsilon: keeps the root off 0.

    Returns:
        A float tensor of the shape of `x`; integers become floatx.

    Raises:
        ValueError: the shapes don't fit.

    Example:
        >>> from tricera import ops
        >>> out = batch_normalization([[1.0, 3.0]], [1.0, 1.0], [4.0, 4.0], axis=-1, epsilon=0.0)
        >>> ops.convert_to_numpy(out).round(3).tolist()
        [[0.0, 1.0]]
    """
    (channel,) = _axes("batch_normalization", axis, len(x.shape))
    given = (("mean", mean), ("variance", variance), ("offset", offset), ("scale", scale))
    for name, value in given:
        if value is not None and (
            len(value.shape) != 1 or (value.shape[0] != x.shape[channel] and x.shape[channel] is not None)
        ):
            raise ValueError(
                f"ops.batch_normalization: `{name}` must have the shape ({x.shape[channel]},), the length of axis {axis} of "
                f"`x` (shape {tuple(x.shape)}), not {tuple(value.shape)}."
            )
    return channel_scaling(x, mean, variance, channel, offset, scale, epsilon)


@composed(promote="float")
def layer_scaling(
    x: TensorLike, gamma: TensorLike | None, beta: TensorLike | None, axes: tuple[int, ...], epsilon: float
) -> Tensor:
    """`layer_normalization` with checked arguments.

    Args:
        x: a tensor.
        gamma: a factor, of the shape of the axes, or None.
        beta: added afterwards, of the shape of the axes, or None.
        axes: along which mean and variance are taken, ascending and not negative.
        epsilon: keeps the root off 0.

    Returns:
        A float tensor of the shape of `x`; half precision is worked out in float32.

    Example:
        >>> from tricera import ops
        >>> ops.convert_to_numpy(layer_scaling([1.0, 3.0], None, None, (0,), 0.0)).round(3).tolist()
        [-1.0, 1.0]
    """
    kind = dtype(x)
    wide = cast(x, "float32") if kind in _NARROW else x
    centred = subtract(wide, mean_(wide, axis=axes, keepdims=True))
    out = cast(multiply(centred, rsqrt(add(mean_(square(centred), axis=axes, keepdims=True), epsilon))), kind)
    if gamma is not None:
        out = multiply(out, _beside(gamma, x, axes))
    return out if beta is None else add(out, _beside(beta, x, axes))


@composed(promote="float")
def layer_normalization(
    x: TensorLike,
    gamma: TensorLike | None = None,
    beta: TensorLike | None = None,
    axis: Any = -1,
    epsilon: float | None = None,
    **kwargs: Any,
) -> Tensor:
    """(x - mean) / sqrt(variance + epsilon) * gamma + beta, mean and variance being those along axes (Ba et al. 2016).

    Args:
        x: a tensor.
        gamma: a factor, of the shape of these axes.
        beta: added afterwards, of the shape of these axes.
        axis: an axis or several.
        epsilon: keeps the root off 0; default: `config.epsilon()`.
        **kwargs: none are known (use `rms_normalization` in the place of the former `rms_scaling`).

    Returns:
        A float tensor of the same shape; integers become floatx.

    Raises:
        ValueError: the shapes don't fit.

    Example:
        >>> from tricera import ops
        >>> ops.convert_to_numpy(layer_normalization([1.0, 3.0])).round(3).tolist()
        [-1.0, 1.0]
    """
    axes = _axes("layer_normalization", axis, len(x.shape))
    for name, value in (("gamma", gamma), ("beta", beta)):
        if value is not None:
            _fit("layer_normalization", name, value, x, axes)
    return layer_scaling(x, gamma, beta, axes, config.epsilon() if epsilon is None else epsilon)


@composed(promote="float")
def rms_scaling(x: TensorLike, scale: TensorLike | None, axes: tuple[int, ...], epsilon: float) -> Tensor:
    """`rms_normalization` with checked arguments.

    Args:
        x: a tensor.
        scale: a factor that broadcasts with `x`, or None.
        axes: along which the mean is taken.
        epsilon: keeps the root off 0.

    Returns:
        A float tensor of the shape of `x`; half precision is worked out in float32.

    Example:
        >>> from tricera import ops
        >>> ops.convert_to_numpy(rms_scaling([3.0, 3.0], None, (0,), 0.0)).round(3).tolist()
        [1.0, 1.0]
    """
    kind = dtype(x)
    wide = cast(x, "float32") if kind in _NARROW else x
    out = cast(multiply(wide, rsqrt(add(mean_(square(wide), axis=axes, keepdims=True), epsilon))), kind)
    return out if scale is None else multiply(out, scale)


@composed(promote="float")
def rms_normalization(
    x: TensorLike, scale: TensorLike | None = None, axis: Any = -1, epsilon: float | None = None
) -> Tensor:
    """x / sqrt(mean(x^2) + epsilon) * scale, the mean being that along axes (Zhang & Sennrich 2019).

    Args:
        x: a tensor.
        scale: a factor that broadcasts with `x`.
        axis: an axis or several.
        epsilon: keeps the root off 0; default: `config.epsilon()`.

    Returns:
        A float tensor of the same shape; integers become floatx.

    Example:
        >>> from tricera import ops
        >>> ops.convert_to_numpy(rms_normalization([1.0, 1.0])).round(3).tolist()
        [1.0, 1.0]
    """
    axes = _axes("rms_normalization", axis, len(x.shape))
    return rms_scaling(x, scale, axes, config.epsilon() if epsilon is None else epsilon)


@composed(promote="float")
def group_scaling(
    x: TensorLike, gamma: TensorLike | None, beta: TensorLike | None, axis: int, groups: int, size: int, epsilon: float
) -> Tensor:
    """Groups of channels normalized by their mean and variance in each sample (Wu & He 2018).

    Args:
        x: a tensor whose first axis is the batch.
        gamma: a factor, one a channel.
        beta: added afterwards, one a channel.
        axis: the axis of the channels, not negative.
        groups: how many groups the channels are divided into.
        size: how many channels are in a group.
        epsilon: keeps the root off 0.

    Returns:
        A float tensor of the shape of `x`.

    Example:
        >>> from tricera import ops
        >>> out = group_scaling([[1.0, 3.0, 2.0, 6.0]], None, None, axis=1, groups=2, size=2, epsilon=0.0)
        >>> ops.convert_to_numpy(out).round(3).tolist()
        [[-1.0, 1.0, -1.0, 1.0]]
    """
    rank, channels = len(x.shape), groups * size
    lengths = tuple(channels if i == axis else n for i, n in enumerate(shape(x)))
    grouped = reshape(x, (*lengths[:axis], groups, size, *lengths[axis + 1 :]))
    mean, variance = moments(grouped, axes=tuple(i for i in range(1, rank + 1) if i != axis), keepdims=True)
    out = reshape(multiply(subtract(grouped, mean), rsqrt(add(variance, epsilon))), lengths)
    broadcast = tuple(channels if i == axis else 1 for i in range(rank))
    if gamma is not None:
        out = multiply(out, reshape(gamma, broadcast))
    return out if beta is None else add(out, reshape(beta, broadcast))


@composed(promote="float")
def psnr(x1: TensorLike, x2: TensorLike, max_val: float) -> Tensor:
    """The peak signal-to-noise ratio in decibels, 20 log10(max_val) - 10 log10(mean((x1 - x2)^2)).

    Args:
        x1: a tensor.
        x2: a tensor of the same shape.
        max_val: the largest value that is possible.

    Returns:
        A float scalar.

    Raises:
        ValueError: the shapes differ.

    Example:
        >>> round(float(psnr([0.0], [0.1], max_val=1.0)), 2)
        20.0
    """
    from math import log10 as decimal_log

    from tricera.ops.unary import log10

    if any(a != b and a is not None and b is not None for a, b in zip(x1.shape, x2.shape, strict=False)) or len(
        x1.shape
    ) != len(x2.shape):
        raise ValueError(
            f"ops.psnr: both tensors must have the same shape, not {tuple(x1.shape)} and {tuple(x2.shape)}."
        )
    return subtract(20 * decimal_log(max_val), multiply(10.0, log10(mean_(square(subtract(x1, x2))))))
