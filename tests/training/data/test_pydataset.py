"""PyDataset with threads and processes: order, errors, and nothing left running."""

from __future__ import annotations

import multiprocessing
import os
import threading
import time

import numpy as np
import pytest

from tricera.core import rng
from tricera.training.data import DataAdapter, EpochIterator, PyDataset, make_adapter


class Numbers(PyDataset):
    """Batch i is full of i; later batches come faster, so that workers finish out of order."""

    def __init__(self, n: int | None = 6, fail_at: int | None = None, **arguments) -> None:
        super().__init__(**arguments)
        self.n, self.fail_at, self.epochs = n, fail_at, 0

    @property
    def num_batches(self):
        return self.n

    def __getitem__(self, index):
        if index == self.fail_at:
            raise KeyError("no such file")
        time.sleep(0.005 * (3 - index % 4) if index % 4 < 3 else 0)
        return np.full((2, 1), index), np.array([self.epochs, os.getpid()])

    def on_epoch_end(self):
        self.epochs += 1


MODES = [{"workers": 0}, {"workers": 1}, {"workers": 3, "max_queue_size": 2}, {"workers": 4}]


def order(adapter: DataAdapter) -> list[int]:
    return [int(x[0, 0]) for x, _ in adapter.epoch()]


def left_over() -> list[object]:
    threads = [t for t in threading.enumerate() if t.name.startswith("tricera-data")]
    return threads + multiprocessing.active_children()


@pytest.mark.parametrize("mode", MODES)
def test_every_batch_once_in_order(mode):
    adapter = make_adapter(Numbers(9, **mode))
    assert isinstance(adapter, DataAdapter) and adapter.num_batches == 9
    for _ in range(2):
        assert order(adapter) == list(range(9))
    assert not left_over()


@pytest.mark.parametrize("mode", MODES)
def test_endless_dataset_left_early(mode):
    adapter = make_adapter(Numbers(None, **mode), steps_per_epoch=3)
    with EpochIterator(adapter, 3) as epochs:
        seen = [int(b[0][0, 0]) for _ in range(2) for _, _, group in epochs.epoch() for b in group]
    assert seen == [0, 1, 2, 3, 4, 5]
    assert not left_over()
    with pytest.raises(ValueError, match="without an end"):
        make_adapter(Numbers(None))


@pytest.mark.parametrize("mode", MODES)
def test_errors_name_the_batch(mode):
    adapter = make_adapter(Numbers(6, fail_at=3, **mode))
    seen = []
    with pytest.raises(KeyError, match="no such file") as caught:
        for x, _ in adapter.epoch():
            seen.append(int(x[0, 0]))
    assert seen == [0, 1, 2]
    assert any("Numbers" in note and "batch 3" in note for note in caught.value.__notes__)
    assert not left_over()


def test_leaving_early_ends_the_threads():
    adapter = make_adapter(Numbers(50, workers=3))
    for _ in adapter.epoch():
        break
    assert not left_over()


def test_an_error_of_the_loop_ends_the_threads():
    with EpochIterator(make_adapter(Numbers(50, workers=3))) as epochs, pytest.raises(ZeroDivisionError):
        for _ in epochs.epoch():
            raise ZeroDivisionError
    assert not left_over()


def test_shuffled_batches_follow_the_seed():
    def two_passes():
        rng.set_seed(5)
        adapter = make_adapter(Numbers(20, workers=2), shuffle=True)
        return order(adapter), order(adapter)

    first, second = two_passes()
    assert sorted(first) == sorted(second) == list(range(20)) and first != second
    assert (first, second) == two_passes()


def test_queue_is_bounded():
    class Counting(Numbers):
        begun = 0

        def __getitem__(self, index):
            self.begun += 1
            return np.full((2, 1), index), np.zeros(2)

    dataset = Counting(100, workers=4, max_queue_size=3)
    batches = make_adapter(dataset).epoch()
    next(batches)
    time.sleep(0.1)
    assert dataset.begun <= 4
    batches.close()


def test_threads_see_the_context_of_the_caller():
    import contextvars

    chosen = contextvars.ContextVar("chosen", default="none")

    class Context(Numbers):
        def __getitem__(self, index):
            return np.array([chosen.get() == "mine"]), None

    token = chosen.set("mine")
    try:
        assert all(x[0] for x, _ in make_adapter(Context(4, workers=2)).epoch())
    finally:
        chosen.reset(token)


def test_processes():
    """One test for all that needs processes, since starting them is slow."""
    dataset = Numbers(5, workers=2, use_multiprocessing=True)
    adapter = make_adapter(dataset)
    with EpochIterator(adapter) as epochs:
        workers = []
        for epoch in range(2):
            batches = [b for _, _, group in epochs.epoch() for b in group]
            assert [int(x[0, 0]) for x, _ in batches] == [0, 1, 2, 3, 4]
            assert {int(y[0]) for _, y in batches} == {epoch}, "workers must see what on_epoch_end changed"
            workers.append({int(y[1]) for _, y in batches})
        assert os.getpid() not in workers[0] | workers[1]
        assert len(workers[0] | workers[1]) <= 2, "the pool lives from pass to pass"
        assert left_over()
    assert not left_over()
    dataset.fail_at = 2
    with pytest.raises(KeyError) as caught:
        order(adapter)
    assert any("batch 2" in note for note in caught.value.__notes__)
    assert not left_over()


def test_processes_end_when_the_epoch_is_left_early():
    adapter = make_adapter(Numbers(50, workers=1, use_multiprocessing=True))
    for _ in adapter.epoch():
        break
    assert not left_over()


class Dying(Numbers):
    def __getitem__(self, index):
        if index == 2:
            os._exit(1)
        return super().__getitem__(index)


def test_a_worker_that_dies():
    adapter = make_adapter(Dying(30, workers=1, use_multiprocessing=True, max_queue_size=1))
    with pytest.raises(RuntimeError, match="worker process of Dying died"):
        order(adapter)
    assert not left_over()


def test_a_dataset_that_cannot_be_pickled():
    class Local(Numbers):
        pass

    with pytest.raises(TypeError, match="Local cannot be pickled"):
        order(make_adapter(Local(workers=2, use_multiprocessing=True)))
    assert not left_over()


def test_class_contract():
    class Bare(PyDataset):
        def __init__(self):  # does not call the base
            pass

    assert (Bare().workers, Bare().use_multiprocessing, Bare().max_queue_size) == (1, False, 10)
    with pytest.raises(NotImplementedError, match="__len__"):
        _ = Bare().num_batches
    with pytest.raises(NotImplementedError, match="__getitem__"):
        Bare()[0]
    for arguments in ({"workers": -1}, {"max_queue_size": 0}):
        with pytest.raises(ValueError, match=next(iter(arguments))):
            PyDataset(**arguments)
    with pytest.raises(ValueError, match="`sample_weight` must not be passed"):
        make_adapter(Numbers(), sample_weight=np.ones(2))
