"""Gradients where a function has a kink, a tie or an edge: the same on all frameworks, but for those that are named, with the reason."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import tricera
from tests.conftest import TRAINABLE
from tricera import losses, ops
from tricera.core import dispatch

NAN, INF = float("nan"), float("inf")


def of(name: str, *options: Any) -> Callable[..., Any]:
    """The sum of an op's result."""
    return lambda *xs: ops.sum(getattr(ops, name)(*xs, *options))


SINGULAR = [[1.0, 2.0, 3.0], [2.0, 4.0, 6.0], [1.0, 0.0, 1.0]]
# A name, the function, where, and its gradient by each argument.
ROWS: dict[str, tuple[Callable[..., Any], list[Any], list[Any]]] = {
    "maximum": (of("maximum"), [[1.0, 0], [1.0, 0]], [[0.5, 0.5]] * 2),
    "minimum": (of("minimum"), [[1.0, 0], [1.0, 0]], [[0.5, 0.5]] * 2),
    "fmax": (of("fmax"), [[1.0, 0], [1.0, 0]], [[0.5, 0.5]] * 2),
    "clip": (of("clip", -1.0, 1.0), [[-1.0, 1, 0, 2, NAN]], [[1, 1, 1, 0, 0]]),
    "clip's limits": (of("clip"), [[-1.0, 1, 2, 0], [-1.0] * 4, [1.0] * 4], [[1, 1, 0, 1], [0] * 4, [0, 0, 1, 0]]),
    "clip between crossed limits": (of("clip"), [[0.0], [1.0], [-1.0]], [[0], [0], [1]]),
    "relu": (of("relu"), [[0.0]], [[0]]),
    "relu6": (of("relu6"), [[0.0, 6]], [[1, 1]]),
    "leaky_relu": (of("leaky_relu"), [[0.0]], [[0.2]]),
    "elu": (of("elu"), [[0.0]], [[1]]),
    "selu": (of("selu"), [[0.0]], [[1.7580993]]),
    "celu": (of("celu"), [[0.0]], [[1]]),
    "hard_silu": (of("hard_silu"), [[-3.0, 3]], [[-0.5, 1.5]]),
    "hard_tanh": (of("hard_tanh"), [[-1.0, 1]], [[1, 1]]),
    "hard_shrink": (of("hard_shrink"), [[-0.5, 0.5]], [[0, 0]]),
    "soft_shrink": (of("soft_shrink"), [[-0.5, 0.5]], [[0.5, 0.5]]),
    "sparse_plus": (of("sparse_plus"), [[-1.0, 1]], [[0, 1]]),
    "sparse_sigmoid": (of("sparse_sigmoid"), [[-1.0, 1]], [[0.5, 0.5]]),
    "threshold": (of("threshold", 0.0, 0.0), [[0.0]], [[0]]),
    "absolute": (of("absolute"), [[0.0]], [[0]]),
    "sign": (of("sign"), [[0.0]], [[0]]),
    "floor": (of("floor"), [[0.0]], [[0]]),
    "round": (of("round"), [[0.5]], [[0]]),
    "angle": (of("angle"), [[0.0, -1]], [[0, 0]]),
    "angle of complex": (lambda x: ops.sum(ops.angle(ops.view_as_complex(x))), [[[0.0, 0], [3, 4]]], [[[0, 0], [-0.16, 0.12]]]),
    "size of complex": (lambda x: ops.sum(ops.absolute(ops.view_as_complex(x))), [[[0.0, 0], [3, 4]]], [[[0, 0], [0.6, 0.8]]]),
    "sqrt": (of("sqrt"), [[0.0]], [[INF]]),
    "rsqrt": (of("rsqrt"), [[0.0]], [[-INF]]),
    "log": (of("log"), [[0.0]], [[INF]]),
    "arccos": (of("arccos"), [[1.0, -1]], [[-INF, -INF]]),
    "sinc": (of("sinc"), [[0.0]], [[0]]),
    "power of a number": (lambda x: ops.sum(ops.power(x, 0) + ops.power(x, 0.0) + ops.power(x, 2) + ops.power(x, 1)), [[0.0]], [[1]]),
    "power": (of("power"), [[0.0, 0, 0, 1], [0.0, 1, 2, 0]], [[0, 1, 0, 0], [0] * 4]),
    "power of negative numbers": (of("power"), [[-1.0], [2.0]], [[-2], [NAN]]),
    "power of 0": (lambda x: ops.sum(ops.power(0.0, x)), [[0.0, 1, 2]], [[0, 0, 0]]),
    "arctan2": (of("arctan2"), [[0.0, 1], [0.0, 2]], [[0, 0.4], [0, -0.2]]),
    "hypot": (of("hypot"), [[0.0], [0.0]], [[0], [0]]),
    "divide_no_nan": (of("divide_no_nan"), [[0.0, 1], [0.0, 0]], [[0, 0]] * 2),
    "logaddexp": (of("logaddexp"), [[1.0, 2], [1.0, 2]], [[0.5, 0.5]] * 2),
    "logaddexp2": (of("logaddexp2"), [[1.0], [1.0]], [[0.5]] * 2),
    "norm": (of("norm"), [[0.0, 0]], [[NAN, NAN]]),
    "norm 1": (of("norm", 1), [[0.0, 0]], [[0, 0]]),
    "norm inf": (of("norm", INF), [[1.0, -1, 0]], [[0.5, -0.5, 0]]),
    "std": (of("std"), [[1.0, 1]], [[NAN, NAN]]),
    "normalize": (of("normalize"), [[[0.0, 0], [3, 4]]], [[[1e7, 1e7], [0.032, -0.024]]]),
    "max": (of("max"), [[1.0, 1, 0]], [[0.5, 0.5, 0]]),
    "max of rows": (of("max", 1), [[[1.0, 1, 0], [2, 2, 2]]], [[[0.5, 0.5, 0], [1 / 3] * 3]]),
    "min": (of("min"), [[1.0, 1, 2]], [[0.5, 0.5, 0]]),
    "nanmax": (of("nanmax"), [[1.0, 1, NAN]], [[0.5, 0.5, 0]]),
    "median": (of("median"), [[1.0, 1, 1]], [[0, 1, 0]]),
    "sort": (lambda x: ops.sum(ops.sort(x) * ops.array([1.0, 2, 3])), [[1.0, 1, 0]], [[2, 3, 1]]),
    "top_k": (lambda x: ops.sum(ops.top_k(x, 2)[0] * ops.array([1.0, 2])), [[1.0, 1, 1]], [[1, 2, 0]]),
    "max_pool": (lambda x: ops.sum(ops.max_pool(x, 2, data_format="channels_last")), [[[[1.0], [1]]]], [[[[1], [0]]]]),
    "adaptive_max_pool": (
        lambda x: ops.sum(ops.adaptive_max_pool(x, 1, data_format="channels_last")), [[[[1.0], [1]]]], [[[[0.5], [0.5]]]],
    ),
    "segment_max": (lambda x: ops.sum(ops.segment_max(x, [0, 0, 1], 2)), [[1.0, 1, 2]], [[0.5, 0.5, 1]]),
    "prod": (of("prod"), [[0.0, 2, 3]], [[6, 0, 0]]),
    "cumprod": (of("cumprod"), [[0.0, 2]], [[3, 0]]),
    "det": (of("det"), [SINGULAR], [[[4, 4, -4], [-2, -2, 2], [0, 0, 0]]]),
    "det of rank 1": (of("det"), [np.ones((3, 3)).tolist()], [np.zeros((3, 3))]),
    "where": (lambda x: ops.sum(ops.where(x > 0, ops.log(x), x)), [[0.0, 4, -1]], [[NAN, 0.25, 1]]),
    "where of sqrt": (lambda x: ops.sum(ops.where(x > 0, ops.sqrt(x), x)), [[0.0, 4, -1]], [[NAN, 0.25, NAN]]),
    "binary_crossentropy": (lambda x: ops.sum(ops.binary_crossentropy([1.0, 0], x)), [[0.0, 1]], [[0, 0]]),
    "crossentropy of logits": (lambda x: ops.sum(ops.binary_crossentropy([1.0, 0], x, from_logits=True)), [[0.0, 0]], [[-0.5, 0.5]]),
    "huber": (lambda x: losses.huber([0.0, 0, 0], x), [[1.0, -1, 0]], [[1 / 3, -1 / 3, 0]]),
    "hinge": (lambda x: losses.hinge([1.0], x), [[1.0]], [[-0.5]]),
    "mean_absolute_error": (lambda x: losses.mean_absolute_error([0.0], x), [[0.0]], [[0]]),
}  # fmt: skip

