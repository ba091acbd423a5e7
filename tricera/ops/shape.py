"""Ops that move elements without changing them: reshape, transpose, stack, split, pad, repeat."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tricera.core import dispatch, spec as rules
from tricera.core.doors import guarded
from tricera.core.op import composed, primitive
from tricera.core.shortcut import memory
from tricera.core.tensor import KerasTensor, Spec, Tensor, TensorLike
from tricera.core.windows import pad_widths
from tricera.ops.creation import ndim, shape


@primitive(spec=rules.reshape, promote=None, sizes="newshape")
def reshape(x: TensorLike, newshape: Any) -> Tensor:
    """The same elements in another shape.

    Args:
        x: a tensor.
        newshape: the shape, a tuple or a tensor of integers; one dimension may be -1 and is worked out.

    Returns:
        A tensor of that shape and the same dtype.

    Raises:
        ValueError: the number of elements differs.

    Example:
        >>> reshape([[1, 2], [3, 4]], (-1,)).shape[0]
        4
    """
    ...


@primitive(spec=rules.transpose, promote=None)
def transpose(x: TensorLike, axes: Sequence[int] | None = None) -> Tensor:
    """The axes in another order.

    Args:
        x: a tensor.
        axes: the order; None reverses it.

    Returns:
        A tensor of the same dtype.

    Raises:
        ValueError: `axes` is not a permutation.

    Example:
        >>> from tricera import ops
        >>> ops.convert_to_numpy(transpose([[1, 2], [3, 4]])).tolist()
        [[1, 3], [2, 4]]
    """
    ...


@primitive(spec=rules.expand_dims, promote=None, new_axes=1)
def expand_dims(x: TensorLike, axis: Any) -> Tensor:
    """New axes of length 1.

    Args:
        x: a tensor.
        axis: where they stand in the result, an integer or a tuple.

    Returns:
        A tensor of the same dtype with these axes more.

    Raises:
        ValueError: the axis is out of range of the result.

    Example:
        >>> len(expand_dims([1, 2], 0).shape)
        2
    """
    ...


@primitive(spec=rules.squeeze, promote=None)
def squeeze(x: TensorLike, axis: Any = None) -> Tensor:
    """The same elements without axes of length 1.

    Args:
        x: a tensor.
        axis: which axes go; None means all of length 1.

    Returns:
        A tensor of the same dtype.

    Raises:
        ValueError: an axis has another length.

    Example:
        >>> tuple(squeeze([[1, 2]]).shape)
        (2,)
    """
    ...


def _broadcast_to_spec(x: Spec, shape: Any) -> Spec:
    wanted = tuple(shape)
    found = rules.broadcast_shapes(x.shape, wanted)
    if len(found) != len(wanted) or any(None not in (f, w) and f != w for f, w in zip(found, wanted, strict=True)):
        raise ValueError(f"ops.broadcast_to: the shape {x.shape} can't be broadcast to {wanted}.")
    return Spec(tuple(f if w is None else w for f, w in zip(found, wanted, strict=True)), x.dtype)


@primitive(spec=_broadcast_to_spec, promote=None, sizes="shape")
def broadcast_to(x: TensorLike, shape: Any) -> Tensor:
    """The tensor repeated along axes of length 1 (and new ones in front) to fill a shape.

    Args:
        x: a tensor.
        shape: the shape, a tuple or a tensor of integers.

    Returns:
        A tensor of that shape and the same dtype.

    Raises:
        ValueError: the shapes don't fit.

    Example:
        >>> from tricera import ops
        >>> ops.convert_to_numpy(broadcast_to([1, 2], (2, 2))).tolist()
        [[1, 2], [1, 2]]
    """
    ...


@primitive(spec=rules.concatenate)
def concatenate(xs: Sequence[TensorLike], axis: int | None = 0) -> Tensor:
    """Tensors joined along an axis that they have.

    Args:
        xs: a list of tensors that differ at most on that axis.
        axis: the axis; None flattens all first.

    Returns:
        A tensor of their common dtype.

    Raises:
        ValueError: the shapes don't fit, or the axis is out of range.

    Example:
        >>> concatenate([[1], [2, 3]]).shape[0]
        3
    """
    ...


@primitive(spec=rules.stack)
def stack(x: Sequence[TensorLike], axis: int = 0) -> Tensor:
    """Tensors of one shape joined along a new axis.

    Args:
        x: a list of tensors.
        axis: where the new axis stands in the result.

    Returns:
        A tensor of their common dtype with one axis more.

    Raises:
        ValueError: the shapes differ, there is no tensor, or the axis is out of range.

    Example:
        >>> from tricera import ops
        >>> ops.convert_to_numpy(stack([[1, 2], [3, 4]], axis=1)).tolist()
        [[1, 3], [2, 4]]
    """
    ...


def _split_spec(x: Spec, indices_or_sections: Any, axis: int = 0) -> list[Spec]:
    dim = x.shape[axis]
    if isinstance(indices_or_sections, int):
        n = indices_or_sections
        if dim is not None and (n <= 0 or dim % n):
            raise ValueError(f"ops.split: axis {axis} of length {dim} can't be divided into {n} equal parts.")
        sizes: list[int | None] = [None if dim is None else dim // n] * n
    else:
        points = [0, *(int(i) for i in indices_or_sections)]
        last = None if dim is None else max(dim - points[-1], 0)
        sizes = [*(max(b - a, 0) for a, b in itertools.pairwise(points)), last]
    return [Spec((*x.shape[:axis], size, *x.shape[axis + 1 :]), x.dtype) for size in sizes]


@primitive(spec=_split_spec, promote=None)
def split(x: TensorLike, indices_or_sections: int | Sequence[int], axis: int = 0) -> Any:
    """Parts of a tensor along an axis.

    Args:
        x: a tensor.
        indices_or_sections: the number of equal parts, or the indices at which to cut.
        axis: the axis.

    Returns:
        A list of tensors.

    Raises:
        ValueError: the axis can't be divided so.

    Example:
        >>> [part.shape[0] for part in split([1, 2, 3], [1])]
        [1, 2]
    """
    ...


@composed(promote=None)
def unstack(x: TensorLike, num: int | None = None, axis: int = 0) -> Any:
    """The slices along an axis, as a list.

    Args:
        x: a tensor.
        num: how many there are; None reads it off the shape.
        axis: the axis.

    Returns:
        A list of tensors with one axis less.

    Raises:
        ValueError: the length is not known and `num` not given, or they differ.

    Example:
        >>> [int(part) for part in unstack([1, 2])]
        [1, 2]
    """
    size = num if num is not None else x.shape[axis]
    if size is None:
        raise ValueError(f"ops.unstack: the length of axis {axis} is not known; give `num`.")
    return [squeeze(part, axis=axis) for part in split(x, int(size), axis=axis)] if size else []


def _pad_spec(x: Spec, pad_width: Any, mode: str = "constant", constant_values: float | None = None) -> Spec:
    if not x.ndim:
        raise ValueError("ops.pad: `x` must have at least one axis.")
    if isinstance(pad_width, bool):
        raise TypeError(f"ops.pad: `pad_width` must be an integer or pairs of integers, not {pad_width!r}.")
    widths = pad_widths(pad_width, x.ndim)
    if mode not in ("constant", "reflect", "symmetric"):
        raise ValueError(f"ops.pad: `mode` must be 'constant', 'reflect' or 'symmetric', not {mode!r}.")
    if mode != "constant" and constant_values is not None:
        raise ValueError(f"ops.pad: `constant_values` are for the mode 'constant'; this is {mode!r}.")
    if any(isinstance(n, int) and n < 0 for pair in widths for n in pair):
        raise ValueError(f"ops.pad: `pad_width` must not be negative; got {pad_width}. Cut off by slicing.")
    if mode != "constant" and any(d == 0 and any(pair) for d, pair in zip(x.shape, widths, strict=True)):
        raise ValueError(
            f"ops.pad: an axis of the shape {tuple(x.shape)} holds nothing that the mode {mode!r} could repeat."
        )
    return Spec(tuple(None if d is None else d + a + b for d, (a, b) in zip(x.shape, widths, strict=True)), x.dtype)


@primitive(spec=_pad_spec, promote=None, strict=True)
def pad(x: TensorLike, pad_width: Any, mode: str = "constant", constant_values: float | None = None) -> Tensor:
    """The tensor with elements added around it.

    Args:
        x: a tensor.
        pad_width: (before, after) for each axis, or one pair or integer for all.
        mode: `"constant"`, `"reflect"` or `"symmetric"`.
        constant_values: what is added in constant mode, 0 for None.

    Returns:
        A tensor of the same dtype, longer by before + after along each axis.

    Raises:
        ValueError: an unknown mode, `constant_values` in another mode, or a negative width.

    Example:
        >>> from tricera import ops
        >>> ops.convert_to_numpy(pad([1, 2], (1, 2))).tolist()
        [0, 1, 2, 0, 0]
    """
    ...


def _tile_spec(x: Spec, repeats: Any) -> Spec:
    counts = (repeats,) if isinstance(repeats, int) else tuple(repeats)
    shape = (1,) * (len(counts) - x.ndim) + x.shape
    counts = (1,) * (len(shape) - len(counts)) + counts
    return Spec(tuple(None if d is None or c is None else d * c for d, c in zip(shape, counts, strict=True)), x.dtype)


@primitive(spec=_tile_spec, promote=None, sizes="repeats")
def tile(x: TensorLike, repeats: Any) -> Tensor:
    """The whole tensor repeated along each axis.

    Args:
        x: a tensor.
        repeats: how often, an integer an axis (a tensor is fine).

    Returns:
        A tensor of the same dtype, as many times longer along each axis.

    Example:
        >>> from tricera import ops
        >>> ops.convert_to_numpy(tile([1, 2], 2)).tolist()
        [1, 2, 1, 2]
    """
    ...


def _counts(repeats: Any) -> list[int] | None:
    """How often each element comes, or all; None where it is known only when compiled code runs."""
    backend = dispatch.of(repeats)
    if isinstance(repeats, KerasTensor) or memory.closed() or (backend is not None and backend.traced(repeats)):
        return None
    found = np.asarray(repeats if backend is None else backend.to_numpy(repeats))
    if found.dtype.kind not in "biu":
        raise TypeError(f"ops.repeat: `repeats` must be an integer or integers, not {repeats!r}.")
    if found.ndim > 1:
        raise ValueError(f"ops.repeat: `repeats` must be an integer or one row of them; got the shape {found.shape}.")
    return [int(n) for n in found.reshape(-1)]


def _repeat_spec(x: Spec, repeats: Any, axis: int | None = None) -> Spec:
    size = rules.size_of(x.shape) if axis is None else x.shape[axis]
    counts = _counts(repeats)
    if counts is None:
        size = None
    elif any(n < 0 for n in counts):
        raise ValueError(f"ops.repeat: `repeats` must not be negative; got {repeats}.")
    elif len(counts) == 1:
        size = None if size is None else size * counts[0]
    elif size is not None and len(counts) != size:
        raise ValueError(
            f"ops.repeat: `repeats` holds {len(counts)} numbers for {size} elements; give one, or one for each."
        )
    else:
        size = sum(counts)
    return Spec((size,) if axis is None else (*x.shape[:axis], size, *x.shape[axis + 1 :]), x.dtype)


@primitive(spec=_repeat_spec, promote=None, strict=True)
def repeat(x: TensorLike, repeats: Any, axis: int | None = None) -> Tensor:
    """Each element (or slice along an axis) repeated.

    Args:
        x: a tensor.
        repeats: how often, an integer or one for each element.
        axis: the axis; None means the flattened tensor.

    Returns:
        A tensor of the same dtype; a vector if the axis is None.

    Raises:
        TypeError: `repeats` are no integers.
        ValueError: they are negative, or neither one number nor one for each element.

    Example:
        >>> repeat([1, 2], 2).shape[0]
        4
    """
    ...


@primitive(spec=lambda x, axis=None: x, promote=None)
def flip(x: TensorLike, axis: Any = None) -> Tensor:
    """The elements in reverse order along axes (None means all).

    Args:
        x: a tensor.
        axis: an axis or a tuple of them; None means all.

    Returns:
        A tensor of the same shape and dtype.

    Example:
        >>> from tricera import ops
        >>> ops.convert_to_numpy(flip([1, 2, 3])).tolist()
        [3, 2, 1]
    """
    ...


def _roll_spec(x: Spec, shift: Any, axis: Any = None) -> Spec:
    several = isinstance(shift, (tuple, list)), isinstance(axis, (tuple, list))
    if (several[0] and several[1] and len(shift) != len(axis)) or (several[0] and isinstance(axis, int)):
        raise ValueError(f"ops.roll: `shift`={shift} and `axis`={axis} must be as many.")
    if any(isinstance(s, float) for s in (shift if several[0] else (shift,))):
        raise TypeError(f"ops.roll: `shift` must be an integer or integers, not {shift!r}.")
    return x


@primitive(spec=_roll_spec, promote=None, repeated_axes=True, strict=True)
def roll(x: TensorLike, shift: int | Sequence[int], axis: Any = None) -> Tensor:
    """The elements moved along axes, those that fall off coming in again at the other end.

    Args:
        x: a tensor.
        shift: how far, an integer for all axes or one for each.
        axis: along which axes (one may come several times); None: along the flattened tensor, where several shifts add up.

    Returns:
        A tensor of the same shape and dtype.

    Raises:
        ValueError: several shifts for one axis, or for another number of axes.

    Example:
        >>> from tricera import ops
        >>> ops.convert_to_numpy(roll([1, 2, 3], 1)).tolist()
        [3, 1, 2]
    """
    ...


@composed(promote=None)
def ravel(x: TensorLike) -> Tensor:
    """The elements in one axis.

    Args:
        x: a tensor.

    Returns:
        A vector of the same dtype.

    Example:
        >>> ravel([[1, 2], [3, 4]]).shape[0]
        4
    """
    return reshape(x, (-1,))


@composed(promote=None)
def swapaxes(x: TensorLike, axis1: int, axis2: int) -> Tensor:
    """Two axes exchanged.

    Args:
        x: a tensor.
        axis1: an axis.
        axis2: another one.

    Returns:
        A tensor of the same dtype.

    Raises:
        ValueError: an axis is out of range.

    Example:
        >>> from tricera import ops
        >>> ops.convert_to_numpy(swapaxes([[1, 2], [3, 4]], 0, 1)).tolist()
        [[1, 3], [2, 4]]
    """
    order = list(range(ndim(x)))
    for axis in (axis1, axis2):
        if not -len(order) <= axis < len(order):
            raise ValueError(f"ops.swapaxes: the axis {axis} is out of range for a tensor of {len(order)} axes.")
    order[axis1], order[axis2] = order[axis2], order[axis1]
    return transpose(x, order)


@composed(promote=None)
def moveaxis(x: TensorLike, source: Any, destination: Any) -> Tensor:
    """Axes moved to other places, the rest staying in order.

    Args:
        x: a tensor.
        source: an axis or several.
        destination: where each goes.

    Returns:
        A tensor of the same dtype.

    Raises:
        ValueError: an axis is out of range or stands twice, or there are more of one than of the other.

    Example:
        >>> tuple(moveaxis([[[1, 2]]], 2, 0).shape)
        (2, 1, 1)
    """
    rank = ndim(x)
    sources = (source,) if isinstance(source, int) else tuple(source)
    destinations = (destination,) if isinstance(destination, int) else tuple(destination)
    if len(sources) != len(destinations) or any(not -rank <= a < rank for a in (*sources, *destinations)):
        raise ValueError(f"ops.moveaxis: can't move axes {source} to {destination} in a tensor of {rank} axes.")
    sources, destinations = tuple(a % rank for a in sources), tuple(a % rank for a in destinations)
    if len(set(sources)) < len(sources) or len(set(destinations)) < len(destinations):
        raise ValueError(f"ops.moveaxis: an axis stands twice among {source} or among {destination}.")
    order = [a for a in range(rank) if a not in sources]
    for d, s in sorted(zip(destinations, sources, strict=True)):
        order.insert(d, s)
    return transpose(x, order)


@primitive(spec=lambda x, k=0: _tri_spec(x), promote=None, strict=True)
def tril(x: TensorLike, k: int = 0) -> Tensor:
    """The lower triangle of the last two axes; zeros above the k-th diagonal.

    Args:
        x: a tensor of at least 2 axes.
        k: which diagonal: 0 the main one, positive ones above it.

    Returns:
        A tensor of the same shape and dtype.

    Raises:
        ValueError: fewer than 2 axes.

    Example:
        >>> from tricera import ops
        >>> ops.convert_to_numpy(tril([[1, 2], [3, 4]])).tolist()
        [[1, 0], [3, 4]]
    """
    ...


@primitive(spec=lambda x, k=0: _tri_spec(x), promote=None, strict=True)
def triu(x: TensorLike, k: int = 0) -> Tensor:
    """The upper triangle of the last two axes; zeros below the k-th diagonal.

    Args:
        x: a tensor of at least 2 axes.
        k: which diagonal: 0 the main one, positive ones above it.

    Returns:
        A tensor of the same shape and dtype.

    Raises:
        ValueError: fewer than 2 axes.

    Example:
        >>> from tricera import ops
        >>> ops.convert_to_numpy(triu([[1, 2], [3, 4]])).tolist()
        [[1, 2], [0, 4]]
    """
    ...


def _tri_spec(x: Spec) -> Spec:
    if x.ndim < 2:
        raise ValueError(f"A triangle needs at least 2 axes; got a tensor of shape {x.shape}.")
    return x


def size(x: Any) -> Any:
    """The number of elements; None where a symbolic dimension is not known.

    Args:
        x: a tensor, symbolic or not.

    Returns:
        An integer or None; inside a graph whose sizes are not known, a scalar.

    Example:
        >>> size([[1, 2], [3, 4]])
        4
    """
    dims = shape(x)
    return None if None in dims else math.prod(dims)


@guarded
def meshgrid(*x: Any, indexing: str = "xy") -> list[Tensor]:
    """Coordinate grids of 1-D tensors.

    Args:
        *x: the coordinates along each axis.
        indexing: `"xy"` (the first two axes exchanged) or `"ij"`.

    Returns:
        A list of tensors, one an argument and of its dtype; their shape holds the lengths of all.

    Raises:
        ValueError: another indexing.

    Example:
        >>> [tuple(grid.shape) for grid in meshgrid([1, 2], [3, 4, 5])]
        [(3, 2), (3, 2)]
    """
    if indexing not in ("xy", "ij"):
        raise ValueError(f"ops.meshgrid: `indexing` must be 'xy' or 'ij', not {indexing!r}.")
    axes = [reshape(t, (-1,)) for t in x]
    lengths = tuple(shape(a)[0] for a in axes)
    out = [
        broadcast_to(reshape(a, tuple(-1 if i == j else 1 for j in range(len(axes)))), lengths)
        for i, a in enumerate(axes)
    ]
    return [swapaxes(o, 0, 1) for o in out] if indexing == "xy" and len(axes) > 1 else out
