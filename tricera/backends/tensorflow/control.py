"""Control: gradients, rematerialisation and abstract evaluation by TensorFlow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from tricera.core.state import MISSING, current_cells
from tricera.core.tensor import Spec

GRADIENTS = True


def value_and_grad(fn: Callable[..., Any], variables: Sequence[Any], has_aux: bool = False) -> Callable[..., Any]:
    """A function that gives `fn`'s result and its gradients (None for variables that it does not use)."""
    variables = list(variables)

    def run(*args: Any, **kwargs: Any) -> tuple[Any, list[Any]]:
        scope = current_cells.get()
        inner = [MISSING if scope is None else scope.read(v) for v in variables]
        sources = [v.native if x is MISSING else x for v, x in zip(variables, inner, strict=True)]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(sources)
            out = fn(*args, **kwargs)
            loss, aux = out if has_aux else (out, None)
        grads = tape.gradient(loss, sources)
        return ((loss, aux) if has_aux else loss), grads

    return run


def remat(fn: Callable[..., Any]) -> Callable[..., Any]:
    """The function, whose intermediate values are computed again in the backward pass."""
    return tf.recompute_grad(fn)


def abstract(fn: Callable[..., Any], specs: Sequence[Spec], variables: Sequence[Any] = ()) -> Any:
    """What `fn` returns for inputs of these shapes, traced into a graph that is thrown away."""
    with tf.Graph().as_default():
        return fn([tf.compat.v1.placeholder(s.dtype, s.shape) for s in specs])
