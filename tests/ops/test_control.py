"""Control flow on every backend, run directly and compiled."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import tricera
from tests.conftest import BACKENDS, TRAINABLE
from tricera import ops
from tricera.core import dispatch, tree
from tricera.core.tensor import KerasTensor
from tricera.core.variable import Variable


@pytest.fixture(params=[f"{b}{how}" for b in BACKENDS for how in ("", " compiled") if how == "" or b in TRAINABLE])
def compiled(request: pytest.FixtureRequest) -> Iterator[Callable[..., Any]]:
    """A way to run a function of tensors: as it is, or compiled."""
    name, _, how = request.param.partition(" ")

    def run(fn: Callable[..., Any], *args: Any) -> Any:
        tensors = [ops.convert_to_tensor(a) for a in args]
        if not how:
            return fn(*tensors)
        if name == "jax":
            import jax

            return jax.jit(fn)(*tensors)
        if name == "torch":
            import torch

            return torch.compile(fn, fullgraph=True, backend="eager")(*tensors)
        import tensorflow as tf

        return tf.function(fn)(*tensors)

    with dispatch.use(name):
        ops.negative(ops.ones(()))  # a backend's modules can't be imported while torch traces
        yield run


def same(got: Any, want: Any) -> None:
    """Compare values and shapes."""
    got = ops.convert_to_numpy(got)
    assert got.shape == np.shape(want)
    np.testing.assert_allclose(got, want, rtol=1e-5)


def test_cond(compiled: Any) -> None:
    """The condition chooses."""

    def choose(p: Any, x: Any) -> Any:
        return ops.cond(p, lambda: x + 1, lambda: x * 3)

    same(compiled(choose, True, 2.0), 3.0)
    same(compiled(choose, False, 2.0), 6.0)


def test_switch_limits_the_index(compiled: Any) -> None:
    """An index out of range takes the nearest branch."""
    branches = [lambda x: x, lambda x: x * 2, lambda x: x * 3]
    for index, want in ((0, 5.0), (2, 15.0), (9, 15.0), (-4, 5.0)):
        same(compiled(lambda i, x: ops.switch(i, branches, x), index, 5.0), want)


def test_while_loop(compiled: Any) -> None:
    """Doubling until a bound, with a limit on the steps and without."""

    def double(x: Any, limit: int | None = None) -> Any:
        return ops.while_loop(lambda i, v: v < 100, lambda i, v: (i + 1, v * 2), (0, x), maximum_iterations=limit)

    steps, value = compiled(double, 3.0)
    same(steps, 6)
    same(value, 192.0)
    same(compiled(lambda x: double(x, 2)[1], 3.0), 12.0)
    same(compiled(lambda x: ops.while_loop(lambda v: v < 10, lambda v: v + 4, x), 0), 12)


def test_fori_loop(compiled: Any) -> None:
    """The sum of squares."""
    same(compiled(lambda x: ops.fori_loop(1, 5, lambda i, v: v + ops.cast(i * i, "float32"), x), 0.0), 30.0)


@pytest.mark.parametrize("reverse", [False, True])
def test_scan(compiled: Any, reverse: bool) -> None:
    """Running sums forwards and backwards."""
    x = np.arange(6, dtype="float32").reshape(3, 2)
    total, sums = compiled(lambda v: ops.scan(lambda c, s: (c + s, c + s), ops.zeros((2,)), v, reverse=reverse), x)
    same(total, x.sum(0))
    same(sums, np.cumsum(x[::-1], 0)[::-1] if reverse else np.cumsum(x, 0))


def test_scan_by_length_and_structures(backend: str) -> None:
    """Without a sequence, with a dictionary as carry, and without results."""
    carry, ys = ops.scan(lambda c, _: ({"a": c["a"] * 2.0}, c["a"]), {"a": ops.ones(())}, length=4)
    same(carry["a"], 16.0)
    same(ys, [1.0, 2.0, 4.0, 8.0])
    carry, ys = ops.scan(
        lambda c, s: (c + s[0] * s[1], None), 0.0, (np.ones(3, "float32"), np.arange(3, dtype="float32"))
    )
    same(carry, 3.0)
    assert ys is None
    with pytest.raises(ValueError, match="how many steps"):
        ops.scan(lambda c, s: (c, s), 0.0)


def test_map_and_vectorized_map(compiled: Any) -> None:
    """Row by row, and all rows at once."""
    x = np.arange(6, dtype="float32").reshape(3, 2)
    same(compiled(lambda v: ops.map(lambda r: ops.sum(r * r), v), x), (x * x).sum(1))
    same(compiled(lambda v: ops.vectorized_map(lambda r: ops.sum(r * r), v), x), (x * x).sum(1))


def test_associative_scan(backend: str) -> None:
    """As a running sum and, from the end, a running maximum."""
    x = np.array([[3, 1, 4, 1, 5], [9, 2, 6, 5, 3]], "float32")
    same(ops.associative_scan(ops.add, x, axis=1), np.cumsum(x, 1))
    same(ops.associative_scan(ops.maximum, x, reverse=True, axis=-1), np.maximum.accumulate(x[:, ::-1], 1)[:, ::-1])


def test_symbolic_control_flow() -> None:
    """Shapes are inferred."""
    x = KerasTensor((None, 5, 3))
    assert ops.while_loop(lambda v: True, lambda v: v, (x,))[0].shape == (None, 5, 3)
    assert ops.fori_loop(0, 2, lambda i, v: v, x).shape == (None, 5, 3)
    carry, ys = ops.scan(lambda c, s: (c + s, ops.sum(s, axis=-1)), KerasTensor((5, 3)), x)
    assert (carry.shape, ys.shape) == ((5, 3), (None, 5))
    assert ops.map(lambda s: ops.sum(s), x).shape == (None,)
    assert ops.cond(KerasTensor((), "bool"), lambda: x, lambda: x * 2).shape == (None, 5, 3)


@pytest.mark.parametrize("name", TRAINABLE)
def test_custom_gradient(name: str) -> None:
    """The gradient is the one given, not the true one."""

    @ops.custom_gradient
    def square(x: Any) -> Any:
        return x * x, lambda upstream: upstream * 100.0

    with dispatch.use(name) as backend:
        v = Variable([3.0])
        value, (grad,) = backend.control.value_and_grad(lambda: ops.sum(square(v)), [v])()
        same(value, 9.0)
        same(grad, [100.0])


@pytest.mark.parametrize("name", TRAINABLE)
def test_custom_gradient_in_transforms(name: str) -> None:
    """The gradient given is taken by every transform, also of nested arguments, and has a gradient itself."""

    @ops.custom_gradient
    def sine(x: Any) -> Any:
        return ops.sin(x), lambda *args, upstream=None: (args[0] if upstream is None else upstream) * 3.0 * x

    @ops.custom_gradient
    def line(d: Any, y: Any) -> Any:
        return d["a"] * y + d["b"], lambda up: ({"a": up * y, "b": up * 2.0}, up * d["a"] * 5.0)

    def total(x: Any) -> Any:
        return ops.sum(sine(x))

    with dispatch.use(name):
        x = ops.convert_to_tensor(np.array([1.0, 2.0], "float32"))
        same(tricera.grad(total)(x), [3.0, 6.0])
        same(tricera.grad(lambda v: ops.sum(tricera.grad(total)(v)))(x), [3.0, 3.0])
        same(tricera.vmap(tricera.grad(sine))(x), [3.0, 6.0])
        same(tricera.jacobian(sine)(x), [[3.0, 0.0], [0.0, 6.0]])
        found = tricera.grad(lambda d: ops.sum(line(d, x)))({"a": x, "b": x})
        same(found["a"], [1.0, 2.0])
        same(found["b"], [2.0, 2.0])
        same(tricera.grad(lambda y: ops.sum(line({"a": x, "b": x}, y)))(x), [5.0, 10.0])
        value, slope, more = tricera.jvp(
            lambda v, d: (sine(v) * line(d, v), 7), (x, {"a": x, "b": x}), (x, {"a": x, "b": x}), True
        )
        want = np.sin(x_ := np.array([1.0, 2.0])) * (x_ * x_ + x_)
        same(value, want)
        # d sine = 3 v dv, d line = dv * 5 a + da * v + 2 db
        same(slope, 3 * x_ * x_ * (x_ * x_ + x_) + np.sin(x_) * (5 * x_ * x_ + x_ * x_ + 2 * x_))
        assert more == 7
        same(ops.jvp(sine, (x,), (x,))[1], 3 * x_ * x_)


@pytest.mark.skipif("torch" not in TRAINABLE, reason="needs torch")
def test_custom_gradient_in_torch_compile() -> None:
    """One graph, whose gradient is the one given; too few gradients are refused."""
    import torch

    @ops.custom_gradient
    def square(x: Any) -> Any:
        return x * x, lambda upstream: upstream * x * 100.0

    x = torch.tensor([1.0, 2.0], requires_grad=True)
    with dispatch.use("torch"):
        torch.compile(lambda v: square(v).sum(), fullgraph=True, backend="aot_eager")(x).backward()
    same(x.grad, [100.0, 200.0])

    @ops.custom_gradient
    def wrong(x: Any, y: Any) -> Any:
        return x + y, lambda upstream: upstream

    with pytest.raises(ValueError, match="custom_gradient: the derivative gave 1 gradients for 2 arguments"):
        wrong(x, x).sum().backward()


def test_nested_structures(compiled: Any) -> None:
    """Dictionaries, tuples and lists go in and come out, of conditions, loops and scans."""

    def program(x: Any, flag: Any) -> Any:
        state = {"a": x, "b": [x + 1.0, (x * 2.0,)]}
        chosen = ops.cond(flag, lambda: {"p": x, "q": (x + 1.0,)}, lambda: {"p": x * 0.0, "q": (x * 5.0,)})
        _, looped = ops.while_loop(
            lambda i, s: i < 3,
            lambda i, s: (i + 1, {"a": s["a"] * 2.0, "b": [s["b"][0] + s["a"], s["b"][1]]}),
            (0, state),
        )
        single = ops.while_loop(lambda s: ops.sum(s["n"]) < 9.0, lambda s: {"n": s["n"] + 1.0}, {"n": x})
        summed = ops.fori_loop(
            0, 3, lambda i, v: {"s": v["s"] + ops.cast(i, "float32"), "t": (v["s"],)}, {"s": x, "t": (x,)}
        )
        carry, ys = ops.scan(
            lambda c, v: ({"c": c["c"] + v["u"] * v["v"][0]}, {"y": (c["c"],), "z": v["u"]}),
            {"c": ops.zeros(())},
            {"u": x, "v": (x + 1.0,)},
        )
        mapped = ops.map(lambda v: {"m": v[0] * v[1], "n": (v[0],)}, (x, x + 1.0))
        at_once = ops.vectorized_map(lambda v: {"m": v[0] * v[1], "n": (v[0],)}, (x, x + 1.0))
        joined = ops.associative_scan(
            lambda p, q: {"a": p["a"] + q["a"], "b": (p["b"][0] * q["b"][0],)}, {"a": x, "b": (x,)}
        )
        branch = ops.switch(1, [lambda v: {"r": v["k"]}, lambda v: {"r": v["k"] * 3.0}], {"k": x})
        return chosen, looped, single, summed, carry, ys, mapped, at_once, joined, branch

    x = np.array([1.0, 2.0, 3.0], "float32")
    chosen, looped, single, summed, carry, ys, mapped, at_once, joined, branch = compiled(program, x, True)
    same(chosen["p"], x)
    same(chosen["q"][0], x + 1)
    same(looped["a"], 8 * x)
    same(looped["b"][0], x + 1 + 7 * x)
    same(looped["b"][1][0], 2 * x)
    same(single["n"], x + 1)
    same(summed["s"], x + 3)
    same(summed["t"][0], x + 1)
    same(carry["c"], (x * (x + 1)).sum())
    same(ys["y"][0], np.cumsum(x * (x + 1)) - x * (x + 1))
    same(ys["z"], x)
    for found in (mapped, at_once):
        same(found["m"], x * (x + 1))
        same(found["n"][0], x)
    same(joined["a"], np.cumsum(x))
    same(joined["b"][0], np.cumprod(x))
    same(branch["r"], 3 * x)


def test_updates_at_traced_places(compiled: Any) -> None:
    """`unstack`, `slice`, `slice_update` and `scatter_update` where the places are tensors."""
    x = np.arange(12, dtype="float32").reshape(3, 4)

    def program(v: Any, start: Any) -> Any:
        rows = ops.unstack(v)
        block = ops.slice(v, (start, start), (2, 2))
        placed = ops.slice_update(v, (start, start), block * 10.0)
        scattered = ops.scatter_update(v, ops.reshape(ops.stack([start, start]), (1, 2)), ops.convert_to_tensor([-1.0]))
        added = ops.scatter_update(v, ops.reshape(start, (1, 1)), ops.ones((1, 4)), reduction="add")
        return rows[2], block, placed, scattered, added

    row, block, placed, scattered, added = compiled(program, x, np.int32(1))
    same(row, x[2])
    same(block, x[1:3, 1:3])
    want = x.copy()
    want[1:3, 1:3] *= 10
    same(placed, want)
    want = x.copy()
    want[1, 1] = -1
    same(scattered, want)
    want = x.copy()
    want[1] += 1
    same(added, want)


def test_nothing_to_go_through(compiled: Any) -> None:
    """A scan, and maps, of length 0: results of length 0, of the shapes and dtypes that they would have."""
    empty = np.zeros((0, 2), "float32")

    def program(x: Any) -> Any:
        carry, ys = ops.scan(
            lambda c, v: (c + v, {"y": v * 2.0, "n": ops.cast(ops.sum(v), "int32")}), ops.ones((2,)), x
        )
        return carry, ys, ops.map(lambda v: ops.sum(v), x), ops.fori_loop(3, 1, lambda i, v: v + 1.0, ops.ones((2,)))

    carry, ys, mapped, looped = compiled(program, empty)
    same(carry, np.ones(2))
    same(looped, np.ones(2))
    same(ys["y"], empty)
    same(ys["n"], np.zeros(0))
    assert ops.dtype(ys["n"]) == "int32"
    same(mapped, np.zeros(0))


@pytest.mark.parametrize(
    "name, how", [*((n, "") for n in TRAINABLE), *((n, "compiled") for n in TRAINABLE if n != "torch")]
)
def test_gradients_through_control_flow(name: str, how: str) -> None:
    """Derivatives of what a condition, a loop of known length, a scan and a map give, also inside JAX's jit and XLA's graphs."""
    x = np.array([0.5, 1.0, 1.5], "float32")

    def derivative(fn: Callable[[Any], Any]) -> Any:
        run = tricera.grad(fn)
        if how == "compiled" and name == "jax":
            import jax

            run = jax.jit(run)
        elif how == "compiled" and name == "tensorflow":
            import tensorflow as tf

            run = tf.function(run, jit_compile=True)
        return run(v)

    with dispatch.use(name):
        v = ops.convert_to_tensor(x)
        same(derivative(lambda t: ops.sum(ops.cond(ops.sum(t) > 0, lambda: t**2, lambda: t))), 2 * x)
        same(derivative(lambda t: ops.sum(ops.fori_loop(0, 3, lambda i, a: a * t, ops.ones((3,))))), 3 * x**2)
        same(derivative(lambda t: ops.scan(lambda c, s: (c * s, c), ops.ones(()), t)[0]), x.prod() / x)
        same(derivative(lambda t: ops.sum(ops.map(lambda s: s**3, t))), 3 * x**2)
        same(derivative(lambda t: ops.sum(ops.vectorized_map(lambda s: s**3, t))), 3 * x**2)
        same(derivative(lambda t: ops.sum(ops.associative_scan(ops.add, t))), [3.0, 2.0, 1.0])
        same(derivative(lambda t: ops.sum(ops.switch(1, [lambda s: s, lambda s: s * 4.0], t))), [4.0] * 3)
        same(derivative(lambda t: ops.sum(ops.slice_update(t, [1], t[:1] ** 2))), [1 + 2 * x[0], 0, 1])
        same(derivative(lambda t: ops.sum(ops.stop_gradient(t) * t)), x)


def _depends_on_values(x: Any, n: Any, w: Any) -> Any:
    """Every construct, with conditions and numbers of steps that are values of tensors; `w` is what functions close over."""
    chosen = ops.cond(n > 2, lambda: {"v": (x * w, 1), "none": None}, lambda: {"v": (x, 2), "none": None})
    picked = ops.switch(n - 1, [lambda a: a, lambda a: ops.multiply(a, w), lambda a: a - w], x)
    limited = ops.while_loop(
        lambda i, s: ops.sum(s["a"]) < 10.0 * ops.cast(n, "float32"),
        lambda i, s: (i + 1, {"a": s["a"] * w}),
        (0, {"a": x}),
        maximum_iterations=3,
    )
    summed = ops.fori_loop(
        n - 2,
        n,
        lambda i, s: {"q": s["q"] + s["r"], "r": ops.cond(ops.equal(i, 1), lambda: s["r"] * w, lambda: s["r"])},
        {"q": x, "r": x},
    )
    carry, ys = ops.scan(
        lambda c, v: (ops.cond(v * ops.cast(n, "float32") > 1.5, lambda: c + v, lambda: c), c), 0.0, x[:2]
    )
    mapped = ops.map(lambda v: ops.fori_loop(0, n, lambda i, a: a + v, v), x[:2])
    joined = ops.associative_scan(lambda a, b: ops.where(n > 2, a + b, a * b), x)
    return chosen["v"], picked, limited[0], limited[1]["a"], summed["q"], carry, ys, mapped, joined


@pytest.mark.parametrize("name", TRAINABLE)
def test_conditions_that_are_known_only_when_run(name: str) -> None:
    """The same compiled code for several values gives what the direct way gives."""
    from tests.ops.test_tracing import compiled as whole

    x = np.array([1.0, 2.0, 3.0], "float32")
    with dispatch.use(name):
        tensor, w = ops.convert_to_tensor(x), ops.negative(ops.convert_to_tensor(np.float32(-2.0)))
        run = whole(name, _depends_on_values)
        for n in (1, 3):
            got = [ops.convert_to_numpy(t) for t in tree.flatten(run(tensor, ops.convert_to_tensor(np.int32(n)), w))]
            with dispatch.use("numpy"):
                want = tree.flatten(_depends_on_values(x, np.int32(n), np.float32(2.0)))
            for a, b in zip(got, want, strict=True):
                same(a, b)


@pytest.mark.skipif("torch" not in BACKENDS, reason="needs torch")
def test_gradients_of_compiled_conditions() -> None:
    """torch, through AOTAutograd: results of integers beside, and a carry that begins without a gradient."""
    import torch

    def loss(v: Any, steps: Any) -> Any:
        powers = ops.fori_loop(0, steps, lambda i, a: a * v, ops.ones((3,)))
        return ops.sum(ops.cond(steps > 2, lambda: (powers, 1, True), lambda: (v, 2, False))[0])

    with dispatch.use("torch"):
        v = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
        torch._dynamo.reset()
        run = torch.compile(loss, fullgraph=True, backend="aot_eager")
        same(torch.autograd.grad(run(v, torch.tensor(3)), v)[0], 3 * v.detach() ** 2)
        same(torch.autograd.grad(run(v, torch.tensor(2)), v)[0], np.ones(3))


@pytest.mark.skipif("torch" not in BACKENDS, reason="needs torch")
def test_torch_compiles_a_variable_that_is_read_inside() -> None:
    """One that has its value, that is: what makes it can't be traced."""
    import torch

    with dispatch.use("torch"):
        variable = Variable([1.0, 2.0])
        variable.native  # noqa: B018
        torch._dynamo.reset()
        run = torch.compile(lambda x: ops.add(variable, x), fullgraph=True, backend="eager")
        same(run(torch.tensor([1.0, 2.0])).detach(), [2.0, 4.0])


