"""Random numbers by NumPy's Philox, keyed by the seed's two words."""

from __future__ import annotations

from typing import Any

import numpy as np

from tricera.core.dtypes import numpy_dtype


def _generator(seed: Any) -> np.random.Generator:
    words = np.asarray(seed).astype(np.uint64)
    return np.random.Generator(np.random.Philox(key=words))


def normal(shape: Any, dtype: str, seed: Any) -> Any:
    """Standard normal numbers."""
    return _generator(seed).standard_normal(shape).astype(numpy_dtype(dtype))


def uniform(shape: Any, dtype: str, seed: Any) -> Any:
    """Uniform numbers in [0, 1)."""
    exact = np.float64 if dtype == "float64" else np.float32
    numbers = np.asarray(_generator(seed).random(shape, dtype=exact)).astype(numpy_dtype(dtype))
    return np.where(numbers < 1, numbers, numpy_dtype(dtype).type(0))


def truncated_normal(shape: Any, dtype: str, seed: Any) -> Any:
    """Standard normal numbers within two standard deviations, those outside drawn again."""
    generator = _generator(seed)
    numbers = generator.standard_normal(shape)
    while np.any(outside := np.abs(numbers) > 2):
        numbers = np.where(outside, generator.standard_normal(shape), numbers)
    return np.asarray(numbers).astype(numpy_dtype(dtype))


def randint(shape: Any, minval: Any, maxval: Any, dtype: str, seed: Any) -> Any:
    """Uniform integers in [minval, maxval)."""
    return np.asarray(_generator(seed).integers(minval, maxval, shape)).astype(dtype)


def categorical(logits: Any, num_samples: int, dtype: str, seed: Any) -> Any:
    """Classes drawn by the logits of each row: the largest after adding Gumbel noise."""
    noise = _generator(seed).gumbel(size=(logits.shape[0], num_samples, logits.shape[1]))
    return np.argmax(logits[:, None, :] + noise, axis=-1).astype(dtype)


def shuffle(x: Any, axis: int, seed: Any) -> Any:
    """Slices along an axis in random order."""
    return _generator(seed).permutation(x, axis=axis)


def gamma(shape: Any, alpha: Any, dtype: str, seed: Any) -> Any:
    """Gamma-distributed numbers of scale 1."""
    return np.asarray(_generator(seed).gamma(alpha, size=shape)).astype(numpy_dtype(dtype))


def beta(shape: Any, alpha: Any, beta: Any, dtype: str, seed: Any) -> Any:
    """Beta-distributed numbers."""
    return np.asarray(_generator(seed).beta(alpha, beta, size=shape)).astype(numpy_dtype(dtype))


def binomial(shape: Any, counts: Any, probabilities: Any, dtype: str, seed: Any) -> Any:
    """Binomially distributed numbers."""
    return np.asarray(_generator(seed).binomial(np.asarray(counts).astype(np.int64), probabilities, shape)).astype(
        numpy_dtype(dtype)
    )
