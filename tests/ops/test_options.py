"""Every op, every option of it and every documented value of an option stands in some row whose values are known.

Rows are those of the table, calls that have a reference, and the laws of `tests/random`. Calls run on NumPy, once, and what they give to the
public functions is noted.
"""

from __future__ import annotations

import functools
import inspect
import re
import types
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import tricera
from tests.ops.option_calls import CALLS, REFERENCES
from tests.ops.test_ops import BY_OP
from tests.random import test_draws as draws
from tricera import ops, random
from tricera.core import dispatch
from tricera.core.inference import PUBLIC
from tricera.core.op import OPS

# Ops, options ("op.option") and values ("op.option.value") that no row shows, and why.
EXCEPTIONS: dict[str, str] = {
    "convert_to_numpy": "every test reads its results by it",
    "dtype": "no tensor comes out: test_linalg.py, test_not_tensors",
    "image.elastic_transform": "its numbers are random: test_image.py, test_elastic_transform",
    "is_tensor": "no tensor comes out: test_linalg.py, test_not_tensors",
    "jvp": "NumPy has no derivatives: test_linalg.py, test_jvp",
    "ndim": "no tensor comes out: test_linalg.py, test_not_tensors",
    "shape": "no tensor comes out: test_linalg.py, test_not_tensors",
    "size": "no tensor comes out: test_linalg.py, test_not_tensors",
    "argpartition.axis": "only the place of the k-th is promised: test_ops.py, test_argpartition_by_axis",
    "bincount.sparse": "sparse tensors are compared in test_sparse.py",
    "convert_to_tensor.ragged": "ragged tensors are TensorFlow's: test_ragged.py",
    "convert_to_tensor.sparse": "sparse tensors are compared in test_sparse.py",
    "image.resize.fill_mode": "there is one mode, which a row gives",
    "moments.synchronized": "one process has nobody to synchronise with",
    "multi_hot.sparse": "sparse tensors are compared in test_sparse.py",
    "one_hot.sparse": "sparse tensors are compared in test_sparse.py",
    "einsum.subscripts.ij,jk->ik": "an example, of which there are others",
    "rearrange.pattern.b (h w) c -> b c h w": "an example, of which there are others",
}
RECURRENT = "tricera.ops.recurrent"  # compared with loops over their cells, and with Keras, among the layers


def functions() -> dict[str, Callable[..., Any]]:
    """All public ops by name, those that only layers call, and all draws."""
    found = {n: f for n, f in vars(ops).items() if n[0] != "_" and isinstance(f, types.FunctionType)}
    found |= {n: PUBLIC[n] for n, op in OPS.items() if op.fn.__module__ != RECURRENT}
    found |= {f"image.{n}": getattr(ops.image, n) for n in ops.image.__all__}
    found |= {f"random.{n}": f for n, f in vars(random).items() if isinstance(f, types.FunctionType)}
    last = {id(f): n for n, f in found.items()}  # aliases are one function
    return {n: f for n, f in found.items() if last[id(f)] == n}


class Notes:
    """A module, or `tricera`, whose functions note their arguments under their names."""

    def __init__(self, module: Any, given: dict[str, dict[str, list[Any]]], names: dict[int, str]) -> None:
        self.module, self.given, self.names = module, given, names

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.module, name)
        if isinstance(found, types.ModuleType):
            return Notes(found, self.given, self.names)
        if id(found) not in self.names:
            return found

        def noted(*args: Any, **kwargs: Any) -> Any:
            note(self.given, self.names[id(found)], found, args, kwargs)
            return found(*args, **kwargs)

        return noted


def note(given: Any, name: str, function: Callable[..., Any], args: Any, kwargs: Any) -> None:
    """Add the arguments of a call."""
    for option, value in inspect.signature(function).bind(*args, **kwargs).arguments.items():
        given.setdefault(name, {}).setdefault(option, []).append(value)


@functools.cache
def shown() -> dict[str, dict[str, list[Any]]]:
    """Op -> option -> the values that rows give to it."""
    given: dict[str, dict[str, list[Any]]] = {}
    names = {id(f): n for n, f in functions().items()}
    for op, rows in BY_OP.items():
        for case in rows:
            note(given, names[id(PUBLIC[op])], PUBLIC[op], case.args, case.kwargs)
    with dispatch.use("numpy"), pytest.MonkeyPatch.context() as patch:
        for key in REFERENCES:
            arrays, call = CALLS[key]
            call(Notes(tricera, given, names), *map(ops.convert_to_tensor, arrays))
        patch.setattr(draws, "random", Notes(random, given, names))
        for draw in draws.LAWFUL.values():
            draw(1)
    return given


def is_default(value: Any, parameter: inspect.Parameter) -> bool:
    """Whether a row that gives it shows nothing."""
    return value is parameter.default or (type(value) is type(parameter.default) and bool(value == parameter.default))


def strings(value: Any) -> Iterator[str]:
    """The strings in an argument."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, tuple)):
        for part in value:
            yield from strings(part)


def documented(function: Callable[..., Any]) -> Iterator[tuple[str, str]]:
    """The options and their values in the list of arguments: `"like this"`, in quotes and backticks."""
    part = re.search(r"\nArgs:\n(.*?)(\n\n|\Z)", inspect.getdoc(function) or "", re.DOTALL)
    for option, text in re.findall(r"(?m)^    (\w+): ((?:.*\n?(?:        .*\n?)*))", part[1] if part else ""):
        for value in re.findall(r'`"([^"`]+)"`', text):
            yield option, value


def missing() -> set[str]:
    """What no row shows."""
    given, found = shown(), set()
    for name, function in functions().items():
        rows = given.get(name)
        if rows is None:
            found.add(name)
            continue
        parameters = inspect.signature(function).parameters
        for option, parameter in parameters.items():
            values = rows.get(option, [])
            if not any(not is_default(v, parameter) for v in values) and parameter.kind is not parameter.VAR_KEYWORD:
                found.add(f"{name}.{option}")
        for option, value in documented(function):
            default = parameters[option].default
            default = "channels_last" if option == "data_format" and default is None else default  # as configured
            used = {s for v in rows.get(option, []) for s in strings(v)} | {default}
            if value not in used:
                found.add(f"{name}.{option}.{value}")
    return found


def test_every_op_option_and_value_is_shown() -> None:
    """The list of exceptions is exact, and each has its reason."""
    found = missing()
    assert sorted(found - set(EXCEPTIONS)) == [], "write a row in tests/ops/*_cases.py or option_calls.py"
    assert sorted(set(EXCEPTIONS) - found) == [], "a row shows it: take it off the list"
    assert len(shown()) > 300


def test_documented_values_are_found() -> None:
    """The walk reads what docstrings say."""
    assert ("fill_mode", "mirror") in set(documented(ops.image.map_coordinates))
    assert {v for o, v in documented(ops.conv) if o == "padding"} == {"valid", "same", "causal"}
