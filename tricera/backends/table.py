"""How a backend's rooms become its table of ops."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any


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
