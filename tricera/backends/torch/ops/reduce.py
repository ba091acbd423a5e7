"""Reductions; torch takes one axis where NumPy takes several, here and there."""

from __future__ import annotations

import torch as _torch

from tricera.backends.torch import tensor as _t

_WIDER = {
    _torch.bool: _torch.int32,
    _torch.int8: _torch.int32,
    _torch.int16: _torch.int32,
    _torch.int32: _torch.int32,
    _torch.uint8: _torch.int32,
}


def sum(x, axis=None, keepdims=False):
    dtype = _torch.int64 if x.dtype == _torch.int64 else _WIDER.get(x.dtype)
    if axis == ():
        return x if dtype is None else x.to(dtype)
    result = _torch.sum(x, dim=axis, keepdim=keepdims, dtype=dtype)
    return result if x.dtype != _torch.uint8 else result.to(_torch.uint32)


def prod(x, axis=None, keepdims=False, dtype=None):
    dtype = _t.native_dtype(dtype) if dtype else _WIDER.get(x.dtype, x.dtype)
    axes = range(x.ndim) if axis is None else (axis,) if isinstance(axis, int) else axis
    for a in sorted(axes, reverse=True):
        x = _torch.prod(x, dim=a, keepdim=keepdims, dtype=dtype)
    return x.to(dtype)


def mean(x, axis=None, keepdims=False):
    return x if axis == () else _torch.mean(x, dim=axis, keepdim=keepdims)


def _extreme(reduce, pair):
    def reduced(x, axis=None, keepdims=False, initial=None):
        if axis == ():
            return x
        kind = x.dtype
        if kind == _torch.bool:
            x = x.to(_torch.uint8)
        if initial is not None:
            start = _torch.as_tensor(initial, dtype=x.dtype, device=x.device)
            if not x.numel():
                shape = _torch.sum(x, dim=axis, keepdim=keepdims).shape if axis is not None else ()
                return start.expand(shape).clone().to(kind)
        result = reduce(x, dim=tuple(range(x.ndim)) if axis is None else axis, keepdim=keepdims)
        return (result if initial is None else pair(result, start)).to(kind)

    return reduced


max = _extreme(_torch.amax, _torch.maximum)
min = _extreme(_torch.amin, _torch.minimum)


def any(x, axis=None, keepdims=False):
    return _each(_torch.any, x.to(_torch.bool), axis, keepdims)


def all(x, axis=None, keepdims=False):
    return _each(_torch.all, x.to(_torch.bool), axis, keepdims)


def _each(function, x, axis, keepdims):
    axes = range(x.ndim) if axis is None else (axis,) if isinstance(axis, int) else axis
    for a in sorted(axes, reverse=True):
        x = function(x, dim=a, keepdim=keepdims)
    return x


def _first(function):
    def index(x, axis=None, keepdims=False):
        x = x.to(_torch.uint8) if x.dtype == _torch.bool else x
        result = function(x, dim=axis, keepdim=keepdims)
        if axis is None and keepdims:
            result = result.reshape((1,) * x.ndim)
        return result.to(_torch.int32)

    return index


argmax, argmin = _first(_torch.argmax), _first(_torch.argmin)


def _running(function):
    def running(x, axis=None, dtype=None):
        wanted = _t.native_dtype(dtype) if dtype else _torch.int32 if x.dtype == _torch.bool else x.dtype
        return function(x.reshape(-1) if axis is None else x, dim=axis or 0, dtype=wanted)

    return running


cumsum, cumprod = _running(_torch.cumsum), _running(_torch.cumprod)


def logsumexp(x, axis=None, keepdims=False):
    return _torch.logsumexp(x, dim=tuple(range(x.ndim)) if axis is None else axis, keepdim=keepdims)


def var(x, axis=None, keepdims=False):
    return _torch.var(x, dim=axis, correction=0, keepdim=keepdims)
