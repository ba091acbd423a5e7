"""The door of an op: what its arguments may be, by how they are annotated, asked on the slow first way.

An argument's annotation is the declaration: a `TensorLike` without `| None` must be given, an `int` is an integer, and so on. What can't
be told by a type (a size that is too great, a name that there is not) is for the op itself. What numbers operands may hold is declared
beside `promote`, as `kinds`.
"""

from __future__ import annotations

import functools
import inspect
import numbers
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from tricera.core import dispatch
from tricera.core.dtypes import COMPLEX, FLOATS
from tricera.core.tensor import KerasTensor
from tricera.core.variable import Variable

if TYPE_CHECKING:
    from tricera.core.op import Op

_ARRAYS = (np.ndarray, np.generic)
NO_NUMBERS = "OUSMm"  # the kinds of NumPy's dtypes that are objects, text and times
F = TypeVar("F", bound=Callable[..., Any])
# Annotated with one of these, an integer is checked to be at least 1, or 0.
Positive = int
Natural = int
# The types that pass at once, and what checks all others; it returns the value, made plain where NumPy's scalars are.
Door = tuple[frozenset[type], Callable[[str, Any], Any]]


def _tensor(x: Any) -> bool:
    return isinstance(x, (Variable, KerasTensor, np.ndarray)) or dispatch.of_type(type(x)) is not None


def _integer(what: str, value: Any) -> Any:
    if isinstance(value, (bool, np.integer)):
        return int(value)
    if not hasattr(value, "__index__") and not _tensor(value):
        raise TypeError(f"{what} must be an integer, not {value!r}.")
    return value


def _at_least(least: int) -> Callable[[str, Any], Any]:
    def check(what: str, value: Any) -> Any:
        value = _integer(what, value)
        if type(value) is int and value < least:
            raise ValueError(f"{what} must be at least {least}, not {value}.")
        return value

    return check


def _number(what: str, value: Any) -> Any:
    real = isinstance(value, numbers.Real) or (isinstance(value, np.generic) and value.dtype.kind in "biufV")
    if not real and not _tensor(value):
        raise TypeError(f"{what} must be a number, not {value!r}.")
    return value


def _flag(what: str, value: Any) -> Any:
    if value is None or isinstance(value, (int, np.bool_, np.integer)):
        return bool(value)
    if not _tensor(value):
        raise TypeError(f"{what} must be True or False, not {value!r}.")
    return value


def _name(what: str, value: Any) -> Any:
    if not isinstance(value, str):
        raise TypeError(f"{what} must be a string, not {value!r}.")
    return value


def _row(what: str, value: Any) -> Any:
    if not isinstance(value, (list, tuple)) and not _tensor(value):
        raise TypeError(f"{what} must be a tuple of integers, not {value!r}.")
    return _integers(what, value)


def _integers(what: str, value: Any) -> Any:
    entries = value if isinstance(value, (list, tuple)) else (value,)
    if not all(hasattr(entry, "__index__") or _tensor(entry) for entry in entries):
        raise TypeError(f"{what} must be an integer or a tuple of integers, not {value!r}.")
    return int(value) if isinstance(value, (bool, np.integer)) else value


def _function(what: str, value: Any) -> Any:
    if not callable(value):
        raise TypeError(f"{what} must be a function, not {value!r}.")
    return value


def _operand(what: str, value: Any) -> Any:
    if no_numbers(value):
        raise TypeError(f"{what} must be a tensor, an array or numbers, not {value!r}.")
    return value


_NOTHING = frozenset((type(None),))
_DOORS: dict[str, Door] = {
    "int": (frozenset((int,)), _integer),
    "Positive": (frozenset(), _at_least(1)),
    "Natural": (frozenset(), _at_least(0)),
    "float": (frozenset((float, int)), _number),
    "bool": (frozenset((bool,)), _flag),
    "str": (frozenset((str,)), _name),
    "int | tuple[int, ...]": (frozenset((int,)), _integers),
    "int | Sequence[int]": (frozenset((int,)), _integers),
    "tuple[int, ...]": (frozenset(), _row),
    "Sequence[int]": (frozenset(), _row),
    "tuple[int, int]": (frozenset(), _row),
    "Callable[..., Any]": (frozenset(), _function),
    "TensorLike": (frozenset((float, int, bool)), _operand),
    "Axis": (frozenset((int, type(None))), _integers),
}
_DOORS |= {f"{name} | None": (types | _NOTHING, check) for name, (types, check) in _DOORS.items()}


def door(annotation: Any) -> Door | None:
    """What checks arguments that are annotated so; None for those that say nothing of it.

    Example:
        >>> door("int")[1]("ops.tril: `k`", 2), door("Any")
        (2, None)
    """
    name = str(annotation)
    return _DOORS.get("Callable[..., Any]" if name.startswith("Callable[") else name)


def check_options(op: Op, values: list[Any]) -> None:
    """Check the arguments that aren't operands, in place.

    Raises:
        TypeError: one is of another kind than it is annotated to be.
    """
    for i, types, check in op.doors:
        value = values[i]
        if type(value) not in types:
            values[i] = check(f"ops.{op.name}: `{op.names[i]}`", value)


def guarded(fn: F) -> F:
    """A public function that is no op, its arguments checked by their annotations; what it refuses names it, as an op does.

    Args:
        fn: a function of `tricera.ops` or `tricera.random` that calls no function of the user's (for those, see `checked`).

    Example:
        >>> @guarded
        ... def twice(n: int) -> int:
        ...     return 2 * n
        >>> twice("x")
        Traceback (most recent call last):
        TypeError: ops.twice: `n` must be an integer, not 'x'.
    """
    name = _public_name(fn)
    inner = checked(fn)

    @functools.wraps(fn)
    def named(*args: Any, **kwargs: Any) -> Any:
        try:
            return inner(*args, **kwargs)
        except Exception as error:
            raise refusal(name, error)  # noqa: B904 - it is the same error, or one that has it as its cause

    return named  # type: ignore[return-value]


