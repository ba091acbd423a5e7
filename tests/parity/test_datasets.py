"""Data sets come in Keras's order, split and numbering."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.skipif(find_spec("keras") is None, reason="Keras is not installed")
HERE = Path(__file__).resolve().parent


def texts(rng: np.random.Generator, count: int) -> np.ndarray:
    array = np.empty(count, object)
    array[:] = [rng.integers(1, 30, rng.integers(1, 9)).tolist() for _ in range(count)]
    return array


def loaded(library: str, folder: Path) -> dict[str, list]:
    environment = {
        **os.environ,
        "KERAS_BACKEND": "numpy",
        "TRICERA_BACKEND": "numpy",
        "PYTHONPATH": str(HERE.parents[1]),
    }
    command = [sys.executable, str(HERE / "datasets_run.py"), library, str(folder)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_datasets_equal_keras(tmp_path) -> None:
    rng = np.random.default_rng(0)
    np.savez(
        tmp_path / "imdb.npz",
        x_train=texts(rng, 40),
        y_train=np.arange(40),
        x_test=texts(rng, 30),
        y_test=np.arange(30),
    )
    np.savez(tmp_path / "reuters.npz", x=texts(rng, 40), y=np.arange(40))
    np.savez(tmp_path / "boston_housing.npz", x=rng.normal(size=(50, 13)), y=np.arange(50.0))
    np.savez(tmp_path / "california_housing.npz", x=rng.normal(size=(700, 8)), y=np.arange(700.0))
    theirs, ours = loaded("keras", tmp_path), loaded("tricera", tmp_path)
    assert theirs.keys() == ours.keys()
    assert [case for case in theirs if theirs[case] != ours[case]] == []
