"""Making, casting and reading NumPy tensors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tricera.core import dtypes

cacheable = False  # a NumPy array says nothing about the backend, so nothing may be remembered by its type
UNKNOWN_SIZES = False
SPARSE_CLASS = True


def is_tensor(x: Any) -> bool:
    """Whether `x` is a NumPy array."""
    return isinstance(x, (np.ndarray, np.generic))


def is_tensor_type(cls: type) -> bool:
    """Whether a class stands for tensors of NumPy alone: never, arrays follow the current backend."""
    return False


def canonical(dtype: str) -> str:
    """The dtype that values of `dtype` really have here."""
    return dtype


def convert(x: Any, dtype: str | None = None) -> np.ndarray:
    """Make an array; lists of Python numbers get floatx or int32."""
    if dtype is not None:
        if type(x) is int:
            return np.asarray(x).astype(dtypes.numpy_dtype(dtype))  # round the clock, as arrays do
        return np.asarray(x, dtypes.numpy_dtype(dtype))
    array = np.asarray(x)
    if not hasattr(x, "dtype"):
        if array.dtype.kind == "O" and not isinstance(next(array.flat, ""), (str, bytes)):
            raise TypeError(f"There are no tensors of {type(x).__name__}.")
        weak = dtypes.of_array(array)
        if weak is not None:
            return array.astype(dtypes.numpy_dtype(weak))
    return array


def table(make: Callable[..., Any], dtype: str | None, *args: Any) -> Any:
    """The tensor of an array `make(*args)`."""
    return convert(make(*args), dtype)


def fused(function: Callable[..., Any], *options: Any) -> Callable[..., Any]:
    """`function` with its last arguments; ops are run one by one here."""
    return lambda *tensors: function(*tensors, *options)


def cast(x: Any, dtype: str) -> np.ndarray:
    """The same values in another dtype."""
    return np.asarray(x).astype(dtypes.numpy_dtype(dtype), copy=False)


def to_numpy(x: Any) -> np.ndarray:
    """The array itself."""
    return np.asarray(x)


def shape(x: Any) -> tuple[int, ...]:
    """The shape."""
    return np.shape(x)


def dtype(x: Any) -> str:
    """The name of the dtype."""
    return dtypes.standardize_dtype(x.dtype)


def dynamic_shape(x: Any) -> tuple[int, ...]:
    """The shape, which is always known here."""
    return shape(x)


def entries(shape: Any) -> tuple[Any, ...]:
    """The entries of a tensor that holds a shape and has no value yet: sizes are always known here, so there is none."""
    raise TypeError("A size must be known when it is traced.")


def settle(name: str, run: Callable[..., Any], tensors: Sequence[Any], options: dict[str, Any]) -> Callable[..., Any]:
    """`run`: NumPy's functions are fast as they are."""
    return run


def version(x: Any) -> int | None:
    """A number that changes when `x` is changed in place: arrays don't tell."""
    return None


def is_sparse(x: Any) -> bool:
    """Whether `x` is a sparse tensor: NumPy has none."""
    return False


def densify(x: Any) -> Any:
    """The array itself."""
    return x


def traced(x: Any) -> bool:
    """Whether `x` has no value yet: it stands for one while a compiler traces."""
    return False


def refusal(error: Exception) -> type[Exception] | None:
    """What a native error means: ValueError or TypeError where the input was bad, None for all else."""
    return ValueError if isinstance(error, (IndexError, OverflowError, np.linalg.LinAlgError)) else None
