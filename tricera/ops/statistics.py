"""Bins and counts, order statistics, distances and correlations."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tricera.core import dispatch
from tricera.core.doors import Natural, Positive, guarded
from tricera.core.dtypes import float_of
from tricera.core.op import composed, primitive
from tricera.core.tensor import Spec, Tensor, TensorLike
from tricera.ops.arrays import diagonal
from tricera.ops.comparison import equal, greater_equal, isnan, less, logical_and
from tricera.ops.creation import arange, convert_to_numpy, convert_to_tensor, dtype as dtype_of, zeros_like
from tricera.ops.elementwise import add, cast, divide, multiply, square, subtract
from tricera.ops.linear import matmul
from tricera.ops.reduce import any as any_, max as max_, mean as mean_, min as min_, sum as sum_
from tricera.ops.select import argsort, sort, where
from tricera.ops.shape import broadcast_to, expand_dims, reshape, squeeze, stack, transpose
from tricera.ops.unary import sqrt


def _searched(sorted_sequence: Spec, values: Spec, side: str = "left") -> Spec:
    if sorted_sequence.ndim != 1:
        raise ValueError(
            f"ops.searchsorted: `sorted_sequence` must have one axis, not the shape {sorted_sequence.shape}."
        )
    if side not in ("left", "right"):
        raise ValueError(f"ops.searchsorted: `side` must be 'left' or 'right', not {side!r}.")
    return Spec(values.shape, "int32")


@primitive(spec=_searched, strict=True, kinds="real")
def searchsorted(sorted_sequence: TensorLike, values: TensorLike, side: str = "left") -> Tensor:
    """Where values belong in an ascending sequence.

    Args:
        sorted_sequence: a 1-D tensor.
        values: a tensor.
        side: `"left"`: before equal elements; `"right"`: behind them.

    Returns:
        A tensor of the shape of `values`, of dtype int32.

    Raises:
        ValueError: the sequence has not one axis, or another side.

    Example:
        >>> int(searchsorted([1, 3, 5], [4])[0])
        2
    """
    ...


@composed(kinds="real")
def digitize(x: TensorLike, bins: TensorLike) -> Tensor:
    """The index of the bin of each element: i where bins[i - 1] <= x < bins[i].

    Args:
        x: a tensor.
        bins: the ascending edges, 1-D.

    Returns:
        A tensor of the shape of `x`, of dtype int32.

    Example:
        >>> int(digitize([2.5], [1.0, 2.0, 3.0])[0])
        2
    """
    return searchsorted(bins, x, side="right")


@composed(promote=None, kinds={"x": "integer", "weights": "real"})
def bincount(x: TensorLike, weights: TensorLike | None = None, minlength: Natural = 0, sparse: bool = False) -> Tensor:
    """How often each integer from 0 on occurs, row by row.

    Args:
        x: non-negative integers, 1-D or 2-D (batch, n).
        weights: count these in the place of ones; of the shape of `x`.
        minlength: the least length of the result.
        sparse: give a sparse tensor, where the framework has one (NumPy has none).

    Returns:
        A tensor (length,) or (batch, length) of int32 or of the dtype of `weights`, length being the greater of
        `minlength` and the greatest integer + 1 (which is known from the values only, so inside compiled code just
        `minlength` counts).

    Raises:
        ValueError: no `minlength` inside compiled code.

    Example:
        >>> from tricera import ops
        >>> ops.convert_to_numpy(bincount([1, 1, 3])).tolist()
        [0, 2, 0, 1]
    """
    from tricera.core.tensor import KerasTensor

    if len(x.shape) not in (1, 2):
        raise ValueError(f"ops.bincount: `x` must be 1-D, or 2-D for row by row; got the shape {tuple(x.shape)}.")
    kind = "int32" if weights is None else dtype_of(weights)
    if isinstance(x, KerasTensor) or isinstance(weights, KerasTensor):
        return KerasTensor((*x.shape[:-1], None), kind)
    if dtype_of(x) not in ("int32", "int64"):
        x = cast(x, "int32")
    traced = dispatch.current().traced(x)
    if traced and not minlength:
        raise ValueError(
            "ops.bincount: inside of compiled code the values are not known; give `minlength`, the length of the result."
        )
    length = minlength if traced else max(int(max_(x, initial=-1)) + 1, minlength)
    values = zeros_like(x, dtype=kind) + 1 if weights is None else weights
    if sparse:
        lead = [broadcast_to(expand_dims(arange(n, dtype="int32"), -1), x.shape) for n in x.shape[:-1]]
        places = stack([reshape(cast(c, "int32"), (-1,)) for c in (*lead, x)], axis=-1)
        return dispatch.current().sparse.make(places, reshape(values, (-1,)), (*x.shape[:-1], length))
    hot = equal(expand_dims(x, -1), arange(length, dtype=dtype_of(x)))
    return sum_(where(hot, expand_dims(values, -1), zeros_like(expand_dims(values, -1))), axis=-2)


@composed(promote=None, kinds="real")
def argpartition(x: TensorLike, kth: int, axis: int = -1) -> Tensor:
    """Indices that put the element of rank `kth` in its place, smaller ones before it (here: the order of a full sort).

    Args:
        x: a tensor.
        kth: the rank, counted from 0.
        axis: the axis.

    Returns:
        A tensor of the shape of `x`, of dtype int32.

    Example:
        >>> from tricera import ops
        >>> int(argpartition([30, 10, 20], 1)[1])
        2
    """
    return argsort(x, axis=axis)


@guarded
def unique(
    x: TensorLike,
    sorted: bool = True,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    size: Natural | None = None,
    fill_value: Any = None,
) -> Any:
    """The distinct elements (or slices along an axis), in ascending order.

    The result's length depends on the values, so this runs on the values themselves, outside of compiled functions.

    Args:
        x: a tensor.
        sorted: in ascending order (they always are).
        return_index: also give where each first occurs.
        return_inverse: also give which one each element is.
        return_counts: also give how often each occurs.
        axis: the axis whose slices are compared; None flattens the tensor.
        size: cut or fill the result to this length.
        fill_value: what it is filled with; default: the least element.

    Returns:
        A tensor of the dtype of `x`, or a tuple of it and those asked for, of dtype int32: the indices, the inverse (of
        the shape of `x`, or 1-D for an axis) and the counts (0 for what was filled in).

    Raises:
        ValueError: `x` is symbolic.

    Example:
        >>> from tricera import ops
        >>> ops.convert_to_numpy(unique([3, 1, 3])).tolist()
        [1, 3]
        >>> ops.convert_to_numpy(unique([3, 1, 3], return_counts=True)[1]).tolist()
        [1, 2]
    """
    from tricera.core import dispatch

    backend = dispatch.of(x) or dispatch.current()
    values, index, inverse, counts = np.unique(convert_to_numpy(convert_to_tensor(x)), True, True, True, axis=axis)
    inverse = inverse.reshape(np.shape(convert_to_numpy(x))) if axis is None else inverse.reshape(-1)
    if size is not None:
        along = axis or 0
        more = size - values.shape[along]
        if more > 0:
            filler = (
                values.take([0], along) if fill_value is None else np.full_like(values.take([0], along), fill_value)
            )
            values = np.concatenate([values, filler.repeat(more, along)], along)
            index = np.concatenate([index, np.full(more, index[0] if len(index) else 0)])
            counts = np.concatenate([counts, np.zeros(more, counts.dtype)])
        else:
            values, index, counts = values.take(range(size), along), index[:size], counts[:size]
    wanted = [values]
    for asked, part in ((return_index, index), (return_inverse, inverse), (return_counts, counts)):
        if asked:
            wanted.append(part.astype("int32"))
    with dispatch.use(backend):
        out = tuple(convert_to_tensor(w) for w in wanted)
    return out if len(out) > 1 else out[0]


@composed(kinds="real")
def ptp(x: TensorLike, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The largest element less the smallest, along axes.

    Args:
        x: a tensor.
        axis: an axis or a tuple of them; None means all.
        keepdims: keep the reduced axes, with length 1.

    Returns:
        A tensor without these axes, of the dtype of `x`.

    Raises:
        TypeError: `x` is of booleans, which have no difference.

    Example:
        >>> int(ptp([3, 1, 5]))
        4
    """
    return subtract(max_(x, axis=axis, keepdims=keepdims), min_(x, axis=axis, keepdims=keepdims))


