"""Control: NumPy runs Python as it is, and has no gradients."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tricera.core.dtypes import numpy_dtype
from tricera.core.tensor import Spec

GRADIENTS = False


def value_and_grad(fn: Callable[..., Any], variables: Sequence[Any], has_aux: bool = False) -> Callable[..., Any]:
    """Refuse, with what to do."""
    raise NotImplementedError(
        "The NumPy backend has no gradients, so it can't train. Choose another backend, "
        "or move the model: `model.to_backend('jax')`."
    )


def remat(fn: Callable[..., Any]) -> Callable[..., Any]:
    """The function itself: nothing is kept for a backward pass."""
    return fn


def abstract(fn: Callable[..., Any], specs: Sequence[Spec], variables: Sequence[Any] = ()) -> Any:
    """What `fn` returns for inputs of these shapes, found with zeros."""
    return fn([np.zeros(s.shape, numpy_dtype(s.dtype)) for s in specs])
