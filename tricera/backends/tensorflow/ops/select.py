"""Choosing and placing elements."""

from __future__ import annotations

import builtins as _builtins

import numpy as _np
import tensorflow as _tf

from tricera.backends.tensorflow import eager as _eager
from tricera.core.dtypes import FLOAT8 as _FLOAT8, standardize_dtype as _name

_slice = _builtins.slice


def select_where(condition, x1, x2):
    if x1.dtype.name in _FLOAT8:
        return _tf.cast(select_where(condition, _tf.cast(x1, _tf.float32), _tf.cast(x2, _tf.float32)), x1.dtype)
    return _tf.where(_tf.cast(condition, _tf.bool), x1, x2)


def nonzero(x):
    places = _tf.cast(_tf.where(_tf.cast(x, _tf.bool)), _tf.int32)
    return tuple(_tf.unstack(places, num=len(x.shape), axis=-1))


def _index(indices, size):
    if indices.dtype not in (_tf.int32, _tf.int64):
        indices = _tf.cast(indices, _tf.int32)
    return _tf.where(indices < 0, indices + _tf.cast(size, indices.dtype), indices)


def take(x, indices, axis=None):
    if axis is None:
        x, axis = _tf.reshape(x, [-1]), 0
    return _tf.gather(x, _index(indices, _tf.shape(x)[axis]), axis=axis)


def take_along_axis(x, indices, axis=None):
    if axis is None:
        x = _tf.reshape(x, [-1])
        return _tf.gather(x, _index(indices, _tf.shape(x)[0]))
    rank = len(x.shape)
    index = _index(indices, _tf.shape(x)[axis])
    # Both operands broadcast on the other axes, then the axis goes last and is gathered in batches.
    lead = [i for i in range(rank) if i != axis]
    a, b = _tf.transpose(x, [*lead, axis]), _tf.transpose(index, [*lead, axis])
    batch = _tf.broadcast_dynamic_shape(_tf.shape(a)[:-1], _tf.shape(b)[:-1])
    a = _tf.broadcast_to(a, _tf.concat([batch, _tf.shape(a)[-1:]], 0))
    b = _tf.broadcast_to(b, _tf.concat([batch, _tf.shape(b)[-1:]], 0))
    out = _tf.gather(a, b, batch_dims=rank - 1)
    return _tf.transpose(out, _np.argsort([*lead, axis]))


def sort(x, axis=-1):
    if axis is None:
        x, axis = _tf.reshape(x, [-1]), -1
    if x.dtype == _tf.bool:
        return _tf.cast(_tf.sort(_tf.cast(x, _tf.int8), axis), _tf.bool)
    if not x.dtype.is_floating:
        return _tf.sort(x, axis)
    if _eager.finite(x, nan_only=True):
        return _tf.sort(x, axis)
    # The kernel leaves NaN where it stands, and numbers around it unsorted; NumPy has it at the end.
    missing = _tf.math.is_nan(x)
    ordered = _tf.sort(_tf.where(missing, _tf.constant(_np.inf, x.dtype), x), axis)
    numbers = _tf.reduce_sum(_tf.cast(~missing, _tf.int32), axis, keepdims=True)
    places = _tf.cumsum(_tf.ones_like(x, _tf.int32), axis, exclusive=True)
    return _tf.where(places < numbers, ordered, _tf.constant(_np.nan, x.dtype))


def _ranks(x):
    """Integers in the order of floats, NaN the greatest of them."""
    x = x if x.dtype in (_tf.float32, _tf.float64) else _tf.cast(x, _tf.float32)
    kind = _tf.int32 if x.dtype == _tf.float32 else _tf.int64
    bits = _tf.bitcast(_tf.where(x == 0, _tf.zeros_like(x), x), kind)  # both zeros are one
    bits = _tf.where(bits < 0, _tf.bitwise.bitwise_xor(bits, _tf.constant(kind.max, kind)), bits)
    return _tf.where(_tf.math.is_nan(x), _tf.constant(kind.max, kind), bits)


def argsort(x, axis=-1):
    if axis is None:
        x, axis = _tf.reshape(x, [-1]), -1
    x = _tf.cast(x, _tf.int8) if x.dtype == _tf.bool else x
    return _tf.argsort(_ranks(x) if x.dtype.is_floating else x, axis, stable=True)


