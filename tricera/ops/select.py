"""Choosing and placing elements: where, take, gather, scatter, sort, slices.

Indices count from the end where they are negative. One out of range is a ValueError on NumPy, torch and TensorFlow (on their
accelerators, torch ends the process and TensorFlow reads zeros). JAX can't raise for a value: what is read there is NaN (of
integers, the least, or greatest unsigned one), and what is written there is dropped.
"""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any

from tricera.core import dispatch, spec as rules
from tricera.core.doors import Natural
from tricera.core.dtypes import standardize_dtype
from tricera.core.op import composed, primitive
from tricera.core.sizes import check_block
from tricera.core.tensor import KerasTensor, Spec, Tensor, TensorLike

builtin_slice = builtins.slice  # the op of that name hides it below


def where(condition: Any, x1: Any = None, x2: Any = None) -> Any:
    """Elements of `x1` where the condition holds, of `x2` elsewhere.

    Args:
        condition: a bool tensor.
        x1: a tensor that broadcasts with the others; without `x1` and `x2` the indices of true elements are returned.
        x2: as `x1`.

    Returns:
        A tensor of the broadcast shape and the common dtype of `x1` and `x2`, or what `nonzero` returns.

    Raises:
        ValueError: only one of `x1` and `x2` is given.

    Example:
        >>> int(where(True, 1, 2))
        1
    """
    if x1 is None and x2 is None:
        return nonzero(condition)
    if x1 is None or x2 is None:
        raise ValueError("ops.where: give both `x1` and `x2`, or neither for the indices of true elements.")
    return select_where(condition, x1, x2)


def _nonzero_spec(x: Spec) -> tuple[Spec, ...]:
    if not x.ndim:
        raise ValueError("ops.nonzero: `x` must have at least one axis.")
    return tuple(Spec((None,), "int32") for _ in x.shape)


@primitive(spec=_nonzero_spec, promote=None, strict=True)
def nonzero(x: TensorLike) -> Any:
    """The indices of the elements that are not zero, one tensor an axis.

    Args:
        x: a tensor.

    Returns:
        A tuple of 1-D tensors of int32.

    Example:
        >>> from tricera import ops
        >>> [ops.convert_to_numpy(i).tolist() for i in nonzero([[0, 5], [6, 0]])]
        [[0, 1], [1, 0]]
    """
    ...


def _where_spec(condition: Spec, x1: Spec, x2: Spec) -> Spec:
    from tricera.core.dtypes import result_type

    return Spec(rules.broadcast_shapes(condition.shape, x1.shape, x2.shape), result_type(x1.dtype, x2.dtype))


@primitive(spec=_where_spec, promote="tail")
def select_where(condition: TensorLike, x1: TensorLike, x2: TensorLike) -> Tensor:
    """`where` with all three arguments.

    Args:
        condition: a bool tensor.
        x1: a tensor that broadcasts with the others.
        x2: as `x1`.

    Returns:
        A tensor of the broadcast shape and the common dtype of `x1` and `x2`.

    Example:
        >>> int(select_where(False, 1, 2))
        2
    """
    ...


@primitive(spec=lambda x, indices, axis=None: rules.take(x, indices, axis), promote=None, kinds={"indices": "integer"})
def take(x: TensorLike, indices: TensorLike, axis: int | None = None) -> Tensor:
    """Elements (or slices along an axis) at the given positions.

    Args:
        x: a tensor.
        indices: an integer tensor; negative ones count from the end.
        axis: which axis is indexed; None indexes the flattened tensor.

    Returns:
        A tensor in which the axes of `indices` stand in the place of the axis.

    Raises:
        ValueError: an index is out of range; JAX gives NaN (of integers the least one).

    Example:
        >>> from tricera import ops
        >>> ops.convert_to_numpy(take([10, 20, 30], [2, 0], axis=0)).tolist()
        [30, 10]
    """
    ...


