"""Elementwise ops: TensorFlow's own, with casts where it lacks a dtype."""

from __future__ import annotations

import functools as _functools
import math as _math

import tensorflow as _tf

from tricera.backends.tensorflow import tensor as _t
from tricera.core.dtypes import standardize_dtype as _name

exp = _tf.exp
expm1 = _tf.math.expm1
log = _tf.math.log
log1p = _tf.math.log1p
sqrt = _tf.sqrt
rsqrt = _tf.math.rsqrt
sin = _tf.sin
cos = _tf.cos
tan = _tf.tan
arcsin = _tf.asin
arccos = _tf.acos
arctan = _tf.atan
sinh = _tf.sinh
cosh = _tf.cosh
tanh = _tf.tanh
arcsinh = _tf.asinh
arccosh = _tf.acosh
arctanh = _tf.atanh
erf = _tf.math.erf
sigmoid = _tf.sigmoid
negative = _tf.negative
floor = _tf.floor
ceil = _tf.math.ceil
subtract = _tf.subtract
divide = _tf.divide
arctan2 = _tf.atan2
equal = _tf.equal
not_equal = _tf.not_equal
square = _tf.square
reciprocal = _tf.math.reciprocal
relu = _tf.nn.relu
bitwise_and, bitwise_or, bitwise_xor = _tf.bitwise.bitwise_and, _tf.bitwise.bitwise_or, _tf.bitwise.bitwise_xor


def bitwise_not(x):
    return _tf.logical_not(x) if x.dtype == _tf.bool else _tf.bitwise.invert(x)


def conjugate(x):
    return _tf.math.conj(x) if x.dtype.is_complex else _tf.identity(x)


def erfinv(x):
    # The kernel knows no half floats.
    wide = x if x.dtype in (_tf.float32, _tf.float64) else _tf.cast(x, _tf.float32)
    return _tf.cast(_tf.math.erfinv(wide), x.dtype)


def _numbers(function):
    """The function, on bool operands as on int8."""

    def wrapped(x1, x2):
        if x1.dtype == _tf.bool:
            x1, x2 = _tf.cast(x1, _tf.int8), _tf.cast(x2, _tf.int8)
        return function(x1, x2)

    return wrapped


def _or_logical(function, logical):
    """The function, on bool operands the logical one."""

    def wrapped(x1, x2):
        return (logical if x1.dtype == _tf.bool else function)(x1, x2)

    return wrapped


add, multiply = _or_logical(_tf.add, _tf.logical_or), _or_logical(_tf.multiply, _tf.logical_and)
maximum, minimum = _or_logical(_tf.maximum, _tf.logical_or), _or_logical(_tf.minimum, _tf.logical_and)
less, less_equal = _numbers(_tf.less), _numbers(_tf.less_equal)
greater, greater_equal = _numbers(_tf.greater), _numbers(_tf.greater_equal)


def _truth(function):
    def wrapped(*xs):
        return function(*(_tf.cast(x, _tf.bool) for x in xs))

    return wrapped


logical_and, logical_or, logical_xor = _truth(_tf.logical_and), _truth(_tf.logical_or), _truth(_tf.math.logical_xor)
logical_not = _truth(_tf.logical_not)


def exp2(x):
    return _tf.exp(x * _tf.cast(_math.log(2.0), x.dtype))


def log10(x):
    return _tf.math.log(x) * _tf.cast(1 / _math.log(10.0), x.dtype)


def log2(x):
    return _tf.math.log(x) * _tf.cast(1 / _math.log(2.0), x.dtype)


def absolute(x):
    return x if x.dtype.is_unsigned or x.dtype == _tf.bool else _tf.abs(x)


def sign(x):
    if x.dtype.is_unsigned:
        return _tf.cast(x > 0, x.dtype)
    return _tf.sign(x)


def trunc(x):
    return x if x.dtype.is_integer or x.dtype == _tf.bool else _tf.where(x < 0, _tf.math.ceil(x), _tf.floor(x))


