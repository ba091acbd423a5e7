"""Linear algebra: `torch.linalg`."""

from __future__ import annotations

import functools as _functools

import torch as _torch

_L = _torch.linalg

_HALF = (_torch.float16, _torch.bfloat16)


def _in_float32(function):
    """The function, on half floats computed in float32: there are no kernels for them."""

    @_functools.wraps(function)
    def wrapped(x, *args, **kwargs):
        if x.dtype not in _HALF:
            return function(x, *args, **kwargs)
        wide = [a.float() if getattr(a, "dtype", None) in _HALF else a for a in (x, *args)]
        out = function(*wide, **kwargs)
        kind = x.dtype
        return (
            tuple(o.to(kind) if o.dtype == _torch.float32 else o for o in out)
            if isinstance(out, tuple)
            else out.to(kind)
        )

    return wrapped


@_in_float32
def cholesky(x, upper=False):
    return _L.cholesky(x, upper=upper)


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
    return tuple(_L.eigh(x))


@_in_float32
def inv(x):
    return _L.inv(x)


@_in_float32
def lu_factor(x):
    factors, pivots = _L.lu_factor(x)
    # LAPACK counts from 1.
    return factors, pivots - 1


@_in_float32
def qr(x, mode="reduced"):
    return tuple(_L.qr(x, mode))


@_in_float32
def svd(x, full_matrices=True, compute_uv=True):
    return tuple(_L.svd(x, full_matrices)) if compute_uv else _L.svdvals(x)


@_in_float32
def solve(a, b):
    if b.ndim == a.ndim - 1:
        return _L.solve(a, b.unsqueeze(-1)).squeeze(-1)
    return _L.solve(a, b)


@_in_float32
def solve_triangular(a, b, lower=False):
    if b.ndim == a.ndim - 1:
        return _L.solve_triangular(a, b.unsqueeze(-1), upper=not lower).squeeze(-1)
    return _L.solve_triangular(a, b, upper=not lower)
