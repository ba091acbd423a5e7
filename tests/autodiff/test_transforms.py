"""Derivatives and mapping: closed forms, the same on each framework, run directly and compiled."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import tricera
from tests.conftest import TRAINABLE
from tricera import layers, ops
from tricera.core import dispatch
from tricera.core.variable import Variable

RNG = np.random.default_rng(0)
A = RNG.normal(size=(3, 4)).astype("float32")
X = RNG.normal(size=4).astype("float32")
U = RNG.normal(size=3).astype("float32")


def same(got: Any, want: Any, tol: float = 1e-5) -> None:
    """Compare structures of tensors and arrays."""
    flat, right = tricera.tree.flatten(got), tricera.tree.flatten(want)
    assert len(flat) == len(right)
    for a, b in zip(flat, right, strict=True):
        a = ops.convert_to_numpy(a)
        assert a.shape == np.shape(b)
        np.testing.assert_allclose(a, b, rtol=tol, atol=tol)


@pytest.fixture(params=[f"{b}{how}" for b in TRAINABLE for how in ("", " compiled") if not how or b != "torch"])
def run(request: pytest.FixtureRequest) -> Iterator[Callable[..., Any]]:
    """A way to run a function of tensors: as it is, or compiled."""
    name, _, how = request.param.partition(" ")

    def call(fn: Callable[..., Any], *args: Any) -> Any:
        tensors = tricera.tree.map_structure(ops.convert_to_tensor, args)
        if not how:
            return fn(*tensors)
        if name == "jax":
            import jax

            return jax.jit(fn)(*tensors)
        import tensorflow as tf

        return tf.function(fn, jit_compile=True)(*tensors)

    with dispatch.use(name):
        yield call


def layer(x: Any, a: Any) -> Any:
    """A function with a simple Jacobian: diag(1 - tanh²(a x)) a."""
    return ops.tanh(ops.matmul(a, x))


def layer_jacobian() -> np.ndarray:
    """Its Jacobian by x."""
    return (1 - np.tanh(A @ X) ** 2)[:, None] * A


def test_grad_of_arguments(run: Any) -> None:
    """By one argument, by several, by structures, with what comes beside."""
    same(run(tricera.grad(lambda x: ops.sum(x**3)), X), 3 * X**2)
    same(run(tricera.grad(lambda x, y: ops.sum(x * y**2), argnums=(1, 0)), X, X + 1), (2 * X * (X + 1), (X + 1) ** 2))
    same(run(tricera.grad(lambda x, y: ops.sum(x * y**2), argnums=-1), X, X + 1), 2 * X * (X + 1))

    def energy(p: Any) -> Any:
        return ops.sum(p["a"] * p["b"][0]) + 0.0 * ops.sum(p["b"][1]), {"twice": p["a"] * 2.0, "none": None}

    structure = {"a": X, "b": [X + 1, U]}
    (value, aux), grads = run(tricera.value_and_grad(energy, has_aux=True), structure)
    same(value, (X * (X + 1)).sum())
    same(grads, {"a": X + 1, "b": [X, np.zeros(3)]})
    assert aux["none"] is None
    same(aux["twice"], 2 * X)
    same(run(lambda p: tricera.grad(energy, has_aux=True)(p)[0], structure)["a"], X + 1)


def test_unused_arguments_get_zeros(run: Any) -> None:
    """Also where the result doesn't depend on anything."""
    same(run(tricera.grad(lambda x, y: ops.sum(x), argnums=(0, 1)), X, U), (np.ones(4), np.zeros(3)))
    same(run(tricera.grad(lambda x: ops.convert_to_tensor(2.0)), X), np.zeros(4))
    same(run(tricera.grad(lambda x: ops.sum(ops.stop_gradient(x) * x)), X), X)


def test_grad_of_grad(run: Any) -> None:
    """Derivatives of any order."""
    third = tricera.grad(tricera.grad(tricera.grad(lambda x: ops.sin(x) * x)))
    same(run(third, np.float32(0.7)), -3 * np.sin(0.7) - 0.7 * np.cos(0.7), 1e-4)


