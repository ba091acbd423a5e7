"""Names of users' classes and functions, and the one rule by which `get(identifier)` finds things everywhere.

Two separate things live here. *Registration*: what a user registers with `register_keras_serializable`, opens with
`custom_object_scope` or puts into `get_custom_objects()` may be named by a config. *Look-up*: losses, metrics,
optimizers, initializers and their kin each keep a table of their own names and hand every identifier that a user gives
them to `lookup`. The table always speaks before the registry, so that nobody's registration can take the place of a
built-in.
"""

from __future__ import annotations

import contextvars
import difflib
import types
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from tricera.core.naming import to_snake_case

T = TypeVar("T")

_registered: dict[str, Any] = {}
_names: dict[Any, str] = {}
_scopes: contextvars.ContextVar[tuple[Mapping[str, Any], ...]] = contextvars.ContextVar("tricera_objects", default=())


def register_keras_serializable(package: str = "Custom", name: str | None = None) -> Callable[[T], T]:
    """A decorator that lets saved configs name the decorated class or function.

    Args:
        package: what the thing belongs to; part of its key.
        name: its name there; default: its `__name__`.

    Returns:
        The decorator. The key is `"package>name"`.

    Raises:
        TypeError: what is decorated is neither a class nor a function.
        ValueError: a class without `get_config`.

    Example:
        >>> @register_keras_serializable("mine")
        ... class Twice:
        ...     def get_config(self):
        ...         return {}
        >>> get_registered_name(Twice), get_registered_object("mine>Twice") is Twice
        ('mine>Twice', True)
    """
    if not isinstance(package, str):
        raise TypeError(
            f"`package` is the name of a package, a string; got {package!r}. Write the decorator with brackets: "
            "@register_keras_serializable() or @register_keras_serializable('my_package')."
        )

    def decorate(thing: T) -> T:
        if not isinstance(thing, type) and not callable(thing):
            raise TypeError(f"Only classes and functions can be registered; got {thing!r}.")
        if isinstance(thing, type) and not hasattr(thing, "get_config"):
            raise ValueError(
                f"{thing.__name__} cannot be registered because it has no get_config() method, from which its saved "
                "form is made. Add one that returns the constructor's arguments as a dict."
            )
        key = f"{package}>{name or getattr(thing, '__name__', type(thing).__name__)}"
        _registered[key] = thing
        _names[thing] = key
        return thing

    return decorate


def get_custom_objects() -> dict[str, Any]:
    """The live dictionary of everything registered in this process, by key; scopes are not part of it.

    Example:
        >>> get_custom_objects()["my_relu"] = lambda x: x
        >>> "my_relu" in get_custom_objects()
        True
        >>> _ = get_custom_objects().pop("my_relu")
    """
    return _registered


def get_registered_name(obj: Any) -> str:
    """The key under which a class or function was registered; its `__name__` if it was not.

    Example:
        >>> get_registered_name(dict)
        'dict'
    """
    try:
        return _names[obj]
    except (KeyError, TypeError):  # TypeError: unhashable callables are never registered
        return getattr(obj, "__name__", type(obj).__name__)


def is_registered(obj: Any) -> bool:
    """Whether the class or function was registered by `register_keras_serializable`."""
    try:
        return obj in _names
    except TypeError:
        return False


def get_registered_object(
    name: str, custom_objects: Mapping[str, Any] | None = None, module_objects: Mapping[str, Any] | None = None
) -> Any:
    """What stands under `name` in the open scopes (innermost first), the registry, then the two mappings; else None.

    Example:
        >>> get_registered_object("thing", {"thing": dict})
        <class 'dict'>
        >>> get_registered_object("nobody") is None
        True
    """
    for table in (*reversed(_scopes.get()), _registered, custom_objects or {}, module_objects or {}):
        if name in table:
            return table[name]
    return None


class CustomObjectScope:
    """A `with` block inside which configs may name the given classes and functions.

    Args:
        custom_objects: name -> class or function.

    Example:
        >>> with custom_object_scope({"Mine": dict}):
        ...     get_registered_object("Mine")
        <class 'dict'>
    """

    def __init__(self, custom_objects: Mapping[str, Any] | None) -> None:
        if custom_objects is not None and not isinstance(custom_objects, Mapping):
            raise TypeError(f"`custom_objects` is a dict of names to classes or functions; got {custom_objects!r}.")
        self.custom_objects: dict[str, Any] = dict(custom_objects or {})
        self._tokens: list[contextvars.Token[tuple[Mapping[str, Any], ...]]] = []

    def __enter__(self) -> CustomObjectScope:
        self._tokens.append(_scopes.set((*_scopes.get(), self.custom_objects)))
        return self

    def __exit__(self, *exc_info: object) -> None:
        _scopes.reset(self._tokens.pop())


