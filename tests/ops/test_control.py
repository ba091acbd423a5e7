"""Control flow on every backend, run directly and compiled."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from tests.conftest import BACKENDS, TRAINABLE
from tricera import ops
from tricera.core import dispatch
from tricera.core.tensor import KerasTensor
from tricera.core.variable import Variable


@pytest.fixture(
    params=[f"{b}{how}" for b in BACKENDS for how in ("", " compiled") if how == "" or b in ("jax", "tensorflow")]
)
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
        import tensorflow as tf

        return tf.function(fn)(*tensors)

    with dispatch.use(name):
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
