"""Loading the items of a dataset ahead of time, in threads or processes, in order.

Processes are spawned, never forked: a fork copies the locks that the threads of JAX, torch and TensorFlow hold, and may
hang. They live from pass to pass, since starting one costs seconds of imports; a dataset that changed between passes
reaches them through a file.
"""

from __future__ import annotations

import contextvars
import hashlib
import pickle
import tempfile
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path
from typing import Any


def in_order(
    submit: Callable[[int], Future[Any]], indices: Iterable[int], depth: int, name: str
) -> Generator[Any, None, None]:
    """The results of `submit(index).result()` in the order of `indices`, with up to `depth` of them under way.

    An error of a worker comes out where its result would have, with a note that names the index. However the iteration
    ends, what has not begun by then is cancelled.
    """
    waiting: deque[tuple[int, Future[Any]]] = deque()
    try:
        for index in indices:
            try:
                waiting.append((index, submit(index)))
            except BrokenProcessPool as error:
                raise _died(index, name) from error
            if len(waiting) >= depth:
                yield _result(*waiting.popleft(), name)
        while waiting:
            yield _result(*waiting.popleft(), name)
    finally:
        for _, future in waiting:
            future.cancel()


def annotate(error: BaseException, index: int, name: str) -> None:
    """Add a note to an error that says which batch of which dataset it comes from."""
    error.add_note(f"This happened while {name} was loading batch {index}.")


def _result(index: int, future: Future[Any], name: str) -> Any:
    try:
        return future.result()
    except BrokenProcessPool as error:
        raise _died(index, name) from error
    except Exception as error:
        annotate(error, index, name)
        raise


def _died(index: int, name: str) -> RuntimeError:
    return RuntimeError(
        f"A worker process of {name} died while batch {index} was due. If it never started: workers are spawned, so "
        "the main script is imported again in each of them and must train under `if __name__ == '__main__':`. If "
        "it ran before: it may have been out of memory. `use_multiprocessing=False` uses threads."
    )


def load_in_threads(
    load: Callable[[int], Any], indices: Iterable[int], workers: int, depth: int, name: str
) -> Generator[Any, None, None]:
    """`load(index)` of each index, computed by a pool of threads that ends with the iteration."""
    pool = ThreadPoolExecutor(workers, thread_name_prefix="tricera-data")

    def submit(index: int) -> Future[Any]:
        # the backend chosen with `use` is local to a context, and threads begin with an empty one
        return pool.submit(contextvars.copy_context().run, load, index)

    try:
        yield from in_order(submit, indices, depth, name)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


class ProcessLoader:
    """A pool of processes that each hold a copy of a dataset.

    Args:
        dataset: anything that pickles and has `__getitem__`.
        workers: number of processes.
    """

    def __init__(self, dataset: Any, workers: int) -> None:
        self._dataset = dataset
        self._folder = tempfile.TemporaryDirectory(prefix="tricera-data-")
        self._path: Path | None = None
        self._digest = b""
        self._versions = 0
        self._pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"))

    def load(self, indices: Iterable[int], depth: int, name: str) -> Generator[Any, None, None]:
        """`dataset[index]` of each index, computed by the pool, as the dataset is now.

        Raises:
            TypeError: the dataset cannot be pickled.
        """
        path = str(self._write(name))
        return in_order(lambda index: self._pool.submit(_load, path, index), indices, depth, name)

    def _write(self, name: str) -> Path:
        try:
            data = pickle.dumps(self._dataset, protocol=pickle.HIGHEST_PROTOCOL)
        except (pickle.PicklingError, TypeError, AttributeError) as error:
            raise TypeError(
                f"{name} cannot be pickled, which `use_multiprocessing=True` needs: {error}. Define its class at the "
                "top level of a module, open files in `__getitem__`, or set `use_multiprocessing=False` to use threads."
            ) from error
        digest = hashlib.blake2b(data).digest()
        if self._path is None or digest != self._digest:
            if self._path is not None:
                self._path.unlink()
            self._versions += 1
            self._path, self._digest = Path(self._folder.name) / f"dataset-{self._versions}.pickle", digest
            self._path.write_bytes(data)
        return self._path

    def close(self) -> None:
        """End the processes; what runs is waited for, what waits is cancelled."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._folder.cleanup()


_held: tuple[str, Any] | None = None  # in a worker process: the dataset and the file that it came from


def _load(path: str, index: int) -> Any:
    global _held
    if _held is None or _held[0] != path:
        with open(path, "rb") as file:
            _held = (path, pickle.load(file))
    return _held[1][index]
