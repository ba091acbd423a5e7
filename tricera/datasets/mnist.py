"""MNIST: 70,000 handwritten digits (LeCun et al. 1998)."""

from __future__ import annotations

import numpy as np

from tricera.datasets.cache import ORIGIN, arrays, find

Arrays = tuple[np.ndarray, np.ndarray]
_SHA256 = "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"


def load_data(path: str = "mnist.npz") -> tuple[Arrays, Arrays]:
    """Images and classes.

    Args:
        path: the name of the file in the cache folders, or an absolute path.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: uint8 images (n, 28, 28) and classes (n,); 60,000 and 10,000.

    Raises:
        OSError: the file is not there and can't be downloaded; the message says which file to put where.
        ValueError: the file isn't MNIST's.
    """
    file = find(path, f"{ORIGIN}mnist.npz", _SHA256)
    x_train, y_train, x_test, y_test = arrays(file, "x_train", "y_train", "x_test", "y_test")
    return (x_train, y_train), (x_test, y_test)
