"""What wrapping a JAX function needs; a room of JAX's alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np


def flatten(tree: Any) -> tuple[list[np.ndarray], Callable[[Sequence[Any]], Any]]:
    """The leaves of a pytree as arrays, and the function that puts others in their places."""
    leaves, structure = jax.tree.flatten(tree)
    return [np.asarray(leaf) for leaf in leaves], lambda values: jax.tree.unflatten(structure, values)


def flatten_as_is(tree: Any) -> tuple[list[Any], Callable[[Sequence[Any]], Any]]:
    """The leaves of a pytree, whatever they are, and the function that puts others in their places."""
    leaves, structure = jax.tree.flatten(tree)
    return leaves, lambda values: jax.tree.unflatten(structure, values)


def leaves(tree: Any) -> list[Any]:
    """The leaves of a pytree."""
    return jax.tree.leaves(tree)


def key(words: Any) -> jax.Array:
    """A random key of the old kind, which all libraries take, from a seed of two words."""
    return jnp.asarray(words, "uint32")


def zeros(shape: Sequence[int], dtype: str) -> jax.Array:
    """A placeholder of a shape."""
    return jnp.zeros(tuple(shape), dtype)
