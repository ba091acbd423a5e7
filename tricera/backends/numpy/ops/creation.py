"""Making NumPy arrays."""

from __future__ import annotations

import numpy as _np

from tricera.core.dtypes import numpy_dtype as _dtype


def full(shape, value, dtype):
    return _np.full(shape, value, _dtype(dtype))


def filled_like(x, value, dtype):
    return _np.full_like(x, value, None if dtype is None else _dtype(dtype))


def arange(start, stop, step, dtype):
    return _np.arange(start, stop, step).astype(_dtype(dtype))


def copy(x):
    return _np.array(x)
