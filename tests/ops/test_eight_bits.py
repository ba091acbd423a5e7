"""Floats of 8 bits: casts and conversions with one rounding and one range on every backend, and arithmetic in float32."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tricera import ops
from tricera.core import dtypes

EDGES = [
    448,
    464,
    465,
    480,
    57344,
    61439,
    61440,
    65536,
    1e6,
    2**-9,
    2**-10,
    1.1 * 2**-10,
    2**-16,
    2**-17,
    1.06,
    1.0625,
    1.07,
    1.125,
    0.0,
]
X = np.array([*EDGES, *[-v for v in EDGES], np.inf, -np.inf, np.nan], "float32")
EACH = pytest.mark.parametrize("dtype", dtypes.FLOAT8)


def same(tensor: Any, want: np.ndarray, dtype: str) -> None:
    """The dtype, and the values to the bit (but for which NaN it is)."""
    got = ops.convert_to_numpy(tensor)
    assert ops.dtype(tensor) == got.dtype.name == dtype
    np.testing.assert_array_equal(got.astype("float32"), np.asarray(want).astype("float32"))


@EACH
def test_casts(backend: str, dtype: str) -> None:
    """From wide and half floats, integers and booleans; and back."""
    kind = dtypes.numpy_dtype(dtype)
    with np.errstate(all="ignore"):
        want = X.astype(kind)
        for _ in range(2):  # the second time as a settled call
            same(ops.cast(ops.convert_to_tensor(X), dtype), want, dtype)
        same(ops.convert_to_tensor(X, dtype=dtype), want, dtype)
        same(ops.convert_to_tensor(X.tolist(), dtype=dtype), want, dtype)
        same(ops.convert_to_tensor(want), want, dtype)
        for half in ("float16", "bfloat16"):
            narrow = X.astype(dtypes.numpy_dtype(half))
            same(ops.cast(ops.convert_to_tensor(narrow), dtype), narrow.astype(kind), dtype)
        for other in (np.array([1, -2, 449, 1000], "int32"), np.array([True, False])):
            same(ops.cast(ops.convert_to_tensor(other), dtype), other.astype("float32").astype(kind), dtype)
            same(ops.convert_to_tensor(other.tolist(), dtype=dtype), other.astype("float32").astype(kind), dtype)
        limit = dtypes.GREATEST[dtype]
        same(ops.saturate_cast(X, dtype), np.clip(X, -limit, limit).astype(kind), dtype)
    small = ops.cast([1.0, -2.5, 0.0], dtype)
    assert ops.convert_to_numpy(ops.cast(small, "int32")).tolist() == [1, -2, 0]
    assert ops.convert_to_numpy(ops.cast(small, "bool")).tolist() == [True, True, False]
    assert ops.convert_to_numpy(ops.cast(small, "float16")).tolist() == [1.0, -2.5, 0.0]


@EACH
def test_arithmetic(backend: str, dtype: str) -> None:
    """What is computed is rounded once; what only moves keeps its bits."""
    kind = dtypes.numpy_dtype(dtype)
    a = np.array([[1.0, 2.0], [3.0, 4.5]], kind)
    wide, x = a.astype("float32"), ops.convert_to_tensor(a)
    rows: dict[str, tuple[Any, Any]] = {
        "add": (ops.add(x, x), wide + wide),
        "multiply by a number": (ops.multiply(x, 2.0), wide * 2),
        "matmul": (ops.matmul(x, x), wide @ wide),
        "matmul out of range": (ops.matmul(ops.multiply(x, 64.0), x), (wide * 64) @ wide),
        "einsum": (ops.einsum("ij,kj->ik", x, x), wide @ wide.T),
        "exp": (ops.exp(x), np.exp(wide)),
        "relu": (ops.relu(ops.negative(x)), np.zeros_like(wide)),
        "sum": (ops.sum(x, axis=0), wide.sum(0)),
        "mean": (ops.mean(x, axis=-1), wide.mean(-1)),
        "max": (ops.max(x, axis=1), wide.max(1)),
        "sort": (ops.sort(ops.negative(x)), np.sort(-wide)),
        "where": (ops.where(ops.greater(x, 1.5), x, ops.zeros_like(x)), np.where(wide > 1.5, wide, 0)),
        "reshape": (ops.reshape(x, (4,)), wide.reshape(4)),
        "transpose": (ops.transpose(x), wide.T),
        "concatenate": (ops.concatenate([x, x]), np.concatenate([wide, wide])),
        "take": (ops.take(x, [1], axis=0), wide[1:]),
        "full": (ops.full((2,), 3.0, dtype=dtype), np.full(2, 3.0)),
        "zeros": (ops.zeros((2,), dtype=dtype), np.zeros(2)),
        "ones_like": (ops.ones_like(x), np.ones_like(wide)),
        "arange": (ops.arange(3, dtype=dtype), np.arange(3.0)),
    }
    for name, (got, want) in rows.items():
        assert ops.dtype(got) == dtype, name
        with np.errstate(all="ignore"):
            right = np.asarray(want, "float32").astype(kind).astype("float32")
        np.testing.assert_array_equal(ops.convert_to_numpy(got).astype("float32"), right, err_msg=name)
    assert ops.convert_to_numpy(ops.equal(x, x)).all()
    assert not ops.convert_to_numpy(ops.isnan(x)).any()
