"""Choosing a backend, and the settings that Keras keeps in `keras.backend`.

Example:
    >>> import tricera
    >>> with tricera.backend.use("numpy"):
    ...     tricera.backend.backend()
    'numpy'
"""

from __future__ import annotations

from tricera.core.config import (
    epsilon as epsilon,
    floatx as floatx,
    image_data_format as image_data_format,
    set_epsilon as set_epsilon,
    set_floatx as set_floatx,
    set_image_data_format as set_image_data_format,
)
from tricera.core.dispatch import (
    Backend as Backend,
    BackendError as BackendError,
    current as current,
    get as get,
    installed as installed,
    of as of,
    set_backend as set_backend,
    use as use,
)
from tricera.core.dtypes import (
    is_float as is_float_dtype,
    is_int as is_int_dtype,
    result_type as result_type,
    standardize_dtype as standardize_dtype,
)
from tricera.core.naming import get_uid as get_uid, reset as _reset_names
from tricera.core.tensor import is_keras_tensor as is_keras_tensor
from tricera.core.variable import Variable as Variable, name_scope as name_scope


def backend() -> str:
    """Return the name of the current backend."""
    return current().name


def clear_session(free_memory: bool = True) -> None:
    """Forget what the process keeps between models: the counters behind automatic names.

    Args:
        free_memory: also run Python's garbage collector.
    """
    import gc

    _reset_names()
    if free_memory:
        gc.collect()


__all__ = [
    "Backend",
    "BackendError",
    "Variable",
    "name_scope",
    "backend",
    "clear_session",
    "current",
    "epsilon",
    "floatx",
    "get",
    "get_uid",
    "image_data_format",
    "installed",
    "is_float_dtype",
    "is_int_dtype",
    "is_keras_tensor",
    "of",
    "result_type",
    "set_backend",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
    "standardize_dtype",
    "use",
]
