"""In which order a layer and a model list their variables, and layers that make variables while shapes are inferred."""

from __future__ import annotations

import numpy as np
import pytest

from tricera import Input, KerasTensor, layers, metrics
from tricera.layers import Layer
from tricera.models import Sequential


def test_layer_by_layer(backend):
    inner = Sequential(
        [layers.Dropout(0.1), layers.BatchNormalization(center=False), layers.Dropout(0.2)], name="inner"
    )
    model = Sequential(
        [Input((3,)), layers.Dense(2, use_bias=False), layers.GaussianNoise(0.1), inner, layers.Dense(1)]
    )
    seed, norm = "seed_generator_state", ["gamma", "moving_mean", "moving_variance"]
    assert [v.name for v in inner.variables] == [seed, *norm, seed]
    assert [v.name for v in model.variables] == ["kernel", seed, seed, *norm, seed, "kernel", "bias"]
    assert [v.name for v in model.non_trainable_variables] == [seed, seed, *norm[1:], seed]
    assert [v.name for v in model.weights] == ["kernel", *norm, "kernel", "bias"]


def test_what_is_carried_comes_last(backend):
    model = Sequential(
        [
            Input((4, 3), batch_size=2),
            layers.SimpleRNN(2, stateful=True, dropout=0.1),
            layers.Dropout(0.1),
            layers.Dense(1),
        ]
    )
    names = [v.name for v in model.variables]
    assert names[-3:] == ["kernel", "bias", "rnn_state"]
    assert names.count("seed_generator_state") == 2


class Watches(Layer):
    """Its sublayer is built by the first call, which can't be symbolic alone: the metric takes in what it is called on."""

    def __init__(self, metric):
        super().__init__()
        self.metric, self.inner = metric, layers.Dense(2)

    def call(self, x):
        y = self.inner(x)
        if type(self.metric) is metrics.Mean:
            self.metric.update_state(y)
        else:
            self.metric.update_state(y > 0, y)
        return self.inner(y)


@pytest.mark.parametrize("kind", ["Mean", "MeanSquaredError", "AUC", "BinaryAccuracy"])
def test_metrics_of_symbolic_values(backend, kind):
    model = Sequential([Input((2,)), Watches(getattr(metrics, kind)())])
    assert model.output_shape == (None, 2)
    metric = model.layers[0].metric
    assert all(not v.numpy().any() for v in metric.variables)
    model(np.ones((3, 2), "float32"))
    assert any(v.numpy().any() for v in metric.variables)


def test_sublayers_built_by_code_that_takes_no_symbols(backend):
    class Native(Layer):
        def __init__(self):
            super().__init__()
            self.inner = layers.Dense(2, dtype="mixed_bfloat16")

        def call(self, x):
            if isinstance(x, KerasTensor):
                raise TypeError("a tensor is needed")
            return self.inner(x)

    model = Sequential([Input((None, 3)), Native()])
    assert model.output_shape == (None, None, 2)
    assert model(np.ones((1, 4, 3), "float32")).shape == (1, 4, 2)
