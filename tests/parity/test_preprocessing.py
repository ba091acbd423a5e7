"""Preprocessing layers beside Keras: outputs, boxes, learned state and configs."""

from __future__ import annotations

import pytest

import tricera
from tests.conftest import BACKENDS
from tests.parity import black_box, preprocessing_run as runs
from tests.parity.black_box import check
from tricera.backend import use

pytestmark = pytest.mark.slow
pytest.importorskip("keras")
pytest.importorskip("jax")


keras_results = black_box.keras_results(runs)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("case", runs.CASES)
def test_as_keras(case, backend, keras_results):
    with use(backend):
        check(runs.CASES[case], tricera, keras_results[case], rtol=1e-4, atol=2e-3)
