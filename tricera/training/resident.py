"""Training data that lie on the device whole, so that one dispatch may run many steps over them.

Where nobody watches single batches, the loop hands the backend a window of batches of a size that follows from the time a
step takes: long enough that a dispatch costs nothing, short enough for the progress bar and for an interrupt.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from tricera.core import tree
from tricera.training.data import ArrayAdapter, EpochIterator, Window

_SECONDS = 0.5  # what a dispatch should last
_GROWTH = 16  # how much longer than the last one a dispatch may be
_BATCHES = (64, 16)  # how many batches are predicted in one dispatch at most, where there are so many
_CHUNK = 32 << 20  # bytes that they, and their outputs, may take


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

    def run(self, step: Any, window: Window, same: bool = False, single: bool = False) -> Any:
        """Run the step on each batch of a window; the outputs of the last. `same` and `single` are arguments of `Step.run_window`."""
        return step.run_window(self.data, self.order(window), window.size, window.first, window.stop, same, single)


def resident(model: Any, data: EpochIterator) -> Resident | None:
    """The data on the model's backend, or None if they are of another kind, or too large."""
    backend, adapter = model._backend, data.adapter
    if not isinstance(adapter, ArrayAdapter) or not _plain(model, adapter):
        return None
    if sum(leaf.nbytes for leaf in tree.flatten(adapter.arrays) if leaf is not None) > backend.step.resident_limit():
        return None
    return Resident(backend, adapter)


def _plain(model: Any, adapter: ArrayAdapter) -> bool:
    """Whether steps are compiled, and data are numbers on the host."""
    leaves = [leaf for leaf in tree.flatten(adapter.arrays) if leaf is not None]
    return not model.run_eagerly and all(isinstance(x, np.ndarray) and x.dtype.kind in "biuf" for x in leaves)


class Chunk:
    """The batches of arrays for `predict`, some at a time on the device: one dispatch runs many steps and gives all their outputs.

    The outputs of a dispatch lie in an array for a fixed number of batches, so that there is one compiled function for it, and another
    for a last batch that is smaller. That one is not filled up: what a model computes of a sample may depend on the others.

    Args:
        backend: where.
        adapter: whose arrays.
        batches: how many batches are placed at a time.
    """

    def __init__(self, backend: Any, adapter: ArrayAdapter, batches: int) -> None:
        self.backend, self.adapter, self.batches = backend, adapter, batches
        self._start, self._placed = -1, None
        self._single = False  # whether steps are run one by one

    def run(self, step: Any, window: Window) -> list[Any]:
        """Run the step on each batch of a window: trees of outputs, each of one batch or of several, whose axis comes first."""
        found: list[Any] = []
        first, full = window.first, self.adapter.num_samples // window.size
        while first < window.stop:
            start = first - first % self.batches
            stop = min(window.stop, start + self.batches)
            start = min(start, full - self.batches)  # the last chunk is as large as the others
            outputs = None if self._single else self._run(step, window.size, start, first, stop)
            if outputs is None:
                self._single = True
                found += step.run(
                    [self.backend.step.place(self._rows(i * window.size, window.size)) for i in range(first, stop)]
                )
            else:
                found.append(Stacked(outputs, first - start, stop - start))
            first = stop
        return found

    def _run(self, step: Any, size: int, start: int, first: int, stop: int) -> Any:
        if start != self._start:
            self._placed = self.backend.step.place_resident(self._rows(start * size, self.batches * size))
            self._start = start
        return step.run_chunk(self._placed, size, first - start, stop - start, _CHUNK)

    def _rows(self, first: int, count: int) -> Any:
        return tree.map_structure(lambda x: None if x is None else x[first : first + count], self.adapter.arrays)


class Stacked(NamedTuple):
    """Outputs of several batches.

    Attributes:
        outputs: a tree; each leaf has an axis for batches before its own.
        first: the first batch that counts.
        stop: the one after the last that does.
    """

    outputs: Any
    first: int
    stop: int

    def numpy(self, to_numpy: Callable[[Any], np.ndarray]) -> Any:
        """The outputs of all samples, as if they were one batch."""

        def joined(x: Any) -> Any:
            x = to_numpy(x)[self.first : self.stop]
            return x.reshape(-1, *x.shape[2:]) if x.ndim > 1 else x[0]

        return tree.map_structure(lambda x: None if x is None else joined(x), self.outputs)

    def last(self) -> Any:
        """The outputs of the last batch."""
        return tree.map_structure(lambda x: None if x is None else x[self.stop - 1], self.outputs)


def chunk(model: Any, data: EpochIterator) -> Chunk | None:
    """What runs several prediction steps in a dispatch; None where data or steps are of another kind, or too few to be worth it."""
    adapter = data.adapter
    if not isinstance(adapter, ArrayAdapter):
        return None
    full = adapter.num_samples // adapter.batch_size
    if full < _BATCHES[-1] or not _plain(model, adapter):
        return None
    each = sum(leaf[:1].nbytes for leaf in tree.flatten(adapter.arrays) if leaf is not None) * adapter.batch_size
    for batches in _BATCHES:
        if full >= batches and each * batches <= _CHUNK:
            return Chunk(model._backend, adapter, batches)
    return None


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
