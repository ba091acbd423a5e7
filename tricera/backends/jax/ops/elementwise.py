"""Elementwise ops: `jax.numpy`'s own."""

from __future__ import annotations

import jax as _jax
import jax.numpy as _jnp
from jax.custom_derivatives import SymbolicZero as _SymbolicZero

from tricera.backends.jax import tensor as _t
from tricera.core.dtypes import standardize_dtype as _name

exp, expm1, exp2, log, log10, log1p = _jnp.exp, _jnp.expm1, _jnp.exp2, _jnp.log, _jnp.log10, _jnp.log1p
log2, sqrt, sin, cos, tan, arcsin = _jnp.log2, _jnp.sqrt, _jnp.sin, _jnp.cos, _jnp.tan, _jnp.arcsin
arccos, arctan, sinh, cosh, tanh, arcsinh = _jnp.arccos, _jnp.arctan, _jnp.sinh, _jnp.cosh, _jnp.tanh, _jnp.arcsinh
arccosh, arctanh, negative, sign, floor = (
    _jnp.arccosh,
    _jnp.arctanh,
    _jnp.negative,
    _jnp.sign,
    _jnp.floor,
)
ceil, trunc, isnan, isinf, isfinite, logical_not = (
    _jnp.ceil,
    _jnp.trunc,
    _jnp.isnan,
    _jnp.isinf,
    _jnp.isfinite,
    _jnp.logical_not,
)
bitwise_not, conjugate, add, subtract, multiply, divide = (
    _jnp.bitwise_not,
    _jnp.conjugate,
    _jnp.add,
    _jnp.subtract,
    _jnp.multiply,
    _jnp.divide,
)
mod, maximum, minimum = _jnp.mod, _jnp.maximum, _jnp.minimum
equal, not_equal, less, less_equal, greater, greater_equal = (
    _jnp.equal,
    _jnp.not_equal,
    _jnp.less,
    _jnp.less_equal,
    _jnp.greater,
    _jnp.greater_equal,
)
logical_and, logical_or, logical_xor, bitwise_and, bitwise_or, bitwise_xor = (
    _jnp.logical_and,
    _jnp.logical_or,
    _jnp.logical_xor,
    _jnp.bitwise_and,
    _jnp.bitwise_or,
    _jnp.bitwise_xor,
)
left_shift, right_shift, logaddexp, square, reciprocal = (
    _jnp.left_shift,
    _jnp.right_shift,
    _jnp.logaddexp,
    _jnp.square,
    _jnp.reciprocal,
)
erf, erfinv, rsqrt = _jax.lax.erf, _jax.lax.erf_inv, _jax.lax.rsqrt
sigmoid = _jax.nn.sigmoid


def floor_divide(x1, x2):
    if not _jnp.issubdtype(x1.dtype, _jnp.integer):
        return _jnp.floor_divide(x1, x2)
    zero = x2 == 0  # by which XLA divides to -1
    return _jnp.where(zero, 0, _jnp.floor_divide(x1, _jnp.where(zero, 1, x2)))


def power(x1, x2):
    if _jnp.issubdtype(x1.dtype, _jnp.floating):
        return _power(x1, x2)
    if not _jnp.issubdtype(x1.dtype, _jnp.signedinteger):
        return _jnp.power(x1, x2)
    # XLA squares by the bits of the exponent, as if it were unsigned.
    part = _jnp.where(x1 == 1, 1, _jnp.where(x1 == -1, 1 - 2 * (x2 & 1), 0)).astype(x1.dtype)
    return _jnp.where(x2 < 0, part, _jnp.power(x1, _jnp.maximum(x2, 0)))


# Derivatives where JAX has NaN or another convention than the other frameworks.


@_jax.custom_jvp
def _power(x1, x2):
    return _jnp.power(x1, x2)


def _power_jvp(primals, tangents):
    x1, x2 = primals
    out, total = _power(x1, x2), 0.0
    # A factor that nobody asks for may be NaN, and must not meet the 0 that its tangent is.
    if not isinstance(tangents[0], _SymbolicZero):
        total += tangents[0] * x2 * _power(_jnp.where((x1 == 0) & (x2 == 0), 1, x1), x2 - 1)
    if not isinstance(tangents[1], _SymbolicZero):
        total += tangents[1] * out * _jnp.log(_jnp.where((x1 == 0) & (x2 >= 0), 1, x1))
    return out, _jnp.broadcast_to(total, out.shape).astype(out.dtype)


_power.defjvp(_power_jvp, symbolic_zeros=True)


@_jax.custom_jvp
def arctan2(x1, x2):
    return _jnp.arctan2(x1, x2)


@arctan2.defjvp
def _arctan2_jvp(primals, tangents):
    x1, x2 = primals
    square = x1 * x1 + x2 * x2
    return arctan2(x1, x2), (x2 * tangents[0] - x1 * tangents[1]) / _jnp.where(
        square == 0, 1, square
    )  # 0 at the origin


@_jax.custom_jvp
def _limited(x, x_min, x_max):
    return _jnp.clip(x, x_min, x_max)


@_limited.defjvp
def _limited_jvp(primals, tangents):
    # At a limit it is all of `x`, none of the limit.
    x, x_min, x_max = primals
    beyond = _jnp.where((x > x_max) | (x_min > x_max), tangents[2], tangents[1])
    return _limited(*primals), _jnp.where((x >= x_min) & (x <= x_max), tangents[0], beyond)


@_jax.custom_jvp
def _size(x):
    return _jnp.absolute(x)


@_size.defjvp
def _size_jvp(primals, tangents):
    return _size(*primals), tangents[0] * _jnp.sign(primals[0])  # 0 at 0, as on the other frameworks; JAX has 1


def absolute(x):
    return _size(x) if _jnp.issubdtype(x.dtype, _jnp.floating) else _jnp.absolute(x)


def round(x, decimals=0):
    return _jnp.round(x, decimals)


def clip(x, x_min, x_max):
    if not _jnp.issubdtype(x.dtype, _jnp.floating):
        return _jnp.clip(x, x_min, x_max)
    return _limited(x, -_jnp.inf if x_min is None else x_min, _jnp.inf if x_max is None else x_max)


def angle(x):
    if _jnp.issubdtype(x.dtype, _jnp.complexfloating):
        return arctan2(_jnp.imag(x), _jnp.real(x))
    return _jnp.where(_jnp.isnan(x), x, _jnp.where(_jnp.signbit(x), _jnp.pi, 0).astype(x.dtype))


stop_gradient = _jax.lax.stop_gradient
real, imag, signbit, nextafter, gcd = _jnp.real, _jnp.imag, _jnp.signbit, _jnp.nextafter, _jnp.gcd
erfc, i0 = _jax.lax.erfc, _jax.scipy.special.i0


def cast(x, dtype):
    return _t.cast(x, _name(dtype))
