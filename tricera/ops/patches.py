"""Patches of images as columns and back, and rearranging axes by a pattern."""

from __future__ import annotations

import math
import re
from typing import Any, NamedTuple

from tricera.core.doors import guarded
from tricera.core.op import composed
from tricera.core.tensor import Tensor, TensorLike
from tricera.core.windows import each
from tricera.ops.creation import arange, convert_to_tensor
from tricera.ops.elementwise import add, multiply
from tricera.ops.select import take
from tricera.ops.shape import pad, reshape, transpose


def _pair(value: Any, name: str, least: int = 1) -> tuple[int, int]:
    if least == 0:
        values = (value, value) if isinstance(value, int) else tuple(value)
        if len(values) != 2 or min(values) < 0:
            raise ValueError(f"ops.unfold: `{name}` must be one or two integers of at least 0, not {value!r}.")
        return values[0], values[1]
    pair = each(value, 2, name, "unfold")
    return pair[0], pair[1]


class _Blocks(NamedTuple):
    """Where the blocks lie along one axis: element i of block b is at i * dilation + b * stride of the padded axis."""

    full: int
    kernel: int
    dilation: int
    stride: int
    blocks: int
    padding: int


def _blocks(size: Any, kernel: Any, dilation: Any, padding: Any, stride: Any) -> tuple[_Blocks, _Blocks]:
    """How the blocks of an image lie, along the height and along the width."""
    options = _pair(kernel, "kernel_size"), _pair(dilation, "dilation"), _pair(stride, "stride")
    found = []
    for n, k, d, s, p in zip(size, *options, _pair(padding, "padding", least=0), strict=True):
        full = n + 2 * p
        count = (full - d * (k - 1) - 1) // s + 1
        if count < 1:
            raise ValueError(
                f"ops.unfold: a window of {k} (dilation {d}) does not fit an axis of length {full} (padding included)."
            )
        found.append(_Blocks(full, k, d, s, count, p))
    return found[0], found[1]


def _spread(x: Any, at: _Blocks) -> Any:
    """Along the last axis: (..., n) becomes (..., elements, blocks)."""
    # Of the framework's own numbers: torch.compile traces NumPy, too, and then does not know its dtypes.
    elements = reshape(multiply(arange(at.kernel, dtype="int32"), at.dilation), (at.kernel, 1))
    return take(x, add(elements, multiply(arange(at.blocks, dtype="int32"), at.stride)), axis=-1)


def _gather(x: Any, at: _Blocks) -> Any:
    """The transpose of `_spread`: (..., elements, blocks) becomes (..., n), and what overlaps is added."""
    *lead, _, _ = x.shape
    none = ((0, 0),) * len(lead)
    open_ = tuple(-1 if d is None else d for d in lead)
    # Between the blocks there are stride - 1 zeros.
    x = pad(reshape(x, (*open_, at.kernel, at.blocks, 1)), (*none, (0, 0), (0, 0), (0, at.stride - 1)))
    reach = (at.blocks - 1) * at.stride + 1
    x = reshape(x, (*open_, at.kernel, at.blocks * at.stride))[..., :reach]
    total: Any = None
    for i in range(at.kernel):
        begin = i * at.dilation
        laid = pad(x[..., i, :], (*none, (begin, at.full - reach - begin)))
        total = laid if total is None else add(total, laid)
    return total


