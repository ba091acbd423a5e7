"""Sparse tensors: `tf.SparseTensor`, whose places are always in order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from tricera.backends.tensorflow.tensor import densify, is_sparse  # noqa: F401 - part of the room


def make(indices: Any, values: Any, shape: tuple[Any, ...]) -> tf.SparseTensor:
    """A sparse tensor of values at places (n, rank); what comes twice adds up."""
    sizes = tf.stack([tf.cast(n, tf.int64) for n in shape]) if None not in shape else shape
    (values,), indices = _coalesced(tf.cast(indices, tf.int64), [values], sizes)
    return _with_shape(tf.SparseTensor(indices, values, sizes), shape)


def _with_shape(x: tf.SparseTensor, shape: tuple[Any, ...]) -> tf.SparseTensor:
    known = [n if isinstance(n, int) else None for n in shape]
    return x.with_values(x.values) if None in known else tf.SparseTensor(x.indices, x.values, known)


def _coalesced(indices: Any, several: list[Any], sizes: Any) -> tuple[list[Any], Any]:
    """Places in ascending order, each once, values of the same place added up."""
    steps = tf.math.cumprod(tf.cast(sizes, tf.int64), exclusive=True, reverse=True)
    line = tf.reduce_sum(indices * steps, -1)
    order = tf.argsort(line, stable=True)
    places, which = tf.unique(tf.gather(line, order))
    count = tf.shape(places)[0]
    several = [tf.math.unsorted_segment_sum(tf.gather(v, order), which, count) for v in several]
    apart = (places[:, None] // steps) % tf.cast(sizes, tf.int64) if indices.shape[-1] else indices[:count]
    return several, apart


def values(x: Any) -> Any:
    """The values that are stored."""
    return x.values


def with_values(x: Any, values: Any) -> tf.SparseTensor:
    """The same places with other values."""
    return x.with_values(values)


def align(a: Any, b: Any) -> tuple[tf.SparseTensor, tf.SparseTensor]:
    """Both with the places of either, in the same order."""
    left = tf.concat([a.values, tf.zeros_like(b.values)], 0)
    right = tf.concat([tf.zeros_like(a.values), b.values], 0)
    (left, right), indices = _coalesced(tf.concat([a.indices, b.indices], 0), [left, right], a.dense_shape)
    return tf.SparseTensor(indices, left, a.dense_shape), tf.SparseTensor(indices, right, a.dense_shape)


def at(x: Any, like: Any) -> Any:
    """The elements of a dense tensor, broadcast, at the places of a sparse one."""
    first = like.shape.rank - x.shape.rank
    return tf.gather_nd(x, tf.minimum(like.indices[:, first:], tf.shape(x, tf.int64) - 1))


def matmul(a: Any, b: Any) -> Any:
    """The product of two matrices; sparse where both are."""
    if not is_sparse(a):
        return tf.transpose(tf.sparse.sparse_dense_matmul(b, a, adjoint_a=True, adjoint_b=True))
    if not is_sparse(b):
        return tf.sparse.sparse_dense_matmul(a, b)
    raw = tf.raw_ops
    left, right = (
        raw.SparseTensorToCSRSparseMatrix(indices=x.indices, values=x.values, dense_shape=x.dense_shape) for x in (a, b)
    )
    product = raw.SparseMatrixSparseMatMul(a=left, b=right, type=a.dtype)
    found = raw.CSRSparseMatrixToSparseTensor(sparse_matrix=product, type=a.dtype)
    return _with_shape(tf.SparseTensor(*found), (a.shape[0], b.shape[1]))


def reshape(x: Any, shape: tuple[Any, ...]) -> tf.SparseTensor:
    """The same elements in another shape."""
    return tf.sparse.reshape(x, [-1 if n is None else n for n in shape])


def transpose(x: Any, axes: tuple[int, ...]) -> tf.SparseTensor:
    """The axes in another order."""
    return tf.sparse.transpose(x, axes)


def concatenate(xs: Sequence[Any], axis: int) -> tf.SparseTensor:
    """Tensors joined along an axis."""
    return tf.sparse.concat(axis, list(xs))


def sum(x: Any, axes: tuple[int, ...]) -> tf.SparseTensor:
    """The sum over axes."""
    rest = [i for i in range(x.shape.rank) if i not in axes]
    if not rest:
        return tf.SparseTensor(tf.zeros((1, 0), tf.int64), tf.reduce_sum(x.values)[None], [])
    return make(tf.gather(x.indices, rest, axis=1), x.values, tuple(x.shape[i] for i in rest))
