"""Training data that lie on the device whole, so that one dispatch may run many steps over them.

Where nobody watches single batches, the loop hands the backend a window of batches of a size that follows from the time a
step takes: long enough that a dispatch costs nothing, short enough for the progress bar and for an interrupt.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from tricera.core import tree
from tricera.training.data import ArrayAdapter, EpochIterator, Window

_SECONDS = 0.5  # what a dispatch should last
_GROWTH = 16  # how much longer than the last one a dispatch may be


class Resident:
    """The arrays of an adapter, placed once.

    Args:
        backend: where.
        adapter: whose arrays.
    """

    def __init__(self, backend: Any, adapter: ArrayAdapter) -> None:
        self.backend, self.adapter = backend, adapter
        self.data = backend.step.place_resident(adapter.arrays)
        self._order: np.ndarray | None = None
        self._placed: Any = None

    def order(self, window: Window) -> Any:
        """The order of the window's pass on the device; it is placed once a pass."""
        if window.order is not self._order:
            self._order = window.order
            self._placed = None if window.order is None else self.backend.step.place_resident(window.order)
        return self._placed

    def run(self, step: Any, window: Window) -> Any:
        """Run the step on each batch of a window; the outputs of the last."""
        return step.run_window(self.data, self.order(window), window.size, window.first, window.stop)


def resident(model: Any, data: EpochIterator) -> Resident | None:
    """The data on the model's backend, or None if they are of another kind, or too large."""
    backend, adapter = model._backend, data.adapter
    compiled = model._compiled
    if not isinstance(adapter, ArrayAdapter) or (compiled is not None and compiled.run_eagerly):
        return None
    leaves = [leaf for leaf in tree.flatten(adapter.arrays) if leaf is not None]
    if not all(isinstance(leaf, np.ndarray) and leaf.dtype.kind in "biuf" for leaf in leaves):
        return None
    if sum(leaf.nbytes for leaf in leaves) > backend.step.resident_limit():
        return None
    return Resident(backend, adapter)


class Pace:
    """How many steps the next dispatch should hold.

    Args:
        steps: how many it always holds; None lets it follow from the time that a step takes.
    """

    def __init__(self, steps: int | None) -> None:
        self.size = steps or 1
        self.free = steps is None
        self._warm = False

    def start(self) -> float:
        """The time now."""
        return time.perf_counter()

    def learn(self, steps: int, started: float) -> None:
        """Note that so many steps, begun at a time, have ended. The first dispatch, which compiles, does not count."""
        if not self._warm:
            self._warm = True
            return
        wanted = int(_SECONDS * steps / max(time.perf_counter() - started, 1e-9))
        self.size = max(1, min(wanted, self.size * _GROWTH))
