"""The rows of the table on shapes that nobody chose: elementwise ops, reductions, what runs along axes, and pairs of arrays.

The values are those of each row's own reference or NumPy's; shapes are empty, of size 1, broadcast, of up to five axes; axes are counted from
either end. An example goes through all ops of a family, on JAX, which compiles each, through some.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.spatial import distance

from tests.ops.array_cases import sparsemax
from tests.ops.cases import Case
from tests.ops.nn_cases import batch_norm, layer_norm, normalize, rms_norm
from tests.ops.test_families import SHAPES, _axis, check, plain
from tests.ops.test_ops import BY_OP, noting
from tests.ops.test_window_families import examples
from tricera import ops
from tricera.core.inference import PUBLIC

Row = tuple[Callable[..., Any], Callable[..., Any]]


def some(draw: Any, backend: str, names: list[str]) -> list[str]:
    """All, or three."""
    return draw(st.lists(st.sampled_from(names), min_size=3, max_size=3)) if backend == "jax" else names


def elementwise(count: int) -> dict[str, Case]:
    """The first row of each op of so many arrays that keeps their shapes, those of arrays without elements among them."""
    found = {}
    for op, rows in BY_OP.items():
        cases = [c for c in rows if len(c.args) == count and all(isinstance(a, np.ndarray) for a in c.args)]
        shapes = {tuple(a.shape for a in c.args) for c in cases}
        if (((0, 3),) if count == 1 else ((3, 1), (1, 4))) in shapes and cases[0].args[0].shape == (3, 4):
            with np.errstate(all="ignore"), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                broadcast = np.broadcast_shapes(*(a.shape for a in cases[0].args))
                out = [c for c in cases if np.shape(c.reference(*c.args, **c.kwargs)) == broadcast]
            if out and out[0] is cases[0]:
                found[op] = cases[0]
    return found


UNARY, BINARY = elementwise(1), elementwise(2)


def like(draw: Any, shape: tuple[int, ...], row: np.ndarray) -> np.ndarray:
    """As many of the row's own numbers, which lie where the function is defined and smooth."""
    return row.ravel()[np.random.default_rng(draw(st.integers(0, 99))).integers(0, row.size, shape)].reshape(shape)


def through(draw: Any, case: Case, arrays: list[np.ndarray]) -> None:
    """One row's op with other arrays."""
    fn = PUBLIC[case.op]
    tol = max(case.tol, 2e-5)
    with noting(case):
        check(
            draw,
            lambda *x: fn(*x, **case.kwargs),
            arrays,
            lambda *x: case.reference(*x, **case.kwargs),
            rtol=tol,
            atol=tol,
        )


@examples(6, 2)
def test_one_array(backend: str, data: st.DataObject) -> None:
    """Elementwise functions and activations."""
    shape = data.draw(SHAPES)
    for op in some(data.draw, backend, sorted(UNARY)):
        through(data.draw, UNARY[op], [like(data.draw, shape, UNARY[op].args[0])])


@examples(6, 2)
def test_two_arrays(backend: str, data: st.DataObject) -> None:
    """Elementwise functions of two arrays that broadcast."""
    shapes = data.draw(hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=5, min_side=0, max_side=3)).input_shapes
    for op in some(data.draw, backend, sorted(BINARY)):
        case = BINARY[op]
        through(data.draw, case, [like(data.draw, s, a) for s, a in zip(shapes, case.args, strict=True)])


def holed(draw: Any, shape: tuple[int, ...]) -> np.ndarray:
    """Numbers, some of them NaN, but no slice of NaN alone where the last axis is reduced."""
    x = plain(draw, shape)
    if x.ndim and x.shape[-1] > 1:
        x[..., 0] = np.where(np.abs(x[..., 0]) > 1, np.nan, x[..., 0])
    return x


SEVERAL = ("amax", "amin", "nanmax", "nanmin", "nanmean", "nanmedian", "nanprod", "nanstd", "nansum", "nanvar")
QUANTILES = ("quantile", "percentile", "nanquantile", "nanpercentile")


