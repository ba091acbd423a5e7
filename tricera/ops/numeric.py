"""More elementwise functions: tolerant comparison, parts of complex numbers, special functions, rounding variants."""

from __future__ import annotations

import math
from typing import Any

import ml_dtypes
import numpy as np

from tricera.core import dispatch
from tricera.core.dtypes import GREATEST, float_of, is_float, standardize_dtype
from tricera.core.op import composed, primitive
from tricera.core.spec import broadcast, real_part, same
from tricera.core.tensor import Spec, Tensor, TensorLike
from tricera.ops.comparison import (
    equal,
    greater,
    isfinite,
    isnan,
    isneginf,
    isposinf,
    less,
    less_equal,
    logical_and,
    logical_not,
    logical_or,
    not_equal,
)
from tricera.ops.creation import convert_to_tensor, dtype as dtype_of, ones_like, zeros_like
from tricera.ops.elementwise import add, cast, clip, divide, logaddexp, maximum, minimum, mod, multiply, power, subtract
from tricera.ops.reduce import all as all_, any as any_
from tricera.ops.select import where
from tricera.ops.shape import expand_dims, reshape
from tricera.ops.unary import absolute, exp2, negative, sign, sin

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
        A tensor of the dtype of `x`; integers and booleans have nothing to replace, complex numbers stay as they are.

    Example:
        >>> float(nan_to_num(float("nan")))
        0.0
        >>> float(nan_to_num(float("inf"), posinf=9.0))
        9.0
    """
    if "float" not in dtype_of(x):
        return x
    limit = _LARGEST.get(dtype_of(x), math.inf)
    x = where(isnan(x), nan, x)
    x = where(isposinf(x), limit if posinf is None else posinf, x)
    return where(isneginf(x), -limit if neginf is None else neginf, x)


@primitive(spec=real_part, promote=None)
def real(x: TensorLike) -> Tensor:
    """The real part.

    Args:
        x: a tensor.

    Returns:
        A tensor of the same shape: float32 for complex64, float64 for complex128, else `x` with its dtype.

    Example:
        >>> from tricera import ops
        >>> float(real(ops.view_as_complex([1.0, 2.0])))
        1.0
    """
    ...


@primitive(spec=real_part, promote=None)
def imag(x: TensorLike) -> Tensor:
    """The imaginary part, 0 for real tensors.

    Args:
        x: a tensor.

    Returns:
        A tensor of the same shape: float32 for complex64, float64 for complex128, else zeros of the dtype of `x`.

    Example:
        >>> from tricera import ops
        >>> float(imag(ops.view_as_complex([1.0, 2.0])))
        2.0
    """
    ...


@primitive(spec=real_part, promote="float")
def angle(x: TensorLike) -> Tensor:
    """The angle of a complex number in radians, arctan2(imag(x), real(x)); 0 or pi for real ones.

    Args:
        x: a tensor.

    Returns:
        A float tensor of the same shape, in [-pi, pi].

    Example:
        >>> from tricera import ops
        >>> round(float(angle(ops.view_as_complex([1.0, 1.0]))), 4)
        0.7854
    """
    ...


@primitive(spec=same, promote="float", kinds="real")
def erfc(x: TensorLike) -> Tensor:
    """1 - erf(x), accurate for large x.

    Args:
        x: a tensor.

    Returns:
        A float tensor of the same shape.

    Example:
        >>> float(erfc(0.0))
        1.0
    """
    ...


@primitive(spec=same, promote="float", kinds="real")
def i0(x: TensorLike) -> Tensor:
    """The modified Bessel function of the first kind, of order 0.

    Args:
        x: a tensor.

    Returns:
        A float tensor of the same shape.

    Example:
        >>> f"{float(i0(0.0)):.4f}"
        '1.0000'
    """
    ...


@primitive(spec=broadcast, promote="float", kinds="real")
def nextafter(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The float next to `x1` in the direction of `x2`.

    Args:
        x1: a tensor.
        x2: a tensor that broadcasts with it.

    Returns:
        A float tensor of the broadcast shape.

    Example:
        >>> float(nextafter(1.0, 2.0)) - 1.0 == 2.0**-23
        True
    """
    ...


