"""Files that Keras wrote load here, and the other way round, with the same predictions, weights and optimizer state."""

from __future__ import annotations

import importlib.util
import json
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

import tricera
from tests.parity import saving_models

pytestmark = pytest.mark.skipif(importlib.util.find_spec("keras") is None, reason="needs an installed Keras")
BACKENDS = [name for name in ("jax", "torch", "tensorflow") if importlib.util.find_spec(name) is not None]
SCRIPT = pathlib.Path(saving_models.__file__)


def keras_side(action, folder, backend):
    environment = {**os.environ, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": ""}
    done = subprocess.run(
        [sys.executable, str(SCRIPT), action, str(folder)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]


def compare(got, expected):
    for kind in expected:
        assert len(got[kind]) == len(expected[kind]), kind
        for a, b in zip(got[kind], expected[kind], strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5, err_msg=kind)


@pytest.fixture(scope="module", params=BACKENDS)
def framework(request):
    with tricera.backend.use(request.param):
        yield request.param


@pytest.fixture(scope="module")
def from_keras(framework, tmp_path_factory):
    folder = tmp_path_factory.mktemp(f"keras_{framework}")
    keras_side("write", folder, framework)
    return folder


@pytest.fixture(scope="module")
def to_keras(framework, tmp_path_factory):
    folder = tmp_path_factory.mktemp(f"tricera_{framework}")
    with tricera.backend.use(framework):
        saving_models.write(tricera, folder)
        keras_side("read", folder, framework)
    return folder


@pytest.mark.parametrize("make", saving_models.MAKERS, ids=lambda make: make.__name__)
def test_keras_files_load_here(from_keras, framework, make):
    name = make.__name__
    with tricera.backend.use(framework):
        fresh, x = make(tricera)
        expected = saving_models.load_facts(from_keras / f"{name}.npz")
        compare(saving_models.facts(tricera.saving.load_model(from_keras / f"{name}.keras"), x), expected)
        fresh.load_weights(from_keras / f"{name}.weights.h5")
        compare(saving_models.facts(fresh, x), expected)


@pytest.mark.parametrize("make", saving_models.MAKERS, ids=lambda make: make.__name__)
def test_files_from_here_load_in_keras(to_keras, make):
    name = make.__name__
    errors = json.loads((to_keras / "errors.json").read_text())
    assert name not in errors, errors[name]
    expected = saving_models.load_facts(to_keras / f"{name}.npz")
    compare(saving_models.load_facts(to_keras / f"{name}.read.npz"), expected)
    compare(saving_models.load_facts(to_keras / f"{name}.weights.npz"), expected)
