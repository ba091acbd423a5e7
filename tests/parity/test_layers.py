"""Every layer beside Keras: weights, names, configs, outputs and output shapes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import tricera
from tests.parity import layers_run as runs
from tricera import layers, ops

pytestmark = pytest.mark.slow
pytest.importorskip("keras")
pytest.importorskip("torch")


@pytest.fixture(scope="module")
def keras_results(tmp_path_factory):
    path = tmp_path_factory.mktemp("keras") / "layers.npz"
    env = {**os.environ, "KERAS_BACKEND": "torch", "TF_CPP_MIN_LOG_LEVEL": "3"}
    subprocess.run([sys.executable, str(Path(runs.__file__)), str(path)], check=True, env=env, timeout=600)
    with np.load(path) as file:
        return dict(file)


def wanted(results, case, key):
    found = []
    while f"{case}/{key}/{len(found)}" in results:
        found.append(results[f"{case}/{key}/{len(found)}"])
    return found


def close(got, want):
    np.testing.assert_allclose(ops.convert_to_numpy(got), want, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("case", list(runs.CASES))
def test_layer(backend, case, keras_results):
    layer = runs.build(tricera, case)
    weights = wanted(keras_results, case, "weight")
    assert [w.shape for w in layer.weights] == [w.shape for w in weights]
    assert [w.path for w in layer.weights] == json.loads(str(keras_results[f"{case}/names"]))
    layer.set_weights(weights)
    inputs = runs.values(case)
    close(layer(inputs), keras_results[f"{case}/out"])
    if case in runs.TRAINING:
        close(layer(inputs, training=True), keras_results[f"{case}/training"])
        for got, want in zip(layer.get_weights(), wanted(keras_results, case, "after"), strict=True):
            close(got, want)


@pytest.mark.parametrize("case", list(runs.CASES))
def test_config_and_shape(case, keras_results):
    layer = runs.build(tricera, case)
    config = layer.get_config()
    assert json.loads(runs.plain(config)) == json.loads(str(keras_results[f"{case}/config"]))
    shape = json.loads(str(keras_results[f"{case}/shape"]))
    ours = list(layer.compute_output_shape(runs.open_shapes(case)))
    # Where Keras leaves a dimension open, ours may know it.
    assert len(ours) == len(shape) and all(k in (None, o) for o, k in zip(ours, shape))
    twin = type(layer).from_config(config)
    assert runs.plain(twin.get_config()) == runs.plain(config)


def test_every_layer_is_in_the_table():
    classes = {v.__name__ for v in vars(layers).values() if isinstance(v, type) and issubclass(v, layers.Layer)}
    without_parity = {"InputLayer", "Lambda", "Layer"}
    assert classes - without_parity - {kind for kind, _, _ in runs.ROWS} == set()
