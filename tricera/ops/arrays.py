"""More ops on arrays: diagonals, differences, bins and counts, order statistics, sums that skip NaN, splitting and joining."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tricera.core.op import composed, primitive
from tricera.core.tensor import Spec, Tensor, TensorLike
from tricera.ops.creation import (
    arange,
    convert_to_numpy,
    convert_to_tensor,
    dtype as dtype_of,
    zeros_like,
)
from tricera.ops.elementwise import (
    absolute,
    add,
    cast,
    divide,
    equal,
    floor_divide,
    greater,
    greater_equal,
    isnan,
    less,
    logical_and,
    logical_not,
    mod,
    multiply,
    not_equal,
    sqrt,
    square,
    subtract,
)
from tricera.ops.linear import matmul
from tricera.ops.reduce import (
    all as all_,
    any as any_,
    argmax,
    argmin,
    cumprod,
    cumsum,
    max as max_,
    mean as mean_,
    min as min_,
    prod as prod_,
    sum as sum_,
)
from tricera.ops.select import argsort, sort, take, where
from tricera.ops.shape import concatenate, expand_dims, flip, moveaxis, pad, reshape, split, squeeze, stack, transpose


@composed(promote=None)
def diagonal(x: TensorLike, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """The elements x[..., i, i + offset] of two axes, as a new last axis.

    Args:
        x: a tensor of at least 2 axes.
        offset: which diagonal: 0 the main one, positive ones above it.
        axis1: the rows' axis.
        axis2: the columns' axis.

    Raises:
        ValueError: fewer than 2 axes.
    """
    if len(x.shape) < 2:
        raise ValueError(f"ops.diagonal needs at least 2 axes; got a tensor of shape {tuple(x.shape)}.")
    x = moveaxis(x, (axis1, axis2), (-2, -1))
    rows, columns = x.shape[-2], x.shape[-1]
    if rows is None or columns is None:
        raise ValueError(
            f"ops.diagonal: the lengths of the axes {axis1} and {axis2} must be known; got {tuple(x.shape)}."
        )
    i = np.arange(max(min(rows + min(offset, 0), columns - max(offset, 0)), 0))
    positions = (i - min(offset, 0)) * columns + i + max(offset, 0)
    lead = tuple(-1 if d is None else d for d in x.shape[:-2])
    return take(reshape(x, (*lead, rows * columns)), positions.astype("int32"), axis=-1)


@composed(promote=None)
def diag(x: TensorLike, k: int = 0) -> Tensor:
    """The k-th diagonal of a matrix, or the matrix with a vector on its k-th diagonal.

    Args:
        x: a tensor of 1 or 2 axes.
        k: which diagonal.

    Raises:
        ValueError: another number of axes.
    """
    if len(x.shape) == 2:
        return diagonal(x, k)
    if len(x.shape) != 1:
        raise ValueError(f"ops.diag needs 1 or 2 axes; got a tensor of shape {tuple(x.shape)}.")
    widened = pad(x, ((max(-k, 0), max(k, 0)),)) if k < 0 else pad(x, ((0, k),))
    size = widened.shape[0]
    rows = reshape(arange(size, dtype="int32"), (-1, 1))
    column = add(rows, k)
    on = equal(column, arange(size, dtype="int32"))
    return where(on, reshape(widened, (-1, 1)), zeros_like(reshape(widened, (-1, 1))))


@composed(promote=None)
def diagflat(x: TensorLike, k: int = 0) -> Tensor:
    """The matrix with the elements of a tensor, flattened, on its k-th diagonal."""
    return diag(reshape(x, (-1,)), k=k)


@composed
def trace(x: TensorLike, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """The sum of a diagonal of two axes; arguments as for `diagonal`."""
    return sum_(diagonal(x, offset, axis1, axis2), axis=-1)


def tri(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Tensor:
    """A matrix with ones on and below the k-th diagonal, zeros above.

    Args:
        N: the number of rows.
        M: the number of columns, N for None.
        k: which diagonal.
        dtype: default: floatx.
    """
    from tricera.core.dtypes import standardize_dtype

    rows = reshape(arange(N, dtype="int32"), (N, 1))
    return cast(greater_equal(add(rows, k), arange(N if M is None else M, dtype="int32")), standardize_dtype(dtype))


@composed
def diff(a: TensorLike, n: int = 1, axis: int = -1) -> Tensor:
    """The n-th differences a[i + 1] - a[i] along an axis.

    Args:
        a: a tensor.
        n: how often differences are taken.
        axis: the axis.

    Raises:
        ValueError: `n` is negative.

    Example:
        >>> from tricera import ops
        >>> ops.convert_to_numpy(diff([1, 4, 9])).tolist()
        [3, 5]
    """
    if n < 0:
        raise ValueError(f"ops.diff: `n` must not be negative; got {n}.")
    lead = (slice(None),) * (axis % len(a.shape))
    for _ in range(n):
        upper, lower = a[(*lead, slice(1, None))], a[(*lead, slice(None, -1))]
        a = not_equal(upper, lower) if dtype_of(a) == "bool" else subtract(upper, lower)
    return a


@composed
def cross(
    x1: TensorLike, x2: TensorLike, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None
) -> Tensor:
    """The cross product of vectors of 2 or 3 components.

    Args:
        x1: a tensor.
        x2: a tensor.
        axisa: the axis of the vectors in `x1`.
        axisb: the axis of the vectors in `x2`.
        axisc: the axis of the vectors in the result (there is none for two vectors of 2 components).
        axis: all three at once.

    Raises:
        ValueError: another number of components.
    """
    if axis is not None:
        axisa = axisb = axisc = axis
    x1, x2 = moveaxis(x1, axisa, -1), moveaxis(x2, axisb, -1)
    n1, n2 = x1.shape[-1], x2.shape[-1]
    if n1 not in (2, 3) or n2 not in (2, 3):
        raise ValueError(
            f"ops.cross needs vectors of 2 or 3 components; got shapes {tuple(x1.shape)} and {tuple(x2.shape)}."
        )
    a = [x1[..., i] for i in range(n1)]
    b = [x2[..., i] for i in range(n2)]
    last = subtract(multiply(a[0], b[1]), multiply(a[1], b[0]))
    if n1 == n2 == 2:
        return last
    a3 = a[2] if n1 == 3 else zeros_like(a[0])
    b3 = b[2] if n2 == 3 else zeros_like(b[0])
    first = subtract(multiply(a[1], b3), multiply(a3, b[1]))
    second = subtract(multiply(a3, b[0]), multiply(a[0], b3))
    return stack([first, second, last], axis=axisc)


def _searched(sorted_sequence: Spec, values: Spec, side: str = "left") -> Spec:
    return Spec(values.shape, "int32")


@primitive(spec=_searched)
def searchsorted(sorted_sequence: TensorLike, values: TensorLike, side: str = "left") -> Tensor:
    """Where values belong in an ascending sequence.

    Args:
        sorted_sequence: a 1-D tensor.
        values: a tensor.
        side: `"left"`: before equal elements; `"right"`: behind them.

    Returns:
        A tensor of the shape of `values`, of dtype int32.

    Example:
        >>> int(searchsorted([1, 3, 5], [4])[0])
        2
    """
    ...


@composed
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


@composed(promote=None)
def bincount(x: TensorLike, weights: TensorLike | None = None, minlength: int = 0, sparse: bool = False) -> Tensor:
    """How often each integer from 0 on occurs, row by row.

    Args:
        x: non-negative integers, 1-D or 2-D (batch, n).
        weights: count these in the place of ones; of the shape of `x`.
        minlength: the least length of the result.
        sparse: ask for a sparse result.

    Returns:
        A tensor (length,) or (batch, length), length being the greater of `minlength` and the greatest integer + 1
        (which is known from the values only, so inside compiled code just `minlength` counts).

    Example:
        >>> from tricera import ops
        >>> ops.convert_to_numpy(bincount([1, 1, 3])).tolist()
        [0, 2, 0, 1]
    """
    from tricera.core.tensor import KerasTensor

    kind = "int32" if weights is None else dtype_of(weights)
    if isinstance(x, KerasTensor) or isinstance(weights, KerasTensor):
        return KerasTensor((*x.shape[:-1], None), kind)
    length = max(int(convert_to_numpy(max_(x, initial=-1))) + 1, minlength)
    values = zeros_like(x, dtype=kind) + 1 if weights is None else weights
    hot = equal(expand_dims(x, -1), arange(length, dtype=dtype_of(x)))
    return sum_(where(hot, expand_dims(values, -1), zeros_like(expand_dims(values, -1))), axis=-2)


@composed(promote=None)
def select(condlist: Sequence[TensorLike], choicelist: Sequence[TensorLike], default: Any = 0) -> Tensor:
    """Elements of the first choice whose condition holds, of `default` where none does.

    Args:
        condlist: bool tensors.
        choicelist: as many tensors.
        default: a number or a tensor.

    Raises:
        ValueError: the lists are empty or of different lengths.
    """
    if not condlist or len(condlist) != len(choicelist):
        raise ValueError(f"ops.select needs as many choices as conditions; got {len(choicelist)} and {len(condlist)}.")
    out = default
    for condition, choice in zip(reversed(condlist), reversed(choicelist), strict=True):
        out = where(condition, choice, out)
    return out


def _viewed(x: Spec, dtype: Any = None) -> Spec:
    from tricera.core.dtypes import numpy_dtype, standardize_dtype

    kind = x.dtype if dtype is None else standardize_dtype(dtype)
    old, new = numpy_dtype(x.dtype).itemsize, numpy_dtype(kind).itemsize
    if old == new:
        return Spec(x.shape, kind)
    if not x.ndim or (x.shape[-1] is not None and x.shape[-1] * old % new):
        raise ValueError(f"ops.view: the last axis of shape {tuple(x.shape)} does not hold whole elements of {kind}.")
    return Spec((*x.shape[:-1], None if x.shape[-1] is None else x.shape[-1] * old // new), kind)


@primitive(spec=_viewed, promote=None)
def view(x: TensorLike, dtype: Any = None) -> Tensor:
    """The same bits read as another dtype; the last axis grows or shrinks where the sizes differ.

    Args:
        x: a tensor.
        dtype: a dtype in any form; None leaves it.

    Raises:
        ValueError: the last axis does not hold whole elements.
    """
    ...


@composed(promote=None)
def argpartition(x: TensorLike, kth: int, axis: int = -1) -> Tensor:
    """Indices that put the element of rank `kth` in its place, smaller ones before it (here: the order of a full sort)."""
    return argsort(x, axis=axis)


def unique(
    x: Any,
    sorted: bool = True,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    size: int | None = None,
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
        A tensor, or a tuple of tensors.

    Example:
        >>> from tricera import ops
        >>> ops.convert_to_numpy(unique([3, 1, 3])).tolist()
        [1, 3]
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


@composed
def ptp(x: TensorLike, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The largest element less the smallest, along axes."""
    return subtract(max_(x, axis=axis, keepdims=keepdims), min_(x, axis=axis, keepdims=keepdims))


