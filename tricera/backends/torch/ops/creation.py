"""Making torch tensors."""

from __future__ import annotations

import torch as _torch

from tricera.backends.torch import tensor as _t
from tricera.core.dtypes import FLOAT8 as _FLOAT8


def full(shape, value, dtype):
    if dtype == "float8_e4m3fn":
        return _t.convert(value, dtype).expand(tuple(shape)).clone()
    return _torch.full(tuple(shape), value, dtype=_t.native_dtype(dtype), device=_t.device())


def filled_like(x, value, dtype):
    return _torch.full_like(x, value, dtype=None if dtype is None else _t.native_dtype(dtype))


def arange(start, stop, step, dtype):
    if dtype in _FLOAT8:
        return _t.convert(arange(start, stop, step, "float32"), dtype)
    return _torch.arange(start, stop, step, dtype=_t.native_dtype(dtype), device=_t.device())


def copy(x):
    return x.clone()
