"""`summary()` prints what Keras prints, to the character."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(find_spec("keras") is None, reason="Keras is not installed")
HERE = Path(__file__).resolve().parent


def summaries(library: str) -> dict[str, str]:
    environment = {
        **os.environ,
        "KERAS_BACKEND": "numpy",
        "TRICERA_BACKEND": "numpy",
        "PYTHONPATH": str(HERE.parents[1]),
    }
    done = subprocess.run(
        [sys.executable, str(HERE / "summary_models.py"), library], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_summaries_equal_keras() -> None:
    theirs, ours = summaries("keras"), summaries("tricera")
    different = [case for case in theirs if theirs[case] != ours[case]]
    assert not different, f"{ours[different[0]]}\n{theirs[different[0]]}"
