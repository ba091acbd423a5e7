"""Whether a model is still what it was: all that its steps depend on besides the values of variables and the batch.

A step on a single batch (`train_on_batch`) would else look through all layers each time, for one that was added, frozen or set
otherwise since, which takes longer than a small step itself. Comparing attributes by identity with those of before takes a
fraction of that, and sees the same and more.
"""

from __future__ import annotations

import functools
import itertools
import operator
import types
from collections.abc import Iterable
from typing import Any

import numpy as np

from tricera.constraints import Constraint
from tricera.core import config
from tricera.core.graph import Operation
from tricera.core.remat import current_remat
from tricera.core.state import current_cells
from tricera.core.variable import Variable, autocast_dtype
from tricera.dtype_policies import DTypePolicy
from tricera.initializers import Initializer
from tricera.layers.call_info import current_call
from tricera.layers.input_spec import InputSpec
from tricera.losses.loss import Loss
from tricera.metrics.metric import Metric
from tricera.optimizers import Optimizer
from tricera.optimizers.schedules import LearningRateSchedule
from tricera.random import SeedGenerator
from tricera.random.seed_generator import shared_generator
from tricera.regularizers import Regularizer
from tricera.training.compile_utils import CompileLoss
from tricera.training.compiled import Compiled

# Attributes that a step itself sets, and which nothing in a step reads that was not set in it before; and the run that it belongs to.
_OF_THE_STEP = frozenset(
    {
        "_losses",
        "_losses_context",
        "_call_context",
        "_snapshot",
        "_seen",
        "_step_cache",
        "_fitting",
        "_inbound_nodes",
        "_outbound_nodes",
    }
)
# What is looked into, wherever it is found.
_PARTS = (
    Operation,
    Compiled,
    Loss,
    Metric,
    Optimizer,
    Regularizer,
    Constraint,
    LearningRateSchedule,
    SeedGenerator,
    CompileLoss,
)
# Values that never change: the same object means the same.
_LASTING = (
    int, float, complex, str, bytes, type(None), type, np.generic, np.dtype, types.FunctionType, types.BuiltinFunctionType,
    types.ModuleType, type(Ellipsis), range, slice, Variable, Initializer, InputSpec,
    DTypePolicy,
)  # fmt: skip
_MADE_ONCE = ("core", "models")  # rooms whose other objects are not changed after they are made
_MOST = 1000  # entries of a container; one that has more is a table rather than a setting


class Fingerprint:
    """What a model holds at one time.

    Args:
        model: a compiled model.
        variables: those of its step.
        step: the step, which is kept with it.

    Attributes:
        order: names of logs -> the same in the order in which they are told, as far as it was asked for.
        usable: whether changes can be told at all; not where there are large containers.
        whole: whether every change can be told: nothing is held that may change inside without a trace, such as an array.
    """

    def __init__(self, model: Any, variables: Iterable[Variable], step: Any) -> None:
        self.step = step
        self.order: dict[tuple[str, ...], list[str]] = {}
        self.usable = self.whole = True
        self._backend, self._seed = model._backend, shared_generator(model._backend).state
        self._variables = list(variables)
        self._flags = [v.trainable for v in self._variables]
        # Attributes: of each part its table, what gets them out of it, and what they were, all in a row.
        self._tables: list[dict[str, Any]] = []
        self._getters: list[Any] = []
        self._attributes: list[Any] = []
        # Containers and what they held, all in a row.
        self._views: list[Any] = []
        self._held: list[Any] = []
        self._empty: list[Any] = []  # containers that were empty
        self._settings = _settings()
        found, queue = {id(model)}, [model]
        while queue:
            for value in self._take(queue.pop()):
                if isinstance(value, _PARTS) and id(value) not in found:
                    found.add(id(value))
                    queue.append(value)
        self._sizes = list(map(len, self._tables)), list(map(len, self._views))

    def _take(self, part: Any) -> list[Any]:
        """Note the attributes of a part; what they hold."""
        attributes = part.__dict__
        names = [n for n in attributes if n not in _OF_THE_STEP]
        if len(names) < 2:
            values = tuple(attributes[n] for n in names)
            self._views.append(attributes.values())
            self._held += attributes.values()
        else:
            get = operator.itemgetter(*names)
            values = get(attributes)
            self._tables.append(attributes)
            self._getters.append(get)
            self._attributes += values
        held: list[Any] = []
        for value in values:
            self._look_into(value, held)
        return held

    def _look_into(self, value: Any, held: list[Any]) -> None:
        if isinstance(value, dict):
            views: tuple[Any, ...] = (value.keys(), value.values())
        elif isinstance(value, (list, tuple, set, frozenset)):
            views = (value,)
        elif isinstance(value, functools.partial):
            views = (value.args, value.keywords.values(), (value.func,))
        else:
            held.append(value)
            self.whole = self.whole and (isinstance(value, (*_LASTING, *_PARTS)) or _home(type(value)) in _MADE_ONCE)
            return
        for view in views:
            contents = tuple(view)
            if len(contents) > _MOST:
                self.usable = False
                return
            if not isinstance(view, tuple):
                (self._views if contents else self._empty).append(view if contents else value)
                self._held += contents
            for inner in contents:
                self._look_into(inner, held)

    def holds(self) -> bool:
        """Whether all is as it was."""
        # One comparison after another, each of all there is at once: no Python code runs for a single attribute.
        tables, views = self._sizes
        try:
            return (
                self._seed is shared_generator(self._backend).state
                and not any(self._empty)
                and list(map(len, self._views)) == views
                and list(map(len, self._tables)) == tables
                and _same(itertools.chain.from_iterable(self._views), self._held)
                and _same(
                    itertools.chain.from_iterable(map(operator.call, self._getters, self._tables)), self._attributes
                )
                and _same(map(_TRAINABLE, self._variables), self._flags)
            )
        except KeyError:  # an attribute is gone
            return False

    def settled(self) -> bool:
        """Whether, all being as it was, a step does now what it did then: no scope is open, and no global setting another."""
        return (
            self.whole
            and current_cells.get() is None
            and current_call.get() is None
            and autocast_dtype.get() is None
            and current_remat.get() is None
            and self._settings == _settings()
        )


_TRAINABLE = operator.attrgetter("trainable")


def _same(now: Iterable[Any], then: list[Any]) -> bool:
    return all(map(operator.is_, now, then))


def _settings() -> tuple[Any, ...]:
    return config.floatx(), config.epsilon(), config.image_data_format(), config.get("flash_attention")


def _home(cls: type) -> str:
    """The room of this library in which a class is defined; "" for a class from elsewhere."""
    names = cls.__module__.split(".")
    return names[1] if names[0] == __name__.partition(".")[0] and len(names) > 1 else ""