# Where a framework has another derivative, which to replace would cost time at every call.
_FIRST = "TensorFlow's kernels of `maximum` and `minimum` give all to the first"
DIFFERENT: dict[str, dict[str, tuple[list[Any], str]]] = {
    "tensorflow": {
        **{name: ([[1, 1], [0, 0]], _FIRST) for name in ("maximum", "minimum", "fmax")},
        "soft_shrink": ([[1, 1]], _FIRST),
        "hinge": ([[-1]], _FIRST),
        "selu": ([[1.0507010]], "the kernel takes 0 for positive"),
        "arctan2": ([[NAN, 0.4], [NAN, -0.2]], "the kernel divides 0 by 0"),
        "power": (
            [[NAN, 1, 0, 0], [0] * 4],
            "the kernel multiplies 0 by infinity where the power is a tensor, not a number",
        ),
        "power of negative numbers": ([[-2], [0]], "the kernel leaves out the logarithm of what is not positive"),
        "where of sqrt": ([[1, 0.25, 1]], "the kernel gives 0 where no gradient arrives"),
    },
    "torch": {
        "hard_silu": ([[0, 1]], "the kernel takes the ends for outside"),
        "adaptive_max_pool": ([[[[1], [0]]]], "the kernel gives all to the first"),
    },
}


