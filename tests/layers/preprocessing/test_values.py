"""Layers that change values by a rule, or by what they saw: against NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from tricera import Sequential, layers, ops, saving

X = np.random.default_rng(1).normal(3, 2, (50, 4)).astype("float32")


def test_rescaling(backend: str) -> None:
    """x * scale + offset."""
    np.testing.assert_allclose(ops.convert_to_numpy(layers.Rescaling(0.5, 1.0)(X)), X * 0.5 + 1, rtol=1e-6)


@pytest.mark.parametrize("axis", [-1, None, (0, 1)])
def test_normalization_from_data(axis: object, backend: str) -> None:
    """Mean 0 and variance 1 over what was seen; `invert` goes back."""
    if axis == (0, 1):
        axis = 1
    layer = layers.Normalization(axis=axis)
    layer.adapt(X)
    along = 0 if axis is not None else None
    want = (X - X.mean(along)) / X.std(along)
    got = ops.convert_to_numpy(layer(X))
    np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-4)
    back = layers.Normalization(axis=axis, invert=True)
    back.adapt(X)
    np.testing.assert_allclose(ops.convert_to_numpy(back(got)), X, rtol=1e-4, atol=1e-4)


def test_normalization_is_saved(backend: str, tmp_path) -> None:
    """The statistics are weights."""
    layer = layers.Normalization()
    layer.adapt(X)
    model = Sequential([layers.Input((4,)), layer])
    model.save(tmp_path / "n.keras")
    twin = saving.load_model(tmp_path / "n.keras")
    np.testing.assert_allclose(ops.convert_to_numpy(twin(X)), ops.convert_to_numpy(model(X)))


def test_category_encoding(backend: str) -> None:
    """One-hot, multi-hot and counts."""
    x = np.array([[0, 2, 2], [1, 1, 3]], "int32")
    hot = np.eye(4, dtype="float32")[x]
    for mode, want in (("multi_hot", hot.max(1)), ("count", hot.sum(1))):
        np.testing.assert_array_equal(
            ops.convert_to_numpy(layers.CategoryEncoding(num_tokens=4, output_mode=mode)(x)), want
        )
    one = layers.CategoryEncoding(num_tokens=4, output_mode="one_hot")(x[:, :1])
    np.testing.assert_array_equal(ops.convert_to_numpy(one), np.eye(4)[x[:, 0]])


def test_discretization(backend: str) -> None:
    """The bin of each value; bins learned from data hold about equally many."""
    layer = layers.Discretization(bin_boundaries=[0.0, 1.0, 2.0])
    x = np.array([[-1.0, 0.0, 0.5, 1.0, 9.0]], "float32")
    np.testing.assert_array_equal(ops.convert_to_numpy(layer(x)), np.digitize(x, [0.0, 1.0, 2.0]))
    fitted = layers.Discretization(num_bins=4, epsilon=0.01)
    values = np.random.default_rng(0).normal(size=(4000, 1)).astype("float32")
    fitted.adapt(values)
    counts = np.bincount(ops.convert_to_numpy(fitted(values)).ravel(), minlength=4)
    assert counts.sum() == 4000
    assert abs(counts - 1000).max() < 100


@pytest.mark.parametrize("salt", [None, 7])
def test_hashing(salt: int | None, backend: str) -> None:
    """Into the bins, the same again, spread about evenly."""
    x = np.arange(2000).reshape(-1, 1)
    bins = ops.convert_to_numpy(layers.Hashing(10, salt=salt)(x))
    np.testing.assert_array_equal(bins, ops.convert_to_numpy(layers.Hashing(10, salt=salt)(x)))
    counts = np.bincount(bins.ravel(), minlength=10)
    assert len(counts) == 10
    assert counts.min() > 120


def test_resizing_and_center_crop(backend: str) -> None:
    """Sizes, and the middle of an image."""
    x = np.arange(2 * 8 * 6 * 1, dtype="float32").reshape(2, 8, 6, 1)
    assert ops.shape(layers.Resizing(4, 3)(x)) == (2, 4, 3, 1)
    assert ops.shape(layers.Resizing(5, 5, pad_to_aspect_ratio=True)(x)) == (2, 5, 5, 1)
    np.testing.assert_array_equal(ops.convert_to_numpy(layers.CenterCrop(4, 2)(x)), x[:, 2:6, 2:4])


@pytest.mark.parametrize("mode", ["one_hot", "multi_hot", "count"])
@pytest.mark.parametrize("kind", ["CategoryEncoding", "Discretization", "Hashing"])
def test_sparse_codes(kind: str, mode: str, backend: str) -> None:
    """`sparse=True` gives sparse tensors, also of more axes, that hold what dense ones do."""
    size = {
        "CategoryEncoding": {"num_tokens": 5},
        "Discretization": {"bin_boundaries": [1.5, 2.5]},
        "Hashing": {"num_bins": 5},
    }[kind]
    x = np.array([[[1, 0, 2], [3, 3, 0]]], "int32")
    dense, sparse = (getattr(layers, kind)(**size, output_mode=mode, sparse=s) for s in (False, True))
    out = sparse(x)
    assert backend == "numpy" or not isinstance(out, type(dense(x))) or out.is_sparse
    np.testing.assert_array_equal(ops.convert_to_numpy(out), ops.convert_to_numpy(dense(x)))
