"""Regularizers by their formulas, and their configs."""

from __future__ import annotations

import numpy as np
import pytest

from tricera import ops, regularizers

W = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")
U = W / np.linalg.norm(W, axis=1, keepdims=True)
FORMULAS = {
    "L1": ({"l1": 0.3}, 0.3 * abs(W).sum()),
    "L2": ({"l2": 0.3}, 0.3 * (W**2).sum()),
    "L1L2": ({"l1": 0.2, "l2": 0.1}, 0.2 * abs(W).sum() + 0.1 * (W**2).sum()),
    "OrthogonalRegularizer": ({"factor": 0.5}, 0.5 * abs((U @ U.T)[np.triu_indices(4, 1)]).mean()),
}


@pytest.mark.parametrize("name", list(FORMULAS))
def test_formula_and_config(backend, name):
    options, wanted = FORMULAS[name]
    regularizer = getattr(regularizers, name)(**options)
    for made in (regularizer, regularizers.deserialize(regularizers.serialize(regularizer))):
        found = made(ops.convert_to_tensor(W))
        assert tuple(found.shape) == ()
        np.testing.assert_allclose(ops.convert_to_numpy(found), wanted, rtol=1e-5)
        np.testing.assert_allclose(ops.convert_to_numpy(made(W.astype("float64"))), wanted, rtol=1e-5)
    scalars = {k: np.float32(v) for k, v in options.items()}
    assert getattr(regularizers, name)(**scalars).get_config() == {k: float(v) for k, v in scalars.items()} | (
        {"mode": "rows"} if name == "OrthogonalRegularizer" else {}
    )


def test_what_is_wrong_is_said():
    for make in (
        lambda: regularizers.L1(float("nan")), lambda: regularizers.L2("much"), lambda: regularizers.get("nonsense"),
        lambda: regularizers.OrthogonalRegularizer(mode="diagonal"), lambda: regularizers.OrthogonalRegularizer()(np.ones(3)),
    ):  # fmt: skip
        with pytest.raises(ValueError):
            make()
    assert regularizers.get(None) is None and regularizers.get("l1_l2").l1 == 0.0