def isnan(x):
    return _tf.math.is_nan(x) if x.dtype.is_floating else _tf.zeros_like(x, _tf.bool)


def isinf(x):
    return _tf.math.is_inf(x) if x.dtype.is_floating else _tf.zeros_like(x, _tf.bool)


def isfinite(x):
    return _tf.math.is_finite(x) if x.dtype.is_floating else _tf.ones_like(x, _tf.bool)


@_functools.cache
def _raises():
    # The CPU's kernels of integers raise where an operand is out of range, an accelerator's give any number.
    return not _tf.config.list_logical_devices("GPU")


def _whole(kernel, careful):
    """The kernel on integers; in graphs, and where it has raised, what is right for all operands."""

    def run(x1, x2):
        if _tf.executing_eagerly() and _raises():
            try:
                return kernel(x1, x2)
            except _tf.errors.InvalidArgumentError:
                pass
        return careful(x1, x2)

    return run


def _quotient(x1, x2):
    zero = _tf.equal(x2, 0)
    out = _tf.math.floordiv(x1, _tf.where(zero, _tf.ones_like(x2), x2))
    return _tf.where(zero, _tf.zeros_like(out), out)


def _remainder(x1, x2):
    return _tf.math.floormod(x1, _tf.where(_tf.equal(x2, 0), _tf.ones_like(x2), x2))


def _power(x1, x2):
    one, zero = _tf.ones_like(x1), _tf.zeros_like(x1)
    sign = one - 2 * _tf.math.floormod(x2, 2)
    part = _tf.where(_tf.equal(x1, 1), one, _tf.where(_tf.equal(x1, -1), sign, zero))
    return _tf.where(x2 < 0, part, _tf.pow(x1, _tf.maximum(x2, _tf.zeros_like(x2))))


_quotient = _whole(_tf.math.floordiv, _quotient)
_remainder = _whole(_tf.math.floormod, _remainder)
_power = _whole(_tf.pow, _power)


def power(x1, x2):
    if x1.dtype.is_integer:
        return _power(x1, x2)
    # The derivative of x**0 at 0 would be NaN.
    known = _tf.get_static_value(x2) if x2.shape.rank == 0 else None
    return _tf.ones_like(x1) if known is not None and known == 0 else _tf.pow(x1, x2)


def _power_of_number(x1, x2):
    """A tensor to the power of a Python number."""
    if not x1.dtype.is_floating:
        return _power(x1, _tf.constant(x2, x1.dtype))
    if x2 == 2:
        return _tf.raw_ops.Square(x=x1)
    return _tf.ones_like(x1) if x2 == 0 else _tf.raw_ops.Pow(x=x1, y=x2)


def left_shift(x1, x2):
    # The kernels take a shift out of range for the nearest one within.
    bits = 8 * x1.dtype.size
    inside = x2 < bits if x2.dtype.is_unsigned else (x2 >= 0) & (x2 < bits)
    out = _tf.bitwise.left_shift(x1, x2)
    return _tf.where(inside, out, _tf.zeros_like(out))


def right_shift(x1, x2):
    bits = 8 * x1.dtype.size
    if x2.dtype.is_unsigned:
        out = _tf.bitwise.right_shift(x1, x2)
        return _tf.where(x2 < bits, out, _tf.zeros_like(out))
    return _tf.bitwise.right_shift(x1, _tf.where(x2 < 0, _tf.constant(bits - 1, x2.dtype), x2))


def floor_divide(x1, x2):
    if x1.dtype.is_integer:
        return _quotient(x1, x2)
    out = _tf.math.floordiv(x1, x2)
    # As NumPy: an infinity is no multiple of anything, and what is beside one lies below 0 or not.
    beside = _tf.where(x1 * x2 < 0, _tf.constant(-1.0, x1.dtype), _tf.math.sign(out))
    out = _tf.where(_tf.math.is_inf(x2) & _tf.math.is_finite(x1), beside, out)
    return _tf.where(_tf.math.is_inf(x1) & (x2 != 0), _tf.constant(_math.nan, x1.dtype), out)


