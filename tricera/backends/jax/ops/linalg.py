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


@_jax.custom_jvp
def _symmetric(x):
    """The symmetric matrix of a lower triangle: of the other one nothing is read, and both get half of the gradient."""
    return _jnp.tril(x) + _jnp.swapaxes(_jnp.tril(x, -1), -1, -2).conj()


@_symmetric.defjvp
def _symmetric_jvp(primals, tangents):
    return _symmetric(*primals), (tangents[0] + _jnp.swapaxes(tangents[0], -1, -2).conj()) / 2


@_in_float32
def cholesky(x, upper=False):
    out = _jnp.linalg.cholesky(_symmetric(x), symmetrize_input=False)
    failed = _jnp.isnan(out).any((-2, -1), keepdims=True)
    out = _jnp.tril(_jnp.where(failed, _jnp.nan, out))
    return _jnp.swapaxes(out, -1, -2).conj() if upper else out


@_in_float32
def det(x):
    return _jnp.linalg.det(x)


@_in_float32
def slogdet(x):
    return tuple(_jnp.linalg.slogdet(x))


@_in_float32
def eig(x):
    # The derivative of the vectors is that for vectors of length 1, as on the other frameworks.
    return tuple(_jax.lax.linalg.eig(x, compute_left_eigenvectors=False, enable_eigvec_derivs=True))


@_in_float32
def eigh(x):
    return tuple(_jnp.linalg.eigh(_symmetric(x), symmetrize_input=False))


@_in_float32
def inv(x):
    return _jnp.linalg.inv(x)


@_in_float32
def lu_factor(x):
    return tuple(_jax.lax.linalg.lu(x)[:2])


@_in_float32
def qr(x, mode="reduced"):
    return tuple(_jnp.linalg.qr(x, mode))


@_jax.custom_jvp
def _full_svd(x):
    return tuple(_jnp.linalg.svd(x))


@_full_svd.defjvp
def _full_svd_jvp(primals, tangents):
    """JAX has the derivative of the thin factors only. The vectors beyond them turn with these and not among themselves."""
    u, s, vh = _full_svd(*primals)
    k = s.shape[-1]
    inner = _jnp.swapaxes(u, -1, -2) @ tangents[0] @ _jnp.swapaxes(vh, -1, -2)  # dx in the bases of both sides
    core = inner[..., :k, :k]
    flipped = _jnp.swapaxes(core, -1, -2)
    gap = (s[..., None, :] - s[..., :, None]) * (s[..., None, :] + s[..., :, None]) + _jnp.eye(k)
    factor = (1 - _jnp.eye(k)) / gap
    left = factor * (core * s[..., None, :] + s[..., :, None] * flipped)
    right = factor * (s[..., :, None] * core + flipped * s[..., None, :])

    def turned(vectors, square, below):
        """`vectors` times an antisymmetric matrix of the parts that are known."""
        beside = -_jnp.swapaxes(below, -1, -2)
        rest = _jnp.zeros((*below.shape[:-2], below.shape[-2], below.shape[-2]), below.dtype)
        upper, lower = _jnp.concatenate([square, beside], -1), _jnp.concatenate([below, rest], -1)
        return vectors @ _jnp.concatenate([upper, lower], -2)

    du = turned(u, left, inner[..., k:, :k] / s[..., None, :])
    dv = turned(_jnp.swapaxes(vh, -1, -2), right, _jnp.swapaxes(inner[..., :k, k:], -1, -2) / s[..., None, :])
    ds = _jnp.diagonal(core, axis1=-2, axis2=-1)
    return (u, s, vh), (du, ds, _jnp.swapaxes(dv, -1, -2))


@_in_float32
def svd(x, full_matrices=True, compute_uv=True):
    if compute_uv and full_matrices and x.shape[-1] != x.shape[-2] and not _jnp.iscomplexobj(x):
        return _full_svd(x)
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
