"""Losses, metrics and weights of masked models beside Keras under evaluate, single batches and fit, on every framework.

Keras is taken on TensorFlow. On JAX its metrics lose the mask while it trains (an output of a derivative is another tensor); on torch
its loss changes the weights that are given, in place, before the weighted metrics see them; a flat weight a sample fails on all three.
"""

from __future__ import annotations

import numpy as np
import pytest

import tricera
from tests.parity import black_box
from tests.parity.masked_training import cases

pytestmark = pytest.mark.slow
pytest.importorskip("keras")
pytest.importorskip("tensorflow")


keras_results = black_box.keras_results(cases, "tensorflow")


@pytest.mark.parametrize("name", list(cases.CASES))
def test_as_keras(trainable_backend, name, keras_results):
    assert not keras_results[name].get(black_box.RAISES), keras_results[name]["said"]
    black_box.check(cases.CASES[name], tricera, keras_results[name], rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("run_eagerly", [False, True])
def test_a_flat_weight_is_a_column(trainable_backend, run_eagerly):
    """A weight a sample weighs all its steps, however it is shaped; compiled and not."""
    x, _ = cases._data("ids")
    y = np.random.default_rng(7).normal(size=(cases.N, cases.STEPS, 2)).astype("float32")
    weight, found = cases._weights("flat"), []
    for given in (weight, weight[:, None], np.repeat(weight[:, None], cases.STEPS, 1)):
        model = cases._sequence(tricera, "ids", "GRU", None)
        model.compile(tricera.optimizers.SGD(0.1), "mse", weighted_metrics=["mae"], run_eagerly=run_eagerly)
        history = model.fit(x, y, sample_weight=given, batch_size=2, epochs=2, shuffle=False, verbose=0).history
        found.append([*history["loss"], *history["mae"]])
    np.testing.assert_allclose(found[1:], [found[0]] * 2, rtol=1e-5)


def test_a_batch_without_steps_changes_nothing(keras_results):
    """What Keras itself says there, so that the comparison is known to reach it: no loss, and no number that isn't one."""
    found = keras_results["lstm"]
    assert found["train none/loss"] == 0 and found["evaluate/loss"] > 0
