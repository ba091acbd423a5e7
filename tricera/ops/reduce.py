"""Reductions along axes, running totals, and statistics."""

from __future__ import annotations

from typing import Any

from tricera.core.dtypes import float_of
from tricera.core.op import composed, primitive
from tricera.core.spec import reduce, with_dtype
from tricera.core.tensor import KerasTensor, Spec, Tensor, TensorLike
from tricera.ops.comparison import isinf
from tricera.ops.elementwise import add, multiply, square, stop_gradient, subtract
from tricera.ops.select import where
from tricera.ops.unary import exp, log, sqrt

Axis = int | tuple[int, ...] | None
_sum_dtype = with_dtype(
    reduce,
    lambda d: {"bool": "int32", "int8": "int32", "int16": "int32", "uint8": "uint32", "uint16": "uint32"}.get(d, d),
)


def _cumulative(x: Spec, axis: int | None = None, dtype: Any = None) -> Spec:
    from tricera.core.dtypes import standardize_dtype
    from tricera.core.spec import size_of

    wanted = ("int32" if x.dtype == "bool" else x.dtype) if dtype is None else standardize_dtype(dtype)
    return Spec((size_of(x.shape),) if axis is None else x.shape, wanted)


def _of_some(name: str) -> Any:
    """The rule of a reduction that has no value for nothing at all."""

    def rule(x: Spec, axis: Any = None, keepdims: bool = False, initial: float | None = None) -> Spec:
        axes = range(x.ndim) if axis is None else (axis,) if isinstance(axis, int) else axis
        if initial is None and [a for a in axes if x.shape[a] == 0]:
            raise ValueError(f"ops.{name}: there is no element along `axis`={axis} of a tensor of shape {x.shape}.")
        return reduce(x, axis, keepdims)

    return rule


