"""Ragged tensors of TensorFlow through the ops in which Keras takes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tricera
from tests.conftest import BACKENDS
from tricera import ops
from tricera.core import dispatch
from tricera.core.tensor import KerasTensor

pytestmark = pytest.mark.skipif("tensorflow" not in BACKENDS, reason="needs TensorFlow")
ROWS = [np.array([1.0, 2.0, 3.0], "float32"), np.array([4.0], "float32")]
# A function of a tensor, applied to each row by itself.
BY_ROW: dict[str, Callable[[Any], Any]] = {
    "add": lambda x: ops.add(x, 1.0),
    "itself": lambda x: ops.subtract(ops.multiply(x, x), x),
    "divide": lambda x: ops.divide(x, 2.0),
    "maximum": lambda x: ops.maximum(x, 2.0),
    "power": lambda x: ops.power(x, 2.0),
    "clip": lambda x: ops.clip(x, 1.5, 2.5),
    "greater": lambda x: ops.greater(x, 1.0),
    "where": lambda x: ops.where(ops.greater(x, 1.5), x, 0.0 * x),
    "cast": lambda x: ops.cast(x, "float16"),
    "zeros_like": ops.zeros_like,
    "expand_dims": lambda x: ops.expand_dims(x, -1),
    "one_hot": lambda x: ops.one_hot(ops.cast(x, "int32"), 5),
    "take": lambda x: ops.take(np.arange(10, dtype="float32").reshape(5, 2), ops.cast(x, "int32"), axis=0),
    "sum": lambda x: ops.sum(x, axis=-1),
    "mean": lambda x: ops.mean(x, axis=-1),
    "max": lambda x: ops.max(x, axis=-1),
    "softmax": ops.softmax,
    **{
        n: getattr(ops, n)
        for n in ("abs", "exp", "floor", "gelu", "negative", "relu", "round", "sigmoid", "sqrt", "square", "tanh")
    },
}


def ragged() -> Any:
    """The rows as one tensor."""
    import tensorflow as tf

    return tf.ragged.constant([r.tolist() for r in ROWS])


def rows_of(x: Any) -> list[np.ndarray]:
    """The rows of a tensor, ragged or not."""
    return [np.asarray(x[i]) for i in range(2)]


@pytest.mark.parametrize("name", BY_ROW)
def test_row_by_row(name: str) -> None:
    """Each row gets what it would get by itself."""
    with dispatch.use("tensorflow"):
        for got, row in zip(rows_of(BY_ROW[name](ragged())), ROWS, strict=True):
            want = ops.convert_to_numpy(BY_ROW[name](ops.convert_to_tensor(row)))
            assert (got.dtype, got.shape) == (want.dtype, want.shape)
            np.testing.assert_allclose(got, want, rtol=1e-6)


def test_whole() -> None:
    """Conversion, shape, totals, joining, a product with a matrix."""
    import tensorflow as tf

    dense = np.array([[1, 2, 3], [4, 0, 0]], "float32")
    with dispatch.use("tensorflow"):
        x = ragged()
        assert ops.is_tensor(x)
        assert (ops.shape(x), ops.ndim(x), ops.dtype(x)) == ((2, None), 2, "float32")
        assert isinstance(ops.convert_to_tensor(x), tf.RaggedTensor)
        assert isinstance(ops.convert_to_tensor(x, ragged=False), tf.Tensor)
        for y in (x, ops.convert_to_tensor(x, ragged=False)):
            np.testing.assert_array_equal(ops.convert_to_numpy(y), dense)
        assert float(ops.sum(x)) == 10.0
        np.testing.assert_array_equal(ops.multiply(x, np.array([[2.0], [3.0]], "float32")).flat_values, [2, 4, 6, 12])
        assert ops.concatenate([x, x], axis=0).to_list() == [[1, 2, 3], [4]] * 2
        assert ops.concatenate([x, x], axis=1).to_list() == [[1, 2, 3, 1, 2, 3], [4, 4]]
        pairs = tf.ragged.constant([[[1.0, 2.0]], [[3.0, 4.0], [5.0, 6.0]]], ragged_rank=1)
        assert ops.matmul(pairs, np.array([[1.0], [10.0]], "float32")).to_list() == [[[21]], [[43], [65]]]


def test_layers() -> None:
    """Layers that work on elements, looked up rows, and a dense layer on ragged sequences."""
    import tensorflow as tf

    layers = tricera.layers
    with dispatch.use("tensorflow"):
        assert layers.Rescaling(2.0)(ragged()).to_list() == [[2, 4, 6], [8]]
        assert layers.Activation("relu")(ragged()).to_list() == [[1, 2, 3], [4]]
        looked_up = layers.Embedding(5, 2)(tf.cast(ragged(), "int32"))
        assert [len(r) for r in looked_up.to_list()] == [3, 1]
        out = layers.Dense(3)(tf.ragged.constant([[[1.0, 2.0]], [[3.0, 4.0], [5.0, 6.0]]], ragged_rank=1))
        assert [len(r) for r in out.to_list()] == [1, 2]


def test_symbols() -> None:
    """What is known of a ragged tensor before it exists."""
    x = KerasTensor((2, None), ragged=True, ragged_rank=1, row_splits_dtype="int64")
    assert (x.ragged, x.ragged_rank, x.row_splits_dtype) == (True, 1, "int64")
    assert (KerasTensor.ragged_rank, KerasTensor((2,)).ragged_rank) == (None, None)
    assert ops.convert_to_tensor(x).ragged
    assert not ops.convert_to_tensor(x, ragged=False).ragged
    assert tricera.Input((None,), ragged=True).ragged
    with pytest.raises(ValueError, match="both sparse and ragged"):
        KerasTensor((2, None), ragged=True, sparse=True)
