"""Elementwise arithmetic of two tensors, and what is made of it; `unary` and `comparison` hold the rest."""

from __future__ import annotations

from typing import Any

from tricera.core import dispatch
from tricera.core.dtypes import standardize_dtype
from tricera.core.op import composed, primitive
from tricera.core.spec import broadcast, same
from tricera.core.tensor import Spec, Tensor, TensorLike
from tricera.ops.comparison import equal, greater, isfinite, isinf, isnan, less, logical_and, logical_or
from tricera.ops.creation import ones_like, zeros_like
from tricera.ops.select import where
from tricera.ops.unary import absolute, conjugate, exp, log1p, negative, sqrt


@primitive(spec=broadcast)
def add(x1: TensorLike, x2: TensorLike) -> Tensor:
    """x1 + x2.

    Args:
        x1: a tensor.
        x2: a tensor whose shape broadcasts with that of `x1`.

    Returns:
        A tensor of the broadcast shape.

    Raises:
        ValueError: the shapes don't broadcast.

    Example:
        >>> float(add(1.0, 2.0))
        3.0
    """
    ...


def _difference(x1: Spec, x2: Spec) -> Spec:
    if x1.dtype == "bool":
        raise TypeError("ops.subtract: booleans have no difference. Use `logical_xor`, or cast them to a number first.")
    return broadcast(x1, x2)


@primitive(spec=_difference)
def subtract(x1: TensorLike, x2: TensorLike) -> Tensor:
    """x1 - x2.

    Args:
        x1: a tensor.
        x2: a tensor whose shape broadcasts with that of `x1`.

    Returns:
        A tensor of the broadcast shape.

    Raises:
        ValueError: the shapes don't broadcast.

    Example:
        >>> float(subtract(1.0, 2.0))
        -1.0
    """
    ...


@primitive(spec=broadcast)
def multiply(x1: TensorLike, x2: TensorLike) -> Tensor:
    """x1 * x2.

    Args:
        x1: a tensor.
        x2: a tensor whose shape broadcasts with that of `x1`.

    Returns:
        A tensor of the broadcast shape.

    Raises:
        ValueError: the shapes don't broadcast.

    Example:
        >>> float(multiply(3.0, 2.0))
        6.0
    """
    ...


@primitive(spec=broadcast, promote="float")
def divide(x1: TensorLike, x2: TensorLike) -> Tensor:
    """x1 / x2, true division.

    Args:
        x1: a tensor.
        x2: a tensor whose shape broadcasts with that of `x1`.

    Returns:
        A tensor of the broadcast shape.

    Raises:
        ValueError: the shapes don't broadcast.

    Example:
        >>> float(divide(1.0, 2.0))
        0.5
    """
    ...