def joined_axes(x: Any, axis: Any) -> tuple[Any, tuple[int, ...]]:
    """The axes to reduce moved to the end and made one, and which they were."""
    rank = len(x.shape)
    axes = tuple(range(rank)) if axis is None else (axis,) if isinstance(axis, int) else tuple(axis)
    axes = tuple(a % rank for a in axes)
    rest = [i for i in range(rank) if i not in axes]
    moved = transpose(x, [*rest, *axes])
    lead = [moved.shape[i] for i in range(len(rest))]
    sizes = [x.shape[a] for a in axes]
    tail = math.prod(sizes) if None not in sizes else None
    if lead.count(None) + (tail is None) > 1:
        raise ValueError(f"The shape {tuple(x.shape)} leaves too many lengths open for a reduction along {axes}.")
    return reshape(moved, tuple(-1 if d is None else d for d in (*lead, tail))), axes


def fractions(q: Any, scale: float = 1.0) -> Any:
    """Quantiles that were asked for: a number, or (nested) numbers as an array. They are constants, also while tracing."""
    if isinstance(q, (int, float)):  # without NumPy, which torch.compile would trace
        return float(q) / scale
    if isinstance(q, (list, tuple)) and all(isinstance(v, (int, float)) for v in q):
        return [float(v) / scale for v in q]
    return np.asarray(convert_to_numpy(q), "float64") / scale


