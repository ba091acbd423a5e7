"""Choosing and placing elements."""

from __future__ import annotations

import builtins as _builtins

import torch as _torch

from tricera.backends.torch import tensor as _t
from tricera.core.dtypes import standardize_dtype as _name
from tricera.core.sizes import check_block as _check_block

_slice = _builtins.slice


def select_where(condition, x1, x2):
    return _torch.where(condition if condition.dtype == _torch.bool else condition != 0, x1, x2)


def nonzero(x):
    return tuple(at.to(_torch.int32) for at in _torch.nonzero(x, as_tuple=True))


def _index(indices, size):
    indices = indices.long()
    return _torch.where(indices < 0, indices + size, indices)


def take(x, indices, axis=None):
    if axis is None:
        x, axis = x.reshape(-1), 0
    index = _index(indices, x.shape[axis])
    out = _torch.index_select(x, axis, index.reshape(-1))
    return out.reshape((*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :]))


def take_along_axis(x, indices, axis=None):
    if axis is None:
        x, axis = x.reshape(-1), 0
        return _torch.gather(x, 0, _index(indices, x.shape[0]).reshape(-1)).reshape(indices.shape)
    # Not `take_along_dim`, which takes indices out of range for others.
    index = _index(indices, x.shape[axis])
    lengths = [a if a == b or b == 1 else b if a == 1 else -1 for a, b in zip(x.shape, index.shape, strict=True)]
    whole = [*lengths[:axis], x.shape[axis], *lengths[axis + 1 :]]
    return _torch.gather(
        x.expand(whole), axis, index.expand([*lengths[:axis], index.shape[axis], *lengths[axis + 1 :]])
    )


def sort(x, axis=-1):
    if axis is None:
        x, axis = x.reshape(-1), 0
    return _torch.sort(x, dim=axis).values


def argsort(x, axis=-1):
    if axis is None:
        x, axis = x.reshape(-1), 0
    return _torch.argsort(x, dim=axis, stable=True).to(_torch.int32)


def top_k(x, k, sorted=True):
    values, indices = _torch.topk(x, k, sorted=sorted)
    return values, indices.to(_torch.int32)


def _at(indices):
    return tuple(_torch.movedim(indices.long(), -1, 0))


def scatter(indices, values, shape):
    out = _torch.zeros(tuple(shape), dtype=values.dtype, device=values.device)
    return out.index_put(_at(indices), values, accumulate=True)


def _scaled(flat, position, rows):
    """Rows times all that belong to their position. (The forward derivative of `scatter_reduce` with products is 0.)"""
    if not len(position):
        return flat.clone()
    order = _torch.argsort(position, stable=True)
    position, rows = position[order], rows[order]
    reach = 1
    while reach < len(position):  # products of 2, of 4 and so on neighbours that belong together
        same = (position[reach:] == position[:-reach]).reshape(-1, *(1,) * (rows.ndim - 1))
        rows = _torch.cat([rows[:reach], _torch.where(same, rows[reach:] * rows[:-reach], rows[reach:])])
        reach *= 2
    every = _torch.arange(len(flat), device=flat.device)
    last = (_torch.searchsorted(position, every, right=True) - 1).clamp(min=0)
    missing = (position[last] != every).reshape(-1, *(1,) * (rows.ndim - 1))
    return flat * rows[last].masked_fill(missing, 1)


def scatter_update(inputs, indices, updates, reduction=None):
    updates = updates.to(inputs.dtype)
    at = _at(indices)
    if reduction is None or reduction == "add":
        return inputs.index_put(at, updates, accumulate=reduction == "add")
    # index_put knows only sums: combine on the flattened leading axes.
    n = indices.shape[-1]
    flat = inputs.reshape(-1, *inputs.shape[n:])
    position = _torch.zeros_like(at[0])
    for axis, index in enumerate(at):
        size = inputs.shape[axis]
        every = _torch.arange(size, device=index.device)  # which refuses what is out of range on this axis
        inside = _torch.index_select(every, 0, _index(index, size).reshape(-1)).reshape(index.shape)
        position = position * size + inside
    rows = updates.expand(*indices.shape[:-1], *inputs.shape[n:]).reshape(-1, *inputs.shape[n:])
    if reduction == "mul":
        return _scaled(flat, position.reshape(-1), rows).reshape(inputs.shape)
    how = {"max": "amax", "min": "amin"}[reduction]
    position = position.reshape(-1, *(1,) * (flat.ndim - 1)).expand_as(rows)
    return flat.scatter_reduce(0, position, rows, how, include_self=True).reshape(inputs.shape)