def test_vjp(run: Any) -> None:
    """u J, as often as one likes."""

    def both(x: Any, a: Any, u: Any) -> Any:
        out, pullback = tricera.vjp(layer, x, a)
        return out, pullback(u), pullback(u * 2.0)

    out, (by_x, by_a), (twice, _) = run(both, X, A, U)
    same(out, np.tanh(A @ X))
    same(by_x, U @ layer_jacobian())
    same(twice, 2 * U @ layer_jacobian())
    same(by_a, np.outer(U * (1 - np.tanh(A @ X) ** 2), X))


def test_vjp_of_structures(run: Any) -> None:
    """Results and arguments that are structures, and a result that is an argument."""

    def go(x: Any) -> Any:
        out, pullback, aux = tricera.vjp(
            lambda p: ({"same": p["x"], "sq": p["x"] ** 2}, p["x"] + 1.0), {"x": x}, has_aux=True
        )
        return out, pullback({"same": ops.ones_like(x), "sq": x}), aux

    out, (back,), aux = run(go, X)
    same(out, {"same": X, "sq": X**2})
    same(back, {"x": 1 + 2 * X * X})
    same(aux, X + 1)


def test_jvp(run: Any) -> None:
    """J v, the adjoint of u J."""
    out, slope = run(lambda x, a, v: tricera.jvp(lambda y: layer(y, a), (x,), (v,)), X, A, X + 1)
    same(out, np.tanh(A @ X))
    same(slope, layer_jacobian() @ (X + 1))
    out, slope, aux = run(
        lambda x: tricera.jvp(lambda p: ({"s": p[0] * p[1]}, p[0]), ([x, x + 1.0],), ([x, x],), has_aux=True), X
    )
    same((out, slope, aux), ({"s": X * (X + 1)}, {"s": X * (X + 1) + X * X}, X))


def test_jacobian(run: Any) -> None:
    """The closed form, at results and arguments of several axes, and by several arguments."""
    same(run(tricera.jacobian(layer), X, A), layer_jacobian())
    by_x, by_a = run(tricera.jacobian(layer, argnums=(0, 1)), X, A)
    same(by_x, layer_jacobian())
    same(by_a, np.einsum("i,ij,k->ijk", 1 - np.tanh(A @ X) ** 2, np.eye(3), X))
    same(run(tricera.jacobian(lambda a: ops.transpose(a) * 2.0), A), 2 * np.einsum("ik,jl->jikl", np.eye(3), np.eye(4)))
    found = run(tricera.jacobian(lambda p: {"u": p[0] * 3.0, "v": ops.sum(p[1])}), [X[:2], U])
    same(found, {"u": [3 * np.eye(2), np.zeros((2, 3))], "v": [np.zeros(2), np.ones(3)]})


def test_hessian(run: Any) -> None:
    """Of a quadratic form, of a sum of cubes, and across a structure."""
    square = A[:, :3]
    same(run(tricera.hessian(lambda x, m: ops.dot(x, ops.matmul(m, x))), U, square), square + square.T)
    same(run(tricera.hessian(lambda x: ops.sum(x**3)), X), np.diag(6 * X))
    found = run(tricera.hessian(lambda p: ops.sum(p["a"] * p["b"] ** 2)), {"a": U, "b": U + 1})
    zero, mixed, last = np.zeros((3, 3)), np.diag(2 * (U + 1)), np.diag(2 * U)
    same(found, {"a": {"a": zero, "b": mixed}, "b": {"a": mixed, "b": last}})


def test_jacobian_of_networks_agrees_with_differences(run: Any) -> None:
    """Convolution, pooling, normalisation, softmax: the Jacobian against central differences."""
    kernel = RNG.normal(size=(3, 2, 3)).astype("float32")
    x = RNG.normal(size=(1, 6, 2)).astype("float32")

    def network(v: Any) -> Any:
        h = ops.conv(v, ops.convert_to_tensor(kernel), padding="same")
        h = ops.average_pool(ops.gelu(h), 2, 2)
        return ops.softmax(ops.layer_normalization(h), axis=-1)

    found = ops.convert_to_numpy(run(tricera.jacobian(network), x))
    for j in range(2):
        for c in range(2):
            step = np.zeros_like(x)
            step[0, j, c] = 1e-2
            high, low = (ops.convert_to_numpy(network(ops.convert_to_tensor(x + s))) for s in (step, -step))
            np.testing.assert_allclose(found[..., 0, j, c], (high - low) / 2e-2, atol=5e-3)