@primitive(spec=broadcast, promote="number", kinds="real")
def floor_divide(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The quotient rounded down, floor(x1 / x2). Integers divided by 0 give 0, as in NumPy.

    Args:
        x1: a tensor.
        x2: a tensor whose shape broadcasts with that of `x1`.

    Returns:
        A tensor of the broadcast shape.

    Raises:
        ValueError: the shapes don't broadcast.

    Example:
        >>> int(floor_divide(7, 2))
        3
    """
    ...


@primitive(spec=broadcast, promote="number", kinds="real")
def mod(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The remainder x1 - floor(x1 / x2) * x2, which has the sign of x2. That of integers by 0 is 0, as in NumPy.

    Args:
        x1: a tensor.
        x2: a tensor whose shape broadcasts with that of `x1`.

    Returns:
        A tensor of the broadcast shape.

    Raises:
        ValueError: the shapes don't broadcast.

    Example:
        >>> int(mod(-7, 3))
        2
    """
    ...


@primitive(spec=broadcast, promote="number")
def power(x1: TensorLike, x2: TensorLike) -> Tensor:
    """x1 to the power of x2. Integers stay integers: a negative power is cut to one, 0 but for powers of 1 and -1.

    Args:
        x1: a tensor.
        x2: a tensor whose shape broadcasts with that of `x1`.

    Returns:
        A tensor of the broadcast shape.

    Raises:
        ValueError: the shapes don't broadcast.

    Example:
        >>> float(power(2.0, 3.0))
        8.0
    """
    ...


@primitive(spec=broadcast, kinds="real")
def maximum(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The larger of both elements; NaN where either is NaN.

    Args:
        x1: a tensor.
        x2: a tensor whose shape broadcasts with that of `x1`.

    Returns:
        A tensor of the broadcast shape.

    Raises:
        ValueError: the shapes don't broadcast.

    Example:
        >>> float(maximum(1.0, 2.0))
        2.0
    """
    ...


@primitive(spec=broadcast, kinds="real")
def minimum(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The smaller of both elements; NaN where either is NaN.

    Args:
        x1: a tensor.
        x2: a tensor whose shape broadcasts with that of `x1`.

    Returns:
        A tensor of the broadcast shape.

    Raises:
        ValueError: the shapes don't broadcast.

    Example:
        >>> float(minimum(1.0, 2.0))
        1.0
    """
    ...


@primitive(spec=broadcast, promote="float", kinds="real")
def arctan2(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The angle, in radians, of the point (x2, x1).

    Args:
        x1: a tensor.
        x2: a tensor whose shape broadcasts with that of `x1`.

    Returns:
        A tensor of the broadcast shape.

    Raises:
        ValueError: the shapes don't broadcast.

    Example:
        >>> float(arctan2(0.0, 1.0))
        0.0
    """
    ...


@composed
def true_divide(x1: TensorLike, x2: TensorLike) -> Tensor:
    """x1 / x2, the same as `divide`.

    Args:
        x1: a tensor.
        x2: a tensor whose shape broadcasts with that of `x1`.

    Returns:
        A tensor of the broadcast shape, of a float dtype.

    Raises:
        ValueError: the shapes don't broadcast.

    Example:
        >>> float(true_divide(1, 2))
        0.5
    """
    return divide(x1, x2)


@composed
def divide_no_nan(x1: TensorLike, x2: TensorLike) -> Tensor:
    """x1 / x2, and 0 where x2 is 0 (with a gradient of 0 there).

    Args:
        x1: a tensor.
        x2: a tensor whose shape broadcasts with that of `x1`.

    Returns:
        A tensor of the broadcast shape, of a float dtype.

    Raises:
        ValueError: the shapes don't broadcast.

    Example:
        >>> float(divide_no_nan(1.0, 0.0))
        0.0
    """
    zero = equal(x2, 0)
    return where(zero, zeros_like(x1), divide(x1, where(zero, ones_like(x2), x2)))


@composed
def abs(x: TensorLike) -> Tensor:
    """The absolute value, the same as `absolute`.

    Args:
        x: a tensor.

    Returns:
        A tensor of the same shape and dtype; of complex ones, of the float dtype of their parts.

    Example:
        >>> int(abs(-3))
        3
    """
    return absolute(x)


@composed
def conj(x: TensorLike) -> Tensor:
    """The complex conjugate, the same as `conjugate`.

    Args:
        x: a tensor.

    Returns:
        A tensor of the same shape and dtype; numbers that are not complex stay as they are.

    Example:
        >>> float(conj(2.0))
        2.0
    """
    return conjugate(x)


@composed(promote="number")
def square(x: TensorLike) -> Tensor:
    """x * x.

    Args:
        x: a tensor.

    Returns:
        A tensor of the same shape and dtype (int32 for booleans).

    Example:
        >>> float(square(3.0))
        9.0
    """
    return multiply(x, x)


@composed(promote="float")
def reciprocal(x: TensorLike) -> Tensor:
    """1 / x.

    Args:
        x: a tensor.

    Returns:
        A tensor of the same shape, of a float dtype.

    Example:
        >>> float(reciprocal(4.0))
        0.25
    """
    return divide(1.0, x)


@composed
def squared_difference(x1: TensorLike, x2: TensorLike) -> Tensor:
    """(x1 - x2)^2.

    Args:
        x1: a tensor.
        x2: a tensor whose shape broadcasts with that of `x1`.

    Returns:
        A tensor of the broadcast shape.

    Raises:
        ValueError: the shapes don't broadcast.

    Example:
        >>> float(squared_difference(1.0, 3.0))
        4.0
    """
    return square(subtract(x1, x2))


@composed(promote="float", kinds="real")
def logaddexp(x1: TensorLike, x2: TensorLike) -> Tensor:
    """log(exp(x1) + exp(x2)), without overflow.

    Args:
        x1: a tensor.
        x2: a tensor whose shape broadcasts with that of `x1`.

    Returns:
        A tensor of the broadcast shape, of a float dtype.

    Example:
        >>> f"{float(logaddexp(0.0, 0.0)):.4f}"
        '0.6931'
    """
    difference = subtract(x1, x2)
    # Where both are the same, either has half of the derivative, which `maximum` would not give everywhere.
    middle = multiply(add(x1, x2), 0.5)
    larger = where(less(difference, 0), x2, where(greater(difference, 0), x1, middle))
    total = add(larger, log1p(exp(negative(absolute(difference)))))
    return where(isnan(difference), add(x1, x2), total)


@composed(promote="float", kinds="real")
def hypot(x1: TensorLike, x2: TensorLike) -> Tensor:
    """sqrt(x1^2 + x2^2), without overflow.

    Args:
        x1: a tensor.
        x2: a tensor whose shape broadcasts with that of `x1`.

    Returns:
        A tensor of the broadcast shape, of a float dtype.

    Example:
        >>> float(hypot(3.0, 4.0))
        5.0
    """
    # Divided by the larger of them, which counts as a constant: the derivative is x / hypot, and 0 at the origin.
    larger = stop_gradient(maximum(absolute(x1), absolute(x2)))
    scale = where(logical_and(greater(larger, 0), isfinite(larger)), larger, ones_like(larger))
    total = add(square(divide(x1, scale)), square(divide(x2, scale)))
    above = greater(total, 0)
    size = where(above, multiply(scale, sqrt(where(above, total, ones_like(total)))), total)
    return where(logical_or(isinf(x1), isinf(x2)), float("inf"), size)


@primitive(spec=same, kinds="real nobool")
def round(x: TensorLike, decimals: int = 0) -> Tensor:
    """Round to a number of decimals, halves to the even neighbour.

    Args:
        x: a tensor.
        decimals: how many digits to keep after the point; negative ones count before it.

    Returns:
        A tensor of the same shape and dtype.

    Example:
        >>> float(round(2.5))
        2.0
    """
    ...


@primitive(spec=same, kinds="real")
def clip(x: TensorLike, x_min: TensorLike | None, x_max: TensorLike | None) -> Tensor:
    """Each element limited to the range from `x_min` to `x_max`.

    Args:
        x: a tensor.
        x_min: the lower limit, a number or a tensor that broadcasts, or None for none.
        x_max: the upper limit, or None for none.

    Returns:
        A tensor of the same shape.

    Example:
        >>> float(clip(5.0, 0.0, 1.0))
        1.0
    """
    ...


@composed(spec=lambda x, dtype: Spec(x.shape, standardize_dtype(dtype)), promote=None)
def cast(x: TensorLike, dtype: Any) -> Tensor:
    """The same values in another dtype.

    Floats are cut to integers, and integers out of range wrap around. What NaN and floats out of range become (negative
    ones for unsigned integers, too) is the machine's: mostly as if by way of a wider integer, but the nearest integer in
    range on JAX and accelerators. `saturate_cast` gives the same everywhere.

    Args:
        x: a tensor.
        dtype: a dtype in any form.

    Returns:
        A tensor of the same shape.

    Example:
        >>> float(cast(2, "float32"))
        2.0
    """
    return dispatch.current().cast(x, standardize_dtype(dtype))


@primitive(promote=None, spec=same)
def stop_gradient(variable: TensorLike) -> Tensor:
    """The same value, through which no gradient flows.

    Args:
        variable: a tensor.

    Returns:
        A tensor of the same shape and dtype.

    Example:
        >>> float(stop_gradient(2.0))
        2.0
    """
    ...
