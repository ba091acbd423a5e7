"""Checks of options at the door: what was given, what was expected.

A check is a function of an argument's name and value that raises a ValueError. `Checked` applies a class's checks to the arguments
of its constructor, and sees to it that whatever the constructor raises names the class.
"""

from __future__ import annotations

import functools
import inspect
import math
import numbers
import re
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np

Check = Callable[[str, Any], Any]


def positive(name: str, value: Any) -> int:
    """Check that an argument is a positive integer.

    Args:
        name: of the argument.
        value: what was given.

    Returns:
        The integer.

    Raises:
        ValueError: it isn't one.
    """
    if isinstance(value, bool) or not hasattr(value, "__index__") or value.__index__() < 1:
        raise ValueError(f"`{name}` must be a positive integer, not {value!r}.")
    return value.__index__()


def number(
    least: float = -math.inf,
    most: float = math.inf,
    above: float = -math.inf,
    optional: bool = False,
    below: float = math.inf,
) -> Check:
    """A check that an argument is a finite number in a range; tensors and variables pass, as their values may not be known.

    Args:
        least: the smallest number allowed.
        most: the largest.
        above: a number below all that are allowed.
        optional: whether None will do.
        below: a number above all that are allowed.

    Example:
        >>> number(0, 1)("rate", 0.5)
        >>> number(0, 1)("rate", 2)
        Traceback (most recent call last):
        ValueError: `rate` must be a number from 0 to 1, not 2.
    """
    ends = [("of at least", least), ("of at most", most), ("above", above), ("below", below)]
    wanted = "a number " + " and ".join(f"{word} {end:g}" for word, end in ends if math.isfinite(end))
    if math.isfinite(least) and math.isfinite(most):
        wanted = f"a number from {least:g} to {most:g}"
    wanted = wanted.rstrip()

    def check(name: str, value: Any) -> None:
        if (value is None and optional) or (hasattr(value, "shape") and not isinstance(value, np.generic)):
            return
        real = isinstance(value, numbers.Real) or (isinstance(value, np.generic) and np.isreal(value))
        inside = real and math.isfinite(float(value)) and least <= float(value) <= most and above < float(value) < below
        if isinstance(value, (bool, np.bool_)) or not inside:
            raise ValueError(f"`{name}` must be {wanted}{' or None' if optional else ''}, not {value!r}.")

    return check


def integer(least: float = -math.inf, optional: bool = False) -> Check:
    """A check that an argument is an integer, of at least `least`."""
    wanted = "an integer" + (f" of at least {least:g}" if least > -math.inf else "") + (" or None" if optional else "")

    def check(name: str, value: Any) -> None:
        if value is None and optional:
            return
        if isinstance(value, bool) or not hasattr(value, "__index__") or value.__index__() < least:
            raise ValueError(f"`{name}` must be {wanted}, not {value!r}.")

    return check


def axes(name: str, value: Any) -> None:
    """Check that an argument is an axis, several of them, or None.

    Raises:
        ValueError: it isn't.
    """
    several = value if isinstance(value, (list, tuple)) else (value,)
    if value is not None and any(isinstance(a, bool) or not hasattr(a, "__index__") for a in several):
        raise ValueError(f"`{name}` must be an integer or several, not {value!r}.")


def several(check: Check, alone: bool = True, optional: bool = True, of: str = "numbers") -> Check:
    """A check that an argument is a list whose elements pass another.

    Args:
        check: of each element.
        alone: whether one element by itself will do.
        optional: whether None will do.
        of: what the elements are, for the message.
    """

    def checked(name: str, value: Any) -> None:
        if hasattr(value, "shape") or (value is None and optional):
            return
        if isinstance(value, (str, Mapping)) or not (hasattr(value, "__iter__") or alone):
            raise ValueError(f"`{name}` must be a list of {of}, not {value!r}.")
        for element in value if hasattr(value, "__iter__") else (value,):
            check(name, element)

    return checked


def text(name: str, value: Any) -> None:
    """Check that an argument is a string, or None.

    Raises:
        ValueError: it isn't.
    """
    if not isinstance(value, (str, type(None))):
        raise ValueError(f"`{name}` must be a string, not {value!r}.")


