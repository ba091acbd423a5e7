"""Making, casting and reading TensorFlow tensors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from tricera.backends.tensorflow.autograph import leave_alone
from tricera.backends.tensorflow.kernels import AROUND, KERNELS, SPECIAL
from tricera.core import config, dtypes
from tricera.core.plain import PLAIN

leave_alone("tricera")
cacheable = True
UNKNOWN_SIZES = True
SPARSE_CLASS = True
PLAIN.add(tf.DType)
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
        plain = type(x)
        dtype = (
            config.floatx() if plain is float else dtypes.of_int(x) if plain is int else dtypes.of_array(np.asarray(x))
        )
    if dtype is None:
        return tf.convert_to_tensor(x)
    if isinstance(x, (np.ndarray, np.generic)) and dtypes.standardize_dtype(x.dtype) != dtype:
        return cast(tf.convert_to_tensor(x), dtype)
    if isinstance(x, (int, float)) and not isinstance(x, bool):
        return tf.constant(np.asarray(x).astype(dtypes.numpy_dtype(dtype)), dtype)
    if dtype in dtypes.FLOAT8 and not hasattr(x, "dtype"):
        return cast(tf.convert_to_tensor(x), dtype)
    return tf.convert_to_tensor(x, dtype)


def table(make: Callable[..., Any], dtype: str | None, *args: Any) -> Any:
    """The tensor of an array `make(*args)`."""
    return convert(make(*args), dtype)


def fused(function: Callable[..., Any], *options: Any) -> Callable[..., Any]:
    """`function` with its last arguments; ops are run one by one here."""
    return lambda *tensors: function(*tensors, *options)


def cast(x: Any, dtype: str) -> Any:
    """The same values in another dtype."""
    if isinstance(x, tf.SparseTensor):
        return x if x.dtype.name == dtype else tf.cast(x, dtype)
    if dtype in dtypes.FLOAT8 and not x.dtype.is_floating:  # there is no kernel for this
        x = tf.cast(x, tf.float32)
    return tf.cast(x, dtype)


def to_numpy(x: Any) -> np.ndarray:
    """Fetch the values."""
    x = densify(x)
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
    if None not in static or isinstance(x, tf.RaggedTensor):  # lengths that differ are None
        return static
    sizes = tf.shape(x)
    return tuple(sizes[i] if d is None else d for i, d in enumerate(static))


def entries(shape: Any) -> tuple[Any, ...]:
    """The entries of a tensor that holds a shape and has no value yet: integers where they are known, else scalars."""
    found = tf.zeros(shape, tf.bool).shape  # by TensorFlow's inference; nobody uses the tensor, and it isn't made
    return tuple(shape[i] if d is None else d for i, d in enumerate(found))


def settle(name: str, run: Callable[..., Any], tensors: Sequence[Any], options: dict[str, Any]) -> Callable[..., Any]:
    """The kernel itself where `run` is no more than that: TensorFlow's functions look for other things than tensors first."""
    if not all(isinstance(x, tf.Tensor) for x in tensors):
        return run
    if not options and name in KERNELS:
        return KERNELS[name] if all(x.dtype.is_floating for x in tensors) else run
    around = AROUND.get(name)
    special = around(run) if around is not None else SPECIAL.get(name)
    return (special and special(*tensors, **options)) or run


def version(x: Any) -> int | None:
    """A number that changes when `x` is changed in place, which tensors never are."""
    return 0


def is_sparse(x: Any) -> bool:
    """Whether `x` is a `tf.SparseTensor`."""
    return isinstance(x, tf.SparseTensor)


def densify(x: Any) -> Any:
    """The dense tensor of a sparse or ragged one, the gradient of an embedding too; all others as they are."""
    if isinstance(x, tf.SparseTensor):
        return tf.sparse.to_dense(x, validate_indices=False)
    if isinstance(x, tf.IndexedSlices):
        return tf.convert_to_tensor(x)
    return x.to_tensor() if isinstance(x, tf.RaggedTensor) else x


def traced(x: Any) -> bool:
    """Whether `x` has no value yet: it stands for one while a compiler traces."""
    return isinstance(x, tf.Tensor) and not hasattr(x, "numpy")


def refusal(error: Exception) -> type[Exception] | None:
    """What a native error means: ValueError or TypeError where the input was bad, None for all else."""
    if isinstance(error, (tf.errors.UnimplementedError, tf.errors.NotFoundError)):
        return TypeError
    return ValueError if isinstance(error, (tf.errors.InvalidArgumentError, IndexError, OverflowError)) else None
