"""Rows of the table for options that the other rows leave at their defaults."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.ops.array_cases import NAN
from tests.ops.cases import CASES, X3, X, ints, rand, row, top_k
from tests.ops.linalg_cases import fold
from tests.ops.nn_cases import IMAGE, VALUES, K, Q, attention, conv, rms_norm, segments, separable

__all__ = ["CASES"]

# --- reductions and running results ----------------------------------------------------------------------------------
row("amax", X3, ref=np.max, kwargs={"axis": (0, -1), "keepdims": True})
for axis in (None, 1, (0, 2)):
    row("ptp", X3, ref=np.ptp, kwargs={"axis": axis, "keepdims": True})
    row("median", X3, ref=np.median, kwargs={"axis": axis, "keepdims": True}, batch=False)
    row("nanmedian", X3, ref=np.nanmedian, kwargs={"axis": axis, "keepdims": True}, batch=False)
for axis in (0, -1):
    row("nanargmax", X, ref=np.nanargmax, kwargs={"axis": axis, "keepdims": True})
    row("nanargmin", X, ref=np.nanargmin, kwargs={"axis": axis, "keepdims": True})
for method in ("linear", "lower", "higher", "midpoint", "nearest"):
    for name in ("percentile", "nanpercentile"):
        row(name, X3, [10, 50, 80], ref=getattr(np, name), kwargs={"axis": 1, "method": method, "keepdims": True})
for name in ("quantile", "percentile", "nanquantile", "nanpercentile"):
    for q in ([[0.1], [0.7]], []):
        row(name, X3, q, ref=lambda x, q, axis, f=getattr(np, name): f(x, np.array(q), axis), kwargs={"axis": -1})
for name in ("cumsum", "cumprod", "nancumsum", "nancumprod"):
    reference = getattr(np, name)
    row(name, X, ref=reference, kwargs={"axis": 1, "dtype": "float16"}, tol=2e-2)
    row(name, ints(3, 4), ref=reference, kwargs={"axis": 0, "dtype": "float32"})
for dtype in ("float32", "int32"):
    row("prod", ints(3, 4), ref=np.prod, kwargs={"axis": 1, "dtype": dtype})

# --- like, near, among, order ----------------------------------------------------------------------------------------
row("empty_like", X, ref=np.zeros_like, kwargs={"dtype": "int32"})
row("ones_like", X, ref=np.ones_like, kwargs={"dtype": "int32"})
row("full_like", X, 2.7, ref=np.full_like, kwargs={"dtype": "int32"})
NEAR = X + np.array([1e-3, 1e-1, 0, -1e-3], "float32")
for kwargs in ({"atol": 1e-2, "rtol": 0.0}, {"rtol": 0.2, "atol": 0.0}):
    row("isclose", X, NEAR, ref=np.isclose, kwargs=kwargs)
    row("allclose", X, NEAR, ref=np.allclose, kwargs=kwargs)
for equal_nan in (False, True):
    row("allclose", NAN, NAN, ref=np.allclose, kwargs={"equal_nan": equal_nan})
row("isin", np.arange(5, dtype="int32"), np.array([3, 0], "int32"), ref=np.isin, kwargs={"assume_unique": True})
row("top_k", X, 2, ref=lambda x, k, sorted: top_k(x, k), kwargs={"sorted": True})
row("diff", X3, ref=np.diff, kwargs={"n": 0, "axis": 1})

# --- vectors and matrices --------------------------------------------------------------------------------------------
A, C = rand(3, 2, 4), rand(2, 3, 4, seed=1)
for axes in ({"axisa": 0, "axisb": 1}, {"axisa": 0, "axisb": 1, "axisc": 0}, {"axisa": -3, "axisb": -2, "axisc": 1}):
    row("cross", A, C, ref=np.cross, kwargs=axes, batch=False)
for keepdims in (False, True):
    row("norm", X3, ref=np.linalg.norm, kwargs={"ord": "nuc", "axis": (0, 2), "keepdims": keepdims}, grad=True)
SINGULAR = np.array([[3.0, 0, 0], [0, 1.0, 0], [0, 0, 1e-3], [0, 0, 0]], "float32")
row("pinv", SINGULAR, ref=lambda x, rcond: np.linalg.pinv(x, rcond), kwargs={"rcond": 0.01}, batch=False, tol=1e-4)
row(
    "lstsq",
    SINGULAR,
    rand(4),
    ref=lambda a, b, rcond: np.linalg.lstsq(a, b, rcond=rcond)[0],
    kwargs={"rcond": 0.01},
    batch=False,
    tol=1e-4,
)

# --- signals and patches ---------------------------------------------------------------------------------------------


def inverse_stft(
    x: Any, length: int, stride: int, size: int, total: Any = None, window: Any = "hann", center: Any = True
):
    """Frame by frame: windowed, added up, divided by the sum of the squares of the windows."""
    frames = np.fft.irfft(x[0] + 1j * x[1], size)
    n = np.arange(length)
    w = {"hann": 0.5 - 0.5 * np.cos(2 * np.pi * n / length), None: np.ones(length)}[window]
    before = (size - length) // 2
    w = np.pad(w, (before, size - length - before))
    out = np.zeros((len(frames), stride * (frames.shape[1] - 1) + size))
    weight = np.zeros(out.shape[1])
    for i in range(frames.shape[1]):
        out[:, i * stride : i * stride + size] += frames[:, i] * w
        weight[i * stride : i * stride + size] += w**2
    out = out / np.where(weight > 1e-7, weight, 1)
    out = out[:, size // 2 :] if center else out
    return out[:, : total if total is not None else out.shape[1] - (size // 2 if center else 0)]


SPECTRUM = [rand(2, 7, 5), rand(2, 7, 5, seed=1)]
for args, kwargs in (
    ((8, 2, 8), {"length": 9}),
    ((8, 2, 8), {"window": None}),
    ((6, 2, 8), {"window": None, "center": False}),
):
    row(
        "istft",
        SPECTRUM,
        *args,
        ref=lambda x, *a, length=None, **k: inverse_stft(x, *a, length, **k),
        kwargs=kwargs,
        batch=False,
        tol=1e-4,
    )


def dilated(x: Any, size: Any, kernel: int, dilation: int) -> Any:
    """`fold` of blocks whose elements lie apart, an element at a time."""
    out = np.zeros((len(x), x.shape[1] // kernel**2, *size), x.dtype)
    rows, columns = (n - dilation * (kernel - 1) for n in size)
    parts = x.reshape(len(x), -1, kernel, kernel, rows, columns)
    for i in range(kernel):
        for j in range(kernel):
            out[:, :, i * dilation : i * dilation + rows, j * dilation : j * dilation + columns] += parts[:, :, i, j]
    return out


row("fold", rand(2, 8, 6), (5, 4), 2, ref=dilated, kwargs={"dilation": 2})
row("fold", rand(2, 8, 9), (4, 4), 2, ref=lambda x, s, k, dilation: fold(x, s, k), kwargs={"dilation": 1})

# --- networks --------------------------------------------------------------------------------------------------------
for threshold in (0.0, 1.0):
    row(
        "hard_shrink",
        X,
        ref=lambda x, threshold: np.where(np.abs(x) > threshold, x, 0),
        kwargs={"threshold": threshold},
    )
    row(
        "soft_shrink",
        X,
        ref=lambda x, threshold: np.sign(x) * np.maximum(np.abs(x) - threshold, 0),
        kwargs={"threshold": threshold},
    )
row("squareplus", X, ref=lambda x, b: (x + np.sqrt(x * x + b)) / 2, kwargs={"b": 1.5}, grad=True)
row("rms_normalization", X, ref=rms_norm, kwargs={"epsilon": 0.5}, grad=True)
row(
    "separable_conv",
    IMAGE,
    rand(2, 2, 4, 2),
    rand(1, 1, 8, 3),
    ref=separable,
    kwargs={"dilation_rate": 2},
    tol=1e-4,
)
row(
    "dot_product_attention",
    Q,
    K,
    VALUES,
    ref=lambda *a, flash_attention, **k: attention(*a, **k),
    kwargs={"flash_attention": False},
    batch=False,
)
row(
    "biased_conv",
    IMAGE,
    rand(2, 2, 4, 3),
    rand(3, seed=3),
    1,
    "same",
    None,
    2,
    ref=lambda x, w, b, *options: conv(x, w, *options) + b,
    grad=True,
    tol=1e-4,
)
ORDERED = np.array([0, 0, 1, 3, 3], "int32")
for name, reduce, start in (
    ("sum", np.sum, 0),
    ("prod", np.prod, 1),
    ("max", np.max, -np.inf),
    ("min", np.min, np.inf),
):
    row(
        f"segment_{name}",
        rand(5, 2),
        ORDERED,
        5,
        ref=lambda x, i, n, sorted, f=segments(reduce, start): f(x, i, n),
        kwargs={"sorted": True},
    )