def _joined(x: Any, axis: Any) -> tuple[Any, tuple[int, ...]]:
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


_METHODS = ("linear", "lower", "higher", "midpoint", "nearest")


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


@composed(promote="float")
def quantile(x: TensorLike, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False) -> Tensor:
    """The q-th quantiles along axes: the elements that q of all lie below; NaN if there is one.

    Args:
        x: a tensor.
        q: a number in [0, 1], or several.
        axis: an axis or a tuple of them; None means all.
        method: between two elements: `"linear"`, `"lower"`, `"higher"`, `"midpoint"` or `"nearest"`.
        keepdims: keep the reduced axes, with length 1.

    Returns:
        A tensor; for several q they are its first axis.

    Raises:
        ValueError: an unknown method, or q out of range.

    Example:
        >>> float(quantile([1.0, 2.0, 4.0], 0.5))
        2.0
    """
    if method not in _METHODS:
        raise ValueError(f"ops.quantile: `method` must be one of {', '.join(map(repr, _METHODS))}, not {method!r}.")
    qs = np.asarray(convert_to_numpy(q), "float64")
    if ((qs < 0) | (qs > 1)).any():
        raise ValueError(f"ops.quantile: `q` must lie between 0 and 1, not {q}.")
    flat, axes = _joined(x, axis)
    ordered = sort(flat, axis=-1)
    bad = any_(isnan(flat), axis=-1)

    def one(value: float) -> Any:
        found = _ranked(ordered, float(value), method)
        found = where(bad, float("nan"), found)
        return expand_dims(found, axes) if keepdims and axes else found

    return one(float(qs)) if qs.ndim == 0 else stack([one(v) for v in qs.reshape(-1)], axis=0)


