"""What was built under TensorFlow is trackable: checkpoints, SavedModels, functions and tapes see its variables."""

from __future__ import annotations

import numpy as np
import pytest

from tests.conftest import BACKENDS
from tricera import layers, random
from tricera.backend import use
from tricera.models import Model, Sequential

if "tensorflow" not in BACKENDS:
    pytest.skip("TensorFlow is not installed", allow_module_level=True)
import tensorflow as tf


@pytest.fixture(autouse=True)
def on_tensorflow():
    with use("tensorflow"):
        yield


def mlp():
    return Sequential(
        [
            layers.Input((3,)),
            layers.Dense(4, activation="relu", name="hidden"),
            layers.BatchNormalization(name="norm"),
            layers.Dropout(0.5, name="drop"),
            layers.Dense(2, name="head"),
        ]
    )


X = np.random.default_rng(0).normal(size=(5, 3)).astype("float32")


def test_checkpoint_saves_and_restores(tmp_path):
    model = mlp()
    wanted = model(X).numpy()
    path = tf.train.Checkpoint(model=model).write(str(tmp_path / "ckpt"))
    other = mlp()
    assert not np.allclose(other(X).numpy(), wanted)
    tf.train.Checkpoint(model=other).read(path).assert_existing_objects_matched().assert_consumed()
    np.testing.assert_array_equal(other(X).numpy(), wanted)


def test_checkpoint_holds_every_weight(tmp_path):
    model = mlp()
    path = tf.train.Checkpoint(model=model).write(str(tmp_path / "ckpt"))
    stored = [name for name, _ in tf.train.list_variables(path) if "VARIABLE_VALUE" in name]
    assert len(stored) == len(model.weights)
    assert any("hidden/kernel" in name for name in stored)


def test_saved_model_gives_equal_outputs(tmp_path):
    model = mlp()

    class Served(tf.Module):
        def __init__(self):
            super().__init__()
            self.model = model

        @tf.function(input_signature=[tf.TensorSpec((None, 3), tf.float32)])
        def serve(self, x):
            return self.model(x, training=False)

    tf.saved_model.save(Served(), str(tmp_path / "model"))
    loaded = tf.saved_model.load(str(tmp_path / "model"))
    np.testing.assert_allclose(loaded.serve(tf.constant(X)).numpy(), model(X).numpy(), rtol=1e-6)


def test_a_model_is_saved_as_it_is(tmp_path):
    x = layers.Input((3,))
    model = Model(x, layers.Dense(2)(x))
    model.serve = tf.function(lambda x: model(x), input_signature=[tf.TensorSpec((None, 3), tf.float32)])
    tf.saved_model.save(model, str(tmp_path / "model"), signatures=model.serve)
    loaded = tf.saved_model.load(str(tmp_path / "model"))
    (served,) = loaded.signatures["serving_default"](tf.constant(X)).values()
    np.testing.assert_allclose(served.numpy(), model(X).numpy(), rtol=1e-6)
    for row in (1, 7):  # the batch stays open
        assert loaded.serve(tf.zeros((row, 3))).shape == (row, 2)


def test_a_module_around_it_collects_its_variables():
    class Net(tf.Module):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(2)
            self.dense.build((None, 3))

    net = Net()
    native = [v.native for v in net.dense.weights]
    checkpoint = tf.train.Checkpoint(net=net)
    assert {id(child) for child in checkpoint.net.dense._trackable_children().values()} == {id(v) for v in native}


def test_tapes_watch_the_variables():
    dense = layers.Dense(2)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(dense(X) ** 2)
    kernel, bias = tape.gradient(loss, [v.native for v in dense.trainable_variables])
    assert kernel.shape == (3, 2) and bias.shape == (2,)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(dense(X) ** 2)
    again = tape.gradient(loss, dense.trainable_variables)  # as in Keras scripts
    np.testing.assert_allclose(again[0], kernel)


def test_frozen_variables_are_not_watched():
    dense = layers.Dense(2, trainable=False)
    dense.build((None, 3))
    with tf.GradientTape() as tape:
        dense(X)
    assert list(tape.watched_variables()) == []


def test_inside_a_function():
    model = mlp()
    traces = []

    @tf.function(reduce_retracing=True)
    def run(x):
        traces.append(x.shape)
        return model(x)

    wanted = model(X).numpy()  # makes the variables, which else costs the function another trace
    np.testing.assert_allclose(run(X).numpy(), wanted, rtol=1e-5)
    run(X[:2]), run(X[:3]), run(X[:4])
    assert len(traces) <= 2


def test_dynamic_shapes():
    @tf.function(input_signature=[tf.TensorSpec((None, None, 3), tf.float32)])
    def run(x):
        x = layers.Reshape((-1, 3))(x)
        return layers.GlobalMaxPooling1D()(layers.ZeroPadding1D(1)(x))

    assert run(np.ones((2, 4, 3), "float32")).shape == (2, 3)


def test_random_state_moves_inside_a_function():
    drop = layers.Dropout(0.5, seed=3)

    @tf.function
    def run(x):
        return drop(x, training=True)

    one, two = run(tf.ones((4, 50))).numpy(), run(tf.ones((4, 50))).numpy()
    assert (one != two).any()
    with use("tensorflow"):
        assert random.SeedGenerator(3).state.shape == drop.seed_generator.state.shape


def test_training_with_a_tape_by_hand():
    model = Sequential([layers.Input((3,)), layers.Dense(8, activation="tanh"), layers.Dense(1)])
    optimizer = tf.Variable(0.05)  # the learning rate of plain gradient descent
    y = X.sum(axis=1, keepdims=True)
    losses = []

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((model(X, training=True) - y) ** 2)
        variables = [v.native for v in model.trainable_variables]
        for v, g in zip(variables, tape.gradient(loss, variables), strict=True):
            v.assign_sub(optimizer * g)
        return loss

    for _ in range(60):
        losses.append(float(step()))
    assert losses[-1] < losses[0] / 5
