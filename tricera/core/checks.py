"""Checks of options at the door: what was given, what was expected."""

from __future__ import annotations

from typing import Any


def positive(name: str, value: Any) -> int:
    """Check that an argument is a positive integer.

    Args:
        name: of the argument.
        value: what was given.

    Returns:
        The integer.

    Raises:
        ValueError: it isn't one.
    """
    if isinstance(value, bool) or not hasattr(value, "__index__") or value.__index__() < 1:
        raise ValueError(f"`{name}` must be a positive integer, not {value!r}.")
    return value.__index__()