def top_k(x, k, sorted=True):
    if not x.dtype.is_floating or _eager.finite(x, nan_only=True):
        return tuple(_tf.math.top_k(x, k, sorted=sorted))
    indices = _tf.math.top_k(_ranks(x), k, sorted=sorted).indices  # the kernel has no place for NaN
    return _tf.gather(x, indices, batch_dims=len(x.shape) - 1), indices


def _int(indices):
    return indices if indices.dtype in (_tf.int32, _tf.int64) else _tf.cast(indices, _tf.int32)


def _places(indices, shape):
    """Positions on the first axes, those from the end made positive."""
    indices = _int(indices)
    return _tf.where(indices < 0, indices + _tf.cast(shape[: indices.shape[-1]], indices.dtype), indices)


def _filled(values, indices, shape):
    """The values at each position, broadcast."""
    whole = _tf.concat([_tf.shape(indices)[:-1], _tf.cast(shape[indices.shape[-1] :], _tf.int32)], 0)
    return _tf.broadcast_to(values, whole)


def scatter(indices, values, shape):
    shape = _tf.cast(shape, _int(indices).dtype)
    return _tf.scatter_nd(_places(indices, shape), _filled(values, indices, shape), shape)


def scatter_update(inputs, indices, updates, reduction=None):
    function = {
        None: _tf.tensor_scatter_nd_update,
        "add": _tf.tensor_scatter_nd_add,
        "max": _tf.tensor_scatter_nd_max,
        "min": _tf.tensor_scatter_nd_min,
    }.get(reduction)
    if (
        inputs.dtype == _tf.bool and reduction is not None
    ):  # a sum of booleans is the greatest of them, a product the least
        reduction = {"add": "max", "mul": "min"}.get(reduction, reduction)
        small = _tf.cast(inputs, _tf.int8), indices, _tf.cast(_tf.cast(updates, _tf.bool), _tf.int8)
        return _tf.cast(scatter_update(*small, reduction), _tf.bool)
    shape = _tf.shape(inputs)
    updates = _filled(_tf.cast(updates, inputs.dtype), indices, shape)
    indices = _places(indices, shape)
    if reduction in ("max", "min") and inputs.dtype.is_floating:  # the kernels drop NaN
        out = function(inputs, indices, updates)
        if _eager.finite(inputs, nan_only=True) and _eager.finite(updates, nan_only=True):
            return out
        missing = _tf.cast(_tf.math.is_nan(inputs), _tf.int32)
        found = _tf.tensor_scatter_nd_max(missing, indices, _tf.cast(_tf.math.is_nan(updates), _tf.int32))
        return _tf.where(found > 0, _tf.constant(_np.nan, inputs.dtype), out)
    if function is not None:
        return function(inputs, indices, updates)
    rows = _tf.reshape(indices, [-1, indices.shape[-1]])
    values = _tf.reshape(updates, _tf.concat([[_tf.shape(rows)[0]], inputs.shape[indices.shape[-1] :]], 0))

    def step(i, out):
        row = rows[i : i + 1]
        return i + 1, _tf.tensor_scatter_nd_update(out, row, _tf.gather_nd(out, row) * values[i : i + 1])

    return _tf.while_loop(lambda i, _: i < _tf.shape(rows)[0], step, (0, inputs))[1]


def segments(data, segment_ids, num_segments, reduction):
    """The combined rows of each segment, or None where the kernels differ: extremes of nothing are infinite, those beside NaN NaN."""
    if data.dtype not in (_tf.float32, _tf.float64, _tf.int32, _tf.int64):
        return None
    if reduction != "add" and not _eager.alone():
        return None  # XLA has no product, and TensorFlow no second derivative of the others
    ids = _int(segment_ids)
    ids = _tf.where(ids < num_segments, ids, _tf.constant(-1, ids.dtype))  # the kernels leave out what is negative
    kernel = {
        "add": _tf.raw_ops.UnsortedSegmentSum,
        "mul": _tf.raw_ops.UnsortedSegmentProd,
        "max": _tf.raw_ops.UnsortedSegmentMax,
        "min": _tf.raw_ops.UnsortedSegmentMin,
    }[reduction]
    if reduction in ("max", "min") and data.dtype.is_floating:
        if not _eager.finite(data, nan_only=True):
            return None
        out = kernel(data=data, segment_ids=ids, num_segments=num_segments)
        # Nothing, and an infinity too, comes out as the last finite number.
        end = data.dtype.min if reduction == "max" else data.dtype.max
        return None if (out.numpy() == end).any() else out
    return kernel(data=data, segment_ids=ids, num_segments=num_segments)


