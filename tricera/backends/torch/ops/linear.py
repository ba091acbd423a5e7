"""Products: torch's own."""

from __future__ import annotations

import functools as _functools
import math as _math
import string as _string

import torch as _torch

from tricera.backends.torch import tensor as _t

# torch multiplies no matrices of these; a product of int8 is an int32.
_VIA = {
    **dict.fromkeys((_torch.int8, _torch.bool, _torch.uint16), _torch.int32),
    _torch.uint32: _torch.int64,
    **dict.fromkeys((_torch.float8_e4m3fn, _torch.float8_e5m2), _torch.float32),
}


def _product(function, *operands):
    kind = operands[0].dtype
    if kind not in _VIA:
        return function(*operands)
    out = function(*[x.to(_VIA[kind]) for x in operands])
    return out if kind == _torch.int8 else _t.cast(out, _t.dtype(operands[0]))


def matmul(x1, x2):
    return _product(_torch.matmul, x1, x2) if x1.dtype in _VIA else _torch.matmul(x1, x2)


def affine(x, kernel, bias):
    if x.dtype in _VIA or kernel.ndim != 2:
        return matmul(x, kernel) + bias
    return _torch.addmm(bias, x, kernel) if x.ndim == 2 else _torch.nn.functional.linear(x, kernel.t(), bias)


@_functools.cache
def _contracted(subscripts, rank):
    """How many of the last axes of x meet the first ones of the kernel, where an equation says just that; else 0."""
    inputs, _, output = subscripts.replace(" ", "").partition("->")
    x, _, kernel = inputs.partition(",")
    spare = "".join(c for c in _string.ascii_letters if c not in subscripts)
    dots = spare[: max(rank - len(x.replace("...", "")), 0)]
    x, output = x.replace("...", dots), output.replace("...", dots)
    count = sum(c in x for c in kernel)
    distinct = len({*x, *kernel}) == len(x) + len(kernel) - count
    return count if distinct and x.endswith(kernel[:count]) and output == x[: rank - count] + kernel[count:] else 0


def affine_einsum(x, kernel, bias, subscripts):
    count = _contracted(subscripts, x.ndim)
    if not count or x.dtype in _VIA or bias.shape != kernel.shape[count:]:
        return contract(subscripts, [x, kernel]) + bias
    # One product of matrices with the bias in it; einsum would make a product of batches, and one more pass for the bias.
    rows, units = x.shape[: x.ndim - count], kernel.shape[count:]
    inner = _math.prod(kernel.shape[:count])
    flat = x.reshape(_math.prod(rows), inner)
    return _torch.addmm(bias.flatten(), flat, kernel.reshape(inner, _math.prod(units))).reshape(*rows, *units)


def contract(subscripts, operands):
    return _product(lambda *xs: _torch.einsum(subscripts, *xs), *operands)
