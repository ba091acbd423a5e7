"""ReversibleEmbedding and adaptive pooling."""

from __future__ import annotations

import numpy as np
import pytest

import tricera
from tests.conftest import BACKENDS
from tricera import layers as L, ops
from tricera.backend import use
from tricera.core.masking import get_mask
from tricera.core.tensor import KerasTensor
from tricera.models import Model

TOKENS = np.array([[1, 0, 2], [6, 3, 3]])


def host(x):
    return ops.convert_to_numpy(x)


@pytest.mark.parametrize("tied", [True, False])
def test_there_and_back(backend, tied):
    layer = L.ReversibleEmbedding(7, 4, tie_weights=tied, logit_soft_cap=0.01, mask_zero=True)
    vectors = layer(TOKENS)
    table, *rest = layer.get_weights()
    np.testing.assert_array_equal(host(vectors), table[TOKENS])
    scores = host(vectors) @ (table.T if tied else rest[0])
    back = layer(vectors, reverse=True)
    np.testing.assert_allclose(host(back), 0.01 * np.tanh(scores / 0.01), rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(host(get_mask(vectors)), TOKENS != 0)
    assert get_mask(back) is None
    assert len(rest) == (0 if tied else 1)


def test_dtypes(backend):
    layer = L.ReversibleEmbedding(7, 4, dtype="mixed_bfloat16", reverse_dtype="float32")
    vectors = layer(TOKENS)
    assert ops.dtype(vectors) == "bfloat16" and ops.dtype(layer(vectors, reverse=True)) == "float32"
    symbolic = layer(KerasTensor((None, None), "int32"))
    assert symbolic.shape == (None, None, 4) and symbolic.dtype == "bfloat16"
    back = layer(symbolic, reverse=True)
    assert back.shape == (None, None, 7) and back.dtype == "float32"
    assert ops.dtype(L.ReversibleEmbedding(7, 4, dtype="mixed_bfloat16")(vectors, reverse=True)) == "bfloat16"


def language_model(tied=True):
    x = L.Input((None,), dtype="int32")
    embedding = L.ReversibleEmbedding(7, 4, tie_weights=tied, name="tokens")
    return Model(x, embedding(L.Dense(4)(embedding(x)), reverse=True))


@pytest.mark.parametrize("tied", [True, False])
def test_fit(trainable_backend, tied):
    model = language_model(tied)
    model.compile(tricera.optimizers.Adam(0.05), tricera.losses.SparseCategoricalCrossentropy(from_logits=True))
    losses = model.fit(TOKENS.repeat(8, 0), TOKENS.repeat(8, 0), epochs=15, batch_size=8, verbose=0).history["loss"]
    assert losses[-1] < 0.7 * losses[0]


@pytest.mark.parametrize("target", BACKENDS)
def test_moved_and_saved(target, tmp_path):
    with use("jax"):
        model = language_model(False)
        wanted = host(model(TOKENS))
        model.save(tmp_path / "m.keras")
    with use(target):
        np.testing.assert_allclose(
            host(tricera.saving.load_model(tmp_path / "m.keras")(TOKENS)), wanted, rtol=1e-4, atol=1e-6
        )
    np.testing.assert_allclose(host(model.to_backend(target)(TOKENS)), wanted, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("kind", ["Average", "Max"])
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_adaptive_pooling(backend, kind, rank):
    x = np.random.default_rng(rank).normal(size=(2, *(7, 5, 6)[:rank], 3)).astype("float32")
    size = (3, 2, 4)[:rank]
    layer = getattr(L, f"Adaptive{kind}Pooling{rank}D")
    wanted = x
    for axis, n in enumerate(size, 1):
        m = wanted.shape[axis]
        parts = [wanted.take(range(i * m // n, -(-(i + 1) * m // n)), axis) for i in range(n)]
        wanted = np.stack([p.mean(axis) if kind == "Average" else p.max(axis) for p in parts], axis)
    np.testing.assert_allclose(host(layer(size)(x)), wanted, rtol=1e-4, atol=1e-5)
    first = layer(size, data_format="channels_first")(np.moveaxis(x, -1, 1))
    np.testing.assert_allclose(host(first), np.moveaxis(wanted, -1, 1), rtol=1e-4, atol=1e-5)
    assert layer(2)(KerasTensor((None, *(None,) * rank, 3))).shape == (None, *(2,) * rank, 3)


def test_wrong_use():
    with use("numpy"):
        for size, error in (((2, 3, 4), TypeError), ("a", TypeError), (0, ValueError)):
            with pytest.raises(error, match="output_size"):
                L.AdaptiveMaxPooling2D(size)
        with pytest.raises(ValueError, match="input_dim"):
            L.ReversibleEmbedding(0, 4)
        with pytest.raises(ValueError, match="logit_soft_cap"):
            L.ReversibleEmbedding(3, 4, logit_soft_cap=-1.0)
