from __future__ import annotations

import numpy as np
import pytest

from tricera.training.data import train_validation_split


def test_the_last_samples_are_held_back():
    x = {"a": np.arange(10), "b": [np.arange(20).reshape(10, 2)]}
    train, validation = train_validation_split((x, np.arange(10), None), 0.25)
    assert train[0]["a"].tolist() == train[1].tolist() == [0, 1, 2, 3, 4, 5, 6]
    assert validation[0]["b"][0].tolist() == [[14, 15], [16, 17], [18, 19]]
    assert train[2] is None and validation[2] is None
    assert np.shares_memory(train[0]["a"], x["a"])


def test_a_list_is_one_structure():
    train, validation = train_validation_split([np.arange(4), np.arange(4)], 0.5)
    assert isinstance(train, list) and validation[1].tolist() == [2, 3]


def test_other_kinds_of_arrays():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"a": [1, 2, 3, 4]})
    (x, y), _ = train_validation_split((frame, [1, 2, 3, 4]), 0.5)
    assert x.tolist() == [[1], [2]] and y.tolist() == [1, 2]


@pytest.mark.parametrize("fraction", [0, 1, -0.1, 1.5, True])
def test_bad_fraction(fraction):
    with pytest.raises(ValueError, match="between 0 and 1"):
        train_validation_split((np.arange(4),), fraction)


@pytest.mark.parametrize("n,fraction", [(1, 0.5), (3, 1e-20)])
def test_an_empty_part(n, fraction):
    with pytest.raises(ValueError, match="leaves none to"):
        train_validation_split((np.arange(n),), fraction)


def test_only_arrays_can_be_split():
    with pytest.raises(ValueError, match="cannot be used as data") as caught:
        train_validation_split((iter([]), None, None), 0.5)
    assert "validation_data" in caught.value.__notes__[0]
    with pytest.raises(ValueError, match="x: 4, y: 3"):
        train_validation_split((np.arange(4), np.arange(3)), 0.5)
