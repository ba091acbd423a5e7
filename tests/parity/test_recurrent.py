"""Every recurrent layer beside Keras: names, configs, outputs, last states, and gradients of weights and inputs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import tricera
from tests.parity import recurrent_run as runs
from tricera import autodiff, ops

pytestmark = pytest.mark.slow
pytest.importorskip("keras")
pytest.importorskip("torch")


@pytest.fixture(scope="module")
def keras_results(tmp_path_factory):
    path = tmp_path_factory.mktemp("keras") / "recurrent.npz"
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
    np.testing.assert_allclose(ops.convert_to_numpy(got), want, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("case", list(runs.CASES))
def test_outputs(backend, case, keras_results):
    layer = runs.build(tricera, case)
    assert [[w.path, list(w.shape)] for w in layer.weights] == json.loads(str(keras_results[f"{case}/names"]))
    layer.set_weights(runs.weights_of(layer))
    x, options = runs.inputs_of(case)
    outputs, want = runs.flat(layer(x, **options)), wanted(keras_results, case, "out")
    assert len(outputs) == len(want)
    for got, expected in zip(outputs, want, strict=True):
        close(got, expected)


@pytest.mark.parametrize("case", [case for case, row in runs.CASES.items() if row.gradients])
def test_gradients(trainable_backend, case, keras_results):
    layer = runs.build(tricera, case)
    layer.set_weights(runs.weights_of(layer))
    x, options = runs.inputs_of(case)
    factors = runs.factors([y.shape for y in wanted(keras_results, case, "out")])

    def loss(x):
        outputs = runs.flat(layer(x, **options))
        return sum(ops.sum(ops.multiply(y, f)) for y, f in zip(outputs, factors, strict=True))

    x = ops.convert_to_tensor(x)
    close(autodiff.grad(loss)(x), keras_results[f"{case}/gradient"])
    grads = autodiff.grad(loss, layer.trainable_weights)(x)
    for got, want in zip(grads, wanted(keras_results, case, "gradients"), strict=True):
        close(got, want)


@pytest.mark.parametrize("case", list(runs.CASES))
def test_config_and_shape(case, keras_results):
    tricera.utils.clear_session(free_memory=False)
    layer = runs.build(tricera, case)
    config = layer.get_config()
    assert json.loads(runs.plain(config)) == json.loads(str(keras_results[f"{case}/config"]))
    shape = layer.compute_output_shape((None, *runs.CASES[case].shape[1:]))
    assert json.loads(runs.plain(shape)) == json.loads(str(keras_results[f"{case}/shape"]))
    twin = type(layer).from_config(config)
    twin.build(runs.CASES[case].shape)
    assert runs.plain(twin.get_config()) == runs.plain(config)
