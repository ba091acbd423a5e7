"""`PyDataset`: batches by number, written in Python, loaded by workers."""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from typing import Any

from tricera.core import rng
from tricera.training.data import class_weight as weights
from tricera.training.data.adapter import Source
from tricera.training.data.batch import as_batch


class PyDataset:
    """Base class of datasets whose batches can be asked for by number.

    A subclass defines `__getitem__(index)`, which gives a whole batch, and `__len__()`, the number of batches (or the
    property `num_batches`, where None means an endless dataset). `fit` asks for each batch just once an epoch, whatever
    the number of workers, and gets them in order.

    Args:
        workers: threads or processes that load batches. 1 loads them one by one, ahead of the steps in a thread where a batch
            takes long, unless `use_multiprocessing`; 0 always loads in the calling thread.
        use_multiprocessing: load in processes instead of threads. The dataset is pickled into them, and the processes
            are
            spawned: a script starts training under `if __name__ == "__main__":`.
        max_queue_size: batches that may lie ready or under way.

    Example:
        >>> import numpy as np
        >>> class Squares(PyDataset):
        ...     def __len__(self):
        ...         return 2
        ...     def __getitem__(self, index):
        ...         x = np.arange(index * 3, index * 3 + 3)
        ...         return x, x**2
        >>> [y.tolist() for x, y in Squares()]
        [[0, 1, 4], [9, 16, 25]]
    """

    # on the class, so that a subclass whose constructor does not call this one works
    _workers: int = 1
    _use_multiprocessing: bool = False
    _max_queue_size: int = 10

    def __init__(self, workers: int = 1, use_multiprocessing: bool = False, max_queue_size: int = 10) -> None:
        self.workers = workers
        self.use_multiprocessing = use_multiprocessing
        self.max_queue_size = max_queue_size

    @property
    def workers(self) -> int:
        """Threads or processes that load batches."""
        return self._workers

    @workers.setter
    def workers(self, value: int) -> None:
        if not isinstance(value, int) or value < 0:
            raise ValueError(f"`workers` must be an integer, 0 or more, not {value!r}.")
        self._workers = value

    @property
    def use_multiprocessing(self) -> bool:
        """Whether workers are processes."""
        return self._use_multiprocessing

    @use_multiprocessing.setter
    def use_multiprocessing(self, value: bool) -> None:
        self._use_multiprocessing = bool(value)

    @property
    def max_queue_size(self) -> int:
        """Batches that may lie ready or under way."""
        return self._max_queue_size

    @max_queue_size.setter
    def max_queue_size(self, value: int) -> None:
        if not isinstance(value, int) or value < 1:
            raise ValueError(f"`max_queue_size` must be a positive integer, not {value!r}.")
        self._max_queue_size = value

    @property
    def num_batches(self) -> int | None:
        """Number of batches; None means that the dataset is endless."""
        if not hasattr(self, "__len__"):
            raise NotImplementedError(
                f"{type(self).__name__} must define `__len__()`, the number of its batches, or override the property "
                "`num_batches` (None for an endless dataset)."
            )
        return len(self)  # type: ignore[arg-type]

    def __getitem__(self, index: int) -> Any:
        """The batch of that number."""
        raise NotImplementedError(f"{type(self).__name__} must define `__getitem__(index)`, which gives a batch.")

    def on_epoch_begin(self) -> None:
        """Called before each epoch."""

    def on_epoch_end(self) -> None:
        """Called after each epoch, for instance to put the samples into a new order."""

    def __iter__(self) -> Iterator[Any]:
        n = self.num_batches
        for index in itertools.count() if n is None else range(n):
            yield self[index]


class PyDatasetAdapter(Source):
    """Batches of a `PyDataset`, in order (or in a new order each pass), loaded ahead by its workers.

    Args:
        dataset: the dataset.
        shuffle: put the batches, not what is in them, into a new order for each pass; an endless dataset stays as it
            is.
        class_weight: dict of class to weight, turned into sample weights batch by batch.
    """

    reuses = True

    def __init__(
        self, dataset: PyDataset, *, shuffle: Any = False, class_weight: dict[int, float] | None = None
    ) -> None:
        self._dataset = dataset
        self._class_weight = weights.check_class_weight(class_weight)
        self._generator = rng.generator(rng.draw_seed()) if shuffle else None
        self._processes: Any = None  # a `ProcessLoader`, once there is one

    @property
    def ahead(self) -> bool:  # type: ignore[override]
        """Whether batches may be loaded in another thread than the caller's: not without workers."""
        return self._dataset.workers > 0

    @property
    def num_batches(self) -> int | None:  # type: ignore[override]
        """What the dataset says now."""
        return self._dataset.num_batches

    def epoch(self) -> Iterator[tuple[Any, ...]]:
        """One pass. Closing it early ends the workers."""
        source = type(self._dataset).__name__
        try:
            # closed by hand: the traceback of an error would keep the iteration, and so its threads, alive
            with closing(self._load(self._indices())) as elements:
                for element in elements:
                    yield weights.weighted_batch(as_batch(element, source), self._class_weight)
        except BaseException:
            self.close()
            raise

    def _indices(self) -> Iterable[int]:
        n = self.num_batches
        if n is None:
            return itertools.count()
        return range(n) if self._generator is None else self._generator.permutation(n).tolist()

    def _load(self, indices: Iterable[int]) -> Generator[Any, None, None]:
        from tricera.training.data.workers import ProcessLoader, load_in_threads  # which loads multiprocessing

        dataset = self._dataset
        name = type(dataset).__name__
        if dataset.use_multiprocessing and dataset.workers > 0:
            if self._processes is None:
                self._processes = ProcessLoader(dataset, dataset.workers)
                # whoever forgets to close an adapter loses no more than the time until it is collected
                self._release = weakref.finalize(self, self._processes.close)
            return self._processes.load(indices, dataset.max_queue_size, name)
        if dataset.workers > 1:
            return load_in_threads(dataset.__getitem__, indices, dataset.workers, dataset.max_queue_size, name)
        return _load_here(dataset, indices, name)

    def on_epoch_begin(self) -> None:
        """Tell the dataset."""
        self._dataset.on_epoch_begin()

    def on_epoch_end(self) -> None:
        """Tell the dataset."""
        self._dataset.on_epoch_end()

    def close(self) -> None:
        """End the worker processes; the next pass starts new ones."""
        if self._processes is not None:
            self._processes = None
            self._release()


def _load_here(dataset: PyDataset, indices: Iterable[int], name: str) -> Generator[Any, None, None]:
    for index in indices:
        try:
            batch = dataset[index]
        except Exception as error:
            from tricera.training.data.workers import annotate

            annotate(error, index, name)
            raise
        yield batch
