"""Optimizers: what JAX adds to the portable rules, which XLA fuses by itself."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from typing import Any

import jax

scope = contextlib.nullcontext  # nothing is recorded that an update would have to switch off


def fused(name: str, dtypes: Iterable[str]) -> Callable[..., None] | None:
    """None: the portable rules are all there is."""
    return None


def dense(gradient: Any) -> Any:
    """The gradient as a plain tensor; here it is one."""
    return gradient


def known(flag: jax.Array) -> bool | None:
    """The flag as a bool; None inside a trace, where it has no value yet."""
    return None if isinstance(flag, jax.core.Tracer) else bool(flag)


def cond(flag: jax.Array, fn: Callable[[list[Any]], list[Any]], values: list[Any]) -> list[Any]:
    """`fn(values)` where the flag holds, else `values`."""
    return jax.lax.cond(flag, fn, lambda old: old, values)


def branch(flag: Any, run: Callable[[], Any]) -> bool:
    """There is no branch with effects here: values go through `cond`, whose branches XLA runs in place."""
    return False


def accumulate(totals: Any, grads: Any) -> bool:
    """Arrays are never changed; XLA adds in place where the step donates them."""
    return False
