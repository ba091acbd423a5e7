"""Random numbers by JAX's threefry: a seed of two words is a key."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np


def _key(seed: Any) -> Any:
    return jax.random.wrap_key_data(jnp.asarray(seed, "uint32"))


def _wide(dtype: str) -> str:
    # JAX refuses parameters that are wider than what is drawn.
    return dtype if dtype == "float64" else "float32"


def normal(shape: Any, dtype: str, seed: Any) -> Any:
    """Standard normal numbers."""
    return jax.random.normal(_key(seed), shape, dtype)


def uniform(shape: Any, dtype: str, seed: Any) -> Any:
    """Uniform numbers in [0, 1)."""
    return jax.random.uniform(_key(seed), shape, dtype)


def truncated_normal(shape: Any, dtype: str, seed: Any) -> Any:
    """Standard normal numbers within two standard deviations."""
    return jax.random.truncated_normal(_key(seed), -2.0, 2.0, shape, dtype)


def randint(shape: Any, minval: Any, maxval: Any, dtype: str, seed: Any) -> Any:
    """Uniform integers in [minval, maxval)."""
    limits = jnp.iinfo(dtype)
    low, high = (
        np.asarray(end, dtype) if isinstance(end, int) and limits.min <= end <= limits.max else end
        for end in (minval, maxval)
    )
    if isinstance(maxval, int) and maxval > limits.max:  # JAX would take the end for an int32, which it need not be
        if limits.min == 0 and isinstance(minval, int):
            whole = jax.random.bits(_key(seed), shape, dtype)
            return whole if minval == 0 else randint(shape, 0, maxval - minval, dtype, seed) + low
        high = np.asarray(maxval, "uint32")
    return jax.random.randint(_key(seed), shape, low, high, dtype)


def categorical(logits: Any, num_samples: int, dtype: str, seed: Any) -> Any:
    """Classes drawn by the logits of each row."""
    drawn = jax.random.categorical(_key(seed), logits[:, None, :], axis=-1, shape=(logits.shape[0], num_samples))
    return drawn.astype(dtype)


def shuffle(x: Any, axis: int, seed: Any) -> Any:
    """Slices along an axis in random order."""
    return jax.random.permutation(_key(seed), x, axis)


def gamma(shape: Any, alpha: Any, dtype: str, seed: Any) -> Any:
    """Gamma-distributed numbers of scale 1."""
    return jax.random.gamma(_key(seed), alpha, shape, _wide(dtype)).astype(dtype)


def beta(shape: Any, alpha: Any, beta: Any, dtype: str, seed: Any) -> Any:
    """Beta-distributed numbers."""
    return jax.random.beta(_key(seed), alpha, beta, shape, _wide(dtype)).astype(dtype)


def binomial(shape: Any, counts: Any, probabilities: Any, dtype: str, seed: Any) -> Any:
    """Binomially distributed numbers."""
    return jax.random.binomial(_key(seed), counts, probabilities, shape).astype(dtype)