def _picked(x, begin, shape):
    """A block whose beginning is known only when the compiled code runs."""
    for axis, (at, size) in enumerate(zip(begin, shape, strict=True)):
        if isinstance(at, _torch.Tensor):
            length = x.shape[axis] if size == -1 else size
            x = _torch.index_select(x, axis, at + _torch.arange(length, device=x.device))
        else:
            x = _torch.narrow(x, axis, at, x.shape[axis] - at if size == -1 else size)
    return x


def _traced(begin):
    return _torch.compiler.is_compiling() and any(isinstance(i, _torch.Tensor) for i in begin)


def slice(inputs, start_indices, shape):
    if _traced(start_indices):
        return _picked(inputs, start_indices, shape)
    begin = [int(i) for i in start_indices]
    _check_block("slice", begin, shape, inputs.shape)
    return inputs[tuple(_slice(i, None if s == -1 else i + s) for i, s in zip(begin, shape, strict=True))]


def slice_update(inputs, start_indices, updates):
    if _traced(start_indices):
        places = [i + _torch.arange(s, device=inputs.device) for i, s in zip(start_indices, updates.shape, strict=True)]
        grid = [p.reshape([-1 if a == axis else 1 for a in range(inputs.ndim)]) for axis, p in enumerate(places)]
        return inputs.index_put(grid, updates.to(inputs.dtype))
    out = inputs.clone()
    begin = [int(i) for i in start_indices]
    _check_block("slice_update", begin, updates.shape, inputs.shape)
    out[tuple(_slice(i, i + s) for i, s in zip(begin, updates.shape, strict=True))] = updates.to(inputs.dtype)
    return out


def get_item(x, key):
    keys = key if isinstance(key, tuple) else (key,)
    if any(isinstance(k, _slice) and k.step is not None and k.step < 0 for k in keys):
        return _reversed(x, keys)
    return x[key]


def _reversed(x, keys):
    # torch has no negative steps: such an axis is picked by an index.
    axis, plain, picks = 0, [], []
    filled = [k for k in keys if k is not None]
    for k in keys:
        if k is Ellipsis:
            axis = x.ndim - (len(filled) - filled.index(Ellipsis) - 1)
            plain.append(k)
            continue
        if isinstance(k, _slice) and k.step is not None and k.step < 0:
            picks.append((axis, _torch.arange(*k.indices(x.shape[axis]), device=x.device)))
            plain.append(_slice(None))
        else:
            plain.append(k)
        axis += k is not None
    for at, index in picks:
        x = _torch.index_select(x, at, index)
    return x[tuple(plain)]


def _ranks(x):
    """Integers in the order of floats, NaN the greatest of them."""
    x = x if x.dtype in (_torch.float32, _torch.float64) else x.float()
    kind = _torch.int32 if x.dtype == _torch.float32 else _torch.int64
    greatest = _torch.iinfo(kind).max
    bits = _torch.where(x == 0, 0.0, x).view(kind)  # both zeros are one
    bits = _torch.where(bits < 0, bits ^ greatest, bits)
    return bits.masked_fill(_torch.isnan(x), greatest)


def searchsorted(sorted_sequence, values, side="left"):
    if sorted_sequence.is_floating_point():  # torch has no place for NaN
        sorted_sequence, values = _ranks(sorted_sequence), _ranks(values)
    return _torch.searchsorted(sorted_sequence, values.contiguous(), side=side, out_int32=True)


def view(x, dtype=None):
    return x if dtype is None else x.contiguous().view(_t.native_dtype(_name(dtype)))
