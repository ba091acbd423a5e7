"""Names of objects: `dense`, `dense_1`, ... as users of Keras know them."""

from __future__ import annotations

import collections
import re

_counts: collections.defaultdict[str, int] = collections.defaultdict(int)


def to_snake_case(name: str) -> str:
    """`"MaxPooling2D"` -> `"max_pooling2d"`."""
    name = re.sub(r"\W+", "", name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


def get_uid(prefix: str = "") -> int:
    """The next number for names that begin with `prefix`, counting from 1.

    Example:
        >>> first = get_uid("row"); get_uid("row") - first
        1
    """
    _counts[prefix] += 1
    return _counts[prefix]


def auto_name(prefix: str) -> str:
    """A name not given before in this session: `prefix`, then `prefix_1`, `prefix_2`, ..."""
    prefix = to_snake_case(prefix)
    number = get_uid(prefix)
    return prefix if number == 1 else f"{prefix}_{number - 1}"


def reset() -> None:
    """Start all names anew."""
    _counts.clear()
