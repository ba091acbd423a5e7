"""Sparse tensors among an op's operands: which ops keep them sparse, and how; all others get dense ones.

`tricera/ops/sparse.py` fills the table, once for all backends; what they differ in is the room `sparse` of each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from tricera.core import dispatch


class Rule(NamedTuple):
    """How an op treats sparse operands.

    Attributes:
        run: gets the backend's room and the op's arguments; gives the result, or NotImplemented where the operands must be dense.
        keeps: whether the result is sparse, by which of the operands are.
    """

    run: Callable[..., Any]
    keeps: Callable[[list[bool]], bool]


RULES: dict[str, Rule] = {}


def flags(operands: list[Any]) -> list[bool]:
    """Which operands are sparse, symbolic ones too."""
    return [_is_sparse(x) for x in operands]


def _is_sparse(x: Any) -> bool:
    if getattr(x, "_keras_symbolic", False):
        return bool(x.sparse)
    backend = dispatch.of(x)
    return backend is not None and backend.is_sparse(x)


def any_sparse(backend: dispatch.Backend, operands: Iterable[Any]) -> bool:
    """Whether any of the tensors is sparse."""
    for x in operands:
        if backend.is_sparse(x):
            return True
    return False


def run(name: str, values: list[Any], tensors: list[tuple[int, str]], backend: dispatch.Backend) -> Any:
    """The op on sparse operands; NotImplemented, and all operands dense in their places, where it has no way of its own."""
    rule = RULES.get(name)
    if rule is not None:
        found = rule.run(backend.sparse, *values)
        if found is not NotImplemented:
            return found
    densify = backend.densify
    for i, kind in tensors:
        value = values[i]
        if kind == "many" and isinstance(value, (list, tuple)):
            values[i] = [densify(v) for v in value]
        elif value is not None:
            values[i] = densify(value)
    return NotImplemented