custom_object_scope = CustomObjectScope


def by_name(name: str, table: Mapping[str, Any]) -> Any:
    """The entry of `table` that `name` means: spelt exactly, in snake_case, or in another case; None if there is none.

    Example:
        >>> by_name("mean_squared_error", {"MeanSquaredError": 1}), by_name("ADAM", {"Adam": 2})
        (1, 2)
    """
    if name in table:
        return table[name]
    lowered = name.lower()
    for key, value in table.items():
        if lowered in (key.lower(), to_snake_case(key)):
            return value
    return None


def lookup(
    kind: str, identifier: Any, table: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None
) -> Any:
    """What a user's identifier means: the rule behind every `get()` and `deserialize()` of Tricera.

    A string is looked up in `table` (as it is, in snake_case, in any case), then among the registered and the custom
    objects. A dict is a config: `{"class_name": ..., "config": {...}}`. A class is instantiated, an instance or a
    function is given back as it is.

    Args:
        kind: what is looked for, in the singular, for messages: `"loss"`.
        identifier: None, a string, a config, a class, an instance or a function.
        table: the built-in names of this kind. A value that is a class is instantiated without arguments.
        custom_objects: names that hold for this call only.

    Returns:
        The object, or None for None.

    Raises:
        ValueError: no such name (the message lists the nearest ones), or something that is not an identifier.

    Example:
        >>> lookup("reduction", "Sum", {"sum": sum}) is sum
        True
    """
    if identifier is None:
        return None
    if isinstance(identifier, str):
        return _instantiate(_named(kind, identifier, table, custom_objects))
    if isinstance(identifier, Mapping):
        return from_config(kind, identifier, table, custom_objects)
    if isinstance(identifier, type):
        return identifier()
    if callable(identifier) or hasattr(identifier, "get_config"):
        return identifier
    raise ValueError(
        f"{identifier!r} (of type {type(identifier).__name__}) does not say which {kind} is meant. Give a name, a config "
        f"dict, an object or class of this kind, or a function. Names: {', '.join(sorted(table))}."
    )


def from_config(
    kind: str, config: Mapping[str, Any], table: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None
) -> Any:
    """The object that a serialized config `{"class_name": ..., "config": ...}` of this kind describes.

    Raises:
        ValueError: the config names nothing that is known, or is not of that form.
    """
    name = config.get("class_name")
    inner = config.get("config", {})
    if not isinstance(name, str):
        raise ValueError(
            f"The config of this kind of object ({kind}) is a dict with the keys 'class_name' and 'config'; got {dict(config)!r}."
        )
    if name == "function":
        if not isinstance(inner, str):
            raise ValueError(f"The config of a function ({kind}) holds its name; got {inner!r}.")
        return _named(kind, inner, table, custom_objects)
    found = None
    if not str(config.get("module") or "").startswith(("keras", "tricera")):
        found = _custom(config.get("registered_name") or name, custom_objects)
    if found is None:
        found = _named(kind, name, table, custom_objects)
    if isinstance(found, types.FunctionType):
        return found
    if not isinstance(inner, Mapping):
        raise ValueError(f"The config of {kind} '{name}' must be a dict; got {inner!r}.")
    build = getattr(found, "from_config", None)
    return build(dict(inner)) if build is not None else found(**inner)


def _named(kind: str, name: str, table: Mapping[str, Any], custom_objects: Mapping[str, Any] | None) -> Any:
    found = by_name(name, table)
    if found is None:
        found = _custom(name, custom_objects)
    if found is None:
        near = difflib.get_close_matches(name.lower(), [key.lower() for key in table], n=3)
        nearest = sorted({key for key in table if key.lower() in near})
        hint = (
            f"Did you mean {' or '.join(repr(key) for key in nearest)}?"
            if nearest
            else (f"The names are {', '.join(sorted(table))}.")
        )
        raise ValueError(
            f"There is no {kind} named {name!r}. {hint} Your own classes and functions need "
            "@register_keras_serializable() or a custom_object_scope."
        )
    return found


def _custom(name: Any, custom_objects: Mapping[str, Any] | None) -> Any:
    if not isinstance(name, str):
        return None
    found = get_registered_object(name, custom_objects)
    if found is None and ">" in name:
        found = get_registered_object(name.rpartition(">")[2], custom_objects)
    return found


def _instantiate(found: Any) -> Any:
    return found() if isinstance(found, type) else found
