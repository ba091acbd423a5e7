"""Making, casting and reading JAX arrays."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from tricera.core import config, dtypes

cacheable = True
UNKNOWN_SIZES = False
SPARSE_CLASS = True
_NARROW = {"int64": "int32", "uint64": "uint32", "float64": "float32", "complex128": "complex64"}


def is_tensor(x: Any) -> bool:
    """Whether `x` is a JAX array, a tracer, or a sparse array."""
    return isinstance(x, jax.Array) or is_sparse(x)


def is_tensor_type(cls: type) -> bool:
    """Whether a class is one of JAX's arrays or tracers."""
    return issubclass(cls, (jax.Array, jax.core.Tracer)) or is_sparse_type(cls)


def canonical(dtype: str) -> str:
    """The dtype that values of `dtype` really have: 32 bits unless JAX's x64 mode is on."""
    return dtype if jax.config.read("jax_enable_x64") else _NARROW.get(dtype, dtype)


def convert(x: Any, dtype: str | None = None) -> jax.Array:
    """Make an array; lists of Python numbers get floatx or int32."""
    if isinstance(x, jax.Array) or is_sparse(x):
        return x if dtype is None else cast(x, dtype)
    if dtype is None and not hasattr(x, "dtype"):
        kind = type(x)
        if kind is int:
            dtype = dtypes.of_int(x)
        elif kind is float:
            dtype = config.floatx()
        elif kind is not bool:
            array = jnp.asarray(x)
            weak = {"f": config.floatx(), "i": "int32"}.get(np.dtype(array.dtype).kind)
            return array.astype(weak) if weak else array
    if type(x) is int and not 0 <= x < 128 and dtype is not None:
        return jnp.asarray(np.asarray(x).astype(dtypes.numpy_dtype(canonical(dtype))))  # round the clock, as tensors do
    return jnp.asarray(x, None if dtype is None else canonical(dtype))


def table(make: Callable[..., Any], dtype: str | None, *args: Any) -> Any:
    """The tensor of an array `make(*args)`."""
    return convert(make(*args), dtype)


def fused(function: Callable[..., Any], *options: Any) -> Callable[..., Any]:
    """`function` with its last arguments, compiled once for them: XLA then makes one loop of it."""
    try:
        return _compiled(function, config.floatx(), *options)
    except TypeError:  # an option that is a tensor
        return lambda *tensors: function(*tensors, *options)


@functools.lru_cache(512, typed=True)
def _compiled(function: Callable[..., Any], floatx: str, *options: Any) -> Callable[..., Any]:
    return jax.jit(lambda *tensors: function(*tensors, *options))


def cast(x: Any, dtype: str) -> jax.Array:
    """The same values in another dtype."""
    if is_sparse(x):
        return type(x)((x.data.astype(canonical(dtype)), x.indices), shape=x.shape)
    dtype = canonical(dtype)
    if isinstance(x, jax.Array) and x.dtype.name == dtype and not x.weak_type:
        return x
    return jnp.asarray(x).astype(dtype)


def to_numpy(x: Any) -> np.ndarray:
    """Fetch the values."""
    return np.asarray(densify(x))


def shape(x: Any) -> tuple[int, ...]:
    """The shape."""
    return x.shape if hasattr(x, "shape") else np.shape(x)


def dtype(x: Any) -> str:
    """The name of the dtype."""
    return dtypes.standardize_dtype(x.dtype)


def dynamic_shape(x: Any) -> tuple[int, ...]:
    """The shape, which is always known here."""
    return shape(x)


# Ops whose results have shapes that depend on values, or that ask for a setting at each call.
_BY_VALUES = frozenset({"bincount", "nonzero", "unique", "sparse_probability_loss"})


def entries(shape: Any) -> tuple[Any, ...]:
    """The entries of a tensor that holds a shape and has no value yet: sizes are always known here, so there is none."""
    raise TypeError("A size must be known when it is traced.")


def settle(name: str, run: Callable[..., Any], tensors: Sequence[Any], options: dict[str, Any]) -> Callable[..., Any]:
    """`run`, compiled: a compiled function is found by its arguments' shapes in C++, `jax.numpy`'s own in Python first."""
    if name in _BY_VALUES or any(isinstance(x, jax.core.Tracer) for x in tensors):
        return run
    if name == "cast" and options["dtype"] is None:  # the default, which may change
        return run
    return jax.jit(run)


def version(x: Any) -> int | None:
    """A number that changes when `x` is changed in place, which arrays never are."""
    return 0


def is_sparse(x: Any) -> bool:
    """Whether `x` is a `BCOO`."""
    return is_sparse_type(type(x))


def is_sparse_type(cls: type) -> bool:
    """Whether a class is `BCOO`, whose module takes long to import, and may never be needed."""
    return cls.__name__ == "BCOO" and cls.__module__.startswith("jax.")


def densify(x: Any) -> Any:
    """The dense array of a sparse one; all others as they are."""
    if not is_sparse(x):
        return x
    # Values of one place are added up, which truth values can't be.
    summed: Any = cast(x, "int8") if x.dtype == bool else x
    return summed.todense().astype(x.dtype)


def traced(x: Any) -> bool:
    """Whether `x` has no value yet: it stands for one while a compiler traces."""
    return isinstance(x, jax.core.Tracer)


def refusal(error: Exception) -> type[Exception] | None:
    """What a native error means: ValueError or TypeError where the input was bad, None for all else."""
    if isinstance(error, (IndexError, OverflowError)):
        return ValueError
    return TypeError if isinstance(error, NotImplementedError) else None
