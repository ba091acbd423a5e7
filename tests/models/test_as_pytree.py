"""What was built under JAX is a pure function of a pytree of values: `stateless_call` under jit, grad, vmap and scan."""

from __future__ import annotations

import numpy as np
import pytest

from tests.conftest import BACKENDS
from tricera import layers
from tricera.backend import use
from tricera.models import Sequential

if "jax" not in BACKENDS:
    pytest.skip("JAX is not installed", allow_module_level=True)
import jax
import jax.numpy as jnp


@pytest.fixture(autouse=True)
def on_jax():
    with use("jax"):
        yield


def mlp():
    return Sequential(
        [
            layers.Input((3,)),
            layers.Dense(4, activation="tanh", name="hidden"),
            layers.BatchNormalization(name="norm"),
            layers.Dropout(0.5, seed=1, name="drop"),
            layers.Dense(1, name="head"),
        ]
    )


def state(model):
    return [v.value for v in model.trainable_variables], [v.value for v in model.non_trainable_variables]


X = np.random.default_rng(0).normal(size=(16, 3)).astype("float32")


def test_state_is_a_pytree_of_arrays():
    tv, ntv = state(mlp())
    assert all(isinstance(leaf, jax.Array) for leaf in jax.tree_util.tree_leaves((tv, ntv)))


def test_jit_gives_what_a_plain_call_gives():
    model = mlp()
    tv, ntv = state(model)
    run = jax.jit(lambda tv, ntv, x: model.stateless_call(tv, ntv, x))
    outputs, new = run(tv, ntv, X)
    np.testing.assert_allclose(outputs, model(X), rtol=1e-5)
    assert len(new) == len(ntv)


def test_the_new_state_comes_out_and_the_layer_stays():
    model = mlp()
    tv, ntv = state(model)
    before = [np.asarray(v) for v in ntv]
    _, new = jax.jit(lambda tv, ntv, x: model.stateless_call(tv, ntv, x, training=True))(tv, ntv, X)
    for variable, old in zip(model.non_trainable_variables, before, strict=True):
        np.testing.assert_array_equal(variable.numpy(), old)
    names = [v.path for v in model.non_trainable_variables]
    moved = {n for n, a, b in zip(names, before, new, strict=True) if not np.array_equal(a, b)}
    assert any("moving_mean" in n for n in moved) and any("seed" in n for n in moved)


def test_values_that_come_out_can_be_assigned():
    model = mlp()
    tv, ntv = state(model)
    _, new = model.stateless_call(tv, ntv, X, training=True)
    for variable, value in zip(model.non_trainable_variables, new, strict=True):
        variable.assign(value)
    np.testing.assert_allclose(model.get_layer("norm").moving_mean.numpy(), new[0], rtol=1e-6)


def test_grad_agrees_with_finite_differences():
    model = Sequential([layers.Input((3,)), layers.Dense(2, activation="tanh"), layers.Dense(1)])
    tv, ntv = state(model)

    def loss(tv):
        return jnp.mean(model.stateless_call(tv, ntv, X)[0] ** 2)

    grads = jax.jit(jax.grad(loss))(tv)
    step = 1e-2
    for i, (value, grad) in enumerate(zip(tv, grads, strict=True)):
        shift = jnp.zeros_like(value).ravel().at[0].set(step).reshape(value.shape)
        up, down = ([*tv[:i], value + s, *tv[i + 1 :]] for s in (shift, -shift))
        np.testing.assert_allclose(grad.ravel()[0], (loss(up) - loss(down)) / (2 * step), rtol=2e-2, atol=1e-4)


def test_losses_come_out():
    dense = layers.Dense(2, kernel_regularizer="l2", kernel_initializer="ones")
    dense.build((None, 3))
    tv, ntv = state(dense)
    run = jax.jit(lambda tv, x: dense.stateless_call(tv, ntv, x, return_losses=True))
    _, _, losses = run(tv, X)
    np.testing.assert_allclose(losses[-1], 0.01 * 6, rtol=1e-5)


def test_a_training_loop_in_plain_jax():
    model = Sequential([layers.Input((3,)), layers.Dense(8, activation="tanh"), layers.Dense(1)])
    tv, ntv = state(model)
    y = X.sum(axis=1, keepdims=True)

    @jax.jit
    def step(tv):
        loss, grads = jax.value_and_grad(lambda tv: jnp.mean((model.stateless_call(tv, ntv, X)[0] - y) ** 2))(tv)
        return [v - 0.1 * g for v, g in zip(tv, grads, strict=True)], loss

    losses = []
    for _ in range(60):
        tv, loss = step(tv)
        losses.append(float(loss))
    assert losses[-1] < losses[0] / 5


def test_vmap_over_an_ensemble_of_weights():
    dense = layers.Dense(2)
    dense.build((None, 3))
    tv, ntv = state(dense)
    many = [jnp.stack([v, 2 * v, 3 * v]) for v in tv]
    out = jax.vmap(lambda tv: dense.stateless_call(tv, ntv, X)[0])(many)
    assert out.shape == (3, 16, 2)
    np.testing.assert_allclose(out[1], 2 * out[0], rtol=1e-5)


def test_scan_over_steps():
    drop = layers.Dropout(0.5, seed=0)
    drop.build((None, 3))
    seeds = [v.value for v in drop.non_trainable_variables]

    def body(seeds, _):
        out, seeds = drop.stateless_call([], seeds, jnp.ones((2, 40)), training=True)
        return seeds, out

    _, outs = jax.lax.scan(body, seeds, None, length=3)
    assert (outs[0] != outs[1]).any() and (outs[1] != outs[2]).any()


def test_assigning_inside_a_traced_function_says_what_to_do():
    norm = layers.BatchNormalization()
    norm.build((None, 3))
    with pytest.raises(RuntimeError, match="stateless_call"):
        jax.jit(lambda x: norm(x, training=True))(X)
    assert norm(X).shape == (16, 3)  # nothing leaked


def test_jit_of_a_plain_call_that_assigns_nothing():
    model = mlp()
    np.testing.assert_allclose(jax.jit(model)(X), model(X), rtol=1e-5)


def test_get_state_tree_is_a_pytree():
    model = mlp()
    model.compile("adam", "mse")
    tree = model.get_state_tree()
    doubled = jax.tree_util.tree_map(lambda x: x * 2, tree["trainable_variables"])
    model.set_state_tree({"trainable_variables": doubled})
    again = model.get_state_tree()["trainable_variables"]
    for a, b in zip(jax.tree_util.tree_leaves(again), jax.tree_util.tree_leaves(doubled), strict=True):
        np.testing.assert_array_equal(a, b)
