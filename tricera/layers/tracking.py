"""What a layer holds: variables, sublayers, metrics and seeds are found by walking its attributes, in order.

Nothing is wrapped and nothing intercepts assignment: a list of layers stays a list.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import Any

from tricera.core.variable import Variable
from tricera.metrics.metric import Metric
from tricera.random import SeedGenerator

# Attributes that point to other objects of the graph, or at what the layer does not own.
NOT_OWNED = frozenset(
    {
        "_inbound_nodes",
        "_outbound_nodes",
        "_init_arguments",
        "_losses",
        "_call_context",
        "_backend",
        "_dtype_policy",
        "_native_state",
        "_tracked_variables",
        "_unowned",
        "_snapshot",
        "_seen",
    }
)
_PLAIN = frozenset({str, int, float, bool, type(None)})
_CONTAINERS = frozenset({list, tuple, dict, set, frozenset})


def held(value: Any) -> Iterator[Any]:
    """The objects in a value that may be nested lists, tuples, sets and dicts."""
    if isinstance(value, dict):
        for inner in value.values():
            yield from held(inner)
    elif isinstance(value, (list, tuple, set, frozenset)):
        for inner in value:
            yield from held(inner)
    else:
        yield value


def owned(layer: Any, kind: type | tuple[type, ...]) -> list[Any]:
    """The objects of a kind that a layer holds, each once, in the order of its attributes."""
    found: dict[int, Any] = {}
    unowned = layer.__dict__.get("_unowned", ())
    for name, value in layer.__dict__.items():
        cls = type(value)
        if cls in _PLAIN or name in NOT_OWNED or name in unowned:
            continue
        if cls not in _CONTAINERS and isinstance(value, kind):
            found.setdefault(id(value), value)
        elif cls not in _CONTAINERS or value:
            for item in held(value):
                if isinstance(item, kind):
                    found.setdefault(id(item), item)
    return list(found.values())


@contextlib.contextmanager
def snapshot(layer: Any) -> Iterator[None]:
    """While this is entered, what a layer holds is looked up once: nobody adds a layer or a variable in the meantime."""
    before = layer.__dict__.get("_snapshot")
    layer.__dict__["_snapshot"] = {}
    try:
        yield
    finally:
        layer.__dict__["_snapshot"] = before


def remembered(find: Callable[[Any], list[Any]]) -> Callable[[Any], list[Any]]:
    """A getter that looks in the layer's snapshot first, if it has one."""
    name = find.__name__

    @functools.wraps(find)
    def get(self: Any) -> list[Any]:
        kept = self.__dict__.get("_snapshot")
        if kept is None:
            return find(self)
        if name not in kept:
            kept[name] = find(self)
        return list(kept[name])

    return get


def own_variables(layer: Any) -> list[Variable]:
    """A layer's own variables, those that were made trainable first."""
    found = {id(v): v for v in layer.__dict__.get("_tracked_variables", ())}
    for variable in owned(layer, Variable):
        found.setdefault(id(variable), variable)
    variables = list(found.values())
    return [v for v in variables if v.learnable] + [v for v in variables if not v.learnable]


def unique(items: Iterator[Any]) -> list[Any]:
    """Each object once."""
    return list({id(item): item for item in items}.values())


def seeds_of(layer: Any) -> list[SeedGenerator]:
    """The seed generators that a layer holds itself."""
    return owned(layer, SeedGenerator)


def metrics_of(layer: Any) -> list[Metric]:
    """The metrics that a layer holds itself."""
    return owned(layer, Metric)
