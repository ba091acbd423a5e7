"""Values that hold while a block runs: context variables that torch.compile can trace.

The tracer knows neither `ContextVar.get` nor `set`. While it looks on, what a block sets is kept on a list, which it can follow;
what was set outside is asked for by a function that it calls and whose answer it takes for a constant.
"""

from __future__ import annotations

import contextvars
from collections.abc import Callable
from typing import Any, Generic, TypeVar

T = TypeVar("T")
_known: list[Scoped[Any]] = []
_compiling: list[Callable[[], bool]] = []
_TRACED = "traced"  # the token of what was set while the tracer looked on


class Scoped(Generic[T]):
    """A context variable.

    Args:
        name: its name.
        default: its value where none is set.

    Attributes:
        get: gives the value.
        set: sets it, and gives a token.
        reset: takes a token, and sets it back.
        traced: what the tracer sees set now, the innermost last.

    Example:
        >>> depth = Scoped("depth", default=0)
        >>> token = depth.set(1)
        >>> depth.get(), depth.reset(token), depth.get()
        (1, None, 0)
    """

    __slots__ = ("_number", "_variable", "get", "reset", "set", "traced")

    get: Callable[[], T]
    set: Callable[[T], Any]
    reset: Callable[[Any], None]

    def __init__(self, name: str, *, default: T) -> None:
        self._variable: contextvars.ContextVar[T] = contextvars.ContextVar(f"tricera_{name}", default=default)
        self.get, self.set, self.reset = self._variable.get, self._variable.set, self._variable.reset
        self.traced: list[T] = []
        self._number = len(_known)
        _known.append(self)
        for compiling in _compiling:
            self._watch(compiling)

    def _watch(self, compiling: Callable[[], bool]) -> None:
        variable, traced, number = self._variable, self.traced, self._number
        plain_get, plain_set, plain_reset = variable.get, variable.set, variable.reset

        # What a block set while it was traced holds in it also where the compiler gives up and Python goes on by itself.
        def get() -> T:
            if traced:
                return traced[-1]
            return _outside(number) if compiling() else plain_get()

        def set(value: T) -> Any:
            if traced or compiling():
                traced.append(value)
                return _TRACED
            return plain_set(value)

        def reset(token: Any) -> None:
            if token == _TRACED:
                traced.pop()
            else:
                plain_reset(token)

        self.get, self.set, self.reset = get, set, reset


def _outside(number: int) -> Any:
    return _known[number]._variable.get()


_outside._dynamo_marked_constant = True  # type: ignore[attr-defined]


def watch(compiling: Callable[[], bool]) -> None:
    """Let all context variables ask whether they are traced, which only a process with torch must pay for."""
    _compiling.append(compiling)
    for scoped in _known:
        scoped._watch(compiling)
