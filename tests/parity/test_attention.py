"""Attention layers beside Keras."""

from __future__ import annotations

import pytest

import tricera
from tests.parity import attention_run, black_box

pytestmark = pytest.mark.slow
pytest.importorskip("keras")
pytest.importorskip("jax")


keras_results = black_box.keras_results(attention_run)


@pytest.mark.parametrize("name", list(attention_run.CASES))
def test_as_keras(backend, name, keras_results):
    black_box.check(attention_run.CASES[name], tricera, keras_results[name], rtol=1e-4, atol=1e-5)
