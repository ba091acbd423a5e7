"""The backends are interchangeable: every one has the same rooms with the same functions."""

from __future__ import annotations

import inspect
from types import ModuleType

import pytest

import tricera.ops  # noqa: F401 - defines the ops
from tests.conftest import BACKENDS
from tricera.core import dispatch
from tricera.core.op import OPS

# Functions of the tables that are no ops: what ops without tensor arguments stand on, and kernels with extra arguments.
HELPERS = {"full", "filled_like", "arange", "fused_dropout"}
# Rooms, and functions that only some backends have, for a reason.
ROOMS = {
    "tensor": {"native_dtype", "from_numpy", "device", "set_device", "densify"},
    "random": {"fused_dropout"},
    "state": set(),
    "control": set(),
}


def table(backend: str) -> dict[str, object]:
    """The ops of a backend."""
    return dispatch._room(backend, "ops").TABLE


def public(module: ModuleType) -> set[str]:
    """The functions that a module defines itself."""
    return {
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and inspect.isfunction(value) and value.__module__ == module.__name__
    }


@pytest.mark.parametrize("name", BACKENDS)
def test_every_primitive_is_there(name: str) -> None:
    """A primitive op has a function of its name in every table."""
    assert sorted(n for n, op in OPS.items() if op.primitive and n not in table(name)) == []


@pytest.mark.parametrize("name", BACKENDS)
def test_the_table_holds_nothing_else(name: str) -> None:
    """What is in a table is an op or a known helper."""
    assert sorted(set(table(name)) - set(OPS) - HELPERS) == []


@pytest.mark.parametrize("name", BACKENDS)
def test_kernels_take_the_op_arguments(name: str) -> None:
    """A kernel written in Python takes the op's static arguments by name."""
    for op_name, op in OPS.items():
        kernel = table(name).get(op_name)
        if not inspect.isfunction(kernel) or not op.statics:
            continue
        try:
            parameters = inspect.signature(kernel).parameters
        except ValueError:
            continue
        if any(p.kind is p.VAR_KEYWORD for p in parameters.values()) or hasattr(kernel, "__wrapped__"):
            continue
        assert {op.names[i] for i in op.statics} <= set(parameters), f"{name}: {op_name}"


@pytest.mark.parametrize("room", ROOMS)
def test_rooms_have_the_same_functions(room: str) -> None:
    """The public functions of a room are the same on every backend."""
    found = {name: public(dispatch._room(name, room)) - ROOMS[room] for name in BACKENDS}
    everything = set().union(*found.values())
    assert {name: sorted(everything - functions) for name, functions in found.items()} == {
        name: [] for name in BACKENDS
    }
