"""Linear algebra: NumPy's own, in the dtype of the operands."""

from __future__ import annotations

import functools as _functools

import numpy as _np


def _wide(x):
    return x if x.dtype in (_np.float32, _np.float64) or x.dtype.kind == "c" else x.astype("float32")


def _or_nan(function):
    """The function, with NaN for each matrix that holds NaN or an infinity, on which LAPACK may not end."""

    @_functools.wraps(function)
    def wrapped(x, *args, **kwargs):
        finite = _np.isfinite(_wide(x)).all((-2, -1), keepdims=True)
        if finite.all():
            return function(x, *args, **kwargs)
        out = function(_np.where(finite, x, _np.eye(*x.shape[-2:], dtype=x.dtype)), *args, **kwargs)

        def marked(part):
            known = finite if part.ndim == x.ndim else finite[..., 0]
            missing = complex(_np.nan, _np.nan) if part.dtype.kind == "c" else _np.nan
            return _np.where(known, part, _np.asarray(missing, part.dtype))

        return tuple(map(marked, out)) if isinstance(out, tuple) else marked(out)

    return wrapped


def _lower(x):
    """The symmetric (Hermitian) matrix of the lower triangle: of the other one nothing is read."""
    return _np.tril(x) + _np.conj(_np.swapaxes(_np.tril(x, -1), -1, -2))


def _cholesky(x):
    try:
        return _np.linalg.cholesky(x)
    except _np.linalg.LinAlgError:
        if x.ndim == 2:
            return _np.full_like(x, _np.nan)
        return _np.stack([_cholesky(matrix) for matrix in x])


def cholesky(x, upper=False):
    out = _np.asarray(_cholesky(_wide(x)), x.dtype)
    out = _np.tril(_np.where(_np.isnan(out).any((-2, -1), keepdims=True), _np.asarray(_np.nan, x.dtype), out))
    return _np.conj(_np.swapaxes(out, -1, -2)) if upper else out


def det(x):
    return _np.linalg.det(_wide(x)).astype(x.dtype)


def _real(x):
    return x.real.dtype if x.dtype.kind == "c" else x.dtype  # bfloat16 has no `real`


def slogdet(x):
    sign, logarithm = _np.linalg.slogdet(_wide(x))
    sign = _np.where(_np.isnan(logarithm), logarithm, sign)
    return _np.asarray(sign, x.dtype), _np.asarray(logarithm, _real(x))


@_or_nan
def eig(x):
    kind = "complex128" if x.dtype == _np.float64 else "complex64"
    return tuple(part.astype(kind) for part in _np.linalg.eig(_wide(x)))


def eigh(x):
    return _symmetric_eig(_lower(x))


@_or_nan
def _symmetric_eig(x):
    values, vectors = _np.linalg.eigh(_wide(x))
    return values.astype(_real(x)), vectors.astype(x.dtype)


def inv(x):
    return _np.linalg.inv(_wide(x)).astype(x.dtype)


def lu_factor(x):
    n = x.shape[-1]
    flat = _wide(x).reshape(-1, n, n).copy()
    pivots = _np.zeros((len(flat), n), "int32")
    for a, p in zip(flat, pivots, strict=True):
        for i in range(n):
            p[i] = i + _np.argmax(
                _np.nan_to_num(_np.abs(a[i:, i]), nan=-1.0, posinf=_np.inf)
            )  # as LAPACK passes over NaN
            a[[i, p[i]]] = a[[p[i], i]]
            if a[i, i] != 0:
                a[i + 1 :, i] /= a[i, i]
                a[i + 1 :, i + 1 :] -= _np.outer(a[i + 1 :, i], a[i, i + 1 :])
    return flat.reshape(x.shape).astype(x.dtype), pivots.reshape(x.shape[:-1])


def qr(x, mode="reduced"):
    return tuple(part.astype(x.dtype) for part in _np.linalg.qr(_wide(x), mode))


@_or_nan
def svd(x, full_matrices=True, compute_uv=True):
    out = _np.linalg.svd(_wide(x), full_matrices, compute_uv)
    if not compute_uv:
        return out.astype(_real(x))
    u, s, v = out
    return u.astype(x.dtype), s.astype(_real(x)), v.astype(x.dtype)


def solve(a, b):
    if b.ndim == a.ndim - 1:
        return _np.linalg.solve(_wide(a), _wide(b)[..., None])[..., 0].astype(b.dtype)
    return _np.linalg.solve(_wide(a), _wide(b)).astype(b.dtype)


def solve_triangular(a, b, lower=False):
    if b.ndim == a.ndim - 1:
        return solve_triangular(a, b[..., None], lower)[..., 0]
    wide, right = _wide(a), _wide(b)
    n = a.shape[-1]
    lead = _np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    out = _np.zeros((*lead, *b.shape[-2:]), right.dtype)
    with _np.errstate(all="ignore"):  # a zero on the diagonal gives infinities and NaN
        for i in range(n) if lower else reversed(range(n)):
            known = slice(0, i) if lower else slice(i + 1, n)
            rest = right[..., i, :] - _np.einsum("...j,...jk->...k", wide[..., i, known], out[..., known, :])
            out[..., i, :] = rest / wide[..., i, i, None]
    return out.astype(b.dtype)
