"""California housing: 20,640 districts of the census of 1990, 8 attributes and the median price (Pace and Barry 1997)."""

from __future__ import annotations

from typing import Literal

import numpy as np

from tricera.datasets.cache import ORIGIN, arrays, find
from tricera.datasets.splitting import split

Arrays = tuple[np.ndarray, np.ndarray]
_SHA256 = "1a2e3a52e0398de6463aebe6f4a8da34fb21fbb6b934cf88c3425e766f2a1a6f"
_SMALL = 600


def load_data(
    version: Literal["small", "large"] = "large",
    path: str = "california_housing.npz",
    test_split: float = 0.2,
    seed: int = 113,
) -> tuple[Arrays, Arrays]:
    """Attributes of districts and their median house prices in dollars.

    Args:
        version: `"large"`, all, or `"small"`, 600 of them.
        path: the name of the file in the cache folders, or an absolute path.
        test_split: the share of the test data.
        seed: of the order.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: float attributes (n, 8) and prices (n,).

    Raises:
        OSError: the file is not there and can't be downloaded; the message says which file to put where.
        ValueError: the file isn't this data set, an unknown version, or `test_split` is outside of [0, 1).
    """
    if version not in ("small", "large"):
        raise ValueError(f"`version` must be 'small' or 'large'. Received: {version!r}.")
    x, y = arrays(find(path, f"{ORIGIN}california_housing.npz", _SHA256), "x", "y")
    if version == "small":
        x, y = x[:_SMALL], y[:_SMALL]
    return split(x, y, test_split, seed)
