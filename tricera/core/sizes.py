"""Shapes given as arguments: tuples, single numbers, tensors that hold a shape (`tf.shape(x)`), tuples with tensors among numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from tricera.core import dispatch
from tricera.core.dtypes import is_int


def sizes(what: str, shape: Any) -> tuple[Any, ...]:
    """A shape argument as a tuple of integers.

    Args:
        what: the function and its argument, for errors.
        shape: integers (None and -1 are left to the function), one of them, or tensors of them.

    Returns:
        A tuple; scalars stand in it for sizes that a graph knows only when it runs, on frameworks that have such graphs.

    Raises:
        TypeError: an entry is no integer, or is not known while a compiler traces that must know it.

    Example:
        >>> sizes("ops.reshape: `newshape`", 3), sizes("ops.reshape: `newshape`", [2, None])
        ((3,), (2, None))
    """
    kind = type(shape)
    if kind is int:
        return (shape,)
    if kind is not tuple and kind is not list:
        backend = dispatch.of(shape)
        if backend is not None:
            return _of_tensor(what, shape, backend)
        if isinstance(shape, np.ndarray):
            if shape.ndim > 1:
                raise ValueError(f"{what} must be one row of integers; got an array of shape {shape.shape}.")
            return tuple(_size(what, d) for d in shape.reshape(-1))
        if getattr(shape, "_keras_symbolic", False):
            raise TypeError(
                f"{what} must be integers; got {shape!r}. The sizes of a symbolic tensor are in its `shape`."
            )
        try:
            shape = tuple(shape)
        except TypeError:
            return (_size(what, shape),)
    return tuple([d if type(d) is int or d is None else _size(what, d) for d in shape])


def _of_tensor(what: str, shape: Any, backend: dispatch.Backend) -> tuple[Any, ...]:
    rank = backend.shape(shape)
    if not rank:
        return (_size(what, shape),)
    if len(rank) != 1 or rank[0] is None:
        raise ValueError(
            f"{what} must be one row of integers, of a length that is known; got a tensor of shape {rank}."
        )
    _check(what, shape, backend)
    if backend.traced(shape):
        return backend.entries(shape)
    return tuple(int(shape[i]) for i in range(rank[0]))


def _size(what: str, entry: Any) -> Any:
    backend = dispatch.of(entry)
    if backend is not None:
        _check(what, entry, backend)
        return entry if backend.traced(entry) else int(entry)
    try:
        return entry.__index__()
    except (AttributeError, TypeError):
        raise TypeError(f"{what} must be integers, not {entry!r}.") from None


def _check(what: str, x: Any, backend: dispatch.Backend) -> None:
    if not is_int(backend.dtype(x)):
        raise TypeError(f"{what} must be integers; got a tensor of dtype {backend.dtype(x)}.")
    if backend.traced(x) and not backend.UNKNOWN_SIZES:
        raise TypeError(
            f"{what} is a value that {backend.name} knows only when the compiled code runs, and sizes must be known before: take "
            "them from `ops.shape(x)`, or give them as a static argument."
        )


def check_block(op: str, begin: Any, block: Any, shape: Any) -> None:
    """Refuse a block that does not lie inside of a tensor, as far as that is known.

    Args:
        op: the op's name.
        begin: where it begins on each axis; what is no Python integer is not looked at.
        block: its length on each axis; -1 stands for all the rest.
        shape: the tensor's shape.

    Raises:
        ValueError: the block begins before the tensor or ends behind it.

    Example:
        >>> check_block("slice", (1, 0), (1, -1), (2, 3))
    """
    for axis, (at, size, dim) in enumerate(zip(begin, block, shape, strict=True)):
        if type(at) is not int or type(size) is not int:
            continue
        end = at if size == -1 else at + size
        if at < 0 or (dim is not None and end > dim):
            raise ValueError(
                f"ops.{op}: a block of length {size} from {at} on lies outside of axis {axis}, whose positions are 0 to "
                f"{'?' if dim is None else dim - 1}. `start_indices` don't count from the end."
            )


def known(shape: Any) -> Any:
    """A shape for a shape rule, None standing for a size that isn't known.

    Example:
        >>> known((2, None, -1))
        (2, None, -1)
    """
    return tuple([d if isinstance(d, int) else None for d in shape])
