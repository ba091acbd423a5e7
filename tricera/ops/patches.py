"""Patches of images as columns and back, and rearranging axes by a pattern."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np

from tricera.core.op import composed
from tricera.core.tensor import Tensor, TensorLike
from tricera.core.windows import each
from tricera.ops.creation import convert_to_tensor, dtype
from tricera.ops.elementwise import cast
from tricera.ops.linear import matmul
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


def _positions(size: Any, kernel: Any, dilation: Any, padding: Any, stride: Any) -> tuple[np.ndarray, tuple[int, int]]:
    """The places (kernel elements, blocks) in the flattened padded image, and the padded size."""
    kernel, dilation, stride = _pair(kernel, "kernel_size"), _pair(dilation, "dilation"), _pair(stride, "stride")
    padding = _pair(padding, "padding", least=0)
    full = (size[0] + 2 * padding[0], size[1] + 2 * padding[1])
    grids = []
    for n, k, d, s in zip(full, kernel, dilation, stride, strict=True):
        count = (n - d * (k - 1) - 1) // s + 1
        if count < 1:
            raise ValueError(
                f"ops.unfold: a window of {k} (dilation {d}) does not fit an axis of length {n} (padding included)."
            )
        grids.append(np.arange(k)[:, None] * d + np.arange(count) * s)
    rows, columns = grids
    places = rows[:, None, :, None] * full[1] + columns[None, :, None, :]
    return places.reshape(kernel[0] * kernel[1], -1).astype("int32"), full


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
        A tensor (batch, channels * kernel elements, blocks).

    Raises:
        ValueError: the blocks don't fit.
    """
    if len(x.shape) != 4:
        raise ValueError(
            f"ops.unfold: images have 4 axes, (batch, channels, height, width); got the shape {tuple(x.shape)}."
        )
    _, channels, height, width = x.shape
    places, full = _positions((height, width), kernel_size, dilation, padding, stride)
    ph, pw = _pair(padding, "padding", least=0)
    flat = reshape(pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw))), (-1, channels, full[0] * full[1]))
    return reshape(take(flat, places, axis=-1), (-1, channels * places.shape[0], places.shape[1]))


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
        Images (batch, channels, height, width).

    Raises:
        ValueError: the numbers of elements or blocks don't fit.
    """
    size = _pair(output_size, "output_size")
    places, full = _positions(size, kernel_size, dilation, padding, stride)
    if x.shape[1] % places.shape[0] or x.shape[2] != places.shape[1]:
        raise ValueError(
            f"ops.fold: an image of {size} has {places.shape[1]} blocks of {places.shape[0]} elements; got a tensor of shape "
            f"{tuple(x.shape)}."
        )
    channels = x.shape[1] // places.shape[0]
    flat = reshape(x, (-1, channels, places.size))
    # A product with the 0/1 matrix that says where each element belongs adds up what overlaps.
    adder = (places.reshape(-1)[:, None] == np.arange(full[0] * full[1])).astype("float32")
    image = matmul(flat, cast(convert_to_tensor(adder), dtype(x)))
    ph, pw = _pair(padding, "padding", least=0)
    return reshape(image, (-1, channels, *full))[:, :, ph : full[0] - ph, pw : full[1] - pw]


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


def rearrange(tensor: Any, pattern: str, **axes_lengths: int) -> Tensor:
    """Reshape and transpose by a pattern of named axes, as in einops.

    Args:
        tensor: a tensor.
        pattern: such as `"b (h w) c -> b c h w"`: parentheses join axes.
        **axes_lengths: lengths that the tensor's shape does not tell.

    Returns:
        A tensor.

    Raises:
        ValueError: the pattern does not fit the tensor.

    Example:
        >>> import numpy as np
        >>> rearrange(np.ones((2, 6, 3)), "b (h w) c -> b c h w", h=2).shape[1:]
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
        known = math.prod(sizes[n] or 1 for n in group if n in sizes)
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
    out = tuple(-1 if any(sizes[n] is None for n in g) else math.prod(sizes[n] for n in g) for g in goal)  # type: ignore[misc]
    return reshape(moved, out)
