"""Values that may be part of a key that is kept: they don't change, and are equal by what they are."""

from __future__ import annotations

from typing import Any

import numpy as np

# Python's; backends add the class of their dtypes.
PLAIN: set[type] = {bool, int, float, complex, str, type(None)}


def keepable(x: Any) -> bool:
    """Whether `x` is such a value, or a tuple or list of them and of tuples of integers (what is padded on either side).

    Example:
        >>> keepable((1, "same")), keepable(np.zeros(1))
        (True, False)
    """
    kind = type(x)
    if kind is tuple or kind is list:
        return all(type(e) in PLAIN or (type(e) is tuple and all(type(n) is int for n in e)) for e in x)
    return kind in PLAIN or isinstance(x, np.dtype)