@composed(promote=None)
def unfold(x: TensorLike, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Tensor:
    """Sliding blocks of images as columns.

    Args:
        x: images (batch, channels, height, width).
        kernel_size: the blocks' height and width.
        dilation: the spacing of their elements.
        padding: zeros added on each side.
        stride: how far apart they are.

    Returns:
        A tensor (batch, channels * kernel elements, blocks) of the same dtype.

    Raises:
        ValueError: the blocks don't fit.

    Example:
        >>> import numpy as np
        >>> tuple(unfold(np.ones((1, 2, 4, 4)), 2).shape)
        (1, 8, 9)
    """
    if len(x.shape) != 4:
        raise ValueError(
            f"ops.unfold: images have 4 axes, (batch, channels, height, width); got the shape {tuple(x.shape)}."
        )
    _, channels, height, width = x.shape
    high, wide = _blocks((height, width), kernel_size, dilation, padding, stride)
    x = pad(x, ((0, 0), (0, 0), (high.padding,) * 2, (wide.padding,) * 2))
    rows = _spread(transpose(x, (0, 1, 3, 2)), high)  # (batch, channels, width, rows of a block, rows of blocks)
    both = _spread(transpose(rows, (0, 1, 3, 4, 2)), wide)
    both = transpose(both, (0, 1, 2, 4, 3, 5))  # (batch, channels, the elements of a block, the blocks)
    return reshape(both, (-1, channels * high.kernel * wide.kernel, high.blocks * wide.blocks))


@composed(promote=None)
def fold(
    x: TensorLike, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
) -> Tensor:
    """Images from columns of sliding blocks, which are added where they overlap.

    Args:
        x: a tensor (batch, channels * kernel elements, blocks).
        output_size: the images' height and width.
        kernel_size: the blocks' height and width.
        dilation: the spacing of their elements.
        padding: the zeros that were added on each side.
        stride: how far apart they are.

    Returns:
        Images (batch, channels, height, width) of the same dtype.

    Raises:
        ValueError: the numbers of elements or blocks don't fit.

    Example:
        >>> import numpy as np
        >>> tuple(fold(np.ones((1, 8, 9)), (4, 4), 2).shape)
        (1, 2, 4, 4)
    """
    size = _pair(output_size, "output_size")
    high, wide = _blocks(size, kernel_size, dilation, padding, stride)
    elements, blocks = high.kernel * wide.kernel, high.blocks * wide.blocks
    if x.shape[1] % elements or x.shape[2] != blocks:
        raise ValueError(
            f"ops.fold: an image of {size} has {blocks} blocks of {elements} elements; got a tensor of shape "
            f"{tuple(x.shape)}."
        )
    both = reshape(x, (-1, x.shape[1] // elements, high.kernel, wide.kernel, high.blocks, wide.blocks))
    rows = _gather(transpose(both, (0, 1, 2, 4, 3, 5)), wide)
    image = transpose(_gather(transpose(rows, (0, 1, 4, 2, 3)), high), (0, 1, 3, 2))
    return image[:, :, high.padding : high.full - high.padding, wide.padding : wide.full - wide.padding]


def _tokens(side: str) -> list[list[str]]:
    groups: list[list[str]] = []
    inside = False
    for token in re.findall(r"[\w.]+|[()]", side):
        if token == "(":
            groups.append([])
            inside = True
        elif token == ")":
            inside = False
        elif inside:
            groups[-1].append(token)
        else:
            groups.append([token])
    return groups


@guarded
def rearrange(tensor: TensorLike, pattern: str, **axes_lengths: int) -> Tensor:
    """Reshape and transpose by a pattern of named axes, as in einops.

    Args:
        tensor: a tensor.
        pattern: such as `"b (h w) c -> b c h w"`: parentheses join axes.
        **axes_lengths: lengths that the tensor's shape does not tell.

    Returns:
        A tensor of the same dtype, with an axis for each name or parenthesis on the right side of the pattern.

    Raises:
        ValueError: the pattern does not fit the tensor.

    Example:
        >>> import numpy as np
        >>> tuple(rearrange(np.ones((2, 6, 3)), "b (h w) c -> b c h w", h=2).shape[1:])
        (3, 2, 3)
    """
    left, arrow, right = pattern.partition("->")
    source, goal = _tokens(left), _tokens(right)
    names, wanted = [n for g in source for n in g], [n for g in goal for n in g]
    if not arrow or sorted(names) != sorted(wanted) or len(set(names)) != len(names):
        raise ValueError(f"ops.rearrange: {pattern!r} must name the same axes, once each, on both sides of '->'.")
    x = tensor if hasattr(tensor, "shape") else convert_to_tensor(tensor)
    if len(source) != len(x.shape):
        raise ValueError(
            f"ops.rearrange: {pattern!r} describes {len(source)} axes; got a tensor of shape {tuple(x.shape)}."
        )
    sizes: dict[str, int | None] = dict(axes_lengths)
    for group, size in zip(source, x.shape, strict=True):
        unknown = [n for n in group if n not in sizes]
        known = math.prod([sizes[n] or 1 for n in group if n in sizes])
        if len(unknown) > 1:
            raise ValueError(f"ops.rearrange: give the lengths of all but one of {unknown} in {pattern!r}.")
        if unknown:
            if size is not None and size % known:
                raise ValueError(f"ops.rearrange: an axis of length {size} can't be divided into {group} with {sizes}.")
            sizes[unknown[0]] = None if size is None else size // known
        elif size is not None and size != known:
            raise ValueError(f"ops.rearrange: {group} has the length {known}, the tensor's axis {size}.")
    split = reshape(x, tuple(-1 if sizes[n] is None else sizes[n] for n in names))
    moved = transpose(split, [names.index(n) for n in wanted])
    out = tuple(-1 if any(sizes[n] is None for n in g) else math.prod([sizes[n] for n in g]) for g in goal)  # type: ignore[misc]
    return reshape(moved, out)
