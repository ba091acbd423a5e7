"""Products: torch's own."""

from __future__ import annotations

import torch as _torch

# torch multiplies no matrices of these; a product of int8 is an int32.
_VIA = {_torch.int8: _torch.int32, _torch.bool: _torch.int32, _torch.uint16: _torch.int32, _torch.uint32: _torch.int64}


def _product(function, *operands):
    kind = operands[0].dtype
    if kind not in _VIA:
        return function(*operands)
    out = function(*[x.to(_VIA[kind]) for x in operands])
    return out if kind == _torch.int8 else out.to(kind)


def matmul(x1, x2):
    return _product(_torch.matmul, x1, x2) if x1.dtype in _VIA else _torch.matmul(x1, x2)


def affine(x, kernel, bias):
    if x.dtype in _VIA or kernel.ndim != 2:
        return matmul(x, kernel) + bias
    return _torch.addmm(bias, x, kernel) if x.ndim == 2 else _torch.nn.functional.linear(x, kernel.t(), bias)


def contract(subscripts, operands):
    return _product(lambda *xs: _torch.einsum(subscripts, *xs), *operands)