def _public_name(fn: Callable[..., Any]) -> str:
    return f"{'random' if fn.__module__.startswith('tricera.random') else 'ops'}.{fn.__name__}"


def refusal(name: str, error: Exception) -> Exception:
    """What a function raises for an error inside of it: a ValueError or TypeError that names it where the input is at fault.

    Args:
        name: the function's public name.
        error: what went wrong.

    Example:
        >>> refusal("ops.eye", ValueError("No such dtype."))
        ValueError('ops.eye: No such dtype.')
    """
    if str(error).startswith(("ops.", "random.")):
        return error
    kind = type(error) if type(error) in (TypeError, ValueError) else dispatch.current().refusal(error)
    if kind is None:
        return error
    better = kind(f"{name}: {error}")
    better.__cause__ = error
    return better


def checked(fn: F) -> F:
    """A public function that is no op, its arguments checked by their annotations.

    Args:
        fn: a function of `tricera.ops` or `tricera.random`.
    """
    name = _public_name(fn)
    parameters = inspect.signature(fn).parameters.values()
    doors = [
        (sys.maxsize if p.kind is p.KEYWORD_ONLY else i, p.name, f"{name}: `{p.name}`", *found)
        for i, p in enumerate(parameters)
        if (found := door(p.annotation))
    ]

    @functools.wraps(fn)
    def called(*args: Any, **kwargs: Any) -> Any:
        for i, key, what, types, check in doors:
            if i < len(args):
                if type(args[i]) not in types:
                    args = (*args[:i], check(what, args[i]), *args[i + 1 :])
            elif key in kwargs and type(kwargs[key]) not in types:
                kwargs[key] = check(what, kwargs[key])
        return fn(*args, **kwargs)

    return called  # type: ignore[return-value]


def no_tensor(op: Op, i: int, value: Any) -> TypeError:
    """The error for an operand of which no tensor can be made."""
    given = "None" if value is None else f"{type(value).__name__} {value!r}"[:100]
    dtype = getattr(value, "dtype", None)
    if dtype is not None:
        given = f"an array of dtype {dtype}"
    return TypeError(f"ops.{op.name}: `{op.names[i]}` must be a tensor, an array or numbers, not {given}.")


def no_numbers(x: Any) -> bool:
    """Whether an operand, or the first element of a list, is plainly none: None, text, a dict, an array of text or objects.

    Example:
        >>> no_numbers("a"), no_numbers([[1.0], [2.0]]), no_numbers(None)
        (True, False, True)
    """
    while isinstance(x, (list, tuple)) and x:
        x = x[0]
    # Without NumPy's help for what is no array, which torch.compile could not follow.
    return x is None or isinstance(x, (str, bytes, dict)) or (isinstance(x, _ARRAYS) and x.dtype.kind in NO_NUMBERS)


def is_text(x: Any) -> bool:
    """Whether an operand that is no framework's tensor holds text or objects, of which not every framework has tensors.

    Example:
        >>> is_text("a"), is_text([1.0]), is_text(["a", "b"])
        (True, False, True)
    """
    try:
        return np.asarray(x).dtype.kind in NO_NUMBERS
    except (TypeError, ValueError):
        return False


# Of each word about what an op asks for: how errors put it, and the dtypes that are none.
_KINDS: dict[str, tuple[str, frozenset[Any]]] = {
    "number": ("numbers", frozenset(("string",))),
    "real": ("real numbers", frozenset((*COMPLEX, "string"))),
    "integer": ("integers", frozenset((*COMPLEX, *FLOATS, "string", float))),
    "nobool": ("no truth values", frozenset(("bool", "string"))),
}


def kinds_of(op: Op, kinds: str | Mapping[str, str] | None) -> dict[int, str]:
    """What numbers each operand may hold: as declared, for all or by name; else any numbers where operands are made floats.

    Args:
        op: the op.
        kinds: `"number"`, `"real"`, `"integer"`, `"nobool"`, or several with spaces between; a dict for some of the operands.
    """
    if kinds is None:
        kinds = "number" if op.promote in ("float", "number") else {}
    if isinstance(kinds, str):
        return {i: kinds for i, _ in op.tensors}
    return {op.index[name]: kind for name, kind in kinds.items()}


def refused_by(kinds: Mapping[int, str]) -> frozenset[Any]:
    """All the dtypes that some operand may not have."""
    return frozenset().union(*(_KINDS[word][1] for kind in kinds.values() for word in kind.split()))


def check_kinds(op: Op, places: Iterable[int], found: Iterable[Any]) -> None:
    """Check the operands' dtypes, after it turned out that one of them is among those that some operand may not have.

    Args:
        op: the op.
        places: of each operand the place of its argument.
        found: of each operand the dtype.

    Raises:
        TypeError: an operand is of another kind than declared.
    """
    for i, dtype in zip(places, found, strict=True):
        words = op.kinds.get(i, "").split()
        if any(dtype in _KINDS[word][1] for word in words):
            wanted = " and ".join(_KINDS[word][0] for word in words)
            given = dtype if isinstance(dtype, str) else dtype.__name__
            raise TypeError(
                f"ops.{op.name}: `{op.names[i]}` must hold {wanted}, not {given}. Convert it with `ops.cast` first."
            )
