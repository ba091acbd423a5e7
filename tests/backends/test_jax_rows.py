"""Batches of any size for a step that is compiled for a few: only where each sample is computed by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tricera as keras
from tests.conftest import TRAINABLE
from tricera import layers, ops
from tricera.core import dispatch

if "jax" not in TRAINABLE:
    pytest.skip("needs JAX", allow_module_level=True)

import jax
import jax.numpy as jnp

from tricera.backends.jax.rows import separate


def attention() -> Any:
    """A block of a transformer."""
    inputs = keras.Input((6,), dtype="int32")
    h = layers.Embedding(10, 4)(inputs)
    h = layers.Add()([h, layers.MultiHeadAttention(2, 2)(layers.LayerNormalization()(h), h, use_causal_mask=True)])
    return keras.Model(inputs, layers.Dense(3)(layers.GlobalAveragePooling1D()(h)))


APART: dict[str, tuple[Callable[[], Any], tuple[int, ...], str]] = {
    "dense": (lambda: [layers.Dense(4, "relu"), layers.Dropout(0.5), layers.Dense(3, "softmax")], (5,), "float32"),
    "norms": (lambda: [layers.BatchNormalization(), layers.LayerNormalization(), layers.UnitNormalization()], (5,), "float32"),
    "convolutions": (
        lambda: [
            layers.Rescaling(0.5), layers.Conv2D(4, 3, strides=2), layers.MaxPooling2D(), layers.DepthwiseConv2D(2),
            layers.UpSampling2D(), layers.Conv2DTranspose(3, 3), layers.Flatten(), layers.Dense(2),
        ],
        (12, 12, 3), "float32",
    ),
    "blocked convolution": (lambda: [layers.Conv2D(32, 3), layers.Conv2D(32, 3), layers.GlobalMaxPooling2D()], (12, 12, 3), "float32"),
    "recurrent": (lambda: [layers.Bidirectional(layers.GRU(3, return_sequences=True)), layers.LSTM(2)], (4, 3), "float32"),
    "masked": (lambda: [layers.Embedding(9, 3, mask_zero=True), layers.SimpleRNN(2)], (4,), "int32"),
    "attention": (attention, (6,), "int32"),
}  # fmt: skip


@pytest.mark.parametrize("name", APART)
def test_few_programs_for_many_sizes(name: str) -> None:
    """Samples give the same in a batch of any size, and few sizes are compiled."""
    make, shape, dtype = APART[name]
    with dispatch.use("jax"):
        made = make()
        model = keras.Sequential(made) if isinstance(made, list) else made
        x = np.random.default_rng(0).integers(0, 9, (9, *shape)).astype(dtype)
        whole = model.predict_on_batch(x)
        for n in (3, 5, 4, 7, 1, 8):
            out = model.predict(x[:n], verbose=0)
            assert out.shape == (n, *whole.shape[1:]) and out.dtype == whole.dtype
            np.testing.assert_allclose(out, whole[:n], rtol=1e-4, atol=1e-6)
        step = model._step_cache.get(model, "predict")
        assert step._one._cache_size() == 1  # all fit into the first, of 9


X = np.ones((4, 3), "float32")
MIXED: dict[str, Callable[[Any], Any]] = {
    "a mean over samples": lambda x: x - jnp.mean(x, 0),
    "the number of samples": lambda x: x * x.shape[0],
    "a product with the number of samples, in an array": lambda x: x + np.arange(x.shape[0])[::-1, None],
    "the other way round": lambda x: x[::-1],
    "the first sample": lambda x: x[:1] + x,
    "the last sample": lambda x: x + x[-1],
    "the sample before": lambda x: jnp.roll(x, 1, 0),
    "a running sum": lambda x: jnp.cumsum(x, 0),
    "in order": lambda x: jnp.sort(x, 0),
    "products of samples": lambda x: x @ x.T @ x,
    "softmax over samples": lambda x: jax.nn.softmax(x, 0),
    "a loop over samples": lambda x: jax.lax.scan(lambda c, row: (c + row, c), jnp.zeros(3), x)[1],
    "one behind the other": lambda x: jnp.concatenate([x, x], 0)[: x.shape[0]],
    "turned": lambda x: jnp.reshape(x.T, x.shape),
    "no samples": lambda x: jnp.sum(x),
    "twice as many": lambda x: jnp.repeat(x, 2, 0),
    "random numbers": lambda x: x + jax.random.normal(jax.random.key(0), x.shape),
    "a loop that lasts as long as there are samples": lambda x: jax.lax.fori_loop(0, x.shape[0], lambda i, y: y + 1.0, x),
    "runs over the samples, in one axis": lambda x: jnp.reshape(jnp.stack([x, x]), (-1, 3)),
    "runs over the samples, cut": lambda x: jnp.reshape(jnp.stack([x, x]), (-1, 3))[: x.shape[0]],
    "a window over samples": lambda x: jax.lax.reduce_window(x, 0.0, jax.lax.add, (3, 1), (1, 1), "SAME"),
    "a place chosen by a sample": lambda x: jnp.take(x, jnp.argmax(x[:, 0]), 0) + x,
}  # fmt: skip


@pytest.mark.parametrize("name", MIXED)
def test_samples_that_meet(name: str) -> None:
    """What mixes samples, or depends on how many there are, is seen."""
    assert not separate(lambda values, x: MIXED[name](x), [], X)
    assert separate(lambda values, x: x @ values + 1, np.ones((3, 2), "float32"), X)


def test_a_model_that_mixes_samples_gets_its_batches_as_they_are() -> None:
    """Its outputs are those of the batch alone."""
    with dispatch.use("jax"):
        model = keras.Sequential([layers.Lambda(lambda x: x - ops.mean(x, axis=0))])
        for n in (4, 3, 2):
            x = np.random.default_rng(n).normal(size=(n, 3)).astype("float32")
            np.testing.assert_allclose(model.predict(x, verbose=0), x - x.mean(0), rtol=1e-5, atol=1e-6)


def test_states_are_not_written_twice() -> None:
    """A model that carries a state from batch to batch gets no rows more."""
    with dispatch.use("jax"):
        inputs = keras.Input(batch_shape=(4, 2, 3))
        model = keras.Model(inputs, layers.LSTM(2, stateful=True)(inputs))
        first = model.predict(np.ones((4, 2, 3), "float32"), batch_size=4, verbose=0)
        assert not np.allclose(first, model.predict(np.ones((4, 2, 3), "float32"), batch_size=4, verbose=0))


def test_callbacks_see_the_samples_alone() -> None:
    """A hook after a batch gets as many outputs as the batch has samples."""
    seen: list[tuple[int, ...]] = []

    class Watch(keras.callbacks.Callback):
        def on_predict_batch_end(self, batch: int, logs: Any = None) -> None:
            seen.append(tuple(logs["outputs"].shape))

    with dispatch.use("jax"):
        model = keras.Sequential([layers.Dense(2)])
        model.predict(np.ones((7, 3), "float32"), batch_size=4, verbose=0, callbacks=[Watch()])
    assert seen == [(4, 2), (3, 2)]