def test_vmap(backend: str) -> None:
    """Axes in and out, arguments that are not mapped, structures; on NumPy too."""
    rows = A
    same(tricera.vmap(ops.dot, in_axes=(0, None))(rows, X), A @ X)
    same(tricera.vmap(lambda r: r * 2.0, in_axes=1, out_axes=1)(rows), 2 * A)
    same(tricera.vmap(lambda r: r * 2.0, in_axes=-1)(rows), 2 * A.T)
    found = tricera.vmap(
        lambda p, b: {"s": p["x"] + b, "t": ops.sum(p["x"])}, in_axes=({"x": 1}, None), out_axes={"s": 1, "t": 0}
    )({"x": A}, U)
    same(found, {"s": A + U[:, None], "t": A.sum(0)})
    same(tricera.vmap(tricera.vmap(ops.dot, in_axes=(None, 0)), in_axes=(0, None))(rows, rows), A @ A.T)


def test_vmap_of_grad(run: Any) -> None:
    """One gradient a sample, and the Jacobian by mapped directions."""
    same(
        run(
            lambda a, x: tricera.vmap(tricera.grad(lambda r, v: ops.tanh(ops.dot(r, v)), argnums=1), (0, None))(a, x),
            A,
            X,
        ),
        layer_jacobian(),
    )
    same(
        run(
            lambda x, a: tricera.vmap(lambda v: tricera.jvp(lambda y: layer(y, a), (x,), (v,))[1], out_axes=1)(
                ops.eye(4)
            ),
            X,
            A,
        ),
        layer_jacobian(),
    )


def test_vmap_inside_compilers(run: Any) -> None:
    """As it is and compiled."""
    same(run(tricera.vmap(lambda r, v: ops.sum(ops.exp(r) * v), in_axes=(0, None)), A, X), (np.exp(A) * X).sum(1))


def test_variables(trainable_backend: str) -> None:
    """Variables as arguments and in structures; what is assigned inside stays assigned, once."""
    w, b = Variable(X), Variable(2.0, trainable=False)
    count = Variable(0.0, trainable=False)

    def loss(scale: Any = 1.0) -> Any:
        count.assign_add(1.0)
        return ops.sum(w * w) * b * scale

    same(tricera.grad(loss, {"w": w, "rest": [b]})(3.0), {"w": 12 * X, "rest": [3 * (X * X).sum()]})
    value, grads = tricera.value_and_grad(loss, w)()
    same((value, grads), (2 * (X * X).sum(), 4 * X))
    assert float(count) == 2.0

    def of_argument(v: Any) -> Any:
        count.assign_add(1.0)
        return ops.sum(v**3)

    same(tricera.grad(of_argument)(w), 3 * X**2)
    assert float(count) == 3.0
    out, pullback = tricera.vjp(lambda v: (count.assign_add(1.0), v * b)[1], w)
    same((out, pullback(np.ones(4))), (2 * X, (2 * np.ones(4),)))
    assert float(count) == 4.0
    same(tricera.jvp(lambda v: (count.assign_add(1.0), v * b)[1], (w,), (X,)), (2 * X, 2 * X))
    assert float(count) == 5.0
    same(tricera.hessian(lambda v: ops.sum(v**3) * b)(w), np.diag(12 * X))


def test_layers(trainable_backend: str) -> None:
    """A layer is a function like another: per-sample gradients, and the Jacobian by its input."""
    dense = layers.Dense(3, "tanh")
    dense.build((None, 4))
    kernel = dense.kernel.numpy()
    x = RNG.normal(size=(5, 4)).astype("float32")
    found = tricera.vmap(tricera.jacobian(lambda r: dense(ops.expand_dims(r, 0))[0]))(x)
    same(found, (1 - np.tanh(x @ kernel) ** 2)[:, :, None] * kernel.T, 1e-4)


