"""The examples run to the end."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import TRAINABLE

ROOT = Path(__file__).parent.parent.parent
EXAMPLES = sorted(p.name for p in (ROOT / "examples").glob("*.py") if p.name != "guide.py")


@pytest.mark.slow
@pytest.mark.skipif(len(TRAINABLE) < 3, reason="needs all frameworks")
@pytest.mark.parametrize("name", EXAMPLES)
def test_example(name, tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples" / name)], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout and not list(tmp_path.iterdir())
    if "loss " in done.stdout:
        for line in done.stdout.splitlines():
            if "loss " in line and " - " not in line:
                assert float(line.split("loss ")[1].split(",")[0]) < 0.05
