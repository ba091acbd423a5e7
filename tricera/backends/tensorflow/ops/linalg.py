"""Linear algebra: `tf.linalg`, under NumPy's conventions."""

from __future__ import annotations

import functools as _functools

import tensorflow as _tf

_L = _tf.linalg

_HALF = (_tf.float16, _tf.bfloat16)


def _in_float32(function):
    """The function, on half floats computed in float32: there are no kernels for them."""

    @_functools.wraps(function)
    def wrapped(x, *args, **kwargs):
        if x.dtype not in _HALF:
            return function(x, *args, **kwargs)
        wide = [_tf.cast(a, _tf.float32) if getattr(a, "dtype", None) in _HALF else a for a in (x, *args)]
        out = function(*wide, **kwargs)
        kind = x.dtype
        return (
            tuple(_tf.cast(o, kind) if o.dtype == _tf.float32 else o for o in out)
            if isinstance(out, tuple)
            else _tf.cast(out, kind)
        )

    return wrapped


@_in_float32
def cholesky(x, upper=False):
    out = _L.cholesky(x)
    return _L.matrix_transpose(out) if upper else out


@_in_float32
def det(x):
    return _L.det(x)


@_in_float32
def slogdet(x):
    return tuple(_L.slogdet(x))


@_in_float32
def eig(x):
    return tuple(_L.eig(x))


@_in_float32
def eigh(x):
    values, vectors = _L.eigh(x)
    return _tf.math.real(values) if values.dtype.is_complex else values, vectors


@_in_float32
def inv(x):
    return _L.inv(x)


@_in_float32
def lu_factor(x):
    factors, order = _L.lu(x)
    # TensorFlow gives the order of the rows; the swaps that lead to it are found one after the other.
    n = x.shape[-1]
    current, pivots = _tf.broadcast_to(_tf.range(n), _tf.shape(order)), []
    for i in range(n):
        wanted = order[..., i : i + 1]
        pivots.append(_tf.argmax(_tf.cast(_tf.equal(current, wanted), _tf.int32), -1, _tf.int32))
        current = _tf.where(_tf.equal(current, wanted), current[..., i : i + 1], current)
        current = _tf.concat([current[..., :i], wanted, current[..., i + 1 :]], -1)
    return factors, _tf.stack(pivots, -1)


@_in_float32
def qr(x, mode="reduced"):
    return tuple(_L.qr(x, full_matrices=mode == "complete"))


@_in_float32
def svd(x, full_matrices=True, compute_uv=True):
    if not compute_uv:
        return _L.svd(x, compute_uv=False)
    s, u, v = _L.svd(x, full_matrices)
    return u, s, _L.adjoint(v)


@_in_float32
def solve(a, b):
    if len(b.shape) == len(a.shape) - 1:
        return _tf.squeeze(_L.solve(a, _tf.expand_dims(b, -1)), -1)
    if a.shape[:-2] != b.shape[:-2]:  # the kernel does not broadcast
        batch = _tf.broadcast_dynamic_shape(_tf.shape(a)[:-2], _tf.shape(b)[:-2])
        a, b = (_tf.broadcast_to(x, _tf.concat([batch, _tf.shape(x)[-2:]], 0)) for x in (a, b))
    return _L.solve(a, b)


@_in_float32
def solve_triangular(a, b, lower=False):
    if len(b.shape) == len(a.shape) - 1:
        return _tf.squeeze(_L.triangular_solve(a, _tf.expand_dims(b, -1), lower), -1)
    return _L.triangular_solve(a, b, lower)
