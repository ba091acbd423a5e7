"""Fourier transforms; pairs of real tensors stand for complex ones."""

from __future__ import annotations

import jax.numpy as _jnp


def _parts(z, like):
    return z.real.astype(like.dtype), z.imag.astype(like.dtype)


def _wide(x):
    return x if x.dtype in ("float32", "float64") else x.astype("float32")


def _complex(x):
    return _wide(x[0]) + 1j * _wide(x[1])


def fft(x):
    return _parts(_jnp.fft.fft(_complex(x)), x[0])


def fft2(x):
    return _parts(_jnp.fft.fft2(_complex(x)), x[0])


def ifft2(x):
    return _parts(_jnp.fft.ifft2(_complex(x)), x[0])


def rfft(x, fft_length=None):
    return _parts(_jnp.fft.rfft(_wide(x), fft_length), x)


def irfft(x, fft_length=None):
    return _jnp.fft.irfft(_complex(x), fft_length).astype(x[0].dtype)


def view_as_complex(x):
    z = _wide(x)[..., 0] + 1j * _wide(x)[..., 1]
    return z.astype("complex128" if x.dtype == "float64" else "complex64")


def view_as_real(x):
    return _jnp.stack([x.real, x.imag], -1)
