"""Spectrograms in all modes and spectral normalization over several calls beside Keras."""

from __future__ import annotations

import pytest

import tricera
from tests.parity import black_box, more_layers_run

pytestmark = pytest.mark.slow
pytest.importorskip("keras")
pytest.importorskip("jax")


keras_results = black_box.keras_results(more_layers_run)


@pytest.mark.parametrize("name", list(more_layers_run.CASES))
def test_as_keras(backend, name, keras_results):
    black_box.check(more_layers_run.CASES[name], tricera, keras_results[name], rtol=2e-4, atol=1e-4)