def each_fraction(one: Callable[[float], Any], q: Any) -> Any:
    """What `one` makes of each quantile: of a single one, or stacked on new first axes, those of `q`."""
    if isinstance(q, (int, float)) or (isinstance(q, np.ndarray) and q.ndim == 0):
        return one(float(q))
    if not len(q):
        return expand_dims(one(0.5), 0)[:0]
    return stack([each_fraction(one, part) for part in q], axis=0)


METHODS = ("linear", "lower", "higher", "midpoint", "nearest")


def _ranked(ordered: Any, q: float, method: str) -> Any:
    """The q-quantile of the sorted last axis."""
    n = ordered.shape[-1]
    if n is None:
        raise ValueError("ops.quantile: the length of the axes must be known.")
    at = q * (n - 1)
    low, high = math.floor(at), math.ceil(at)
    if method == "lower":
        return ordered[..., low]
    if method == "higher":
        return ordered[..., high]
    if method == "nearest":
        return ordered[..., int(np.round(at))]
    weight = 0.5 if method == "midpoint" and low != high else at - low
    a, b = ordered[..., low], ordered[..., high]
    return add(a, multiply(subtract(b, a), weight)) if low != high else a


def within_one(op: str, q: Any) -> Any:
    """The fractions, which lie between 0 and 1."""
    qs = fractions(q)
    listed = [qs] if isinstance(qs, float) else qs if isinstance(qs, list) else qs.reshape(-1).tolist()
    if not all(0 <= v <= 1 for v in listed):
        raise ValueError(f"ops.{op}: `q` must lie between 0 and 1, not {q}.")
    return qs


@composed(promote="float", kinds="real")
def quantile(x: TensorLike, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False) -> Tensor:
    """The q-th quantiles along axes: the elements that q of all lie below; NaN if there is one.

    Args:
        x: a tensor.
        q: a number in [0, 1], or several.
        axis: an axis or a tuple of them; None means all.
        method: between two elements: `"linear"`, `"lower"`, `"higher"`, `"midpoint"` or `"nearest"`.
        keepdims: keep the reduced axes, with length 1.

    Returns:
        A float tensor without these axes; for several q, theirs come first.

    Raises:
        ValueError: an unknown method, or q out of range.

    Example:
        >>> float(quantile([1.0, 2.0, 4.0], 0.5))
        2.0
    """
    if method not in METHODS:
        raise ValueError(f"ops.quantile: `method` must be one of {', '.join(map(repr, METHODS))}, not {method!r}.")
    qs = within_one("quantile", q)
    flat, axes = joined_axes(x, axis)
    ordered = sort(flat, axis=-1)
    bad = any_(isnan(flat), axis=-1)

    def one(value: float) -> Any:
        found = _ranked(ordered, float(value), method)
        found = where(bad, float("nan"), found)
        return expand_dims(found, axes) if keepdims and axes else found

    return each_fraction(one, qs)


@composed(promote="float", kinds="real")
def percentile(x: TensorLike, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False) -> Tensor:
    """`quantile` with q from 0 to 100.

    Args:
        x: a tensor.
        q: a number in [0, 100], or several.
        axis: an axis or a tuple of them; None means all.
        method: as for `quantile`.
        keepdims: keep the reduced axes, with length 1.

    Returns:
        A float tensor without these axes; for several q they are its first axis.

    Raises:
        ValueError: an unknown method, or q out of range.

    Example:
        >>> float(percentile([1.0, 2.0, 4.0], 50))
        2.0
    """
    return quantile(x, fractions(q, 100.0), axis=axis, method=method, keepdims=keepdims)


