"""Statistics that pass over NaN."""

from __future__ import annotations

import math
from typing import Any

from tricera.core.op import composed
from tricera.core.tensor import Tensor, TensorLike
from tricera.ops.comparison import equal, isnan, logical_not
from tricera.ops.creation import dtype as dtype_of
from tricera.ops.elementwise import add, cast, divide, multiply, square, subtract
from tricera.ops.reduce import (
    all as all_,
    argmax,
    argmin,
    cumprod,
    cumsum,
    max as max_,
    min as min_,
    prod as prod_,
    sum as sum_,
)
from tricera.ops.select import sort, where
from tricera.ops.shape import expand_dims, squeeze
from tricera.ops.statistics import METHODS, each_fraction, fractions, joined_axes, within_one
from tricera.ops.unary import sqrt


def _filled(x: Any, value: Any) -> Any:
    return where(isnan(x), value, x)


@composed
def nansum(x: TensorLike, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The sum along axes, NaN counting as 0.

    Args:
        x: a tensor.
        axis: an axis or a tuple of them; None means all.
        keepdims: keep the reduced axes, with length 1.

    Returns:
        A tensor without these axes, of the dtype that `sum` gives.

    Example:
        >>> float(nansum([1.0, float("nan"), 2.0]))
        3.0
    """
    return sum_(_filled(x, 0), axis=axis, keepdims=keepdims)


@composed
def nanprod(x: TensorLike, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The product along axes, NaN counting as 1.

    Args:
        x: a tensor.
        axis: an axis or a tuple of them; None means all.
        keepdims: keep the reduced axes, with length 1.

    Returns:
        A tensor without these axes, of the dtype that `prod` gives.

    Example:
        >>> float(nanprod([2.0, float("nan"), 3.0]))
        6.0
    """
    return prod_(_filled(x, 1), axis=axis, keepdims=keepdims)


@composed
def nancumsum(x: TensorLike, axis: int | None = None, dtype: Any = None) -> Tensor:
    """The running sum along an axis, NaN counting as 0.

    Args:
        x: a tensor.
        axis: the axis; None means the flattened tensor.
        dtype: of the result.

    Returns:
        A tensor of the shape of `x`, or 1-D for None.

    Example:
        >>> from tricera import ops
        >>> ops.convert_to_numpy(nancumsum([1.0, float("nan"), 2.0])).tolist()
        [1.0, 1.0, 3.0]
    """
    return cumsum(_filled(x, 0), axis=axis, dtype=dtype)


@composed
def nancumprod(x: TensorLike, axis: int | None = None, dtype: Any = None) -> Tensor:
    """The running product along an axis, NaN counting as 1.

    Args:
        x: a tensor.
        axis: the axis; None means the flattened tensor.
        dtype: of the result.

    Returns:
        A tensor of the shape of `x`, or 1-D for None.

    Example:
        >>> from tricera import ops
        >>> ops.convert_to_numpy(nancumprod([2.0, float("nan"), 3.0])).tolist()
        [2.0, 2.0, 6.0]
    """
    return cumprod(_filled(x, 1), axis=axis, dtype=dtype)


def _nan_where_all(x: Any, result: Any, axis: Any, keepdims: bool) -> Any:
    return where(all_(isnan(x), axis=axis, keepdims=keepdims), float("nan"), result)


@composed(kinds="real")
def nanmax(x: TensorLike, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The largest element along axes that is not NaN; NaN where all are.

    Args:
        x: a tensor.
        axis: an axis or a tuple of them; None means all.
        keepdims: keep the reduced axes, with length 1.

    Returns:
        A tensor without these axes, of the dtype of `x`.

    Example:
        >>> float(nanmax([1.0, float("nan"), 2.0]))
        2.0
    """
    if "float" not in dtype_of(x):
        return max_(x, axis=axis, keepdims=keepdims)
    return _nan_where_all(x, max_(_filled(x, -math.inf), axis=axis, keepdims=keepdims), axis, keepdims)


@composed(kinds="real")
def nanmin(x: TensorLike, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The smallest element along axes that is not NaN; NaN where all are.

    Args:
        x: a tensor.
        axis: an axis or a tuple of them; None means all.
        keepdims: keep the reduced axes, with length 1.

    Returns:
        A tensor without these axes, of the dtype of `x`.

    Example:
        >>> float(nanmin([1.0, float("nan"), 2.0]))
        1.0
    """
    if "float" not in dtype_of(x):
        return min_(x, axis=axis, keepdims=keepdims)
    return _nan_where_all(x, min_(_filled(x, math.inf), axis=axis, keepdims=keepdims), axis, keepdims)


@composed(promote="float", kinds="real")
def nanargmax(x: TensorLike, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """The index of the largest element that is not NaN along an axis; -1 where all are.

    Args:
        x: a tensor.
        axis: the axis; None means the flattened tensor.
        keepdims: keep the reduced axis, with length 1.

    Returns:
        A tensor without the axis, of dtype int32.

    Example:
        >>> int(nanargmax([1.0, float("nan"), 2.0]))
        2
    """
    found = argmax(_filled(x, -math.inf), axis=axis, keepdims=keepdims)
    return where(all_(isnan(x), axis=axis, keepdims=keepdims), -1, found)


@composed(promote="float", kinds="real")
def nanargmin(x: TensorLike, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """The index of the smallest element that is not NaN along an axis; -1 where all are.

    Args:
        x: a tensor.
        axis: the axis; None means the flattened tensor.
        keepdims: keep the reduced axis, with length 1.

    Returns:
        A tensor without the axis, of dtype int32.

    Example:
        >>> int(nanargmin([float("nan"), 2.0, 1.0]))
        2
    """
    found = argmin(_filled(x, math.inf), axis=axis, keepdims=keepdims)
    return where(all_(isnan(x), axis=axis, keepdims=keepdims), -1, found)


@composed(promote="float")
def nanmean(x: TensorLike, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The mean along axes of the elements that are not NaN; NaN where all are.

    Args:
        x: a tensor.
        axis: an axis or a tuple of them; None means all.
        keepdims: keep the reduced axes, with length 1.

    Returns:
        A float tensor without these axes.

    Example:
        >>> float(nanmean([1.0, float("nan"), 3.0]))
        2.0
    """
    count = sum_(cast(logical_not(isnan(x)), dtype_of(x)), axis=axis, keepdims=keepdims)
    return divide(sum_(_filled(x, 0), axis=axis, keepdims=keepdims), count)


@composed(promote="float")
def nanvar(x: TensorLike, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The variance along axes of the elements that are not NaN; NaN where all are.

    Args:
        x: a tensor.
        axis: an axis or a tuple of them; None means all.
        keepdims: keep the reduced axes, with length 1.

    Returns:
        A float tensor without these axes.

    Example:
        >>> float(nanvar([1.0, float("nan"), 5.0]))
        4.0
    """
    bad, mean = isnan(x), nanmean(x, axis=axis, keepdims=True)
    # Replaced before the square, and not after it, so that the gradient is a number, too.
    total = sum_(square(subtract(where(bad, mean, x), mean)), axis=axis, keepdims=keepdims)
    return divide(total, cast(sum_(cast(logical_not(bad), "int32"), axis=axis, keepdims=keepdims), dtype_of(x)))


@composed(promote="float")
def nanstd(x: TensorLike, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The standard deviation along axes of the elements that are not NaN, the square root of `nanvar`.

    Args:
        x: a tensor.
        axis: an axis or a tuple of them; None means all.
        keepdims: keep the reduced axes, with length 1.

    Returns:
        A float tensor without these axes.

    Example:
        >>> float(nanstd([1.0, float("nan"), 5.0]))
        2.0
    """
    return sqrt(nanvar(x, axis=axis, keepdims=keepdims))


@composed(promote="float", kinds="real")
def nanquantile(x: TensorLike, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False) -> Tensor:
    """`quantile` of the elements that are not NaN; NaN where all are.

    Args:
        x: a tensor.
        q: a number in [0, 1], or several.
        axis: an axis or a tuple of them; None means all.
        method: as for `quantile`.
        keepdims: keep the reduced axes, with length 1.

    Returns:
        A float tensor without these axes; for several q they are its first axis.

    Raises:
        ValueError: an unknown method.

    Example:
        >>> float(nanquantile([1.0, float("nan"), 3.0], 0.5))
        2.0
    """
    from tricera.ops.elementwise import round
    from tricera.ops.select import take_along_axis
    from tricera.ops.unary import ceil, floor

    if method not in METHODS:
        raise ValueError(f"ops.nanquantile: `method` must be one of {', '.join(map(repr, METHODS))}, not {method!r}.")
    qs = within_one("nanquantile", q)
    flat, axes = joined_axes(x, axis)
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

    return each_fraction(one, qs)


@composed(promote="float", kinds="real")
def nanpercentile(x: TensorLike, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False) -> Tensor:
    """`percentile` of the elements that are not NaN; NaN where all are.

    Args:
        x: a tensor.
        q: a number in [0, 100], or several.
        axis: an axis or a tuple of them; None means all.
        method: as for `quantile`.
        keepdims: keep the reduced axes, with length 1.

    Returns:
        A float tensor without these axes; for several q they are its first axis.

    Raises:
        ValueError: an unknown method.

    Example:
        >>> float(nanpercentile([1.0, float("nan"), 3.0], 50))
        2.0
    """
    return nanquantile(x, fractions(q, 100.0), axis=axis, method=method, keepdims=keepdims)


@composed(promote="float", kinds="real")
def nanmedian(x: TensorLike, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The median along axes of the elements that are not NaN; NaN where all are.

    Args:
        x: a tensor.
        axis: an axis or a tuple of them; None means all.
        keepdims: keep the reduced axes, with length 1.

    Returns:
        A float tensor without these axes.

    Example:
        >>> float(nanmedian([1.0, float("nan"), 3.0]))
        2.0
    """
    return nanquantile(x, 0.5, axis=axis, keepdims=keepdims)
