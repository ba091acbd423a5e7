"""The examples run to the end: those that choose their frameworks themselves, and those that run on any, short, on each."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import TRAINABLE

ROOT = Path(__file__).parent.parent.parent
# What is printed at the end of a run that is too short to learn much.
ON_ANY = {
    "autoencoder.py": r"mean squared error of the autoencoder: (\d\.\d+)",
    "gan.py": r"after:  (\d) of 8 clumps found",
    "text_lstm.py": r"reading them in order: accuracy (\d\.\d+)",
    "vision_transformer.py": r"test accuracy: (\d\.\d+)",
}
SHORT = ["--epochs", "1", "--samples", "256"]
EXAMPLES = sorted(p.name for p in (ROOT / "examples").glob("*.py") if p.name not in ("guide.py", *ON_ANY))


def run(name, tmp_path, *arguments, **variables):
    """What an example prints; it leaves no files."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3", **variables}
    command = [sys.executable, str(ROOT / "examples" / name), *arguments]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout and not list(tmp_path.iterdir())
    return done.stdout


@pytest.mark.slow
@pytest.mark.skipif(len(TRAINABLE) < 3, reason="needs all frameworks")
@pytest.mark.parametrize("name", EXAMPLES)
def test_example(name, tmp_path):
    for line in run(name, tmp_path).splitlines():
        if "loss " in line and " - " not in line:
            assert float(line.split("loss ")[1].split(",")[0]) < 0.05


@pytest.mark.slow
@pytest.mark.parametrize("backend", TRAINABLE)
@pytest.mark.parametrize("name", ON_ANY)
def test_example_on_any(name, backend, tmp_path):
    printed = run(name, tmp_path, *SHORT, TRICERA_BACKEND=backend)
    assert f"backend: {backend}" in printed
    assert re.search(ON_ANY[name], printed), printed
    assert "nan" not in printed.lower()