@composed(promote="float", kinds="real")
def median(x: TensorLike, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The middle element along axes, or the mean of the two in the middle; NaN if there is one.

    Args:
        x: a tensor.
        axis: an axis or a tuple of them; None means all.
        keepdims: keep the reduced axes, with length 1.

    Returns:
        A float tensor without these axes.

    Example:
        >>> float(median([1.0, 5.0, 2.0]))
        2.0
    """
    return quantile(x, 0.5, axis=axis, keepdims=keepdims)


@composed(promote="float")
def cdist(x: TensorLike, y: TensorLike) -> Tensor:
    """Euclidean distances between rows, sqrt(sum over d of (x[..., i, d] - y[..., j, d])^2).

    Args:
        x: a tensor (..., n, d).
        y: a tensor (..., m, d); the batch axes broadcast.

    Returns:
        A float tensor (..., n, m).

    Example:
        >>> from tricera import ops
        >>> ops.convert_to_numpy(cdist([[0.0, 0.0]], [[3.0, 4.0], [0.0, 2.0]])).tolist()
        [[5.0, 2.0]]
    """
    return sqrt(sum_(square(subtract(expand_dims(x, -2), expand_dims(y, -3))), axis=-1))


@composed(promote="float")
def corrcoef(x: TensorLike) -> Tensor:
    """Pearson's correlation coefficients between the rows of a matrix; NaN for rows of equal elements.

    Args:
        x: a tensor (variables, observations), or (observations,) for one variable.

    Returns:
        A float tensor (variables, variables), a scalar for one variable.

    Raises:
        ValueError: more than 2 axes.

    Example:
        >>> from tricera import ops
        >>> ops.convert_to_numpy(corrcoef([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]])).round(4).tolist()
        [[1.0, -1.0], [-1.0, 1.0]]
    """
    if len(x.shape) > 2:
        raise ValueError(f"ops.corrcoef needs a matrix (variables, observations); got the shape {tuple(x.shape)}.")
    if len(x.shape) < 2:
        x = reshape(x, (1, -1))
    centred = subtract(x, mean_(x, axis=-1, keepdims=True))
    covariance = matmul(centred, transpose(centred))
    spread = sqrt(diagonal(covariance))
    out = divide(divide(covariance, expand_dims(spread, 0)), expand_dims(spread, 1))
    return squeeze(out) if out.shape == (1, 1) else out


@guarded
def histogram(x: TensorLike, bins: Positive = 10, range: tuple[float, float] | None = None) -> Any:
    """How many elements fall into each of equal bins.

    A bin holds what is equal to its lower edge, the last one also what is equal to its upper edge.

    Args:
        x: a tensor.
        bins: how many.
        range: from where to where; default: the smallest and the largest element (0 and 1 where there is none). What
            lies outside is left out.

    Returns:
        The pair (counts, edges) of shapes (bins,) and (bins + 1,), of the dtype of `x` if that is a float; counts of
        integers are int32, their edges floatx.

    Raises:
        ValueError: not a positive number of bins, or a range whose ends are in the wrong order.

    Example:
        >>> from tricera import ops
        >>> counts, edges = histogram([1, 2, 2, 3], bins=2)
        >>> ops.convert_to_numpy(counts).tolist(), ops.convert_to_numpy(edges).tolist()
        ([1, 3], [1.0, 2.0, 3.0])
    """
    from tricera.ops.creation import linspace

    if not isinstance(bins, int) or bins <= 0:
        raise ValueError(f"ops.histogram: `bins` must be a positive integer, not {bins!r}.")
    if range is not None and (len(range) != 2 or range[0] > range[1]):
        raise ValueError(f"ops.histogram: `range` must be a pair (low, high), not {range}.")
    x = reshape(convert_to_tensor(x), (-1,))
    kind = dtype_of(x)
    x = cast(x, float_of(kind))
    if range is None and x.shape[0] == 0:
        range = (0.0, 1.0)
    low, high = range if range is not None else (min_(x), max_(x))
    if range is None:
        flat = equal(low, high)
        low, high = where(flat, subtract(low, 0.5), low), where(flat, add(high, 0.5), high)
    edges = linspace(low, high, bins + 1, dtype=dtype_of(x))
    at = subtract(searchsorted(edges, x, side="right"), 1)
    at = where(equal(x, edges[-1]), bins - 1, at)
    inside = logical_and(greater_equal(at, 0), less(at, bins))
    hot = logical_and(equal(expand_dims(at, -1), arange(bins, dtype="int32")), expand_dims(inside, -1))
    return cast(sum_(cast(hot, "int32"), axis=0), kind if "float" in kind else "int32"), edges
