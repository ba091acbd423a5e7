"""Callbacks and progress bars do and print what Keras's do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.skipif(find_spec("keras") is None, reason="Keras is not installed")
HERE = Path(__file__).resolve().parent


def results(library: str, progbar: str, folder: Path) -> dict[str, Any]:
    folder.mkdir()
    environment = {
        **os.environ,
        "KERAS_BACKEND": "numpy",
        "PYTHONPATH": str(HERE.parents[1]),
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    done = subprocess.run(
        [sys.executable, str(HERE / "callbacks_run.py"), library, str(folder), progbar],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    text = (folder / "results.json").read_text()
    return json.loads(text.replace(str(folder), "FOLDER"))


def test_as_keras(tmp_path: Path) -> None:
    theirs = results("keras", "keras.utils", tmp_path / "theirs")
    ours = results("tricera", "tricera.utils.progbar", tmp_path / "ours")
    assert ours.pop("bars") == theirs.pop("bars")
    different = {case: (ours[case], theirs[case]) for case in theirs if ours[case] != theirs[case]}
    assert not different