@composed(promote="float", kinds="real")
def cbrt(x: TensorLike) -> Tensor:
    """The cube root, negative for negative numbers.

    Args:
        x: a tensor.

    Returns:
        A float tensor of the same shape.

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
    """Degrees as radians, x * pi / 180.

    Args:
        x: a tensor of degrees.

    Returns:
        A float tensor of the same shape.

    Example:
        >>> round(float(deg2rad(180.0)), 4)
        3.1416
    """
    return multiply(x, math.pi / 180)


@composed(promote="float")
def rad2deg(x: TensorLike) -> Tensor:
    """Radians as degrees, x * 180 / pi.

    Args:
        x: a tensor of radians.

    Returns:
        A float tensor of the same shape.

    Example:
        >>> import math
        >>> round(float(rad2deg(math.pi)), 2)
        180.0
    """
    return multiply(x, 180 / math.pi)


@composed(promote="float")
def fabs(x: TensorLike) -> Tensor:
    """The absolute value as a float.

    Args:
        x: a tensor.

    Returns:
        A float tensor of the same shape.

    Example:
        >>> float(fabs(-2))
        2.0
    """
    return absolute(x)


@composed(kinds="real")
def fmax(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The larger of both elements; where one is NaN, the other.

    Args:
        x1: a tensor.
        x2: a tensor that broadcasts with it.

    Returns:
        A tensor of the broadcast shape and the common dtype.

    Example:
        >>> float(fmax(1.0, float("nan")))
        1.0
    """
    return where(isnan(x1), x2, where(isnan(x2), x1, maximum(x1, x2)))


