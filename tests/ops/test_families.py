"""Families of ops on shapes that nobody chose: empty, of size 1, broadcast, up to five axes, with any axis and special values.

Each example is computed by the op and by NumPy, and its shape and dtype inferred with some of the dimensions unknown.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings, strategies as st
from hypothesis.extra import numpy as hnp

from tricera import ops
from tricera.core import dispatch
from tricera.core.tensor import KerasTensor

few = settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None)
SHAPES = hnp.array_shapes(min_dims=0, max_dims=5, min_side=0, max_side=3)
SPECIAL = np.array([0.0, -0.0, 1.0, -1.0, 2.5, -7.25, np.inf, -np.inf, np.nan, 1e-30, 1e30], "float32")


def plain(draw: Any, shape: tuple[int, ...], dtype: str = "float32") -> np.ndarray:
    """Numbers between -2 and 2 of a seed that is drawn."""
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    if dtype == "bool":
        return rng.random(shape) < 0.5
    if dtype.startswith(("int", "uint")):
        return rng.integers(0 if dtype[0] == "u" else -4, 5, shape).astype(dtype)
    return rng.uniform(-2, 2, shape).astype(dtype)


def special(draw: Any, shape: tuple[int, ...]) -> np.ndarray:
    """Numbers with infinities and NaN among them."""
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    return SPECIAL[rng.integers(0, len(SPECIAL), shape)]


def symbol(draw: Any, x: np.ndarray) -> KerasTensor:
    """The same with some of its dimensions unknown."""
    return KerasTensor(tuple(None if draw(st.booleans()) else n for n in x.shape), x.dtype)


def check(
    draw: Any, fn: Callable[..., Any], arrays: list[np.ndarray], reference: Callable[..., Any], **tol: Any
) -> None:
    """Values, dtype and shape of `fn(*tensors)`: NumPy's, and those inferred with dimensions unknown."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        want = reference(*arrays)
        out = fn(*map(ops.convert_to_tensor, arrays))
    inferred = fn(*[symbol(draw, a) for a in arrays])
    canonical = dispatch.current().canonical
    listed = isinstance(want, list)
    for got, right, spec in zip(*(x if listed else [x] for x in (out, want, inferred)), strict=True):
        value = ops.convert_to_numpy(got)
        assert value.shape == np.shape(right)
        assert len(spec.shape) == value.ndim
        assert all(a is None or a == b for a, b in zip(spec.shape, value.shape, strict=True)), (spec.shape, value.shape)
        assert canonical(spec.dtype) == canonical(ops.dtype(got))
        np.testing.assert_allclose(
            value.astype("float64"),
            np.asarray(right, "float64"),
            rtol=tol.get("rtol", 1e-5),
            atol=tol.get("atol", 1e-5),
        )


UNARY = (
    "abs", "arctan", "ceil", "cos", "exp", "floor", "isfinite", "isinf", "isnan", "log", "log1p", "logical_not", "negative", "sign",
    "sin", "sinh", "sqrt", "square", "tanh", "arcsinh", "expm1", "log2", "log10", "trunc", "round", "signbit", "cbrt",
)  # fmt: skip


@given(data=st.data())
@few
def test_unary(backend: str, data: st.DataObject) -> None:
    """An elementwise function, of special values too."""
    name, shape = data.draw(st.sampled_from(UNARY)), data.draw(SHAPES)
    x = special(data.draw, shape)
    if name in ("sin", "cos", "sinh", "exp", "expm1"):  # single precision reduces large angles in its own way
        x = np.where(np.abs(x) > 1e3, np.float32(1), x) if name in ("sin", "cos") else x
    wide = getattr(np, name)
    check(data.draw, getattr(ops, name), [x], lambda v: np.float32(wide(v.astype("float64"))))


BINARY = (
    "add", "subtract", "multiply", "divide", "maximum", "minimum", "equal", "not_equal", "less", "less_equal", "greater",
    "greater_equal", "logical_and", "logical_or", "logical_xor", "arctan2", "hypot", "logaddexp", "floor_divide", "mod",
)  # fmt: skip


