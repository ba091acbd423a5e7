"""Elementwise ops: torch's own."""

from __future__ import annotations

import math as _math

import torch as _torch

from tricera.backends.torch import tensor as _t
from tricera.core.dtypes import standardize_dtype as _name

exp, expm1, exp2, log, log10, log1p = _torch.exp, _torch.expm1, _torch.exp2, _torch.log, _torch.log10, _torch.log1p
log2, sqrt, sin, cos, tan, sinh = _torch.log2, _torch.sqrt, _torch.sin, _torch.cos, _torch.tan, _torch.sinh
cosh, tanh, rsqrt, erf, erfinv, sigmoid = (
    _torch.cosh,
    _torch.tanh,
    _torch.rsqrt,
    _torch.erf,
    _torch.erfinv,
    _torch.sigmoid,
)
floor, ceil, trunc, isnan, isinf = _torch.floor, _torch.ceil, _torch.trunc, _torch.isnan, _torch.isinf
isfinite, logical_not, bitwise_not, add, subtract, multiply = (
    _torch.isfinite,
    _torch.logical_not,
    _torch.bitwise_not,
    _torch.add,
    _torch.subtract,
    _torch.multiply,
)
divide, maximum, minimum, less, less_equal = (
    _torch.divide,
    _torch.maximum,
    _torch.minimum,
    _torch.less,
    _torch.less_equal,
)
greater, greater_equal, logical_and, logical_or, logical_xor, bitwise_and = (
    _torch.greater,
    _torch.greater_equal,
    _torch.logical_and,
    _torch.logical_or,
    _torch.logical_xor,
    _torch.bitwise_and,
)
bitwise_or, bitwise_xor, logaddexp, square, reciprocal = (
    _torch.bitwise_or,
    _torch.bitwise_xor,
    _torch.logaddexp,
    _torch.square,
    _torch.reciprocal,
)
relu = _torch.relu
arcsin, arccos, arctan, arctan2 = _torch.asin, _torch.acos, _torch.atan, _torch.atan2
arcsinh, arccosh, arctanh = _torch.asinh, _torch.acosh, _torch.atanh
negative, absolute, power = _torch.neg, _torch.abs, _torch.pow
equal, not_equal = _torch.eq, _torch.ne
left_shift, right_shift = _torch.bitwise_left_shift, _torch.bitwise_right_shift


def hypot(x1, x2):
    # At the origin, where it has no derivative, torch's is NaN.
    origin = (x1 == 0) & (x2 == 0)
    x1, x2 = _torch.broadcast_tensors(x1, x2)
    return _torch.hypot(x1.masked_fill(origin, 1.0), x2).masked_fill(origin, 0.0)


def sign(x):
    # torch.sign(NaN) is 0.
    if x.is_complex():
        return _torch.sgn(x)
    return _torch.where(_torch.isnan(x), x, _torch.sign(x)) if x.is_floating_point() else _torch.sign(x)


def conjugate(x):
    return _torch.conj(x).resolve_conj()


def round(x, decimals=0):
    if not x.is_floating_point():
        return (
            x
            if decimals >= 0 or x.dtype == _torch.bool
            else _torch.round(x.to(_torch.float64), decimals=decimals).to(x.dtype)
        )
    return _torch.round(x, decimals=decimals)


def clip(x, x_min, x_max):
    return x if x_min is None and x_max is None else _torch.clamp(x, x_min, x_max)


def cast(x, dtype):
    return _t.convert(x, _name(dtype))


def stop_gradient(variable):
    return variable.detach()


signbit, nextafter, gcd = _torch.signbit, _torch.nextafter, _torch.gcd
erfc, i0 = _torch.erfc, _torch.special.i0


def real(x):
    return _torch.real(x) if x.is_complex() else x


def imag(x):
    return _torch.imag(x) if x.is_complex() else _torch.zeros_like(x)


def angle(x):
    if x.is_complex():
        return _torch.angle(x)
    # torch.angle(-0.0) is 0.
    return _torch.where(_torch.isnan(x), x, _torch.where(_torch.signbit(x), _math.pi, 0.0).to(x.dtype))


def floor_divide(x1, x2):
    if x1.is_floating_point():
        # `torch.floor_divide` is the same but for having no derivative.
        return _torch.div(x1, x2, rounding_mode="floor")
    zero = x2 == 0
    return _torch.floor_divide(x1, x2.masked_fill(zero, 1)).masked_fill(zero, 0)


def mod(x1, x2):
    return _torch.remainder(x1, x2 if x1.is_floating_point() else x2.masked_fill(x2 == 0, 1))
