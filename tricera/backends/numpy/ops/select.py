"""Choosing and placing elements."""

from __future__ import annotations

import builtins as _builtins

import numpy as _np

from tricera.core.dtypes import numpy_dtype as _dtype
from tricera.core.sizes import check_block as _check_block

_slice = _builtins.slice


def select_where(condition, x1, x2):
    return _np.where(condition, x1, x2)


def nonzero(x):
    return tuple(at.astype("int32") for at in _np.nonzero(x))


def take(x, indices, axis=None):
    return _np.take(x, indices.astype("int64"), axis)


def take_along_axis(x, indices, axis=None):
    return _np.take_along_axis(x, indices.astype("int64"), axis)


def sort(x, axis=-1):
    if x.dtype.kind == "V":  # bfloat16, whose order knows no place for NaN
        return _np.sort(x.astype("float32"), axis).astype(x.dtype)
    return _np.sort(x, axis)


def argsort(x, axis=-1):
    x = x.astype("float32") if x.dtype.kind == "V" else x  # as in `sort`
    return _np.argsort(x, axis, kind="stable").astype("int32")


def _at(indices):
    return tuple(_np.moveaxis(indices.astype("int64"), -1, 0))


def scatter(indices, values, shape):
    out = _np.zeros(shape, values.dtype)
    _np.add.at(out, _at(indices), values)
    return out


_COMBINE = {"add": _np.add, "max": _np.maximum, "min": _np.minimum, "mul": _np.multiply}


def scatter_update(inputs, indices, updates, reduction=None):
    out = _np.array(inputs)
    if reduction is None:
        out[_at(indices)] = updates
    else:
        _COMBINE[reduction].at(out, _at(indices), updates)
    return out


def slice(inputs, start_indices, shape):
    begin = [int(i) for i in start_indices]
    _check_block("slice", begin, shape, inputs.shape)
    return inputs[tuple(_slice(i, None if s == -1 else i + s) for i, s in zip(begin, shape, strict=True))]


def slice_update(inputs, start_indices, updates):
    out = _np.array(inputs)
    begin = [int(i) for i in start_indices]
    _check_block("slice_update", begin, updates.shape, inputs.shape)
    out[tuple(_slice(i, i + s) for i, s in zip(begin, updates.shape, strict=True))] = updates
    return out


def top_k(x, k, sorted=True):
    if x.dtype.kind in "biu":
        indices = _np.argsort(~x, axis=-1, kind="stable")
    else:  # NaN is the greatest, as on the other backends; bfloat16 is of the kind "V"
        wide = x if x.dtype.kind == "f" else x.astype("float32")
        indices = _np.lexsort((-wide, ~_np.isnan(wide)), axis=-1)
    indices = indices[..., :k]
    return _np.take_along_axis(x, indices, axis=-1), indices.astype("int32")


def get_item(x, key):
    return x[key]


def searchsorted(sorted_sequence, values, side="left"):
    return _np.searchsorted(sorted_sequence, values, side).astype("int32")


def view(x, dtype=None):
    return x if dtype is None else _np.asarray(x, order="C").view(_dtype(dtype))
