"""How often a user's own `torch.compile` leaves the graph for a layer's call: for the layer's context variables, which dynamo knows not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tricera
from tests.conftest import BACKENDS
from tricera import layers, ops

MOST = {"Dense": 1, "Conv2D": 1, "BatchNormalization": 3, "LSTM": 2, "Functional": 3}


@pytest.mark.slow
@pytest.mark.skipif("torch" not in BACKENDS, reason="of torch alone")
def test_breaks_are_few_and_values_right() -> None:
    """No more breaks than now; what is compiled gives the same values."""
    import torch

    rng = np.random.default_rng(0)
    with tricera.backend.use("torch"):
        inputs = tricera.Input((8,))
        made: dict[str, tuple[Any, tuple[int, ...]]] = {
            "Dense": (layers.Dense(4), (2, 8)),
            "Conv2D": (layers.Conv2D(4, 3), (2, 6, 6, 3)),
            "BatchNormalization": (layers.BatchNormalization(), (2, 8)),
            "LSTM": (layers.LSTM(4), (2, 5, 8)),
            "Functional": (tricera.Model(inputs, layers.Dense(2)(layers.Dense(4, activation="relu")(inputs))), (2, 8)),
        }
        for name, (layer, shape) in made.items():
            x = torch.from_numpy(rng.normal(size=shape).astype("float32"))

            def call(x: Any, layer: Any = layer) -> Any:
                return layer(x) * 2

            want = call(x)
            torch._dynamo.reset()
            assert torch._dynamo.explain(call)(x).graph_break_count <= MOST[name], name
            torch._dynamo.reset()
            got = torch.compile(call, backend="eager")(x)
            np.testing.assert_allclose(ops.convert_to_numpy(got), ops.convert_to_numpy(want), rtol=1e-5, atol=1e-6)