def _take_along_spec(x: Spec, indices: Spec, axis: int | None = None) -> Spec:
    if axis is None:
        if indices.ndim != 1:
            raise ValueError(
                f"ops.take_along_axis: without `axis`, `indices` must be one row, not of shape {indices.shape}."
            )
        return Spec(indices.shape, x.dtype)
    if x.ndim != indices.ndim:
        raise ValueError(
            f"ops.take_along_axis: `indices` must have the rank of `x`; got shapes {indices.shape} and {x.shape}."
        )
    shape = list(
        rules.broadcast_shapes(
            x.shape[:axis] + (1,) + x.shape[axis + 1 :], indices.shape[:axis] + (1,) + indices.shape[axis + 1 :]
        )
    )
    shape[axis] = indices.shape[axis]
    return Spec(tuple(shape), x.dtype)


@primitive(spec=_take_along_spec, promote=None, strict=True, kinds={"indices": "integer nobool"})
def take_along_axis(x: TensorLike, indices: TensorLike, axis: int | None = None) -> Tensor:
    """For each position, the element of `x` at `indices` along the axis.

    Args:
        x: a tensor.
        indices: an integer tensor of the same rank; negative ones count from the end.
        axis: the axis; None works on the flattened tensor.

    Returns:
        A tensor of the shape of `indices` (broadcast).

    Raises:
        ValueError: the ranks differ, or an index is out of range, for which JAX gives NaN.

    Example:
        >>> from tricera import ops
        >>> ops.convert_to_numpy(take_along_axis([[1, 2], [3, 4]], [[1], [0]], axis=1)).tolist()
        [[2], [3]]
    """
    ...


def _sort_spec(x: Spec, axis: int | None = -1) -> Spec:
    return x if axis is not None else Spec((rules.size_of(x.shape),), x.dtype)


@primitive(spec=_sort_spec, kinds="real")
def sort(x: TensorLike, axis: int | None = -1) -> Tensor:
    """The elements in ascending order along an axis.

    Args:
        x: a tensor.
        axis: the axis; None means the flattened tensor.

    Returns:
        A tensor of the shape of `x` (1-D for None) and its dtype.

    Example:
        >>> from tricera import ops
        >>> ops.convert_to_numpy(sort([3, 1, 2])).tolist()
        [1, 2, 3]
    """
    ...


@primitive(spec=_sort_spec, out="int32", kinds="real")
def argsort(x: TensorLike, axis: int | None = -1) -> Tensor:
    """The indices that sort the tensor along an axis; equal elements keep their order.

    Args:
        x: a tensor.
        axis: the axis; None means the flattened tensor.

    Returns:
        A tensor of the shape of `x` (1-D for None), of dtype int32.

    Example:
        >>> from tricera import ops
        >>> ops.convert_to_numpy(argsort([3, 1, 2])).tolist()
        [1, 2, 0]
    """
    ...


def _top_k_spec(x: Spec, k: int, sorted: bool = True) -> tuple[Spec, Spec]:
    if not x.ndim or k < 0 or (x.shape[-1] is not None and k > x.shape[-1]):
        raise ValueError(
            f"ops.top_k: `k`={k} elements can't be taken along the last axis of a tensor of shape {x.shape}."
        )
    shape = (*x.shape[:-1], k)
    return Spec(shape, x.dtype), Spec(shape, "int32")


@primitive(spec=_top_k_spec, strict=True, kinds="real nobool")
def top_k(x: TensorLike, k: int, sorted: bool = True) -> Any:
    """The `k` largest elements along the last axis, and where they stand.

    Args:
        x: a tensor.
        k: how many.
        sorted: in descending order.

    Returns:
        The pair (values, indices) of tensors (..., k), indices of dtype int32.

    Raises:
        ValueError: the axis has fewer than `k` elements, or `k` is negative.

    Example:
        >>> from tricera import ops
        >>> values, indices = top_k([1, 3, 2], 2)
        >>> ops.convert_to_numpy(values).tolist(), ops.convert_to_numpy(indices).tolist()
        ([3, 2], [1, 2])
    """
    ...


