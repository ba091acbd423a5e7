"""Linear algebra: NumPy's own, in the dtype of the operands."""

from __future__ import annotations

import numpy as _np


def _wide(x):
    return x if x.dtype in (_np.float32, _np.float64) or x.dtype.kind == "c" else x.astype("float32")


def cholesky(x, upper=False):
    out = _np.linalg.cholesky(_wide(x)).astype(x.dtype)
    return _np.swapaxes(out, -1, -2) if upper else out


def det(x):
    return _np.linalg.det(_wide(x)).astype(x.dtype)


def _real(x):
    return x.real.dtype if x.dtype.kind == "c" else x.dtype  # bfloat16 has no `real`


def slogdet(x):
    sign, log = _np.linalg.slogdet(_wide(x))
    return sign.astype(x.dtype), log.astype(_real(x))


def eig(x):
    kind = "complex128" if x.dtype == _np.float64 else "complex64"
    return tuple(part.astype(kind) for part in _np.linalg.eig(_wide(x)))


def eigh(x):
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
            p[i] = i + _np.argmax(_np.abs(a[i:, i]))
            a[[i, p[i]]] = a[[p[i], i]]
            if a[i, i] != 0:
                a[i + 1 :, i] /= a[i, i]
                a[i + 1 :, i + 1 :] -= _np.outer(a[i + 1 :, i], a[i, i + 1 :])
    return flat.reshape(x.shape).astype(x.dtype), pivots.reshape(x.shape[:-1])


def qr(x, mode="reduced"):
    return tuple(part.astype(x.dtype) for part in _np.linalg.qr(_wide(x), mode))


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
    return solve(_np.tril(a) if lower else _np.triu(a), b)
