from __future__ import annotations

import numpy as np
import pytest

from tricera.utils.dataset_utils import pack_x_y_sample_weight, split_dataset, unpack_x_y_sample_weight


def values(dataset) -> list[int]:
    return [
        int(sample[0] if isinstance(sample, tuple) else sample) for sample in (dataset[i] for i in range(len(dataset)))
    ]


@pytest.mark.parametrize(
    "sizes,expected",
    [
        ({"left_size": 0.25}, (2, 8)),
        ({"left_size": 0.36}, (4, 6)),
        ({"right_size": 0.25}, (8, 2)),
        ({"left_size": 3}, (3, 7)),
        ({"left_size": 3, "right_size": 0.2}, (3, 2)),
    ],
)
def test_arrays_on_torch(sizes, expected):
    pytest.importorskip("torch")
    left, right = split_dataset(np.arange(10), **sizes, preferred_backend="torch")
    assert (len(left), len(right)) == expected
    assert values(left) + values(right) == list(range(sum(expected)))


def test_pairs_and_dicts_on_torch():
    torch = pytest.importorskip("torch")
    left, _ = split_dataset([np.arange(4.0), np.arange(4)], left_size=2, preferred_backend="torch")
    x, y = next(iter(torch.utils.data.DataLoader(left, batch_size=2)))
    assert x.tolist() == y.tolist() == [0, 1]
    _, right = split_dataset({"a": np.arange(4)}, left_size=2, preferred_backend="torch")
    assert int(right[0]["a"]) == 2


def test_shuffle_follows_the_seed_and_keeps_the_parts_apart():
    torch = pytest.importorskip("torch")
    data = torch.utils.data.TensorDataset(torch.arange(20))
    runs = [split_dataset(data, left_size=0.5, shuffle=True, seed=3) for _ in range(2)]
    left, right = (values(part) for part in runs[0])
    assert (left, right) == tuple(values(part) for part in runs[1])
    assert left != sorted(left) and sorted(left + right) == list(range(20))


def test_tensorflow():
    tf = pytest.importorskip("tensorflow")
    left, right = split_dataset(np.arange(5), left_size=2, preferred_backend="tensorflow")
    assert list(left.as_numpy_iterator()) == [0, 1] and int(right.cardinality()) == 3
    pairs = tf.data.Dataset.from_tensor_slices((np.arange(8), np.arange(8.0))).shuffle(8)
    left, right = split_dataset(pairs, left_size=0.5)
    first = [int(x) for x, _ in left.as_numpy_iterator()]
    assert first == [int(x) for x, _ in left.as_numpy_iterator()]
    assert sorted(first + [int(x) for x, _ in right.as_numpy_iterator()]) == list(range(8))
    left, right = split_dataset(tf.data.Dataset.range(10).batch(3), left_size=0.5)
    assert [b.tolist() for b in left.as_numpy_iterator()] == [[0, 1, 2], [3, 4]]
    assert [b.tolist() for b in right.as_numpy_iterator()] == [[5, 6, 7], [8, 9]]


@pytest.mark.parametrize(
    "sizes,error",
    [
        ({}, ValueError),
        ({"left_size": 0}, ValueError),
        ({"left_size": 10}, ValueError),
        ({"left_size": 1.0}, ValueError),
        ({"left_size": 0.01}, ValueError),
        ({"left_size": 5, "right_size": 6}, ValueError),
        ({"left_size": "a"}, TypeError),
        ({"right_size": True}, TypeError),
    ],
)
def test_bad_sizes(sizes, error):
    with pytest.raises(error):
        split_dataset(np.arange(10), **sizes)


def test_bad_data():
    with pytest.raises(TypeError, match="not int"):
        split_dataset(3, left_size=0.5)
    with pytest.raises(TypeError, match="single numbers"):
        split_dataset([1, 2, 3], left_size=1)
    with pytest.raises(ValueError, match="same number of samples"):
        split_dataset([np.ones(3), np.ones(2)], left_size=1)


def test_a_dataset_stays_with_its_framework():
    torch = pytest.importorskip("torch")
    with pytest.raises(ValueError, match="cannot become"):
        split_dataset(torch.utils.data.TensorDataset(torch.ones(4)), left_size=2, preferred_backend="tensorflow")


def test_pack_and_unpack():
    assert pack_x_y_sample_weight(1) == 1
    assert pack_x_y_sample_weight([1, 2]) == ([1, 2],)
    assert pack_x_y_sample_weight(1, 2) == (1, 2)
    assert pack_x_y_sample_weight(1, None, 3) == 1
    assert pack_x_y_sample_weight(1, 2, 3) == (1, 2, 3)
    assert unpack_x_y_sample_weight({"a": 1}) == ({"a": 1}, None, None)
    assert unpack_x_y_sample_weight([1, 2]) == (1, 2, None)
    assert unpack_x_y_sample_weight((1, 2, 3)) == (1, 2, 3)
    for bad in ((), (1, 2, 3, 4)):
        with pytest.raises(ValueError, match="A batch must be"):
            unpack_x_y_sample_weight(bad)
