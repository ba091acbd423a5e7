"""Making, casting and reading TensorFlow tensors."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from tricera.core import config, dtypes

cacheable = True
_CLASSES = (tf.Tensor, tf.Variable, tf.SparseTensor, tf.RaggedTensor, tf.IndexedSlices)


def is_tensor(x: Any) -> bool:
    """Whether `x` is a TensorFlow tensor, eager or in a graph."""
    return isinstance(x, _CLASSES)


def is_tensor_type(cls: type) -> bool:
    """Whether a class is one of TensorFlow's tensors."""
    return issubclass(cls, _CLASSES)


def canonical(dtype: str) -> str:
    """The dtype that values of `dtype` really have here."""
    return dtype


def convert(x: Any, dtype: str | None = None) -> Any:
    """Make a tensor; lists of Python numbers get floatx or int32."""
    if isinstance(x, _CLASSES):
        if isinstance(x, tf.Variable):
            x = tf.convert_to_tensor(x)
        return x if dtype is None else cast(x, dtype)
    if dtype is None and not hasattr(x, "dtype"):
        if isinstance(x, (list, tuple)) and any(isinstance(e, _CLASSES) for e in x):
            return tf.convert_to_tensor(x)
        kind = "f" if type(x) is float else "i" if type(x) is int else np.asarray(x).dtype.kind
        dtype = {"f": config.floatx(), "i": "int32"}.get(kind)
    if dtype is None:
        return tf.convert_to_tensor(x)
    if isinstance(x, (np.ndarray, np.generic)) and dtypes.standardize_dtype(x.dtype) != dtype:
        return tf.cast(tf.convert_to_tensor(x), dtype)
    if isinstance(x, (int, float)) and not isinstance(x, bool):
        return tf.constant(np.asarray(x).astype(dtypes.numpy_dtype(dtype)), dtype)
    return tf.convert_to_tensor(x, dtype)


def cast(x: Any, dtype: str) -> Any:
    """The same values in another dtype."""
    if isinstance(x, tf.SparseTensor):
        return x if x.dtype.name == dtype else tf.cast(x, dtype)
    return tf.cast(x, dtype)


def to_numpy(x: Any) -> np.ndarray:
    """Fetch the values."""
    if isinstance(x, tf.SparseTensor):
        x = tf.sparse.to_dense(x)
    elif isinstance(x, tf.IndexedSlices):
        x = tf.convert_to_tensor(x)
    # A scalar of bfloat16 has an `__array__` that gives no array.
    return np.asarray(x.numpy() if hasattr(x, "numpy") else x)


def shape(x: Any) -> tuple[int | None, ...]:
    """The shape, None where a graph does not know it."""
    return tuple(x.shape) if isinstance(x, _CLASSES) else np.shape(x)


def dtype(x: Any) -> str:
    """The name of the dtype."""
    return x.dtype.name if isinstance(x, _CLASSES) else dtypes.standardize_dtype(np.asarray(x).dtype)


def dynamic_shape(x: Any) -> tuple[Any, ...]:
    """The shape, in which scalars stand for the sizes that a graph knows only when it runs."""
    if x.shape.rank is None:
        raise ValueError(
            "A TensorFlow tensor of unknown rank can't be used here; give its shape with `tf.ensure_shape`."
        )
    static = tuple(x.shape)
    if None not in static:
        return static
    sizes = tf.shape(x)
    return tuple(sizes[i] if d is None else d for i, d in enumerate(static))
