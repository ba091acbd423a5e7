"""Linear algebra: `torch.linalg`."""

from __future__ import annotations

import torch as _torch

_L = _torch.linalg


def cholesky(x, upper=False):
    return _L.cholesky(x, upper=upper)


def det(x):
    return _L.det(x)


def slogdet(x):
    return tuple(_L.slogdet(x))


def eig(x):
    return tuple(_L.eig(x))


def eigh(x):
    return tuple(_L.eigh(x))


def inv(x):
    return _L.inv(x)


def lu_factor(x):
    factors, pivots = _L.lu_factor(x)
    # LAPACK counts from 1.
    return factors, pivots - 1


def qr(x, mode="reduced"):
    return tuple(_L.qr(x, mode))


def svd(x, full_matrices=True, compute_uv=True):
    return tuple(_L.svd(x, full_matrices)) if compute_uv else _L.svdvals(x)


def solve(a, b):
    if b.ndim == a.ndim - 1:
        return _L.solve(a, b.unsqueeze(-1)).squeeze(-1)
    return _L.solve(a, b)


def solve_triangular(a, b, lower=False):
    if b.ndim == a.ndim - 1:
        return _L.solve_triangular(a, b.unsqueeze(-1), upper=not lower).squeeze(-1)
    return _L.solve_triangular(a, b, upper=not lower)
