"""Shapes as arguments: tensors that hold one, and scalar tensors among numbers, on the frameworks that can; errors at the door elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.conftest import BACKENDS
from tricera import ops, random
from tricera.core import dispatch
from tricera.core.tensor import KerasTensor

# What takes a shape -> a call of it with a shape that is (the tensor's, some row of integers).
CALLS: dict[str, Callable[[Any, Any], Any]] = {
    "reshape": lambda x, shape: ops.reshape(x, shape),
    "broadcast_to": lambda x, shape: ops.broadcast_to(x[:1], shape),
    "tile": lambda x, shape: ops.tile(x, shape),
    "slice": lambda x, shape: ops.slice(ops.tile(x, (2, 2)), (1, 1), shape),
    "scatter": lambda x, shape: ops.scatter(ops.convert_to_tensor([[0, 1], [2, 3]]), ops.ones((2,)), shape),
    "zeros": lambda x, shape: ops.zeros(shape),
    "ones": lambda x, shape: ops.ones(shape, "int32"),
    "empty": lambda x, shape: ops.zeros_like(ops.empty(shape)),
    "full": lambda x, shape: ops.full(shape, 3.0),
    "full of a tensor": lambda x, shape: ops.full(shape, ops.max(x)),
    "normal": lambda x, shape: random.normal(shape, seed=1),
    "uniform": lambda x, shape: random.uniform(shape, seed=1),
    "truncated_normal": lambda x, shape: random.truncated_normal(shape, seed=1),
    "randint": lambda x, shape: random.randint(shape, 0, 9, seed=1),
    "dropout": lambda x, shape: random.dropout(x, 0.5, noise_shape=shape, seed=1),
}
DRAWS = ("normal", "uniform", "truncated_normal", "randint", "dropout")
PARAMETRIC: dict[str, Callable[[Any, Any], Any]] = {  # which JAX compiles for seconds
    "gamma": lambda x, shape: random.gamma(shape, 2.0, seed=1),
    "beta": lambda x, shape: random.beta(shape, 2.0, 1.0, seed=1),
    "binomial": lambda x, shape: random.binomial(shape, 3.0, 0.5, seed=1),
}
X = np.arange(12, dtype="float32").reshape(3, 4)


def same(got: Any, want: Any, what: str) -> None:
    np.testing.assert_allclose(ops.convert_to_numpy(got), ops.convert_to_numpy(want), rtol=1e-5, err_msg=what)


def test_tensors_with_values(backend: str) -> None:
    """A tensor, a tuple of scalars, NumPy's integers, and a list that mixes them are the shape that they hold."""
    x = ops.convert_to_tensor(X)
    three, four = ops.convert_to_tensor(3), ops.convert_to_tensor(4)
    forms = (ops.convert_to_tensor([3, 4]), (three, four), np.array([3, 4]), [np.int64(3), four])
    for name, call in CALLS.items():
        want = call(x, (3, 4))
        for form in forms:
            same(call(x, form), want, f"{name} {form}")
    same(ops.reshape(x, ops.convert_to_tensor([-1, 6])), X.reshape(2, 6), "reshape")
    same(ops.reshape(x, (four, -1)), X.reshape(4, 3), "reshape")
    same(ops.reshape(x, (None, 6)), X.reshape(2, 6), "reshape")
    same(ops.reshape(x, ops.convert_to_tensor(12)), X.ravel(), "reshape")
    same(ops.tile(x, ops.convert_to_tensor(2)), np.tile(X, 2), "tile")
    same(ops.zeros(four), np.zeros(4), "zeros")
    assert ops.reshape(KerasTensor((3, 4)), (three, -1)).shape == (3, 4)


def test_what_is_no_shape(backend: str) -> None:
    """Numbers that aren't integers, tensors of floats or of two axes, and symbolic tensors are refused by name."""
    x = ops.ones((2, 8))
    for wrong in ((4.0, 4.0), ops.convert_to_tensor([4.0, 4.0]), (ops.ones(()), 16), KerasTensor((2,), "int32"), "44"):
        with pytest.raises(TypeError, match=r"ops\.reshape: `newshape` must be integers"):
            ops.reshape(x, wrong)
        with pytest.raises(TypeError, match=r"ops\.zeros: `shape` must be integers"):
            ops.zeros(wrong)
        with pytest.raises(TypeError, match=r"random\.uniform: `shape` must be integers"):
            random.uniform(wrong)
    with pytest.raises(ValueError, match="one row of integers"):
        ops.reshape(x, ops.ones((1, 2), "int32"))


