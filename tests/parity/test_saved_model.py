"""What Keras exported is a layer here, and Keras's files that hold such a layer load."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

import tricera
from tests.parity import saved_model_run
from tricera import layers as L

pytestmark = pytest.mark.slow
pytest.importorskip("keras")
pytest.importorskip("tensorflow")


def test_what_keras_exported(tmp_path):
    environment = {**os.environ, "KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        [sys.executable, saved_model_run.__file__, str(tmp_path)], env=environment, capture_output=True, text=True, timeout=600, check=False
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    with tricera.backend.use("tensorflow"):
        layer = L.TFSMLayer(tmp_path / "exported")
        np.testing.assert_allclose(layer(saved_model_run.X), np.load(tmp_path / "out.npz")["out"], rtol=1e-5, atol=1e-6)
        with np.load(tmp_path / "weights.npz") as wanted:
            got = layer.get_weights()
            assert [w.shape for w in got] == [wanted[name].shape for name in wanted.files]
            assert all(np.array_equal(a, wanted[name]) for a, name in zip(got, wanted.files, strict=True))
        assert [w.trainable for w in layer.weights] == [True] * 6 + [False] * 2
        with pytest.raises(ValueError, match="safe_mode"):
            tricera.saving.load_model(tmp_path / "outer.keras")
        outer = tricera.saving.load_model(tmp_path / "outer.keras", safe_mode=False)
        np.testing.assert_allclose(
            outer.predict(saved_model_run.X, verbose=0), np.load(tmp_path / "outer.npy"), rtol=1e-5, atol=1e-6
        )
