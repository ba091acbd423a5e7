"""`install_as_keras`: `import keras` gives Tricera, for a whole process.

A finder at the front of `sys.meta_path` answers for `keras` and all below it with Tricera's own module objects, so that
`keras.layers is tricera.layers` and nothing is imported twice. Processes that this one starts (`multiprocessing` with
`spawn`) begin without the finder but inherit `sys.path`; there, `child/keras` is found as `keras` and puts the finder in place.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import re
import sys
import types
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tricera.backends.tensorflow.first_import import write_nothing

_CHILD = str(Path(__file__).parent / "child")
# The name, and those under which TensorFlow looks for it to make `tf.keras`.
_NAMES = re.compile(r"keras(\.api(\._v2(\.keras)?)?|\._tf_keras(\.keras)?)?(?=\.|$)")


class _AsKeras(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds `keras` and `keras.x.y`: the very modules `tricera` and `tricera.x.y`, not copies of them."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != "keras" and not fullname.startswith("keras."):
            return None
        if fullname == "keras.src" or fullname.startswith("keras.src."):
            raise ModuleNotFoundError(
                f"No module named {fullname!r}: Tricera stands in for Keras here and has none of its private modules. Use the "
                "public names, such as `keras.layers` or `keras.ops`.",
                name=fullname,
            )
        return importlib.machinery.ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        own = _NAMES.sub("tricera", spec.name, count=1)
        try:
            module = importlib.import_module(own)
        except ModuleNotFoundError as error:
            if error.name is None or not own.startswith(error.name):
                raise  # the module is there, but something that it needs is not
            raise ModuleNotFoundError(
                f"No module named {spec.name!r}: Tricera stands in for Keras here and has no {own!r}.", name=spec.name
            ) from None
        # The import system writes the spec into what it loads; a stand-in keeps the real module as it is.
        stand_in = types.ModuleType(spec.name)
        stand_in.__dict__["_tricera_module"] = module
        return stand_in

    def exec_module(self, module: types.ModuleType) -> None:
        real: Any = module.__dict__["_tricera_module"]
        sys.modules[module.__name__] = real  # the import system hands out what stands here after loading


def install_as_keras() -> None:
    """Make `import keras` give Tricera in this process, also in modules that are imported later.

    The backend is still chosen on first use, so `KERAS_BACKEND` may be set after this. A second call changes nothing.

    Raises:
        RuntimeError: Keras itself was imported before.

    Example:
        >>> install_as_keras()
        >>> import keras
        >>> keras.__name__
        'tricera'
    """
    import tricera

    if sys.modules.get("keras") is tricera:
        return
    foreign = sorted(name for name in sys.modules if name == "keras" or name.startswith("keras."))
    if foreign:
        raise RuntimeError(
            f"Keras itself was imported before in this process (the module {foreign[0]!r} is loaded), so Tricera can't take its "
            "name. Call `tricera.install_as_keras()` before anything imports keras, or start anew with "
            "`python -m tricera run script.py`."
        )
    write_nothing()  # where the script imports TensorFlow itself
    sys.meta_path.insert(0, _AsKeras())
    sys.modules["keras"] = tricera
    if _CHILD not in sys.path:
        sys.path.insert(min(1, len(sys.path)), _CHILD)  # the first entry is the script's folder and stays it