def words(name: str, value: Any) -> None:
    """Check that an argument is a list of regular expressions, or None; one string is none, since its letters would be taken.

    Raises:
        ValueError: it isn't.
    """
    if value is not None and (isinstance(value, str) or not hasattr(value, "__iter__")):
        raise ValueError(f"`{name}` must be a list of words, such as ['bias'], not {value!r}.")
    for word in value or ():
        if not isinstance(word, str):
            raise ValueError(f"`{name}` must hold strings, not {word!r}.")
        try:
            re.compile(word)
        except re.error as error:
            raise ValueError(
                f"`{name}` must hold words or regular expressions, and {word!r} is none: {error}."
            ) from error


def flag(name: str, value: Any) -> None:
    """Check that an argument is True or False.

    Raises:
        ValueError: it isn't.
    """
    if not isinstance(value, (bool, np.bool_)) and value not in (0, 1):
        raise ValueError(f"`{name}` must be True or False, not {value!r}.")


def function(name: str, value: Any) -> None:
    """Check that an argument can be called.

    Raises:
        ValueError: it can't.
    """
    if not callable(value):
        raise ValueError(f"`{name}` must be a function, not {value!r}.")


def one_of(name: str, value: Any, options: tuple[Any, ...]) -> None:
    """Check that an argument is one of a few values.

    Raises:
        ValueError: it isn't.
    """
    if not isinstance(value, (str, type(None))) or value not in options:
        raise ValueError(f"`{name}` must be one of {', '.join(map(repr, options))}, not {value!r}.")


def plain(value: Any) -> Any:
    """An argument with Python's numbers in the place of NumPy's scalars, also in lists and tuples.

    Options are compared, counted and written into configs, where `np.float32(0.5)` is no float and `np.int64(3)` is not JSON.

    Args:
        value: what was given; anything else comes back as it is.

    Example:
        >>> plain((np.int64(3), 2)), plain(np.float32(0.5))
        ((3, 2), 0.5)
    """
    if isinstance(value, np.generic):
        return value.item() if value.dtype.kind in "biuf" else value
    if type(value) in (list, tuple) and value:
        found = [plain(v) for v in value]
        if any(a is not b for a, b in zip(found, value, strict=True)):
            return type(value)(found)
    return value


class Checked:
    """A mixin: the constructor's arguments are checked by name, and its errors say of which class they are.

    Attributes:
        _checks: argument -> check, for the constructors of Tricera's own classes; what a user's class calls so is its own affair.
    """

    _checks: ClassVar[Mapping[str, Check]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "__init__" in cls.__dict__:
            cls.__init__ = _checking(cls.__dict__["__init__"], cls.__module__.startswith("tricera."))  # type: ignore[method-assign]


def _checking(init: Callable[..., None], own: bool) -> Callable[..., None]:
    @functools.cache
    def names() -> list[str]:
        return [p.name for p in inspect.signature(init).parameters.values() if p.kind is not p.VAR_POSITIONAL][1:]

    @functools.wraps(init)
    def wrapped(self: Any, *args: Any, **kwargs: Any) -> None:
        try:
            if own:
                args, kwargs = tuple(map(plain, args)), {name: plain(value) for name, value in kwargs.items()}
                if checks := self._checks:
                    for name, value in {**dict(zip(names(), args, strict=False)), **kwargs}.items():
                        if name in checks:
                            checks[name](name, value)
            init(self, *args, **kwargs)
        except Exception as error:
            name_class(error, type(self).__name__)
            raise

    return wrapped


def name_class(error: Exception, name: str) -> None:
    """Put a class's name before an error's message, unless a class stands there already.

    Args:
        error: the error, changed in place; one whose class may read its arguments gets a note.
        name: the class's name.
    """
    if getattr(error, "_of_class", False):
        return
    error._of_class = True  # type: ignore[attr-defined]
    if type(error) in (ValueError, TypeError) and len(error.args) == 1 and isinstance(error.args[0], str):
        if name not in error.args[0]:
            error.args = (f"{name}: {error.args[0]}",)
    else:
        error.add_note(f"In a constructor of {name}.")
