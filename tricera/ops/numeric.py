"""More elementwise functions: tolerant comparison, special values, angles, integers, rounding variants."""

from __future__ import annotations

import math
from typing import Any

import ml_dtypes
import numpy as np

from tricera.core.dtypes import float_of, standardize_dtype
from tricera.core.op import composed, primitive
from tricera.core.spec import broadcast, real_part, same
from tricera.core.tensor import Spec, Tensor, TensorLike
from tricera.ops.creation import dtype as dtype_of, ones_like, zeros_like
from tricera.ops.elementwise import (
    absolute,
    add,
    bitwise_not,
    cast,
    clip,
    divide,
    equal,
    exp2,
    floor_divide,
    greater,
    isfinite,
    isinf,
    isnan,
    left_shift,
    less,
    less_equal,
    log1p,
    logical_and,
    logical_not,
    logical_or,
    maximum,
    minimum,
    mod,
    multiply,
    negative,
    not_equal,
    power,
    right_shift,
    sign,
    sin,
    subtract,
)
from tricera.ops.reduce import all as all_, any as any_
from tricera.ops.select import where
from tricera.ops.shape import expand_dims, reshape


@composed(promote="float", out="bool")
def isclose(x1: TensorLike, x2: TensorLike, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Tensor:
    """Whether |x1 - x2| <= atol + rtol * |x2|; infinities are close to themselves.

    Args:
        x1: a tensor.
        x2: a tensor that broadcasts with it.
        rtol: the relative tolerance.
        atol: the absolute tolerance.
        equal_nan: whether NaN is close to NaN.

    Example:
        >>> bool(isclose(1.0, 1.0 + 1e-7))
        True
    """
    near = less_equal(absolute(subtract(x1, x2)), add(atol, multiply(rtol, absolute(x2))))
    result = logical_or(equal(x1, x2), logical_and(near, logical_and(isfinite(x1), isfinite(x2))))
    return logical_or(result, logical_and(isnan(x1), isnan(x2))) if equal_nan else result


@composed(promote="float")
def allclose(x1: TensorLike, x2: TensorLike, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Tensor:
    """Whether all elements are close; arguments as for `isclose`."""
    return all_(isclose(x1, x2, rtol=rtol, atol=atol, equal_nan=equal_nan))


@composed
def isin(x1: TensorLike, x2: TensorLike, assume_unique: bool = False, invert: bool = False) -> Tensor:
    """Whether each element of `x1` is among those of `x2`.

    Args:
        x1: a tensor.
        x2: a tensor, seen as a set.
        assume_unique: both hold no element twice (a hint).
        invert: whether it is not among them.
    """
    found = any_(equal(expand_dims(x1, -1), reshape(x2, (-1,))), axis=-1)
    return logical_not(found) if invert else found


@composed
def isposinf(x: TensorLike) -> Tensor:
    """Whether each element is positive infinity."""
    return logical_and(isinf(x), greater(x, 0))


@composed
def isneginf(x: TensorLike) -> Tensor:
    """Whether each element is negative infinity."""
    return logical_and(isinf(x), less(x, 0))


@composed
def isreal(x: TensorLike) -> Tensor:
    """Whether each element has no imaginary part."""
    if "complex" not in dtype_of(x):
        return ones_like(x, dtype="bool")
    return equal(imag(x), 0)


# The largest finite numbers of float dtypes, found beforehand: torch.compile can't trace the question.
_LARGEST = {
    kind: float(ml_dtypes.finfo(kind).max)
    for kind in ("float16", "bfloat16", "float32", "float64", "float8_e4m3fn", "float8_e5m2")
}


@composed
def nan_to_num(x: TensorLike, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None) -> Tensor:
    """NaN and the infinities replaced by numbers.

    Args:
        x: a tensor.
        nan: what NaN becomes.
        posinf: what infinity becomes; default: the dtype's greatest number.
        neginf: what negative infinity becomes; default: the dtype's least number.

    Returns:
        A tensor of the dtype of `x`; integers and booleans have nothing to replace.

    Example:
        >>> float(nan_to_num(float("nan")))
        0.0
    """
    if "float" not in dtype_of(x):
        return x
    limit = _LARGEST.get(dtype_of(x), math.inf)
    x = where(isnan(x), nan, x)
    x = where(isposinf(x), limit if posinf is None else posinf, x)
    return where(isneginf(x), -limit if neginf is None else neginf, x)


@primitive(spec=real_part, promote=None)
def real(x: TensorLike) -> Tensor:
    """The real part."""
    ...


@primitive(spec=real_part, promote=None)
def imag(x: TensorLike) -> Tensor:
    """The imaginary part, 0 for real tensors."""
    ...


@primitive(spec=real_part, promote="float")
def angle(x: TensorLike) -> Tensor:
    """The angle of a complex number in radians; 0 or pi for real ones."""
    ...


@primitive(spec=same, promote="float")
def erfc(x: TensorLike) -> Tensor:
    """1 - erf(x), accurate for large x.

    Example:
        >>> float(erfc(0.0))
        1.0
    """
    ...


@primitive(spec=same, promote="float")
def i0(x: TensorLike) -> Tensor:
    """The modified Bessel function of the first kind, of order 0.

    Example:
        >>> f"{float(i0(0.0)):.4f}"
        '1.0000'
    """
    ...


@primitive(spec=same, out="bool")
def signbit(x: TensorLike) -> Tensor:
    """Whether the sign is negative (that of -0.0 is).

    Example:
        >>> bool(signbit(-0.0))
        True
    """
    ...


@primitive(spec=broadcast, promote="float")
def nextafter(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The float next to `x1` in the direction of `x2`."""
    ...


@primitive(spec=broadcast, promote="number")
def gcd(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The greatest common divisor of integers.

    Example:
        >>> int(gcd(12, 18))
        6
    """
    ...


@composed(promote="number")
def lcm(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The least common multiple of integers.

    Example:
        >>> int(lcm(4, 6))
        12
    """
    divisor = gcd(x1, x2)
    safe = where(equal(divisor, 0), ones_like(divisor), divisor)
    return absolute(multiply(x1, floor_divide(x2, safe)))


@composed
def bitwise_invert(x: TensorLike) -> Tensor:
    """Each integer's bits inverted, as `bitwise_not`."""
    return bitwise_not(x)


@composed(promote="number")
def bitwise_left_shift(x: TensorLike, y: TensorLike) -> Tensor:
    """x * 2**y on integers, as `left_shift`."""
    return left_shift(x, y)


@composed(promote="number")
def bitwise_right_shift(x: TensorLike, y: TensorLike) -> Tensor:
    """x // 2**y on integers, as `right_shift`."""
    return right_shift(x, y)


@composed(promote="float")
def cbrt(x: TensorLike) -> Tensor:
    """The cube root, negative for negative numbers.

    Example:
        >>> round(float(cbrt(-27.0)), 4)
        -3.0
    """
    root = multiply(sign(x), power(absolute(x), 1 / 3))
    # One Newton step takes off the error of 1/3 as a float.
    square = multiply(root, root)
    usable = logical_and(not_equal(square, 0), isfinite(square))
    better = subtract(
        root, divide(subtract(multiply(square, root), x), multiply(3.0, where(usable, square, ones_like(square))))
    )
    return where(usable, better, root)


@composed(promote="float")
def deg2rad(x: TensorLike) -> Tensor:
    """Degrees as radians, x * pi / 180."""
    return multiply(x, math.pi / 180)


@composed(promote="float")
def rad2deg(x: TensorLike) -> Tensor:
    """Radians as degrees, x * 180 / pi."""
    return multiply(x, 180 / math.pi)


@composed(promote="float")
def fabs(x: TensorLike) -> Tensor:
    """The absolute value as a float."""
    return absolute(x)


@composed
def fmax(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The larger of both elements; where one is NaN, the other."""
    return where(isnan(x1), x2, where(isnan(x2), x1, maximum(x1, x2)))


@composed
def fmin(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The smaller of both elements; where one is NaN, the other."""
    return where(isnan(x1), x2, where(isnan(x2), x1, minimum(x1, x2)))


@composed(promote="number")
def fmod(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The remainder of the division rounded towards zero, which has the sign of `x1`.

    Example:
        >>> int(fmod(-7, 3))
        -1
    """
    remainder = mod(absolute(x1), absolute(x2))
    return where(less(x1, 0), negative(remainder), remainder)


@composed(promote="float")
def heaviside(x1: TensorLike, x2: TensorLike) -> Tensor:
    """0 where `x1` is negative, 1 where positive, `x2` where 0."""
    step = where(less(x1, 0), zeros_like(x1), where(equal(x1, 0), x2, ones_like(x1)))
    return where(isnan(x1), x1, step)


@composed(promote=None)
def ldexp(x1: TensorLike, x2: TensorLike) -> Tensor:
    """x1 * 2**x2.

    Example:
        >>> float(ldexp(3.0, 2))
        12.0
    """
    wide = dtype_of(x1) if "float" in dtype_of(x1) else standardize_dtype(None)
    return multiply(cast(x1, wide), exp2(cast(x2, wide)))


@composed(promote="float")
def logaddexp2(x1: TensorLike, x2: TensorLike) -> Tensor:
    """log2(2**x1 + 2**x2), without overflow."""
    larger = maximum(x1, x2)
    difference = negative(absolute(subtract(x1, x2)))
    total = add(larger, divide(log1p(exp2(difference)), math.log(2.0)))
    return where(isnan(difference), add(x1, x2), total)


@composed(promote="float")
def sinc(x: TensorLike) -> Tensor:
    """sin(pi x) / (pi x), and 1 at 0.

    Example:
        >>> float(sinc(0.0))
        1.0
    """
    scaled = multiply(x, math.pi)
    zero = equal(x, 0)
    safe = where(zero, ones_like(scaled), scaled)
    return where(zero, ones_like(scaled), divide(sin(safe), safe))


def _saturated(x: Spec, dtype: Any) -> Spec:
    return Spec(x.shape, standardize_dtype(dtype))


@composed(spec=_saturated, promote=None)
def saturate_cast(x: TensorLike, dtype: Any) -> Tensor:
    """The values in another dtype, those out of its range limited to it.

    Args:
        x: a tensor.
        dtype: a dtype in any form.

    Example:
        >>> int(saturate_cast(300, "uint8"))
        255
    """
    wanted, given = standardize_dtype(dtype), dtype_of(x)
    if "int" not in wanted or given == "bool":
        return cast(x, wanted)
    low, high = int(np.iinfo(wanted).min), int(np.iinfo(wanted).max)
    if "int" in given:
        low, high = max(low, int(np.iinfo(given).min)), min(high, int(np.iinfo(given).max))
        return cast(clip(x, low, high), wanted)
    wide = x if given == "float64" else cast(x, "float32")
    kind = np.float64 if given == "float64" else np.float32
    # Floats have no number just below 2**31, say: the limit is the greatest one inside the range.
    top = kind(high) if int(kind(high)) <= high else np.nextafter(kind(high), kind(0))
    limited = clip(wide, float(low), float(top))
    result = cast(where(isnan(limited), zeros_like(limited), limited), wanted)
    return (
        where(greater(wide, float(top)), cast(zeros_like(result) + high, wanted), result) if int(top) < high else result
    )


@composed
def trapezoid(y: TensorLike, x: TensorLike | None = None, dx: float = 1.0, axis: int = -1) -> Tensor:
    """The integral along an axis by the trapezoidal rule.

    Args:
        y: the values.
        x: where they were taken; None: `dx` apart.
        dx: the spacing where `x` is None.
        axis: the axis.

    Example:
        >>> float(trapezoid([1.0, 2.0, 3.0]))
        4.0
    """
    from tricera.ops.arrays import diff
    from tricera.ops.reduce import sum as sum_

    y = cast(y, float_of(dtype_of(y)))
    lead = (slice(None),) * (axis % len(y.shape))
    heights = divide(add(y[(*lead, slice(1, None))], y[(*lead, slice(None, -1))]), 2)
    if x is None:
        return multiply(sum_(heights, axis=axis), dx)
    if len(x.shape) == 1 and len(y.shape) > 1:
        x = reshape(x, tuple(-1 if i == axis % len(y.shape) else 1 for i in range(len(y.shape))))
    return sum_(multiply(heights, diff(x, axis=axis)), axis=axis)
