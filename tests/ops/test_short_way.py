"""The short way: what was called once goes straight to the framework, and gives what the long way gives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from benchmarks.eager import CALLS, operands
from tests.conftest import BACKENDS
from tricera import ops
from tricera.core import dispatch
from tricera.core.op import OPS, Op
from tricera.core.state import cells
from tricera.core.tensor import KerasTensor
from tricera.core.variable import Variable, autocast

FRAMEWORKS = [b for b in BACKENDS if b != "numpy"]


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A function after which a call by the long way fails."""

    def refuse(self: Op, args: Any, kwargs: Any) -> Any:
        raise AssertionError(f"{self.name} went the long way")

    return lambda: monkeypatch.setattr(Op, "bind", refuse)


def forget() -> None:
    """Make all ops forget what they have met."""
    for op in OPS.values():
        op.fast.clear()


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_the_commonest_ops_take_it(name: str, short: Any) -> None:
    """The second call of each of the twenty ops that the benchmark times, with the first one's result."""
    with dispatch.use(name):
        forget()
        tensors = [ops.convert_to_tensor(a) for a in operands()]
        calls = {op: make(*tensors) for op, make in CALLS.items()}
        assert len(calls) == 20
        first = {op: getattr(ops, op)(*args, **options) for op, (args, options) in calls.items()}
        short()
        for op, (args, options) in calls.items():
            second = getattr(ops, op)(*args, **options)
            assert ops.dtype(second) == ops.dtype(first[op]), op
            np.testing.assert_allclose(ops.convert_to_numpy(second), ops.convert_to_numpy(first[op]), err_msg=op)


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_other_forms_take_it(name: str, short: Any) -> None:
    """Options by position, by name and in lists, variables, numbers, a framework's dtypes, several ranks."""
    with dispatch.use(name):
        forget()
        x, v = ops.convert_to_tensor(operands()[0]), Variable(operands()[1])
        cube = ops.ones((2, 2, 4))
        calls = {
            "a list": lambda: ops.reshape(x, [2, -1]),
            "a number": lambda: ops.reshape(x, -1),
            "by position": lambda: ops.sum(x, -1, True),
            "two axes": lambda: ops.mean(cube, axis=(0, -1)),
            "another rank": lambda: ops.softmax(cube, axis=-1),
            "a variable": lambda: ops.exp(v),
            "two variables": lambda: ops.matmul(v, v),
            "a tensor and a variable": lambda: ops.add(x, v),
            "a variable and options": lambda: ops.max(v, axis=0, keepdims=True),
            "a number beside a tensor": lambda: ops.multiply(x, 2.0),
            "a tuple of tensors": lambda: ops.stack((x, x), axis=1),
            "a dtype": lambda: ops.cast(x, cube.dtype),
            "negative positions": lambda: ops.take(x, positions, axis=1),
            "a convolution": lambda: ops.conv(image, kernel, strides=1, padding="same"),
        }
        positions = ops.convert_to_tensor(np.array([-1, 0, -4], "int32"))
        image, kernel = ops.ones((1, 4, 4, 2)), ops.ones((2, 2, 2, 3))
        first = {form: ops.convert_to_numpy(call()) for form, call in calls.items()}
        np.testing.assert_array_equal(first["negative positions"], operands()[0][:, [-1, 0, -4]])
        short()
        for form, call in calls.items():
            np.testing.assert_allclose(ops.convert_to_numpy(call()), first[form], rtol=1e-6, err_msg=form)


def test_equal_options_of_other_types(backend: str) -> None:
    """What an integer was remembered for does not let a float through."""
    x = ops.ones((2, 8))
    for _ in range(2):
        assert tuple(ops.sum(x, axis=1).shape) == (2,)
        assert tuple(ops.reshape(x, (4, 4)).shape) == (4, 4)
        assert tuple(ops.concatenate([x, x], axis=1).shape) == (2, 16)
        for wrong in (
            lambda: ops.sum(x, axis=1.0),
            lambda: ops.reshape(x, (4.0, 4.0)),
            lambda: ops.concatenate([x, x], axis=1.0),
        ):
            with pytest.raises((TypeError, ValueError)):
                wrong()