def test_layers_that_are_built_inside(trainable_backend: str) -> None:
    """The weights of a layer that is met first inside a transform are values, not the transform's."""
    x = ops.ones((2, 3))
    first, second, third = layers.Dense(1), layers.Dense(1), layers.BatchNormalization()
    derivative = tricera.grad(lambda a: ops.sum(first(a)))(x)
    np.testing.assert_allclose(ops.convert_to_numpy(derivative), np.ones((2, 1)) @ first.get_weights()[0].T, rtol=1e-6)
    out, slope = tricera.jvp(lambda a: second(a), (x,), (x,))
    np.testing.assert_allclose(ops.convert_to_numpy(slope), ops.convert_to_numpy(out), rtol=1e-6)
    mapped = tricera.vmap(lambda a: third(a[None])[0])(x)
    np.testing.assert_allclose(ops.convert_to_numpy(mapped), np.ones((2, 3)), rtol=1e-2)
    assert third.get_weights()[0].shape == (3,)


def test_float64(trainable_backend: str) -> None:
    """In double precision where the framework has it."""
    if trainable_backend == "jax":
        pytest.skip("JAX has no float64 unless x64 is switched on for the whole process")
    x = RNG.normal(size=4)
    same(tricera.hessian(lambda v: ops.sum(ops.exp(v)))(ops.convert_to_tensor(x, "float64")), np.diag(np.exp(x)), 1e-12)


def test_numpy_refuses() -> None:
    """NumPy has no derivatives, and says what has."""
    with dispatch.use("numpy"):
        w = Variable(1.0)
        for call in (
            lambda: tricera.grad(ops.sum)(X),
            lambda: tricera.value_and_grad(ops.sum)(X),
            lambda: tricera.grad(lambda: w * 1.0, [w])(),
            lambda: tricera.vjp(ops.sum, X),
            lambda: tricera.jvp(ops.sum, (X,), (X,)),
            lambda: tricera.jacobian(ops.sum)(X),
            lambda: tricera.hessian(ops.sum)(X),
        ):
            with pytest.raises(NotImplementedError, match="Choose another"):
                call()


BAD: list[tuple[str, Callable[[], Any], type[Exception], str]] = [
    (
        "integers",
        lambda: tricera.grad(ops.sum)(np.arange(3)),
        TypeError,
        "grad: derivatives are with respect to floating",
    ),
    ("no scalar", lambda: tricera.grad(lambda x: x * 2.0)(X), ValueError, "must return one scalar"),
    ("argnums", lambda: tricera.grad(ops.sum, argnums=2)(X), ValueError, "grad: `argnums`=2"),
    ("argnums type", lambda: tricera.jacobian(ops.sum, argnums="x")(X), TypeError, "jacobian: `argnums` must be"),  # type: ignore[arg-type]
    ("no function", lambda: tricera.vjp(3, X), TypeError, "vjp: `fn` must be a function"),  # type: ignore[arg-type]
    ("cotangent shape", lambda: tricera.vjp(ops.sum, X)[1](X), ValueError, "a cotangent has the shape"),
    ("cotangents", lambda: tricera.vjp(ops.sum, X)[1]([X, X]), ValueError, "needs 1 cotangents"),
    ("tangent shape", lambda: tricera.jvp(ops.sum, (X,), (U,)), ValueError, "a tangent has the shape"),
    ("tangents", lambda: tricera.jvp(ops.sum, (X,), (X, X)), ValueError, "1 primals need as many tangents"),
    ("primals", lambda: tricera.jvp(ops.sum, X, X), TypeError, "must be tuples or lists"),
    ("in_axes", lambda: tricera.vmap(ops.dot, (0,))(X, X), ValueError, "`in_axes` has 1 entries for 2"),
    ("sizes", lambda: tricera.vmap(ops.add)(X, U), ValueError, "must be of one size"),
    ("nothing mapped", lambda: tricera.vmap(ops.sum, None)(X), ValueError, "no argument is mapped"),
    ("axis", lambda: tricera.vmap(ops.sum, 1)(X), ValueError, "has the axis 1"),
    ("out_axes", lambda: tricera.vmap(ops.exp, 0, (0, 1))(X), ValueError, "`out_axes`"),
    ("no variable", lambda: tricera.grad(ops.sum, [X])(), TypeError, "must hold variables"),
    ("none", lambda: tricera.grad(ops.sum, [])(), ValueError, "at least one variable"),
]


