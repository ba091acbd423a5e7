"""What a layer holds: variables, sublayers, metrics and seeds are found by walking its attributes, in order.

Nothing is wrapped and nothing intercepts assignment: a list of layers stays a list.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import threading
from collections.abc import Callable, Iterator
from typing import Any

from tricera.core.variable import Variable
from tricera.metrics.metric import Metric
from tricera.random import SeedGenerator

# Attributes that point to other objects of the graph, or at what the layer does not own.
NOT_OWNED = frozenset(
    {
        "_build_shapes_dict",
        "_inbound_nodes",
        "_outbound_nodes",
        "_init_arguments",
        "_losses",
        "_call_context",
        "_backend",
        "_dtype_policy",
        "_policy_map",
        "_native_state",
        "_tracked_variables",
        "_unowned",
        "_snapshot",
        "_seen",
    }
)
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


# What is looked for; other rooms add theirs with `look_for`.
KINDS: list[type] = [Variable, Metric, SeedGenerator]


class _Sorts(dict[type, int]):
    """Class -> 0 holds nothing of these, 1 is one, 2 is a container; asked for millions of attributes, it answers in C."""

    def __missing__(self, cls: type) -> int:
        sort = self[cls] = 2 if issubclass(cls, tuple(_CONTAINERS)) else int(issubclass(cls, tuple(KINDS)))
        return sort


_SORTS = _Sorts()
_sort_of = _SORTS.__getitem__
# thread -> (what is asked, id of a layer) -> (the layer, the answer), while that thread walks a structure that stays as it is
_walks: dict[int, dict[tuple[Any, int], tuple[Any, list[Any]]]] = {}


def look_for(kind: type) -> None:
    """Let `owned` find objects of a further kind."""
    KINDS.append(kind)
    _SORTS.clear()


@contextlib.contextmanager
def walk() -> Iterator[None]:
    """While this is entered, each layer's attributes are looked through once; nobody changes them in the meantime."""
    thread = threading.get_ident()
    outer = _walks.get(thread)
    _walks[thread] = {} if outer is None else outer
    try:
        yield
    finally:
        if outer is None:
            del _walks[thread]


def owned(layer: Any, kind: type) -> list[Any]:
    """The objects of a kind that a layer holds, each once, in the order of its attributes.

    Raises:
        LookupError: the kind is not looked for.
    """
    if kind not in KINDS:
        raise LookupError(f"{kind.__name__} is not among what is looked for; call `look_for({kind.__name__})` first.")
    return [x for x in once(_look, layer) if isinstance(x, kind)]


def once(find: Callable[[Any], list[Any]], layer: Any) -> list[Any]:
    """What a function finds for a layer; within a `walk` it is called once, and the caller must not change the list."""
    known = _walks.get(threading.get_ident()) if _walks else None
    if known is None:
        return find(layer)
    entry = known.get((find, id(layer)))
    if entry is None:
        entry = known[find, id(layer)] = layer, find(layer)
    return entry[1]


def _look(layer: Any) -> list[Any]:
    attributes = layer.__dict__
    found: dict[int, Any] = {}
    kinds = tuple(KINDS)
    unowned = attributes.get("_unowned", ())
    for name, value in itertools.compress(attributes.items(), map(_sort_of, map(type, attributes.values()))):
        if name in NOT_OWNED or name in unowned:
            continue
        if _sort_of(type(value)) == 1:
            found.setdefault(id(value), value)
        elif value:
            for item in held(value):
                if isinstance(item, kinds):
                    found.setdefault(id(item), item)
    return list(found.values())


@contextlib.contextmanager
def snapshot(layer: Any) -> Iterator[None]:
    """While this is entered, what a layer holds is looked up once: nobody adds a layer or a variable in the meantime."""
    before = layer.__dict__.get("_snapshot")
    layer.__dict__["_snapshot"] = {}
    try:
        with walk():
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