@composed(kinds="real")
def fmin(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The smaller of both elements; where one is NaN, the other.

    Args:
        x1: a tensor.
        x2: a tensor that broadcasts with it.

    Returns:
        A tensor of the broadcast shape and the common dtype.

    Example:
        >>> float(fmin(1.0, float("nan")))
        1.0
    """
    return where(isnan(x1), x2, where(isnan(x2), x1, minimum(x1, x2)))


@composed(promote="number", kinds="real")
def fmod(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The remainder of the division rounded towards zero, which has the sign of `x1`.

    Args:
        x1: a tensor.
        x2: a tensor that broadcasts with it.

    Returns:
        A tensor of the broadcast shape and the common dtype (int32 for booleans).

    Example:
        >>> int(fmod(-7, 3))
        -1
    """
    remainder = mod(absolute(x1), absolute(x2))
    return where(less(x1, 0), negative(remainder), remainder)


@composed(promote="float", kinds="real")
def heaviside(x1: TensorLike, x2: TensorLike) -> Tensor:
    """0 where `x1` is negative, 1 where positive, `x2` where 0; NaN stays.

    Args:
        x1: a tensor.
        x2: a tensor that broadcasts with it.

    Returns:
        A float tensor of the broadcast shape.

    Example:
        >>> from tricera import ops
        >>> ops.convert_to_numpy(heaviside([-1.0, 0.0, 2.0], 0.5)).tolist()
        [0.0, 0.5, 1.0]
    """
    step = where(less(x1, 0), zeros_like(x1), where(equal(x1, 0), x2, ones_like(x1)))
    return where(isnan(x1), x1, step)


@composed(promote=None)
def ldexp(x1: TensorLike, x2: TensorLike) -> Tensor:
    """x1 * 2**x2.

    Args:
        x1: a tensor.
        x2: an integer tensor that broadcasts with it.

    Returns:
        A tensor of the broadcast shape, of the dtype of `x1` if that is a float, else floatx.

    Example:
        >>> float(ldexp(3.0, 2))
        12.0
    """
    wide = dtype_of(x1) if "float" in dtype_of(x1) else standardize_dtype(None)
    return multiply(cast(x1, wide), exp2(cast(x2, wide)))


@composed(promote="float", kinds="real")
def logaddexp2(x1: TensorLike, x2: TensorLike) -> Tensor:
    """log2(2**x1 + 2**x2), without overflow.

    Args:
        x1: a tensor.
        x2: a tensor that broadcasts with it.

    Returns:
        A float tensor of the broadcast shape.

    Example:
        >>> round(float(logaddexp2(3.0, 3.0)), 4)
        4.0
    """
    unit = math.log(2.0)
    return divide(logaddexp(multiply(x1, unit), multiply(x2, unit)), unit)


@composed(promote="float")
def sinc(x: TensorLike) -> Tensor:
    """sin(pi x) / (pi x), and 1 at 0.

    Args:
        x: a tensor.

    Returns:
        A float tensor of the same shape.

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
    """The values in another dtype, those out of its range limited to it: infinities, too, where it is narrower.

    Args:
        x: a tensor.
        dtype: a dtype in any form. NaN becomes 0 in integers, and stays in floats; casts to booleans are plain ones.

    Returns:
        A tensor of the same shape.

    Example:
        >>> int(saturate_cast(300, "uint8"))
        255
    """
    wanted, given = dispatch.current().canonical(standardize_dtype(dtype)), dtype_of(x)
    if is_float(wanted) and GREATEST[wanted] < (GREATEST[given] if is_float(given) else 2.0**64):
        wide = x if is_float(given) else cast(x, "float32")
        return cast(clip(wide, -GREATEST[wanted], GREATEST[wanted]), wanted)
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
        where(greater(wide, float(top)), convert_to_tensor(np.array(high, wanted)), result)
        if int(top) < high
        else result
    )


@composed
def trapezoid(y: TensorLike, x: TensorLike | None = None, dx: float = 1.0, axis: int = -1) -> Tensor:
    """The integral along an axis by the trapezoidal rule: the sum of (y[i] + y[i + 1]) / 2 * (x[i + 1] - x[i]).

    Args:
        y: the values.
        x: where they were taken, of the shape of `y` or 1-D of the length of the axis; None: `dx` apart.
        dx: the spacing where `x` is None.
        axis: the axis.

    Returns:
        A float tensor without the axis.

    Example:
        >>> float(trapezoid([1.0, 2.0, 3.0]))
        4.0
        >>> float(trapezoid([1.0, 2.0, 3.0], x=[0.0, 1.0, 3.0]))
        6.5
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


@composed
def isreal(x: TensorLike) -> Tensor:
    """Whether each element has no imaginary part.

    Args:
        x: a tensor.

    Returns:
        A bool tensor of the shape of `x`, true throughout where the dtype isn't complex.

    Example:
        >>> from tricera import ops
        >>> ops.convert_to_numpy(isreal(ops.view_as_complex([[1.0, 0.0], [1.0, 2.0]]))).tolist()
        [True, False]
    """
    if "complex" not in dtype_of(x):
        return ones_like(x, dtype="bool")
    return equal(imag(x), 0)


@composed(promote="float", out="bool")
def isclose(x1: TensorLike, x2: TensorLike, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Tensor:
    """Whether |x1 - x2| <= atol + rtol * |x2|; infinities are close to themselves.

    Args:
        x1: a tensor.
        x2: a tensor that broadcasts with it.
        rtol: the relative tolerance.
        atol: the absolute tolerance.
        equal_nan: whether NaN is close to NaN.

    Returns:
        A bool tensor of the broadcast shape.

    Example:
        >>> bool(isclose(1.0, 1.0 + 1e-7))
        True
    """
    near = less_equal(absolute(subtract(x1, x2)), add(atol, multiply(rtol, absolute(x2))))
    result = logical_or(equal(x1, x2), logical_and(near, logical_and(isfinite(x1), isfinite(x2))))
    return logical_or(result, logical_and(isnan(x1), isnan(x2))) if equal_nan else result


@composed(promote="float")
def allclose(x1: TensorLike, x2: TensorLike, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Tensor:
    """Whether all elements are close: `all` of `isclose`.

    Args:
        x1: a tensor.
        x2: a tensor that broadcasts with it.
        rtol: the relative tolerance.
        atol: the absolute tolerance.
        equal_nan: whether NaN is close to NaN.

    Returns:
        A bool scalar.

    Example:
        >>> bool(allclose([1.0, 2.0], [1.0, 2.5]))
        False
    """
    return all_(isclose(x1, x2, rtol=rtol, atol=atol, equal_nan=equal_nan))


@composed
def isin(x1: TensorLike, x2: TensorLike, assume_unique: bool = False, invert: bool = False) -> Tensor:
    """Whether each element of `x1` is among those of `x2`.

    Args:
        x1: a tensor.
        x2: a tensor, seen as a set.
        assume_unique: both hold no element twice (a hint).
        invert: whether it is not among them.

    Returns:
        A bool tensor of the shape of `x1`.

    Example:
        >>> from tricera import ops
        >>> ops.convert_to_numpy(isin([1, 2, 3], [3, 1])).tolist()
        [True, False, True]
    """
    found = any_(equal(expand_dims(x1, -1), reshape(x2, (-1,))), axis=-1)
    return logical_not(found) if invert else found
