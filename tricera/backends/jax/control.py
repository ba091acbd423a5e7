"""Control: gradients, rematerialisation and abstract evaluation by JAX."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax

from tricera.core.dtypes import numpy_dtype
from tricera.core.state import cells
from tricera.core.tensor import Spec
from tricera.core.variable import autocast

GRADIENTS = True


def value_and_grad(fn: Callable[..., Any], variables: Sequence[Any], has_aux: bool = False) -> Callable[..., Any]:
    """A function that gives `fn`'s result and its gradients; what `fn` assigns is assigned afterwards."""
    variables = list(variables)

    def run(*args: Any, **kwargs: Any) -> tuple[Any, list[Any]]:
        updated: list[Any] = []

        def pure(values: list[Any]) -> tuple[Any, Any]:
            with cells(zip(variables, values, strict=True)) as scope:
                out = fn(*args, **kwargs)
                loss, aux = out if has_aux else (out, None)
                updated[:] = scope.updated.values()
                return loss, (aux, [scope.values[id(v)] for v in updated])

        with autocast(None):
            values = [v.value for v in variables]
        (loss, (aux, new)), grads = jax.value_and_grad(pure, has_aux=True)(values)
        for variable, value in zip(updated, new, strict=True):
            variable.assign(value)
        return ((loss, aux) if has_aux else loss), grads

    return run


def remat(fn: Callable[..., Any]) -> Callable[..., Any]:
    """The function, whose intermediate values are computed again in the backward pass."""
    return jax.checkpoint(fn)


def abstract(fn: Callable[..., Any], specs: Sequence[Spec], variables: Sequence[Any] = ()) -> Any:
    """What `fn` returns for inputs of these shapes, without computing anything."""
    return jax.eval_shape(fn, [jax.ShapeDtypeStruct(s.shape, numpy_dtype(s.dtype)) for s in specs])