def _check_places(op: str, indices: Spec, values: Spec, shape: Sequence[int | None]) -> None:
    """What is put into a tensor of a shape: a value for each of the positions (..., n) in its first n axes, or what broadcasts to that."""
    n = indices.shape[-1] if indices.ndim else 0
    if n is None:
        return
    wanted = (*indices.shape[:-1], *shape[n:])
    fits = 0 < n <= len(shape) and len(wanted) >= values.ndim
    if not fits or any(
        None not in (a, b) and b not in (1, a) for a, b in zip(wanted[::-1], values.shape[::-1], strict=False)
    ):
        raise ValueError(
            f"ops.{op}: positions of shape {tuple(indices.shape)} in a tensor of shape {tuple(shape)} don't go with values of "
            f"shape {tuple(values.shape)}. The last axis of the positions is as long as there are axes in which they are."
        )


def _scatter_spec(indices: Spec, values: Spec, shape: Any) -> Spec:
    _check_places("scatter", indices, values, tuple(shape))
    return Spec(tuple(shape), values.dtype)


@primitive(
    spec=_scatter_spec,
    promote=None,
    strict=True,
    sizes="shape",
    kinds={"indices": "integer nobool"},
)
def scatter(indices: TensorLike, values: TensorLike, shape: Any) -> Tensor:
    """Zeros of a shape, with the values added at the given positions.

    Args:
        indices: an integer tensor (..., n) of positions in the first n axes; negative ones count from the end.
        values: what is added there, (..., *shape[n:]), or what broadcasts to that; values at the same position add up (of booleans,
            it is whether one is true).
        shape: the shape of the result.

    Returns:
        A tensor of that shape, of the dtype of `values`.

    Raises:
        ValueError: a position is out of range; JAX drops what would go there.

    Example:
        >>> from tricera import ops
        >>> ops.convert_to_numpy(scatter([[0], [2], [0]], [1, 2, 3], (4,))).tolist()
        [4, 0, 2, 0]
    """
    ...


def _scatter_update_spec(inputs: Spec, indices: Spec, updates: Spec, reduction: str | None = None) -> Spec:
    if reduction not in (None, "add", "max", "min", "mul"):
        raise ValueError(
            f"ops.scatter_update: `reduction` must be None, 'add', 'max', 'min' or 'mul', not {reduction!r}."
        )
    _check_places("scatter_update", indices, updates, inputs.shape)
    return inputs


@primitive(spec=_scatter_update_spec, promote=None, strict=True, kinds={"indices": "integer nobool"})
def scatter_update(
    inputs: TensorLike, indices: TensorLike, updates: TensorLike, reduction: str | None = None
) -> Tensor:
    """A copy in which the elements at the given positions are replaced (or combined with the updates).

    Args:
        inputs: a tensor.
        indices: an integer tensor (..., n) of positions in the first n axes; negative ones count from the end.
        updates: the new values, (..., *inputs.shape[n:]), or what broadcasts to that; they are cast to the dtype of `inputs`.
        reduction: None replaces; `"add"`, `"max"`, `"min"`, `"mul"` combine.

    Returns:
        A tensor of the shape and dtype of `inputs`.

    Raises:
        ValueError: another reduction, or a position out of range; JAX drops what would go there.

    Example:
        >>> from tricera import ops
        >>> ops.convert_to_numpy(scatter_update([1, 2, 3], [[0], [2]], [9, 8])).tolist()
        [9, 2, 8]
        >>> ops.convert_to_numpy(scatter_update([1, 2, 3], [[0], [0]], [9, 8], reduction="add")).tolist()
        [18, 2, 3]
    """
    ...


def _check_start(op: str, start: Any, block: Any, inputs: Spec) -> None:
    if not isinstance(start, (tuple, list)):
        return
    if len(start) != inputs.ndim:
        raise ValueError(
            f"ops.{op}: `start_indices`={tuple(start)} must hold a position for each axis of the shape {inputs.shape}."
        )
    if any(isinstance(i, (float, str)) for i in start):
        raise TypeError(f"ops.{op}: `start_indices` must be integers, not {tuple(start)}.")
    check_block(op, start, block, inputs.shape)


