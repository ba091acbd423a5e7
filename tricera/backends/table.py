"""How a backend's rooms become its table of ops."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

from tricera.core.dtypes import FLOAT8


def collect(*rooms: ModuleType) -> dict[str, Callable[..., Any]]:
    """Every public callable of the rooms, by name.

    Raises:
        ValueError: two rooms define the same name.
    """
    table: dict[str, Callable[..., Any]] = {}
    for room in rooms:
        for name, function in vars(room).items():
            if name.startswith("_") or not callable(function):
                continue
            if name in table:
                raise ValueError(f"{room.__name__} defines {name!r} again.")
            table[name] = function
    return table


# Ops that compute with floats of 8 bits in float32, on frameworks that only store them.
ARITHMETIC = (
    "absolute", "add", "all", "any", "arccos", "arcsin", "arctan", "argmax", "argmin", "argsort", "ceil", "clip", "cos", "cumprod",
    "cumsum", "divide", "equal", "erf", "exp", "expm1", "floor", "floor_divide", "greater", "greater_equal", "isfinite", "isinf",
    "isnan", "less", "less_equal", "log", "log1p", "log_softmax", "matmul", "max", "maximum", "mean", "min", "minimum", "mod",
    "multiply", "negative", "not_equal", "power", "prod", "reciprocal", "relu", "round", "rsqrt", "sigmoid", "sign", "sin", "softmax",
    "sort", "sqrt", "square", "subtract", "sum", "tanh", "var",
)  # fmt: skip


def with_eight_bits(detours: dict[str, dict[str, str]], table: dict[str, Any]) -> dict[str, dict[str, str]]:
    """The detours, with those of the floats of 8 bits."""
    ways = dict.fromkeys(FLOAT8, "float32")
    return {**detours, **{name: {**detours.get(name, {}), **ways} for name in ARITHMETIC if name in table}}
