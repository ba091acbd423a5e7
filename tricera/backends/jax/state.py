"""Variables are `jax.Array`s; assigning replaces them."""

from __future__ import annotations

import contextlib
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from tricera.core.variable import Variable

# A Variable among the arguments of `jax.jit`, `jax.grad` and kin is its value; what comes out are arrays.
jax.tree_util.register_pytree_node(Variable, lambda variable: ((variable.value,), None), lambda _, leaves: leaves[0])


def make(value: np.ndarray, dtype: str, trainable: bool, name: str) -> jax.Array:
    """The native form of a variable's initial value; a copy, since steps donate it. Also inside a trace it is concrete."""
    with jax.ensure_compile_time_eval():
        return jnp.array(value)


def read(native: jax.Array) -> jax.Array:
    """The value as a tensor."""
    return native


def assign(native: Any, value: jax.Array) -> jax.Array:
    """The native form after assigning.

    Raises:
        RuntimeError: the value is a tracer, which would leak out of the function being traced.
    """
    if isinstance(value, jax.core.Tracer):
        raise RuntimeError(
            "A variable was assigned inside a function that JAX traces, where the value does not exist yet. Use "
            "`layer.stateless_call`, `StatelessScope` or `tricera.functionalize` to get the new value as a result."
        )
    return value


def accumulate(native: Any, value: Any) -> Any:
    """The native form after adding a tensor or an array of its dtype, or a number."""
    return assign(native, native + value)


def zero(native: Any) -> jax.Array:
    """The native form of zeros."""
    return assign(native, jnp.zeros_like(native))


def set_trainable(native: Any, trainable: bool) -> Any:
    """The native form after a change of `trainable`."""
    return native


def native_class(cls: type) -> type:
    """The class of a layer on this backend: the layer's own, it needs no native base."""
    return cls


def without_gradients() -> contextlib.AbstractContextManager[Any]:
    """A block in which nothing is recorded for a backward pass; only torch needs to be told."""
    return contextlib.nullcontext()


def concrete() -> contextlib.AbstractContextManager[Any]:
    """A block in which computations yield values even inside a function that JAX traces."""
    return jax.ensure_compile_time_eval()
