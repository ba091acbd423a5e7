"""Sparse tensors through the ops: the values of dense ones, sparse where the table says so, traced too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tricera
from tests.conftest import TRAINABLE
from tricera import ops
from tricera.core import dispatch
from tricera.core.inference import PUBLIC
from tricera.core.sparse import RULES
from tricera.core.tensor import KerasTensor
from tricera.core.variable import Variable

S = np.array([[0, 0.5, 0, -0.5], [0.25, 0, 0, 0], [0, 0, 0.75, 0]], "float32")
T = np.array([[0, 0.5, 0.25, 0], [0, 0, 0.5, 0], [0.5, 0, 0.75, 0]], "float32")
D = (np.arange(1, 13).reshape(3, 4) / 10).astype("float32")


@pytest.fixture(params=TRAINABLE)
def framework(request: pytest.FixtureRequest) -> Any:
    """Each framework that has sparse tensors."""
    with dispatch.use(request.param) as backend:
        yield backend


class Sparse:
    """Marks an array that goes in as a sparse tensor."""

    def __init__(self, array: np.ndarray) -> None:
        self.array = array


def sparse(array: np.ndarray) -> Any:
    """The native sparse tensor of an array."""
    name = dispatch.current().name
    if name == "tensorflow":
        import tensorflow as tf

        return tf.sparse.from_dense(array)
    if name == "jax":
        from jax.experimental.sparse import BCOO

        return BCOO.fromdense(array)
    import torch

    return torch.from_numpy(array).to_sparse()


def is_sparse(x: Any) -> bool:
    """Whether a tensor is sparse."""
    return dispatch.current().is_sparse(x)


def check(call: Callable[..., Any], *operands: Any, kind: bool = True) -> None:
    """Sparse operands give the values of dense ones; the result is sparse just where it is inferred to be."""
    right = ops.convert_to_numpy(call(*[ops.convert_to_tensor(getattr(x, "array", x)) for x in operands]))
    out = call(*[sparse(x.array) if isinstance(x, Sparse) else ops.convert_to_tensor(x) for x in operands])
    spec = call(
        *[
            KerasTensor(x.array.shape, x.array.dtype, sparse=True)
            if isinstance(x, Sparse)
            else KerasTensor(x.shape, x.dtype)
            for x in operands
        ]
    )
    got = ops.convert_to_numpy(out)
    assert tuple(out.shape) == got.shape == right.shape == spec.shape
    np.testing.assert_allclose(got, right, atol=1e-6)
    # torch's own kernels decide for themselves.
    assert dispatch.current().name == "torch" or not kind or is_sparse(out) == spec.sparse


UNARY = sorted(
    n
    for n in RULES
    if n not in ("cast", "reshape", "expand_dims", "squeeze", "transpose", "sum", "mean", "concatenate")
)
UNARY = [n for n in UNARY if RULES[n].keeps([True]) and PUBLIC[n].op.leading == 1]
BINARY = ("add", "subtract", "maximum", "minimum", "fmax", "fmin", "multiply", "divide", "true_divide", "divide_no_nan")


def test_unary(framework: Any) -> None:
    """What is 0 at 0 stays sparse."""
    for name in UNARY if framework.name != "jax" else UNARY[::4]:
        check(PUBLIC[name], Sparse(S))
    assert len(UNARY) > 40
    check(lambda x: ops.cast(x, "float16"), Sparse(S))
    for name in ("cos", "exp", "sigmoid", "softmax", "cumsum", "sort", "isnan"):
        check(PUBLIC[name], Sparse(S))
        assert not PUBLIC[name](KerasTensor(S.shape, sparse=True)).sparse


@pytest.mark.parametrize("name", BINARY)
def test_binary(name: str, framework: Any) -> None:
    """Sparse beside sparse, dense, a row and numbers."""
    call = PUBLIC[name]
    if "divide" not in name:
        check(call, Sparse(S), Sparse(T))
    check(call, Sparse(S), D)
    if name not in ("divide", "true_divide"):
        check(call, D, Sparse(S))
    check(call, Sparse(S), D[:1])
    check(call, Sparse(S), D[0])
    check(lambda x: call(x, 2.0), Sparse(S))
    if "divide" not in name:
        check(lambda x: call(2.0, x), Sparse(S))


MOVES: dict[str, Callable[[Any], Any]] = {
    "reshape": lambda x: ops.reshape(x, (2, -1)),
    "expand_dims": lambda x: ops.expand_dims(x, -1),
    "expand_dims two": lambda x: ops.expand_dims(x, (0, 2)),
    "transpose": lambda x: ops.transpose(x),
    "sum": lambda x: ops.sum(x, axis=1),
    "sum all": lambda x: ops.sum(x),
    "sum kept": lambda x: ops.sum(x, axis=0, keepdims=True),
    "mean": lambda x: ops.mean(x, axis=(0,)),
    "mean kept": lambda x: ops.mean(x, axis=-1, keepdims=True),
    "max": lambda x: ops.max(x, axis=-1),
    "argmax": lambda x: ops.argmax(x, axis=-1),
    "chain": lambda x: ops.sum(ops.tanh(ops.transpose(ops.expand_dims(ops.square(x), 1), (2, 1, 0))), axis=1),
}


@pytest.mark.parametrize("name", MOVES)
def test_moves_and_reductions(name: str, framework: Any) -> None:
    """Shapes, orders of axes, sums along axes."""
    check(MOVES[name], Sparse(S))


def test_axes(framework: Any) -> None:
    """Three axes, axes of length 1, tensors joined."""
    deep = np.stack([S, T])
    check(lambda x: ops.transpose(x, (1, 2, 0)), Sparse(deep))
    check(lambda x: ops.sum(x, axis=(0, 2)), Sparse(deep))
    check(lambda x: ops.squeeze(x), Sparse(S[None]))
    check(lambda x: ops.squeeze(x, axis=0), Sparse(S[None]))
    for axis in (0, -1):
        check(lambda x, y, a=axis: ops.concatenate([x, y], axis=a), Sparse(S), Sparse(T))
    check(lambda x, y: ops.concatenate([x, y]), Sparse(S), D)


def test_products(framework: Any) -> None:
    """Matrices: sparse by sparse is sparse, all else dense."""
    check(ops.matmul, Sparse(S), np.ascontiguousarray(D.T))
    check(ops.matmul, np.ascontiguousarray(D.T), Sparse(S))
    check(ops.matmul, Sparse(S), Sparse(np.ascontiguousarray(T.T)))
    check(ops.matmul, Sparse(S), D[0])
    check(ops.matmul, Sparse(np.stack([S, T])), np.stack([D.T, D.T]))
    check(lambda x, y: ops.tensordot(x, y, 1), Sparse(S), np.ascontiguousarray(D.T))
    check(lambda x, y: ops.einsum("ij,kj->ik", x, y), Sparse(S), D)


def test_made_sparse(backend: str) -> None:
    """`one_hot`, `multi_hot` and `bincount` on demand, the same numbers; on NumPy dense."""
    ids, weights = np.array([[1, 0, 3], [2, 2, 1]], "int32"), np.array([[1, 2, 3], [4, 5, 6]], "float32")
    calls: list[Callable[[Any, bool], Any]] = [
        lambda x, s: ops.one_hot(x, 4, sparse=s),
        lambda x, s: ops.one_hot(x, 3, axis=0, dtype="int32", sparse=s),
        lambda x, s: ops.multi_hot(x, 4, sparse=s),
        lambda x, s: ops.multi_hot(x[0], 4, sparse=s),
    ]
    for call in calls:
        out, right = call(ids, True), call(ids, False)
        np.testing.assert_array_equal(ops.convert_to_numpy(out), ops.convert_to_numpy(right))
        assert ops.dtype(out) == ops.dtype(right)
        assert is_sparse(out) == (backend != "numpy")
    for out, right in (
        (ops.bincount(ids, minlength=5, sparse=True), ops.bincount(ids, minlength=5)),
        (ops.bincount(ids[0], weights[0], sparse=True), ops.bincount(ids[0], weights[0])),
        (ops.bincount(ids, weights, sparse=True), ops.bincount(ids, weights)),
    ):
        np.testing.assert_array_equal(ops.convert_to_numpy(out), ops.convert_to_numpy(right))
        assert is_sparse(out) == (backend != "numpy")
    assert ops.one_hot(KerasTensor((None,), "int32"), 4, sparse=True).sparse
    assert not ops.one_hot(KerasTensor((None,), "int32"), 4).sparse


def test_conversion(framework: Any) -> None:
    """A sparse tensor is a tensor, stays one unless dense ones are asked for, and gives its values."""
    x = sparse(S)
    assert ops.is_tensor(x)
    assert (ops.shape(x), ops.ndim(x), ops.dtype(x)) == ((3, 4), 2, "float32")
    assert is_sparse(ops.convert_to_tensor(x))
    assert is_sparse(ops.convert_to_tensor(x, "float16", sparse=True))
    dense = ops.convert_to_tensor(x, sparse=False)
    assert not is_sparse(dense)
    for y in (x, dense):
        np.testing.assert_array_equal(ops.convert_to_numpy(y), S)
    symbol = KerasTensor((None, 4), sparse=True)
    assert ops.convert_to_tensor(symbol).sparse
    assert not ops.convert_to_tensor(symbol, sparse=False).sparse
    with pytest.raises(ValueError, match=r"ops\.add.*\(3, 4\).*\(3, 3\)"):
        ops.add(x, np.ones((3, 3), "float32"))


def test_gradients(framework: Any) -> None:
    """A loss of a sparse product has the gradient of the dense one."""
    w = Variable(D.T)

    def loss(x: Any) -> Any:
        return ops.sum(ops.matmul(ops.multiply(x, ops.convert_to_tensor(D)), w) ** 2)

    found = tricera.grad(loss, w)(sparse(S))
    right = tricera.grad(loss, w)(ops.convert_to_tensor(S))
    np.testing.assert_allclose(ops.convert_to_numpy(found), ops.convert_to_numpy(right), rtol=1e-5)


def program(x: Any, y: Any, d: Any) -> Any:
    """A bit of everything."""
    z = ops.concatenate([ops.add(x, y), ops.maximum(x, y)], axis=0) * 2.0
    z = ops.reshape(ops.relu(z / ops.concatenate([d, d], axis=0)), (4, 6))
    return ops.matmul(
        ops.transpose(z), ops.sum(ops.expand_dims(d, 1), axis=-1)[:1] + ops.ones((4, 1)) * 0 + 1.0
    ), ops.sum(z, axis=0)


@pytest.mark.parametrize("name", [n for n in TRAINABLE if n != "torch"])
def test_traced(name: str) -> None:
    """Inside `jax.jit` and `tf.function`, there with an unknown batch, too."""
    with dispatch.use(name):
        want = program(*map(ops.convert_to_tensor, (S, T, D)))
        if name == "jax":
            import jax

            got = jax.jit(program)(sparse(S), sparse(T), D)
        else:
            import tensorflow as tf

            got = tf.function(program)(sparse(S), sparse(T), D)

            @tf.function(input_signature=[tf.SparseTensorSpec((None, 4), tf.float32)])
            def unknown(x: Any) -> Any:
                hot = ops.one_hot(ops.cast(ops.sum(x, axis=1), "int32"), 3, sparse=True)
                return ops.matmul(ops.tanh(x) * 2.0, D.T), ops.transpose(x), hot

            product, turned, _ = unknown(sparse(S))
            np.testing.assert_allclose(product, np.tanh(S) * 2 @ D.T, rtol=1e-5)
            np.testing.assert_array_equal(ops.convert_to_numpy(turned), S.T)
        for a, b in zip(got, want, strict=True):
            np.testing.assert_allclose(ops.convert_to_numpy(a), ops.convert_to_numpy(b), rtol=1e-5)


def test_layers(framework: Any) -> None:
    """Layers called on sparse tensors: what they are made of are ops."""
    layers = tricera.layers
    dense, embedding = layers.Dense(2, "tanh"), layers.Embedding(4, 2)
    ids = np.array([[0, 1], [2, 0]], "int32")
    for layer, x in (
        (dense, S),
        (embedding, ids),
        (layers.Flatten(), S),
        (layers.ReLU(), S),
        (layers.Rescaling(2.0), S),
    ):
        right = ops.convert_to_numpy(layer(x))
        np.testing.assert_allclose(ops.convert_to_numpy(layer(sparse(x))), right, rtol=1e-5)
    for join in (layers.Add, layers.Multiply, layers.Average, layers.Concatenate):
        out = join()([sparse(S), sparse(T)])
        np.testing.assert_allclose(ops.convert_to_numpy(out), ops.convert_to_numpy(join()([S, T])), rtol=1e-5)
        assert is_sparse(out)
        assert join()([tricera.Input((4,), sparse=True), tricera.Input((4,), sparse=True)]).sparse


def test_a_functional_model(framework: Any) -> None:
    """A model from a sparse input: wired, called, saved as a config, its gradients those of dense input."""
    inputs = tricera.Input((4,), sparse=True)
    model = tricera.Model(inputs, tricera.layers.Dense(1)(inputs))
    assert type(model).from_config(model.get_config()).inputs[0].sparse
    np.testing.assert_allclose(ops.convert_to_numpy(model(sparse(S))), ops.convert_to_numpy(model(S)), rtol=1e-5)
