"""CIFAR-10: 60,000 colour images of 10 kinds of things (Krizhevsky 2009)."""

from __future__ import annotations

import numpy as np

from tricera.datasets import cifar

Arrays = tuple[np.ndarray, np.ndarray]
_SHA256 = "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce"
_FILES = {**{f"data_batch_{i}": 10_000 for i in range(1, 6)}, "test_batch": 10_000}


def load_data() -> tuple[Arrays, Arrays]:
    """Images and classes: airplane, automobile, bird, cat, deer, dog, frog, horse, ship, truck.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: uint8 images (n, 32, 32, 3) and uint8 classes (n, 1); 50,000 and 10,000.

    Raises:
        OSError: the file is not there and can't be downloaded; the message says which file to put where.
        ValueError: the file isn't CIFAR-10.
    """
    *train, test = cifar.read("cifar-10-batches-py", _SHA256, _FILES, "labels", archive="cifar-10-python")
    return (np.concatenate([x for x, _ in train]), np.concatenate([y for _, y in train])), test
