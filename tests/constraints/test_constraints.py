"""Constraints: what they promise of the norms, and their configs."""

from __future__ import annotations

import numpy as np
import pytest

from tricera import constraints, ops

W = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")


def norms(w, axis=0):
    return np.linalg.norm(w, axis=axis)


CASES = {
    "MaxNorm": ({"max_value": 1.2}, lambda w: np.allclose(norms(w), np.minimum(norms(W), 1.2), rtol=1e-4)),
    "UnitNorm": ({"axis": 1}, lambda w: np.allclose(norms(w, 1), 1, rtol=1e-4)),
    "NonNeg": ({}, lambda w: np.array_equal(w, np.maximum(W, 0))),
    "MinMaxNorm": (
        {"min_value": 2.0, "max_value": 3.0, "rate": 0.5},
        lambda w: np.allclose(norms(w), (np.clip(norms(W), 2, 3) + norms(W)) / 2, rtol=1e-4),
    ),
}


@pytest.mark.parametrize("name", list(CASES))
def test_promise_and_config(backend, name):
    options, holds = CASES[name]
    constraint = getattr(constraints, name)(**options)
    for made in (constraint, constraints.deserialize(constraints.serialize(constraint))):
        assert holds(ops.convert_to_numpy(made(ops.convert_to_tensor(W))))


def test_get():
    assert constraints.get(None) is None
    assert isinstance(constraints.get("max_norm"), constraints.MaxNorm)
    with pytest.raises(ValueError):
        constraints.get("nonsense")
