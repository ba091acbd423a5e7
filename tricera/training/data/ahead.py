"""Reading ahead: while a step runs, a thread reads and places the batches that come next.

What it must not change:

- The order, the numbers and the errors are those of reading in the calling thread; an error is raised where its batch would have
  been used, with its own traceback.
- Nothing is read beyond the end of an epoch, so that hooks, callbacks and validations between two epochs find a source where they
  would without, and a generator gives no more batches than steps were asked for. (A fit that a batch hook stops in the middle of
  an epoch may have read up to two dispatches' batches more than it used.)
- A source that looks at what the steps change (it predicts with the model that is being trained, reads its weights, or draws from
  the stream of unseeded random numbers) waits there until the loop waits for its batch, which is when it would have run.
- When the epoch is over or left, the thread has ended.

It costs some ten microseconds a batch, so only sources are read ahead that are slow enough to be worth it; these begin in the
calling thread, where the time that a batch takes is known anyway.
"""

from __future__ import annotations

import contextvars
import threading
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from tricera.core.state import Cells, current_cells

WORTH = 0.0003  # seconds that a batch takes, from which on its source is read ahead
_PATIENCE = 10.0  # seconds to wait for a source that is busy with a batch when nobody wants it any more

_turn: contextvars.ContextVar[Callable[[], None] | None] = contextvars.ContextVar("tricera_turn", default=None)


def wait_for_turn() -> None:
    """In a thread that reads ahead, wait until the loop waits for its batch; elsewhere, do nothing."""
    wait = _turn.get()
    if wait is not None:
        wait()


class _Guarded(dict[int, Any]):
    """The cells of a `_Guard`: none hold a value, but whoever asks for one of the guarded variables waits."""

    def __init__(self, keys: Iterable[int], wait: Callable[[], None]) -> None:
        self._keys, self._wait = frozenset(keys), wait

    def __contains__(self, key: object) -> bool:
        if key in self._keys:
            self._wait()
        return False


class _Guard(Cells):
    """The scope in which a source runs: variables have the values that they have, once it is the source's turn."""

    __slots__ = ()

    def __init__(self, variables: Iterable[Any], wait: Callable[[], None]) -> None:
        super().__init__()
        self.values = _Guarded(map(id, variables), wait)

    def write(self, variable: Any, value: Any) -> None:
        self.read(variable)  # for its turn
        token = current_cells.set(None)
        try:
            variable.assign(value)
        finally:
            current_cells.reset(token)


class Ahead:
    """An iterator over a source whose next batches are read and placed in a thread.

    Args:
        source: the iterator that is read; nobody else touches it until `stop`.
        place: what is done to a batch besides.
        most: how many batches to read at most; None reads to the end.
        depth: how many may lie ready or under way.
        variables: those that steps change.
    """

    def __init__(
        self,
        source: Iterator[Any],
        place: Callable[[Any], Any],
        most: int | None = None,
        depth: int = 2,
        variables: Iterable[Any] = (),
    ) -> None:
        self._source, self._place, self._most, self._depth = source, place, most, depth
        self._variables = tuple(variables)  # which keeps them, and so their ids
        self._changed = threading.Condition()
        self._ready: deque[tuple[Any, BaseException | None]] = deque()
        self._wanted = self._stopped = self._abandoned = False
        # the backend chosen with `use` is local to a context, and threads begin with an empty one
        context = contextvars.copy_context()
        self._thread = threading.Thread(
            target=context.run, args=(self._run,), name="tricera-data-ahead", daemon=True
        )  # a daemon: a source that never answers must not keep the process alive
        self._thread.start()

    def _run(self) -> None:
        _turn.set(self._wait)
        current_cells.set(_Guard(self._variables, self._wait))
        count = 0
        while self._most is None or count < self._most:
            with self._changed:
                self._changed.wait_for(lambda: self._stopped or len(self._ready) < self._depth)
                if self._stopped:
                    break
            try:
                item, error = self._place(next(self._source)), None
            except BaseException as raised:
                item, error = None, raised
            with self._changed:
                self._ready.append((item, error))
                self._changed.notify_all()
            if error is not None:
                break
            count += 1
        with self._changed:
            if not self._abandoned:
                return
        _close(self._source)

    def _wait(self) -> None:
        """Until the loop waits for this batch, or for nothing any more."""
        with self._changed:
            self._changed.wait_for(lambda: (self._wanted and not self._ready) or self._stopped)

    def __iter__(self) -> Ahead:
        return self

    def __next__(self) -> Any:
        with self._changed:
            self._wanted = True
            try:
                if not self._ready:
                    self._changed.notify_all()  # it may be waiting for its turn
                    self._changed.wait_for(lambda: self._ready)
            finally:
                self._wanted = False
            item, error = self._ready.popleft()
            self._changed.notify_all()
        if error is not None:
            raise error
        return item

    def stop(self) -> list[Any] | None:
        """End the thread.

        Returns:
            The batches that were read and not used; None if the source is busy and can't be used any more: it is closed, and its
            thread ends, when it comes back.
        """
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        self._thread.join(_PATIENCE)
        with self._changed:
            self._abandoned = self._thread.is_alive()
        if self._abandoned:
            warnings.warn(
                f"The data source is still busy with a batch that is not needed any more, after {_PATIENCE:.0f} seconds. Its "
                "thread ends when it gives that batch.",
                stacklevel=2,
            )
            return None
        return [item for item, error in self._ready if error is None]


def _close(source: Any) -> None:
    close = getattr(source, "close", None)
    if close is not None:
        close()
