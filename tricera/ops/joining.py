"""Joining, cutting and turning of arrays, made of the ops of shape."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Any

from tricera.core.doors import guarded
from tricera.core.op import composed
from tricera.core.tensor import Tensor, TensorLike
from tricera.core.windows import layout
from tricera.ops.creation import convert_to_tensor, ndim
from tricera.ops.shape import concatenate, expand_dims, flip, reshape, split, transpose


@composed
def append(x1: TensorLike, x2: TensorLike, axis: int | None = None) -> Tensor:
    """`x2` behind `x1` along an axis; None flattens both.

    Args:
        x1: a tensor.
        x2: a tensor that differs at most on that axis.
        axis: the axis; None flattens both tensors first.

    Returns:
        A tensor of their common dtype.

    Raises:
        ValueError: the shapes don't fit.

    Example:
        >>> from tricera import ops
        >>> ops.convert_to_numpy(append([1, 2], [[3]])).tolist()
        [1, 2, 3]
    """
    if axis is None:
        return concatenate([reshape(x1, (-1,)), reshape(x2, (-1,))])
    return concatenate([x1, x2], axis=axis)


@composed(promote=None)
def array_split(x: TensorLike, indices_or_sections: int | Sequence[int], axis: int = 0) -> Any:
    """Parts of a tensor along an axis, the first ones longer by one where the axis can't be divided evenly.

    Args:
        x: a tensor.
        indices_or_sections: the number of parts, or the indices at which to cut.
        axis: the axis.

    Returns:
        A list of tensors.

    Raises:
        ValueError: not a positive number of parts, or the length of the axis is not known.

    Example:
        >>> [part.shape[0] for part in array_split([1, 2, 3], 2)]
        [2, 1]
    """
    if isinstance(indices_or_sections, int):
        size = x.shape[axis]
        if indices_or_sections <= 0:
            raise ValueError(f"ops.array_split: `indices_or_sections`={indices_or_sections} is no number of parts.")
        if size is None:
            raise ValueError(f"ops.array_split: the length of axis {axis} must be known.")
        small, longer = divmod(size, indices_or_sections)
        sizes = [small + 1] * longer + [small] * (indices_or_sections - longer)
        return split(x, list(accumulate(sizes))[:-1], axis=axis)
    return split(x, [int(i) for i in indices_or_sections], axis=axis)


@composed(promote=None)
def hsplit(x: TensorLike, indices_or_sections: int | Sequence[int]) -> Any:
    """Parts along the second axis (the first of a vector).

    Args:
        x: a tensor of at least 1 axis.
        indices_or_sections: the number of equal parts, or the indices at which to cut.

    Returns:
        A list of tensors.

    Raises:
        ValueError: the axis can't be divided so.

    Example:
        >>> [part.shape[0] for part in hsplit([1, 2, 3], [1])]
        [1, 2]
    """
    return split(x, indices_or_sections, axis=1 if len(x.shape) > 1 else 0)


@composed(promote=None)
def vsplit(x: TensorLike, indices_or_sections: int | Sequence[int]) -> Any:
    """Parts along the first axis.

    Args:
        x: a tensor of at least 1 axis.
        indices_or_sections: the number of equal parts, or the indices at which to cut.

    Returns:
        A list of tensors.

    Raises:
        ValueError: the axis can't be divided so.

    Example:
        >>> [part.shape[0] for part in vsplit([[1], [2], [3]], [1])]
        [1, 2]
    """
    return split(x, indices_or_sections, axis=0)


@composed(promote=None)
def dsplit(x: TensorLike, indices_or_sections: int | Sequence[int]) -> Any:
    """Parts along the third axis.

    Args:
        x: a tensor of at least 3 axes.
        indices_or_sections: the number of equal parts, or the indices at which to cut.

    Returns:
        A list of tensors.

    Raises:
        ValueError: the axis can't be divided so, or there are fewer than 3.

    Example:
        >>> [part.shape[2] for part in dsplit([[[1, 2, 3]]], [1])]
        [1, 2]
    """
    return split(x, indices_or_sections, axis=2)


@composed
def dstack(xs: Sequence[TensorLike]) -> Tensor:
    """Tensors joined along the third axis; vectors (n,) count as (1, n, 1), matrices as (n, m, 1).

    Args:
        xs: a list of tensors.

    Returns:
        A tensor of at least 3 axes and the common dtype.

    Raises:
        ValueError: the shapes don't fit.

    Example:
        >>> from tricera import ops
        >>> ops.convert_to_numpy(dstack([[1, 2], [3, 4]])).tolist()
        [[[1, 3], [2, 4]]]
    """
    parts = []
    for x in xs:
        x = reshape(x, (1, -1, 1)) if len(x.shape) < 2 else expand_dims(x, -1) if len(x.shape) == 2 else x
        parts.append(x)
    return concatenate(parts, axis=2)


@composed(promote=None)
def fliplr(x: TensorLike) -> Tensor:
    """The second axis reversed.

    Args:
        x: a tensor of at least 2 axes.

    Returns:
        A tensor of the same shape and dtype.

    Raises:
        ValueError: fewer axes.

    Example:
        >>> from tricera import ops
        >>> ops.convert_to_numpy(fliplr([[1, 2], [3, 4]])).tolist()
        [[2, 1], [4, 3]]
    """
    return flip(x, axis=1)


@composed(promote=None)
def flipud(x: TensorLike) -> Tensor:
    """The first axis reversed.

    Args:
        x: a tensor of at least 1 axis.

    Returns:
        A tensor of the same shape and dtype.

    Raises:
        ValueError: a scalar.

    Example:
        >>> from tricera import ops
        >>> ops.convert_to_numpy(flipud([1, 2])).tolist()
        [2, 1]
    """
    return flip(x, axis=0)


@composed(promote=None)
def rot90(array: TensorLike, k: int = 1, axes: tuple[int, int] = (0, 1)) -> Tensor:
    """Two axes rotated by k quarter turns, from the first towards the second.

    Args:
        array: a tensor of at least 2 axes.
        k: how many turns; negative ones go the other way.
        axes: the plane.

    Returns:
        A tensor of the same dtype, both lengths exchanged by an odd number of turns.

    Raises:
        ValueError: fewer than 2 axes, or the same axis twice.

    Example:
        >>> from tricera import ops
        >>> ops.convert_to_numpy(rot90([[1, 2], [3, 4]])).tolist()
        [[2, 4], [1, 3]]
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


