"""What a process started by one in which Tricera stands in for Keras finds as `keras`: it hands over to Tricera."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

if importlib.util.find_spec("tricera") is None:
    # The parent found Tricera in its working folder rather than among the installed packages.
    sys.path.append(str(Path(__file__).parents[4]))
del sys.modules["keras"]  # this module itself; `install_as_keras` puts Tricera in its place

import tricera.compat  # noqa: E402

tricera.compat.install_as_keras()
