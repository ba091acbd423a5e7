"""Logs that stay on the device until somebody reads them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Self

import numpy as np

_NUMBERS = (float, int, str, type(None))


class LazyLogs(dict[str, Any]):
    """A dict of floats whose numbers are fetched from the device at the first reading, all in one go.

    Names can be asked for (`"loss" in logs`, `len(logs)`, `bool(logs)`) without a fetch; reading a value, iterating,
    comparing, copying or printing fetches. Iterating counts as reading because C code (that of pandas, say) may take
    the values of a dict behind Python's back once it has the keys.

    Args:
        values: name -> device scalar, or a Python number, which is left alone.
        fetch: turns a list of device scalars into a list of floats or of NumPy arrays, whose scalars become floats.

    Example:
        >>> import numpy as np
        >>> logs = LazyLogs({"loss": np.array(0.5)}, lambda tensors: [float(tensor) for tensor in tensors])
        >>> logs["loss"], logs
        (0.5, {'loss': 0.5})
    """

    __slots__ = ("_fetch", "_pending")

    def __init__(self, values: Mapping[str, Any], fetch: Callable[[list[Any]], Sequence[Any]]) -> None:
        dict.__init__(self, values)
        self._fetch = fetch
        self._pending = True

    @property
    def pending(self) -> bool:
        """Whether the values are still on the device."""
        return self._pending

    def materialize(self) -> Self:
        """Fetch the values if that has not been done; returns itself.

        Raises:
            ValueError: the fetch function gave another number of values than it was handed.
        """
        if self._pending:
            names = [name for name, value in dict.items(self) if not isinstance(value, _NUMBERS)]
            if names:
                numbers = self._fetch([dict.__getitem__(self, name) for name in names])
                if len(numbers) != len(names):
                    raise ValueError(f"fetch() gave {len(numbers)} values for {len(names)} tensors: {names}.")
                dict.update(self, zip(names, map(_plain, numbers), strict=True))
            self._pending = False
        return self

    # Reading: each of these is dict's own method after the fetch.
    def __getitem__(self, name: str) -> Any:
        return dict.__getitem__(self.materialize(), name)

    def __iter__(self) -> Iterator[str]:  # overriding it also makes dict(logs) and **logs go through here
        return dict.__iter__(self.materialize())

    def __reversed__(self) -> Iterator[str]:
        return dict.__reversed__(self.materialize())

    def get(self, name: str, default: Any = None) -> Any:
        """The value of `name`, or `default`."""
        return dict.get(self.materialize(), name, default)

    def keys(self) -> Any:
        """The names."""
        return dict.keys(self.materialize())

    def values(self) -> Any:
        """The numbers."""
        return dict.values(self.materialize())

    def items(self) -> Any:
        """The pairs (name, number)."""
        return dict.items(self.materialize())

    def copy(self) -> dict[str, Any]:
        """A plain dict of the numbers."""
        return {name: dict.__getitem__(self, name) for name in self}

    __copy__ = copy

    def __deepcopy__(self, memo: Any) -> dict[str, Any]:
        return self.copy()

    def __reduce_ex__(self, protocol: Any) -> Any:
        return dict, (self.copy(),)

    def __repr__(self) -> str:
        return dict.__repr__(self.materialize())

    def __eq__(self, other: object) -> bool:
        if isinstance(other, LazyLogs):
            other.materialize()
        return dict.__eq__(self.materialize(), other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = None  # type: ignore[assignment]

    def __or__(self, other: Any) -> dict[str, Any]:  # type: ignore[override]
        return self.copy() | other if isinstance(other, dict) else NotImplemented

    def __ror__(self, other: Any) -> dict[str, Any]:  # type: ignore[override]
        return other | self.copy() if isinstance(other, dict) else NotImplemented

    # Writing: after the fetch too, so that a user's own value is never taken for a device scalar.
    def __setitem__(self, name: str, value: Any) -> None:
        dict.__setitem__(self.materialize(), name, value)

    def __delitem__(self, name: str) -> None:
        dict.__delitem__(self.materialize(), name)

    def __ior__(self, other: Any) -> Self:  # type: ignore[override,misc]
        self.update(other)
        return self

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Take in the pairs of another mapping."""
        dict.update(self.materialize(), *args, **kwargs)

    def setdefault(self, name: str, default: Any = None) -> Any:
        """The value of `name`, which is set to `default` if there is none."""
        return dict.setdefault(self.materialize(), name, default)

    def pop(self, name: str, *default: Any) -> Any:
        """Take out and return the value of `name`."""
        return dict.pop(self.materialize(), name, *default)

    def popitem(self) -> tuple[str, Any]:
        """Take out and return the last pair."""
        return dict.popitem(self.materialize())

    def clear(self) -> None:
        """Forget everything."""
        self._pending = False
        dict.clear(self)


def _plain(value: Any) -> Any:
    """A float of any scalar; an array that a custom step put into its logs stays one."""
    return float(value) if np.ndim(value) == 0 else value