def test_a_list_that_changes(backend: str) -> None:
    """An option in a list is remembered by what it was."""
    x, shape = ops.ones((2, 8)), [4, 4]
    for n in (4, 2, 4, 8):
        shape[:] = [n, 16 // n]
        assert tuple(ops.reshape(x, shape).shape) == (n, 16 // n)


def test_lists_of_unlike_tensors(backend: str) -> None:
    """After tensors of one dtype, others are promoted; a variable and a symbolic tensor are what they are; errors name the op."""
    x, y, v = ops.ones((2, 2)), ops.ones((2, 2), "int32"), Variable([[1.0, 2.0]])
    for _ in range(2):
        assert ops.dtype(ops.concatenate([y, y])) == "int32"
        assert ops.dtype(ops.concatenate([y, x])) == "float32" == ops.dtype(ops.concatenate([x, y]))
        assert tuple(ops.concatenate([x, v]).shape) == (3, 2)
        assert ops.concatenate([x, KerasTensor((None, 2))]).shape == (None, 2)
        with pytest.raises(ValueError, match=r"ops\.concatenate"):
            ops.concatenate([x, ops.ones((2, 3))])
        with pytest.raises(ValueError, match=r"ops\.concatenate"):
            ops.concatenate([x, ops.ones((2,))])


def test_variables_inside_scopes(backend: str) -> None:
    """A variable is read anew each time: from open cells, and in the dtype of mixed precision."""
    v = Variable([[1.0, 2.0]])
    for _ in range(2):
        assert float(ops.sum(v, axis=1)[0]) == 3.0
        with cells([(v, ops.ones((1, 2)))]):
            assert float(ops.sum(v, axis=1)[0]) == 2.0
        with autocast("float16"):
            assert ops.dtype(ops.sum(v, axis=1)) == "float16"
            assert ops.dtype(ops.concatenate([v, v])) == "float16"
        assert ops.dtype(ops.concatenate([v, v])) == "float32"


def test_the_default_dtype_is_looked_up_each_time(backend: str) -> None:
    """`cast(x, None)` is to floatx, whatever it is at the time."""
    from tricera import config

    x = ops.ones((2,), "int32")
    assert ops.dtype(ops.cast(x, None)) == ops.dtype(ops.cast(x, None)) == "float32"
    config.set_floatx("float16")
    try:
        assert ops.dtype(ops.cast(x, None)) == "float16"
    finally:
        config.set_floatx("float32")
    assert ops.dtype(ops.cast(x, None)) == "float32"


def test_the_wrong_number_of_arguments(backend: str) -> None:
    """All errors of a call's form name the op."""
    x = ops.ones((2,))
    for call in (lambda: ops.exp(), lambda: ops.exp(x, x), lambda: ops.exp(x, y=x), lambda: ops.exp(x, x=x)):
        with pytest.raises(TypeError, match="exp"):
            call()


@pytest.mark.skipif("tensorflow" not in BACKENDS, reason="needs TensorFlow")
def test_what_eager_tensors_left_behind_inside_a_graph() -> None:
    """TensorFlow's eager tensors inside a graph: shapes stay known, negative positions count from the end."""
    import tensorflow as tf

    with dispatch.use("tensorflow"):
        x, positions = tf.reshape(tf.range(16.0), (4, 4)), tf.constant([-1, 0])
        ops.reshape(x, (2, 8)), ops.take(x, positions, axis=0)

        @tf.function
        def run() -> Any:
            y = ops.reshape(x, (2, 8))
            assert y.shape.as_list() == [2, 8]
            assert ops.transpose(x, (1, 0)).shape.as_list() == [4, 4]
            return ops.take(x, positions, axis=0)

        np.testing.assert_array_equal(run().numpy()[:, 0], [12, 0])
