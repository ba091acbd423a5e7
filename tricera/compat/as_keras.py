"""`install_as_keras`: `import keras` gives Tricera, for a whole process."""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import sys
import types
from collections.abc import Sequence
from typing import Any


class _AsKeras(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds `keras` and `keras.x.y`: the very modules `tricera` and `tricera.x.y`, not copies of them."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != "keras" and not fullname.startswith("keras."):
            return None
        if fullname.startswith("keras.src"):
            raise ModuleNotFoundError(
                f"{fullname!r}: Tricera stands in for Keras here and has none of its private modules. Use the public names, "
                "such as `keras.layers` or `keras.ops`.",
                name=fullname,
            )
        return importlib.machinery.ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        try:
            module = importlib.import_module("tricera" + spec.name.removeprefix("keras"))
        except ModuleNotFoundError as error:
            raise ModuleNotFoundError(f"Tricera has no module {spec.name!r} yet.", name=spec.name) from error
        # The import system writes its own spec into what it loads; a wrapper keeps the real module as it is.
        stand_in = types.ModuleType(spec.name)
        stand_in.__dict__["_tricera_module"] = module
        return stand_in

    def exec_module(self, module: types.ModuleType) -> None:
        real: Any = module.__dict__["_tricera_module"]
        sys.modules[module.__name__] = real


def install_as_keras() -> None:
    """Make `import keras` give Tricera in this process, also in modules that are imported later.

    Raises:
        RuntimeError: Keras itself was imported before.

    Example:
        >>> install_as_keras()
        >>> import keras
        >>> keras.__name__
        'tricera'
    """
    import tricera

    found = sys.modules.get("keras")
    if found is tricera:
        return
    if found is not None:
        raise RuntimeError("Keras itself was imported before in this process. Call `tricera.install_as_keras()` before anything imports keras.")
    sys.meta_path.insert(0, _AsKeras())
    sys.modules["keras"] = tricera
