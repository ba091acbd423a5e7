"""Every option of every loss, metric, optimizer and kin has a value of its own in some case beside Keras.

The cases are run with a module that only notes what is made, so that this is quick and needs no Keras.
"""

from __future__ import annotations

import inspect
from typing import Any
from unittest.mock import MagicMock

import numpy as np
import pytest

import tricera
from tests.parity import optimizers_run
from tests.parity.losses import cases as losses
from tests.parity.metrics import cases as metrics
from tests.parity.small_rooms import cases as small_rooms
from tests.parity.training_on import cases as training_on

# What has no case beside Keras: `Class`, `Class.option`, or `Base.option` for all classes of a base, with the reason.
EXCEPTIONS: dict[str, str] = {
    "CategoricalGeneralizedCrossEntropy.name": "Keras can't read its config, which the cases of names go through",
    "Identity.gain": "Keras forgets it in its config; tests/initializers has its values",
    "LossFunctionWrapper": "Keras has no public class of this name",
    "IoU.axis": "Keras flattens before it looks for the axis; tests/metrics has its values",
    "MeanIoU.axis": "as IoU.axis",
    "OneHotIoU.axis": "as IoU.axis",
    "OneHotMeanIoU.axis": "as IoU.axis",
    "Metric.dtype": "metrics in half precision have cases of their own",
}


class Notes:
    """Stands in for `keras`, or one of its rooms: notes what its classes are called with."""

    def __init__(self, room: Any, noted: dict[type, dict[str, list[Any]]]) -> None:
        self._room, self._noted = room, noted

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._room, name, None)
        if inspect.ismodule(found):
            return Notes(found, self._noted)
        if not inspect.isclass(found):
            return MagicMock()

        def make(*args: Any, **kwargs: Any) -> Any:
            given = inspect.signature(found).bind(*args, **kwargs).arguments
            for option, value in {**given, **given.get("kwargs", {})}.items():
                self._noted.setdefault(found, {}).setdefault(option, []).append(value)
            return MagicMock()

        return make


@pytest.fixture(scope="module")
def noted():
    found: dict[type, dict[str, list[Any]]] = {}
    spy = Notes(tricera, found)
    tables = [
        *losses.CASES.values(),
        *metrics.CASES.values(),
        *small_rooms.CASES.values(),
        *training_on.WRAPPED.values(),
    ]
    for case in tables:
        try:
            case(spy)
        except Exception:  # noqa: BLE001, S112 - what is made of notes fails sooner or later
            continue
    for case in optimizers_run.CASES:
        optimizers_run.make(spy.optimizers, case)
    return found


def classes():
    for room, base in (
        (tricera.losses, tricera.losses.Loss), (tricera.metrics, tricera.metrics.Metric),
        (tricera.optimizers, tricera.optimizers.Optimizer),
        (tricera.optimizers.schedules, tricera.optimizers.schedules.LearningRateSchedule),
        (tricera.initializers, tricera.initializers.Initializer), (tricera.regularizers, tricera.regularizers.Regularizer),
        (tricera.constraints, tricera.constraints.Constraint),
    ):  # fmt: skip
        for name in sorted(dir(room)):
            cls = getattr(room, name)
            if inspect.isclass(cls) and issubclass(cls, base) and cls is not base and name == cls.__name__:
                yield cls


def excepted(cls: type, option: str) -> bool:
    return cls.__name__ in EXCEPTIONS or any(f"{base.__name__}.{option}" in EXCEPTIONS for base in cls.__mro__)


def differs(value: Any, default: Any) -> bool:
    if default is inspect.Parameter.empty:
        return True
    return type(value) is not type(default) or not np.array_equal(value, default)


@pytest.mark.parametrize("cls", list(dict.fromkeys(classes())), ids=lambda cls: cls.__name__)
def test_has_a_case(cls, noted):
    lacking = []
    for option, parameter in inspect.signature(cls).parameters.items():
        if parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
            continue
        if excepted(cls, option):
            continue
        if not any(differs(value, parameter.default) for value in noted.get(cls, {}).get(option, ())):
            lacking.append(option)
    assert not lacking


def test_the_exceptions_are_needed(noted):
    """An exception for what has a case by now, or is gone, goes."""
    known = {cls.__name__: cls for cls in [*classes(), tricera.metrics.Metric]}
    for name in EXCEPTIONS:
        owner, _, option = name.partition(".")
        assert owner in known, name
        if option and owner != "Metric":
            default = inspect.signature(known[owner]).parameters[option].default
            assert not any(differs(value, default) for value in noted.get(known[owner], {}).get(option, ())), name
