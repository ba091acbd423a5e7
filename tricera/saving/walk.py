"""Which objects of a model have weights of their own, and under which path each keeps them: Keras's layout.

What was learned of it from files that Keras wrote. Starting at the model, an object's attributes are visited by name,
public ones before private ones, each group in the order of their characters; properties count. Functional and Sequential
models visit `layers` first. An object belongs to the first path on which it is met. `layers`, and every list, tuple or dict,
names what is in it by its class in snake_case with a number after the first (`dense`, `dense_1`; those that were met before
are counted, too), and containers inside containers `container`, `container_1`. Layers, models and optimizers are kept;
metrics, losses and the layers in a set are not.

Beside these, Tricera keeps what Keras leaves out: the layers in sets, and the state of seed generators, so that a loaded model
goes on with the same random numbers. Keras does not mind finding them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from tricera.core.graph import public_class
from tricera.core.naming import to_snake_case
from tricera.core.variable import Variable
from tricera.layers import tracking
from tricera.models import Functional, Sequential
from tricera.random import SeedGenerator

# Attributes in which the base classes keep books on what is found under the users' own names.
_BOOKS = tracking.NOT_OWNED | {"_functional", "_before", "_stack", "_operations", "_modules", "_parameters", "_buffers"}
_NATIVE = ("_self_", "_tf_", "_forward_", "_backward_", "_state_dict", "_load_state_dict")
# Where the base classes live, whose properties tell nothing of users' attributes.
_BASES = (
    "tricera.core.",
    "tricera.layers.layer",
    "tricera.layers.base.",
    "tricera.models.",
    "tricera.training.",
    "tricera.optimizers.",
    "tricera.backends.",
)
_BASE_PROPERTIES = ("layers", "optimizer", "optimizers")


class Kept(NamedTuple):
    """An object with weights and its path; the root's is empty."""

    path: str
    obj: Any


class Walk:
    """Everything below `root` that is kept.

    Attributes:
        kept: layers, models and optimizers with their paths, in the order in which they were met.
        seeds: path -> the state of a seed generator.
    """

    def __init__(self, root: Any) -> None:
        self.kept: list[Kept] = []
        self.seeds: dict[str, Variable] = {}
        self._seen: dict[int, Any] = {}
        self._visit(root, "")

    def _visit(self, obj: Any, path: str) -> None:
        if not self._first_time(obj):
            return
        self.kept.append(Kept(path, obj))
        for name in attribute_names(obj):
            try:
                value = obj.operations if name == "layers" and isinstance(obj, Functional) else getattr(obj, name)
            except Exception:  # noqa: BLE001, S112 - a property that has no value now leads nowhere
                continue
            self._value(value, f"{path}/{name}" if path else name)

    def _value(self, value: Any, path: str) -> None:
        if is_kept(value):
            self._visit(value, path)
        elif isinstance(value, (list, tuple, set, frozenset, Mapping)):
            self._container(value, path)
        elif isinstance(value, SeedGenerator) and self._first_time(value):
            self.seeds[path] = value.state

    def _container(self, container: Any, path: str) -> None:
        if not self._first_time(container):
            return
        taken: set[str] = set()
        counts: dict[str, int] = {}
        for value in _items(container):
            if is_kept(value) or isinstance(value, SeedGenerator):
                kind = to_snake_case(public_class(value).__name__)
            elif isinstance(value, (list, tuple, set, frozenset, Mapping)):
                kind = "container"
            else:
                continue
            count = counts.get(kind, 0)
            while (name := f"{kind}_{count}" if count else kind) in taken:
                count += 1
            counts[kind] = count + 1
            taken.add(name)
            self._value(value, f"{path}/{name}")

    def _first_time(self, obj: Any) -> bool:
        if id(obj) in self._seen:
            return False
        self._seen[id(obj)] = obj
        return True


def is_kept(value: Any) -> bool:
    """Whether something is a layer, a model or an optimizer (not a metric)."""
    cls = type(value)
    if not hasattr(cls, "save_own_variables") or not hasattr(cls, "load_own_variables"):
        return False
    return not (hasattr(cls, "update_state") and hasattr(cls, "result"))


def attribute_names(obj: Any) -> list[str]:
    """The attributes and properties of an object in which layers may be found, in the order in which they are visited."""
    cls = type(obj)
    books = _BOOKS.union(getattr(obj, "_unowned", ()))
    names = {name for name in vars(obj) if name not in books and not name.startswith(_NATIVE)}
    for base in cls.__mro__:
        if base.__module__.startswith(_BASES) or base.__module__.partition(".")[0] in (
            "builtins",
            "torch",
            "tensorflow",
        ):
            continue
        names.update(name for name, value in vars(base).items() if isinstance(value, property))
    names.update(name for name in _BASE_PROPERTIES if isinstance(getattr(cls, name, None), property))
    first = "layers" if issubclass(cls, (Functional, Sequential)) else ""
    return sorted(names, key=lambda name: (name != first, name.startswith("_"), name))


def _items(container: Any) -> Iterable[Any]:
    if isinstance(container, Mapping):
        return list(container.values())
    if isinstance(container, (set, frozenset)):
        # A set has no order of its own; names given in order of creation do: dense_9 before dense_10.
        return sorted(
            container, key=lambda value: [(len(part), part) for part in re.split(r"_", str(getattr(value, "name", "")))]
        )
    return list(container)