@pytest.mark.skipif("torch" not in BACKENDS, reason="needs torch")
def test_what_torch_compiles_beyond_jax() -> None:
    """Sizes that are values, branches of different shapes, and a condition for each slice of a map."""
    import torch

    def program(x: Any, n: Any) -> Any:
        sized = ops.zeros((n, 2))
        cut = ops.cond(n > 1, lambda: x, lambda: x[:1])
        each = ops.vectorized_map(lambda v: ops.cond(v > 1.5, lambda: v, lambda: -v), x)
        return sized, cut, each

    with dispatch.use("torch"):
        torch._dynamo.reset()
        run = torch.compile(program, fullgraph=True, backend="eager")
        for n in (3, 1):
            sized, cut, each = run(torch.tensor([1.0, 2.0]), torch.tensor(n))
            same(sized, np.zeros((n, 2)))
            same(cut, [1.0, 2.0][: n if n == 1 else 2])
            same(each, [-1.0, 2.0])


def test_scan_of_structures_backwards(backend: str) -> None:
    """Carries, slices and results in structures, from the end; results stay in their places."""
    xs = {"a": np.arange(6, dtype="float32").reshape(3, 2), "b": np.array([1, 2, 3], "int32")}

    def step(carry: Any, x: Any) -> Any:
        total, count = carry
        return (total + x["a"], count + x["b"]), {"y": total * 2, "z": [count, x["b"]]}

    (total, count), ys = ops.scan(step, (np.zeros(2, "float32"), np.int32(0)), xs, reverse=True)
    assert ops.convert_to_numpy(total).tolist() == [6, 9]
    assert int(count) == 6
    assert ops.convert_to_numpy(ys["y"]).tolist() == [[12, 16], [8, 10], [0, 0]]
    assert ops.convert_to_numpy(ys["z"][0]).tolist() == [5, 3, 0]
    assert ops.convert_to_numpy(ys["z"][1]).tolist() == [1, 2, 3]
    last, nothing = ops.scan(lambda c, _: (c * 2, None), np.float32(1), length=5)
    assert float(last) == 32 and nothing is None
