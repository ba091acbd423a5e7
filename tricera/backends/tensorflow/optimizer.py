"""Optimizers: what TensorFlow adds to the portable rules, which XLA or grappler fuse."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

FUSED: dict[str, Callable[..., None]] = {}
scope = contextlib.nullcontext


def dense(gradient: Any) -> Any:
    """The gradient as a plain tensor; that of a look-up comes as `tf.IndexedSlices`."""
    return tf.convert_to_tensor(gradient) if isinstance(gradient, tf.IndexedSlices) else gradient


def known(flag: Any) -> bool | None:
    """The flag as a bool; None in a graph, where it has no value yet."""
    return bool(flag) if hasattr(flag, "numpy") and tf.executing_eagerly() else None


def cond(flag: Any, fn: Callable[[list[Any]], list[Any]], values: list[Any]) -> list[Any]:
    """`fn(values)` where the flag holds, else `values`."""
    old = [tf.identity(v) for v in values]
    return list(tf.cond(flag, lambda: [tf.identity(v) for v in fn(old)], lambda: old))


def branch(flag: Any, run: Callable[[], Any]) -> bool:
    """A branch of the graph that assigns variables where they are, so that none is copied in or out."""

    def taken() -> Any:
        run()
        return tf.constant(True)

    tf.cond(flag, taken, lambda: tf.constant(False))
    return True


def accumulate(totals: Sequence[Any], grads: Sequence[Any]) -> bool:
    """Add in place."""
    for total, g in zip(totals, grads, strict=True):
        total.assign_add(g)
    return True
