from __future__ import annotations

import itertools
import warnings

import numpy as np
import pytest

from tricera.core import config
from tricera.training.data import EpochIterator, make_adapter
from tricera.training.data.adapter import Source


def run(iterator: EpochIterator) -> list[list[int]]:
    """The first entries of the batches of one epoch, group by group; step numbers are checked on the way."""
    groups, expected = [], 0
    for start, end, batches in iterator.epoch():
        assert start == expected and end - start + 1 == len(batches)
        expected = end + 1
        groups.append([int(np.ravel(batch[0])[0]) for batch in batches])
    return groups


def arrays(n: int, **arguments) -> EpochIterator:
    return EpochIterator(make_adapter(np.arange(n), batch_size=1), **arguments)


def stream(n: int | None, **arguments) -> EpochIterator:
    numbers = itertools.count() if n is None else range(n)
    source = ((np.array([i]),) for i in numbers)
    return EpochIterator(make_adapter(source, steps_per_epoch=arguments.get("steps_per_epoch")), **arguments)


@pytest.fixture(autouse=True)
def no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def test_whole_passes_in_groups():
    epochs = arrays(5, steps_per_execution=2)
    assert epochs.num_batches == 5
    for _ in range(3):
        assert run(epochs) == [[0, 1], [2, 3], [4]]
        assert not epochs.exhausted


def test_groups_stop_at_the_end_of_the_epoch():
    assert run(arrays(9, steps_per_epoch=3, steps_per_execution=2)) == [[0, 1], [2]]


def test_a_longer_source_goes_on_in_the_next_epoch():
    epochs = arrays(4, steps_per_epoch=2)
    assert epochs.num_batches == 2
    assert [run(epochs) for _ in range(4)] == [[[0], [1]], [[2], [3]], [[0], [1]], [[2], [3]]]


def test_an_epoch_is_cut_short_where_the_pass_ends():
    epochs = arrays(3, steps_per_epoch=2)
    assert run(epochs) == [[0], [1]]
    with pytest.warns(UserWarning, match="ran out after 1 batches of 2"):
        assert run(epochs) == [[2]]
    assert epochs.exhausted
    assert run(epochs) == [[0], [1]]
    assert not epochs.exhausted


def test_endless_generator_loses_nothing():
    epochs = stream(None, steps_per_epoch=3, steps_per_execution=2)
    assert [run(epochs) for _ in range(3)] == [[[0, 1], [2]], [[3, 4], [5]], [[6, 7], [8]]]


def test_length_is_learned():
    epochs = stream(3)
    assert epochs.num_batches is None
    assert run(epochs) == [[0], [1], [2]]
    assert epochs.num_batches == 3
    with pytest.warns(UserWarning, match="ran out after 0 batches"):
        assert run(epochs) == []
    assert epochs.exhausted


def test_a_pass_that_ends_with_the_epoch_is_no_shortage():
    class Twice(Source):
        """Batches of a source whose length nobody knows, as from a filtered dataset."""

        def epoch(self):
            yield from ((np.array([i]),) for i in range(4))

    epochs = EpochIterator(Twice(), steps_per_epoch=2)
    assert [run(epochs) for _ in range(3)] == [[[0], [1]], [[2], [3]], [[0], [1]]]


def test_empty_source_warns_once_an_epoch():
    with pytest.warns(UserWarning, match="after 0 batches"):
        assert run(stream(0)) == []


def test_peek_consumes_nothing():
    epochs = stream(3)
    assert epochs.peek()[0].tolist() == [0]
    assert epochs.peek()[0].tolist() == [0]
    assert run(epochs) == [[0], [1], [2]]
    assert epochs.peek() is None
    epochs = arrays(4, steps_per_epoch=2)
    assert run(epochs) == [[0], [1]]
    assert epochs.peek()[0].tolist() == [2]
    assert run(epochs) == [[2], [3]]
    assert run(epochs) == [[0], [1]]


def test_hooks_are_called_around_each_epoch():
    calls = []
    adapter = make_adapter(np.arange(2), batch_size=1)
    adapter.on_epoch_begin = lambda: calls.append("begin")
    adapter.on_epoch_end = lambda: calls.append("end")
    epochs = EpochIterator(adapter)
    run(epochs)
    next(epochs.epoch())
    assert calls == ["begin", "end", "begin"]


def test_leaving_early_starts_a_new_pass():
    epochs = arrays(4)
    for _, _, batches in epochs.epoch():
        assert batches[0][0].tolist() == [0]
        break
    assert run(epochs) == [[0], [1], [2], [3]]


def test_step_limit_of_the_configuration():
    epochs = arrays(5)
    config.put("max_steps_per_epoch", 2)
    try:
        assert epochs.num_batches == 2
        assert run(epochs) == run(epochs) == [[0], [1]]
    finally:
        config.put("max_steps_per_epoch", None)


@pytest.mark.parametrize("name", ["steps_per_epoch", "steps_per_execution"])
@pytest.mark.parametrize("value", [0, -1, 1.5, True])
def test_bad_numbers(name, value):
    with pytest.raises(ValueError, match=name):
        arrays(3, **{name: value})
