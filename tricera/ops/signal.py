"""Fourier transforms, complex numbers as pairs of real ones, and frames of signals."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tricera.core import dispatch
from tricera.core.doors import Natural, Positive
from tricera.core.op import composed, primitive
from tricera.core.spec import broadcast_shapes, real_part
from tricera.core.tensor import Spec, Tensor, TensorLike
from tricera.ops.comparison import greater
from tricera.ops.creation import convert_to_tensor, dtype
from tricera.ops.elementwise import add, divide, multiply
from tricera.ops.select import take, where
from tricera.ops.shape import broadcast_to, pad, reshape
from tricera.ops.unary import cos, sin


def _pair(x: Sequence[Spec], *_: Any) -> tuple[Spec, Spec]:
    if len(x) != 2 or x[0].shape != x[1].shape:
        raise ValueError(
            f"ops.fft needs a pair of tensors of one shape, the real and the imaginary parts; got {[s.shape for s in x]}."
        )
    if not x[0].ndim:
        raise ValueError("ops.fft needs tensors of at least one axis.")
    return x[0], x[1]


def _planes(x: Sequence[Spec]) -> tuple[Spec, Spec]:
    pair = _pair(x)
    if x[0].ndim < 2:
        raise ValueError(f"ops.fft2 needs tensors of at least two axes; got the shape {x[0].shape}.")
    return pair


def _check_length(fft_length: int | None) -> None:
    if fft_length is not None and fft_length <= 0:
        raise ValueError(f"ops.fft: `fft_length` must be positive, not {fft_length}.")


def _rfft_spec(x: Spec, fft_length: int | None = None) -> tuple[Spec, Spec]:
    _check_length(fft_length)
    n = x.shape[-1] if fft_length is None else fft_length
    if n == 0:
        raise ValueError(f"ops.rfft: the last axis of the shape {tuple(x.shape)} holds nothing; give `fft_length`.")
    spec = Spec((*x.shape[:-1], None if n is None else n // 2 + 1), x.dtype)
    return spec, spec


def _irfft_spec(x: Sequence[Spec], fft_length: int | None = None) -> Spec:
    real, _ = _pair(x)
    _check_length(fft_length)
    n = real.shape[-1]
    length = fft_length if fft_length is not None else None if n is None else 2 * (n - 1)
    if length is not None and length < 1:
        raise ValueError(f"ops.irfft: {n} elements on the last axis are too few; give `fft_length`.")
    return Spec((*real.shape[:-1], length), real.dtype)


@primitive(spec=_pair, promote="float", strict=True)
def fft(x: Sequence[TensorLike]) -> Any:
    """The discrete Fourier transform along the last axis, sum over j of x[j] exp(-2 pi i j k / n).

    Args:
        x: the pair (real part, imaginary part) of tensors (..., n).

    Returns:
        Such a pair, of the same shape and a float dtype.

    Raises:
        ValueError: not a pair of tensors of one shape.

    Example:
        >>> from tricera import ops
        >>> real, imag = fft(([1.0, 1.0, 1.0, 1.0], [0.0, 0.0, 0.0, 0.0]))
        >>> ops.convert_to_numpy(real).tolist()
        [4.0, 0.0, 0.0, 0.0]
    """
    ...


@primitive(spec=_planes, promote="float", strict=True)
def fft2(x: Sequence[TensorLike]) -> Any:
    """The discrete Fourier transform along the last two axes; pairs as for `fft`.

    Args:
        x: the pair (real part, imaginary part) of tensors (..., m, n).

    Returns:
        Such a pair, of the same shape and a float dtype.

    Raises:
        ValueError: not a pair of tensors of one shape.

    Example:
        >>> from tricera import ops
        >>> real, imag = fft2(([[1.0, 1.0], [1.0, 1.0]], [[0.0, 0.0], [0.0, 0.0]]))
        >>> ops.convert_to_numpy(real).tolist()
        [[4.0, 0.0], [0.0, 0.0]]
    """
    ...


@primitive(spec=_planes, promote="float", strict=True)
def ifft2(x: Sequence[TensorLike]) -> Any:
    """The inverse of `fft2`.

    Args:
        x: the pair (real part, imaginary part) of tensors (..., m, n).

    Returns:
        Such a pair, of the same shape and a float dtype.

    Raises:
        ValueError: not a pair of tensors of one shape.

    Example:
        >>> from tricera import ops
        >>> real, imag = ifft2(([[4.0, 0.0], [0.0, 0.0]], [[0.0, 0.0], [0.0, 0.0]]))
        >>> ops.convert_to_numpy(real).tolist()
        [[1.0, 1.0], [1.0, 1.0]]
    """
    ...


@primitive(spec=_rfft_spec, promote="float", strict=True)
def rfft(x: TensorLike, fft_length: int | None = None) -> Any:
    """The Fourier transform of real numbers along the last axis: its first n // 2 + 1 elements.

    Args:
        x: a tensor.
        fft_length: n; the axis is cut or filled with zeros to it. Default: its length.

    Returns:
        The pair (real part, imaginary part) of float tensors (..., n // 2 + 1).

    Raises:
        ValueError: `fft_length` isn't positive.

    Example:
        >>> from tricera import ops
        >>> real, imag = rfft([1.0, 1.0, 1.0, 1.0])
        >>> ops.convert_to_numpy(real).tolist()
        [4.0, 0.0, 0.0]
    """
    ...


@primitive(spec=_irfft_spec, promote="float", strict=True)
def irfft(x: Sequence[TensorLike], fft_length: int | None = None) -> Tensor:
    """The inverse of `rfft`.

    Args:
        x: the pair (real part, imaginary part) of tensors (..., m).
        fft_length: the length of the result; default: 2 (m - 1).

    Returns:
        A float tensor (..., fft_length).

    Raises:
        ValueError: not a pair of tensors of one shape, or `fft_length` isn't positive.

    Example:
        >>> from tricera import ops
        >>> ops.convert_to_numpy(irfft(([4.0, 0.0, 0.0], [0.0, 0.0, 0.0]))).tolist()
        [1.0, 1.0, 1.0, 1.0]
    """
    ...


def _complex_spec(x: Spec) -> Spec:
    if not x.ndim or x.shape[-1] != 2:
        raise ValueError(f"ops.view_as_complex: the last axis must hold the 2 parts; got the shape {tuple(x.shape)}.")
    return Spec(x.shape[:-1], "complex128" if x.dtype == "float64" else "complex64")


def _parts_spec(x: Spec) -> Spec:
    return Spec((*x.shape, 2), real_part(x).dtype)


@primitive(spec=_complex_spec, promote="float", strict=True)
def view_as_complex(x: TensorLike) -> Tensor:
    """Complex numbers from a last axis of real and imaginary parts.

    Args:
        x: a tensor (..., 2).

    Returns:
        A tensor (...) of dtype complex64, or complex128 for float64.

    Example:
        >>> complex(view_as_complex([1.0, 2.0]))
        (1+2j)
    """
    ...


@primitive(spec=_parts_spec, promote=None, kinds="nobool")
def view_as_real(x: TensorLike) -> Tensor:
    """The real and imaginary parts of complex numbers as a new last axis.

    Args:
        x: a complex tensor.

    Returns:
        A tensor (..., 2) of dtype float32, or float64 for complex128.

    Example:
        >>> from tricera import ops
        >>> ops.convert_to_numpy(view_as_real(view_as_complex([1.0, 2.0]))).tolist()
        [1.0, 2.0]
    """
    ...


def _polar_spec(abs_: Spec, angle: Spec) -> Spec:
    kind = "complex128" if abs_.dtype == "float64" else "complex64"
    return Spec(broadcast_shapes(abs_.shape, angle.shape), kind)


@composed(spec=_polar_spec, promote="float")
def polar(abs_: TensorLike, angle: TensorLike) -> Tensor:
    """The complex numbers abs_ * exp(i * angle), of these absolute values and angles (in radians).

    Args:
        abs_: a tensor.
        angle: a tensor that broadcasts with it.

    Returns:
        A tensor of the broadcast shape and dtype complex64, or complex128 for float64.

    Example:
        >>> complex(polar(2.0, 0.0))
        (2+0j)
    """
    from tricera.ops.shape import stack

    return view_as_complex(stack([multiply(abs_, cos(angle)), multiply(abs_, sin(angle))], axis=-1))


@composed(promote=None)
def extract_sequences(x: TensorLike, sequence_length: Positive, sequence_stride: Positive) -> Tensor:
    """Frames of the last axis, `sequence_stride` apart.

    Args:
        x: a tensor (..., samples).
        sequence_length: the length of a frame.
        sequence_stride: how far apart they begin.

    Returns:
        A tensor (..., frames, sequence_length); samples that fill no frame are left out.

    Raises:
        ValueError: the frames are longer than the signal.

    Example:
        >>> from tricera import ops
        >>> ops.convert_to_numpy(extract_sequences([1, 2, 3, 4, 5], 3, 2)).tolist()
        [[1, 2, 3], [3, 4, 5]]
    """
    if not len(x.shape):
        raise ValueError("ops.extract_sequences: `x` must have at least one axis.")
    size = x.shape[-1]
    if size is None or size < sequence_length:
        raise ValueError(f"ops.extract_sequences: a signal of {size} samples has no frames of {sequence_length}.")
    frames = (size - sequence_length) // sequence_stride + 1
    return take(x, dispatch.table(_places, frames, sequence_length, sequence_stride), axis=-1)


def _places(frames: int, length: int, stride: int) -> np.ndarray:
    """Where the elements of frames are in the signal."""
    return np.arange(frames, dtype="int32")[:, None] * np.int32(stride) + np.arange(length, dtype="int32")


def _named_window(window: str | None, sequence_length: int, fft_length: int) -> np.ndarray:
    """The window, in the middle of `fft_length` zeros."""
    return _kept_window(
        window, sequence_length, fft_length
    )  # torch.compile takes a plain function alone for a constant


@functools.lru_cache(32)
def _kept_window(window: str | None, sequence_length: int, fft_length: int) -> np.ndarray:
    # Periodic windows: `sequence_length` points of one period of a raised cosine.
    middle = {"hann": 0.5, "hamming": 0.54, None: 1.0}[window]
    points = np.arange(sequence_length) * (2 * math.pi / sequence_length)
    before = (fft_length - sequence_length) // 2
    made = np.pad(middle - (1 - middle) * np.cos(points), (before, fft_length - sequence_length - before))
    made.flags.writeable = False
    return made


def _window(window: Any, sequence_length: Positive, fft_length: int, kind: str) -> Any:
    """The window, in the middle of `fft_length` zeros."""
    if window is None or isinstance(window, str):
        if window not in ("hann", "hamming", None):
            raise ValueError(f"ops.stft: `window` must be 'hann', 'hamming', None or a tensor, not {window!r}.")
        return dispatch.table(_named_window, window, sequence_length, fft_length, dtype=kind)
    values = convert_to_tensor(window, kind)
    if tuple(values.shape) != (sequence_length,):
        raise ValueError(f"ops.stft: the window has the shape {tuple(values.shape)}, not ({sequence_length},).")
    before = (fft_length - sequence_length) // 2
    return pad(values, ((before, fft_length - sequence_length - before),))


def _overlap_add(frames: Any, stride: int) -> Any:
    """What frames (..., frames, length) that begin `stride` apart sum up to: (..., (frames - 1) * stride + length)."""
    *lead, count, length = frames.shape
    open_ = tuple(-1 if d is None else d for d in lead)
    none = ((0, 0),) * len(lead)
    pieces = -(-length // stride)
    frames = pad(frames, (*none, (0, 0), (0, pieces * stride - length)))
    frames = reshape(frames, (*open_, count, pieces, stride))
    # Cut into pieces as long as the stride, the k-th piece of a frame falls on the place of the frame k further on.
    total: Any = None
    for k in range(pieces):
        piece = pad(frames[..., k, :], (*none, (k, pieces - 1 - k), (0, 0)))
        total = piece if total is None else add(total, piece)
    return reshape(total, (*open_, (count + pieces - 1) * stride))[..., : (count - 1) * stride + length]


@composed(promote="float")
def stft(
    x: TensorLike,
    sequence_length: Positive,
    sequence_stride: Positive,
    fft_length: Positive,
    window: Any = "hann",
    center: bool = True,
) -> Any:
    """The short-time Fourier transform along the last axis: `rfft` of overlapping windowed frames.

    Args:
        x: a tensor (..., samples).
        sequence_length: the length of the window.
        sequence_stride: how far apart the frames are.
        fft_length: the length of the transform, at least that of the window.
        window: `"hann"`, `"hamming"`, None or a 1-D tensor.
        center: the signal is reflected at both ends, such that frame t is centred at t * stride.

    Returns:
        The pair (real part, imaginary part) of float tensors (..., frames, fft_length // 2 + 1).

    Raises:
        ValueError: `fft_length` is below `sequence_length`, the window is unknown or of another length, or the signal
            is shorter than a frame.

    Example:
        >>> import numpy as np
        >>> real, imag = stft(np.ones((2, 16)), sequence_length=4, sequence_stride=2, fft_length=8)
        >>> tuple(real.shape)
        (2, 9, 5)
    """
    if fft_length < sequence_length:
        raise ValueError(f"ops.stft: `fft_length`={fft_length} must not be below `sequence_length`={sequence_length}.")
    if not len(x.shape):
        raise ValueError("ops.stft: `x` must have at least one axis.")
    weights = _window(window, sequence_length, fft_length, dtype(x))
    if center:
        x = pad(x, (*((0, 0),) * (len(x.shape) - 1), (fft_length // 2, fft_length // 2)), mode="reflect")
    return rfft(multiply(extract_sequences(x, fft_length, sequence_stride), weights), fft_length)


@composed(promote="float", kinds="real")
def istft(
    x: Sequence[TensorLike],
    sequence_length: Positive,
    sequence_stride: Positive,
    fft_length: Positive,
    length: Natural | None = None,
    window: Any = "hann",
    center: bool = True,
) -> Tensor:
    """The signal of a short-time Fourier transform: windowed frames added up and divided by the windows' squares.

    Args:
        x: the pair (real part, imaginary part) of tensors (..., frames, fft_length // 2 + 1).
        sequence_length: as for `stft`.
        sequence_stride: as for `stft`.
        fft_length: as for `stft`.
        length: the length of the result, at most what the frames cover; default: all of it.
        window: as for `stft`.
        center: as for `stft`.

    Returns:
        A float tensor (..., samples).

    Example:
        >>> from tricera import ops
        >>> spectrum = stft([0.0, 1.0, 2.0, 3.0, 4.0, 5.0], 4, 2, 4)
        >>> ops.convert_to_numpy(istft(spectrum, 4, 2, 4)).round(4).tolist()
        [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
    """
    frames = irfft(x, fft_length)
    if len(frames.shape) < 2:
        raise ValueError("ops.istft: `x` must be a pair of tensors (..., frames, fft_length // 2 + 1).")
    count = frames.shape[-2]
    weights = _window(window, sequence_length, fft_length, dtype(frames))
    total = (count - 1) * sequence_stride + fft_length
    signal = _overlap_add(multiply(frames, weights), sequence_stride)
    squares = broadcast_to(reshape(multiply(weights, weights), (1, fft_length)), (count, fft_length))
    share = _overlap_add(squares, sequence_stride)
    covered = greater(share, 1e-11)
    signal = where(covered, divide(signal, where(covered, share, 1.0)), signal)
    begin = fft_length // 2 if center else 0
    end = begin + length if length is not None else total - begin if center else total
    return signal[..., begin:end]
