"""SavedModels of TensorFlow as layers."""

from __future__ import annotations

import json

import numpy as np
import pytest

import tricera
from tricera import layers as L
from tricera.backend import use
from tricera.core.tensor import KerasTensor
from tricera.models import Sequential

tf = pytest.importorskip("tensorflow")
X = np.random.default_rng(0).normal(size=(16, 3)).astype("float32")
SPEC = tf.TensorSpec((None, 3), tf.float32)


class Linear(tf.Module):
    def __init__(self):
        super().__init__()
        self.w = tf.Variable(np.arange(6, dtype="float32").reshape(3, 2), name="scope/w")
        self.calls = tf.Variable(0, trainable=False, name="calls")

    @tf.function(input_signature=[SPEC])
    def infer(self, x):
        return tf.matmul(x, self.w)

    @tf.function(input_signature=[SPEC])
    def train(self, x):
        self.calls.assign_add(1)
        return 2.0 * tf.matmul(x, self.w)

    @tf.function(input_signature=[SPEC, SPEC])
    def both(self, a, b):
        return {"sum": tf.matmul(a + b, self.w)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("saved") / "model"
    module = Linear()
    tf.saved_model.save(module, str(path), signatures={"serving_default": module.infer, "pair": module.both})
    return path


@pytest.fixture(autouse=True)
def on_tensorflow():
    with use("tensorflow"):
        yield


def test_endpoints(folder):
    layer = L.TFSMLayer(folder, call_endpoint="infer", call_training_endpoint="train")
    assert [(w.name, w.shape, w.trainable) for w in layer.weights] == [("scope_w", (3, 2), True), ("calls", (), False)]
    w = layer.get_weights()[0]
    np.testing.assert_allclose(layer(X), X @ w, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(layer(X, training=False), X @ w, rtol=1e-5, atol=1e-6)
    assert layer.get_weights()[1] == 0
    np.testing.assert_allclose(layer(X, training=True), 2 * X @ w, rtol=1e-5, atol=1e-6)
    assert layer.get_weights()[1] == 1
    assert layer(KerasTensor((None, 3))).shape == (None, 2)
    layer.weights[0].assign(np.ones((3, 2)))  # the SavedModel's own variable
    np.testing.assert_allclose(layer(X)[:, 0], X.sum(1), rtol=1e-5, atol=1e-6)


def test_signatures(folder):
    layer = L.TFSMLayer(folder, call_endpoint="serving_default")
    (out,) = layer(X).values()
    np.testing.assert_allclose(out, X @ layer.get_weights()[0], rtol=1e-5, atol=1e-6)
    both = L.TFSMLayer(folder, call_endpoint="pair")
    np.testing.assert_allclose(both({"a": X, "b": X})["sum"], 2 * out, rtol=1e-5, atol=1e-5)


def test_training_and_files(folder, tmp_path):
    model = Sequential([L.Input((3,)), L.TFSMLayer(folder, "infer", name="saved"), L.Dense(1)])
    frozen = Sequential([L.Input((3,)), L.TFSMLayer(folder, "infer", trainable=False), L.Dense(1)])
    for one, count in ((model, 3), (frozen, 2)):
        assert len(one.trainable_variables) == count
        before = one.get_weights()[0]
        one.compile("sgd", "mse")
        losses = one.fit(X, X[:, :1], epochs=5, batch_size=8, verbose=0).history["loss"]
        assert losses[-1] < losses[0] and np.array_equal(one.get_weights()[0], before) is (one is frozen)
    wanted = model.predict(X, verbose=0)
    model.save(tmp_path / "m.keras")
    with pytest.raises(ValueError, match="safe_mode"):
        tricera.saving.load_model(tmp_path / "m.keras")
    loaded = tricera.saving.load_model(tmp_path / "m.keras", safe_mode=False)
    np.testing.assert_allclose(loaded.predict(X, verbose=0), wanted, rtol=1e-5, atol=1e-6)
    with pytest.raises(ValueError, match="can't move"):
        model.to_backend("numpy")


def test_a_config_alone_loads_nothing(folder, monkeypatch):
    config = L.TFSMLayer(folder, "infer").get_config()
    assert json.loads(json.dumps(config))["filepath"] == str(folder)
    opened = []
    monkeypatch.setattr(tf.saved_model, "load", opened.append)
    for act in (
        lambda: L.TFSMLayer.from_config(config),
        lambda: L.TFSMLayer.from_config(config, safe_mode=True),
        lambda: L.deserialize({"module": "keras.layers", "class_name": "TFSMLayer", "config": config}),
        lambda: Sequential.from_config(
            {"layers": [{"module": "keras.layers", "class_name": "TFSMLayer", "config": config}]}
        ),
    ):
        with pytest.raises(ValueError, match="safe_mode"):
            act()
    assert not opened
    monkeypatch.undo()
    again = L.TFSMLayer.from_config(config, safe_mode=False)
    assert again.get_config() == config and len(again.weights) == 1


def test_wrong_arguments(folder, tmp_path):
    with pytest.raises(ValueError, match=r"no endpoint 'nope'.*'both', 'infer', 'pair', 'serving_default', 'train'.*"):
        L.TFSMLayer(folder, "nope")
    with pytest.raises(ValueError, match="no endpoint 'nope'"):
        L.TFSMLayer(folder, "infer", call_training_endpoint="nope")
    with pytest.raises(ValueError, match=r"takes the inputs \['a', 'b'\]"):
        L.TFSMLayer(folder, "pair")(X)
    with pytest.raises(FileNotFoundError, match=str(tmp_path)):
        L.TFSMLayer(tmp_path)
    with pytest.raises(TypeError, match="filepath.*5"):
        L.TFSMLayer(5)
    with use("numpy"), pytest.raises(ValueError, match="'tensorflow' alone"):
        L.TFSMLayer(folder)
