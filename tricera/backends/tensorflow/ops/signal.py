"""Fourier transforms; pairs of real tensors stand for complex ones."""

from __future__ import annotations

import tensorflow as _tf


def _wide(x):
    return x if x.dtype in (_tf.float32, _tf.float64) else _tf.cast(x, _tf.float32)


def _complex(x):
    return _tf.complex(_wide(x[0]), _wide(x[1]))


def _parts(z, like):
    return _tf.cast(_tf.math.real(z), like.dtype), _tf.cast(_tf.math.imag(z), like.dtype)


def fft(x):
    return _parts(_tf.signal.fft(_complex(x)), x[0])


def fft2(x):
    return _parts(_tf.signal.fft2d(_complex(x)), x[0])


def ifft2(x):
    return _parts(_tf.signal.ifft2d(_complex(x)), x[0])


def rfft(x, fft_length=None):
    if fft_length is None:
        if x.shape[-1] == 0:
            raise ValueError("The last axis holds nothing.")
        return _parts(_tf.signal.rfft(_wide(x)), x)
    # Cut here: the kernel's own cut has a gradient of the wrong shape.
    return _parts(_tf.signal.rfft(_wide(x)[..., :fft_length], [fft_length]), x)


def irfft(x, fft_length=None):
    if fft_length is None:
        return _tf.cast(_tf.signal.irfft(_complex(x)), x[0].dtype)
    return _tf.cast(_tf.signal.irfft(_complex(x)[..., : fft_length // 2 + 1], [fft_length]), x[0].dtype)


def view_as_complex(x):
    wide = _wide(x)
    return _tf.complex(wide[..., 0], wide[..., 1])


def view_as_real(x):
    return _tf.stack([_tf.math.real(x), _tf.math.imag(x)], -1)