def _slice_spec(inputs: Spec, start: Any, shape: Any) -> Spec:
    if isinstance(start, (tuple, list)) and len(start) != inputs.ndim:
        raise ValueError(
            f"ops.slice: `start_indices`={start} must hold an index for each axis of the shape {inputs.shape}."
        )
    if len(shape) != inputs.ndim:
        raise ValueError(
            f"ops.slice: `shape`={tuple(shape)} must hold a length for each axis of the shape {inputs.shape}."
        )
    _check_start("slice", start, shape, inputs)
    out = []
    for i, (size, dim) in enumerate(zip(shape, inputs.shape, strict=True)):
        if size == -1:
            first = start[i] if not isinstance(start, (KerasTensor, Spec)) else None
            size = dim - first if dim is not None and isinstance(first, int) else None
        elif isinstance(size, int) and dim is not None and size > dim:
            raise ValueError(f"ops.slice: a block of shape {tuple(shape)} doesn't fit into the shape {inputs.shape}.")
        out.append(size)
    return Spec(tuple(out), inputs.dtype)


@primitive(spec=_slice_spec, promote=None, strict=True, sizes="shape")
def slice(inputs: TensorLike, start_indices: Sequence[int], shape: Any) -> Tensor:
    """A block of a tensor.

    Args:
        inputs: a tensor.
        start_indices: where the block begins, one integer an axis (a tensor is fine), not negative.
        shape: its shape; -1 stands for all the rest of an axis.

    Returns:
        A tensor of that shape, of the dtype of `inputs`.

    Raises:
        ValueError: the block has another number of axes, or lies outside of the tensor. (Compiled code of JAX, which can't raise,
            moves it inside.)

    Example:
        >>> from tricera import ops
        >>> ops.convert_to_numpy(slice([[1, 2, 3], [4, 5, 6]], (0, 1), (2, 2))).tolist()
        [[2, 3], [5, 6]]
    """
    ...


def _slice_update_spec(inputs: Spec, start: Any, updates: Spec) -> Spec:
    if updates.ndim != inputs.ndim or (isinstance(start, (tuple, list)) and len(start) != inputs.ndim):
        raise ValueError(
            f"ops.slice_update: `start_indices` and `updates` need the {inputs.ndim} axes of the shape {inputs.shape}; got "
            f"updates of shape {updates.shape}."
        )
    if any(m is not None and n is not None and m > n for m, n in zip(updates.shape, inputs.shape, strict=True)):
        raise ValueError(
            f"ops.slice_update: `updates` of shape {updates.shape} don't fit into the shape {inputs.shape}."
        )
    _check_start("slice_update", start, updates.shape, inputs)
    return inputs


@primitive(spec=_slice_update_spec, promote=None, strict=True)
def slice_update(inputs: TensorLike, start_indices: Sequence[int], updates: TensorLike) -> Tensor:
    """A copy in which a block is replaced.

    Args:
        inputs: a tensor.
        start_indices: where the block begins, one integer an axis (a tensor is fine), not negative.
        updates: the block; it is cast to the dtype of `inputs`.

    Returns:
        A tensor of the shape and dtype of `inputs`.

    Raises:
        ValueError: the block has another number of axes, or lies outside of the tensor, as in `slice`.

    Example:
        >>> from tricera import ops
        >>> ops.convert_to_numpy(slice_update([1, 2, 3], (1,), [9])).tolist()
        [1, 9, 3]
    """
    ...


def _item_spec(x: Spec, key: Any) -> Spec:
    keys = key if isinstance(key, tuple) else (key,)
    given = sum(1 for k in keys if k is not None and k is not Ellipsis and type(k) is not bool)
    if given > x.ndim:
        raise ValueError(f"ops.get_item: {given} indices for a tensor of shape {x.shape}.")
    out: list[int | None] = []
    axis = 0
    advanced: Spec | None = None
    at = 0
    for i, k in enumerate(keys):
        if k is None:
            out.append(1)
        elif type(k) is bool:  # a mask without axes: a new axis, of one or none
            found = Spec((int(k),), "int32")
            at, advanced = (len(out), found) if advanced is None else (at, advanced)
        elif k is Ellipsis:
            rest = sum(1 for r in keys[i + 1 :] if r is not None and type(r) is not bool)
            out.extend(x.shape[axis : x.ndim - rest])
            axis = x.ndim - rest
        else:
            dim = x.shape[axis]
            axis += 1
            if isinstance(k, builtin_slice):
                out.append(_sliced(dim, k))
            elif hasattr(k, "__index__") and not isinstance(k, KerasTensor) and not getattr(k, "shape", ()):
                index = k.__index__()
                if dim is not None and not -dim <= index < dim:
                    raise IndexError(f"ops.get_item: index {index} is out of range on axis {axis - 1} of length {dim}.")
            else:
                found = Spec(tuple(getattr(k, "shape", None) or _list_shape(k)), "int32")
                if advanced is None:
                    advanced, at = found, len(out)
                else:
                    advanced = Spec(rules.broadcast_shapes(advanced.shape, found.shape), "int32")
    out.extend(x.shape[axis:])
    if advanced is not None:
        out[at:at] = advanced.shape
    return Spec(tuple(out), x.dtype)


