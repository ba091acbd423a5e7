"""Arrays of classes, norms, and the seed of everything."""

from __future__ import annotations

import random as _python_random
import sys
from typing import Any

import numpy as np

from tricera.core import rng
from tricera.random.seed_generator import restart_shared


def set_random_seed(seed: int) -> None:
    """Seed Python, NumPy, Tricera, and the frameworks that are loaded.

    Args:
        seed: an integer that isn't negative.

    Raises:
        ValueError: it isn't one.

    Example:
        >>> from tricera import initializers, ops
        >>> set_random_seed(1); a = ops.convert_to_numpy(initializers.RandomNormal()((2,)))
        >>> set_random_seed(1); b = ops.convert_to_numpy(initializers.RandomNormal()((2,)))
        >>> bool((a == b).all())
        True
    """
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise ValueError(f"`seed` must be an integer that isn't negative, not {seed!r}.")
    _python_random.seed(int(seed))
    np.random.seed(int(seed) % 2**32)
    rng.set_seed(int(seed))
    restart_shared()
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(int(seed))
    if "tensorflow" in sys.modules:
        sys.modules["tensorflow"].random.set_seed(int(seed))


def to_categorical(x: Any, num_classes: int | None = None) -> Any:
    """Integer classes as one-hot vectors.

    Args:
        x: integers of any shape (a last axis of length 1 is dropped).
        num_classes: how many classes there are; default: the largest + 1.

    Returns:
        An array, or a tensor where a tensor was given, with a last axis of classes.

    Raises:
        ValueError: a class is negative or too large.

    Example:
        >>> to_categorical([0, 2]).tolist()
        [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    """
    from tricera import ops
    from tricera.core import dispatch

    if dispatch.of(x) is not None:
        shape = tuple(x.shape)
        x = ops.reshape(x, shape[:-1]) if len(shape) > 1 and shape[-1] == 1 else x
        return ops.one_hot(x, num_classes if num_classes is not None else int(ops.max(x)) + 1)
    classes = np.asarray(x, dtype="int64")
    if classes.ndim > 1 and classes.shape[-1] == 1:
        classes = classes.reshape(classes.shape[:-1])
    count = int(classes.max()) + 1 if num_classes is None else int(num_classes)
    if classes.size and (classes.min() < 0 or classes.max() >= count):
        raise ValueError(f"The classes must lie in [0, {count}); got values from {classes.min()} to {classes.max()}.")
    hot = np.zeros((classes.size, count))
    hot[np.arange(classes.size), classes.ravel()] = 1.0
    return hot.reshape(*classes.shape, count)


def normalize(x: Any, axis: int = -1, order: Any = 2) -> Any:
    """x divided by its norm along an axis.

    Args:
        x: an array or a tensor.
        axis: the axis.
        order: of the norm.

    Example:
        >>> normalize(np.array([[3.0, 4.0]])).tolist()
        [[0.6, 0.8]]
    """
    from tricera import ops
    from tricera.core import dispatch

    if dispatch.of(x) is not None:
        norms = ops.norm(x, ord=order, axis=axis, keepdims=True)
        return ops.divide(x, ops.where(ops.equal(norms, 0), 1.0, norms))
    norms = np.atleast_1d(np.linalg.norm(x, order, axis))
    norms[norms == 0] = 1
    return x / np.expand_dims(norms, axis)
