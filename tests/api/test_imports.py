"""Importing Tricera is light: no framework, nothing heavy, before it is used."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FRAMEWORKS = ("jax", "jaxlib", "torch", "tensorflow", "keras", "pandas", "scipy")
HEAVY = (*FRAMEWORKS, "numpy", "h5py", "rich", "optree", "ml_dtypes")


def loaded(code: str, names: tuple[str, ...]) -> str:
    report = f"\nimport sys\nprint(*[n for n in {names!r} if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code + report], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_the_face_alone_loads_nothing_heavy() -> None:
    assert loaded("import tricera; tricera.__version__; dir(tricera)", HEAVY) == ""


def test_all_public_names_load_no_framework() -> None:
    assert loaded("import tricera\nfor n in tricera.__all__: getattr(tricera, n)", FRAMEWORKS) == ""


def test_all_of_utils_loads_no_framework() -> None:
    assert loaded("import tricera\nfor n in tricera.utils.__all__: getattr(tricera.utils, n)", FRAMEWORKS) == ""


@pytest.mark.parametrize(
    ("backend", "others"), [("numpy", FRAMEWORKS), ("torch", ("jax", "tensorflow", "keras", "pandas"))]
)
def test_a_backend_loads_its_own_framework_alone(backend: str, others: tuple[str, ...]) -> None:
    pytest.importorskip(backend)
    code = f"""
import tricera
with tricera.backend.use({backend!r}):
    model = tricera.Sequential([tricera.Input((3,)), tricera.layers.Dense(2)])
    model.predict([[1.0, 2.0, 3.0]], verbose=0)
    model.summary(print_fn=lambda text: None)
"""
    assert loaded(code, others) == ""
