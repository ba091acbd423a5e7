"""tf.data, torch loaders and generators: the same adapter to the loop."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from tricera.training.data import DataAdapter, EpochIterator, make_adapter, unpack_validation_data

X, Y = np.arange(10.0).reshape(5, 2), np.arange(5)


def numbers(adapter: DataAdapter) -> list[int]:
    return [int(i) for _, y in adapter.epoch() for i in np.asarray(y)]


def test_nothing_imports_a_framework():
    code = (
        "import sys, tricera.training.data.foreign, tricera.training.data\n"
        "print(sorted({'jax', 'torch', 'tensorflow', 'pandas', 'scipy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_generator_gives_every_batch_once():
    adapter = make_adapter((X[i : i + 2], Y[i : i + 2]) for i in range(0, 5, 2))
    assert isinstance(adapter, DataAdapter) and adapter.num_batches is None
    first = next(iter(adapter.epoch()))
    assert first[1].tolist() == [0, 1]
    assert numbers(adapter) == [2, 3, 4]
    assert numbers(adapter) == []


def test_generator_forms():
    adapter = make_adapter(iter([X, {"a": X}, (X, None), (X, Y, None)]))
    assert [len(b) for b in adapter.epoch()] == [1, 1, 2, 3]
    with pytest.raises(ValueError, match="list of 2"):
        list(make_adapter(iter([[X, Y]])).epoch())
    with pytest.raises(ValueError, match="batch of 4 parts"):
        list(make_adapter(iter([(X, X, X, Y)])).epoch())


def test_generator_error_passes_through():
    def broken():
        yield X, Y
        raise RuntimeError("disk on fire")

    with pytest.raises(RuntimeError, match="disk on fire"):
        list(make_adapter(broken()).epoch())


@pytest.mark.parametrize("extra", [{"y": Y}, {"sample_weight": Y}])
def test_targets_beside_a_source(extra):
    with pytest.raises(ValueError, match=f"`{next(iter(extra))}` must not be passed"):
        make_adapter(iter([(X, Y)]), **extra)


def test_tf_dataset():
    tf = pytest.importorskip("tensorflow")
    dataset = tf.data.Dataset.from_tensor_slices((X, Y)).batch(2)
    adapter = make_adapter(dataset, shuffle=True)
    assert isinstance(adapter, DataAdapter)
    assert adapter.num_batches == 3 and adapter.batch_size is None
    assert numbers(adapter) == numbers(adapter) == [0, 1, 2, 3, 4]
    assert tf.is_tensor(next(iter(adapter.epoch()))[0])
    assert make_adapter(dataset.batch(1, drop_remainder=True)).batch_size == 1
    assert make_adapter(dataset.filter(lambda x, y: True)).num_batches is None
    with pytest.raises(ValueError, match="`y` must not be passed"):
        make_adapter(dataset, Y)
    with pytest.raises(ValueError, match="without an end"):
        make_adapter(dataset.repeat())
    with EpochIterator(make_adapter(dataset.repeat(), steps_per_epoch=2), 2) as epochs:
        seen = [int(b[1][0]) for _ in range(3) for _, _, group in epochs.epoch() for b in group]
    assert seen == [0, 2, 4, 0, 2, 4]


def test_tf_dataset_elements_and_class_weight():
    tf = pytest.importorskip("tensorflow")
    single = tf.data.Dataset.from_tensor_slices({"a": X}).batch(5)
    ((x,),) = make_adapter(single).epoch()
    assert x["a"].shape == (5, 2)
    pairs = tf.data.Dataset.from_tensor_slices((X, Y % 2)).batch(5)
    ((_, _, weights),) = make_adapter(pairs, class_weight={0: 1.0, 1: 2.0}).epoch()
    assert weights.tolist() == [1, 2, 1, 2, 1]


def test_tf_distributed_dataset():
    tf = pytest.importorskip("tensorflow")
    strategy = tf.distribute.MirroredStrategy(["CPU:0"])
    dataset = tf.data.Dataset.from_tensor_slices((X, Y)).batch(2)
    adapter = make_adapter(strategy.experimental_distribute_dataset(dataset))
    assert adapter.num_batches == 3 and numbers(adapter) == [0, 1, 2, 3, 4]


def test_torch_loader():
    torch = pytest.importorskip("torch")
    data = torch.utils.data.TensorDataset(torch.tensor(X), torch.tensor(Y))
    adapter = make_adapter(torch.utils.data.DataLoader(data, batch_size=2), shuffle=True)
    assert isinstance(adapter, DataAdapter)
    assert (adapter.num_batches, adapter.batch_size, adapter.partial_batch_size) == (3, 2, 1)
    assert numbers(adapter) == numbers(adapter) == [0, 1, 2, 3, 4]
    assert torch.is_tensor(next(iter(adapter.epoch()))[0])
    dropping = make_adapter(torch.utils.data.DataLoader(data, batch_size=2, drop_last=True))
    assert (dropping.num_batches, dropping.partial_batch_size) == (2, None)
    with pytest.raises(ValueError, match="`y` must not be passed"):
        make_adapter(torch.utils.data.DataLoader(data), Y)
    with pytest.raises(ValueError, match="Wrap it"):
        make_adapter(data)


def test_torch_iterable_dataset_has_no_length():
    torch = pytest.importorskip("torch")

    class Stream(torch.utils.data.IterableDataset):
        def __iter__(self):
            return iter((torch.full((1,), float(i)), i) for i in range(5))

    adapter = make_adapter(torch.utils.data.DataLoader(Stream(), batch_size=2))
    assert adapter.num_batches is None and adapter.partial_batch_size is None
    epochs = EpochIterator(adapter)
    for _ in range(2):
        assert sum(len(group) for _, _, group in epochs.epoch()) == 3
    assert epochs.num_batches == 3


def test_validation_data():
    assert unpack_validation_data((1, 2)) == (1, 2, None)
    assert unpack_validation_data([1, 2, 3]) == (1, 2, 3)
    generator = iter([])
    assert unpack_validation_data(generator) == (generator, None, None)
    with pytest.raises(ValueError, match="not a tuple of 4"):
        unpack_validation_data((1, 2, 3, 4))
