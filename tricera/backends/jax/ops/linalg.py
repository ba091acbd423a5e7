"""Linear algebra: `jax.numpy.linalg` and `jax.lax.linalg`."""

from __future__ import annotations

import jax as _jax
import jax.numpy as _jnp


def cholesky(x, upper=False):
    out = _jnp.linalg.cholesky(x)
    return _jnp.swapaxes(out, -1, -2) if upper else out


def det(x):
    return _jnp.linalg.det(x)


def slogdet(x):
    return tuple(_jnp.linalg.slogdet(x))


def eig(x):
    return tuple(_jnp.linalg.eig(x))


def eigh(x):
    return tuple(_jnp.linalg.eigh(x))


def inv(x):
    return _jnp.linalg.inv(x)


def lu_factor(x):
    return tuple(_jax.lax.linalg.lu(x)[:2])


def qr(x, mode="reduced"):
    return tuple(_jnp.linalg.qr(x, mode))


def svd(x, full_matrices=True, compute_uv=True):
    out = _jnp.linalg.svd(x, full_matrices, compute_uv)
    return tuple(out) if compute_uv else out


def solve(a, b):
    if b.ndim == a.ndim - 1:
        return _jnp.linalg.solve(a, b[..., None])[..., 0]
    return _jnp.linalg.solve(a, b)


def solve_triangular(a, b, lower=False):
    vector = b.ndim == a.ndim - 1
    b = b[..., None] if vector else b
    lead = _jnp.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    a, b = _jnp.broadcast_to(a, (*lead, *a.shape[-2:])), _jnp.broadcast_to(b, (*lead, *b.shape[-2:]))
    out = _jax.lax.linalg.triangular_solve(a, b, left_side=True, lower=lower)
    return out[..., 0] if vector else out