@composed(promote="float")
def percentile(x: TensorLike, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False) -> Tensor:
    """`quantile` with q from 0 to 100."""
    return quantile(x, np.asarray(convert_to_numpy(q)) / 100, axis=axis, method=method, keepdims=keepdims)


@composed(promote="float")
def median(x: TensorLike, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The middle element along axes, or the mean of the two in the middle.

    Example:
        >>> float(median([1.0, 5.0, 2.0]))
        2.0
    """
    return quantile(x, 0.5, axis=axis, keepdims=keepdims)


def _filled(x: Any, value: Any) -> Any:
    return where(isnan(x), value, x)


@composed
def nansum(x: TensorLike, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The sum along axes, NaN counting as 0."""
    return sum_(_filled(x, 0), axis=axis, keepdims=keepdims)


@composed
def nanprod(x: TensorLike, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The product along axes, NaN counting as 1."""
    return prod_(_filled(x, 1), axis=axis, keepdims=keepdims)


@composed
def nancumsum(x: TensorLike, axis: int | None = None, dtype: Any = None) -> Tensor:
    """The running sum along an axis, NaN counting as 0."""
    return cumsum(_filled(x, 0), axis=axis, dtype=dtype)


@composed
def nancumprod(x: TensorLike, axis: int | None = None, dtype: Any = None) -> Tensor:
    """The running product along an axis, NaN counting as 1."""
    return cumprod(_filled(x, 1), axis=axis, dtype=dtype)


def _nan_where_all(x: Any, result: Any, axis: Any, keepdims: bool) -> Any:
    return where(all_(isnan(x), axis=axis, keepdims=keepdims), float("nan"), result)


@composed
def nanmax(x: TensorLike, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The largest element along axes that is not NaN."""
    if "float" not in dtype_of(x):
        return max_(x, axis=axis, keepdims=keepdims)
    return _nan_where_all(x, max_(_filled(x, -math.inf), axis=axis, keepdims=keepdims), axis, keepdims)


@composed
def nanmin(x: TensorLike, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The smallest element along axes that is not NaN."""
    if "float" not in dtype_of(x):
        return min_(x, axis=axis, keepdims=keepdims)
    return _nan_where_all(x, min_(_filled(x, math.inf), axis=axis, keepdims=keepdims), axis, keepdims)


@composed(promote="float")
def nanargmax(x: TensorLike, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """The index of the largest element that is not NaN along an axis; -1 where all are."""
    found = argmax(_filled(x, -math.inf), axis=axis, keepdims=keepdims)
    return where(all_(isnan(x), axis=axis, keepdims=keepdims), -1, found)


@composed(promote="float")
def nanargmin(x: TensorLike, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """The index of the smallest element that is not NaN along an axis; -1 where all are."""
    found = argmin(_filled(x, math.inf), axis=axis, keepdims=keepdims)
    return where(all_(isnan(x), axis=axis, keepdims=keepdims), -1, found)


@composed(promote="float")
def nanmean(x: TensorLike, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The mean along axes of the elements that are not NaN."""
    count = sum_(cast(logical_not(isnan(x)), dtype_of(x)), axis=axis, keepdims=keepdims)
    return divide(sum_(_filled(x, 0), axis=axis, keepdims=keepdims), count)


@composed(promote="float")
def nanvar(x: TensorLike, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The variance along axes of the elements that are not NaN."""
    return nanmean(square(subtract(x, nanmean(x, axis=axis, keepdims=True))), axis=axis, keepdims=keepdims)


@composed(promote="float")
def nanstd(x: TensorLike, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The standard deviation along axes of the elements that are not NaN."""
    return sqrt(nanvar(x, axis=axis, keepdims=keepdims))


@composed(promote="float")
def nanquantile(x: TensorLike, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False) -> Tensor:
    """`quantile` of the elements that are not NaN."""
    from tricera.ops.elementwise import ceil, floor, round
    from tricera.ops.select import take_along_axis

    if method not in _METHODS:
        raise ValueError(f"ops.nanquantile: `method` must be one of {', '.join(map(repr, _METHODS))}, not {method!r}.")
    flat, axes = _joined(x, axis)
    bad = isnan(flat)
    ordered = sort(where(bad, math.inf, flat), axis=-1)
    count = sum_(cast(logical_not(bad), "int32"), axis=-1, keepdims=True)

    def one(value: float) -> Any:
        at = multiply(cast(where(equal(count, 0), 1, count) - 1, "float32"), value)
        low, high = floor(at), ceil(at)
        if method != "linear":
            low = {"lower": low, "higher": high, "nearest": round(at)}.get(method, low)
            high = high if method == "midpoint" else low
        a = take_along_axis(ordered, cast(low, "int32"), axis=-1)
        b = take_along_axis(ordered, cast(high, "int32"), axis=-1)
        weight = 0.5 if method == "midpoint" else cast(subtract(at, low), dtype_of(x)) if method == "linear" else 0.0
        found = where(equal(low, high), a, add(a, multiply(subtract(b, a), weight)))
        found = squeeze(where(equal(count, 0), math.nan, found), axis=-1)
        return expand_dims(found, axes) if keepdims and axes else found

    qs = np.asarray(convert_to_numpy(q), "float64")
    return one(float(qs)) if qs.ndim == 0 else stack([one(float(v)) for v in qs.reshape(-1)], axis=0)


@composed(promote="float")
def nanpercentile(x: TensorLike, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False) -> Tensor:
    """`percentile` of the elements that are not NaN."""
    return nanquantile(x, np.asarray(convert_to_numpy(q)) / 100, axis=axis, method=method, keepdims=keepdims)


@composed(promote="float")
def nanmedian(x: TensorLike, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The median along axes of the elements that are not NaN."""
    return nanquantile(x, 0.5, axis=axis, keepdims=keepdims)


@composed
def append(x1: TensorLike, x2: TensorLike, axis: int | None = None) -> Tensor:
    """`x2` behind `x1` along an axis; None flattens both."""
    if axis is None:
        return concatenate([reshape(x1, (-1,)), reshape(x2, (-1,))])
    return concatenate([x1, x2], axis=axis)


@composed(promote=None)
def array_split(x: TensorLike, indices_or_sections: Any, axis: int = 0) -> Any:
    """Parts of a tensor along an axis, the first ones longer by one where the axis can't be divided evenly.

    Args:
        x: a tensor.
        indices_or_sections: the number of parts, or the indices at which to cut.
        axis: the axis.
    """
    if isinstance(indices_or_sections, int):
        size = x.shape[axis]
        if size is None:
            raise ValueError(f"ops.array_split: the length of axis {axis} must be known.")
        small, longer = divmod(size, indices_or_sections)
        sizes = [small + 1] * longer + [small] * (indices_or_sections - longer)
        indices_or_sections = list(np.cumsum(sizes)[:-1])
    return split(x, [int(i) for i in indices_or_sections], axis=axis)


@composed(promote=None)
def hsplit(x: TensorLike, indices_or_sections: Any) -> Any:
    """Parts along the second axis (the first of a vector)."""
    return split(x, indices_or_sections, axis=1 if len(x.shape) > 1 else 0)


@composed(promote=None)
def vsplit(x: TensorLike, indices_or_sections: Any) -> Any:
    """Parts along the first axis."""
    return split(x, indices_or_sections, axis=0)


@composed(promote=None)
def dsplit(x: TensorLike, indices_or_sections: Any) -> Any:
    """Parts along the third axis."""
    return split(x, indices_or_sections, axis=2)


@composed
def dstack(xs: Sequence[TensorLike]) -> Tensor:
    """Tensors joined along the third axis; vectors (n,) count as (1, n, 1), matrices as (n, m, 1)."""
    parts = []
    for x in xs:
        x = reshape(x, (1, -1, 1)) if len(x.shape) < 2 else expand_dims(x, -1) if len(x.shape) == 2 else x
        parts.append(x)
    return concatenate(parts, axis=2)


@composed(promote=None)
def fliplr(x: TensorLike) -> Tensor:
    """The second axis reversed."""
    return flip(x, axis=1)


@composed(promote=None)
def flipud(x: TensorLike) -> Tensor:
    """The first axis reversed."""
    return flip(x, axis=0)


@composed(promote=None)
def rot90(array: TensorLike, k: int = 1, axes: tuple[int, int] = (0, 1)) -> Tensor:
    """Two axes rotated by k quarter turns, from the first towards the second.

    Args:
        array: a tensor of at least 2 axes.
        k: how many turns.
        axes: the plane.

    Raises:
        ValueError: fewer than 2 axes, or the same axis twice.
    """
    from tricera.ops.shape import swapaxes

    rank = len(array.shape)
    if rank < 2 or len(axes) != 2 or axes[0] % rank == axes[1] % rank:
        raise ValueError(
            f"ops.rot90 needs two different axes of a tensor of at least 2 axes; got {axes} and {tuple(array.shape)}."
        )
    first, second = axes
    turns = k % 4
    if turns == 0:
        return array
    if turns == 2:
        return flip(flip(array, axis=first), axis=second)
    if turns == 1:
        return swapaxes(flip(array, axis=second), first, second)
    return flip(swapaxes(array, first, second), axis=second)


@composed
def kron(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The Kronecker product: each element of `x1` times all of `x2`, side by side."""
    rank = max(len(x1.shape), len(x2.shape))
    a = reshape(x1, (*(1,) * (rank - len(x1.shape)), *x1.shape))
    b = reshape(x2, (*(1,) * (rank - len(x2.shape)), *x2.shape))
    shape = tuple(m * n for m, n in zip(a.shape, b.shape, strict=True))
    a = reshape(a, tuple(d for m in a.shape for d in (m, 1)))
    b = reshape(b, tuple(d for n in b.shape for d in (1, n)))
    return reshape(multiply(a, b), shape)


@composed
def vander(x: TensorLike, N: int | None = None, increasing: bool = False) -> Tensor:
    """The matrix of the powers of a vector, the highest first unless `increasing`.

    Args:
        x: a 1-D tensor.
        N: how many powers; default: as many as elements.
        increasing: begin with the power 0.
    """
    count = x.shape[0] if N is None else N
    columns = [zeros_like(x) + 1]
    for _ in range(count - 1):
        columns.append(multiply(columns[-1], x))
    columns = columns[:count] if increasing else columns[:count][::-1]
    return stack(columns, axis=-1)


@composed(promote=None)
def unravel_index(indices: TensorLike, shape: Any) -> Any:
    """Positions in a flattened tensor as positions along each axis.

    Args:
        indices: an integer tensor.
        shape: the shape of the tensor.

    Returns:
        A tuple of tensors, one an axis.
    """
    out = []
    for size in reversed(tuple(shape)):
        out.append(mod(indices, size))
        indices = floor_divide(indices, size)
    return tuple(reversed(out))


@composed(promote="float")
def cdist(x: TensorLike, y: TensorLike) -> Tensor:
    """Euclidean distances between the rows of x (..., n, d) and those of y (..., m, d): (..., n, m)."""
    return sqrt(sum_(square(subtract(expand_dims(x, -2), expand_dims(y, -3))), axis=-1))


@composed(promote="float")
def corrcoef(x: TensorLike) -> Tensor:
    """Pearson's correlation coefficients between the rows of a matrix."""
    if len(x.shape) < 2:
        x = reshape(x, (1, -1))
    centred = subtract(x, mean_(x, axis=-1, keepdims=True))
    covariance = matmul(centred, transpose(centred))
    spread = sqrt(diagonal(covariance))
    out = divide(divide(covariance, expand_dims(spread, 0)), expand_dims(spread, 1))
    return squeeze(out) if out.shape == (1, 1) else out


@composed
def correlate(x1: TensorLike, x2: TensorLike, mode: str = "valid") -> Tensor:
    """The cross-correlation of two vectors, c[k] = sum over n of x1[n + k] x2[n].

    Args:
        x1: a 1-D tensor.
        x2: a 1-D tensor.
        mode: `"valid"` (full overlap), `"same"` (as long as the longer one) or `"full"` (any overlap).

    Raises:
        ValueError: another mode.
    """
    from tricera.core.dtypes import float_of
    from tricera.ops.convolution import conv

    if mode not in ("valid", "same", "full"):
        raise ValueError(f"ops.correlate: `mode` must be 'valid', 'same' or 'full', not {mode!r}.")
    kind = dtype_of(x1)
    n1, n2 = x1.shape[0], x2.shape[0]
    swapped = n1 < n2
    if swapped:
        x1, x2, n1, n2 = x2, x1, n2, n1
    wide = float_of(kind)
    before = {"valid": 0, "same": n2 // 2, "full": n2 - 1}[mode]
    after = {"valid": 0, "same": n2 - 1 - before, "full": n2 - 1}[mode]
    signal = pad(cast(x1, wide), ((before, after),))
    out = conv(reshape(signal, (1, -1, 1)), reshape(cast(x2, wide), (-1, 1, 1)), data_format="channels_last")
    out = cast(reshape(out, (-1,)), kind)
    return flip(out, axis=0) if swapped else out


def histogram(x: Any, bins: int = 10, range: tuple[float, float] | None = None) -> Any:
    """How many elements fall into each of equal bins.

    Args:
        x: a tensor.
        bins: how many.
        range: from where to where; default: the smallest and the largest element. What lies outside is left out.

    Returns:
        The pair (counts, edges).

    Raises:
        ValueError: not a positive number of bins, or an empty range.
    """
    from tricera.ops.creation import linspace

    if not isinstance(bins, int) or bins <= 0:
        raise ValueError(f"ops.histogram: `bins` must be a positive integer, not {bins!r}.")
    if range is not None and (len(range) != 2 or range[0] > range[1]):
        raise ValueError(f"ops.histogram: `range` must be a pair (low, high), not {range}.")
    x = reshape(convert_to_tensor(x), (-1,))
    x = x if "float" in dtype_of(x) else cast(x, "float32")
    low, high = range if range is not None else (min_(x), max_(x))
    if range is None:
        flat = equal(low, high)
        low, high = where(flat, subtract(low, 0.5), low), where(flat, add(high, 0.5), high)
    edges = linspace(low, high, bins + 1, dtype=dtype_of(x))
    at = subtract(searchsorted(edges, x, side="right"), 1)
    at = where(equal(x, edges[-1]), bins - 1, at)
    inside = logical_and(greater_equal(at, 0), less(at, bins))
    hot = logical_and(equal(expand_dims(at, -1), arange(bins, dtype="int32")), expand_dims(inside, -1))
    return sum_(cast(hot, "int32"), axis=0), edges


def logspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, base: Any = 10, dtype: Any = None, axis: int = 0
) -> Tensor:
    """`num` numbers from base**start to base**stop, evenly spaced on a logarithmic scale; arguments as for `linspace`."""
    from tricera.ops.creation import linspace
    from tricera.ops.elementwise import power

    out = power(base, linspace(start, stop, num, endpoint, axis=axis))
    return out if dtype is None else cast(out, dtype)


def geomspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0) -> Tensor:
    """`num` numbers from `start` to `stop`, each the same multiple of the one before; arguments as for `linspace`."""
    from tricera.ops.creation import linspace
    from tricera.ops.elementwise import exp, log, sign

    start, stop = convert_to_tensor(start), convert_to_tensor(stop)
    out = multiply(sign(start), exp(linspace(log(absolute(start)), log(absolute(stop)), num, endpoint, axis=axis)))
    return out if dtype is None else cast(out, dtype)


def _window(function: Any) -> Any:
    def window(x: Any, *parameters: Any) -> Tensor:
        return convert_to_tensor(
            function(int(convert_to_numpy(x)), *map(float, parameters)).astype("float64"), "float32"
        )

    return window


def bartlett(x: Any) -> Tensor:
    """The triangular window of `x` points."""
    return _window(np.bartlett)(x)


def blackman(x: Any) -> Tensor:
    """Blackman's window of `x` points."""
    return _window(np.blackman)(x)


def hamming(x: Any) -> Tensor:
    """Hamming's window of `x` points, 0.54 - 0.46 cos(2 pi n / (x - 1))."""
    return _window(np.hamming)(x)


def hanning(x: Any) -> Tensor:
    """Hann's window of `x` points, 0.5 - 0.5 cos(2 pi n / (x - 1))."""
    return _window(np.hanning)(x)


def kaiser(x: Any, beta: Any) -> Tensor:
    """Kaiser's window of `x` points with the shape `beta`."""
    return _window(np.kaiser)(x, beta)


@composed(promote="float")
def sparsemax(x: TensorLike, axis: int = -1) -> Tensor:
    """The projection of logits on the probability simplex, which gives zeros (Martins & Astudillo 2016).

    Args:
        x: the logits.
        axis: the axis of the classes.

    Returns:
        A tensor of the same shape that sums to 1 along the axis.
    """
    from tricera.ops.elementwise import maximum

    z = flip(sort(x, axis=axis), axis=axis)
    size = x.shape[axis]
    shape = tuple(-1 if i == axis % len(x.shape) else 1 for i in range(len(x.shape)))
    k = reshape(arange(1, size + 1, dtype=dtype_of(x)), shape)
    totals = cumsum(z, axis=axis)
    support = greater(add(1.0, multiply(k, z)), totals)
    count = sum_(cast(support, dtype_of(x)), axis=axis, keepdims=True)
    kept = sum_(where(support, z, zeros_like(z)), axis=axis, keepdims=True)
    return maximum(subtract(x, divide(subtract(kept, 1.0), count)), 0)


@composed(promote=None)
def depth_to_space(x: TensorLike, block_size: int, data_format: str = "channels_last") -> Tensor:
    """Blocks of channels spread over height and width.

    Args:
        x: images (batch, height, width, block² * channels), or with channels first.
        block_size: the blocks' height and width.
        data_format: `"channels_last"` or `"channels_first"`.

    Returns:
        Images (batch, height * block, width * block, channels), or with channels first.
    """
    b = block_size
    if data_format == "channels_first":
        _, c, h, w = x.shape
        out = transpose(reshape(x, (-1, b, b, c // b**2, h, w)), (0, 3, 4, 1, 5, 2))
        return reshape(out, (-1, c // b**2, h * b, w * b))
    _, h, w, c = x.shape
    out = transpose(reshape(x, (-1, h, w, b, b, c // b**2)), (0, 1, 3, 2, 4, 5))
    return reshape(out, (-1, h * b, w * b, c // b**2))


@composed(promote=None)
def space_to_depth(x: TensorLike, block_size: int, data_format: str = "channels_last") -> Tensor:
    """Blocks of height and width put into channels, the inverse of `depth_to_space`."""
    b = block_size
    if data_format == "channels_first":
        _, c, h, w = x.shape
        out = transpose(reshape(x, (-1, c, h // b, b, w // b, b)), (0, 3, 5, 1, 2, 4))
        return reshape(out, (-1, c * b**2, h // b, w // b))
    _, h, w, c = x.shape
    out = transpose(reshape(x, (-1, h // b, b, w // b, b, c)), (0, 1, 3, 2, 4, 5))
    return reshape(out, (-1, h // b, w // b, c * b**2))
