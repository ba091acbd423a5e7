"""What training reports, and where it ends, beside Keras. Nothing here depends on the framework, so that one is enough."""

from __future__ import annotations

import pytest

import tricera
from tests.parity import black_box
from tests.parity.training_steps import cases
from tricera.backend import use

pytestmark = pytest.mark.slow
pytest.importorskip("keras")
pytest.importorskip("torch")


keras_results = black_box.keras_results(cases, "torch")


@pytest.mark.parametrize("name", list(cases.CASES))
def test_as_keras(name, keras_results):
    assert not keras_results[name].get(black_box.RAISES), keras_results[name]["said"]
    with use("torch"):
        black_box.check(cases.CASES[name], tricera, keras_results[name])
