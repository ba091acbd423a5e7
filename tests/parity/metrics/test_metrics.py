"""Every metric beside Keras, on every backend."""

from __future__ import annotations

import pytest

import tricera
from tests.parity import black_box
from tests.parity.metrics import cases

pytestmark = pytest.mark.slow
pytest.importorskip("keras")
pytest.importorskip("jax")


keras_results = black_box.keras_results(cases)


@pytest.mark.parametrize("name", list(cases.CASES))
def test_as_keras(backend, name, keras_results):
    black_box.check(cases.CASES[name], tricera, keras_results[name], rtol=5e-5, atol=5e-6)