def _images(op: str, x: Any, block: Any, data_format: str, spread: bool) -> bool:
    """Whether channels come first; what does not fit is an error."""
    first, sizes, channels = layout(op, tuple(x.shape), data_format)
    if len(x.shape) != 4:
        raise ValueError(f"ops.{op}: images have 4 axes, a batch and their channels included; got {tuple(x.shape)}.")
    if isinstance(block, bool) or not isinstance(block, int) or block < 1:
        raise ValueError(f"ops.{op}: `block_size` must be a positive integer, not {block!r}.")
    if spread and channels is not None and channels % block**2:
        raise ValueError(f"ops.{op}: {channels} channels can't be spread over blocks of {block} x {block}.")
    if not spread and any(n is not None and n % block for n in sizes):
        raise ValueError(f"ops.{op}: images of {tuple(sizes)} can't be cut into blocks of {block} x {block}.")
    return first


@composed(promote=None)
def depth_to_space(x: TensorLike, block_size: int, data_format: str = "channels_last") -> Tensor:
    """Blocks of channels spread over height and width.

    Args:
        x: images (batch, height, width, block² * channels), or with channels first.
        block_size: the blocks' height and width.
        data_format: `"channels_last"` or `"channels_first"`.

    Returns:
        Images (batch, height * block, width * block, channels), or with channels first.

    Raises:
        ValueError: not 4 axes, no positive block size, or a number of channels that block² doesn't divide.

    Example:
        >>> tuple(depth_to_space([[[[1, 2, 3, 4]]]], 2).shape)
        (1, 2, 2, 1)
    """
    b = block_size
    if _images("depth_to_space", x, b, data_format, spread=True):
        n, c, h, w = x.shape
        out = transpose(reshape(x, (n, b, b, c // b**2, h, w)), (0, 3, 4, 1, 5, 2))
        return reshape(out, (n, c // b**2, h * b, w * b))
    n, h, w, c = x.shape
    out = transpose(reshape(x, (n, h, w, b, b, c // b**2)), (0, 1, 3, 2, 4, 5))
    return reshape(out, (n, h * b, w * b, c // b**2))


@composed(promote=None)
def space_to_depth(x: TensorLike, block_size: int, data_format: str = "channels_last") -> Tensor:
    """Blocks of height and width put into channels, the inverse of `depth_to_space`.

    Args:
        x: images (batch, height, width, channels), or with channels first.
        block_size: the blocks' height and width.
        data_format: `"channels_last"` or `"channels_first"`.

    Returns:
        Images (batch, height / block, width / block, block² * channels), or with channels first.

    Raises:
        ValueError: not 4 axes, no positive block size, or one that doesn't divide height and width.

    Example:
        >>> from tricera import ops
        >>> ops.convert_to_numpy(space_to_depth([[[[1], [2]], [[3], [4]]]], 2)).tolist()
        [[[[1, 2, 3, 4]]]]
    """
    b = block_size
    if _images("space_to_depth", x, b, data_format, spread=False):
        n, c, h, w = x.shape
        out = transpose(reshape(x, (n, c, h // b, b, w // b, b)), (0, 3, 5, 1, 2, 4))
        return reshape(out, (n, c * b**2, h // b, w // b))
    n, h, w, c = x.shape
    out = transpose(reshape(x, (n, h // b, b, w // b, b, c)), (0, 1, 3, 2, 4, 5))
    return reshape(out, (n, h // b, w // b, c * b**2))


@guarded
def hstack(xs: Any) -> Tensor:
    """Tensors joined along the second axis (1-D ones along the first).

    Args:
        xs: a list of tensors that differ at most on that axis; scalars count as vectors.

    Returns:
        A tensor of their common dtype.

    Raises:
        ValueError: there is no tensor, or the shapes don't fit.

    Example:
        >>> from tricera import ops
        >>> ops.convert_to_numpy(hstack([[1], [2, 3]])).tolist()
        [1, 2, 3]
    """
    parts = [t if ndim(t) else reshape(t, (1,)) for t in map(convert_to_tensor, xs)]
    if not parts:
        raise ValueError("ops.hstack needs at least one tensor.")
    return concatenate(parts, axis=0 if ndim(parts[0]) == 1 else 1)


@guarded
def vstack(xs: Any) -> Tensor:
    """Tensors joined along the first axis, 1-D ones taken as rows.

    Args:
        xs: a list of tensors that differ at most on that axis.

    Returns:
        A tensor of at least 2 axes and their common dtype.

    Raises:
        ValueError: there is no tensor, or the shapes don't fit.

    Example:
        >>> from tricera import ops
        >>> ops.convert_to_numpy(vstack([[1, 2], [3, 4]])).tolist()
        [[1, 2], [3, 4]]
    """
    parts = [reshape(t, (1, -1)) if ndim(t) < 2 else t for t in map(convert_to_tensor, xs)]
    return concatenate(parts, axis=0)
