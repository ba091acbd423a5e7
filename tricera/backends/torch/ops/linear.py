"""Products: torch's own."""

from __future__ import annotations

import torch as _torch


def matmul(x1, x2):
    if x1.dtype == _torch.int8:
        return _torch.matmul(x1.to(_torch.int32), x2.to(_torch.int32))
    if x1.dtype == _torch.bool:
        return _torch.matmul(x1.to(_torch.int32), x2.to(_torch.int32)).to(_torch.bool)
    return _torch.matmul(x1, x2)


def contract(subscripts, operands):
    if operands[0].dtype == _torch.int8:
        operands = [x.to(_torch.int32) for x in operands]
    return _torch.einsum(subscripts, *operands)
