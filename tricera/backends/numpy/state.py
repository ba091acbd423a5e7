"""Variables are plain arrays."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np


def make(value: np.ndarray, dtype: str, trainable: bool, name: str) -> np.ndarray:
    """The native form of a variable's initial value."""
    return np.array(value)


def read(native: np.ndarray) -> np.ndarray:
    """The value as a tensor."""
    return native


def assign(native: Any, value: np.ndarray) -> np.ndarray:
    """The native form after assigning."""
    return np.array(value)


def accumulate(native: Any, value: Any) -> Any:
    """The native form after adding a tensor or an array of its dtype, or a number."""
    return assign(native, native + value)


def zero(native: Any) -> np.ndarray:
    """The native form of zeros."""
    return np.zeros_like(native)


def set_trainable(native: Any, trainable: bool) -> Any:
    """The native form after a change of `trainable`."""
    return native


def native_class(cls: type) -> type:
    """The class of a layer on this backend: the layer's own, it needs no native base."""
    return cls


def without_gradients() -> contextlib.AbstractContextManager[Any]:
    """A block in which nothing is recorded for a backward pass; only torch needs to be told."""
    return contextlib.nullcontext()


def concrete() -> contextlib.AbstractContextManager[Any]:
    """A block in which computations yield values; here they always do."""
    return contextlib.nullcontext()
