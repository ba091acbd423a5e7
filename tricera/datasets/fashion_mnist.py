"""Fashion-MNIST: 70,000 images of clothes (Xiao et al. 2017)."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

import numpy as np

from tricera.datasets.cache import find, folders

Arrays = tuple[np.ndarray, np.ndarray]
_URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
_FILES = (
    ("train-images-idx3-ubyte.gz", 60000),
    ("train-labels-idx1-ubyte.gz", 60000),
    ("t10k-images-idx3-ubyte.gz", 10000),
    ("t10k-labels-idx1-ubyte.gz", 10000),
)
# Where Debian's package dataset-fashion-mnist puts the files.
SYSTEM = Path("/usr/share/datasets/fashion-mnist")


def load_data() -> tuple[Arrays, Arrays]:
    """Images and classes.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: uint8 images (n, 28, 28) and classes (n,); 60,000 and 10,000.

    Raises:
        OSError: the files are not there and can't be downloaded; the message says which file to put where.
        ValueError: a file isn't Fashion-MNIST's.
    """
    x_train, y_train, x_test, y_test = (_read(_path(name), count) for name, count in _FILES)
    return (x_train, y_train), (x_test, y_test)


def _path(name: str) -> Path:
    for folder in (*(f / "fashion-mnist" for f in folders()), SYSTEM):
        if (folder / name).is_file():
            return folder / name
    return find(f"fashion-mnist/{name}", _URL + name)


def _read(path: Path, count: int) -> np.ndarray:
    """An array from a gzipped IDX file: a magic number, the dimensions, the bytes."""
    expected = 16 + count * 784 if "images" in path.name else 8 + count
    with gzip.open(path, "rb") as file:
        try:
            data = file.read(expected + 1)
        except (OSError, EOFError, zlib.error) as error:
            raise ValueError(f"{path} is damaged: {error}") from error
    # An IDX file opens with two zeros, the type (8: uint8), the number of dimensions, and each of them.
    shape = (count, 28, 28) if "images" in path.name else (count,)
    if (
        len(data) != expected
        or data[: 4 + 4 * len(shape)] != bytes((0, 0, 8, len(shape))) + np.array(shape, ">i4").tobytes()
    ):
        raise ValueError(f"{path} does not hold {count} entries of Fashion-MNIST.")
    return np.frombuffer(data, np.uint8, offset=4 + 4 * len(shape)).reshape(shape)
