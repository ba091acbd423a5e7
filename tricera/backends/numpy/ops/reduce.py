"""Reductions; the dtypes are those of the shape rules."""

from __future__ import annotations

import numpy as _np

_WIDER = {"bool": "int32", "int8": "int32", "int16": "int32", "uint8": "uint32", "uint16": "uint32"}


def _wider(x):
    return _WIDER.get(x.dtype.name, x.dtype)


def sum(x, axis=None, keepdims=False):
    return _np.sum(x, axis=axis, keepdims=keepdims, dtype=_wider(x))


def prod(x, axis=None, keepdims=False, dtype=None):
    return _np.prod(x, axis=axis, keepdims=keepdims, dtype=dtype or _wider(x))


def mean(x, axis=None, keepdims=False):
    return _np.mean(x, axis=axis, keepdims=keepdims).astype(x.dtype)


def _initial(function):
    def reduced(x, axis=None, keepdims=False, initial=None):
        if initial is None:
            return function(x, axis=axis, keepdims=keepdims)
        return function(x, axis=axis, keepdims=keepdims, initial=initial)

    return reduced


max, min = _initial(_np.max), _initial(_np.min)
any, all = _np.any, _np.all


def argmax(x, axis=None, keepdims=False):
    return _np.argmax(x, axis=axis, keepdims=keepdims).astype("int32")


def argmin(x, axis=None, keepdims=False):
    return _np.argmin(x, axis=axis, keepdims=keepdims).astype("int32")


def cumsum(x, axis=None, dtype=None):
    return _np.cumsum(x, axis=axis, dtype=dtype or ("int32" if x.dtype == bool else x.dtype))


def cumprod(x, axis=None, dtype=None):
    return _np.cumprod(x, axis=axis, dtype=dtype or ("int32" if x.dtype == bool else x.dtype))