def slice(inputs, start_indices, shape):
    return _tf.slice(inputs, start_indices, shape)


def slice_update(inputs, start_indices, updates):
    updates = _tf.cast(updates, inputs.dtype)
    begin = _tf.stack([_tf.cast(i, _tf.int32) for i in start_indices])
    grid = _tf.stack(_tf.meshgrid(*[_tf.range(d) for d in _tf.unstack(_tf.shape(updates))], indexing="ij"), -1)
    return _tf.tensor_scatter_nd_update(inputs, grid + begin, updates)


def get_item(x, key):
    keys = key if isinstance(key, tuple) else (key,)
    advanced = [i for i, k in enumerate(keys) if _is_index_array(k)]
    if not advanced:
        return x[key]
    if len(advanced) == 1 and len(keys) == 1:
        k = keys[0]
        mask = k if isinstance(k, _tf.Tensor) else _np.asarray(k)
        if mask.dtype in (_tf.bool, bool):
            return _tf.boolean_mask(x, mask)
        return take(x, _tf.convert_to_tensor(mask), 0)
    return _mixed(x, keys)


def _is_index_array(k):
    return (isinstance(k, (_tf.Tensor, _np.ndarray)) and len(k.shape) > 0) or isinstance(k, list)


def _mixed(x, keys):
    # Integer arrays beside slices: apply the plain keys first, then gather on the axes left.
    expanded = []
    given = sum(k is not None and k is not Ellipsis for k in keys)
    for k in keys:
        expanded.extend([_slice(None)] * (len(x.shape) - given) if k is Ellipsis else [k])
    axis, axes, arrays, plain = 0, [], [], []
    for k in expanded:
        if _is_index_array(k):
            axes.append(axis)
            arrays.append(_tf.convert_to_tensor(k))
            plain.append(_slice(None))
            axis += 1
        else:
            plain.append(k)
            axis += k is None or isinstance(k, _slice)
    x = x[tuple(plain)]
    rest = [i for i in range(len(x.shape)) if i not in axes]
    lead = _tf.transpose(x, [*axes, *rest])
    shape = arrays[0].shape
    for a in arrays[1:]:
        shape = _tf.broadcast_static_shape(shape, a.shape)
    index = _tf.stack(
        [_tf.broadcast_to(_index(a, _tf.shape(x)[n]), shape) for n, a in zip(axes, arrays, strict=True)], -1
    )
    out = _tf.gather_nd(lead, index)
    if axes == list(range(axes[0], axes[0] + len(axes))):
        rank, at = len(shape), sum(i < axes[0] for i in rest)
        order = [*range(rank, rank + at), *range(rank), *range(rank + at, len(out.shape))]
        return _tf.transpose(out, order)
    return out


def searchsorted(sorted_sequence, values, side="left"):
    flat = _tf.reshape(values, [-1])
    if sorted_sequence.dtype.is_floating:
        sorted_sequence, flat = _ranks(sorted_sequence), _ranks(flat)
    elif sorted_sequence.dtype == _tf.bool or sorted_sequence.dtype.size < 4:
        sorted_sequence, flat = _tf.cast(sorted_sequence, _tf.int32), _tf.cast(flat, _tf.int32)
    return _tf.reshape(_tf.searchsorted(sorted_sequence, flat, side), _tf.shape(values))


def view(x, dtype=None):
    if dtype is None:
        return x
    kind = _tf.as_dtype(_name(dtype))
    if x.dtype == _tf.bool:
        x = _tf.cast(x, _tf.uint8)
    old, new = x.dtype.size, kind.size
    if new > old:
        # bitcast takes the small parts from an axis of their own.
        x = _tf.reshape(x, [*_tf.unstack(_tf.shape(x))[:-1], -1, new // old])
    out = _tf.bitcast(x, kind)
    return _tf.reshape(out, [*_tf.unstack(_tf.shape(x))[:-1], -1]) if new < old else out
