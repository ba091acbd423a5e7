"""The guide runs unchanged on each framework, with data from arrays, a DataLoader and tf.data."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import TRAINABLE

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.parametrize("name", TRAINABLE)
def test_guide_cells(name, tmp_path):
    environment = {**os.environ, "TRICERA_BACKEND": name, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
    script = str(Path(__file__).parent / "cells.py")
    sources = [n for n in ("torch", "tensorflow") if n in TRAINABLE]
    done = subprocess.run(
        [sys.executable, "-m", "tricera", "run", script, *sources],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    assert done.stdout.rstrip().endswith(f"backend {name}")
    assert 'Model: "sequential"' in done.stdout and "val_acc" in done.stdout
    assert {p.name for p in tmp_path.iterdir()} == {
        "model_at_epoch_1.keras",
        "model_at_epoch_2.keras",
        "final_model.keras",
    }
