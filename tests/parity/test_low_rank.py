"""LoRA beside Keras: weights, values, training, configs, and files in both directions."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

import tricera
from tests.parity import black_box, low_rank_run

pytestmark = pytest.mark.slow
pytest.importorskip("keras")
pytest.importorskip("jax")

HALF = {"rtol": 2e-2, "atol": 1e-1}  # a rounding of bfloat16 in another place


keras_results = black_box.keras_results(low_rank_run)


@pytest.mark.parametrize("name", list(low_rank_run.CASES))
def test_as_keras(backend, name, keras_results):
    if name == "trained" and backend == "numpy":
        pytest.skip("no gradients")
    tolerance = HALF if name.endswith("float16") else {"rtol": 2e-4, "atol": 1e-4}
    black_box.check(low_rank_run.CASES[name], tricera, keras_results[name], **tolerance)


def keras_side(action, folder):
    environment = {**os.environ, "KERAS_BACKEND": "jax", "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        [sys.executable, low_rank_run.__file__, action, str(folder)], env=environment, capture_output=True, text=True, timeout=600, check=False
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]


def test_files_of_keras(trainable_backend, keras_files):
    for name, got in low_rank_run.read(tricera, keras_files).items():
        np.testing.assert_allclose(got, np.load(keras_files / "out.npy"), rtol=1e-4, atol=1e-5, err_msg=name)


@pytest.fixture(scope="module")
def keras_files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keras_files")
    keras_side("write", folder)
    return folder


def test_files_for_keras(tmp_path):
    with tricera.backend.use("jax"):
        low_rank_run.write(tricera, tmp_path)
    keras_side("read", tmp_path)
    with np.load(tmp_path / "read.npz") as found:
        for name in found.files:
            np.testing.assert_allclose(found[name], np.load(tmp_path / "out.npy"), rtol=1e-4, atol=1e-5, err_msg=name)
