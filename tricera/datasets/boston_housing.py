"""Boston housing: 506 house prices and 13 attributes (Harrison and Rubinfeld 1978).

One attribute, "B", supposes that racial segregation moves prices. Use `california_housing` unless that is your subject.
"""

from __future__ import annotations

import numpy as np

from tricera.datasets.cache import ORIGIN, arrays, find
from tricera.datasets.splitting import split

Arrays = tuple[np.ndarray, np.ndarray]
_SHA256 = "f553886a1f8d56431e820c5b82552d9d95cfcb96d1e678153f8839538947dff5"


def load_data(path: str = "boston_housing.npz", test_split: float = 0.2, seed: int = 113) -> tuple[Arrays, Arrays]:
    """Attributes of houses and their prices in thousands of dollars.

    Args:
        path: the name of the file in the cache folders, or an absolute path.
        test_split: the share of the test data.
        seed: of the order.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: float64 attributes (n, 13) and prices (n,).

    Raises:
        OSError: the file is not there and can't be downloaded; the message says which file to put where.
        ValueError: the file isn't this data set, or `test_split` is outside of [0, 1).
    """
    x, y = arrays(find(path, f"{ORIGIN}boston_housing.npz", _SHA256), "x", "y")
    return split(x, y, test_split, seed)
