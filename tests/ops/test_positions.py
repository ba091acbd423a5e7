"""Positions that are read and written: from the end, out of range, repeated; on every backend, and where JAX can't raise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tricera import ops, random

X = np.arange(1.0, 7.0, dtype="float32").reshape(2, 3)
THREE = np.array([1, 2, 3], "float32")
FLAGS = np.array([True, False])

# A call, and what it gives.
ROWS: dict[str, tuple[Callable[[], Any], Any]] = {
    "scatter from the end": (lambda: ops.scatter([[0], [-3], [-1]], THREE, (4,)), [1, 2, 0, 3]),
    "scatter on two axes": (lambda: ops.scatter([[0, 1], [1, -1]], THREE[:2], (2, 3)), [[0, 1, 0], [0, 0, 2]]),
    "scatter of one value": (lambda: ops.scatter([[0], [1]], 1.0, (3,)), [1, 1, 0]),
    "scatter of booleans": (lambda: ops.scatter([[0], [0]], FLAGS, (2,)), FLAGS),
    **{
        f"scatter_update {how} from the end": (
            lambda how=how: ops.scatter_update(THREE, [[-1], [0], [0]], THREE + 1, reduction=how),
            want,
        )
        for how, want in (("add", [8, 2, 5]), ("max", [4, 2, 3]), ("min", [1, 2, 2]), ("mul", [12, 2, 6]))
    },
    "scatter_update from the end": (lambda: ops.scatter_update(THREE, [[-1], [-3]], [8.0, 9.0]), [9, 2, 8]),
    "scatter_update of one row": (lambda: ops.scatter_update(X, [[1], [0]], THREE), [[1, 2, 3], [1, 2, 3]]),
    "scatter_update of booleans": (lambda: ops.scatter_update(FLAGS, [[0], [1]], [False, True], "mul"), [False, False]),
    "take from the end": (lambda: ops.take(X, [-1, 0], axis=0), X[::-1]),
    "take_along_axis, broadcast": (lambda: ops.take_along_axis(X, [[-1, 0]], axis=1), [[3, 1], [6, 4]]),
    "slice of the rest": (lambda: ops.slice(X, ops.convert_to_tensor(np.array([1, 1], "int32")), (-1, 2)), [[5, 6]]),
    "repeat of booleans": (lambda: ops.repeat(X, True, axis=0), X),
    "repeat by a tensor": (lambda: ops.repeat(X, ops.convert_to_tensor([0, 2]), axis=0), X[[1, 1]]),
    "roll of two axes by one": (lambda: ops.roll(X, 1, axis=(0, 1)), np.roll(X, 1, axis=(0, 1))),
    "roll by several": (lambda: ops.roll(X, (1, 1)), np.roll(X, (1, 1))),
    "einsum without a result": (lambda: ops.einsum("...ij,...jk", X[None], X.T[None]), (X @ X.T)[None]),
    "einsum, letters in order": (lambda: ops.einsum("...b,b...a", X, np.ones((3, 2, 2), "float32")), X.sum(1, keepdims=True).repeat(2, 1)),
}  # fmt: skip

REFUSED: dict[str, tuple[Callable[[], Any], type[Exception]]] = {
    "slice behind the end": (lambda: ops.slice(X, (1, 2), (1, 2)), ValueError),
    "slice from the end": (lambda: ops.slice(X, (-1, 0), (1, 2)), ValueError),
    "slice by a tensor": (lambda: ops.slice(X, ops.convert_to_tensor(np.array([1, 2], "int32")), (1, 2)), ValueError),
    "slice of fractions": (lambda: ops.slice(X, (0.5, 0), (1, 1)), TypeError),
    "slice from too few": (lambda: ops.slice(X, (0,), (1, 1)), ValueError),
    "slice_update behind the end": (lambda: ops.slice_update(X, (1, 2), X[:1, :2]), ValueError),
    "slice_update from the end": (lambda: ops.slice_update(X, (-1, 0), X[:1, :2]), ValueError),
    "repeat by a fraction": (lambda: ops.repeat(X, 1.5, axis=0), TypeError),
    "repeat by fractions": (lambda: ops.repeat(X, [1.5, 2], axis=0), TypeError),
    "repeat less than never": (lambda: ops.repeat(X, [-1, 2], axis=0), ValueError),
    "repeat by a matrix": (lambda: ops.repeat(X, [[1, 2]], axis=0), ValueError),
    "repeat of too few": (lambda: ops.repeat(X, [1, 2, 3], axis=0), ValueError),
    "roll by a fraction": (lambda: ops.roll(X, 1.5, axis=0), TypeError),
    "corrcoef of a stack": (lambda: ops.corrcoef(X[None]), ValueError),
    "geomspace through 0": (lambda: ops.geomspace(-1.0, 8.0), ValueError),
    "geomspace from 0": (lambda: ops.geomspace(0, 8), ValueError),
}

# Out of range: what JAX, which can't raise for a value, gives.
BEYOND: dict[str, tuple[Callable[[], Any], Any]] = {
    "take": (lambda: ops.take(THREE, [0, 3]), [1, np.nan]),
    "take from before": (lambda: ops.take(THREE, [0, -4]), [1, np.nan]),
    "take of integers": (lambda: ops.take(THREE.astype("int32"), [0, 3]), [1, np.iinfo("int32").min]),
    "take_along_axis": (lambda: ops.take_along_axis(X, [[3], [0]], axis=1), [[np.nan], [4]]),
    "take_along_axis of all": (lambda: ops.take_along_axis(X, [6, -7]), [np.nan, np.nan]),
    "get_item": (lambda: ops.get_item(ops.convert_to_tensor(THREE), ops.convert_to_tensor([0, 3])), [1, np.nan]),
    "scatter": (lambda: ops.scatter([[0], [3], [-4]], THREE, (3,)), [1, 0, 0]),
    "scatter_update": (lambda: ops.scatter_update(THREE, [[0], [3]], [8.0, 9.0]), [8, 2, 3]),
    "scatter_update on two axes": (lambda: ops.scatter_update(X, [[0, 3]], [9.0], "max"), X),
    "scatter_update mul": (lambda: ops.scatter_update(THREE, [[0], [-4]], [8.0, 9.0], "mul"), [8, 2, 3]),
}


def test_positions(backend: str) -> None:
    """The same result on every backend."""
    for name, (call, want) in ROWS.items():
        np.testing.assert_array_equal(ops.convert_to_numpy(call()), want, err_msg=name)


@pytest.mark.parametrize("name", REFUSED)
def test_refused(backend: str, name: str) -> None:
    """The same error on every backend, which names the op."""
    call, kind = REFUSED[name]
    with pytest.raises(kind, match=r"ops\.\w+"):
        call()


def test_out_of_range(backend: str) -> None:
    """A ValueError, or on JAX what is documented."""
    for name, (call, want) in BEYOND.items():
        if backend == "jax":
            np.testing.assert_array_equal(ops.convert_to_numpy(call()), want, err_msg=name)
            continue
        with pytest.raises(ValueError, match=r"ops\.\w+"):
            call()


SATURATED = np.array([np.inf, -np.inf, np.nan, 1e6, -1e6, 465.0, -3.5], "float32")


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "int8", "uint8", "uint32", "int64"])
def test_saturate_cast(backend: str, dtype: str) -> None:
    """Numbers out of range become the greatest or the least; NaN is 0 among integers."""
    got = ops.convert_to_numpy(ops.saturate_cast(SATURATED, dtype))
    if dtype.startswith(("int", "uint")):
        low, high = np.iinfo(got.dtype).min, np.iinfo(got.dtype).max
        want = [high, low, 0, min(10**6, high), max(-(10**6), low), min(465, high), max(-3, low)]
    else:
        high = {"float16": 65504.0, "bfloat16": 3.3895313892515355e38, "float32": np.inf}[dtype]
        want = np.clip(SATURATED, -high, high).astype("float32").astype(got.dtype).tolist()
    np.testing.assert_array_equal(got.astype("float64"), np.array([float(w) for w in want]))


@pytest.mark.parametrize("dtype", ["int32", "bool"])
def test_dropout_of_no_floats(backend: str, dtype: str) -> None:
    """It is made a float first."""
    out = random.dropout(np.ones((20, 20), dtype), 0.5, seed=1)
    assert ops.dtype(out) == "float32"
    assert set(np.unique(ops.convert_to_numpy(out)).tolist()) == {0.0, 2.0}


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_nextafter(backend: str, dtype: str) -> None:
    """One step in the direction of the other number, from zero and to infinity."""
    a = ops.cast([1.0, 1.0, 0.0, -0.0, -2.0, -2.0, 1.0, np.nan, 1.0, 0.0], dtype)
    b = ops.cast([2.0, 0.0, 1.0, -1.0, 0.0, -9.0, 1.0, 1.0, np.nan, -0.0], dtype)
    got, x1, x2 = (ops.convert_to_numpy(x) for x in (ops.nextafter(a, b), a, b))
    np.testing.assert_array_equal(got.astype("float64"), np.nextafter(x1, x2).astype("float64"))
