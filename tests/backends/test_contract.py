"""The backends are interchangeable: every one has the same rooms with the same functions."""

from __future__ import annotations

import inspect
from types import ModuleType
from typing import Any

import pytest

import tricera.ops.recurrent  # noqa: F401 - ops that are defined where they are first needed
from tests.conftest import BACKENDS
from tricera.backends import contract
from tricera.core import dispatch
from tricera.core.op import OPS

# Functions of the tables that are no ops: what ops without tensor arguments stand on, and kernels with extra arguments.
HELPERS = {"full", "filled_like", "arange", "fused_dropout", "resized", "segments", "warped"}
# Functions that only some backends have, for a reason.
EXTRA = {
    "tensor": {"native_dtype", "from_numpy", "device", "set_device", "is_sparse_type"},
    "random": {"fused_dropout", "generator", "uniform_on"},
    "optimizer": {"sgd", "rmsprop", "adam", "decay", "scalars", "scope"},
}


def table(backend: str) -> dict[str, object]:
    """The ops of a backend."""
    return dispatch._room(backend, "ops").TABLE


def public(room: ModuleType | type) -> dict[str, Any]:
    """The functions that a module or a Protocol defines itself."""
    home = room.__name__ if isinstance(room, ModuleType) else room.__module__
    return {
        name: value
        for name, value in vars(room).items()
        if not name.startswith("_") and inspect.isfunction(value) and value.__module__ == home
    }


@pytest.mark.parametrize("name", BACKENDS)
def test_every_primitive_is_there(name: str) -> None:
    """A primitive op has a function of its name in every table."""
    assert sorted(set(contract.primitives()) - set(table(name))) == []


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


@pytest.mark.parametrize("name", BACKENDS)
@pytest.mark.parametrize("room", contract.ROOMS)
def test_rooms_are_as_written_down(room: str, name: str) -> None:
    """A room has the members of its Protocol, which take the same arguments, and no others."""
    module, protocol = dispatch._room(name, room), contract.ROOMS[room]
    functions = public(protocol)
    missing = (set(inspect.get_annotations(protocol)) | set(functions)) - set(vars(module))
    assert sorted(missing) == []
    assert sorted(set(public(module)) - set(functions) - EXTRA.get(room, set())) == []
    for key, function in functions.items():
        written = list(inspect.signature(function).parameters)[1:]
        assert list(inspect.signature(getattr(module, key)).parameters) == written, key


@pytest.mark.parametrize("name", BACKENDS)
def test_detours_name_ops_of_the_table(name: str) -> None:
    """What is computed in another dtype is in the table, and the other dtype is another."""
    for op, kinds in dispatch._room(name, "ops").DETOURS.items():
        assert op in table(name)
        assert all(kind != via for kind, via in kinds.items())