def mod(x1, x2):
    return (_remainder if x1.dtype.is_integer else _tf.math.floormod)(x1, x2)


def round(x, decimals=0):
    if x.dtype.is_integer and decimals >= 0:
        return x
    if not decimals:
        return _tf.round(x)
    wide = _tf.cast(x, _tf.float64) if x.dtype.is_integer else x
    scale = _tf.cast(10.0 ** abs(decimals), wide.dtype)
    result = _tf.round(wide * scale) / scale if decimals > 0 else _tf.round(wide / scale) * scale
    return _tf.cast(result, x.dtype)


def clip(x, x_min, x_max):
    x = x if x_min is None else _tf.maximum(x, x_min)
    return x if x_max is None else _tf.minimum(x, x_max)


stop_gradient = _tf.stop_gradient
erfc = _tf.math.erfc


def nextafter(x1, x2):
    if x1.dtype.size > 2:
        return _tf.math.nextafter(x1, x2)
    # Halves, for which there is no kernel: one step in the integers that their bits are, which are in the order of their sizes.
    bits = _tf.cast(_tf.bitcast(x1, _tf.int16), _tf.int32)
    away = (x2 > x1) == (x1 > 0)
    step = _tf.where(away, bits + 1, bits - 1)
    least = _tf.where(x2 > 0, 1, -0x7FFF)  # from zero, of either sign
    moved = _tf.bitcast(_tf.cast(_tf.where(x1 == 0, least, step), _tf.int16), x1.dtype)
    missing = _tf.math.is_nan(x1) | _tf.math.is_nan(x2)
    return _tf.where(missing, _tf.constant(_math.nan, x1.dtype), _tf.where(x1 == x2, x2, moved))


def real(x):
    return _tf.math.real(x) if x.dtype.is_complex else x


def imag(x):
    return _tf.math.imag(x) if x.dtype.is_complex else _tf.zeros_like(x)


def angle(x):
    if x.dtype.is_complex:
        # At 0, where it has no derivative, TensorFlow's is NaN.
        zero = _tf.equal(x, 0)
        value = _tf.math.angle(_tf.where(zero, _tf.ones_like(x), x))
        return _tf.where(zero, _tf.stop_gradient(_tf.math.angle(x)), value)
    return _tf.where(_tf.math.is_nan(x), x, _tf.where(signbit(x), _tf.cast(_math.pi, x.dtype), _tf.zeros_like(x)))


def i0(x):
    wide = x if x.dtype in (_tf.float32, _tf.float64) else _tf.cast(x, _tf.float32)
    # XLA has a kernel for the scaled function only, which is 0 where the other factor is infinite.
    size = _tf.abs(wide)
    scaled = _tf.math.bessel_i0e(wide) * _tf.exp(size)
    return _tf.cast(_tf.where(_tf.math.is_inf(size), size, scaled), x.dtype)


def signbit(x):
    if not x.dtype.is_floating:
        return _tf.zeros_like(x, _tf.bool) if x.dtype.is_unsigned or x.dtype == _tf.bool else x < 0
    # 1 / -0.0 is negative, too.
    return _tf.where(_tf.equal(x, 0), 1 / x < 0, x < 0)


def gcd(x1, x2):
    if not x1.dtype.is_integer:
        raise TypeError(f"gcd is for integers, not {x1.dtype.name}.")
    a, b = _tf.abs(x1), _tf.abs(x2)
    shape = _tf.broadcast_dynamic_shape(_tf.shape(a), _tf.shape(b))
    a, b = _tf.broadcast_to(a, shape), _tf.broadcast_to(b, shape)

    def step(a, b):
        safe = _tf.where(_tf.equal(b, 0), _tf.ones_like(b), b)
        return _tf.where(_tf.equal(b, 0), a, b), _tf.where(_tf.equal(b, 0), b, _tf.math.floormod(a, safe))

    return _tf.while_loop(lambda a, b: _tf.reduce_any(_tf.not_equal(b, 0)), step, (a, b))[0]


def cast(x, dtype):
    return _t.cast(x, _name(dtype))
