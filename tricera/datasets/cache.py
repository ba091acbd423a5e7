"""Where data sets lie on disk, and how missing ones are fetched: verified, whole, or with a word on what to put where."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import numpy as np

from tricera.core import config
from tricera.utils.file_utils import algorithm_of, fetch

# Where Keras's copies of the data sets lie.
ORIGIN = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"


def folders() -> list[Path]:
    """The folders that are searched, ours first, then Keras's."""
    keras = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")
    return [config.home() / "datasets", keras / "datasets"]


def find(name: str, url: str, expected: str | None = None) -> Path:
    """The path of a data file: from a cache folder, else downloaded, verified and moved into place whole.

    Args:
        name: the file's name, relative to the cache folders, or an absolute path, which is taken as it is if it is there.
        url: where it can be downloaded.
        expected: its SHA-256 or MD5; None where only its content can be checked.

    Raises:
        OSError: it is in no folder and can't be downloaded; the message says which file to put where.
        ValueError: what was downloaded has another hash, or `name` leads out of the cache folders.
    """
    path = Path(name)
    if path.is_absolute():
        if path.is_file():
            return path
        return fetch(path.name, url, [path.parent], expected, algorithm_of(expected))
    if ".." in path.parts or not path.parts:
        raise ValueError(
            f"The path of a data file must lie below the cache folder, or be absolute. Received: {name!r}."
        )
    return fetch(name, url, folders(), expected, algorithm_of(expected))


def arrays(path: Path, *names: str) -> list[np.ndarray]:
    """Some arrays of an `.npz` file; nothing in it is executed.

    Args:
        path: the file.
        names: the arrays' names.

    Raises:
        ValueError: the file is damaged or has no such arrays.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            return [archive[name] for name in names]
    except (KeyError, ValueError, EOFError, OSError, AttributeError, zipfile.BadZipFile) as error:
        raise ValueError(
            f"{path} is not the data set that was expected (arrays {', '.join(names)}): {error}"
        ) from error
