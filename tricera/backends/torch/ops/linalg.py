"""Linear algebra: `torch.linalg`."""

from __future__ import annotations

import contextlib as _contextlib
import functools as _functools
import math as _math

import torch as _torch

from tricera.backends.torch import replay as _replay

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


def _sum(x):
    """The sum of all elements as a number; NaN where it isn't known now, or would have to be waited for."""
    if x.device.type == "cpu" and not _torch.compiler.is_compiling() and not _replay.recording():
        with _contextlib.suppress(RuntimeError):  # inside of `torch.func.vmap` nothing can be read
            return x.sum().item()
    return _math.nan


def _finite(x):
    """Whether all numbers are; False too where the sum of finite ones is infinite."""
    total = _sum(x)
    return total - total == 0


def _or_nan(function):
    """The function, with NaN for each matrix that holds NaN or an infinity: LAPACK refuses the whole stack."""

    @_functools.wraps(function)
    def wrapped(x, *args, **kwargs):
        if _finite(x):
            return function(x, *args, **kwargs)
        finite = _torch.isfinite(x).all(-1, keepdim=True).all(-2, keepdim=True)
        out = function(
            _torch.where(finite, x, _torch.eye(*x.shape[-2:], dtype=x.dtype, device=x.device)), *args, **kwargs
        )

        def marked(part):
            missing = _torch.full((), _torch.nan, dtype=part.real.dtype, device=part.device)
            if part.is_complex():
                missing = _torch.complex(missing, missing)
            return _torch.where(finite if part.ndim == x.ndim else finite[..., 0], part, missing)

        return tuple(map(marked, out)) if isinstance(out, tuple) else marked(out)

    return wrapped


@_in_float32
def cholesky(x, upper=False):
    out, failed = _L.cholesky_ex(x)  # which reads the lower triangle; with `upper` it would read that one
    if _sum(failed) != 0:
        out = _torch.tril(out.masked_fill(failed[..., None, None] != 0, _torch.nan))
    return out.mH if upper else out


@_in_float32
def det(x):
    return _L.det(x)


@_in_float32
def slogdet(x):
    sign, logarithm = _L.slogdet(x)
    return sign.masked_fill(_torch.isnan(logarithm), _torch.nan), logarithm


@_in_float32
@_or_nan
def eig(x):
    return tuple(_L.eig(x))


def _symmetric_eig(x):
    return tuple(_L.eigh(x))


_symmetric_or_nan = _or_nan(_symmetric_eig)


@_in_float32
def eigh(x):
    if _finite(x):
        return _symmetric_eig(x)
    # What the kernel does not read must not count either.
    return _symmetric_or_nan(_torch.where(_torch.isfinite(_torch.triu(x, 1)), x, 0))


@_in_float32
def inv(x):
    return _L.inv(x)


@_in_float32
def lu_factor(x):
    factors, pivots, _ = _L.lu_factor_ex(x)
    # LAPACK counts from 1.
    return factors, pivots - 1


@_in_float32
def qr(x, mode="reduced"):
    return tuple(_L.qr(x, mode))


@_in_float32
@_or_nan
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