@pytest.mark.parametrize(("call", "kind", "message"), [b[1:] for b in BAD], ids=[b[0] for b in BAD])
def test_bad_input(call: Callable[[], Any], kind: type[Exception], message: str, trainable_backend: str) -> None:
    """The same error on each backend."""
    with pytest.raises(kind, match=message):
        call()


P, Q = 0.5, 1.5  # where functions with branches and loops are differentiated twice
TWICE: dict[str, tuple[Callable[[Any], Any], Any]] = {
    "cond": (lambda x: ops.sum(ops.cond(ops.sum(x) > 0, lambda: x**3, lambda: x)), np.diag([6 * P, 6 * Q])),
    "scan": (
        lambda x: ops.sum(ops.scan(lambda c, r: (c * r + x[0], c * r), ops.ones(()), x**2)[1]),
        [[2 + 2 * Q**2, 2 * (2 * P + 1) * Q], [2 * (2 * P + 1) * Q, 2 * (P**2 + P)]],
    ),
    "map": (
        lambda x: ops.sum(ops.map(lambda r: r**3 * x[0], x)),
        [[12 * P**2, 3 * Q**2], [3 * Q**2, 6 * P * Q]],
    ),
}


def test_second_derivatives_of_loops(trainable_backend: str) -> None:
    """Of branches and loops, in TensorFlow's graphs too, where they can't be mapped over the rows of a Jacobian."""
    x = ops.convert_to_tensor(np.array([P, Q], "float32"))
    for name, (fn, want) in TWICE.items():
        want = np.asarray(want)
        same(tricera.hessian(fn)(x), want)
        if trainable_backend == "tensorflow" and name == "scan":
            import tensorflow as tf

            same(tf.function(tricera.hessian(fn))(x), want)
            same(tf.function(lambda x, fn=fn: tricera.jvp(tricera.grad(fn), (x,), (x,))[1])(x), want @ [P, Q])


def test_second_derivatives_of_max_pooling(trainable_backend: str) -> None:
    """The square of each maximum has the second derivative 2, all else none."""
    image = np.arange(16, dtype="float32").reshape(1, 4, 4, 1)
    found = tricera.hessian(lambda x: ops.sum(ops.max_pool(x, 2, data_format="channels_last") ** 2))(
        ops.convert_to_tensor(image)
    )
    same(ops.reshape(found, (16, 16)), np.diag([2.0 if i in (5, 7, 13, 15) else 0.0 for i in range(16)]))


def test_forward_derivatives_of_what_has_its_own_gradient(trainable_backend: str) -> None:
    """Factors of matrices, products of segments, results in a structure and what comes beside."""
    m, x = (ops.convert_to_tensor(np.array(v, "float32")) for v in ([[2, 1], [1, 3]], [2, 3]))
    same(tricera.jvp(lambda a: ops.lu_factor(a)[0], (m,), (ops.ones((2, 2)),))[1], np.array([[1, 1], [0.25, 0.25]]))
    value, slope, aux = tricera.jvp(
        lambda a: ({"p": ops.segment_prod(a, [0, 0], 1), "n": a * 2}, ops.sum(a)), (x,), (ops.ones((2,)),), has_aux=True
    )
    same(value, {"p": np.array([6]), "n": np.array([4, 6])})
    same(slope, {"p": np.array([5]), "n": np.array([2, 2])})
    same(aux, 5)


def test_while_loop_has_no_gradient_on_jax(trainable_backend: str) -> None:
    """It says what to write in its place; on the others it has one."""
    grad = tricera.grad(lambda x: ops.while_loop(lambda i, a: i < 3, lambda i, a: (i + 1, a * x), (0, x))[1])
    if trainable_backend == "jax":
        with pytest.raises(ValueError, match=r"ops.fori_loop.*ops.scan"):
            grad(ops.convert_to_tensor(2.0))
    else:
        same(grad(ops.convert_to_tensor(2.0)), 32.0)
