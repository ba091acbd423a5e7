"""Loading on first touch: modules and their names are imported when a user reaches for them, not before."""

from __future__ import annotations

import gc
import importlib
import sys
from typing import Any


def load(module: str, name: str | None = None) -> Any:
    """Import a module of Tricera, and take a name out of it.

    Python's cyclic garbage collector pauses meanwhile. What an import makes is there to stay, and a full collection in its
    midst, which goes through all that a framework has made, can last longer than the import.

    Args:
        module: the module's name below `tricera`, as `"layers.core"`.
        name: an attribute of it; None for the module.

    Returns:
        The module, or its attribute.

    Raises:
        ImportError: there is no such module, or it can't be imported.
        AttributeError: the module lacks the name.

    Example:
        >>> load("core.lazy", "load") is load
        True
    """
    path = f"tricera.{module}"
    collecting = path not in sys.modules and gc.isenabled()
    if collecting:
        gc.disable()
    try:
        found = importlib.import_module(path)
    finally:
        if collecting:
            gc.enable()
    return found if name is None else getattr(found, name)
