"""What CIFAR-10 and CIFAR-100 share: a tar file of pickled batches (Krizhevsky 2009)."""

from __future__ import annotations

import os
import tarfile
from pathlib import Path
from typing import IO

import numpy as np

from tricera.datasets import unpickling
from tricera.datasets.cache import find, folders

_URL = "https://www.cs.toronto.edu/~kriz/"
_PIXELS = 3 * 32 * 32


def read(
    name: str, sha256: str, files: dict[str, int], labels: str, archive: str
) -> list[tuple[np.ndarray, np.ndarray]]:
    """The batches of a data set: from an unpacked folder in a cache, else from the tar file, which is not unpacked.

    Args:
        name: of the folder in the tar file.
        sha256: of the tar file.
        files: the batches and how many images each has.
        labels: the name of the classes in a batch.
        archive: the tar file's name, without its extension.

    Returns:
        For each batch uint8 images (n, 32, 32, 3) and uint8 classes (n, 1).

    Raises:
        OSError: the file is not there and can't be downloaded; the message says which file to put where.
        ValueError: the files aren't this data set.
    """
    unpacked = _folder(name, files)
    if unpacked is not None:
        batches = []
        for file, count in files.items():
            with (unpacked / file).open("rb") as stream:
                batches.append(batch(stream, unpacked / file, count, labels))
        return batches
    path = find(_cached(name, archive), f"{_URL}{archive}.tar.gz", sha256)
    try:
        with tarfile.open(path) as tar:
            batches = []
            for file, count in files.items():
                member = tar.extractfile(f"{name}/{file}")
                if member is None:
                    raise ValueError(f"{path}: {name}/{file} is not a plain file.")
                batches.append(batch(member, f"{path}, {file}", count, labels))
            return batches
    except (tarfile.TarError, KeyError, EOFError) as error:
        raise ValueError(f"{path} is not the data set {name}: {error}") from error


def batch(stream: IO[bytes], source: str | os.PathLike[str], count: int, labels: str) -> tuple[np.ndarray, np.ndarray]:
    """Images and classes of one pickled batch.

    Args:
        stream: the open file.
        source: its name, for messages.
        count: how many images it has.
        labels: the name of the classes.

    Returns:
        uint8 images (n, 32, 32, 3) and uint8 classes (n, 1).

    Raises:
        ValueError: the pickle is not such a batch.
    """
    values = unpickling.load(stream, str(source), encoding="bytes")
    values = (
        {k.decode("utf-8") if isinstance(k, bytes) else k: v for k, v in values.items()}
        if isinstance(values, dict)
        else {}
    )
    x, y = values.get("data"), values.get(labels)
    if (
        not isinstance(x, np.ndarray)
        or x.shape != (count, _PIXELS)
        or x.dtype != np.uint8
        or y is None
        or len(y) != count
    ):
        raise ValueError(f"{source} is not a batch of {count} images with {labels}.")
    return x.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1), np.asarray(y, np.uint8).reshape(-1, 1)


def _cached(name: str, archive: str) -> str:
    """The name of the tar file in the cache: its own, or one under which Keras keeps it."""
    for candidate in (f"{archive}.tar.gz", f"{name}.tar.gz", f"{name}-target_archive"):
        if any((folder / candidate).is_file() for folder in folders()):
            return candidate
    return f"{archive}.tar.gz"


def _folder(name: str, files: dict[str, int]) -> Path | None:
    """A folder that holds all batches: unpacked by hand, or by Keras (`<name>-target/<name>`, or older `<name>`)."""
    for folder in folders():
        for inside in (name, f"{name}-target/{name}"):
            if all((folder / inside / file).is_file() for file in files):
                return folder / inside
    return None
