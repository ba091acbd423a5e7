"""Activations, regularizers, constraints, initializers and dtype policies beside Keras, on every backend."""

from __future__ import annotations

import pytest

import tricera
from tests.parity import black_box
from tests.parity.small_rooms import cases

pytestmark = pytest.mark.slow
pytest.importorskip("keras")
pytest.importorskip("jax")


keras_results = black_box.keras_results(cases)


@pytest.mark.parametrize("name", list(cases.CASES))
def test_as_keras(backend, name, keras_results):
    tolerance = {"bfloat16": 2e-2, "float16": 4e-3}.get(name.rpartition("-")[2], 5e-5)
    black_box.check(cases.CASES[name], tricera, keras_results[name], rtol=tolerance, atol=tolerance / 5)