@examples(6, 2)
def test_further_reductions(backend: str, data: st.DataObject) -> None:
    """Quantiles, averages, reductions that leave NaN out; over no axis, one, several."""
    shape = data.draw(hnp.array_shapes(min_dims=1, max_dims=5, min_side=1, max_side=3))
    keepdims = data.draw(st.booleans())
    several = _axis(data.draw, len(shape), True)
    one = data.draw(st.sampled_from([None, *range(-len(shape), len(shape))]))
    method = data.draw(st.sampled_from(("linear", "lower", "higher", "midpoint", "nearest")))
    many: Any = data.draw(st.sampled_from(([0.2, 0.9], 0.5, [[0.1], [0.7]], [])))
    rows: dict[str, Row] = {}
    for name in SEVERAL:
        rows[name] = (
            lambda v, f=getattr(ops, name): f(v, axis=several, keepdims=keepdims),
            lambda v, f=getattr(np, name): np.asarray(f(v, axis=several, keepdims=keepdims)),
        )
    for name in ("nanargmax", "nanargmin"):
        rows[name] = (
            lambda v, f=getattr(ops, name): f(v, axis=one, keepdims=keepdims),
            lambda v, f=getattr(np, name): np.asarray(f(v, axis=one, keepdims=keepdims)),
        )
    for name in QUANTILES:
        at = np.multiply(many, 100.0 if "percentile" in name else 1.0)
        rows[name] = (
            lambda v, f=getattr(ops, name), q=at: f(v, q.tolist(), axis=several, method=method, keepdims=keepdims),
            lambda v, f=getattr(np, name), q=at: np.asarray(f(v, q, several, method=method, keepdims=keepdims)),
        )
    weights = plain(data.draw, shape) + np.float32(3)
    rows["average"] = (lambda v: ops.average(v, one, weights), lambda v: np.asarray(np.average(v, one, weights)))
    rows["moments"] = (
        lambda v: list(ops.moments(v, several if several is not None else list(range(v.ndim)), keepdims)),
        lambda v: [np.mean(v, several, keepdims=keepdims), np.var(v, several, keepdims=keepdims)],
    )
    for name in some(data.draw, backend, sorted(rows)):
        reduced = one if name.startswith("nanarg") else several
        x = holed(data.draw, shape) if name.startswith("nan") and reduced in (None, -1) else plain(data.draw, shape)
        known = name in ("moments", *QUANTILES)
        with noting(name):
            check((lambda s: False) if known else data.draw, rows[name][0], [x], rows[name][1], rtol=1e-4)


@examples(6, 2)
def test_further_axes(backend: str, data: st.DataObject) -> None:
    """What runs along one axis, or two, with the options that go with it."""
    shape = data.draw(hnp.array_shapes(min_dims=1, max_dims=5, min_side=1, max_side=4))
    rank = len(shape)
    axis = data.draw(st.integers(-rank, rank - 1))
    n, k = shape[axis], data.draw(st.integers(-2, 3))
    channels = plain(data.draw, (n,)) + np.float32(3)
    axes = data.draw(st.permutations(range(-rank, 0)))[:2]
    order = data.draw(st.sampled_from((1, 2, 3)))
    rows: dict[str, Row] = {
        "append": (lambda v: ops.append(v, v, axis), lambda v: np.append(v, v, axis)),
        "array_split": (lambda v: ops.array_split(v, 3, axis), lambda v: np.array_split(v, 3, axis)),
        "batch_normalization": (
            lambda v: ops.batch_normalization(v, channels, channels, axis, channels, None, 0.1),
            lambda v: batch_norm(v, channels, channels, axis, channels, None, 0.1),
        ),
        "diff": (lambda v: ops.diff(v, abs(k), axis), lambda v: np.diff(v, abs(k), axis)),
        "layer_normalization": (
            lambda v: ops.layer_normalization(v, channels, None, axis, 0.1),
            lambda v: layer_norm(v, channels, None, axis, 0.1),
        ),
        "log_softmax": (
            lambda v: ops.log_softmax(v, axis),
            lambda v: v - np.log(np.exp(v).sum(axis, keepdims=True)),
        ),
        "nancumprod": (lambda v: ops.nancumprod(v, axis), lambda v: np.nancumprod(v, axis)),
        "nancumsum": (lambda v: ops.nancumsum(v, axis), lambda v: np.nancumsum(v, axis)),
        "norm": (
            lambda v: ops.norm(v, order, axis, True),
            lambda v: np.linalg.norm(v, order, axis, True),
        ),
        "normalize": (lambda v: ops.normalize(v, axis, order), lambda v: normalize(v, axis, order)),
        "one_hot": (
            lambda v: ops.one_hot(ops.cast(v, "int32"), 3, axis),
            lambda v: np.moveaxis(np.eye(3)[np.int32(v)] * (v > -1)[..., None], -1, axis),
        ),
        "rms_normalization": (
            lambda v: ops.rms_normalization(v, axis=axis, epsilon=0.1),
            lambda v: rms_norm(v, axis=axis, epsilon=0.1),
        ),
        "sparsemax": (lambda v: ops.sparsemax(v, axis), lambda v: sparsemax(v, axis)),
        "top_k": (lambda v: ops.top_k(v, 1)[0], lambda v: v.max(-1, keepdims=True)),
        "trapezoid": (lambda v: ops.trapezoid(v, dx=0.5, axis=axis), lambda v: np.trapezoid(v, dx=0.5, axis=axis)),
        "unstack": (lambda v: list(ops.unstack(v, axis=axis)), lambda v: list(np.moveaxis(v, axis, 0))),
    }
    if rank > 1:
        rows |= {
            "diagonal": (lambda v: ops.diagonal(v, k, *axes), lambda v: np.diagonal(v, k, *axes)),
            "rot90": (lambda v: ops.rot90(v, k, axes), lambda v: np.rot90(v, k, axes)),
            "trace": (lambda v: ops.trace(v, k, *axes), lambda v: np.asarray(np.trace(v, k, *axes))),
            "tril": (lambda v: ops.tril(v, k), lambda v: np.tril(v, k)),
            "triu": (lambda v: ops.triu(v, k), lambda v: np.triu(v, k)),
        }
    asked = {"array_split", "batch_normalization", "diagonal", "layer_normalization", "trace", "unstack"}
    for name in some(data.draw, backend, sorted(rows)):
        x = np.clip(plain(data.draw, shape), -1.9, None) + np.float32(0.05) * (name == "normalize")
        # Some ask for lengths, which must be there.
        check(
            (lambda s: False) if name in asked else data.draw, rows[name][0], [x], rows[name][1], rtol=1e-4, atol=1e-4
        )


