"""Optimizers: how gradients change variables."""

from __future__ import annotations

from typing import Any

from tricera.core.configurable import config_of
from tricera.core.registry import lookup
from tricera.optimizers import schedules as schedules
from tricera.optimizers.loss_scale import LossScaleOptimizer as LossScaleOptimizer
from tricera.optimizers.optimizer import Optimizer as Optimizer
from tricera.optimizers.rules import (
    SGD as SGD,
    Adadelta as Adadelta,
    Adagrad as Adagrad,
    Adam as Adam,
    Adamax as Adamax,
    AdamW as AdamW,
    Lion as Lion,
    RMSprop as RMSprop,
)

_CLASSES = (Adadelta, Adagrad, Adam, Adamax, AdamW, Lion, LossScaleOptimizer, RMSprop, SGD)
_TABLE: dict[str, Any] = {cls.__name__: cls for cls in _CLASSES}


def get(identifier: Any) -> Any:
    """The optimizer that `identifier` (a name, config, class or object) means; None for None.

    Raises:
        ValueError: it means none.

    Example:
        >>> get("adam").beta_1
        0.9
    """
    found = lookup("optimizer", identifier, _TABLE)
    if found is not None and not isinstance(found, Optimizer):
        raise ValueError(f"{identifier!r} is not an optimizer. Expected one of: {', '.join(_TABLE)}.")
    return found


def serialize(optimizer: Any) -> Any:
    """An optimizer as a config."""
    return config_of(optimizer)


def deserialize(config: Any, custom_objects: Any = None) -> Any:
    """An optimizer from a config."""
    return lookup("optimizer", config, _TABLE, custom_objects)


__all__ = [
    "SGD", "Adadelta", "Adagrad", "Adam", "AdamW", "Adamax", "Lion", "LossScaleOptimizer", "Optimizer", "RMSprop",
    "deserialize", "get", "schedules", "serialize",
]
