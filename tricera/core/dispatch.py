"""Which backend runs an op: the one of its tensors, else the current one.

A `Backend` is a handle on the folder `tricera/backends/<name>`; its modules ("rooms") are imported on first touch.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import inspect
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any

from tricera.core import config
from tricera.core.lazy import load
from tricera.core.scoped import Scoped

# name -> (module that must be installed, what to install)
KNOWN = {
    "jax": ("jax", "tricera[jax]"),
    "torch": ("torch", "tricera[torch]"),
    "tensorflow": ("tensorflow", "tricera[tensorflow]"),
    "numpy": ("numpy", "numpy"),
}
# The first part of a tensor class's module -> backend.
_ROOTS = {"jax": "jax", "jaxlib": "jax", "torch": "torch", "tensorflow": "tensorflow"}


class BackendError(ImportError, ValueError):
    """An unknown backend, or one whose framework is not installed."""


class Backend:
    """One framework behind the contract of `tricera.backends.contract`.

    Attributes:
        name: `"jax"`, `"torch"`, `"tensorflow"` or `"numpy"`.

    The functions of the room `tensor` (`convert`, `cast`, `to_numpy`, `is_tensor`, `shape`, `dtype`) are attributes of the
    handle itself; the other rooms (`random`, `state`, `control`, `step`, ...) are attributes that hold the module.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._table: dict[str, Callable[..., Any] | None] | None = None
        self._detours: dict[str, dict[str, str]] = {}
        self._with_numbers: dict[str, tuple[Callable[..., Any] | None, ...]] = {}
        self._loaded = False

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        tensor = _room(self.name, "tensor")
        if "convert" not in self.__dict__:
            # All at once: nothing can be imported while torch.compile traces.
            self.__dict__.update(
                {k: v for k, v in vars(tensor).items() if inspect.isfunction(v) or isinstance(v, bool)}
            )
        if hasattr(tensor, name):
            value = getattr(tensor, name)
        else:
            try:
                value = _room(self.name, name)
            except ModuleNotFoundError as error:
                if error.name != f"tricera.backends.{self.name}.{name}":
                    raise
                raise AttributeError(f"The backend {self.name!r} has nothing called {name!r}.") from None
        self.__dict__[name] = value
        return value

    @property
    def traits(self) -> Any:
        """What is known of the framework without loading it: a room that doesn't import it."""
        return _room(self.name, "traits")

    @property
    def loaded(self) -> bool:
        """Whether the rooms that an op may need are imported."""
        return self._loaded

    def load(self) -> None:
        """Import the rooms that an op may need: nothing can be imported while torch.compile traces."""
        if not self._loaded:
            self._loaded = True
            self.function("")
            self.convert, self.control, self.random, self.state  # noqa: B018 - each is imported by being touched

    def function(self, name: str) -> Callable[..., Any] | None:
        """The backend's own implementation of an op, or None."""
        if self._table is None:
            room = _room(self.name, "ops")
            self._table, self._detours = dict(room.TABLE), room.DETOURS
            self._with_numbers = getattr(room, "WITH_NUMBERS", {})
        return self._table.get(name)

    def function_of(self, name: str, x: Any) -> Callable[..., Any] | None:
        """The implementation for operands like `x`, through another dtype where the framework has no kernel for theirs."""
        function = self.function(name)
        if function is None or name not in self._detours:
            return function
        dtype = self.dtype(x)
        via = self._detours[name].get(dtype)
        return function if via is None else functools.partial(_detour, self, function, via, dtype)

    def with_number(self, name: str, dtype: str, at: int) -> Callable[..., Any] | None:
        """The implementation of a binary op on a tensor and a Python number at a place, or None if it needs a tensor there."""
        found = self._with_numbers.get(name) if dtype in ("float32", "float64", "int32", "int64") else None
        return None if found is None else found[at]

    def concrete(self) -> contextlib.AbstractContextManager[Any]:
        """A block in which computations yield values even inside a function that the framework traces."""
        loaded = KNOWN[self.name][0] in sys.modules  # if it isn't, it doesn't trace, and need not be loaded for this
        return self.state.concrete() if loaded else contextlib.nullcontext()

    def __repr__(self) -> str:
        return f"<Backend {self.name}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return (get, (self.name,))

    def __deepcopy__(self, memo: dict[int, Any]) -> Backend:
        return self


def _detour(backend: Backend, function: Callable[..., Any], via: str, dtype: str, *tensors: Any, **options: Any) -> Any:
    out = function(*[None if x is None else backend.cast(x, via) for x in tensors], **options)
    return backend.cast(out, dtype) if backend.dtype(out) == via else out