@given(data=st.data())
@few
def test_binary(backend: str, data: st.DataObject) -> None:
    """An elementwise function of two that broadcast."""
    name = data.draw(st.sampled_from(BINARY))
    shapes = data.draw(hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=5, min_side=0, max_side=3)).input_shapes
    if name in ("floor_divide", "mod"):
        a, b = plain(data.draw, shapes[0]), np.abs(plain(data.draw, shapes[1])) + np.float32(0.5)
    else:
        a, b = special(data.draw, shapes[0]), special(data.draw, shapes[1])
    wide = getattr(np, name)
    check(
        data.draw,
        getattr(ops, name),
        [a, b],
        lambda v, w: np.asarray(wide(v.astype("float64"), w.astype("float64"))).astype("float32"),
    )


REDUCTIONS = (
    "sum", "prod", "mean", "max", "min", "any", "all", "var", "std", "argmax", "argmin", "count_nonzero", "logsumexp", "nansum",
    "nanmax", "nanmean", "median", "ptp",
)  # fmt: skip


def _axis(draw: Any, rank: int, several: bool) -> Any:
    """None, one axis, or several, counted from either end."""
    if rank == 0 or draw(st.integers(0, 3)) == 0:
        return None
    one = st.integers(-rank, rank - 1)
    if not several or draw(st.booleans()):
        return draw(one)
    return tuple(draw(st.lists(one, min_size=1, max_size=rank, unique_by=lambda a: a % rank)))


def _logsumexp(x: np.ndarray, axis: Any, keepdims: bool) -> Any:
    return np.log(np.exp(x).sum(axis=axis, keepdims=keepdims))


@given(data=st.data())
@few
def test_reduction(backend: str, data: st.DataObject) -> None:
    """A reduction over any axes; what has no value for nothing at all is a ValueError, as it is in NumPy."""
    name, shape = data.draw(st.sampled_from(REDUCTIONS)), data.draw(SHAPES)
    axis = _axis(data.draw, len(shape), name not in ("argmax", "argmin"))
    keepdims = name != "count_nonzero" and data.draw(st.booleans())
    x = plain(data.draw, shape)
    wide: Any = _logsumexp if name == "logsumexp" else getattr(np, name)
    options = {"axis": axis} if name == "count_nonzero" else {"axis": axis, "keepdims": keepdims}
    if name in ("mean", "nanmean", "var", "std", "median", "logsumexp"):
        assume(0 not in shape)
    try:
        wide(x, **options)
    except ValueError:
        with pytest.raises(ValueError, match=r"ops\.\w+: there is no element"):
            getattr(ops, name)(x, **options)
        return
    check(
        data.draw,
        lambda v: getattr(ops, name)(v, **options),
        [x],
        lambda v: np.asarray(wide(v.astype("float64"), **options)),
        rtol=1e-4,
    )


@given(data=st.data())
@few
def test_along_an_axis(backend: str, data: st.DataObject) -> None:
    """What runs along one axis: running sums, orders, turns, differences, repetition."""
    shape = data.draw(hnp.array_shapes(min_dims=1, max_dims=5, min_side=0, max_side=3))
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    x = plain(data.draw, shape)
    rows: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
        "cumsum": (lambda v: ops.cumsum(v, axis), lambda v: np.cumsum(v, axis)),
        "cumprod": (lambda v: ops.cumprod(v, axis), lambda v: np.cumprod(v, axis)),
        "sort": (lambda v: ops.sort(v, axis), lambda v: np.sort(v, axis)),
        "argsort": (lambda v: ops.argsort(v, axis), lambda v: np.argsort(v, axis)),
        "flip": (lambda v: ops.flip(v, axis), lambda v: np.flip(v, axis)),
        "roll": (lambda v: ops.roll(v, 2, axis), lambda v: np.roll(v, 2, axis)),
        "diff": (lambda v: ops.diff(v, axis=axis), lambda v: np.diff(v, axis=axis)),
        "repeat": (lambda v: ops.repeat(v, 2, axis), lambda v: np.repeat(v, 2, axis)),
        "expand_dims": (lambda v: ops.expand_dims(v, axis), lambda v: np.expand_dims(v, axis)),
        "swapaxes": (lambda v: ops.swapaxes(v, axis, 0), lambda v: np.swapaxes(v, axis, 0)),
        "moveaxis": (lambda v: ops.moveaxis(v, axis, -1), lambda v: np.moveaxis(v, axis, -1)),
        "concatenate": (lambda v: ops.concatenate([v, v], axis), lambda v: np.concatenate([v, v], axis)),
        "stack": (lambda v: ops.stack([v, v], axis), lambda v: np.stack([v, v], axis)),
        "softmax": (
            lambda v: ops.softmax(v, axis),
            lambda v: np.exp(v) / np.exp(v).sum(axis, keepdims=True),
        ),
    }
    name = data.draw(st.sampled_from(sorted(rows)))
    check(data.draw, rows[name][0], [x], rows[name][1])


