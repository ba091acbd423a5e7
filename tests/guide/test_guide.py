"""The guide runs unchanged on each framework, with data from arrays, a DataLoader and tf.data."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import TRAINABLE
from tricera.datasets import digits

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


# The guide's code itself, where it lies beside the repository.
GUIDE = Path(os.environ.get("TRICERA_GUIDE", ROOT.parent / "shared" / "acceptance" / "intro_guide.py"))
# As `python -m tricera run`, but MNIST may be another file than the one whose hash is known.
RUN = (
    "import sys; from tricera.__main__ import main; from tricera.datasets import mnist; mnist._SHA256 = None; "
    "sys.exit(main(['run', sys.argv[1]]))"
)


@pytest.mark.slow
@pytest.mark.skipif(not GUIDE.is_file(), reason="the guide's code is not here")
@pytest.mark.parametrize("name", TRAINABLE)
def test_the_guide_itself(name, tmp_path):
    (x_train, y_train), (x_test, y_test) = digits.load_data()
    home, work = tmp_path / "home", tmp_path / "work"
    (home / ".keras" / "datasets").mkdir(parents=True)
    work.mkdir()
    np.savez(
        home / ".keras" / "datasets" / "mnist.npz",
        x_train=x_train[:200], y_train=y_train[:200], x_test=x_test[:64], y_test=y_test[:64],
    )  # fmt: skip
    environment = {k: v for k, v in os.environ.items() if k not in ("TRICERA_HOME", "KERAS_HOME")}
    environment |= {"HOME": str(home), "TRICERA_BACKEND": name, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(GUIDE)], cwd=work, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    saved = [p.name for p in work.iterdir()]
    assert "final_model.keras" in saved and "model_at_epoch_1.keras" in saved
    assert all(n == "final_model.keras" or n.startswith("model_at_epoch_") for n in saved)
    assert [str(p.relative_to(home)) for p in home.rglob("*") if p.is_file()] == [".keras/datasets/mnist.npz"]
