"""Python code in files: written for lambdas, read only by callers who said that they trust the file."""

from __future__ import annotations

import base64
import binascii
import builtins
import contextlib
import contextvars
import importlib
import marshal
import types
from collections.abc import Iterator, Mapping
from typing import Any

_safe: contextvars.ContextVar[bool | None] = contextvars.ContextVar("tricera_safe_mode", default=None)
_enabled_everywhere = False


def enable_unsafe_deserialization() -> None:
    """Let every later load in this process read Python code from files, as `safe_mode=False` does for one.

    Only for files of which you know who wrote them: such a file can do whatever you can do on this machine.
    """
    global _enabled_everywhere
    _enabled_everywhere = True


def in_safe_mode() -> bool:
    """Whether code, pickles and paths that stand in a config must be refused now; outside of any load they must."""
    if _enabled_everywhere:
        return False
    return _safe.get() is not False


@contextlib.contextmanager
def safe_mode_scope(safe_mode: bool) -> Iterator[None]:
    """Inside the block this decides, whatever was set outside."""
    if not isinstance(safe_mode, bool):
        raise TypeError(f"`safe_mode` must be True or False, not {safe_mode!r}.")
    token = _safe.set(safe_mode)
    try:
        yield
    finally:
        _safe.reset(token)


def inner_safe_mode(safe_mode: bool) -> contextlib.AbstractContextManager[None]:
    """As `safe_mode_scope`, but a block that is already open goes on deciding."""
    return contextlib.nullcontext() if _safe.get() is not None else safe_mode_scope(safe_mode)


def check_unsafe(what: str) -> None:
    """Refuse `what` in safe mode.

    Raises:
        ValueError: safe mode is on.
    """
    if in_safe_mode():
        raise ValueError(
            f"The config holds {what}, which could run any code on this machine. It is refused unless you trust the file and "
            "say so: pass safe_mode=False, or call config.enable_unsafe_deserialization() first."
        )


def to_config(fn: types.FunctionType) -> dict[str, Any]:
    """A function's bytecode, default values and closure."""
    from_closure = tuple(cell.cell_contents for cell in fn.__closure__) if fn.__closure__ else None
    return {
        "code": base64.encodebytes(marshal.dumps(fn.__code__)).decode("ascii"),
        "defaults": list(fn.__defaults__) if fn.__defaults__ else None,
        "closure": list(from_closure) if from_closure else None,
    }


def from_config(config: Any) -> types.FunctionType:
    """The function again, if code is allowed now.

    Raises:
        ValueError: code is not allowed, or what is there is not code of this version of Python.
    """
    check_unsafe("Python bytecode (a lambda)")
    if isinstance(config, Mapping) and "value" in config:
        config = config["value"]
    if isinstance(config, Mapping):
        config = (config.get("code"), config.get("defaults"), config.get("closure"))
    try:
        text, defaults, closure = config
        code = marshal.loads(base64.decodebytes(text.encode("ascii")))
        cells = tuple(types.CellType(value) for value in closure) if closure else None
        return types.FunctionType(code, _globals(), argdefs=tuple(defaults) if defaults else None, closure=cells)
    except (ValueError, TypeError, EOFError, AttributeError, binascii.Error) as error:
        raise ValueError(
            f"A lambda in the config can't be read: {error}. Its bytecode belongs to the version of Python that wrote it; "
            "replace it by a named function there and save again."
        ) from error


def _globals() -> dict[str, Any]:
    """What the body of a lambda can name: a file keeps no imports, so the usual ones are given."""
    # The face stands above this floor; by the time a caller asks for code from a file, it is imported.
    face = importlib.import_module("tricera")
    ops = importlib.import_module("tricera.ops")
    numpy = importlib.import_module("numpy")
    return {"__builtins__": builtins, "tricera": face, "keras": face, "ops": ops, "np": numpy, "numpy": numpy}