@given(data=st.data())
@few
def test_places_and_parts(backend: str, data: st.DataObject) -> None:
    """Reading and cutting: take, split, slices, reshapes, padding."""
    shape = data.draw(hnp.array_shapes(min_dims=1, max_dims=5, min_side=1, max_side=4))
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    x, n = plain(data.draw, shape), shape[axis]
    index = (
        np.random.default_rng(n).integers(-n, n, data.draw(st.sampled_from([(), (2,), (1, 3), (0,)]))).astype("int32")
    )
    along = [1 if i == axis % len(shape) else m for i, m in enumerate(shape)]
    places = np.random.default_rng(n).integers(0, n, along).astype("int32")
    slices = data.draw(hnp.basic_indices(shape, allow_ellipsis=True, allow_newaxis=True))
    pads = [data.draw(st.tuples(st.integers(0, 2), st.integers(0, 2))) for _ in shape]
    parts = data.draw(st.sampled_from([d for d in range(1, n + 1) if n % d == 0]))
    rows: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
        "take": (lambda v: ops.take(v, index, axis), lambda v: np.take(v, index, axis)),
        "take_along_axis": (
            lambda v: ops.take_along_axis(v, places, axis),
            lambda v: np.take_along_axis(v, places, axis),
        ),
        "get_item": (lambda v: ops.get_item(v, slices), lambda v: v[slices]),
        "pad": (lambda v: ops.pad(v, pads), lambda v: np.pad(v, pads)),
        "split": (lambda v: ops.split(v, parts, axis), lambda v: np.split(v, parts, axis)),
        "reshape": (lambda v: ops.reshape(v, (-1,)), lambda v: np.reshape(v, (-1,))),
        "tile": (lambda v: ops.tile(v, (2, 1)), lambda v: np.tile(v, (2, 1))),
        "broadcast_to": (
            lambda v: ops.broadcast_to(v, (2, *shape)),
            lambda v: np.broadcast_to(v, (2, *shape)),
        ),
        "transpose": (lambda v: ops.transpose(v), lambda v: np.transpose(v)),
    }
    name = data.draw(st.sampled_from(sorted(rows)))
    # Some ask for sizes, which must be there.
    draw = _known if name in ("broadcast_to", "split") else data.draw
    check(draw, rows[name][0], [x], rows[name][1])


def _known(strategy: Any) -> bool:
    """Draws no dimension as unknown."""
    return False


@given(data=st.data())
@few
def test_products(backend: str, data: st.DataObject) -> None:
    """Matrix products of stacks that broadcast, of vectors too."""
    shapes = data.draw(
        hnp.mutually_broadcastable_shapes(signature=np.matmul.signature, max_dims=3, min_side=0, max_side=3)
    )
    a, b = (plain(data.draw, s) for s in shapes.input_shapes)
    try:
        a @ b
    except ValueError:
        with pytest.raises(ValueError, match=r"ops\.matmul"):
            ops.matmul(a, b)
        return
    check(data.draw, ops.matmul, [a, b], np.matmul)
