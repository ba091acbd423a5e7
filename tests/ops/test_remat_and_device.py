"""Rematerialisation gives the same numbers and acts once; devices are chosen by name."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import tricera
from tricera import layers, ops
from tricera.core import dispatch
from tricera.core.variable import Variable


def gradients(fn: Any, variables: list[Variable]) -> tuple[Any, list[Any]]:
    """Value and gradients as arrays."""
    value, grads = tricera.value_and_grad(fn, variables)()
    return ops.convert_to_numpy(value), [ops.convert_to_numpy(g) for g in grads]


def test_remat_is_the_function(trainable_backend: str) -> None:
    """Values and gradients are those of the function itself, which is run again in the backward pass."""
    w = Variable(np.array([0.5, -1.0, 2.0], "float32"))
    x = ops.convert_to_tensor(np.array([1.0, 2.0, 3.0], "float32"))

    def block(x: Any, scale: float = 1.0) -> Any:
        return ops.tanh(x * w) * scale

    plain = gradients(lambda: ops.sum(block(x, scale=2.0)), [w])
    again = gradients(lambda: ops.sum(tricera.remat(block)(x, scale=2.0)), [w])
    np.testing.assert_allclose(plain[0], again[0], rtol=1e-6)
    np.testing.assert_allclose(plain[1][0], again[1][0], rtol=1e-6)


def test_remat_in_transforms(trainable_backend: str) -> None:
    """Derivatives with respect to arguments, and of second order, go through it, and through layers of a scope."""
    x = ops.convert_to_tensor(np.array([1.0, 2.0, 3.0], "float32"))
    f = tricera.remat(lambda a: ops.sum(ops.sin(a)))
    np.testing.assert_allclose(ops.convert_to_numpy(tricera.grad(f)(x)), np.cos([1, 2, 3]), rtol=1e-5)
    second = tricera.grad(tricera.grad(tricera.remat(ops.sin)))
    if trainable_backend == "tensorflow":  # which can't, and says so
        with pytest.raises(NotImplementedError, match="recompute_grad"):
            second(2.0)
    else:
        np.testing.assert_allclose(float(second(2.0)), -np.sin(2.0), rtol=1e-5)
    with tricera.RematScope("full"):
        dense = layers.Dense(1, "tanh")
    dense.build((1, 3))
    grad = tricera.grad(lambda a: ops.sum(dense(a)))(ops.reshape(x, (1, 3)))
    kernel, slope = dense.kernel.numpy(), 1 - ops.convert_to_numpy(dense(ops.reshape(x, (1, 3)))) ** 2
    np.testing.assert_allclose(ops.convert_to_numpy(grad), slope * kernel.T, rtol=1e-4)


def test_remat_assigns_once(trainable_backend: str) -> None:
    """A counter moves by one, and dropout draws the same mask in both runs."""
    count, w = Variable(0.0, trainable=False), Variable(np.ones(64, "float32"))
    seed = tricera.random.SeedGenerator(3)

    def block(x: Any) -> Any:
        count.assign_add(1.0)
        return tricera.random.dropout(x, 0.5, seed=seed) ** 2

    value, (grad,) = gradients(lambda: ops.sum(tricera.remat(block)(w * 1.0)), [w])
    assert float(count) == 1.0
    # Of sum((m w)^2) at w = 1 the gradient is 2 m^2: with another mask in the second run the sums would differ.
    assert grad.sum() == pytest.approx(2 * value)
    assert seed.state.numpy()[1] == 1


def test_remat_on_numpy_and_bad_input() -> None:
    """Without a backward pass it is the function."""
    with dispatch.use("numpy"):
        assert float(tricera.remat(ops.sum)(np.ones(3))) == 3.0
    with pytest.raises(TypeError, match="must be a function"):
        tricera.remat(3)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="`mode` must be one of"):
        tricera.RematScope("some")


@pytest.mark.parametrize("mode", ["full", "activations", "larger_than", "list_of_layers", None])
def test_remat_scope(trainable_backend: str, mode: str | None) -> None:
    """Layers that are made in the scope give the same values, gradients and moving averages."""
    x = np.random.default_rng(0).normal(size=(8, 5)).astype("float32")
    found = []
    for scope in (tricera.RematScope(None), tricera.RematScope(mode, output_size_threshold=8, layer_names=["dense"])):
        tricera.utils.set_random_seed(1)
        with scope:
            dense, norm = layers.Dense(4, "tanh", name="dense"), layers.BatchNormalization()
        norm.build((None, 4)), dense.build((None, 5))

        def loss(dense: Any = dense, norm: Any = norm) -> Any:
            return ops.sum(norm(dense(x), training=True) ** 3)

        value, grads = gradients(loss, [*dense.trainable_variables, *norm.trainable_variables])
        found.append([value, *grads, norm.moving_mean.numpy(), norm.moving_variance.numpy()])
        pickle.dumps(scope)
        copy.deepcopy(scope)
    for plain, again in zip(*found, strict=True):
        np.testing.assert_allclose(plain, again, rtol=1e-5, atol=1e-5)


def test_remat_scopes_nest() -> None:
    """Each scope decides for the layers that are made directly inside."""
    with tricera.RematScope("full"):
        outer = layers.Dense(1)
        with tricera.RematScope(None):
            inner = layers.Dense(1)
        last = layers.Dense(1)
    assert outer._remat is last._remat is not inner._remat
    assert layers.Dense(1)._remat is None


def test_device(backend: str) -> None:
    """Tensors are made there; bad names are told of."""
    with tricera.device("cpu:0"):
        x = ops.ones((2, 2))
        y = ops.convert_to_tensor([1.0])
    np.testing.assert_array_equal(ops.convert_to_numpy(x), np.ones((2, 2)))
    if backend == "torch":
        assert x.device.type == y.device.type == "cpu"
    for bad in ("cpu 0", "cpu:x", ""):
        with pytest.raises(ValueError, match="expected a name such as"), tricera.device(bad):
            pass
    with pytest.raises(RuntimeError), tricera.device("gpu:77"):
        pass


def test_name_scope() -> None:
    """Scopes nest, can be opened again, and check their arguments."""
    scope = tricera.name_scope("a", deduplicate=False)
    with scope, tricera.name_scope("b"), scope:
        assert Variable(1.0, name="w").path == "a/b/a/w"
    assert Variable(1.0, name="w").path == "w"
    with pytest.raises(TypeError, match="unknown argument"):
        tricera.name_scope("a", dedupe=True)
    with pytest.raises(ValueError, match="`name` must be a string"):
        tricera.name_scope("")


def test_function_ends() -> None:
    """A function knows its symbolic ends."""
    x = layers.Input((2,))
    y = x * 2.0
    function = tricera.Function({"a": x}, [y])
    assert [t is x for t in function.inputs] == [True]
    assert [t is y for t in function.outputs] == [True]
