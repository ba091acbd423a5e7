"""Optimizers: how trainable variables follow their gradients.

The maths of each is a pure function in `rules`; a class adds hyperparameters and names its slots; the driver in `optimizer`
clips, accumulates, decays, updates and averages, once for all. A backend may update all variables at once
(`backends/<name>/optimizer.py`).
"""

from __future__ import annotations

from typing import Any

from tricera.core.configurable import config_of
from tricera.core.registry import lookup
from tricera.optimizers import schedules as schedules
from tricera.optimizers.adafactor import Adafactor as Adafactor
from tricera.optimizers.adagrad import Adadelta as Adadelta, Adagrad as Adagrad
from tricera.optimizers.adam import Adam as Adam, Adamax as Adamax, AdamW as AdamW, Nadam as Nadam
from tricera.optimizers.ftrl import Ftrl as Ftrl
from tricera.optimizers.lion import Lamb as Lamb, Lion as Lion
from tricera.optimizers.loss_scale import LossScaleOptimizer as LossScaleOptimizer
from tricera.optimizers.multi import MultiOptimizer as MultiOptimizer, OptimizerMap as OptimizerMap
from tricera.optimizers.muon import Muon as Muon
from tricera.optimizers.optimizer import Optimizer as Optimizer
from tricera.optimizers.rmsprop import RMSprop as RMSprop
from tricera.optimizers.schedule_free import ScheduleFreeAdamW as ScheduleFreeAdamW
from tricera.optimizers.sgd import SGD as SGD

_CLASSES = (
    Adadelta, Adafactor, Adagrad, Adam, AdamW, Adamax, Ftrl, Lamb, Lion, LossScaleOptimizer, MultiOptimizer, Muon, Nadam, RMSprop,
    SGD, ScheduleFreeAdamW,
)  # fmt: skip
_TABLE: dict[str, Any] = {cls.__name__: cls for cls in _CLASSES}


def get(identifier: Any) -> Any:
    """The optimizer that `identifier` (a name, config, class or object) means; None for None.

    Raises:
        ValueError: it means none.

    Example:
        >>> get("adam").beta_1
        0.9
    """
    if isinstance(identifier, str) and identifier.lower() in ("lossscaleoptimizer", "multioptimizer"):
        raise ValueError(
            f"{identifier!r} wraps other optimizers and can't be made from its name alone; make the object."
        )
    found = lookup("optimizer", identifier, _TABLE)
    if found is not None and not isinstance(found, Optimizer):
        raise ValueError(f"{identifier!r} is not an optimizer. Names: {', '.join(sorted(_TABLE))}.")
    return found


def serialize(optimizer: Optimizer) -> Any:
    """An optimizer as a config.

    Example:
        >>> serialize(SGD())["class_name"]
        'SGD'
    """
    return config_of(optimizer)


def deserialize(config: Any, custom_objects: Any = None) -> Any:
    """An optimizer from a config."""
    return lookup("optimizer", config, _TABLE, custom_objects)


__all__ = [
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Ftrl",
    "Lamb",
    "Lion",
    "LossScaleOptimizer",
    "MultiOptimizer",
    "Muon",
    "Nadam",
    "Optimizer",
    "OptimizerMap",
    "RMSprop",
    "SGD",
    "ScheduleFreeAdamW",
    "deserialize",
    "get",
    "schedules",
    "serialize",
]
