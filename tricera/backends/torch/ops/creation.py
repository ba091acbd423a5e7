"""Making torch tensors."""

from __future__ import annotations

import torch as _torch

from tricera.backends.torch import tensor as _t


def full(shape, value, dtype):
    return _torch.full(tuple(shape), value, dtype=_t.native_dtype(dtype), device=_t.device())


def filled_like(x, value, dtype):
    return _torch.full_like(x, value, dtype=None if dtype is None else _t.native_dtype(dtype))


def arange(start, stop, step, dtype):
    return _torch.arange(start, stop, step, dtype=_t.native_dtype(dtype), device=_t.device())


def copy(x):
    return x.clone()
