"""JAX's loops called directly: written out where that is cheaper than a program for one call, with the same results and errors."""

from __future__ import annotations

import numpy as np
import pytest

from tests.conftest import BACKENDS

if "jax" not in BACKENDS:
    pytest.skip("JAX is not installed", allow_module_level=True)

import jax
import jax.numpy as jnp

from tricera.backend import use
from tricera.backends.jax import control


@pytest.fixture(autouse=True)
def backend():
    with use("jax"):
        yield


def step(carry, x):
    total, count = carry
    total = total * 0.5 + x["a"] + (0 if x["b"] is None else x["b"].sum())
    return (total, count + 1), {"total": total, "nothing": None}


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("length", [1, 5, control._WRITTEN_OUT + 1])
def test_written_out_as_compiled(reverse, length):
    xs = {"a": jnp.asarray(np.random.default_rng(0).normal(size=length).astype("float32")), "b": None}
    start = (jnp.zeros(()), jnp.zeros((), "int32"))

    def run(xs):
        return control.scan(step, start, xs, length, reverse, 1)

    found, wanted = run(xs), jax.jit(run)(xs)
    assert jax.tree_util.tree_structure(found) == jax.tree_util.tree_structure(wanted)
    for a, b in zip(jax.tree_util.tree_leaves(found), jax.tree_util.tree_leaves(wanted), strict=True):
        assert (a.dtype, a.shape) == (b.dtype, b.shape)
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)

    def loss(a):
        return run({"a": a, "b": None})[0][0]

    np.testing.assert_allclose(jax.grad(loss)(xs["a"]), jax.jit(jax.grad(loss))(xs["a"]), rtol=1e-6)


def test_each_step_is_run_with_values():
    seen = []
    control.scan(lambda c, x: (c, seen.append(float(x))), jnp.zeros(()), jnp.arange(3.0), 3, False, 1)
    assert seen == [0.0, 1.0, 2.0]


def test_a_carry_that_changes_its_dtype_is_refused_either_way():
    def run(xs):
        return control.scan(lambda c, x: (c + x, None), jnp.zeros((), "int32"), xs, 3, False, 1)

    for call in (run, jax.jit(run)):
        with pytest.raises(TypeError, match="carry"):
            call(jnp.ones(3))


def test_no_steps():
    carry, ys = control.scan(lambda c, x: (c, x), jnp.ones(()), jnp.zeros((0, 2)), 0, False, 1)
    assert carry == 1
    assert ys.shape == (0, 2)
