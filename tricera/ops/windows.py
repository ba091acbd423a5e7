"""Windows for signals: bartlett, blackman, hamming, hanning, kaiser."""

from __future__ import annotations

from typing import Any

import numpy as np

from tricera.core import dispatch
from tricera.core.doors import guarded
from tricera.core.tensor import Tensor, TensorLike
from tricera.ops.creation import convert_to_numpy


def _points(function: Any, *args: Any) -> np.ndarray:
    return np.asarray(function(*args), "float64")


def _window(function: Any, *parameters: Any) -> Tensor:
    plain = [v if isinstance(v, (int, float)) else convert_to_numpy(v).item() for v in parameters]
    return dispatch.table(_points, function, int(plain[0]), *plain[1:], dtype="float32")


@guarded
def bartlett(x: TensorLike) -> Tensor:
    """The triangular window of `x` points, 1 - |2 n / (x - 1) - 1|.

    Args:
        x: the number of points, an integer or a scalar tensor.

    Returns:
        A vector of float32; an empty one if `x` is less than 1.

    Example:
        >>> convert_to_numpy(bartlett(3)).tolist()
        [0.0, 1.0, 0.0]
    """
    return _window(np.bartlett, x)


@guarded
def blackman(x: TensorLike) -> Tensor:
    """Blackman's window of `x` points, 0.42 - 0.5 cos(2 pi n / (x - 1)) + 0.08 cos(4 pi n / (x - 1)).

    Args:
        x: the number of points, an integer or a scalar tensor.

    Returns:
        A vector of float32; an empty one if `x` is less than 1.

    Example:
        >>> round(float(blackman(5)[1]), 4)
        0.34
    """
    return _window(np.blackman, x)


@guarded
def hamming(x: TensorLike) -> Tensor:
    """Hamming's window of `x` points, 0.54 - 0.46 cos(2 pi n / (x - 1)).

    Args:
        x: the number of points, an integer or a scalar tensor.

    Returns:
        A vector of float32; an empty one if `x` is less than 1.

    Example:
        >>> round(float(hamming(3)[0]), 4)
        0.08
    """
    return _window(np.hamming, x)


@guarded
def hanning(x: TensorLike) -> Tensor:
    """Hann's window of `x` points, 0.5 - 0.5 cos(2 pi n / (x - 1)).

    Args:
        x: the number of points, an integer or a scalar tensor.

    Returns:
        A vector of float32; an empty one if `x` is less than 1.

    Example:
        >>> convert_to_numpy(hanning(3)).tolist()
        [0.0, 1.0, 0.0]
    """
    return _window(np.hanning, x)


@guarded
def kaiser(x: TensorLike, beta: TensorLike) -> Tensor:
    """Kaiser's window of `x` points, I0(beta sqrt(1 - (2 n / (x - 1) - 1)^2)) / I0(beta).

    Args:
        x: the number of points, an integer or a scalar tensor.
        beta: the shape, a number or a scalar tensor; 0 gives a rectangle.

    Returns:
        A vector of float32; an empty one if `x` is less than 1.

    Example:
        >>> convert_to_numpy(kaiser(3, 0.0)).tolist()
        [1.0, 1.0, 1.0]
    """
    return _window(np.kaiser, x, beta)
