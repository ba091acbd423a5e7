"""Running NumPy code on tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tricera.backends.torch.tensor import convert, to_numpy


def call(function: Callable[..., np.ndarray], tensors: list[Any], dtype: str, shape: tuple[Any, ...]) -> Any:
    """`function` of the tensors' values: an array of a dtype and shape."""
    return convert(function(*(to_numpy(x) for x in tensors)), dtype)
