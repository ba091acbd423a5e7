"""`clone_model`: new layers and weights, the same architecture."""

from __future__ import annotations

import numpy as np
import pytest

from tricera import layers, ops
from tricera.models import Model, Sequential, clone_model


def predict(model, *inputs):
    outputs = model(inputs[0] if len(inputs) == 1 else list(inputs))
    return ops.convert_to_numpy(outputs)


def residual():
    x = layers.Input((4,), name="features")
    shared = layers.Dense(4, activation="relu", name="shared")
    y = shared(shared(x))
    return Model(x, layers.Dense(2, name="head")(ops.add(x, y)), name="residual")


def test_sequential(backend):
    model = Sequential([layers.Input((3,)), layers.Dense(4), layers.Dense(2)])
    clone = clone_model(model)
    assert isinstance(clone, Sequential)
    assert all(a is not b for a, b in zip(model.weights, clone.weights, strict=True))
    clone.set_weights(model.get_weights())
    x = np.ones((2, 3), "float32")
    np.testing.assert_allclose(predict(clone, x), predict(model, x), rtol=1e-6)


def test_functional_keeps_shared_layers_and_ops(backend):
    model = residual()
    clone = clone_model(model)
    assert [layer.name for layer in clone.layers] == [layer.name for layer in model.layers]
    assert len(clone.weights) == len(model.weights) == 4
    clone.set_weights(model.get_weights())
    x = np.arange(8, dtype="float32").reshape(2, 4)
    np.testing.assert_allclose(predict(clone, x), predict(model, x), rtol=1e-5)


def test_clone_function_and_call_function():
    calls = []

    def swap(layer):
        config = layer.get_config()
        return type(layer).from_config({**config, "use_bias": False})

    def call(layer, *args, **kwargs):
        calls.append(layer.name)
        return layer(*args, **kwargs)

    clone = clone_model(residual(), clone_function=swap, call_function=call)
    assert len(clone.weights) == 2
    assert calls.count("shared") == 2


def test_recursive():
    inner = Sequential([layers.Input((4,)), layers.Dense(4, name="deep")], name="inner")
    x = layers.Input((4,))
    model = Model(x, inner(x))
    seen = []

    def watch(layer):
        seen.append(layer.name)
        return type(layer).from_config(layer.get_config())

    clone_model(model, clone_function=watch, recursive=True)
    assert seen == ["deep"]


def test_errors():
    with pytest.raises(ValueError, match="takes a model"):
        clone_model(layers.Dense(2))
    with pytest.raises(ValueError, match="functional models only"):
        clone_model(Sequential([layers.Dense(2)]), call_function=lambda layer, x: layer(x))
