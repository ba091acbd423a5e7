"""Ten thousand handwritten digits of MNIST that come with the package, so that nothing needs to be downloaded."""

from __future__ import annotations

from pathlib import Path

import numpy as np

Arrays = tuple[np.ndarray, np.ndarray]
TEST_SIZE = 1500


def load_data() -> tuple[Arrays, Arrays]:
    """Images and classes of the digits, in a fixed split.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: uint8 images (n, 28, 28) of values 0 to 255, and uint8 classes (n,);
        8,500 for training and 1,500 for testing.

    Example:
        >>> (x_train, y_train), (x_test, y_test) = load_data()
        >>> x_train.shape, y_test.shape
        ((8500, 28, 28), (1500,))
    """
    with np.load(Path(__file__).parent / "data" / "digits.npz", allow_pickle=False) as archive:
        x, y = archive["x"], archive["y"]
    return (x[TEST_SIZE:], y[TEST_SIZE:]), (x[:TEST_SIZE], y[:TEST_SIZE])
