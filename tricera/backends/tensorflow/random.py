"""Random numbers by TensorFlow's stateless ops, which take the seed's two words."""

from __future__ import annotations

from typing import Any

import tensorflow as tf


def _wide(dtype: str) -> str:
    return dtype if dtype in ("float16", "bfloat16", "float32", "float64") else "float32"


def _seed(seed: Any) -> Any:
    return tf.cast(seed, "int32")


def normal(shape: Any, dtype: str, seed: Any) -> Any:
    """Standard normal numbers."""
    return tf.cast(tf.random.stateless_normal(shape, _seed(seed), dtype=_wide(dtype)), dtype)


def uniform(shape: Any, dtype: str, seed: Any) -> Any:
    """Uniform numbers in [0, 1)."""
    return tf.cast(tf.random.stateless_uniform(shape, _seed(seed), dtype=_wide(dtype)), dtype)


def truncated_normal(shape: Any, dtype: str, seed: Any) -> Any:
    """Standard normal numbers within two standard deviations."""
    return tf.cast(tf.random.stateless_truncated_normal(shape, _seed(seed), dtype=_wide(dtype)), dtype)


def randint(shape: Any, minval: Any, maxval: Any, dtype: str, seed: Any) -> Any:
    """Uniform integers in [minval, maxval)."""
    wide = dtype if dtype in ("int32", "int64") else "int32"
    return tf.cast(
        tf.random.stateless_uniform(shape, _seed(seed), tf.cast(minval, wide), tf.cast(maxval, wide), wide), dtype
    )


def categorical(logits: Any, num_samples: int, dtype: str, seed: Any) -> Any:
    """Classes drawn by the logits of each row."""
    return tf.cast(tf.random.stateless_categorical(logits, num_samples, _seed(seed)), dtype)


def shuffle(x: Any, axis: int, seed: Any) -> Any:
    """Slices along an axis in random order."""
    order = tf.argsort(tf.random.stateless_uniform([tf.shape(x)[axis]], _seed(seed)), stable=True)
    return tf.gather(x, order, axis=axis)


def gamma(shape: Any, alpha: Any, dtype: str, seed: Any) -> Any:
    """Gamma-distributed numbers of scale 1."""
    return tf.cast(tf.random.stateless_gamma(shape, _seed(seed), tf.cast(alpha, "float32")), dtype)


def beta(shape: Any, alpha: Any, beta: Any, dtype: str, seed: Any) -> Any:
    """Beta-distributed numbers, x / (x + y) of two gamma-distributed ones."""
    seed = _seed(seed)
    x = gamma(shape, alpha, "float32", seed)
    y = gamma(shape, beta, "float32", tf.bitwise.bitwise_xor(seed, [0x5DEECE66, 0]))
    return tf.cast(x / (x + y), dtype)


def binomial(shape: Any, counts: Any, probabilities: Any, dtype: str, seed: Any) -> Any:
    """Binomially distributed numbers."""
    drawn = tf.random.stateless_binomial(
        shape, _seed(seed), tf.cast(counts, "float32"), tf.cast(probabilities, "float32"), "float32"
    )
    return tf.cast(drawn, dtype)
