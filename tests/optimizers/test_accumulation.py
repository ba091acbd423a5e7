"""Gradient accumulation: the mean of a round's gradients, in compiled steps too, and no copies of what is as large as the model."""

from __future__ import annotations

import numpy as np
import pytest

import tricera
from tests.conftest import BACKENDS
from tricera import layers as L, optimizers
from tricera.backend import use
from tricera.core.variable import Variable

RNG = np.random.default_rng(0)
X = RNG.normal(size=(28, 4)).astype("float32")
Y = (X @ np.array([[1.0], [-1.0], [0.5], [2.0]])).astype("float32")
WIDTH = 128  # of the layers whose copies are looked for


def expected(rounds, rate):
    """Kernel and bias after steps of four samples, updated by the mean gradient of two steps, in NumPy."""
    kernel, bias = np.ones((4, 1)), np.zeros(1)
    for i in range(rounds):
        x, y = X[8 * i : 8 * i + 8], Y[8 * i : 8 * i + 8]
        error = x @ kernel + bias - y
        kernel, bias = kernel - rate * 2 * x.T @ error / 8, bias - rate * 2 * error.mean(0)
    return kernel, bias


@pytest.mark.parametrize("run_eagerly", [False, True], ids=["compiled", "eager"])
@pytest.mark.parametrize("scaled", [False, True], ids=["plain", "loss scale"])
def test_rounds_in_fit(trainable_backend, run_eagerly, scaled):
    """Seven steps are three rounds of two; the seventh waits in the accumulators."""
    model = tricera.Sequential([L.Input((4,)), L.Dense(1, kernel_initializer="ones")])
    optimizer = sgd = optimizers.SGD(0.05, gradient_accumulation_steps=2)
    if scaled:
        optimizer = optimizers.LossScaleOptimizer(sgd, initial_scale=4.0)
    model.compile(optimizer, "mse", run_eagerly=run_eagerly)
    model.fit(X, Y, batch_size=4, shuffle=False, verbose=0)
    for got, wanted in zip(model.get_weights(), expected(3, 0.05), strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=1e-6)
    assert int(sgd.iterations) == 3
    kernel, bias = model.get_weights()
    error = X[24:] @ kernel + bias - Y[24:]
    np.testing.assert_allclose(sgd._accumulated[0].numpy(), 2 * X[24:].T @ error / 4, rtol=1e-4, atol=1e-5)


def wide(steps):
    model = tricera.Sequential([L.Input((WIDTH,)), L.Dense(WIDTH), L.Dense(WIDTH)])
    model.compile(optimizers.Adam(0.01, gradient_accumulation_steps=steps), "mse")
    x = np.ones((4, WIDTH), "float32")
    model.train_on_batch(x, x)
    return model, model._step_cache.get(model, "train"), x


@pytest.mark.skipif("jax" not in BACKENDS, reason="needs jax")
def test_jax_gives_the_accumulators_back_in_place():
    """All state is donated, and a step needs no more memory beside it than one without accumulators does."""
    with use("jax"):
        needed = []
        for steps in (None, 4):
            model, step, x = wide(steps)
            memory = step._one.lower(step._values(), (x, x)).compile().memory_analysis()
            state = sum(v.numel() * 4 for v in [*model.weights, *model.optimizer.variables])
            assert memory.alias_size_in_bytes >= state
            needed.append(memory.temp_size_in_bytes)
        assert needed[1] <= needed[0] + WIDTH * WIDTH


@pytest.mark.skipif("tensorflow" not in BACKENDS, reason="needs tensorflow")
def test_tensorflow_assigns_inside_the_branch():
    """The branch of the graph takes resources and gives a flag, so no variable is copied through it."""
    import tensorflow as tf

    with use("tensorflow"):
        _, step, x = wide(4)
        graph = step._one.get_concrete_function((tf.constant(x), tf.constant(x))).graph
        branches = [op for op in graph.get_operations() if op.type in ("If", "StatelessIf")]
        assert branches
        for op in branches:
            assert all(t.dtype == tf.resource or t.shape.num_elements() < WIDTH for t in [*op.outputs, *op.inputs])
        added = [op for op in graph.get_operations() if op.type == "AssignAddVariableOp"]
        assert len([op for op in added if op.inputs[1].shape.rank]) == 4  # the others count samples and steps


@pytest.mark.skipif("torch" not in BACKENDS, reason="needs torch")
def test_torch_makes_nothing_while_it_waits():
    """A step that only accumulates makes no tensor of a variable's size."""
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode

    made = []

    class Watch(TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            known = {
                t.data_ptr() for t in torch.utils._pytree.tree_leaves((args, kwargs)) if isinstance(t, torch.Tensor)
            }
            out = func(*args, **(kwargs or {}))
            made.extend(
                str(func) for t in torch.utils._pytree.tree_leaves(out)
                if isinstance(t, torch.Tensor) and t.numel() >= WIDTH and t.data_ptr() not in known
            )  # fmt: skip
            return out

    with use("torch"):
        variables = [Variable(np.ones((WIDTH, WIDTH), "float32")) for _ in range(2)]
        optimizer = optimizers.Adam(0.01, gradient_accumulation_steps=3)
        gradients = [torch.ones(WIDTH, WIDTH) for _ in variables]
        optimizer.apply(gradients, variables)
        places = [v.native.data_ptr() for v in optimizer._accumulated]
        with Watch():
            optimizer.apply(gradients, variables)
        assert not made
        with Watch():
            optimizer.apply(gradients, variables)
        assert made  # the mean of the round, so that the watch sees something
        assert places == [v.native.data_ptr() for v in optimizer._accumulated]
