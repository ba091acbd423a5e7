"""Linear algebra: `jax.numpy.linalg` and `jax.lax.linalg`."""

from __future__ import annotations

import functools as _functools

import jax as _jax
import jax.numpy as _jnp

_HALF = (_jnp.dtype("float16"), _jnp.dtype("bfloat16"))


def _in_float32(function):
    """The function, on half floats computed in float32: there are no kernels for them."""

    @_functools.wraps(function)
    def wrapped(x, *args, **kwargs):
        if x.dtype not in _HALF:
            return function(x, *args, **kwargs)
        wide = [a.astype("float32") if getattr(a, "dtype", None) in _HALF else a for a in (x, *args)]
        out = function(*wide, **kwargs)
        kind = x.dtype
        return (
            tuple(o.astype(kind) if o.dtype == "float32" else o for o in out)
            if isinstance(out, tuple)
            else out.astype(kind)
        )

    return wrapped


@_in_float32
def cholesky(x, upper=False):
    out = _jnp.linalg.cholesky(x)
    return _jnp.swapaxes(out, -1, -2) if upper else out


@_in_float32
def det(x):
    return _jnp.linalg.det(x)


@_in_float32
def slogdet(x):
    return tuple(_jnp.linalg.slogdet(x))


@_in_float32
def eig(x):
    return tuple(_jnp.linalg.eig(x))


@_in_float32
def eigh(x):
    return tuple(_jnp.linalg.eigh(x))


@_in_float32
def inv(x):
    return _jnp.linalg.inv(x)


@_in_float32
def lu_factor(x):
    return tuple(_jax.lax.linalg.lu(x)[:2])


@_in_float32
def qr(x, mode="reduced"):
    return tuple(_jnp.linalg.qr(x, mode))


@_in_float32
def svd(x, full_matrices=True, compute_uv=True):
    out = _jnp.linalg.svd(x, full_matrices, compute_uv)
    return tuple(out) if compute_uv else out


@_in_float32
def solve(a, b):
    if b.ndim == a.ndim - 1:
        return _jnp.linalg.solve(a, b[..., None])[..., 0]
    return _jnp.linalg.solve(a, b)


@_in_float32
def solve_triangular(a, b, lower=False):
    vector = b.ndim == a.ndim - 1
    b = b[..., None] if vector else b
    lead = _jnp.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    a, b = _jnp.broadcast_to(a, (*lead, *a.shape[-2:])), _jnp.broadcast_to(b, (*lead, *b.shape[-2:]))
    out = _jax.lax.linalg.triangular_solve(a, b, left_side=True, lower=lower)
    return out[..., 0] if vector else out
