"""Cutting what a data source gives into epochs and into groups of steps."""

from __future__ import annotations

import functools
import numbers
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from tricera.core import config, tree
from tricera.training.data import ahead, foreign
from tricera.training.data.adapter import DataAdapter
from tricera.training.data.arrays import ArrayAdapter, ArrayPass, Window


class EpochIterator:
    """Epochs over an adapter, as groups of up to `steps_per_execution` batches.

    With `steps_per_epoch`, an epoch ends after so many batches and the next one goes on where it stopped; where the
    source runs out in the middle of an epoch, that epoch is cut short with a warning and the next one starts a new
    pass. Close it (or use it in `with`) after the last epoch, so that workers end.

    Args:
        adapter: where batches come from.
        steps_per_epoch: batches an epoch; None means one pass over the source.
        steps_per_execution: how many batches a group holds at most; may be assigned later, also between two groups.
        place: what is done to a batch before it is given, in the thread that reads ahead where there is one; None does nothing.

    Attributes:
        variables: those that steps change; a source that looks at them is not read ahead of the steps (see `ahead`).
        waited: the seconds for which this epoch's steps waited for batches: to be read, gathered and placed, or to arrive from
            the thread that does so.
        windows: whether batches of arrays in memory are given as a `Window` rather than gathered.
        joined: whether a smaller last batch comes with the window before it, where the group holds so many.
        resident: the data on the device, and
        pace: how many steps a dispatch should hold: both belong to the loop.
        exhausted: whether the last epoch ended before its time, so that training on makes no sense with a generator.

    Raises:
        ValueError: one of the numbers is not a positive integer.
    """

    def __init__(
        self,
        adapter: DataAdapter,
        steps_per_epoch: int | None = None,
        steps_per_execution: int = 1,
        place: Callable[[Any], Any] | None = None,
    ) -> None:
        for name, value in (("steps_per_epoch", steps_per_epoch), ("steps_per_execution", steps_per_execution)):
            if value is not None and (isinstance(value, bool) or not isinstance(value, numbers.Integral) or value < 1):
                raise ValueError(f"`{name}` must be a positive integer, not {value!r}.")
        self.adapter = adapter
        self.steps_per_epoch = steps_per_epoch
        self.steps_per_execution = steps_per_execution
        self.place = place or _as_it_is
        if getattr(adapter, "reuses", False):
            self.place = functools.partial(_placed_copy, self.place)
        self.variables: Iterable[Any] = ()
        self.waited = 0.0
        self.exhausted = False
        self.windows = self.joined = False
        self.resident: Any = None
        self.pace: Any = None
        self._pass: Any = None
        self._pass_steps = 0
        self._order: Any = None  # the state of the adapter's order before this pass
        self._peeked: deque[tuple[Any, ...]] = deque()
        self._learned: int | None = None
        self._ahead: ahead.Ahead | None = None
        self._slow = ahead.WORTH <= 0  # whether the source is worth reading ahead

    @property
    def num_batches(self) -> int | None:
        """Batches of an epoch; None before the first pass over a source of unknown length."""
        known = self.steps_per_epoch or self.adapter.num_batches or self._learned
        limit = config.get("max_steps_per_epoch")
        return known if limit is None else min(limit, known or limit)

    def peek(self) -> tuple[Any, ...] | None:
        """The next batch without consuming it; None where the source gives nothing more."""
        if self._pass is None and isinstance(self.adapter, ArrayAdapter):
            self._begin_pass()
        if isinstance(self._pass, ArrayPass) and (batch := self._pass.peek()) is not None:
            return batch
        if not self._peeked:
            batch = self._next(new_epoch=True)
            if batch is None:
                return None
            self._pass_steps -= 1
            self._peeked.append(batch)
        return self._peeked[0]

    def position(self) -> dict[str, Any]:
        """Where the next batch stands, for `go_to`, in JSON's types."""
        if self._pass is None:
            return {"order": self.adapter.order_state(), "done": 0}
        return {"order": self._order, "done": self._pass_steps}

    def go_to(self, position: Mapping[str, Any]) -> None:
        """Go on from a position of an earlier iterator over the same data.

        The order of arrays and of a `PyDataset` is restored. Of a source with an order of its own, the batches done in that
        pass are left out where a pass is an epoch; otherwise it goes on with what the source gives.

        Raises:
            ValueError: it is not a position.
        """
        order, done = position.get("order"), position.get("done")
        if isinstance(done, bool) or not isinstance(done, int) or done < 0:
            raise ValueError(f"{position!r} is not a position in data.")
        self._end_pass()
        self._peeked.clear()
        self.adapter.set_order_state(order)
        if not done:
            return
        if isinstance(self.adapter, ArrayAdapter):
            self._begin_pass()
            self._pass.skip(done)
            self._pass_steps = done
        elif order is not None or self.steps_per_epoch is None:
            for _ in range(done):
                self._advance()

    def epoch(self, start: int = 0) -> Iterator[tuple[int, int, list[tuple[Any, ...]] | Window]]:
        """One epoch.

        Args:
            start: how many steps of it were done before.

        Yields:
            `(start_step, end_step, batches)`: the numbers of the first and the last step of the group (both count from
            0 and belong to it) and its batches, or a window of them.
        """
        self.adapter.on_epoch_begin()
        self.waited = 0.0
        completed = False
        try:
            yield from self._groups(start)
            completed = True
        finally:
            if not completed:
                self._end_pass()
            else:
                self._stop_reading_ahead()
        self.adapter.on_epoch_end()

    def _groups(self, done: int) -> Iterator[tuple[int, int, list[tuple[Any, ...]] | Window]]:
        limit = config.get("max_steps_per_epoch")
        steps = self.steps_per_epoch if limit is None else min(limit, self.steps_per_epoch or limit)
        self.exhausted = False
        ended = False
        while not ended and (steps is None or done < steps):
            size = self.steps_per_execution if steps is None else min(self.steps_per_execution, steps - done)
            window = self._window(size)
            if window is not None:
                yield done, done + window.steps - 1, window
                done += window.steps
                continue
            batches: list[tuple[Any, ...]] = []
            while len(batches) < size and not ended:
                taken = done + len(batches)
                if self._slow and self._ahead is None and taken:
                    self._read_ahead(None if steps is None else steps - taken)
                batch = self._next(new_epoch=taken == 0)
                if batch is None:
                    ended = True
                else:
                    batches.append(batch)
            if batches:
                yield done, done + len(batches) - 1, batches
                done += len(batches)
        self._finish(done, ended)

    def _window(self, size: int) -> Window | None:
        if not self.windows or self._peeked:
            return None
        if self._pass is None:
            self._begin_pass()
        if not isinstance(self._pass, ArrayPass):
            return None
        window = self._pass.take(size)
        if window is None:
            return None
        self._pass_steps += window.steps
        if self.joined and window.steps < size and self._pass.peek() is not None:
            return window._replace(rest=self._advance())
        return window

    def _finish(self, done: int, ended: bool) -> None:
        if not ended:
            whole = self.adapter.num_batches
            if self.steps_per_epoch is None or (whole is not None and self._pass_steps >= whole):
                self._end_pass()
            return
        if self.steps_per_epoch is None:
            self._learned = done or self._learned
        if done == 0 or (self.steps_per_epoch is not None and done < (self.num_batches or 0)):
            self.exhausted = True
            wanted = f" of {self.num_batches}" if self.num_batches else ""
            warnings.warn(
                f"The data ran out after {done} batches{wanted} in this epoch. A generator can be run through only "
                "once, and a dataset gives `steps_per_epoch * epochs` batches only if it is that long or repeats; "
                "lower `steps_per_epoch`, or repeat the data.",
                stacklevel=4,
            )

    def _next(self, new_epoch: bool) -> tuple[Any, ...] | None:
        if self._peeked:
            self._pass_steps += 1
            return self._peeked.popleft()
        going_on = self._pass is not None
        batch = self._advance()
        if batch is None and new_epoch and going_on:
            batch = self._advance()  # that pass had ended just where the last epoch did, which is no shortage
        return batch

    def _advance(self) -> tuple[Any, ...] | None:
        started = time.perf_counter()
        first = self._pass is None  # which may take its time, to open files and the like
        if first:
            self._begin_pass()
        if self._ahead is not None:
            batch = next(self._ahead, None)
        else:
            batch = next(self._pass, None)
            if batch is not None:
                batch = self.place(batch)
        took = time.perf_counter() - started
        if not self.windows:
            self.waited += took
        if batch is None:
            self._end_pass()
            return None
        if took > ahead.WORTH and not first:
            self._slow = True
        self._pass_steps += 1
        return batch

    def _read_ahead(self, most: int | None) -> None:
        """From the next batch on, which must not be the first of a pass: a new one begins in the thread of the caller."""
        if self._pass is None or self._peeked or self.windows or not getattr(self.adapter, "ahead", True) or most == 1:
            return
        depth = 2 * self.steps_per_execution
        self._ahead = ahead.Ahead(self._pass, self.place, most, depth, self.variables)

    def _stop_reading_ahead(self) -> None:
        current, self._ahead = self._ahead, None
        if current is None:
            return
        left = current.stop()
        if left is None:
            self._pass = None  # it can't be closed here
        elif getattr(self.adapter, "resumes", False):
            self._peeked.extend(left)

    def _begin_pass(self) -> None:
        self._order = self.adapter.order_state()
        self._pass, self._pass_steps = iter(self.adapter.epoch()), 0

    def _end_pass(self) -> None:
        self._stop_reading_ahead()
        current, self._pass, self._pass_steps = self._pass, None, 0
        close = getattr(current, "close", None)
        if close is not None:
            close()

    def restart(self) -> None:
        """Begin the next epoch at the source's beginning, where it has one that can be gone back to."""
        if not getattr(self.adapter, "resumes", False):
            self._end_pass()
            self._peeked.clear()

    def close(self) -> None:
        """End the current pass and release the adapter's workers."""
        self._end_pass()
        self._peeked.clear()
        self.adapter.close()

    def __enter__(self) -> EpochIterator:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def _as_it_is(batch: Any) -> Any:
    return batch


def _placed_copy(place: Callable[[Any], Any], batch: Any) -> Any:
    """A batch of a user's code placed, of which nothing changes any more when that code fills the same arrays again."""
    return place(tree.map_structure(_copy, batch))


def _copy(x: Any) -> Any:
    if isinstance(x, np.ndarray):
        return x.copy()
    return x.detach().clone() if foreign.kind(x) == "torch" else x  # other tensors stay as they are
