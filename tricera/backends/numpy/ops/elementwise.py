"""Elementwise ops: NumPy's own, in the dtype of the operands (NumPy alone would turn float16 into float64 here and there)."""

from __future__ import annotations

import numpy as _np

exp, expm1, exp2, log, log10, log1p = _np.exp, _np.expm1, _np.exp2, _np.log, _np.log10, _np.log1p
log2, sqrt, sin, cos, tan, arcsin = _np.log2, _np.sqrt, _np.sin, _np.cos, _np.tan, _np.arcsin
arccos, arctan, sinh, cosh, tanh, arcsinh = _np.arccos, _np.arctan, _np.sinh, _np.cosh, _np.tanh, _np.arcsinh
arccosh, arctanh, negative, absolute, sign, floor = (
    _np.arccosh,
    _np.arctanh,
    _np.negative,
    _np.absolute,
    _np.sign,
    _np.floor,
)
ceil, trunc, isnan, isinf, isfinite, logical_not = (
    _np.ceil,
    _np.trunc,
    _np.isnan,
    _np.isinf,
    _np.isfinite,
    _np.logical_not,
)
bitwise_not, add, subtract, multiply, divide = (
    _np.bitwise_not,
    _np.add,
    _np.subtract,
    _np.multiply,
    _np.divide,
)
floor_divide, mod, maximum, minimum, arctan2 = (
    _np.floor_divide,
    _np.mod,
    _np.maximum,
    _np.minimum,
    _np.arctan2,
)
equal, not_equal, less, less_equal, greater, greater_equal = (
    _np.equal,
    _np.not_equal,
    _np.less,
    _np.less_equal,
    _np.greater,
    _np.greater_equal,
)
logical_and, logical_or, logical_xor, bitwise_and, bitwise_or, bitwise_xor = (
    _np.logical_and,
    _np.logical_or,
    _np.logical_xor,
    _np.bitwise_and,
    _np.bitwise_or,
    _np.bitwise_xor,
)
left_shift, right_shift, hypot, logaddexp, square, reciprocal = (
    _np.left_shift,
    _np.right_shift,
    _np.hypot,
    _np.logaddexp,
    _np.square,
    _np.reciprocal,
)


def power(x1, x2):
    if x1.dtype.kind != "i":
        return _np.power(x1, x2)
    part = _np.where(x1 == 1, 1, _np.where(x1 == -1, 1 - 2 * (x2 & 1), 0))
    return _np.where(x2 < 0, part, _np.power(x1, _np.maximum(x2, 0))).astype(x1.dtype)


def conjugate(x):
    return _np.conjugate(x) if x.dtype.kind == "c" else x


def rsqrt(x):
    return (1 / _np.sqrt(x)).astype(x.dtype)


def sigmoid(x):
    # exp of the negative absolute value never overflows.
    z = _np.exp(-_np.abs(x))
    return _np.where(x >= 0, 1 / (1 + z), z / (1 + z)).astype(x.dtype)


def erf(x):
    return _erf(_np.asarray(x, _np.float64)).astype(x.dtype)


def _series(x):
    # Maclaurin series for |x| < 3 (Abramowitz & Stegun 7.1.6), which converges to full double precision there.
    total, term = x.copy(), x.copy()
    for n in range(1, 100):
        term = term * (2 * x * x) / (2 * n + 1)
        total += term
    return 2 / _np.sqrt(_np.pi) * _np.exp(-x * x) * total


def _fraction(x):
    # Continued fraction of the complementary function for x >= 3 (Abramowitz & Stegun 7.1.14), evaluated backwards.
    tail = _np.zeros_like(x)
    for k in range(80, 0, -1):
        tail = (k / 2) / (x + tail)
    return 1 - _np.exp(-x * x) / _np.sqrt(_np.pi) / (x + tail)


def _erf(x):
    size = _np.abs(x)
    small = _series(_np.where(size < 3, size, 0.0))
    large = _fraction(_np.where(size >= 3, _np.minimum(size, 30.0), 3.0))
    value = _np.sign(x) * _np.where(size < 3, small, large)
    return _np.where(_np.isnan(x), x, value)


def erfinv(x):
    y = _np.asarray(x, _np.float64)
    inside = _np.where(_np.abs(y) < 1, y, 0.0)
    # Winitzki's approximation, then Newton steps on erf.
    a = 0.147
    ln = _np.log1p(-inside * inside)
    b = 2 / (_np.pi * a) + ln / 2
    z = _np.sign(inside) * _np.sqrt(_np.sqrt(b * b - ln / a) - b)
    for _ in range(4):
        z = z - (_erf(z) - inside) * _np.sqrt(_np.pi) / 2 * _np.exp(z * z)
    with _np.errstate(divide="ignore", invalid="ignore"):
        edge = _np.where(_np.abs(y) == 1, _np.sign(y) * _np.inf, _np.nan)
    return _np.where(_np.abs(y) < 1, z, edge).astype(x.dtype)


def round(x, decimals=0):
    return _np.round(x, decimals)


def clip(x, x_min, x_max):
    return x if x_min is None and x_max is None else _np.clip(x, x_min, x_max).astype(x.dtype)


def stop_gradient(variable):
    return variable


imag, angle, signbit, nextafter, gcd = _np.imag, _np.angle, _np.signbit, _np.nextafter, _np.gcd


def real(x):
    return _np.real(x)


def erfc(x):
    y = _np.asarray(x, _np.float64)
    size = _np.abs(y)
    tail = _np.where(size >= 3, _np.clip(size, 3.0, 30.0), 3.0)
    # The continued fraction itself, without the 1 that hides it.
    rest = _np.zeros_like(tail)
    for k in range(80, 0, -1):
        rest = (k / 2) / (tail + rest)
    far = _np.exp(-tail * tail) / _np.sqrt(_np.pi) / (tail + rest)
    near = _np.where(size < 3, 1 - _erf(y), _np.where(y > 0, far, 2 - far))
    return _np.where(_np.isnan(y), y, near).astype(x.dtype)


def i0(x):
    return _np.i0(x).astype(x.dtype).reshape(x.shape)
