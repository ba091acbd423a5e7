"""`to_backend`: a live model moves between any two backends, with its outputs, optimizer, random state, losses and metrics."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from tests.conftest import BACKENDS, TRAINABLE
from tricera import layers, losses, metrics, ops, optimizers, utils
from tricera.backend import use
from tricera.models import Model, Sequential


@pytest.fixture(autouse=True)
def seeded():
    utils.set_random_seed(0)


PAIRS = list(itertools.permutations(BACKENDS, 2))
TRAINING_PAIRS = list(itertools.permutations(TRAINABLE, 2))
RNG = np.random.default_rng(0)
X = RNG.normal(size=(32, 6, 6, 2)).astype("float32")
Y = RNG.integers(0, 3, 32)


def convnet(dropout=0.3):
    x = layers.Input((6, 6, 2))
    y = layers.Conv2D(4, 3, padding="same", activation="relu", name="conv")(x)
    y = layers.BatchNormalization(name="norm")(y)
    y = layers.Add(name="add")([y, layers.SeparableConv2D(4, 3, padding="same", name="sep")(y)])
    y = layers.GlobalAveragePooling2D(name="pool")(layers.MaxPooling2D(name="max")(y))
    y = layers.Dropout(dropout, seed=7, name="drop")(y)
    return Model(x, layers.Dense(3, activation="softmax", name="head")(y), name="convnet")


def compiled(dropout=0.0):
    model = convnet(dropout)
    model.compile(
        optimizer=optimizers.Adam(0.01),
        loss=losses.SparseCategoricalCrossentropy(),
        metrics=[metrics.SparseCategoricalAccuracy(name="accuracy")],
    )
    return model


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_outputs_stay(source, target):
    with use(source):
        model = convnet()
        wanted = ops.convert_to_numpy(model(X))
    assert model.to_backend(target) is model
    assert model.backend == target and all(w.backend == target for w in model.weights)
    out = model(X)
    np.testing.assert_allclose(ops.convert_to_numpy(out), wanted, atol=1e-5)
    assert (
        type(out)
        .__module__.partition(".")[0]
        .startswith({"jax": "jax", "torch": "torch", "tensorflow": "tensorflow", "numpy": "numpy"}[target])
    )


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_a_subclassed_model_moves_with_nested_layers(source, target):
    class Net(Model):
        def __init__(self):
            super().__init__()
            self.blocks = [
                Sequential([layers.Dense(32, activation="gelu"), layers.LayerNormalization()]) for _ in range(2)
            ]
            self.heads = {"a": layers.Dense(1), "b": layers.Dense(2)}

        def call(self, x):
            for block in self.blocks:
                x = block(x)
            return {name: head(x) for name, head in self.heads.items()}

    x = X.reshape(32, -1)
    with use(source):
        net = Net()
        wanted = {k: ops.convert_to_numpy(v) for k, v in net(x).items()}
    net.to_backend(target)
    assert isinstance(net, Net)
    for key, value in net(x).items():
        np.testing.assert_allclose(ops.convert_to_numpy(value), wanted[key], atol=1e-5)


def test_a_tour_of_all_backends_ends_where_it_began():
    with use(BACKENDS[0]):
        model = convnet()
    weights = model.get_weights()
    for name in [*BACKENDS[1:], *BACKENDS]:
        model.to_backend(name)
        for a, b in zip(model.get_weights(), weights, strict=True):
            np.testing.assert_array_equal(a, b)
    assert [w.path for w in model.weights] == [w.path for w in convnet().weights]


@pytest.mark.parametrize(("source", "target"), TRAINING_PAIRS)
def test_training_goes_on_as_if_it_had_stayed(source, target):
    def train(move):
        with use(source):
            np.random.default_rng(0)
            model = compiled()
            model.set_weights(START)
        model.fit(X, Y, batch_size=8, epochs=2, shuffle=False, verbose=0)
        if move:
            model.to_backend(target)
        history = model.fit(X, Y, batch_size=8, epochs=2, shuffle=False, verbose=0).history
        return model, history

    with use("numpy"):
        START = convnet().get_weights()
    stayed, history_stayed = train(False)
    moved, history_moved = train(True)
    assert int(moved.optimizer.iterations.numpy()) == int(stayed.optimizer.iterations.numpy()) == 16
    np.testing.assert_allclose(history_moved["loss"], history_stayed["loss"], rtol=1e-3)
    np.testing.assert_allclose(history_moved["accuracy"], history_stayed["accuracy"], atol=0.04)
    for a, b in zip(moved.get_weights(), stayed.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=2e-3)


@pytest.mark.parametrize(("source", "target"), TRAINING_PAIRS)
def test_optimizer_and_random_state_move(source, target):
    with use(source):
        model = compiled(dropout=0.5)
    model.fit(X, Y, batch_size=8, epochs=1, verbose=0)
    slots = [v.numpy() for v in model.optimizer.variables]
    seed = model.get_layer("drop").seed_generator.state.numpy()
    assert seed[1] >= 4  # four batches drew from it
    model.to_backend(target)
    for variable, value in zip(model.optimizer.variables, slots, strict=True):
        assert variable.backend == target
        np.testing.assert_array_equal(variable.numpy(), value)
    np.testing.assert_array_equal(model.get_layer("drop").seed_generator.state.numpy(), seed)
    model.fit(X, Y, batch_size=8, epochs=1, verbose=0)
    assert (model.get_layer("drop").seed_generator.state.numpy() != seed).any()


@pytest.mark.parametrize(("source", "target"), TRAINING_PAIRS)
def test_compiled_losses_and_metrics_move(source, target):
    with use(source):
        model = compiled()
    before = model.evaluate(X, Y, verbose=0, return_dict=True)
    model.to_backend(target)
    after = model.evaluate(X, Y, verbose=0, return_dict=True)
    assert before.keys() == after.keys() == {"loss", "accuracy"}
    for key in before:
        assert before[key] == pytest.approx(after[key], abs=1e-5)


@pytest.mark.parametrize("source", TRAINABLE)
def test_numpy_infers_what_another_trained(source):
    with use(source):
        model = compiled()
    model.fit(X, Y, epochs=1, verbose=0)
    wanted = model.predict(X, verbose=0)
    model.to_backend("numpy")
    np.testing.assert_allclose(model.predict(X, verbose=0), wanted, atol=1e-5)


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_a_layer_moves(source, target):
    with use(source):
        layer = layers.EinsumDense("abc,cd->abd", output_shape=(None, 5), bias_axes="d", activation="tanh")
        wanted = ops.convert_to_numpy(layer(X[..., 0]))
    assert layer.to_backend(target).backend == target
    np.testing.assert_allclose(ops.convert_to_numpy(layer(X[..., 0])), wanted, atol=1e-5)


def test_an_unbuilt_model_moves_and_is_built_there(backend):
    model = Sequential([layers.Dense(3), layers.Dense(2)])
    target = next((name for name in BACKENDS if name != backend), None)
    if target is None:
        pytest.skip("there is no other backend")
    model.to_backend(target)
    assert model(np.ones((2, 4), "float32")).shape[1] == 2
    assert {w.backend for w in model.weights} == {target}


def test_frozen_layers_stay_frozen(backend):
    model = convnet()
    model.get_layer("conv").trainable = False
    names = [w.path for w in model.trainable_weights]
    for target in BACKENDS:
        model.to_backend(target)
        assert [w.path for w in model.trainable_weights] == names


def test_an_unknown_backend_leaves_the_model_where_it_is(backend):
    model = convnet()
    with pytest.raises(ValueError, match="theano"):
        model.to_backend("theano")
    assert model.backend == backend and model(X).shape[1] == 3


def test_the_default_backend_does_not_matter(backend):
    other = next((name for name in BACKENDS if name != backend), None)
    if other is None:
        pytest.skip("there is no other backend")
    model = convnet()
    with use(other):
        out = model(X)
    assert model.backend == backend
    assert ops.convert_to_numpy(out).shape == (32, 3)
