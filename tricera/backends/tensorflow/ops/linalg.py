"""Linear algebra: `tf.linalg`, under NumPy's conventions."""

from __future__ import annotations

import functools as _functools

import numpy as _np
import tensorflow as _tf

from tricera.backends.tensorflow import eager as _eager

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


def _each(test, join, x):
    """A test of real numbers on both parts of complex ones."""
    return join(test(_tf.math.real(x)), test(_tf.math.imag(x))) if x.dtype.is_complex else test(x)


def _missing(dtype):
    """NaN; of a complex number both parts are."""
    nan = _tf.constant(float("nan"), dtype.real_dtype)
    return _tf.complex(nan, nan) if dtype.is_complex else nan


def _or_nan(function):
    """The function, with NaN for each matrix that holds NaN or an infinity: the kernels refuse the whole stack."""

    @_functools.wraps(function)
    def wrapped(x):
        finite = _each(_tf.math.is_finite, _tf.logical_and, x)
        finite = _tf.reduce_all(finite, (-2, -1), keepdims=True)
        size = _tf.shape(x)
        values, vectors = function(_tf.where(finite, x, _tf.eye(size[-2], size[-1], dtype=x.dtype)))
        return tuple(
            _tf.where(known, part, _missing(part.dtype))
            for known, part in ((finite[..., 0], values), (finite, vectors))
        )

    return wrapped


@_tf.custom_gradient
def _symmetric(x):
    """The symmetric matrix of a lower triangle: of the other one nothing is read, and both get half of the gradient."""
    low = _L.band_part(x, -1, 0)
    whole = low + _L.adjoint(low - _L.band_part(x, 0, 0))

    def derivative(upstream):
        return (upstream + _L.adjoint(upstream)) / 2

    return whole, derivative


def _adjoint(x):
    if x.dtype.is_complex:
        return _L.adjoint(x)
    rank = len(x.shape)
    return _tf.raw_ops.Transpose(x=x, perm=_np.array([*range(rank - 2), rank - 1, rank - 2], "int32"))


@_in_float32
def cholesky(x, upper=False):
    out = _tf.raw_ops.Cholesky(input=x)
    if _eager.alone() and not x.dtype.is_complex and _eager.finite(out):
        return _adjoint(out) if upper else out
    unknown = _each(_tf.math.is_nan, _tf.logical_or, _L.band_part(out, -1, 0))
    failed = _tf.reduce_any(unknown, (-2, -1), keepdims=True)
    out = _L.band_part(_tf.where(failed, _missing(x.dtype), out), -1, 0)
    return _adjoint(out) if upper else out


def _cofactors(x):
    """The derivative of the determinant, from singular values: of matrices that have no inverse, too."""
    s, u, v = _L.svd(x)
    others = _tf.math.cumprod(s, -1, exclusive=True) * _tf.math.cumprod(s, -1, exclusive=True, reverse=True)
    sign = _L.det(u) * _L.det(v)
    return _tf.matmul(u * (others * sign[..., None])[..., None, :], v, transpose_b=True)


@_tf.custom_gradient
def _det(x):
    out = _L.det(x)

    def derivative(upstream):
        # TensorFlow's own inverts the matrix, and raises where it can't.
        singular = _tf.equal(out, 0)[..., None, None]
        one = _tf.eye(x.shape[-1], dtype=x.dtype)
        factors = _det(x)[..., None, None] * _L.inv(_tf.where(singular, one, x), adjoint=True)
        some = _tf.reduce_any(singular)
        factors = _tf.cond(
            some, lambda: _tf.where(singular, _cofactors(_tf.where(singular, x, one)), factors), lambda: factors
        )
        return upstream[..., None, None] * factors

    return out, derivative


@_in_float32
def det(x):
    return _L.det(x) if x.dtype.is_complex else _det(x)


@_in_float32
def slogdet(x):
    sign, logarithm = _L.slogdet(x)
    return sign, _tf.math.real(logarithm)


@_in_float32
@_or_nan
def eig(x):
    return tuple(_L.eig(x))


_finite_eigh = _or_nan(_L.eigh)


@_in_float32
def eigh(x):
    if _eager.alone() and _eager.finite(x):
        values, vectors = _tf.raw_ops.SelfAdjointEigV2(input=x)
    else:
        values, vectors = _finite_eigh(_symmetric(x))
    return _tf.math.real(values) if values.dtype.is_complex else values, vectors


@_in_float32
def inv(x):
    return _L.inv(x)


@_tf.custom_gradient
def _lu(x):
    factors, order = _L.lu(x)
    upper = _L.band_part(factors, 0, -1)
    unit = _L.set_diag(_L.band_part(factors, -1, 0), _tf.ones_like(factors[..., 0]))

    def derivative(upstream, _):
        # P x = L U: the gradient is P^T L^-T (tril(L^T g, -1) + triu(g U^T)) U^-T.
        lower = _L.set_diag(_L.band_part(upstream, -1, 0), _tf.zeros_like(upstream[..., 0]))
        below = _tf.matmul(unit, lower, transpose_a=True)
        above = _tf.matmul(_L.band_part(upstream, 0, -1), upper, transpose_b=True)
        inner = _L.band_part(below, -1, 0) - _L.band_part(below, 0, 0) + _L.band_part(above, 0, -1)
        right = _L.matrix_transpose(_L.triangular_solve(upper, _L.matrix_transpose(inner), lower=False))
        rows = _L.triangular_solve(unit, right, lower=True, adjoint=True)
        return _tf.gather(rows, _tf.argsort(order, -1), batch_dims=len(order.shape) - 1)

    return (factors, order), derivative


@_in_float32
def lu_factor(x):
    factors, order = _lu(x)
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
    s, u, v = _tf.raw_ops.Svd(input=x, compute_uv=True, full_matrices=full_matrices)
    return u, _tf.math.real(s) if s.dtype.is_complex else s, _adjoint(v)


@_in_float32
def solve(a, b):
    if len(b.shape) == len(a.shape) - 1:
        return _tf.squeeze(solve(a, _tf.expand_dims(b, -1)), -1)
    if a.shape[:-2] != b.shape[:-2]:  # the kernel does not broadcast
        batch = _tf.broadcast_dynamic_shape(_tf.shape(a)[:-2], _tf.shape(b)[:-2])
        a, b = (_tf.broadcast_to(x, _tf.concat([batch, _tf.shape(x)[-2:]], 0)) for x in (a, b))
    return _L.solve(a, b)


@_in_float32
def solve_triangular(a, b, lower=False):
    if len(b.shape) == len(a.shape) - 1:
        return _tf.squeeze(_L.triangular_solve(a, _tf.expand_dims(b, -1), lower), -1)
    return _L.triangular_solve(a, b, lower)
