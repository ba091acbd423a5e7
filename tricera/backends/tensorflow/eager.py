"""What may be asked where ops run at once: whether derivatives are recorded, and what a tensor holds."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.python.eager import record


def alone() -> bool:
    """Whether ops run at once and nothing asks for derivatives, so that a kernel's own derivative does not count."""
    return tf.executing_eagerly() and not record.could_possibly_record()


def finite(x: Any, nan_only: bool = False) -> bool:
    """Whether all elements are finite (or not NaN), as far as it is known now.

    Looking on the host is many times faster than to mark what is not. False means that it is not known: in a graph, for a tensor
    that is elsewhere, and where the sum of finite numbers is not finite.
    """
    if not tf.executing_eagerly() or not (x.dtype.is_floating or x.dtype.is_complex) or "CPU" not in x.device:
        return False
    shared = x.dtype in (tf.float32, tf.float64)
    array = np.asarray(memoryview(x)) if shared else x.numpy()  # which copies
    if nan_only:
        return shared and not np.isnan(np.max(array, initial=-np.inf))
    with np.errstate(all="ignore"):
        return bool(np.isfinite(array.sum()))
