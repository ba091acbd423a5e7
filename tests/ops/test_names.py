"""What Keras calls by name in the rooms of the ops is here, with the same parameters and members."""

from __future__ import annotations

import importlib
import inspect
from typing import Any

import pytest

from tests.api.surface import KERAS_NAMES

ROOMS = ("ops", "random", "tree", "backend", "activations")
TOP = (
    "name_scope",
    "device",
    "Operation",
    "Function",
    "SymbolicScope",
    "StatelessScope",
    "remat",
    "RematScope",
    "KerasTensor",
    "Variable",
)
ROWS = [
    row.split("\t")
    for row in KERAS_NAMES.read_text(encoding="utf-8").splitlines()
    if not row.startswith("#") and (row.split(".")[0] in ROOMS or row.split("\t")[0] in TOP)
]


def find(name: str) -> Any:
    """The object of that name."""
    room, _, attribute = f"tricera.{name}".rpartition(".")
    return getattr(importlib.import_module(room), attribute)


def wanted_parameters(signature: str) -> list[tuple[str, str | None]]:
    """Names and defaults of the parameters of `(a, b=1, *, c=(1, 2), **kwargs)`."""
    scope: dict[str, Any] = {}
    try:
        exec(f"def f{signature}: ...", {"__builtins__": {}}, scope)
    except (SyntaxError, NameError):  # a default that is no literal
        return []
    return [
        (p.name, None if p.default is p.empty else repr(p.default))
        for p in inspect.signature(scope["f"]).parameters.values()
        if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
    ]


@pytest.mark.parametrize("room", [*ROOMS, "top"])
def test_names_parameters_and_members(room: str) -> None:
    """Each name is there; its parameters come in the same order with the same defaults; classes have the members."""
    rows = [r for r in ROWS if (r[0] in TOP) == (room == "top") and (room == "top" or r[0].split(".")[0] == room)]
    assert len(rows) >= 8
    problems = []
    for name, kind, signature, members, *_ in ((*r, "", "")[:5] for r in rows):
        try:
            value = find(name)
        except (ImportError, AttributeError):
            problems.append(f"{name} is missing")
            continue
        if kind in ("function", "class") and signature:
            wanted = wanted_parameters(signature)
            have = {
                p.name: p for p in inspect.signature(value.__init__ if kind == "class" else value).parameters.values()
            }
            order = [n for n in have if n in dict(wanted)]
            if order != [n for n, _ in wanted]:
                problems.append(f"{name}{signature}: have {inspect.signature(value)}")
            for parameter, default in wanted:
                mine = have.get(parameter)
                if mine is not None and default is not None and repr(mine.default) != default:
                    problems.append(f"{name}: {parameter}={default}, have {mine.default!r}")
        if kind == "class":
            problems += [f"{name}.{m} is missing" for m in members.split() if not hasattr(value, m)]
    assert not problems, "\n".join(problems)
