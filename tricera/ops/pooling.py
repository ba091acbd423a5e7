"""Pooling: the largest or the mean element of a sliding window, or of as many parts as asked for."""

from __future__ import annotations

from typing import Any

import numpy as np

from tricera.core import windows
from tricera.core.op import composed, primitive
from tricera.core.tensor import Spec, Tensor, TensorLike
from tricera.ops.creation import convert_to_tensor, dtype, zeros_like
from tricera.ops.elementwise import divide
from tricera.ops.reduce import max as max_, mean, sum as sum_
from tricera.ops.select import take, where
from tricera.ops.shape import reshape


def _pool_spec(op: str) -> Any:
    def rule(
        inputs: Spec,
        pool_size: Any,
        strides: int | tuple[int, ...] | None = None,
        padding: str = "valid",
        data_format: Any = None,
    ) -> Spec:
        plan = windows.pool(op, inputs.shape, pool_size, strides, padding, data_format)
        return Spec(plan.shape(inputs.shape[0]), inputs.dtype)

    return rule


@primitive(spec=_pool_spec("max_pool"), kinds="real")
def max_pool(
    inputs: TensorLike,
    pool_size: int | tuple[int, ...],
    strides: int | tuple[int, ...] | None = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """The largest element of a window that slides over the spatial axes.

    Args:
        inputs: a tensor (batch, spatial..., channels), or (batch, channels, spatial...), with 1 to 3 spatial axes.
        pool_size: the length of the window, an integer or one for each spatial axis.
        strides: its step; default: `pool_size`.
        padding: `"valid"` (windows inside only) or `"same"` (the result has ceil(n / stride) elements).
        data_format: `"channels_last"` or `"channels_first"`; default: the configured one.

    Returns:
        A tensor of the same layout and dtype.

    Raises:
        ValueError: the window is longer than the input.

    Example:
        >>> import numpy as np
        >>> tuple(max_pool(np.ones((1, 6, 1)), 2).shape[1:])
        (3, 1)
    """
    ...


@primitive(spec=_pool_spec("average_pool"), promote="float", kinds="real")
def average_pool(
    inputs: TensorLike,
    pool_size: int | tuple[int, ...],
    strides: int | tuple[int, ...] | None = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """The mean element of a window that slides over the spatial axes; what lies outside the input does not count.

    Args:
        inputs: a tensor (batch, spatial..., channels), or (batch, channels, spatial...), with 1 to 3 spatial axes.
        pool_size: the length of the window, an integer or one for each spatial axis.
        strides: its step; default: `pool_size`.
        padding: `"valid"` (windows inside only) or `"same"` (the result has ceil(n / stride) elements).
        data_format: `"channels_last"` or `"channels_first"`; default: the configured one.

    Returns:
        A float tensor of the same layout; integers become floatx.

    Raises:
        ValueError: the window is longer than the input.

    Example:
        >>> import numpy as np
        >>> [float(y) for y in average_pool(np.arange(6.0).reshape(1, 6, 1), 2)[0, :, 0]]
        [0.5, 2.5, 4.5]
    """
    ...


def _adaptive_spec(op: str) -> Any:
    def rule(inputs: Spec, output_size: Any, data_format: Any = None) -> Spec:
        first, out = _adaptive(op, inputs.shape, output_size, data_format)
        batch, channels = inputs.shape[0], inputs.shape[1 if first else -1]
        return Spec((batch, channels, *out) if first else (batch, *out, channels), inputs.dtype)

    return rule


def _adaptive(op: str, shape: Any, output_size: Any, data_format: str | None) -> tuple[bool, tuple[int, ...]]:
    first = windows.channels_first(op, data_format)
    if not 3 <= len(shape) <= 5:
        raise ValueError(f"ops.{op}: the input must have 3, 4 or 5 axes, not the shape {tuple(shape)}.")
    return first, windows.each(output_size, len(shape) - 2, "output_size", op)


def parts(size: int, out: int) -> tuple[np.ndarray, np.ndarray]:
    """Where the `out` parts of an axis begin and end: floor(i n / out) and ceil((i + 1) n / out).

    Args:
        size: how long the axis is.
        out: how many parts.

    Returns:
        The pair (beginnings, ends) of NumPy arrays of integers (out,).

    Example:
        >>> [edge.tolist() for edge in parts(5, 2)]
        [[0, 2], [3, 5]]
    """
    i = np.arange(out)
    return i * size // out, -(-(i + 1) * size // out)


@composed(spec=_adaptive_spec("adaptive_average_pool"), promote="float", kinds="real")
def adaptive_average_pool(
    inputs: TensorLike, output_size: int | tuple[int, ...], data_format: str | None = None
) -> Tensor:
    """The means of as many equal parts of each spatial axis as asked for; part i of n is [floor(i m/n), ceil((i+1) m/n)).

    Args:
        inputs: a tensor (batch, spatial..., channels), or (batch, channels, spatial...).
        output_size: how many parts, an integer or one for each spatial axis.
        data_format: `"channels_last"` or `"channels_first"`; default: the configured one.

    Returns:
        A float tensor of the same layout; integers become floatx.

    Raises:
        ValueError: the inputs have fewer than 1 or more than 3 spatial axes, or the sizes don't fit their number.

    Example:
        >>> import numpy as np
        >>> [float(y) for y in adaptive_average_pool(np.arange(6.0).reshape(1, 6, 1), 3)[0, :, 0]]
        [0.5, 2.5, 4.5]
    """
    first, out = _adaptive("adaptive_average_pool", inputs.shape, output_size, data_format)
    x = inputs
    for axis, n in enumerate(out, 2 if first else 1):
        shape = tuple(x.shape)
        if shape[axis] % n == 0:
            x = mean(reshape(x, (-1, *shape[1:axis], n, shape[axis] // n, *shape[axis + 1 :])), axis=axis + 1)
            continue
        begin, end = parts(shape[axis], n)
        index = np.minimum(begin[:, None] + np.arange((end - begin).max()), end[:, None] - 1)
        picked = reshape(
            take(x, index.reshape(-1).astype("int32"), axis=axis),
            (-1, *shape[1:axis], *index.shape, *shape[axis + 1 :]),
        )
        # Shorter parts name their last element again, which does not count. (A product with weights would spread NaN.)
        behind = (1,) * (len(shape) - axis - 1)
        counts = np.arange(index.shape[1]) < (end - begin)[:, None]
        kept = where(convert_to_tensor(counts.reshape(*counts.shape, *behind)), picked, zeros_like(picked))
        lengths = convert_to_tensor((end - begin).reshape(-1, *behind), dtype(x))
        x = divide(sum_(kept, axis=axis + 1), lengths)
    return x


@composed(spec=_adaptive_spec("adaptive_max_pool"), kinds="real nobool")
def adaptive_max_pool(inputs: TensorLike, output_size: int | tuple[int, ...], data_format: str | None = None) -> Tensor:
    """The largest elements of as many equal parts of each spatial axis as asked for.

    Args:
        inputs: a tensor (batch, spatial..., channels), or (batch, channels, spatial...).
        output_size: how many parts, an integer or one for each spatial axis.
        data_format: `"channels_last"` or `"channels_first"`; default: the configured one.

    Returns:
        A tensor of the same layout and dtype.

    Raises:
        ValueError: the inputs have fewer than 1 or more than 3 spatial axes, or the sizes don't fit their number.

    Example:
        >>> import numpy as np
        >>> [float(y) for y in adaptive_max_pool(np.arange(6.0).reshape(1, 6, 1), 3)[0, :, 0]]
        [1.0, 3.0, 5.0]
    """
    first, out = _adaptive("adaptive_max_pool", inputs.shape, output_size, data_format)
    x = inputs
    for axis, n in enumerate(out, 2 if first else 1):
        begin, end = parts(x.shape[axis], n)
        # Shorter parts name their last element again, which does not change the maximum.
        index = np.minimum(begin[:, None] + np.arange((end - begin).max()), end[:, None] - 1)
        shape = tuple(x.shape)
        picked = take(x, index.reshape(-1).astype("int32"), axis=axis)
        x = max_(reshape(picked, (-1, *shape[1:axis], *index.shape, *shape[axis + 1 :])), axis=axis + 1)
    return x
