"""Running NumPy code on tensors, also inside of a graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf


def call(function: Callable[..., np.ndarray], tensors: list[Any], dtype: str, shape: tuple[Any, ...]) -> Any:
    """`function` of the tensors' values: an array of a dtype and shape (None where unknown)."""
    out = tf.numpy_function(function, tensors, dtype)
    return tf.ensure_shape(out, shape)
