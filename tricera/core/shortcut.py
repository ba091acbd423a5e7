"""The short way of an op: for types and dtypes met before, straight to the native function.

What to run is found by a key made of the types, dtypes and plain arguments of a call; the front half (`core/op.py`) fills the
table when it finds that nothing had to be converted. There is a table for each type of tensor: torch.compile can't look through
one that holds another framework's dtypes.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tricera.core import dispatch
from tricera.core.sparse import any_sparse
from tricera.core.tensor import KerasTensor
from tricera.core.variable import Variable

if TYPE_CHECKING:
    from tricera.core.op import Op


def remember(
    op: Op,
    key: Any,
    args: tuple[Any, ...],
    values: list[Any],
    plain: bool,
    backend: dispatch.Backend,
    native: Any,
    slow: Callable[..., Any],
) -> None:
    """Keep what to run for a combination of types: a unary or binary op on tensors, or on a tensor and a number."""
    rest = values[op.leading :]
    if native is not None:
        options = dict(zip(op.names[op.leading :], rest, strict=True))
        run = functools.partial(native, **options) if options else native
        run = backend.settle(op.name, run, values[: op.leading], options)
    else:
        run = _body(op, backend, rest, slow)
    if plain:
        op.fast.setdefault(key[0], {})[key] = run
        return
    scalars = [i for i, x in enumerate(args) if type(x) is int or type(x) is float]
    if op.leading == 2 and len(args) == 2 and len(scalars) == 1:
        tensor = 1 - scalars[0]
        # Only where the number takes the tensor's dtype: what it takes beside others depends on floatx.
        dtype = backend.dtype(values[tensor])
        if args[tensor] is values[tensor] and backend.dtype(values[scalars[0]]) == dtype:
            op.fast.setdefault(key[0], {})[key] = backend.with_number(op.name, dtype, scalars[0]) or _beside_number(
                run, scalars[0], backend.convert, dtype
            )


def _body(op: Op, backend: dispatch.Backend, rest: list[Any], slow: Callable[..., Any]) -> Callable[..., Any]:
    """The portable definition, run with the backend current."""

    by_class = backend.SPARSE_CLASS

    def run(*tensors: Any) -> Any:
        if not by_class and any_sparse(backend, tensors):
            return slow(op, (*tensors, *rest), {})
        if dispatch.current() is backend:
            return op.fn(*tensors, *rest)
        with dispatch.use(backend):
            return op.fn(*tensors, *rest)

    return run


def _beside_number(run: Callable[..., Any], at: int, convert: Callable[..., Any], dtype: str) -> Callable[..., Any]:
    """`run` with the operand at `at`, a number, made a tensor."""
    if at:
        return lambda x1, x2: run(x1, convert(x2, dtype))
    return lambda x1, x2: run(convert(x1, dtype), x2)


def wrap(op: Op, call: Callable[..., Any], retry: Callable[..., Any]) -> Callable[..., Any]:
    """The function that users call.

    Args:
        op: what is called.
        call: the slow way, `call(op, args, kwargs, key)`.
        retry: what to do after a native failure: raise an error that names the op, or go the slow way.
    """
    if op.leading == 1 and len(op.tensors) == 1:
        return _wrap_unary(op, call, retry)
    if op.leading == 2 and len(op.tensors) == 2:
        return _wrap_binary(op, call, retry)
    if op.leading == len(op.tensors) == 3:
        return _wrap_ternary(op, call, retry)

    def general(*args: Any, **kwargs: Any) -> Any:
        return call(op, args, kwargs)

    return general


# Types without a dtype (torch.compile can't trace the AttributeError that they give).
_PYTHON = frozenset((bool, int, float, complex, str, list, tuple, type(None)))


_SCALARS = frozenset((bool, int, float, complex, str, type(None)))


def _settled(values: Any) -> bool:
    """Whether arguments are plain values that may be part of a key that is kept: a tensor would be held, and compared, by identity."""
    return all(type(v) in _SCALARS or (type(v) is tuple and all(type(e) in _SCALARS for e in v)) for v in values)


def _ranked(op: Op) -> bool:
    """Whether what is remembered holds for tensors of one rank alone: an axis was made canonical, or the shape rule asked."""
    return bool(op.axis) or op.strict


def _wrap_unary(op: Op, call: Callable[..., Any], retry: Callable[..., Any]) -> Callable[..., Any]:
    fast, ranked = op.fast, _ranked(op)

    def unary(*args: Any, **kwargs: Any) -> Any:
        key: Any = None
        if args and type(args[0]) not in _PYTHON:
            x, *rest = args
            if type(x) is Variable:
                x = x.value
                args = (x, *rest)
            try:
                if rest:  # with their types: 1, 1.0 and True are equal
                    key = (type(x), x.dtype, x.ndim, *rest, *map(type, rest), *kwargs.items())
                else:
                    key = (type(x), x.dtype, x.ndim, *kwargs.items()) if kwargs or ranked else (type(x), x.dtype)
                native = fast[key[0]][key]
            except KeyError:
                native = None
                key = key if _settled(rest) and _settled(kwargs.values()) else None
            except (AttributeError, TypeError):
                native = key = None
            if native is not None:
                try:
                    return native(x)
                except Exception as error:
                    return retry(op, error, args, kwargs)
        return call(op, args, kwargs, key)

    return unary


def _wrap_binary(op: Op, call: Callable[..., Any], retry: Callable[..., Any]) -> Callable[..., Any]:
    fast, ranked = op.fast, _ranked(op)

    def binary(*args: Any, **kwargs: Any) -> Any:
        key: Any = None
        if len(args) == 2:
            x1, x2 = args
            if type(x2) is Variable and type(x1) is not KerasTensor:
                x2 = x2.value
                args = (x1, x2)
            if type(x1) is Variable and type(x2) is not KerasTensor:
                x1 = x1.value
                args = (x1, x2)
            kind1, kind2 = type(x1), type(x2)
            try:
                if kind1 in _PYTHON or kind2 in _PYTHON:
                    key = None if kwargs or ranked else _number_key(x1, x2)
                elif kwargs or ranked:
                    key = (kind1, x1.dtype, x1.ndim, kind2, x2.dtype, x2.ndim, *kwargs.items())
                else:
                    key = (kind1, x1.dtype, kind2, x2.dtype)
                native = fast[key[0]][key]
            except KeyError:
                native = None
                key = key if _settled(kwargs.values()) else None
            except (AttributeError, TypeError):
                native = key = None
            if native is not None:
                try:
                    return native(x1, x2)
                except Exception as error:
                    return retry(op, error, args, kwargs)
        return call(op, args, kwargs, key)

    return binary


def _wrap_ternary(op: Op, call: Callable[..., Any], retry: Callable[..., Any]) -> Callable[..., Any]:
    fast = op.fast

    def ternary(*args: Any, **kwargs: Any) -> Any:
        key: Any = None
        if len(args) == 3 and not kwargs and not any(type(x) in _PYTHON or type(x) is KerasTensor for x in args):
            args = tuple([x.value if type(x) is Variable else x for x in args])
            x1, x2, x3 = args
            try:
                key = (type(x1), x1.dtype, type(x2), x2.dtype, type(x3), x3.dtype)
                native = fast[key[0]][key]
            except KeyError:
                native = None
            except (AttributeError, TypeError):
                native = key = None
            if native is not None:
                try:
                    return native(x1, x2, x3)
                except Exception as error:
                    return retry(op, error, args, kwargs)
        return call(op, args, kwargs, key)

    return ternary


def _number_key(x1: Any, x2: Any) -> Any:
    """The key of a tensor beside a Python number (the tensor's type first), None for all else."""
    kind1, kind2 = type(x1), type(x2)
    if kind2 is float or kind2 is int:
        kind, dtype = kind1, getattr(x1, "dtype", None)
    elif kind1 is float or kind1 is int:
        kind, dtype = kind2, getattr(x2, "dtype", None)
    else:
        return None
    return None if dtype is None else (kind, kind1, kind2, dtype)
