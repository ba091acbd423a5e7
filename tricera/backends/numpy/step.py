"""Steps run as they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tricera.core import dispatch, tree

STATELESS_STEPS = False
REPEATS = False


def place(batch: Any) -> Any:
    """The batch as arrays."""
    return tree.map_structure(_place, batch)


def _place(x: Any) -> Any:
    if x is None:
        return None
    owner = dispatch.of(x)
    return np.asarray(x) if owner is None else owner.to_numpy(x)


def place_resident(arrays: Any) -> Any:
    """The same arrays."""
    return arrays


def resident_limit() -> int:
    """None may: steps take their batches as views, one by one."""
    return -1


def opaque(fn: Callable[..., Any], *args: Any) -> Any:
    """`fn(*args)`; it is traced with the step."""
    return fn(*args)


def wait(outputs: Any) -> Any:
    """The same outputs."""
    return outputs


class Step:
    """A step; see the JAX backend's for the arguments."""

    def __init__(
        self, fn: Callable[[Any], Any], variables: Sequence[Any], *, jit: Any, donate: bool, collect: bool
    ) -> None:
        self.fn, self.collect = fn, collect

    def run(self, batches: list[Any], same: bool = False) -> Any:
        """Run one step a batch; the outputs of the last, or the list of all with `collect`."""
        outs = [self.fn(batch) for batch in batches]
        return outs if self.collect else outs[-1]

    def run_chunk(self, data: Any, size: int, first: int, stop: int, limit: int) -> None:
        """None: a loop over single steps is what there is to do. See the JAX backend's."""


def discover(fn: Callable[[Any], Any], batch: Any) -> None:
    """Nothing to do: eager steps make their variables as they run."""


def fetch(tensors: list[Any]) -> list[np.ndarray]:
    """The values of several tensors."""
    return [np.asarray(x) for x in tensors]
