"""A dict that forgets: for what is made once for each shape, of which there may be any number."""

from __future__ import annotations

from typing import Any


class Bounded(dict[Any, Any]):
    """A dict of at most so many entries; a further one takes the place of that which was set first.

    Args:
        most: how many.

    Example:
        >>> kept = Bounded(2)
        >>> kept["a"] = kept["b"] = kept["c"] = 1
        >>> list(kept)
        ['b', 'c']
    """

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most

    def __setitem__(self, key: Any, value: Any) -> None:
        if key not in self and len(self) >= self.most:
            del self[next(iter(self))]
        super().__setitem__(key, value)
