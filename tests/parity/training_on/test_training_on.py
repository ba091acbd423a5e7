"""Training goes on after a file has moved from Keras to here, or from here to Keras, as if it had stayed."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys

import numpy as np
import pytest

import tricera
from tests.parity.training_on import cases
from tricera.core import dispatch

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(importlib.util.find_spec("keras") is None, reason="needs an installed Keras"),
]
PLACES = [
    (framework, case)
    for framework in ("torch", "jax", "tensorflow")
    if importlib.util.find_spec(framework) is not None
    for case in cases.cases_on(framework)
]
FRAMEWORKS = list(dict.fromkeys(framework for framework, _ in PLACES))


def keras_side(action, folder, framework):
    environment = {**os.environ, "KERAS_BACKEND": framework, "TF_CPP_MIN_LOG_LEVEL": "3"}
    names = ",".join(case for where, case in PLACES if where == framework)
    done = subprocess.run(
        [sys.executable, cases.__file__, action, str(folder), names], env=environment, capture_output=True, text=True,
        timeout=600, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.fixture(scope="module")
def from_keras(tmp_path_factory):
    """What Keras wrote, by framework; read and trained on here."""
    folders = {}
    for framework in FRAMEWORKS:
        folders[framework] = folder = tmp_path_factory.mktemp(f"keras_{framework}")
        keras_side("write", folder, framework)
    return folders


@pytest.fixture(scope="module")
def to_keras(tmp_path_factory):
    """What was written here, read by Keras and trained on there."""
    folders = {}
    for framework in FRAMEWORKS:
        folders[framework] = folder = tmp_path_factory.mktemp(f"tricera_{framework}")
        with dispatch.use(framework):
            cases.write(tricera, folder, [case for where, case in PLACES if where == framework])
        keras_side("read", folder, framework)
    return folders


def compare(folder, case):
    errors = json.loads((folder / "errors.json").read_text())
    assert case not in errors, errors[case]
    tolerance = 1e-4 if case.startswith("Muon") else 2e-6  # whose quintic iteration multiplies rounding errors
    with np.load(folder / f"{case}.written.npz") as stayed, np.load(folder / f"{case}.read.npz") as moved:
        assert set(stayed) == set(moved)
        for key in stayed:
            scale = max(1.0, np.abs(stayed[key]).max(initial=0.0))
            np.testing.assert_allclose(moved[key], stayed[key], rtol=tolerance, atol=tolerance * scale, err_msg=key)


@pytest.mark.parametrize(("framework", "case"), PLACES)
def test_from_keras(framework, case, from_keras):
    with dispatch.use(framework):
        cases.read(tricera, from_keras[framework], [case])
    compare(from_keras[framework], case)


@pytest.mark.parametrize(("framework", "case"), [place for place in PLACES if place[1] not in cases.NOT_BACK])
def test_to_keras(framework, case, to_keras):
    compare(to_keras[framework], case)


def test_the_file_carries_the_state():
    """A comparison that a fresh optimizer would pass proves nothing: without the state, training ends elsewhere."""
    framework, case = PLACES[0][0], "Adam"
    with dispatch.use(framework):
        ends = []
        for forget in (False, True):
            model = cases.model_of(tricera, case)
            cases.train(model, 1)
            if forget:
                model.compile(cases.optimizers_run.make(tricera.optimizers, case), "mse")
            cases.train(model, 2)
            ends.append(model.get_weights()[1])
    assert np.abs(ends[0] - ends[1]).max() > 1e-3