def gradients(arguments: dict[str, list[Any]]) -> dict[str, Any]:
    """Those of all rows."""
    return {n: tricera.grad(fn, argnums=tuple(range(len(args))))(*arguments[n]) for n, (fn, args, _) in ROWS.items()}


def test_gradients(trainable_backend: str) -> None:
    """Each row."""
    arguments = {n: [ops.convert_to_tensor(np.array(a, "float32")) for a in args] for n, (_, args, _) in ROWS.items()}
    if trainable_backend == "jax":  # in one program: to compile each op takes long
        import jax

        rounds = [jax.jit(gradients)(arguments)]
    else:
        rounds = [gradients(arguments)]
        if trainable_backend == "tensorflow":  # the second call may go another way
            rounds.append(gradients(arguments))
    problems = []
    for found in rounds:
        for name, (_, _, want) in ROWS.items():
            right = DIFFERENT.get(trainable_backend, {}).get(name, (want, ""))[0]
            got = [ops.convert_to_numpy(g) for g in found[name]]
            if not all(np.allclose(g, w, 1e-4, 1e-5, equal_nan=True) for g, w in zip(got, right, strict=True)):
                problems.append(f"{name}: {[g.tolist() for g in got]}, not {right}")
    assert not problems, "\n".join(problems)


def test_exceptions_are_exceptions() -> None:
    """Every row that is said to differ does."""
    assert set(DIFFERENT) <= {"jax", *TRAINABLE, "tensorflow", "torch"}
    for rows in DIFFERENT.values():
        for name, (found, reason) in rows.items():
            assert reason
            assert not all(np.allclose(f, w, equal_nan=True) for f, w in zip(found, ROWS[name][2], strict=True)), name


def test_second_derivatives_of_jax() -> None:
    """The rules that take the place of JAX's own have derivatives themselves, and for either argument."""
    if "jax" not in TRAINABLE:
        return
    with dispatch.use("jax"):
        points = [ops.convert_to_tensor(np.array(a, "float32")) for a in ([0.7, 1.3], [1.2, -0.8])]
        for op, plain in ((ops.power, np.power), (ops.arctan2, np.arctan2)):
            found = tricera.hessian(lambda a, b, op=op: ops.sum(op(a, b)), argnums=(0, 1))(*points)
            h, (x, y) = 1e-3, (np.asarray(p, "float64") for p in points)
            mixed = (plain(x + h, y + h) - plain(x + h, y - h) - plain(x - h, y + h) + plain(x - h, y - h)) / (
                4 * h * h
            )
            twice = (plain(x + h, y) - 2 * plain(x, y) + plain(x - h, y)) / (h * h)
            np.testing.assert_allclose(np.diag(found[0][1]), mixed, rtol=1e-3, atol=1e-4)
            np.testing.assert_allclose(np.diag(found[0][0]), twice, rtol=1e-3, atol=1e-4)
            np.testing.assert_allclose(found[1][0], np.transpose(found[0][1]), rtol=1e-4)
