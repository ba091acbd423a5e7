"""Making TensorFlow tensors."""

from __future__ import annotations

import tensorflow as _tf

from tricera.core.dtypes import FLOAT8 as _FLOAT8


def full(shape, value, dtype):
    if dtype in _FLOAT8:  # there is hardly a kernel for them
        return _tf.cast(full(shape, value, "float32"), dtype)
    return _tf.fill(shape, _tf.cast(value, dtype)) if len(shape) else _tf.cast(value, dtype)


def filled_like(x, value, dtype):
    dtype = _tf.as_dtype(dtype or x.dtype)
    if dtype.name in _FLOAT8 or x.dtype.name in _FLOAT8:
        return _tf.cast(filled_like(_tf.cast(x, _tf.float32), value, "float32"), dtype)
    return (
        _tf.zeros_like(x, dtype)
        if value == 0
        else _tf.ones_like(x, dtype) * _tf.cast(value, dtype)
        if value != 1
        else _tf.ones_like(x, dtype)
    )


def arange(start, stop, step, dtype):
    if dtype in ("int32", "int64", "float32", "float64"):
        return _tf.range(_tf.cast(start, dtype), _tf.cast(stop, dtype), _tf.cast(step, dtype))
    wide = "int64" if "int" in dtype else "float32"
    return _tf.cast(_tf.range(_tf.cast(start, wide), _tf.cast(stop, wide), _tf.cast(step, wide)), dtype)


def copy(x):
    return _tf.identity(x)
