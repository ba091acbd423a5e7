"""NumPy has no sparse tensors: what would be sparse elsewhere is dense here, and stores all its elements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tricera.backends.numpy.tensor import densify, is_sparse  # noqa: F401 - part of the room


def make(indices: Any, values: Any, shape: tuple[int, ...]) -> np.ndarray:
    """An array of values at places (n, rank); what comes twice adds up."""
    out = np.zeros(shape, values.dtype)
    np.add.at(out, tuple(indices.T), values)
    return out


def values(x: Any) -> np.ndarray:
    """The values that are stored."""
    return x


def with_values(x: Any, values: Any) -> np.ndarray:
    """The same places with other values."""
    return values


def align(a: Any, b: Any) -> tuple[np.ndarray, np.ndarray]:
    """Both with the places of either."""
    return a, b


def at(x: Any, like: Any) -> np.ndarray:
    """The elements of a tensor, broadcast, at the places of another."""
    return np.broadcast_to(x, like.shape)


def matmul(a: Any, b: Any) -> np.ndarray:
    """The product of two matrices."""
    return a @ b


def reshape(x: Any, shape: tuple[int, ...]) -> np.ndarray:
    """The same elements in another shape."""
    return x.reshape(shape)


def transpose(x: Any, axes: tuple[int, ...]) -> np.ndarray:
    """The axes in another order."""
    return x.transpose(axes)


def concatenate(xs: Sequence[Any], axis: int) -> np.ndarray:
    """Tensors joined along an axis."""
    return np.concatenate(xs, axis)


def sum(x: Any, axes: tuple[int, ...]) -> np.ndarray:
    """The sum over axes."""
    return x.sum(axes)