@examples(6, 2)
def test_pairs(backend: str, data: st.DataObject) -> None:
    """Products and searches of two arrays of any ranks."""
    rank = data.draw(st.integers(0, 2))
    common = data.draw(hnp.array_shapes(min_dims=rank, max_dims=rank, min_side=0, max_side=3))
    left, right = (data.draw(hnp.array_shapes(min_dims=0, max_dims=2, min_side=0, max_side=3)) for _ in range(2))
    a, b = plain(data.draw, (*left, *common)), plain(data.draw, (*common, *right))
    c = plain(data.draw, (*right, *common[-1:]))
    edges = np.sort(plain(data.draw, (data.draw(st.integers(0, 4)),)))
    side = data.draw(st.sampled_from(("left", "right")))
    rows: dict[str, tuple[Row, list[np.ndarray]]] = {
        "digitize": ((lambda v: ops.digitize(v, edges.tolist()), lambda v: np.digitize(v, edges)), [a]),
        "isin": ((lambda v, w: ops.isin(v, w, invert=side == "left"), lambda v, w: np.isin(v, w, invert=side == "left")), [np.round(a), np.round(b)]),
        "outer": ((ops.outer, np.outer), [a, b]),
        "searchsorted": (
            (lambda v, w: ops.searchsorted(v, w, side), lambda v, w: np.searchsorted(v, w, side)),
            [edges, a],
        ),
        "tensordot": ((lambda v, w: ops.tensordot(v, w, rank), lambda v, w: np.tensordot(v, w, rank)), [a, b]),
        "kron": ((ops.kron, np.kron), [a, c]),
    }  # fmt: skip
    if rank:
        rows["inner"] = (ops.inner, np.inner), [a, c]
        rows["vdot"] = (ops.vdot, lambda v, w: np.asarray(np.vdot(v, w))), [a, a]
    if rank and a.ndim > 1 and c.ndim > 1:
        flat = [v.reshape(-1, v.shape[-1]) if v.size else np.zeros((0, v.shape[-1]), "float32") for v in (a, c)]
        rows["cdist"] = (
            (ops.cdist, lambda v, w: distance.cdist(v, w) if v.shape[1] else np.zeros((len(v), len(w)))),
            flat,
        )
    for name in some(data.draw, backend, sorted(rows)):
        (op, want), arrays = rows[name]
        # Some ask for lengths, which must be there.
        draw = (lambda s: False) if name in ("kron", "tensordot", "cdist", "digitize", "searchsorted") else data.draw
        with noting(name):
            check(draw, op, arrays, want)


def test_the_families_are_those_of_the_table() -> None:
    """Every op of one or two arrays that keeps shapes is found."""
    assert {"erfinv", "gelu", "sinc", "rsqrt", "hard_tanh"} <= set(UNARY)
    assert {"power", "fmod", "heaviside", "bitwise_xor", "gcd", "isclose"} <= set(BINARY)
    assert len(UNARY) >= 76
    assert len(BINARY) >= 38
