"""Recurrent layers inside of models: training, symbolic shapes, moving to another backend, files."""

from __future__ import annotations

import numpy as np
import pytest

import tricera
from tests.conftest import BACKENDS
from tricera import layers as L, ops
from tricera.backend import use
from tricera.models import Model, Sequential, load_model

RNG = np.random.default_rng(0)
IDS = RNG.integers(1, 10, (16, 7)) * (np.arange(7) < RNG.integers(0, 8, (16, 1)))
X = RNG.normal(size=(16, 7, 4)).astype("float32")
Y = RNG.normal(size=(16, 1)).astype("float32")


@tricera.utils.register_keras_serializable()
class Drops(L.Layer):
    """A cell of a user's own, with another cell and a layer that draws random numbers inside."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units, self.state_size = units, [units, units]
        self.inner, self.noise = L.LSTMCell(units, dropout=0.3, recurrent_dropout=0.2), L.Dropout(0.3)
        self.out = L.Dense(units)

    def call(self, inputs, states, training=None):
        y, states = self.inner(inputs, states, training=training)
        return self.out(self.noise(y, training=training)), states

    def get_config(self):
        return {**super().get_config(), "units": self.units}


def with_states():
    inputs = L.Input((None, 4))
    y, h, c = L.LSTM(3, return_sequences=True, return_state=True, activity_regularizer="l2")(inputs)
    return Model(inputs, L.Dense(1)(L.Bidirectional(L.LSTM(3))(y, initial_state=[h, c, h, c])))


def embedded(*layers):
    return Sequential([L.Input((None,)), L.Embedding(10, 4, mask_zero=True), *layers, L.Dense(1)])


MODELS = {
    "lstm": (lambda: embedded(L.LSTM(3, dropout=0.2, recurrent_dropout=0.2)), IDS),
    "bidirectional": (lambda: embedded(L.Bidirectional(L.GRU(3, return_sequences=True, dropout=0.2)), L.SimpleRNN(3)), IDS),
    "cells": (lambda: embedded(L.RNN([Drops(3), L.GRUCell(2, dropout=0.2)], return_sequences=True), L.RNN(Drops(2))), IDS),
    "states": (with_states, X),
    "distributed": (
        lambda: Sequential([
            L.Input((None, 4)), L.TimeDistributed(L.BatchNormalization()), L.TimeDistributed(L.Dense(3)), L.GRU(2, reset_after=False),
            L.Dense(1),
        ]), X,
    ),
    "images": (
        lambda: Sequential([
            L.Input((7, 2, 2, 1)), L.ConvLSTM2D(2, 2, padding="same", dropout=0.1, return_sequences=True),
            L.TimeDistributed(L.Flatten()), L.LSTM(2, unroll=True), L.Dense(1),
        ]), X.reshape(16, 7, 2, 2, 1),
    ),
}  # fmt: skip


def train(model, x, **options):
    model.compile("adam", "mse", **options)
    return model.fit(x, Y, batch_size=8, epochs=2, shuffle=False, verbose=0).history["loss"]


@pytest.mark.parametrize("name", list(MODELS))
def test_fit_and_files(trainable_backend, name, tmp_path):
    make, x = MODELS[name]
    model = make()
    before = model.get_weights()
    assert np.isfinite(train(model, x)).all()
    assert any((a != b).any() for a, b in zip(model.get_weights(), before, strict=True))
    wanted = model.predict(x, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded.predict(x, verbose=0), wanted, atol=1e-6)
    for other in BACKENDS:
        loaded.to_backend(other)
        np.testing.assert_allclose(loaded.predict(x, verbose=0), wanted, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("name", list(MODELS))
def test_compiled_steps_train_as_eager_ones_do(trainable_backend, name):
    make, x = MODELS[name]
    losses, weights = [], None
    for options in ({}, {"run_eagerly": True}):
        tricera.utils.set_random_seed(1)
        model = make()
        weights = weights or model.get_weights()
        model.set_weights(weights)
        losses.append(train(model, x, **options))
    if name in ("states", "distributed"):  # without dropout the numbers are the same
        np.testing.assert_allclose(losses[0], losses[1], rtol=1e-4)
    assert np.isfinite(losses).all()


def test_stateful_training(trainable_backend):
    model = Sequential([L.Input(batch_shape=(8, 7, 4)), L.LSTM(3, stateful=True), L.Dense(1)])
    layer = model.layers[0]
    train(model, X)
    assert np.any(layer.states[0].numpy())
    layer.reset_state()
    first = model.predict(X[:8], verbose=0, batch_size=8)
    assert np.any(model.predict(X[:8], verbose=0, batch_size=8) != first)
    layer.reset_state()
    np.testing.assert_allclose(model.predict(X[:8], verbose=0, batch_size=8), first, atol=1e-6)
    model.to_backend("numpy")
    layer.reset_state()
    np.testing.assert_allclose(model.predict(X[:8], verbose=0, batch_size=8), first, atol=1e-5)


OPEN = [
    (lambda: L.LSTM(3, return_sequences=True, return_state=True), (4,)),
    (lambda: L.RNN([L.LSTMCell(3), L.GRUCell(2)], return_state=True), (4,)),
    (lambda: L.Bidirectional(L.GRU(3, return_sequences=True, return_state=True), merge_mode=None), (4,)),
    (lambda: L.TimeDistributed(L.Dense(3)), (4,)),
    (lambda: L.TimeDistributed(L.LSTM(3, return_state=True)), (2, 4)),
    (lambda: L.ConvLSTM2D(3, 2, strides=2, return_sequences=True, return_state=True), (4, 5, 2)),
]


def flat(outputs):
    return [y for one in outputs for y in flat(one)] if isinstance(outputs, (list, tuple)) else [outputs]


@pytest.mark.parametrize(("make", "shape"), OPEN, ids=[type(make()).__name__ for make, _ in OPEN])
def test_open_shapes_are_inferred(backend, make, shape):
    layer = make()
    symbolic = flat(layer(L.Input((None, *shape))))
    outputs = flat(layer(np.ones((2, 3, *shape), "float32")))
    assert len(symbolic) == len(outputs)
    for s, y in zip(symbolic, outputs, strict=True):
        assert len(s.shape) == len(y.shape) and s.shape[0] is None and s.dtype == ops.dtype(y)
        assert all(a is None or a == b for a, b in zip(s.shape, tuple(y.shape), strict=True))
        assert s.shape[-1] == y.shape[-1]


def test_half_precision(trainable_backend):
    layer = L.LSTM(3, dtype="mixed_bfloat16", return_sequences=True, return_state=True)
    exact = L.LSTM(3, return_sequences=True, return_state=True)
    exact.build(X.shape)
    layer.build(X.shape)
    layer.set_weights(exact.get_weights())
    for got, wanted in zip(layer(X), exact(X), strict=True):
        assert ops.dtype(got) == "bfloat16"
        np.testing.assert_allclose(
            ops.convert_to_numpy(ops.cast(got, "float32")), ops.convert_to_numpy(wanted), atol=3e-2
        )


def test_initial_values_agree_everywhere():
    values = []
    for name in BACKENDS:
        with use(name):
            tricera.utils.set_random_seed(5)
            layer = L.LSTM(3)
            layer.build((None, None, 4))
            values.append(layer.get_weights())
            np.testing.assert_array_equal(values[-1][2], [0] * 3 + [1] * 3 + [0] * 6)
    for other in values[1:]:
        for a, b in zip(other, values[0], strict=True):
            np.testing.assert_array_equal(a, b)
