"""Images of another size: resized, scaled, cropped, padded, cut into patches."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from tricera.core import dispatch
from tricera.core.dtypes import float_of
from tricera.core.op import composed
from tricera.core.tensor import KerasTensor, Tensor, TensorLike
from tricera.core.variable import Variable
from tricera.core.windows import channels_first, each
from tricera.ops.convolution import conv
from tricera.ops.creation import convert_to_tensor, dtype
from tricera.ops.elementwise import cast
from tricera.ops.image_sampling import _KERNELS, _weights, along, back_to_kind, image_format, resampled, weights
from tricera.ops.shape import expand_dims, pad, squeeze


@composed(promote=None, kinds="real")
def resize(
    images: TensorLike,
    size: Any,
    interpolation: str = "bilinear",
    antialias: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    fill_mode: str = "constant",
    fill_value: float = 0.0,
    data_format: str | None = None,
) -> Tensor:
    """Images in another size.

    Args:
        images: a batch of images or one image.
        size: the new (height, width).
        interpolation: `"nearest"`, `"bilinear"`, `"bicubic"`, `"lanczos3"` or `"lanczos5"`.
        antialias: widen the kernel where images get smaller.
        crop_to_aspect_ratio: cut the middle of the new aspect ratio out first.
        pad_to_aspect_ratio: extend the images to the new aspect ratio first, by as much on either side.
        fill_mode: how they are extended; only `"constant"`.
        fill_value: with which value.
        data_format: `"channels_last"` or `"channels_first"`; default: the configured one.

    Returns:
        Images of the same dtype; those of integers are rounded.

    Raises:
        ValueError: both aspect-ratio options, an unknown interpolation, or a size that is no pair.

    Example:
        >>> import numpy as np
        >>> tuple(resize(np.ones((4, 4, 3)), (2, 6)).shape)
        (2, 6, 3)
    """
    _, at = image_format("resize", images, data_format)
    if not isinstance(size, Iterable):
        raise ValueError(f"ops.image.resize: `size` must be a pair (height, width), not {size!r}.")
    height, width = each(tuple(size), 2, "size", "image.resize")
    if crop_to_aspect_ratio and pad_to_aspect_ratio:
        raise ValueError("ops.image.resize: choose one of `crop_to_aspect_ratio` and `pad_to_aspect_ratio`.")
    if fill_mode != "constant":
        raise ValueError(f"ops.image.resize: `fill_mode` must be 'constant', not {fill_mode!r}.")
    if interpolation != "nearest" and interpolation not in _KERNELS:
        raise ValueError(
            f"ops.image.resize: `interpolation` must be 'nearest' or one of {', '.join(map(repr, _KERNELS))}, not {interpolation!r}."
        )
    h, w = images.shape[at], images.shape[at + 1]
    kind = dtype(images)
    if isinstance(images, KerasTensor):
        return KerasTensor((*images.shape[:at], height, width, *images.shape[at + 2 :]), kind)
    if (h is None or w is None) and (crop_to_aspect_ratio or pad_to_aspect_ratio):
        raise ValueError("ops.image.resize: an aspect ratio can be kept only where the images' size is known.")
    x = images if interpolation == "nearest" else cast(images, float_of(kind))
    if crop_to_aspect_ratio:
        crop_h, crop_w = min(h, int(w * height / width)), min(w, int(h * width / height))
        top, left = int((h - crop_h) / 2), int((w - crop_w) / 2)
        x = x[(slice(None),) * at + (slice(top, top + crop_h), slice(left, left + crop_w))]
    elif pad_to_aspect_ratio:
        full_h, full_w = max(h, int(w * height / width)), max(w, int(h * width / height))
        top, left = int((full_h - h) / 2), int((full_w - w) / 2)
        widths = [(0, 0)] * len(images.shape)
        widths[at], widths[at + 1] = (top, top), (left, left)  # the image stays in the middle, as in Keras
        x = pad(x, tuple(widths), constant_values=fill_value)
    x = resampled(x, at, height, width, interpolation, bool(antialias))
    return back_to_kind(x, kind)


@composed(promote="float", kinds="real")
def scale_and_translate(
    images: TensorLike,
    output_shape: Any,
    scale: Any,
    translation: Any,
    spatial_dims: Any,
    method: str,
    antialias: bool = True,
) -> Tensor:
    """Images scaled and moved: the element at p goes to p * scale + translation.

    Args:
        images: a tensor.
        output_shape: the shape of the result.
        scale: a factor for each spatial axis.
        translation: a shift for each spatial axis.
        spatial_dims: which axes these are.
        method: `"linear"`, `"cubic"`, `"lanczos3"` or `"lanczos5"`.
        antialias: widen the kernel where images get smaller.

    Returns:
        A float tensor of the shape `output_shape`, 0 where nothing lands; integers become floatx.

    Raises:
        ValueError: an unknown method.

    Example:
        >>> [float(y) for y in scale_and_translate([0.0, 1.0, 2.0, 3.0], (4,), [1.0], [1.0], [0], "linear")]
        [0.0, 0.0, 1.0, 2.0]
    """
    from tricera import ops

    given = [isinstance(v, Variable) or dispatch.of(v) is not None for v in (scale, translation)]
    x = images
    rank = len(images.shape)
    if len(output_shape) != rank or not rank or any(not -rank <= a < rank for a in spatial_dims):
        raise ValueError(
            f"ops.image.scale_and_translate: `output_shape`={tuple(output_shape)} and `spatial_dims`={tuple(spatial_dims)} "
            f"don't fit images of {rank} axes."
        )
    if not any(given) and not all(float(v) for v in scale):
        raise ValueError(f"ops.image.scale_and_translate: `scale` must not hold 0; got {scale!r}.")
    for i, axis in enumerate(spatial_dims):
        axis %= rank
        size, out = images.shape[axis], output_shape[axis]
        if any(given):  # what tensors hold need not be known yet
            by, to = (cast(convert_to_tensor(v)[i], "float32") for v in (scale, translation))
            matrix = cast(_weights(size, out, by, to, method, antialias, ops), dtype(x))
        else:
            options = (size, out, float(scale[i]), float(translation[i]), method, antialias)
            matrix = dispatch.table(weights, *options, dtype=dtype(x))
        x = along(x, matrix, axis)
    return x


def _edges(
    op: str, size: int | None, before: int | None, after: int | None, target: int | None, sign: int
) -> tuple[int, int]:
    """What goes (sign -1) or comes (sign 1) before and after an axis, two of the three being given."""
    if sum(v is None for v in (before, after, target)) != 1 and not (
        target is None and before is not None and after is not None
    ):
        raise ValueError(f"ops.image.{op}: give two of the amounts before and after and the target size of each axis.")
    if target is not None:
        if size is None:
            raise ValueError(f"ops.image.{op}: the images' height and width must be known.")
        total = sign * (target - size)
        before = total - after if before is None else before  # type: ignore[operator]
        after = total - before
    if before < 0 or after < 0 or (sign < 0 and size is not None and before + after > size):  # type: ignore[operator]
        raise ValueError(
            f"ops.image.{op}: an axis of length {size} can't {'get' if sign > 0 else 'lose'} {before} before and {after} after."
        )
    return before, after  # type: ignore[return-value]


@composed(promote=None)
def crop_images(
    images: TensorLike,
    top_cropping: int | None = None,
    left_cropping: int | None = None,
    bottom_cropping: int | None = None,
    right_cropping: int | None = None,
    target_height: int | None = None,
    target_width: int | None = None,
    data_format: str | None = None,
) -> Tensor:
    """Images with their margins cut off; of top, bottom and target height two are given, and so for the width.

    Args:
        images: a batch of images or one image.
        top_cropping: rows cut off above.
        left_cropping: columns cut off on the left.
        bottom_cropping: rows cut off below.
        right_cropping: columns cut off on the right.
        target_height: the height afterwards.
        target_width: the width afterwards.
        data_format: `"channels_last"` or `"channels_first"`; default: the configured one.

    Returns:
        Smaller images of the same dtype.

    Raises:
        ValueError: the amounts don't fit.

    Example:
        >>> import numpy as np
        >>> tuple(crop_images(np.ones((4, 6, 3)), 1, 2, target_height=2, target_width=3).shape)
        (2, 3, 3)
    """
    _, at = image_format("crop_images", images, data_format)
    h, w = images.shape[at], images.shape[at + 1]
    top, bottom = _edges("crop_images", h, top_cropping, bottom_cropping, target_height, -1)
    left, right = _edges("crop_images", w, left_cropping, right_cropping, target_width, -1)
    rows, columns = (slice(a, -b if b else None) for a, b in ((top, bottom), (left, right)))
    return images[(slice(None),) * at + (rows, columns)]


@composed(promote=None)
def pad_images(
    images: TensorLike,
    top_padding: int | None = None,
    left_padding: int | None = None,
    bottom_padding: int | None = None,
    right_padding: int | None = None,
    target_height: int | None = None,
    target_width: int | None = None,
    data_format: str | None = None,
) -> Tensor:
    """Images with zeros around; of top, bottom and target height two are given, and so for the width.

    Args:
        images: a batch of images or one image.
        top_padding: rows added above.
        left_padding: columns added on the left.
        bottom_padding: rows added below.
        right_padding: columns added on the right.
        target_height: the height afterwards.
        target_width: the width afterwards.
        data_format: `"channels_last"` or `"channels_first"`; default: the configured one.

    Returns:
        Larger images of the same dtype.

    Raises:
        ValueError: the amounts don't fit.

    Example:
        >>> import numpy as np
        >>> tuple(pad_images(np.ones((4, 6, 3)), 1, 2, target_height=8, target_width=9).shape)
        (8, 9, 3)
    """
    _, at = image_format("pad_images", images, data_format)
    widths = [(0, 0)] * len(images.shape)
    widths[at] = _edges("pad_images", images.shape[at], top_padding, bottom_padding, target_height, 1)
    widths[at + 1] = _edges("pad_images", images.shape[at + 1], left_padding, right_padding, target_width, 1)
    return pad(images, tuple(widths))


def _each_of(size: tuple[int, ...], channels: int) -> np.ndarray:
    """A kernel that gives each element of a patch a channel."""
    count = math.prod(size) * channels
    return np.eye(count).reshape(*size, channels, count)


def _patches(images: Any, size: Any, strides: Any, dilation: Any, padding: str, first: bool, n: int) -> Any:
    channels = images.shape[1] if first else images.shape[-1]
    kernel = dispatch.table(_each_of, tuple(size), channels, dtype=dtype(images))
    return conv(images, kernel, strides, padding, "channels_first" if first else "channels_last", dilation)


def _extracted(
    op: str, images: Any, size: Any, strides: Any, dilation: Any, padding: str, data_format: Any, n: int
) -> Any:
    rank = len(images.shape)
    if rank not in (n + 1, n + 2):
        raise ValueError(
            f"ops.image.{op}: the input must have {n + 1} or {n + 2} axes; got the shape {tuple(images.shape)}."
        )
    first = channels_first(f"image.{op}", data_format)
    x = cast(images if rank == n + 2 else expand_dims(images, 0), float_of(dtype(images)))
    size = each(size, n, "size", f"image.{op}")
    out = _patches(x, size, size if strides is None else strides, dilation, padding, first, n)
    out = cast(out, dtype(images))
    return out if rank == n + 2 else squeeze(out, axis=0)


@composed(promote=None)
def extract_patches(
    images: TensorLike,
    size: Any,
    strides: Any = None,
    dilation_rate: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """Patches of images, each flattened into the channels of one place.

    Args:
        images: a batch of images or one image.
        size: the patches' height and width.
        strides: how far apart they are; default: `size`.
        dilation_rate: the spacing of their elements.
        padding: `"valid"` or `"same"`.
        data_format: `"channels_last"` or `"channels_first"`; default: the configured one.

    Returns:
        A tensor (batch, rows, columns, height * width * channels) of the same dtype, or with channels first; of one
            image without the batch.

    Raises:
        ValueError: the patches are longer than the images and `padding` is `"valid"`, or another rank.

    Example:
        >>> import numpy as np
        >>> tuple(extract_patches(np.ones((6, 6, 3)), 3).shape)
        (2, 2, 27)
    """
    return _extracted("extract_patches", images, size, strides, dilation_rate, padding, data_format, 2)


@composed(promote=None)
def extract_patches_3d(
    volumes: TensorLike,
    size: Any,
    strides: Any = None,
    dilation_rate: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """Patches of volumes, each flattened into the channels of one place.

    Args:
        volumes: a tensor (batch, depth, height, width, channels), or without the batch, or with channels first.
        size: the patches' depth, height and width.
        strides: how far apart they are; default: `size`.
        dilation_rate: the spacing of their elements.
        padding: `"valid"` or `"same"`.
        data_format: `"channels_last"` or `"channels_first"`; default: the configured one.

    Returns:
        A tensor (batch, planes, rows, columns, depth * height * width * channels), or with channels first; the same dtype.

    Raises:
        ValueError: the patches are longer than the volumes and `padding` is `"valid"`, or another rank.

    Example:
        >>> import numpy as np
        >>> tuple(extract_patches_3d(np.ones((6, 6, 6, 3)), 3).shape)
        (2, 2, 2, 81)
    """
    return _extracted("extract_patches_3d", volumes, size, strides, dilation_rate, padding, data_format, 3)