@pytest.mark.skipif("tensorflow" not in BACKENDS, reason="needs TensorFlow")
@pytest.mark.parametrize("jit", [False, True])
def test_sizes_that_a_graph_does_not_know(jit: bool) -> None:
    """In a graph of unknown sizes all of these take `tf.shape(x)`, and tuples with entries of `ops.shape(x)`."""
    import tensorflow as tf

    forms: dict[str, Callable[[Any], Any]] = {
        "a tensor": tf.shape,
        "a tuple": ops.shape,
        "a mixed tuple": lambda x: (ops.shape(x)[0], 4),
    }
    unknown = tf.TensorSpec((3, 4) if jit else (None, None))
    calls = CALLS if jit else {**CALLS, **PARAMETRIC}

    def program(x: Any) -> Any:
        return {(name, form): call(x, of(x)) for name, call in calls.items() for form, of in forms.items()}

    with dispatch.use("tensorflow"):
        x = tf.constant(X)
        out = tf.function(program, input_signature=[unknown], jit_compile=jit, autograph=False)(x)
        for (name, form), got in out.items():
            if jit and name in DRAWS:  # XLA draws other numbers
                assert got.shape == (3, 4), name
            else:
                same(got, calls[name](x, (3, 4)), f"{name} {form}")


@pytest.mark.skipif("tensorflow" not in BACKENDS, reason="needs TensorFlow")
def test_what_a_graph_knows_it_keeps() -> None:
    """Known sizes stay known where others are not; other uses of sizes that are tensors."""
    import tensorflow as tf

    with dispatch.use("tensorflow"):

        @tf.function(input_signature=[tf.TensorSpec((None, 4))], autograph=False)
        def run(x: Any) -> Any:
            assert ops.reshape(x, tf.shape(x)).shape.as_list() == [None, 4]
            assert ops.reshape(x, (ops.shape(x)[0], 2, -1)).shape.as_list()[:2] == [None, 2]
            assert ops.zeros(tf.shape(x)).shape.as_list() == [None, 4]
            assert ops.broadcast_to(x[:1], ops.shape(x)).shape.as_list() == [None, 4]
            length = ops.shape(x)[0]
            return (
                ops.slice(x, (0, 1), (length - 1, 2)),
                ops.eye(length),
                ops.full_like(x, 2.0),
                ops.meshgrid(x[:, 0], x[0])[0],
                ops.reshape(x, tf.size(x)),
            )

        block, eye, filled, grid, flat = run(tf.constant(X))
        same(block, X[:-1, 1:3], "slice")
        same(eye, np.eye(3), "eye")
        same(filled, np.full((3, 4), 2.0), "full_like")
        same(grid, np.meshgrid(X[:, 0], X[0])[0], "meshgrid")
        same(flat, X.ravel(), "reshape")


@pytest.mark.skipif("jax" not in BACKENDS, reason="needs JAX")
def test_sizes_that_jax_must_know() -> None:
    """Inside `jax.jit` a size that is an argument is refused with what to do; those of a tensor are known."""
    import jax

    with dispatch.use("jax"):
        x = ops.convert_to_tensor(X)
        for name, call in CALLS.items():
            for form in (lambda n: (3, n), lambda n: ops.stack([ops.cast(3, "int32"), n])):
                with pytest.raises(TypeError, match=r"(ops|random)\.\w+: `\w+` is a value that jax knows only when"):
                    jax.jit(lambda x, n: call(x, form(n)))(x, np.int32(4))
        together = jax.jit(
            lambda x: {name: CALLS[name](x, ops.shape(x)) for name in ("reshape", "tile", "zeros", "uniform")}
        )
        for name, got in together(x).items():
            same(got, CALLS[name](x, (3, 4)), name)


@pytest.mark.skipif("torch" not in BACKENDS, reason="needs torch")
def test_sizes_that_torch_knows_symbolically() -> None:
    """Under `torch.compile` with dynamic shapes, a tensor's sizes."""
    import torch

    def program(x: Any) -> Any:
        rows, columns = ops.shape(x)
        return (
            ops.reshape(x, (columns, -1)),
            ops.zeros((rows, 2)),
            ops.tile(x, (rows, 1)),
            ops.broadcast_to(x[:1], (rows, columns)),
        )

    with dispatch.use("torch"):
        torch._dynamo.reset()
        run = torch.compile(program, fullgraph=True, dynamic=True, backend="eager")
        for shape in ((3, 4), (5, 6)):
            x = torch.arange(float(np.prod(shape))).reshape(shape)
            for got, want in zip(run(x), program(x)):
                same(got, want, str(shape))
