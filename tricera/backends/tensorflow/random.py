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
    # The upper end itself need not fit into the dtype.
    wide = "int32" if dtype in ("int8", "uint8", "int16", "uint16", "int32") else "int64"
    if wide == "int32" and isinstance(maxval, int) and maxval >= 2**31:
        wide = "int64"
    ends = tf.cast(minval, wide), tf.cast(maxval, wide)
    return tf.cast(tf.random.stateless_uniform(shape, _seed(seed), *ends, wide), dtype)


def categorical(logits: Any, num_samples: int, dtype: str, seed: Any) -> Any:
    """Classes drawn by the logits of each row."""
    drawn = tf.random.stateless_categorical(logits, num_samples, _seed(seed))
    # A row that is no distribution (NaN, nothing but -inf) gives a class that there is, too.
    return tf.cast(tf.minimum(drawn, tf.shape(logits, out_type=drawn.dtype)[1] - 1), dtype)


def shuffle(x: Any, axis: int, seed: Any) -> Any:
    """Slices along an axis in random order."""
    order = tf.argsort(tf.random.stateless_uniform([tf.shape(x)[axis]], _seed(seed)), stable=True)
    return tf.gather(x, order, axis=axis)


def gamma(shape: Any, alpha: Any, dtype: str, seed: Any) -> Any:
    """Gamma-distributed numbers of scale 1."""
    alpha = tf.broadcast_to(tf.cast(alpha, "float32"), shape)
    return tf.cast(tf.random.stateless_gamma(shape, _seed(seed), alpha), dtype)


def _log_gamma(shape: Any, alpha: Any, seed: Any) -> Any:
    """Logarithms of gamma-distributed numbers, which for a small alpha are no float32 any more: of x u^(1/alpha), x of alpha + 1."""
    alpha = tf.broadcast_to(tf.cast(alpha, "float32"), shape)
    uniform_ = 1.0 - tf.random.stateless_uniform(shape, tf.bitwise.bitwise_xor(seed, [0, 0x1F83D9AB]))
    return tf.math.log(tf.random.stateless_gamma(shape, seed, alpha + 1.0)) + tf.math.log(uniform_) / alpha


def beta(shape: Any, alpha: Any, beta: Any, dtype: str, seed: Any) -> Any:
    """Beta-distributed numbers, x / (x + y) of two gamma-distributed ones."""
    seed = _seed(seed)
    x = _log_gamma(shape, alpha, seed)
    y = _log_gamma(shape, beta, tf.bitwise.bitwise_xor(seed, [0x5DEECE66, 0]))
    return tf.cast(tf.sigmoid(x - y), dtype)


def binomial(shape: Any, counts: Any, probabilities: Any, dtype: str, seed: Any) -> Any:
    """Binomially distributed numbers."""
    counts, chance = (tf.broadcast_to(tf.cast(p, "float32"), shape) for p in (counts, probabilities))
    drawn = tf.random.stateless_binomial(shape, _seed(seed), counts, chance, "float32")
    return tf.cast(drawn, dtype)
