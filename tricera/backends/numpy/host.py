"""Running NumPy code on tensors, which are arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np


def call(function: Callable[..., np.ndarray], tensors: list[Any], dtype: str, shape: tuple[Any, ...]) -> Any:
    """`function` of the tensors' values: an array of a dtype and shape."""
    return np.asarray(function(*tensors)).astype(dtype)
