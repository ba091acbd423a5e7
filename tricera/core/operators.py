"""Python's operators on symbolic tensors and variables; the ops behind them are put in by the floor above."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class _Ops(dict[str, Callable[..., Any]]):
    """op name -> function; `tricera.ops` fills it when it is imported, which the first operator sees to."""

    def __missing__(self, name: str) -> Callable[..., Any]:
        import tricera.ops  # noqa: F401 - two floors up, see tests/api/test_floors.py

        if name not in self:
            raise KeyError(name)
        return self[name]


OPS = _Ops()

_BINARY = {
    "add": "add",
    "sub": "subtract",
    "mul": "multiply",
    "truediv": "true_divide",
    "floordiv": "floor_divide",
    "mod": "mod",
    "pow": "power",
    "matmul": "matmul",
    "and": "logical_and",
    "or": "logical_or",
    "xor": "logical_xor",
}
_COMPARISONS = {
    "lt": "less",
    "le": "less_equal",
    "gt": "greater",
    "ge": "greater_equal",
    "eq": "equal",
    "ne": "not_equal",
}
_UNARY = {"neg": "negative", "abs": "absolute", "invert": "logical_not"}


class Operators:
    """Gives a class Python's arithmetic, each operator being the op of that name."""

    __slots__ = ()
    __array_priority__ = 1000  # NumPy arrays leave `array + variable` to us

    def __getitem__(self, key: Any) -> Any:
        return OPS["get_item"](self, key)

    def __round__(self, ndigits: int | None = None) -> Any:
        return OPS["round"](self, decimals=ndigits or 0)


def _binary(op: str) -> tuple[Callable[..., Any], Callable[..., Any]]:
    def forward(self: Any, other: Any) -> Any:
        return OPS[op](self, other)

    def backward(self: Any, other: Any) -> Any:
        return OPS[op](other, self)

    return forward, backward


def _unary(op: str) -> Callable[..., Any]:
    return lambda self: OPS[op](self)


for _name, _op in _BINARY.items():
    _forward, _backward = _binary(_op)
    setattr(Operators, f"__{_name}__", _forward)
    setattr(Operators, f"__r{_name}__", _backward)
for _name, _op in _COMPARISONS.items():
    setattr(Operators, f"__{_name}__", _binary(_op)[0])
for _name, _op in _UNARY.items():
    setattr(Operators, f"__{_name}__", _unary(_op))
Operators.__hash__ = object.__hash__  # type: ignore[method-assign]  # `==` is an op, identity is the key
