"""Importing TensorFlow without Keras, and without its writing `~/.keras/keras.json`.

TensorFlow imports Keras at its end, if only so that it is there, and puts up with an error; `tf.keras` loads it when it is
first used. And a part of TensorFlow that stems from an older Keras writes `keras.json` while it is imported, with TensorFlow
as the backend (as Keras does): it would be the default backend of everybody's Keras and Tricera from then on. The folder can
be named by the environment variable `KERAS_HOME`; while that part is loaded, it names one in which nothing can be written,
which TensorFlow puts up with, too.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import os
import sys
import types
from collections.abc import Sequence

_WRITER = "tensorflow.python.keras.backend"


class _Finder(importlib.abc.MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != _WRITER and not (fullname == "keras" and _tensorflow_is_being_imported()):
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is not None and isinstance(spec.loader, importlib.machinery.SourceFileLoader):
            loader = _WithoutHome if fullname == _WRITER else _NotNow
            spec.loader = loader(spec.loader.name, spec.loader.path)
        return spec


def _tensorflow_is_being_imported() -> bool:
    """Whether that is under way: `__all__` is the last thing that TensorFlow sets."""
    tensorflow = sys.modules.get("tensorflow")
    return tensorflow is not None and not hasattr(tensorflow, "__all__")


class _NotNow(importlib.machinery.SourceFileLoader):
    """TensorFlow looks for Keras's folder, too, which it may find."""

    def exec_module(self, module: types.ModuleType) -> None:
        if _tensorflow_is_being_imported():
            raise ImportError("Keras is not loaded while TensorFlow is imported.", name="keras")
        super().exec_module(module)


class _WithoutHome(importlib.machinery.SourceFileLoader):
    def exec_module(self, module: types.ModuleType) -> None:
        before = os.environ.get("KERAS_HOME")
        os.environ["KERAS_HOME"] = os.devnull
        try:
            super().exec_module(module)
        finally:
            if before is None:
                del os.environ["KERAS_HOME"]
            else:
                os.environ["KERAS_HOME"] = before


def write_nothing() -> None:
    """Let TensorFlow, when it is imported in this process, write no file and leave Keras for later; idempotent."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())
