"""A seeded order and a split into training and test data, as the tables of house prices have it."""

from __future__ import annotations

import numpy as np

Arrays = tuple[np.ndarray, np.ndarray]


def check_split(test_split: float) -> None:
    """Refuse a share of test data outside of [0, 1).

    Raises:
        ValueError: the share is outside.
    """
    if not 0 <= test_split < 1:
        raise ValueError(f"`test_split` must be in [0, 1). Received: {test_split}.")


def split(x: np.ndarray, y: np.ndarray, test_split: float, seed: int) -> tuple[Arrays, Arrays]:
    """Rows in a random order (Keras's for the same seed), then the first for training and the last for testing.

    Args:
        x: array (n, ...).
        y: array (n,).
        test_split: the share of the test data, in [0, 1).
        seed: of the order.

    Returns:
        `(x_train, y_train), (x_test, y_test)`.

    Raises:
        ValueError: `test_split` is outside of [0, 1).

    Example:
        >>> (x, _), (x_test, _) = split(np.zeros((10, 3)), np.zeros(10), 0.2, seed=0)
        >>> x.shape, x_test.shape
        ((8, 3), (2, 3))
    """
    check_split(test_split)
    order = np.arange(len(x))
    np.random.RandomState(seed).shuffle(order)
    x, y, count = x[order], y[order], int(len(x) * (1 - test_split))
    return (x[:count], y[:count]), (x[count:], y[count:])
