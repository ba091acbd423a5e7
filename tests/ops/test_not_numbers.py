"""NaN and infinities among the operands of what orders, counts, sums up and looks at neighbours: NumPy's results on every backend."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.special as special

from tricera import ops

X = np.array([[1.0, np.nan, 3.0, -np.inf, np.inf, 2.0], [0.5, np.inf, np.inf, -0.0, 0.0, np.nan]], "float32")
IMAGE = (np.arange(48, dtype="float32") / 48).reshape(1, 4, 4, 3)
IMAGE[0, 1, 2, 0] = np.nan
# A good matrix beside one with NaN, which must not spoil it; and one that reads well in its lower triangle alone.
STACK = np.array([[[2, 1], [1, 3]], [[2, 1], [np.nan, 3]]], "float32")
HALF = np.array([[2, np.nan], [1, 3]], "float32")
GOOD = STACK[0].astype("float64")
NAN2 = np.full((2, 2), np.nan)


def settled(op: Callable[..., Any], *arrays: np.ndarray, **options: Any) -> Any:
    """What the op gives the second time, when it may go another way."""
    tensors = [ops.convert_to_tensor(a) for a in arrays]
    op(*tensors, **options)
    return op(*tensors, **options)


def holes(x: np.ndarray) -> np.ndarray:
    """An image (4, 4) in which each window of 2 has something of its own."""
    return np.array([[1, 2, x[0], 4], [3, 4, 5, 6], [x[1], x[1], 1, x[2]], [x[1], x[1], x[1], 2]], "float32").reshape(
        1, 4, 4, 1
    )


WINDOWS = holes(np.array([np.nan, -np.inf, np.inf]))
Row = tuple[Callable[[], Any], Any]
ROWS: dict[str, Row] = {
    **{
        name: (lambda n=name: settled(getattr(ops, n), X, axis=1), lambda n=name: getattr(np, n)(X, axis=1))
        for name in (
            "sort", "argmax", "argmin", "max", "min", "sum", "prod", "mean", "median", "nansum", "nanmax", "nanmin", "nanmedian",
            "cumsum", "cumprod", "nancumsum", "count_nonzero", "any", "all", "std", "var", "ptp", "diff",
        )
    },
    "argsort": (lambda: ops.argsort(X, axis=1), lambda: np.argsort(X, axis=1, kind="stable")),
    "sort of columns": (lambda: ops.sort(X, axis=0), lambda: np.sort(X, axis=0)),
    "sort of all": (lambda: ops.sort(X, axis=None), lambda: np.sort(X, axis=None)),
    "argmax of all": (lambda: ops.argmax(X, keepdims=True), lambda: np.argmax(X, keepdims=True)),
    "argmin of columns": (lambda: ops.argmin(X, axis=0), lambda: np.argmin(X, axis=0)),
    # NaN is the greatest of all, infinities are next.
    "top_k": (lambda: ops.top_k(X, 3)[1], [[1, 4, 2], [5, 1, 2]]),
    "softmax": (lambda: settled(ops.softmax, X, axis=-1), np.full((2, 6), np.nan)),
    "softmax of rows": (lambda: settled(ops.softmax, STACK[1], axis=-1), lambda: [special.softmax([2, 1]), NAN2[0]]),
    "softmax of columns": (lambda: settled(ops.softmax, STACK[1], axis=0), lambda: [[np.nan, special.expit(-2)], [np.nan, special.expit(2)]]),
    "max_pool": (lambda: ops.max_pool(WINDOWS, 2, data_format="channels_last"), [[[[4], [np.nan]], [[-np.inf], [np.inf]]]]),
    "max_pool of a row": (lambda: ops.max_pool(WINDOWS[0], 2, 2, "same", "channels_last")[2], [[-np.inf], [np.inf]]),
    "adaptive_average_pool": (
        lambda: ops.adaptive_average_pool(WINDOWS[:, 0], 3, data_format="channels_last"), [[[1.5], [np.nan], [np.nan]]],
    ),
    "adaptive_average_pool of quarters": (
        lambda: ops.adaptive_average_pool(WINDOWS, 2, data_format="channels_last"), [[[[2.5], [np.nan]], [[-np.inf], [np.nan]]]],
    ),
    "segment_max": (lambda: ops.segment_max(X[0], [0, 0, 1, 1, 2, 2], 4), [np.nan, 3, np.inf, -np.inf]),
    "segment_min": (lambda: ops.segment_min(X[0], [0, 0, 1, 1, 2, 2], 4), [np.nan, -np.inf, 2, np.inf]),
    **{
        f"searchsorted {side}": (
            lambda s=side: ops.searchsorted(np.array([1, 2, np.nan, np.nan], "float32"), X[0], side=s),
            lambda s=side: np.searchsorted(np.array([1, 2, np.nan, np.nan]), X[0], side=s),
        )
        for side in ("left", "right")
    },
    "hypot": (lambda: settled(ops.hypot, X[0], X[0, ::-1]), lambda: np.hypot(X[0], X[0, ::-1])),
    "floor_divide": (lambda: settled(ops.floor_divide, X, X[::-1] * 0.7), lambda: np.floor_divide(X, X[::-1] * np.float32(0.7))),
    "binary_crossentropy": (lambda: ops.isnan(ops.binary_crossentropy([1.0, np.nan, 0.0], [0.5, 0.5, np.nan])), [0, 1, 1]),
    **{
        f"map_coordinates {mode}": (
            lambda m=mode, o=order: ops.image.map_coordinates(
                GOOD.astype("float32"), [[0, np.nan, 1, -np.inf, np.inf], [0, 0, np.nan, 0, 1]], o, m, -9.0
            ),
            [2.0, np.nan, np.nan, *ends],
        )
        for mode, order, ends in (("constant", 1, [-9.0] * 2), ("nearest", 0, [2.0, 3.0]), ("wrap", 1, [np.nan] * 2))
    },
    "softmax of -inf": (lambda: ops.softmax(X[0, 2:4]), lambda: special.softmax(X[0, 2:4])),
    "quantile": (lambda: ops.quantile(X, 0.3, axis=1), [np.nan, np.nan]),
    "digitize": (lambda: ops.digitize(X[0], [-1.0, 0.0, 1.0]), lambda: np.digitize(X[0], [-1.0, 0.0, 1.0])),
    "bincount": (lambda: ops.bincount([0, 1, 1], weights=X[0, :3], minlength=3), [1.0, np.nan, 0.0]),
    "segment_sum": (lambda: ops.segment_sum(X[0], [0, 0, 1, 1, 2, 2], 3), [np.nan, -np.inf, np.inf]),
    "matmul": (lambda: ops.matmul([[0.0, 1.0]], [[np.inf], [2.0]]), [[np.nan]]),
    "det": (lambda: ops.det(np.array([[1, 2], [np.nan, 4]], "float32")), np.nan),
    "solve": (lambda: ops.solve(np.eye(2, dtype="float32"), X[0, :2]), [np.nan, np.nan]),
    "svd": (lambda: ops.svd(STACK, compute_uv=False), lambda: [np.linalg.svd(GOOD, compute_uv=False), NAN2[0]]),
    "svd's vectors": (lambda: ops.absolute(ops.svd(STACK)[2]), lambda: [abs(np.linalg.svd(GOOD)[2]), NAN2]),
    "pinv": (lambda: ops.pinv(STACK), lambda: [np.linalg.inv(GOOD), NAN2]),
    "lstsq": (lambda: ops.lstsq(STACK[1], X[1, :1].repeat(2)), NAN2[0]),
    "matrix_rank": (lambda: ops.matrix_rank(STACK), [2, 0]),
    "spectral norm": (lambda: ops.norm(STACK, ord=2, axis=(1, 2)), lambda: [np.linalg.norm(GOOD, 2), np.nan]),
    "eig": (lambda: ops.sort(ops.real(ops.eig(STACK)[0])), lambda: [np.sort(np.linalg.eig(GOOD)[0]), NAN2[0]]),
    "eig's imaginary parts": (lambda: ops.imag(ops.eig(STACK)[1]), [np.zeros((2, 2)), NAN2]),
    "eigh": (lambda: ops.eigh(STACK)[0], lambda: [np.linalg.eigvalsh(GOOD), NAN2[0]]),
    "eigh of a triangle": (lambda: ops.eigh(HALF)[0], lambda: np.linalg.eigvalsh(GOOD)),
    "cholesky": (lambda: ops.cholesky(STACK), lambda: [np.linalg.cholesky(GOOD), np.tril(NAN2)]),
    "cholesky of a triangle": (lambda: ops.cholesky(HALF, upper=True), lambda: np.linalg.cholesky(GOOD).T),
    "cholesky of no positive matrix": (lambda: ops.cholesky([[1.0, 2.0], [2.0, 1.0]]), np.tril(NAN2)),
    "slogdet": (lambda: ops.stack(ops.slogdet(STACK)), lambda: [[1.0, np.nan], [np.log(5), np.nan]]),
    "lu_factor": (lambda: ops.lu_factor(STACK)[0], [[[2, 1], [0.5, 2.5]], [[2, 1], [np.nan, np.nan]]]),
    "solve_triangular": (lambda: ops.solve_triangular(STACK[1], [1.0, 2.0], lower=True), [0.5, np.nan]),
    "solve_triangular by zero": (lambda: ops.solve_triangular([[1.0, 2.0], [0.0, 0.0]], [1.0, 2.0]), [-np.inf, np.inf]),
    "norm": (lambda: ops.norm(X, axis=1), [np.nan, np.nan]),
    "gray": (lambda: np.isnan(ops.convert_to_numpy(ops.image.rgb_to_grayscale(IMAGE))), lambda: np.isnan(IMAGE).any(-1, keepdims=True)),
    "resize nearest": (lambda: ops.image.resize(IMAGE, (8, 8), "nearest"), lambda: IMAGE.repeat(2, 1).repeat(2, 2)),
    "average_pool": (
        lambda: ops.average_pool(IMAGE, 2, data_format="channels_last"),
        lambda: IMAGE.reshape(1, 2, 2, 2, 2, 3).mean((2, 4)),
    ),
}  # fmt: skip


def test_as_numpy(backend: str) -> None:
    """Each row."""
    problems = []
    for name, (call, want) in ROWS.items():
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            right = np.asarray(want() if callable(want) else want, "float64")
            got = np.asarray(ops.convert_to_numpy(call())).astype("float64")
        if got.shape != right.shape or not np.allclose(got, right, rtol=1e-5, atol=1e-5, equal_nan=True):
            problems.append(f"{name}: {got.tolist()}, not {right.tolist()}")
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_order_of_halves(backend: str, dtype: str) -> None:
    """The order is the same in half precision."""
    x = ops.cast(X, dtype)
    np.testing.assert_array_equal(ops.convert_to_numpy(ops.argsort(x)), np.argsort(X, kind="stable"))
    np.testing.assert_array_equal(ops.convert_to_numpy(ops.cast(ops.sort(x), "float32")), np.sort(X))
    np.testing.assert_array_equal(ops.convert_to_numpy(ops.argmax(x, -1)), np.argmax(X, -1))
    assert ops.convert_to_numpy(ops.top_k(x, 3)[1]).tolist() == [[1, 4, 2], [5, 1, 2]]
