"""CIFAR-100: 60,000 colour images of 100 kinds of things, in 20 groups (Krizhevsky 2009)."""

from __future__ import annotations

from typing import Literal

import numpy as np

from tricera.datasets import cifar

Arrays = tuple[np.ndarray, np.ndarray]
_SHA256 = "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7"
_FILES = {"train": 50_000, "test": 10_000}


def load_data(label_mode: Literal["fine", "coarse"] = "fine") -> tuple[Arrays, Arrays]:
    """Images and classes.

    Args:
        label_mode: `"fine"`, 100 classes, or `"coarse"`, 20 groups of them.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: uint8 images (n, 32, 32, 3) and uint8 classes (n, 1); 50,000 and 10,000.

    Raises:
        OSError: the file is not there and can't be downloaded; the message says which file to put where.
        ValueError: the file isn't CIFAR-100, or another `label_mode`.
    """
    if label_mode not in ("fine", "coarse"):
        raise ValueError(f"`label_mode` must be 'fine' or 'coarse'. Received: {label_mode!r}.")
    train, test = cifar.read("cifar-100-python", _SHA256, _FILES, f"{label_mode}_labels", archive="cifar-100-python")
    return train, test
