"""What the tests of recurrences share: sizes, masks, operands."""

from __future__ import annotations

import numpy as np

BATCH, TIME, FEATURES, UNITS = 4, 6, 3, 5
MASKS = {
    "whole": None,
    "padded": [[1, 1, 1, 1, 0, 0], [1, 0, 0, 0, 0, 0], [1, 1, 1, 1, 1, 1], [0, 0, 0, 0, 0, 0]],
    "holes": [[0, 1, 0, 1, 1, 0], [1, 0, 1, 0, 0, 1], [0, 0, 0, 0, 0, 1], [0, 0, 0, 0, 0, 0]],
}
GATES = {"lstm": 4, "gru": 3, "simple_rnn": 1}


def operands(name: str, dtype: str = "float32") -> list[np.ndarray]:
    """Inputs, kernel, recurrent kernel, bias, states."""
    rng, gates = np.random.default_rng(0), GATES[name]
    bias = (2, gates * UNITS) if name == "gru" else (gates * UNITS,)
    shapes = [(BATCH, TIME, FEATURES), (FEATURES, gates * UNITS), (UNITS, gates * UNITS), bias, (BATCH, UNITS)]
    shapes += [(BATCH, UNITS)] * (name == "lstm")
    return [rng.normal(size=s).astype(dtype) for s in shapes]
