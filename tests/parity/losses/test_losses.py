"""Every loss beside Keras, on every backend."""

from __future__ import annotations

import pytest

import tricera
from tests.parity import black_box
from tests.parity.losses import cases

pytestmark = pytest.mark.slow
pytest.importorskip("keras")
pytest.importorskip("jax")


keras_results = black_box.keras_results(cases)


@pytest.mark.parametrize("name", list(cases.CASES))
def test_as_keras(backend, name, keras_results):
    if name in cases.REFUSED_HERE:
        assert not keras_results[name].get(black_box.RAISES)
        assert black_box.outcome(cases.CASES[name], tricera)["type"] == "ValueError"
        return
    half = "float16" in name
    black_box.check(
        cases.CASES[name], tricera, keras_results[name], rtol=1e-2 if half else 5e-5, atol=2e-3 if half else 5e-6
    )
