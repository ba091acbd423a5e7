"""Reading and setting the learning rate of a model's optimizer."""

from __future__ import annotations

from typing import Any

import numpy as np

from tricera.core import dispatch


def scalar(value: Any) -> float:
    """A Python float of a number, a scalar array, a variable or a tensor.

    Raises:
        TypeError, ValueError: it is no such thing.
    """
    if isinstance(value, (int, float)):
        return float(value)
    backend = dispatch.of(value)
    if backend is not None:
        value = backend.to_numpy(value)
    elif callable(getattr(value, "numpy", None)):
        value = value.numpy()
    return float(np.asarray(value).reshape(()))


def _optimizer(callback: Any) -> Any:
    optimizer = getattr(callback.model, "optimizer", None)
    if not hasattr(optimizer, "learning_rate"):
        raise ValueError(
            f"{type(callback).__name__} sets the learning rate, but the model has no optimizer with one. Compile it "
            "with an optimizer first."
        )
    return optimizer


def read(callback: Any) -> float:
    """The learning rate of the callback's model.

    Raises:
        ValueError: the model has no optimizer, or that has no learning rate.
    """
    return scalar(_optimizer(callback).learning_rate)


def write(callback: Any, value: float) -> None:
    """Set it."""
    _optimizer(callback).learning_rate = value
