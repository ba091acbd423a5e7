"""Choosing and placing elements."""

from __future__ import annotations

import jax as _jax
import jax.numpy as _jnp
import numpy as _np

from tricera.core.dtypes import numpy_dtype as _dtype
from tricera.core.sizes import check_block as _check_block


def select_where(condition, x1, x2):
    return _jnp.where(condition, x1, x2)


def nonzero(x):
    return tuple(at.astype(_jnp.int32) for at in _jnp.nonzero(x))


def take(x, indices, axis=None):
    return _jnp.take(x, indices if _jnp.issubdtype(indices.dtype, _jnp.integer) else indices.astype("int32"), axis)


def take_along_axis(x, indices, axis=None):
    return _jnp.take_along_axis(x, indices, axis)


def sort(x, axis=-1):
    return _jnp.sort(x, axis)


def argsort(x, axis=-1):
    return _jnp.argsort(x, axis, stable=True).astype("int32")


def _at(indices):
    return tuple(_jnp.moveaxis(indices, -1, 0))


def scatter(indices, values, shape):
    return scatter_update(_jnp.zeros(shape, values.dtype), indices, values, "add")


@_jax.custom_jvp
def _scaled(inputs, at, updates):
    return inputs.at[at].multiply(updates)


@_scaled.defjvp
def _scaled_jvp(primals, tangents):
    """JAX has none where positions repeat. Each factor's is the product of the others, of which a single zero is left out."""
    inputs, at, updates = primals
    one = _jnp.ones((), inputs.dtype)
    counted = (inputs == 0).astype("int32").at[at].add((updates == 0).astype("int32"))
    rest = _scaled(_jnp.where(inputs == 0, one, inputs), at, _jnp.where(updates == 0, one, updates))

    def others(factor, zeros, product):
        left_out = _jnp.where(factor == 0, one, factor)
        return _jnp.where(zeros == (factor == 0), product / left_out, 0 * product)

    by_inputs = others(inputs, counted, rest)
    by_updates = others(updates, counted[at], rest[at])
    change = tangents[0] * by_inputs
    return _scaled(*primals), change.at[at].add(tangents[2] * by_updates)


def scatter_update(inputs, indices, updates, reduction=None):
    target = inputs.at[_at(indices)]
    updates = updates.astype(inputs.dtype)
    if reduction is None:
        return target.set(updates)
    if inputs.dtype == bool:  # a sum of booleans is the greatest of them, a product the least
        reduction = {"add": "max", "mul": "min"}.get(reduction, reduction)
    if reduction == "mul" and _jnp.issubdtype(inputs.dtype, _jnp.inexact):
        return _scaled(
            inputs, _at(indices), _jnp.broadcast_to(updates, (*indices.shape[:-1], *inputs.shape[indices.shape[-1] :]))
        )
    return {"add": target.add, "max": target.max, "min": target.min, "mul": target.multiply}[reduction](updates)


def _begin(op, start_indices, block, shape):
    """Where a block begins: integers, checked, but for what compiled code gets only when it runs (it moves the block inside)."""
    begin = [i if isinstance(i, _jax.core.Tracer) else int(i) for i in start_indices]
    _check_block(op, begin, block, shape)
    return begin


def slice(inputs, start_indices, shape):
    begin = _begin("slice", start_indices, shape, inputs.shape)
    if any(s == -1 and not isinstance(i, int) for s, i in zip(shape, begin, strict=True)):
        raise TypeError(
            "ops.slice: how much of an axis is left must be known when it is traced; give its length, not -1."
        )
    sizes = [d - i if s == -1 else s for s, d, i in zip(shape, inputs.shape, begin, strict=True)]
    return _jax.lax.dynamic_slice(inputs, begin, sizes)


def slice_update(inputs, start_indices, updates):
    start_indices = _begin("slice_update", start_indices, updates.shape, inputs.shape)
    return _jax.lax.dynamic_update_slice(inputs, updates.astype(inputs.dtype), start_indices)


def top_k(x, k, sorted=True):
    values, indices = _jax.lax.top_k(x, k)
    return values, indices.astype("int32")


def get_item(x, key):
    key = tuple(_np.asarray(k) if isinstance(k, list) else k for k in (key if isinstance(key, tuple) else (key,)))
    axis = 0
    for k in key:
        # JAX takes the last element for an index beyond the end.
        if type(k) is int and not -x.shape[axis] <= k < x.shape[axis]:
            raise IndexError(f"ops.get_item: index {k} is out of range on axis {axis} of length {x.shape[axis]}.")
        if k is Ellipsis or hasattr(k, "shape") or axis + 1 >= x.ndim:
            break
        axis += k is not None
    arrays = [k for k in key if hasattr(k, "dtype") and k.ndim]
    if arrays and all(_jnp.issubdtype(k.dtype, _jnp.integer) for k in arrays):
        return x.at[key].get(mode="fill")  # as `take`; `x[key]` reads the nearest element
    return x[key]


def searchsorted(sorted_sequence, values, side="left"):
    return _jnp.searchsorted(sorted_sequence, values, side).astype("int32")


def view(x, dtype=None):
    return x if dtype is None else x.view(_dtype(dtype))
