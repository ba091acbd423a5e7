"""More ops on arrays: diagonals, differences, products, choices, views, grids of numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tricera.core.doors import Natural, guarded
from tricera.core.op import composed, primitive
from tricera.core.tensor import KerasTensor, Spec, Tensor, TensorLike
from tricera.ops.comparison import equal, greater, greater_equal, not_equal
from tricera.ops.creation import arange, convert_to_tensor, dtype as dtype_of, shape as shape_of, zeros_like
from tricera.ops.elementwise import add, cast, divide, floor_divide, mod, multiply, subtract
from tricera.ops.reduce import cumsum, sum as sum_
from tricera.ops.select import sort, take, where
from tricera.ops.shape import expand_dims, flip, moveaxis, pad, reshape, stack, transpose
from tricera.ops.unary import absolute


@composed(promote=None)
def diagonal(x: TensorLike, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """The elements x[..., i, i + offset] of two axes, as a new last axis.

    Args:
        x: a tensor of at least 2 axes.
        offset: which diagonal: 0 the main one, positive ones above it.
        axis1: the rows' axis.
        axis2: the columns' axis.

    Returns:
        A tensor of the same dtype with one axis less.

    Raises:
        ValueError: fewer than 2 axes.

    Example:
        >>> from tricera import ops
        >>> ops.convert_to_numpy(diagonal([[1, 2], [3, 4]])).tolist()
        [1, 4]
    """
    if len(x.shape) < 2:
        raise ValueError(f"ops.diagonal needs at least 2 axes; got a tensor of shape {tuple(x.shape)}.")
    x = moveaxis(x, (axis1, axis2), (-2, -1))
    rows, columns = x.shape[-2], x.shape[-1]
    if isinstance(x, KerasTensor) and (rows is None or columns is None):
        return KerasTensor((*x.shape[:-2], None), x.dtype)
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
        k: which diagonal: 0 the main one, positive ones above it.

    Returns:
        A vector for a matrix; for a vector of length n a matrix of n + |k| rows and columns.

    Raises:
        ValueError: another number of axes.

    Example:
        >>> from tricera import ops
        >>> ops.convert_to_numpy(diag([1, 2])).tolist()
        [[1, 0], [0, 2]]
    """
    if len(x.shape) == 2:
        return diagonal(x, k)
    if len(x.shape) != 1:
        raise ValueError(f"ops.diag needs 1 or 2 axes; got a tensor of shape {tuple(x.shape)}.")
    widened = pad(x, ((max(-k, 0), max(k, 0)),)) if k < 0 else pad(x, ((0, k),))
    size = widened.shape[0]
    if size is None:
        if isinstance(x, KerasTensor):
            return KerasTensor((None, None), x.dtype)
        size = shape_of(widened)[0]
    rows = reshape(arange(size, dtype="int32"), (-1, 1))
    column = add(rows, k)
    on = equal(column, arange(size, dtype="int32"))
    return where(on, reshape(widened, (-1, 1)), zeros_like(reshape(widened, (-1, 1))))


@composed(promote=None)
def diagflat(x: TensorLike, k: int = 0) -> Tensor:
    """The matrix with the elements of a tensor, flattened, on its k-th diagonal.

    Args:
        x: a tensor.
        k: which diagonal: 0 the main one, positive ones above it.

    Returns:
        A matrix of n + |k| rows and columns for n elements.

    Example:
        >>> from tricera import ops
        >>> ops.convert_to_numpy(diagflat([[1, 2]])).tolist()
        [[1, 0], [0, 2]]
    """
    return diag(reshape(x, (-1,)), k=k)


