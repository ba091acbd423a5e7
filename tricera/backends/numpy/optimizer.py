"""Optimizers: NumPy runs the portable rules as they are."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from typing import Any

scope = contextlib.nullcontext


def fused(name: str, dtypes: Iterable[str]) -> Callable[..., None] | None:
    """None: the portable rules are all there is."""
    return None


def dense(gradient: Any) -> Any:
    """The gradient as a plain tensor; here it is one."""
    return gradient


def known(flag: Any) -> bool | None:
    """The flag as a bool."""
    return bool(flag)


def cond(flag: Any, fn: Callable[[list[Any]], list[Any]], values: list[Any]) -> list[Any]:
    """`fn(values)` where the flag holds, else `values`."""
    return fn(values) if flag else values


def branch(flag: Any, run: Callable[[], Any]) -> bool:
    """There is no branch with effects here: values go through `cond`."""
    return False


def accumulate(totals: Any, grads: Any) -> bool:
    """Somebody else may hold the arrays, so they are never changed."""
    return False