def _list_shape(k: Any) -> tuple[int, ...]:
    import numpy as np

    return np.shape(k)


def _sliced(dim: int | None, k: Any) -> int | None:
    if any(not (v is None or isinstance(v, int)) for v in (k.start, k.stop, k.step)):
        return None
    if dim is None:
        if k == builtin_slice(None) or (k.step in (1, -1, None) and k.start is None and k.stop is None):
            return None
        if k.step in (1, None) and k.stop is not None:
            start = k.start or 0
            if start < 0 <= k.stop or ((start >= 0) == (k.stop >= 0) and start < 0):
                return k.stop - start if start < 0 and k.stop < 0 else None
        return None
    return len(range(*k.indices(dim)))


@primitive(spec=_item_spec, promote=None)
def get_item(x: TensorLike, key: Any) -> Tensor:
    """`x[key]`: integers, slices, None, Ellipsis and integer tensors as in NumPy.

    Args:
        x: a tensor.
        key: an index or a tuple of them.

    Returns:
        A tensor of the dtype of `x`.

    Raises:
        ValueError: more indices than axes.
        IndexError: an integer out of range.

    Example:
        >>> from tricera import ops
        >>> ops.convert_to_numpy(get_item([[1, 2], [3, 4]], (Ellipsis, 0))).tolist()
        [1, 3]
    """
    ...


def _one_hot_spec(x: Spec, num_classes: Natural, axis: int = -1, dtype: Any = None, sparse: bool = False) -> Spec:
    shape = list(x.shape)
    shape.insert(axis if axis >= 0 else len(shape) + 1 + axis, num_classes)
    return Spec(tuple(shape), standardize_dtype(dtype))


@composed(spec=_one_hot_spec, promote=None, new_axes=1, kinds={"x": "real"})
def one_hot(x: TensorLike, num_classes: Natural, axis: int = -1, dtype: Any = None, sparse: bool = False) -> Tensor:
    """Vectors with a one at the class's place; classes out of range give zeros.

    Args:
        x: an integer tensor of classes.
        num_classes: how many classes there are.
        axis: where the new axis goes.
        dtype: default: floatx.
        sparse: give a sparse tensor, where the framework has one (NumPy has none).

    Returns:
        A tensor with one more axis, of length `num_classes`.

    Raises:
        ValueError: the axis is out of range, or `num_classes` isn't a non-negative integer.

    Example:
        >>> from tricera import ops
        >>> ops.convert_to_numpy(one_hot([1], 3)).tolist()
        [[0.0, 1.0, 0.0]]
    """
    from tricera.core.inference import PUBLIC
    from tricera.ops.creation import arange, ndim

    rank = ndim(x) + 1
    if not -rank <= axis < rank:
        raise ValueError(f"ops.one_hot: `axis`={axis} is out of range for a tensor of {rank - 1} axes.")
    axis %= rank
    if sparse:
        from tricera.ops.sparse import hot

        return hot(x, num_classes, axis, standardize_dtype(dtype))
    if dispatch.current().dtype(x) == "bool":
        x = PUBLIC["cast"](x, "int32")
    classes = PUBLIC["reshape"](
        arange(num_classes, dtype=dispatch.current().dtype(x)),
        tuple(num_classes if i == axis else 1 for i in range(rank)),
    )
    return PUBLIC["cast"](PUBLIC["equal"](PUBLIC["expand_dims"](x, axis), classes), standardize_dtype(dtype))