def _room(backend: str, room: str) -> Any:
    return load(f"backends.{backend}.{room}")


_handles: dict[str, Backend] = {}
_scoped: Scoped[Backend | None] = Scoped("backend", default=None)
_default: Backend | None = None
_by_type: dict[type, Backend | None] = dict.fromkeys((bool, int, float, complex, str, list, tuple, dict, type(None)))


def installed() -> list[str]:
    """The names of the backends whose frameworks are installed, without importing them."""
    return [name for name, (module, _) in KNOWN.items() if importlib.util.find_spec(module) is not None]


def get(name: str) -> Backend:
    """The handle of a backend.

    Raises:
        BackendError: the name is unknown, or the framework is not installed (with what to install).
    """
    try:
        return _handles[name]
    except KeyError:
        pass
    if not isinstance(name, str) or name not in KNOWN:
        raise BackendError(f"Unknown backend {name!r}. Expected one of: {', '.join(map(repr, KNOWN))}.")
    module, requirement = KNOWN[name]
    if importlib.util.find_spec(module) is None:
        raise BackendError(
            f"The backend {name!r} needs the package {module!r}, which is not installed. "
            f"Install it with `pip install '{requirement}'`, or choose one of: {', '.join(installed())}."
        )
    return _handles.setdefault(name, Backend(name))


def current() -> Backend:
    """The backend on which what is built now will run."""
    inside = _scoped.traced  # what torch.compile saw being set
    return inside[-1] if inside else _handles[_current_name()]  # type: ignore[return-value]


def _current_name() -> str:
    handle = _scoped.get() or _default or _choose()
    if not handle._loaded and KNOWN[handle.name][0] in sys.modules:
        handle.load()
    return handle.name


# torch.compile can't trace context variables; what bears this mark it calls while tracing and takes for a constant. A name,
# since it could not guard what it found inside a handle that came out of nowhere.
_current_name._dynamo_marked_constant = True  # type: ignore[attr-defined]


def preferred() -> tuple[str, str]:
    """The name of the backend that is taken where the program names none, and who says so.

    Example:
        >>> name, why = preferred()
    """
    for variable in ("TRICERA_BACKEND", "KERAS_BACKEND"):
        if os.environ.get(variable):
            return os.environ[variable], f"the environment variable {variable}"
    named = config.config_file().get("backend")
    if named:
        return named, "the config file"
    return installed()[0], "the order of what is installed"


def _choose() -> Backend:
    global _default
    _default = get(preferred()[0])
    return _default


def set_backend(backend: str) -> None:
    """Choose the backend for the whole process (a `use` block that is open still wins inside).

    Args:
        backend: `"jax"`, `"torch"`, `"tensorflow"` or `"numpy"`.

    Raises:
        BackendError: unknown, or its framework is not installed.
    """
    global _default
    _default = get(backend)


@contextlib.contextmanager
def use(backend: str | Backend) -> Iterator[Backend]:
    """Choose the backend inside a `with` block, for this thread or task alone.

    Example:
        >>> with use("numpy") as backend:
        ...     backend.name
        'numpy'
    """
    handle = backend if isinstance(backend, Backend) else get(backend)
    token = _scoped.set(handle)
    try:
        yield handle
    finally:
        _scoped.reset(token)


def within(backend: Backend) -> contextlib.AbstractContextManager[Any]:
    """A block in which a backend is current; nothing is done where it is so already."""
    # torch.compile can't trace a context variable being set, so it is set only where it must be.
    return contextlib.nullcontext() if current() is backend else use(backend)


def table(make: Callable[..., Any], *args: Any, dtype: str | None = None) -> Any:
    """A tensor of the current backend of what `make(*args)` works out with NumPy from plain arguments; a constant while tracing."""
    backend = current()
    return backend.table(make, None if dtype is None else backend.canonical(dtype), *args)


def of_type(cls: type) -> Backend | None:
    """The backend whose tensors have the type `cls`; None for NumPy arrays and all else."""
    try:
        return _by_type[cls]
    except KeyError:
        pass
    name = _owner(cls)
    found = _by_type[cls] = None if name is None else _handles[name]
    return found


def _owner(cls: type) -> str | None:
    for base in cls.__mro__:
        name = _ROOTS.get(base.__module__.partition(".")[0])
        if name is not None:
            backend = get(name)
            backend.load()
            return name if backend.is_tensor_type(cls) else None
    return None


_owner._dynamo_marked_constant = True  # type: ignore[attr-defined]


def of(x: Any) -> Backend | None:
    """The backend to which a tensor belongs; None for Python numbers, lists and NumPy arrays."""
    return of_type(type(x))
