"""Sparse tensors: JAX's `BCOO`, whose padding (indices out of range, of value 0) keeps shapes known inside `jax.jit`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
from jax.experimental import sparse

from tricera.backends.jax.tensor import densify, is_sparse  # noqa: F401 - part of the room


def make(indices: Any, values: Any, shape: tuple[int, ...]) -> sparse.BCOO:
    """A sparse tensor of values at places (n, rank); what comes twice adds up."""
    x = sparse.BCOO((values, indices), shape=tuple(shape))
    return sparse.bcoo_sum_duplicates(x, nse=x.nse)


def _flat(x: sparse.BCOO) -> sparse.BCOO:
    return x if x.n_batch == x.n_dense == 0 else sparse.bcoo_update_layout(x, n_batch=0, n_dense=0)


def values(x: Any) -> Any:
    """The values that are stored."""
    return x.data


def with_values(x: Any, values: Any) -> sparse.BCOO:
    """The same places with other values."""
    return sparse.BCOO((values, x.indices), shape=x.shape)


def align(a: Any, b: Any) -> tuple[sparse.BCOO, sparse.BCOO]:
    """Both with the places of either, in the same order."""
    a, b = _flat(a), _flat(b)
    indices = jnp.concatenate([a.indices, b.indices])
    left = jnp.concatenate([a.data, jnp.zeros_like(b.data)])
    right = jnp.concatenate([jnp.zeros_like(a.data), b.data])
    return make(indices, left, a.shape), make(indices, right, a.shape)


def at(x: Any, like: Any) -> Any:
    """The elements of a dense tensor, broadcast, at the places of a sparse one."""
    like = _flat(like)
    first = len(like.shape) - x.ndim
    return x[tuple(jnp.clip(like.indices[:, first + i], 0, n - 1) for i, n in enumerate(x.shape))]


def matmul(a: Any, b: Any) -> Any:
    """The product of two matrices; sparse where both are."""
    return (_flat(a) if is_sparse(a) else a) @ (_flat(b) if is_sparse(b) else b)


def reshape(x: Any, shape: tuple[int, ...]) -> sparse.BCOO:
    """The same elements in another shape."""
    return sparse.bcoo_reshape(_flat(x), new_sizes=tuple(shape))


def transpose(x: Any, axes: tuple[int, ...]) -> sparse.BCOO:
    """The axes in another order."""
    return sparse.bcoo_transpose(_flat(x), permutation=tuple(axes))


def concatenate(xs: Sequence[Any], axis: int) -> sparse.BCOO:
    """Tensors joined along an axis."""
    return sparse.bcoo_concatenate([_flat(x) for x in xs], dimension=axis)


def sum(x: Any, axes: tuple[int, ...]) -> sparse.BCOO:
    """The sum over axes."""
    x = sparse.bcoo_reduce_sum(_flat(x), axes=tuple(axes))
    return sparse.bcoo_sum_duplicates(x, nse=x.nse) if x.ndim else x