@composed
def trace(x: TensorLike, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """The sum of a diagonal of two axes.

    Args:
        x: a tensor of at least 2 axes.
        offset: which diagonal: 0 the main one, positive ones above it.
        axis1: the rows' axis.
        axis2: the columns' axis.

    Returns:
        A tensor without these axes, of the dtype that `sum` gives.

    Raises:
        ValueError: fewer than 2 axes.

    Example:
        >>> int(trace([[1, 2], [3, 4]]))
        5
    """
    return sum_(diagonal(x, offset, axis1, axis2), axis=-1)


@guarded
def tri(N: Natural, M: Natural | None = None, k: int = 0, dtype: Any = None) -> Tensor:
    """A matrix with ones on and below the k-th diagonal, zeros above.

    Args:
        N: the number of rows.
        M: the number of columns, N for None.
        k: which diagonal: 0 the main one, positive ones above it.
        dtype: default: floatx.

    Returns:
        A tensor of shape (N, M).

    Example:
        >>> from tricera import ops
        >>> ops.convert_to_numpy(tri(2, 3)).tolist()
        [[1.0, 0.0, 0.0], [1.0, 1.0, 0.0]]
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

    Returns:
        A tensor of the same dtype, shorter by `n` along the axis; of booleans, whether neighbours differ.

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

    Returns:
        A tensor of the broadcast shape; without the axis of the vectors for two vectors of 2 components.

    Raises:
        ValueError: another number of components.

    Example:
        >>> from tricera import ops
        >>> ops.convert_to_numpy(cross([1, 0, 0], [0, 1, 0])).tolist()
        [0, 0, 1]
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


@composed(promote=None)
def select(condlist: Sequence[TensorLike], choicelist: Sequence[TensorLike], default: Any = 0) -> Tensor:
    """Elements of the first choice whose condition holds, of `default` where none does.

    Args:
        condlist: bool tensors.
        choicelist: as many tensors.
        default: a number or a tensor.

    Returns:
        A tensor of the broadcast shape and the common dtype of choices and default.

    Raises:
        ValueError: the lists are empty or of different lengths.

    Example:
        >>> from tricera import ops
        >>> ops.convert_to_numpy(select([[True, False], [True, True]], [[1, 2], [3, 4]])).tolist()
        [1, 4]
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

    Returns:
        A tensor of the given dtype; the last axis is as much longer as the elements are smaller.

    Raises:
        ValueError: the last axis does not hold whole elements.

    Example:
        >>> from tricera import ops
        >>> ops.convert_to_numpy(view([1.0], "int32")).tolist()
        [1065353216]
    """
    ...


@composed
def kron(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The Kronecker product: each element of `x1` times all of `x2`, side by side.

    Args:
        x1: a tensor.
        x2: a tensor; the one with fewer axes gets axes of length 1 in front.

    Returns:
        A tensor of their common dtype, each length the product of both.

    Example:
        >>> from tricera import ops
        >>> ops.convert_to_numpy(kron([1, 2], [1, 3])).tolist()
        [1, 3, 2, 6]
    """
    rank = max(len(x1.shape), len(x2.shape))
    a = reshape(x1, (*(1,) * (rank - len(x1.shape)), *x1.shape))
    b = reshape(x2, (*(1,) * (rank - len(x2.shape)), *x2.shape))
    shape = tuple(None if m is None or n is None else m * n for m, n in zip(a.shape, b.shape, strict=True))
    if None in shape:
        if isinstance(x1, KerasTensor) or isinstance(x2, KerasTensor):
            return KerasTensor(shape, x1.dtype)
        raise ValueError(f"ops.kron: the shapes must be known; got {tuple(x1.shape)} and {tuple(x2.shape)}.")
    # By way of two axes: TensorFlow broadcasts few at once.
    products = multiply(reshape(a, (-1, 1)), reshape(b, (1, -1)))
    pairs = transpose(reshape(products, (*a.shape, *b.shape)), [i + j for i in range(rank) for j in (0, rank)])
    return reshape(pairs, shape)


@composed(kinds="nobool")
def vander(x: TensorLike, N: int | None = None, increasing: bool = False) -> Tensor:
    """The matrix of the powers of a vector, the highest first unless `increasing`.

    Args:
        x: a 1-D tensor.
        N: how many powers; default: as many as elements.
        increasing: begin with the power 0.

    Returns:
        A tensor of the same dtype and of shape (elements, powers).

    Raises:
        ValueError: not one axis.

    Example:
        >>> from tricera import ops
        >>> ops.convert_to_numpy(vander([2, 3], N=3)).tolist()
        [[4, 2, 1], [9, 3, 1]]
    """
    if len(x.shape) != 1:
        raise ValueError(f"ops.vander needs a vector; got a tensor of shape {tuple(x.shape)}.")
    count = x.shape[0] if N is None else N
    if count is None and isinstance(x, KerasTensor):
        return KerasTensor((None, None), x.dtype)
    if not count:
        return reshape(x[:0], (-1, 0)) if N is None else zeros_like(expand_dims(x, -1)[:, :0])
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

    Example:
        >>> [int(i) for i in unravel_index(5, (2, 3))]
        [1, 2]
    """
    out = []
    for size in reversed(tuple(shape)):
        out.append(mod(indices, size))
        indices = floor_divide(indices, size)
    return tuple(reversed(out))


@composed(promote="float")
def correlate(x1: TensorLike, x2: TensorLike, mode: str = "valid") -> Tensor:
    """The cross-correlation of two vectors, c[k] = sum over n of x1[n + k] x2[n].

    Args:
        x1: a 1-D tensor.
        x2: a 1-D tensor.
        mode: `"valid"` (full overlap), `"same"` (as long as the longer one) or `"full"` (any overlap).

    Returns:
        A vector of a float dtype.

    Raises:
        ValueError: another mode.

    Example:
        >>> from tricera import ops
        >>> ops.convert_to_numpy(correlate([1, 2, 3], [1, 1])).tolist()
        [3.0, 5.0]
    """
    from tricera.ops.convolution import conv

    if mode not in ("valid", "same", "full"):
        raise ValueError(f"ops.correlate: `mode` must be 'valid', 'same' or 'full', not {mode!r}.")
    n1, n2 = x1.shape[0], x2.shape[0]
    swapped = n1 < n2
    if swapped:
        x1, x2, n1, n2 = x2, x1, n2, n1
    before = {"valid": 0, "same": n2 // 2, "full": n2 - 1}[mode]
    after = {"valid": 0, "same": n2 - 1 - before, "full": n2 - 1}[mode]
    signal = reshape(pad(x1, ((before, after),)), (1, -1, 1))
    out = reshape(conv(signal, reshape(x2, (-1, 1, 1)), data_format="channels_last"), (-1,))
    return flip(out, axis=0) if swapped else out


@guarded
def logspace(
    start: TensorLike,
    stop: TensorLike,
    num: Natural = 50,
    endpoint: bool = True,
    base: TensorLike = 10,
    dtype: Any = None,
    axis: int = 0,
) -> Tensor:
    """`num` numbers from base**start to base**stop, evenly spaced on a logarithmic scale.

    Args:
        start: the exponent of the first, a number or a tensor.
        stop: the exponent of the last (not included if `endpoint` is False).
        num: how many.
        endpoint: whether the last number is that of `stop`.
        base: a number or a tensor.
        dtype: of the result; default: a float dtype.
        axis: where the new axis goes, for tensors.

    Returns:
        A tensor, `num` long along the new axis.

    Raises:
        ValueError: `num` is negative.

    Example:
        >>> from tricera import ops
        >>> ops.convert_to_numpy(logspace(0, 2, num=3, base=2)).tolist()
        [1.0, 2.0, 4.0]
    """
    from tricera.ops.creation import linspace
    from tricera.ops.elementwise import power

    out = power(base, linspace(start, stop, num, endpoint, axis=axis))
    return out if dtype is None else cast(out, dtype)


@guarded
def geomspace(
    start: TensorLike, stop: TensorLike, num: Natural = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0
) -> Tensor:
    """`num` numbers from `start` to `stop`, each the same multiple of the one before.

    Args:
        start: the first, a number or a tensor, not 0.
        stop: the last (not included if `endpoint` is False), of the same sign.
        num: how many.
        endpoint: whether the last number is that of `stop`.
        dtype: of the result; default: a float dtype.
        axis: where the new axis goes, for tensors.

    Returns:
        A tensor, `num` long along the new axis.

    Raises:
        ValueError: `num` is negative, or one number is 0 or of the other sign than the other.

    Example:
        >>> [round(float(v), 4) for v in geomspace(1, 4, num=3)]
        [1.0, 2.0, 4.0]
    """
    from tricera.ops.creation import linspace, ones_like
    from tricera.ops.shape import expand_dims
    from tricera.ops.unary import exp, log, sign

    if isinstance(start, (int, float)) and isinstance(stop, (int, float)) and not start * stop > 0:
        raise ValueError(
            f"ops.geomspace: from {start} to {stop} there is no geometric sequence: both must have the same sign, and none be 0."
        )
    start, stop = convert_to_tensor(start), convert_to_tensor(stop)
    signs = expand_dims(multiply(sign(start), ones_like(stop)), axis)
    out = multiply(signs, exp(linspace(log(absolute(start)), log(absolute(stop)), num, endpoint, axis=axis)))
    return out if dtype is None else cast(out, dtype)


@composed(promote="float", kinds="real")
def sparsemax(x: TensorLike, axis: int = -1) -> Tensor:
    """The projection of logits on the probability simplex, which gives zeros (Martins & Astudillo 2016).

    Args:
        x: the logits.
        axis: the axis of the classes.

    Returns:
        A tensor of the same shape that sums to 1 along the axis.

    Example:
        >>> from tricera import ops
        >>> ops.convert_to_numpy(sparsemax([2.0, 0.0])).tolist()
        [1.0, 0.0]
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
