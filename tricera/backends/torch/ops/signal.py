"""Fourier transforms; pairs of real tensors stand for complex ones."""

from __future__ import annotations

import torch as _torch


def _wide(x):
    return x if x.dtype in (_torch.float32, _torch.float64) else x.float()


def _complex(x):
    return _torch.complex(_wide(x[0]), _wide(x[1]))


def _parts(z, like):
    return z.real.to(like.dtype), z.imag.to(like.dtype)


def _transform(function, axes, x, *args):
    """A transform of the last axes; that of empty batches, which MKL refuses, too."""
    if x.numel() or 0 in x.shape[-axes:]:
        return function(x, *args)
    some = function(x.new_zeros(x.shape[-axes:]), *args)
    return (x.sum() * some).expand(*x.shape[:-axes], *some.shape)  # of `x`, for its derivative


def fft(x):
    return _parts(_transform(_torch.fft.fft, 1, _complex(x)), x[0])


def fft2(x):
    return _parts(_transform(_torch.fft.fft2, 2, _complex(x)), x[0])


def ifft2(x):
    return _parts(_transform(_torch.fft.ifft2, 2, _complex(x)), x[0])


def rfft(x, fft_length=None):
    return _parts(_transform(_torch.fft.rfft, 1, _wide(x), fft_length), x)


def irfft(x, fft_length=None):
    return _transform(_torch.fft.irfft, 1, _complex(x), fft_length).to(x[0].dtype)


def view_as_complex(x):
    wide = _wide(x)
    return _torch.complex(wide[..., 0], wide[..., 1])


def view_as_real(x):
    return _torch.view_as_real(x) if x.is_complex() else _torch.stack([x, _torch.zeros_like(x)], -1)


def extract_sequences(x, sequence_length, sequence_stride):
    size = x.shape[-1] if x.ndim else None
    if size is None or size < sequence_length:
        raise ValueError(f"ops.extract_sequences: a signal of {size} samples has no frames of {sequence_length}.")
    return x.unfold(-1, sequence_length, sequence_stride)