@primitive(spec=_sum_dtype)
def sum(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The sum of the elements along axes.

    Args:
        x: a tensor.
        axis: an axis or a tuple of them; None means all.
        keepdims: keep the reduced axes, with length 1.

    Returns:
        A tensor without these axes.

    Example:
        >>> float(sum([1.0, 2.0]))
        3.0
    """
    ...


@primitive(
    spec=lambda x, axis=None, keepdims=False, dtype=None: (
        _sum_dtype(x, axis, keepdims) if dtype is None else Spec(reduce(x, axis, keepdims).shape, dtype)
    )
)
def prod(x: TensorLike, axis: Axis = None, keepdims: bool = False, dtype: Any = None) -> Tensor:
    """The product of the elements along axes.

    Args:
        x: a tensor.
        axis: an axis or a tuple of them; None means all.
        keepdims: keep the reduced axes, with length 1.
        dtype: of the result.

    Returns:
        A tensor without these axes.

    Example:
        >>> float(prod([2.0, 3.0]))
        6.0
    """
    ...


@primitive(spec=reduce, promote="float")
def mean(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The mean of the elements along axes.

    Args:
        x: a tensor.
        axis: an axis or a tuple of them; None means all.
        keepdims: keep the reduced axes, with length 1.

    Returns:
        A tensor without these axes.

    Example:
        >>> float(mean([1.0, 2.0]))
        1.5
    """
    ...


@primitive(spec=_of_some("max"), kinds="real")
def max(x: TensorLike, axis: Axis = None, keepdims: bool = False, initial: float | None = None) -> Tensor:
    """The largest element along axes; NaN if there is one.

    Args:
        x: a tensor.
        axis: an axis or a tuple of them; None means all.
        keepdims: keep the reduced axes, with length 1.
        initial: a value that takes part in the comparison (needed for empty tensors).

    Returns:
        A tensor without these axes.

    Example:
        >>> float(max([1.0, 2.0]))
        2.0
    """
    ...


@primitive(spec=_of_some("min"), kinds="real")
def min(x: TensorLike, axis: Axis = None, keepdims: bool = False, initial: float | None = None) -> Tensor:
    """The smallest element along axes; NaN if there is one.

    Args:
        x: a tensor.
        axis: an axis or a tuple of them; None means all.
        keepdims: keep the reduced axes, with length 1.
        initial: a value that takes part in the comparison (needed for empty tensors).

    Returns:
        A tensor without these axes.

    Example:
        >>> float(min([1.0, 2.0]))
        1.0
    """
    ...


@primitive(spec=reduce, out="bool")
def any(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Whether any element along axes is true.

    Args:
        x: a tensor.
        axis: an axis or a tuple of them; None means all.
        keepdims: keep the reduced axes, with length 1.

    Returns:
        A tensor without these axes.

    Example:
        >>> bool(any([True, False]))
        True
    """
    ...


@primitive(spec=reduce, out="bool")
def all(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Whether all elements along axes are true.

    Args:
        x: a tensor.
        axis: an axis or a tuple of them; None means all.
        keepdims: keep the reduced axes, with length 1.

    Returns:
        A tensor without these axes.

    Example:
        >>> bool(all([True, False]))
        False
    """
    ...


@primitive(spec=_of_some("argmax"), out="int32", kinds="real")
def argmax(x: TensorLike, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """The index of the largest element along an axis; the first of equals.

    Args:
        x: a tensor.
        axis: the axis; None means the flattened tensor.
        keepdims: keep the axis, with length 1.

    Returns:
        A tensor of dtype int32.

    Example:
        >>> int(argmax([3, 1, 2]))
        0
    """
    ...


@primitive(spec=_of_some("argmin"), out="int32", kinds="real")
def argmin(x: TensorLike, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """The index of the smallest element along an axis; the first of equals.

    Args:
        x: a tensor.
        axis: the axis; None means the flattened tensor.
        keepdims: keep the axis, with length 1.

    Returns:
        A tensor of dtype int32.

    Example:
        >>> int(argmin([3, 1, 2]))
        1
    """
    ...


@primitive(spec=_cumulative)
def cumsum(x: TensorLike, axis: int | None = None, dtype: Any = None) -> Tensor:
    """The running sum along an axis.

    Args:
        x: a tensor.
        axis: the axis; None means the flattened tensor.
        dtype: of the result; default: that of `x`, int32 for booleans.

    Returns:
        A tensor of the same shape; a vector if the axis is None.

    Example:
        >>> from tricera import ops
        >>> ops.convert_to_numpy(cumsum([1, 2, 3])).tolist()
        [1, 3, 6]
    """
    ...


@primitive(spec=_cumulative)
def cumprod(x: TensorLike, axis: int | None = None, dtype: Any = None) -> Tensor:
    """The running product along an axis.

    Args:
        x: a tensor.
        axis: the axis; None means the flattened tensor.
        dtype: of the result; default: that of `x`, int32 for booleans.

    Returns:
        A tensor of the same shape; a vector if the axis is None.

    Example:
        >>> from tricera import ops
        >>> ops.convert_to_numpy(cumprod([1, 2, 3])).tolist()
        [1, 2, 6]
    """
    ...


@composed(kinds="real")
def amax(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The largest element along axes, as `max`.

    Args:
        x: a tensor.
        axis: an axis or a tuple of them; None means all.
        keepdims: keep the reduced axes, with length 1.

    Returns:
        A tensor without these axes.

    Raises:
        ValueError: there is no element along them.

    Example:
        >>> int(amax([3, 1, 2]))
        3
    """
    return max(x, axis=axis, keepdims=keepdims)


@composed(kinds="real")
def amin(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The smallest element along axes, as `min`.

    Args:
        x: a tensor.
        axis: an axis or a tuple of them; None means all.
        keepdims: keep the reduced axes, with length 1.

    Returns:
        A tensor without these axes.

    Raises:
        ValueError: there is no element along them.

    Example:
        >>> int(amin([3, 1, 2]))
        1
    """
    return min(x, axis=axis, keepdims=keepdims)


@composed(promote="float")
def var(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The variance along axes, mean(|x - mean(x)|^2).

    Args:
        x: a tensor.
        axis: an axis or a tuple of them; None means all.
        keepdims: keep the reduced axes, with length 1.

    Returns:
        A tensor without these axes, of a float dtype.

    Example:
        >>> float(var([1.0, 3.0]))
        1.0
    """
    from tricera.ops.creation import dtype
    from tricera.ops.unary import absolute

    distance = subtract(x, mean(x, axis=axis, keepdims=True))
    if "complex" in dtype(x):
        distance = absolute(distance)
    return mean(square(distance), axis=axis, keepdims=keepdims)


@composed(promote="float")
def std(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The standard deviation along axes, the square root of `var`.

    Args:
        x: a tensor.
        axis: an axis or a tuple of them; None means all.
        keepdims: keep the reduced axes, with length 1.

    Returns:
        A tensor without these axes, of a float dtype.

    Example:
        >>> float(std([1.0, 3.0]))
        1.0
    """
    return sqrt(var(x, axis=axis, keepdims=keepdims))


@composed(promote="float")
def moments(x: TensorLike, axes: Axis, keepdims: bool = False, synchronized: bool = False) -> Any:
    """Mean and variance along axes.

    Args:
        x: a tensor.
        axes: an axis or a tuple of them; None means all.
        keepdims: keep the reduced axes, with length 1.
        synchronized: join the replicas of a distributed run (`tf.distribute`, `torch.distributed`; on JAX a batch that lies on several
            devices is one array, and its mean that of all).

    Returns:
        The pair (mean, variance); float16 is accumulated in float32.

    Example:
        >>> [float(m) for m in moments([1.0, 3.0], axes=0)]
        [2.0, 1.0]
    """
    from tricera.core import dispatch
    from tricera.ops.creation import dtype as dtype_of
    from tricera.ops.elementwise import cast
    from tricera.ops.shape import squeeze

    narrow = dtype_of(x) if dtype_of(x) == "float16" else None
    wide = cast(x, "float32") if narrow else x
    axes = axes if axes is None or isinstance(axes, int) else tuple(axes)
    center = mean(wide, axis=axes, keepdims=True)
    join = synchronized and not isinstance(center, KerasTensor)
    if join:
        center = dispatch.current().control.replica_mean(center)
    spread = mean(square(subtract(wide, center)), axis=axes, keepdims=True)
    if join:
        spread = dispatch.current().control.replica_mean(spread)
    if narrow:
        center, spread = cast(clip_to(center, narrow), narrow), cast(clip_to(spread, narrow), narrow)
    return (center, spread) if keepdims else (squeeze(center, axis=axes), squeeze(spread, axis=axes))


def clip_to(x: Any, dtype: str) -> Tensor:
    """Limit to what a float dtype can hold.

    Args:
        x: a tensor.
        dtype: the name of a float dtype.

    Returns:
        A tensor of the same shape and dtype, of values from minus the greatest to the greatest.

    Example:
        >>> float(clip_to(1e6, "float16"))
        65504.0
    """
    from tricera.core.dtypes import GREATEST
    from tricera.ops.elementwise import clip

    limit = GREATEST[dtype]
    return clip(x, -limit, limit)


def _of_singular_values(x: Any, ord: Any, axes: tuple[int, ...], keepdims: bool) -> Any:
    """The greatest, the least or the sum of the singular values of the matrices in two axes."""
    from tricera.ops.linalg import svd
    from tricera.ops.shape import expand_dims, moveaxis

    values = svd(moveaxis(x, axes, (-2, -1)), compute_uv=False)
    found = (sum if ord == "nuc" else max if ord > 0 else min)(values, axis=-1)
    return expand_dims(found, axis=tuple(sorted(a % len(x.shape) for a in axes))) if keepdims else found


@composed(promote="float", kinds="real")
def logsumexp(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """log(sum(exp(x))) along axes, without overflow.

    Args:
        x: a tensor.
        axis: an axis or a tuple of them; None means all.
        keepdims: keep the reduced axes, with length 1.

    Returns:
        A tensor without these axes, of a float dtype; -inf where there is no element.

    Example:
        >>> round(float(logsumexp([0.0, 0.0])), 4)
        0.6931
    """
    from tricera.ops.creation import zeros_like
    from tricera.ops.shape import squeeze

    top = stop_gradient(max(x, axis=axis, keepdims=True, initial=-float("inf")))
    top = where(isinf(top), zeros_like(top), top)
    total = add(log(sum(exp(subtract(x, top)), axis=axis, keepdims=True)), top)
    return total if keepdims else squeeze(total, axis=tuple(range(len(total.shape))) if axis is None else axis)


@composed
def count_nonzero(x: TensorLike, axis: Axis = None) -> Tensor:
    """How many elements along axes are not zero.

    Args:
        x: a tensor.
        axis: an axis or a tuple of them; None means all.

    Returns:
        A tensor of int32 without these axes.

    Example:
        >>> int(count_nonzero([0, 1, 2]))
        2
    """
    from tricera.ops.comparison import not_equal
    from tricera.ops.elementwise import cast

    return sum(cast(not_equal(x, 0), "int32"), axis=axis)


@composed
def average(x: TensorLike, axis: Axis = None, weights: TensorLike | None = None) -> Tensor:
    """The weighted mean along axes, sum(w x) / sum(w).

    Args:
        x: a tensor.
        axis: an axis or a tuple of them; None means all.
        weights: of the shape of `x`, or 1-D along a single axis; None weights all the same.

    Returns:
        A tensor without these axes, of a float dtype.

    Raises:
        ValueError: 1-D weights and no axis that they lie along, or another shape that doesn't fit.

    Example:
        >>> float(average([1.0, 3.0], weights=[3.0, 1.0]))
        1.5
    """
    if weights is None:
        return mean(x, axis=axis)
    if axis is None and len(weights.shape) != len(x.shape):
        raise ValueError(
            f"ops.average: `weights` of shape {tuple(weights.shape)} for a tensor of shape {tuple(x.shape)} need an `axis` to lie along."
        )
    from tricera.ops.creation import ndim
    from tricera.ops.elementwise import divide
    from tricera.ops.shape import broadcast_to, reshape

    if ndim(weights) == 1 and ndim(x) != 1 and isinstance(axis, int):
        weights = reshape(weights, tuple(-1 if i == axis else 1 for i in range(ndim(x))))
    weights = broadcast_to(weights, x.shape)
    return divide(sum(multiply(x, weights), axis=axis), sum(weights, axis=axis))


@composed
def norm(x: TensorLike, ord: Any = None, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """A norm along axes; vectors: sum(|x|^ord)^(1/ord), matrices: Frobenius, nuclear, 1, -1, 2, -2, inf, -inf.

    Args:
        x: a tensor.
        ord: the order; None means 2 for vectors and Frobenius for matrices. Of a matrix, 2 and -2 are the greatest and
            the least singular value, `"nuc"` their sum.
        axis: an axis for vector norms, a pair for matrix norms; None means all elements, all axes if `ord` is given.
        keepdims: keep the reduced axes, with length 1.

    Returns:
        A tensor without these axes, of a float dtype.

    Raises:
        ValueError: the order is not known for that number of axes, or `axis` names more than two.

    Example:
        >>> float(norm([3.0, 4.0]))
        5.0
    """
    from tricera.ops.comparison import not_equal
    from tricera.ops.creation import dtype as dtype_of, ndim
    from tricera.ops.elementwise import cast, power, reciprocal
    from tricera.ops.unary import absolute

    x = cast(x, float_of(dtype_of(x)))
    axes = tuple(range(ndim(x))) if axis is None else (axis,) if isinstance(axis, int) else tuple(axis)
    if axis is not None and len(axes) > 2:
        raise ValueError(f"ops.norm: `axis` must name one axis (of vectors) or two (of matrices), not {axis}.")
    if ord is None or (ord in ("fro",) and len(axes) == 2) or (ord == 2 and len(axes) == 1):
        return sqrt(sum(square(absolute(x)), axis=axes, keepdims=keepdims))
    if len(axes) == 1:
        if ord == float("inf"):
            return max(absolute(x), axis=axes, keepdims=keepdims)
        if ord == -float("inf"):
            return min(absolute(x), axis=axes, keepdims=keepdims)
        if ord == 0:
            return sum(cast(not_equal(x, 0), dtype_of(x)), axis=axes, keepdims=keepdims)
        if isinstance(ord, (int, float)):
            total = sum(power(absolute(x), float(ord)), axis=axes, keepdims=keepdims)
            return power(total, 1.0 / ord) if ord != -1 else reciprocal(total)
    if len(axes) == 2 and ord in (1, -1, float("inf"), -float("inf")):
        inner, outer = (axes[0], axes[1]) if ord in (1, -1) else (axes[1], axes[0])
        columns = sum(absolute(x), axis=inner, keepdims=True)
        best = (max if ord > 0 else min)(columns, axis=outer, keepdims=True)
        from tricera.ops.shape import squeeze

        return best if keepdims else squeeze(best, axis=axes)
    if len(axes) == 2 and ord in (2, -2, "nuc"):
        return _of_singular_values(x, ord, axes, keepdims)
    raise ValueError(f"ops.norm: the order {ord!r} is not known for {len(axes)} axes.")
