from __future__ import annotations

import numpy as np
import pytest

from tricera.training.data import PyDataset, make_adapter

WEIGHT = {0: 1.0, 1: 3.0, 2: 0.5}


@pytest.mark.parametrize(
    "y",
    [
        np.array([0, 2, 1]),
        np.array([[0], [2], [1]]),
        np.eye(3)[[0, 2, 1]],
        np.array([0.0, 2.0, 1.0]),
        np.array([0, 2, 1], "uint8"),
    ],
)
def test_classes_in_every_form(y):
    weights = make_adapter(np.ones(3), y, class_weight=WEIGHT).arrays[2]
    assert weights.tolist() == [1.0, 0.5, 3.0] and weights.dtype == "float32"


def test_sequences_and_single_target_structures():
    weights = make_adapter(np.ones(2), {"out": np.eye(3)[[[0, 1], [2, 2]]]}, class_weight=WEIGHT).arrays[2]
    assert weights["out"].tolist() == [[1.0, 3.0], [0.5, 0.5]]


def test_keys_may_be_text_as_json_gives_them_and_an_empty_dict_is_none():
    assert make_adapter(np.ones(2), np.array([0, 1]), class_weight={"0": 1, "1": 2}).arrays[2].tolist() == [1, 2]
    assert len(make_adapter(np.ones(2), np.array([0, 1]), class_weight={}).arrays) == 2


@pytest.mark.parametrize(
    "weight,error,message",
    [
        ({0: 1.0, 1: float("nan")}, ValueError, r"class_weight\[1\]` is nan"),
        ({0: 1.0, 1: float("inf")}, ValueError, "finite"),
        ({0: -1.0, 1: 1.0}, ValueError, "not negative"),
        ({"cat": 1.0}, ValueError, "'cat'"),
        ([1.0, 2.0], TypeError, "dict"),
    ],
)
def test_bad_weights(weight, error, message):
    with pytest.raises(error, match=message):
        make_adapter(np.ones(2), np.array([0, 1]), class_weight=weight)


def test_bad_combinations():
    x, y = np.ones(2), np.array([0, 1])
    with pytest.raises(ValueError, match="cannot be used together"):
        make_adapter(x, y, np.ones(2), class_weight=WEIGHT)
    with pytest.raises(ValueError, match="has 0"):
        make_adapter(x, class_weight=WEIGHT)
    with pytest.raises(ValueError, match="has 2"):
        make_adapter(x, [y, y], class_weight=WEIGHT)
    with pytest.raises(ValueError, match="NaN"):
        make_adapter(x, np.array([0, np.nan]), class_weight=WEIGHT)


def test_sources_of_batches():
    class Data(PyDataset):
        def __len__(self):
            return 2

        def __getitem__(self, index):
            return np.ones((2, 1)), np.array([index, index])

    assert [b[2].tolist() for b in make_adapter(Data(), class_weight=WEIGHT).epoch()] == [[1, 1], [3, 3]]
    weighted = iter([(np.ones(1), np.zeros(1), np.ones(1))])
    with pytest.raises(ValueError, match="together"):
        list(make_adapter(weighted, class_weight=WEIGHT).epoch())
    with pytest.raises(ValueError, match="has 0"):
        list(make_adapter(iter([np.ones(1)]), class_weight=WEIGHT).epoch())


def test_framework_tensors_as_targets():
    torch = pytest.importorskip("torch")
    loader = torch.utils.data.DataLoader(
        torch.utils.data.TensorDataset(torch.ones(3, 1), torch.tensor([0, 2, 1])), batch_size=3
    )
    ((_, _, weights),) = make_adapter(loader, class_weight=WEIGHT).epoch()
    assert weights.tolist() == [1.0, 0.5, 3.0]


def test_classes_without_a_weight_count_as_they_are():
    from tricera.training.data import make_adapter

    x, y = np.zeros((4, 1), "float32"), np.array([0, 1, 0, 2])
    _, _, weights = next(iter(make_adapter(x, y, class_weight={1: 3.0}).epoch()))
    np.testing.assert_array_equal(weights, [1.0, 3.0, 1.0, 1.0])
