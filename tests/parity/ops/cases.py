"""The rows of the ops' table and the calls beside it, as cases that run under Keras and under Tricera."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tests.ops.array_cases import CASES as _ARRAYS  # noqa: F401 - importing adds the rows
from tests.ops.calls import DRAWS
from tests.ops.cases import Case
from tests.ops.linalg_cases import CASES as _MATRICES  # noqa: F401
from tests.ops.nn_cases import CASES as ROWS
from tests.ops.option_calls import CALLS
from tests.ops.option_cases import CASES as _OPTIONS  # noqa: F401

_NAMES = Path(__file__).parents[2] / "api" / "keras_api.tsv"
PUBLIC = {line.split("\t")[0] for line in _NAMES.read_text("utf-8").splitlines() if line.startswith("ops.")}
Outcome = Callable[[Any], dict[str, Any]]


def results(k: Any, out: Any) -> dict[str, Any]:
    """Each result's values (complex and half ones as float32) and dtype."""
    found: dict[str, Any] = {}
    for i, x in enumerate(out if isinstance(out, (list, tuple)) else [out]):
        if not hasattr(x, "dtype"):
            found[f"plain {i}"] = x
            continue
        kind = k.backend.standardize_dtype(x.dtype)
        value = np.asarray(k.ops.convert_to_numpy(x if kind != "bfloat16" else k.ops.cast(x, "float32")))
        found[f"value {i}"] = np.stack([value.real, value.imag]) if value.dtype.kind == "c" else value
        found[f"dtype {i}"] = kind
    return found


def shapes(found: dict[str, Any]) -> dict[str, Any]:
    """Shapes in the place of values."""
    return {n: list(v.shape) if isinstance(v, np.ndarray) else v for n, v in found.items()}


def of_row(case: Case) -> Outcome:
    """A row of the table: arrays become tensors, keys and numbers stay."""

    def run(k: Any) -> dict[str, Any]:
        def convert(x: Any) -> Any:
            if isinstance(x, np.ndarray):
                return k.ops.convert_to_tensor(x)
            return [convert(v) for v in x] if isinstance(x, list) and x and isinstance(x[0], np.ndarray) else x

        static = case.op in ("get_item",)
        args = [x if i and static else convert(x) for i, x in enumerate(case.args)]
        found = results(k, getattr(k.ops, case.op)(*args, **{n: convert(v) for n, v in case.kwargs.items()}))
        return shapes(found) if case.op == "empty_like" else found

    return run


def of_call(name: str) -> Outcome:
    """A call beside the table; of draws, shapes and dtypes alone."""
    arrays, call = CALLS[name]

    def run(k: Any) -> dict[str, Any]:
        found = results(k, call(k, *map(k.ops.convert_to_tensor, arrays)))
        return shapes(found) if name in DRAWS else found

    return run


# Keras on JAX compiles each row: one of each op, and one of each kind of call, is what can be waited for.
ONE_EACH = os.environ.get("KERAS_BACKEND") == "jax"
CASES: dict[str, Outcome] = {}
_seen: set[str] = set()
for _i, _case in enumerate(ROWS):
    if f"ops.{_case.op}" in PUBLIC and not (ONE_EACH and _case.op in _seen):
        CASES[f"{_case.op} {_i} {_case.id}"] = of_row(_case)
        _seen.add(_case.op)
for _name in CALLS:
    if not (ONE_EACH and _name.split()[0] in _seen):
        CASES[f"{_name.split()[0]} call {_name}"] = of_call(_name)
        _seen.add(_name.split()[0])
