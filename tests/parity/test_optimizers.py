"""Thirty steps of each optimizer beside Keras: weights, state, names and config keys."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.parity import optimizers_run as runs
from tricera import optimizers
from tricera.core import dispatch
from tricera.core.state import functionalize
from tricera.core.variable import Variable, name_scope

pytestmark = pytest.mark.slow
pytest.importorskip("keras")
pytest.importorskip("jax")


@pytest.fixture(scope="module")
def keras_results(tmp_path_factory):
    path = tmp_path_factory.mktemp("keras") / "optimizers.npz"
    script = Path(runs.__file__)
    env = {**os.environ, "KERAS_BACKEND": "jax", "TF_CPP_MIN_LOG_LEVEL": "3"}
    subprocess.run([sys.executable, str(script), str(path)], check=True, env=env, timeout=600)
    with np.load(path) as file:
        return dict(file)


def make_variables():
    variables = []
    for name, value in zip(runs.SHAPES, runs.start(), strict=True):
        layer, leaf = name.split("/")
        with name_scope("m"), name_scope(layer):
            variables.append(Variable(value, name=leaf))
    return variables


def tolerance(case):
    # The quintic iteration of Muon multiplies rounding errors.
    return 2e-4 if case.startswith("Muon") else 1e-6


@pytest.mark.parametrize("case", list(runs.CASES))
def test_thirty_steps(backend, case, keras_results):
    variables = make_variables()
    optimizer = runs.make(optimizers, case)
    optimizer.build(variables)
    for grads in runs.overflowing(case):
        optimizer.apply(grads, variables)
    for i, variable in enumerate(variables):
        want = keras_results[f"{case}/weight/{i}"]
        scale = max(1.0, np.abs(want).max())
        np.testing.assert_allclose(
            variable.numpy(), want, rtol=tolerance(case), atol=2 * tolerance(case) * scale, err_msg=variable.path
        )
    for i, variable in enumerate(optimizer.variables):
        want = keras_results[f"{case}/own/{i}"]
        assert variable.shape == want.shape
        scale = max(1.0, np.abs(want).max(initial=0.0))
        np.testing.assert_allclose(
            variable.numpy(), want, rtol=10 * tolerance(case), atol=5 * tolerance(case) * scale, err_msg=variable.path
        )


@pytest.mark.parametrize("case", list(runs.CASES))
def test_names_and_config(case, keras_results):
    variables = make_variables()
    optimizer = runs.make(optimizers, case)
    optimizer.build(variables)
    names = [v.path.split("/", 1)[-1] for v in optimizer.variables]
    want = list(keras_results[f"{case}/names"])
    if case.startswith("Nadam"):  # its last variable has an automatic name in both
        names, want = names[:-1], want[:-1]
    assert names == want
    assert repr(sorted(k for k in optimizer.get_config() if k != "name")) == str(keras_results[f"{case}/config"])


@pytest.mark.parametrize(
    "case", ["SGD-nesterov", "Adam", "Adam-accumulation_ema", "Nadam-accumulation", "Adam-schedule-accumulation"]
)
def test_traced(case, keras_results):
    """The same inside `jax.jit`, where no condition has a value."""
    import jax

    with dispatch.use("jax"):
        variables = make_variables()
        optimizer = runs.make(optimizers, case)
        optimizer.build(variables)
        state = [*variables, *optimizer.variables]
        step = jax.jit(functionalize(lambda grads: optimizer.apply(grads, variables), state))
        values = [v.value for v in state]
        for grads in runs.gradients():
            _, values = step(values, grads)
    for i, value in enumerate(values[: len(variables)]):
        np.testing.assert_allclose(np.asarray(value), keras_results[f"{case}/weight/{i}"], rtol=1e-6, atol=2e-6)
