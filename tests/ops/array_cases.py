"""Rows of the table for ops on arrays and further elementwise functions."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.special as special
from scipy.spatial.distance import cdist

from tests.ops.cases import CASES, ODD, X3, B, P, X, binary, ints, rand, row, unary

__all__ = ["CASES"]
NAN = np.array([[1.0, np.nan, 3.0, -2.0], [np.nan, 5.0, 0.5, 0.0], [2.0, 1.0, -1.0, np.nan]], "float32")

binary("isclose", np.isclose, X, X + 1e-6, grad=False)
row("isclose", ODD, ODD, ref=np.isclose)
row("isclose", ODD, ODD, ref=np.isclose, kwargs={"equal_nan": True, "rtol": 0.1})
row("allclose", X, X + 1e-7, ref=np.allclose)
row("allclose", X, X + 1, ref=np.allclose)
row("isin", ints(3, 4), np.array([1, 2], "int32"), ref=np.isin)
row("isin", ints(3, 4), np.array([[1], [2]], "int32"), ref=np.isin, kwargs={"invert": True})
for name in ("isposinf", "isneginf", "isreal", "signbit"):
    unary(name, getattr(np, name), grad=False)
    row(name, ints(4), ref=getattr(np, name))
row("nan_to_num", ODD, ref=np.nan_to_num)
row("nan_to_num", ODD, ref=np.nan_to_num, kwargs={"nan": 1.0, "posinf": 2.0, "neginf": -3.0})
unary("real", np.real)
unary("imag", np.imag, grad=False)
unary("angle", np.angle, grad=False)
unary("erfc", special.erfc)
row("erfc", np.array([-5.0, 2.9, 3.1, 9.0], "float32"), ref=special.erfc, tol=1e-30)
unary("i0", np.i0, grad=False, odd=False)
binary("nextafter", np.nextafter, X, P, grad=False, tol=0)
binary("gcd", np.gcd, ints(3, 4) * 6, ints(3, 4, seed=1) * 4, grad=False)
binary("lcm", np.lcm, ints(3, 4), ints(3, 4, seed=1), grad=False)
row("bitwise_invert", ints(3), ref=np.invert)
row("bitwise_left_shift", ints(3), ints(3, low=0), ref=np.left_shift)
row("bitwise_right_shift", ints(3), ints(3, low=0), ref=np.right_shift)
unary("cbrt", np.cbrt)
unary("deg2rad", np.deg2rad)
unary("rad2deg", np.rad2deg, tol=1e-4)
unary("fabs", np.fabs)
unary("sinc", np.sinc)
row("sinc", np.zeros(2, "float32"), ref=np.sinc)
binary("fmax", np.fmax, X, P)
row("fmax", ODD, ODD[::-1].copy(), ref=np.fmax)
binary("fmin", np.fmin, X, P)
row("fmin", ODD, ODD[::-1].copy(), ref=np.fmin)
binary("fmod", np.fmod, X, P, grad=False)
row("fmod", ints(6), np.array([2, -2, 3, -3, 1, 5], "int32"), ref=np.fmod)
binary("heaviside", np.heaviside, np.where(B, X, 0).astype("float32"), P, grad=False)
row("ldexp", X, ints(3, 4), ref=np.ldexp)
binary("logaddexp2", np.logaddexp2, X, P)
row("logaddexp2", ODD, ODD, ref=np.logaddexp2)
row(
    "saturate_cast",
    np.array([-5.0, 3.7, 300.0, np.inf, -np.inf], "float32"),
    "uint8",
    ref=lambda x, d: np.array([0, 3, 255, 255, 0]),
)
row(
    "saturate_cast", np.array([3e9, -3e9, 1.5], "float32"), "int32", ref=lambda x, d: np.array([2**31 - 1, -(2**31), 1])
)
row("saturate_cast", ints(4) * 100, "int8", ref=lambda x, d: np.clip(x, -128, 127))
row("saturate_cast", X, "float16", ref=lambda x, d: x.astype(d))
row("trapezoid", X, ref=np.trapezoid, grad=True)
row("trapezoid", X, P[0], ref=np.trapezoid, kwargs={"axis": 1})
row("trapezoid", X, ref=np.trapezoid, kwargs={"dx": 0.5, "axis": 0}, batch=False)

# --- diagonals, differences -----------------------------------------------------------------------------------------
for k in (0, 1, -2):
    row("diagonal", X3, ref=np.diagonal, kwargs={"offset": k, "axis1": 1, "axis2": 2}, grad=k == 1)
    row("diagonal", X3, ref=np.diagonal, kwargs={"offset": k}, batch=False)
    row("diag", X, ref=np.diag, kwargs={"k": k}, batch=False)
    row("diag", X[0], ref=np.diag, kwargs={"k": k}, grad=True, batch=False)
    row("diagflat", X[:2, :2], ref=np.diagflat, kwargs={"k": k}, batch=False)
    row("trace", X3, ref=np.trace, kwargs={"offset": k, "axis1": 1, "axis2": -1})
row("trace", ints(3, 3).astype("int8"), ref=np.trace, batch=False)
row("diff", X, ref=np.diff, grad=True)
row("diff", X, ref=np.diff, kwargs={"n": 2, "axis": 0}, batch=False)
row("diff", B, ref=np.diff)


def cross(a: Any, b: Any) -> Any:
    """The cross product, vectors of two components having a third of 0."""
    a3, b3 = (np.pad(v, [(0, 0)] * (v.ndim - 1) + [(0, 3 - v.shape[-1])]) for v in (a, b))
    out = np.cross(a3, b3)
    return out[..., 2] if a.shape[-1] == b.shape[-1] == 2 else out


row("cross", X[:, :3], P[:, :3], ref=cross, grad=True)
row("cross", X[:, :2], P[:, :2], ref=cross)
row("cross", X[:, :2], P[:, :3], ref=cross)
row("cross", X[:, :3], P[:, :2], ref=cross)
row("cross", X[:3], P[:3], ref=lambda a, b, axis: np.cross(a, b, axis=0), kwargs={"axis": 0}, batch=False)

# --- bins, counts, order -----------------------------------------------------------------------------------------------
EDGES = np.array([-1.0, 0.0, 0.5, 0.5, 2.0], "float32")
for side in ("left", "right"):
    row(
        "searchsorted",
        EDGES,
        np.array([[0.5, -3.0], [9.0, 0.0]], "float32"),
        ref=np.searchsorted,
        kwargs={"side": side},
        batch=False,
    )
row("searchsorted", np.array([1, 3, 5], "int32"), np.array([3, 9], "int32"), ref=np.searchsorted, batch=False)
row("digitize", X, EDGES, ref=np.digitize)
row("bincount", np.array([1, 1, 3], "int32"), ref=np.bincount)
row(
    "bincount",
    np.array([1, 1, 3], "int32"),
    ref=np.bincount,
    kwargs={"weights": np.array([1.0, 0.5, 2.0], "float32"), "minlength": 6},
)
row("bincount", np.array([[1, 1], [0, 2]], "int32"), ref=lambda x: np.array([[0, 2, 0], [1, 0, 1]]))
row("argpartition", X, 0, ref=lambda x, k: np.argsort(x, -1))
for axis in (None, 0, -1, (0, 2)):
    row("ptp", X3, ref=np.ptp, kwargs={"axis": axis})
    for name in ("median", "nanmedian"):
        row(name, X3, ref=getattr(np, name), kwargs={"axis": axis}, batch=False)
for method in ("linear", "lower", "higher", "midpoint", "nearest"):
    for name in ("quantile", "nanquantile"):
        row(
            name,
            X3,
            [0.1, 0.5, 0.8],
            ref=getattr(np, name),
            kwargs={"axis": (1, 2), "method": method, "keepdims": True},
        )
        row(name, X3, 0.25, ref=getattr(np, name), kwargs={"axis": -1, "method": method}, grad=method == "linear")
row("quantile", NAN, 0.5, ref=np.quantile, kwargs={"axis": 1})
row("percentile", X, 30, ref=np.percentile, kwargs={"axis": 1})
row("nanquantile", NAN, 0.4, ref=np.nanquantile, kwargs={"axis": 1})
row("nanpercentile", NAN, 30, ref=np.nanpercentile, kwargs={"axis": 1})
row("nanmedian", NAN, ref=np.nanmedian, kwargs={"axis": 0, "keepdims": True}, batch=False)
for name in ("nansum", "nanprod", "nanmax", "nanmin", "nanmean", "nanvar", "nanstd"):
    for axis in (None, 0, -1):
        row(name, NAN, ref=getattr(np, name), kwargs={"axis": axis})
    row(name, NAN, ref=getattr(np, name), kwargs={"axis": 1, "keepdims": True})
for name in ("nanmax", "nanmin", "nanmean"):
    row(name, NAN[:1, 1:2], ref=getattr(np, name), kwargs={"axis": 1})
for name in ("nanargmax", "nanargmin"):
    row(name, NAN, ref=getattr(np, name), kwargs={"axis": 1})
    row(name, NAN, ref=getattr(np, name))
for name in ("nancumsum", "nancumprod"):
    row(name, NAN, ref=getattr(np, name), kwargs={"axis": 1})
    row(name, NAN, ref=getattr(np, name))

# --- joining, splitting, turning ---------------------------------------------------------------------------------------
row("append", X, P, ref=np.append)
row("append", X, P, ref=np.append, kwargs={"axis": -1})
row("array_split", X, 3, ref=np.array_split, kwargs={"axis": 1})
row("array_split", X, [1], ref=np.array_split)
row("hsplit", X, 2, ref=np.hsplit)
row("hsplit", X[0], 2, ref=np.hsplit, batch=False)
row("vsplit", X, [1], ref=np.vsplit)
row("dsplit", X3, 2, ref=np.dsplit)
row("dstack", [X, P], ref=np.dstack)
row("dstack", [X[0], P[0]], ref=np.dstack, batch=False)
row("fliplr", X, ref=np.fliplr)
row("flipud", X, ref=np.flipud)
for k in (0, 1, 2, 3, -1):
    row("rot90", X3, ref=np.rot90, kwargs={"k": k, "axes": (1, 2)})
row("kron", X, P[:2, :2], ref=np.kron, batch=False, grad=True)
row("kron", X[0], P, ref=np.kron, batch=False)
row("kron", P[:, None, :2], P[:2, :2], ref=np.kron, batch=False)
row("vander", X[0], ref=np.vander, batch=False)
row("vander", X[0], 3, True, ref=np.vander, grad=True)
row("unravel_index", np.array([5, 11], "int32"), (3, 4), ref=np.unravel_index)
row("cdist", X, P, ref=cdist, grad=True)
row("corrcoef", X, ref=np.corrcoef, batch=False)
for mode in ("valid", "same", "full"):
    for a, b in ((X[0], P[0, :3]), (P[0, :2], X[0]), (ints(5), ints(3, seed=1))):
        row("correlate", a, b, ref=np.correlate, kwargs={"mode": mode}, batch=False)


def sparsemax(x: Any, axis: int = -1) -> Any:
    """The projection on the simplex, by bisection of the threshold."""
    low, high = x.min(axis, keepdims=True) - 1, x.max(axis, keepdims=True)
    for _ in range(60):
        middle = (low + high) / 2
        above = np.maximum(x - middle, 0).sum(axis, keepdims=True) > 1
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return np.maximum(x - low, 0)


row("sparsemax", X, ref=sparsemax, grad=True)
row("sparsemax", X, ref=sparsemax, kwargs={"axis": 0}, batch=False)


def depth_to_space(x: Any, b: int, data_format: str = "channels_last") -> Any:
    """Channels spread over height and width."""
    x = np.moveaxis(x, 1, -1) if data_format == "channels_first" else x
    n, h, w, c = x.shape
    out = np.zeros((n, h * b, w * b, c // b**2), x.dtype)
    for i in range(b):
        for j in range(b):
            out[:, i::b, j::b] = x[..., (i * b + j) * (c // b**2) : (i * b + j + 1) * (c // b**2)]
    return np.moveaxis(out, -1, 1) if data_format == "channels_first" else out


def space_to_depth(x: Any, b: int, data_format: str = "channels_last") -> Any:
    """Height and width put into channels."""
    x = np.moveaxis(x, 1, -1) if data_format == "channels_first" else x
    out = np.concatenate([x[:, i::b, j::b] for i in range(b) for j in range(b)], -1)
    return np.moveaxis(out, -1, 1) if data_format == "channels_first" else out


for fmt, small, large in (
    ("channels_last", (2, 2, 3, 8), (2, 4, 6, 2)),
    ("channels_first", (2, 8, 2, 3), (2, 2, 4, 6)),
):
    row("depth_to_space", rand(*small), 2, ref=depth_to_space, kwargs={"data_format": fmt})
    row("space_to_depth", rand(*large), 2, ref=space_to_depth, kwargs={"data_format": fmt})
