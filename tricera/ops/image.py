"""Images: resizing, cropping and padding, colours, patches, filters, and sampling at coordinates.

Images are tensors (batch, height, width, channels) or (height, width, channels), or with channels first.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from tricera.core import dispatch
from tricera.core.doors import Positive
from tricera.core.dtypes import float_of, is_float
from tricera.core.op import composed
from tricera.core.tensor import KerasTensor, Tensor, TensorLike
from tricera.core.variable import Variable
from tricera.core.windows import channels_first, each
from tricera.ops.convolution import conv, depthwise_conv
from tricera.ops.creation import convert_to_tensor, dtype, shape, zeros_like
from tricera.ops.elementwise import (
    absolute,
    add,
    cast,
    clip,
    divide,
    equal,
    isnan,
    mod,
    multiply,
    round,
    subtract,
)
from tricera.ops.image_sampling import _KERNELS, _along, _resized, _sample_arguments, _sampled, _weights
from tricera.ops.linalg import solve
from tricera.ops.numeric import saturate_cast
from tricera.ops.reduce import max as max_, mean as mean_, min as min_, sum as sum_
from tricera.ops.select import take, where
from tricera.ops.shape import concatenate, expand_dims, moveaxis, pad, reshape, squeeze, stack, transpose


def _back(x: Any, kind: str) -> Any:
    """In the images' dtype again; integers are rounded."""
    return cast(x, kind) if "float" in kind or dtype(x) == kind else saturate_cast(round(x), kind)


def _format(op: str, images: Any, data_format: str | None) -> tuple[bool, int]:
    """Whether channels come first, and the axis of the height."""
    first = channels_first(f"image.{op}", data_format)
    rank = len(images.shape)
    if rank not in (3, 4):
        raise ValueError(f"ops.image.{op}: images have 3 axes, batches of them 4; got the shape {tuple(images.shape)}.")
    return first, rank - 2 if first else rank - 3


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
        pad_to_aspect_ratio: extend the images to the new aspect ratio first.
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
    _, at = _format("resize", images, data_format)
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
        widths[at], widths[at + 1] = (top, full_h - h - top), (left, full_w - w - left)
        x = pad(x, tuple(widths), constant_values=fill_value)
    x = _resized(_resized(x, at, height, interpolation, antialias), at + 1, width, interpolation, antialias)
    return _back(x, kind)


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
            matrix = dispatch.table(_weights, *options, dtype=dtype(x))
        x = _along(x, matrix, axis)
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
    _, at = _format("crop_images", images, data_format)
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
    _, at = _format("pad_images", images, data_format)
    widths = [(0, 0)] * len(images.shape)
    widths[at] = _edges("pad_images", images.shape[at], top_padding, bottom_padding, target_height, 1)
    widths[at + 1] = _edges("pad_images", images.shape[at + 1], left_padding, right_padding, target_width, 1)
    return pad(images, tuple(widths))


@composed(promote=None)
def rgb_to_grayscale(images: TensorLike, data_format: str | None = None) -> Tensor:
    """The luminance 0.2989 R + 0.587 G + 0.114 B of images, which keep an axis of one channel.

    Args:
        images: a batch of images or one image.
        data_format: `"channels_last"` or `"channels_first"`; default: the configured one.

    Returns:
        Images of the same dtype; those of integers are cut off to whole numbers.

    Raises:
        ValueError: the images don't have 3 channels.

    Example:
        >>> import numpy as np
        >>> int(rgb_to_grayscale(np.full((1, 1, 3), 100, "uint8"))[0, 0, 0])
        99
    """
    first, _ = _format("rgb_to_grayscale", images, data_format)
    axis = -3 if first else -1
    _three("rgb_to_grayscale", images, axis)
    kind = dtype(images)
    weights = reshape(convert_to_tensor([0.2989, 0.587, 0.114], float_of(kind)), (3, 1, 1) if first else (3,))
    return cast(sum_(multiply(cast(images, float_of(kind)), weights), axis=axis, keepdims=True), kind)


def _three(op: str, images: Any, axis: int) -> None:
    if images.shape[axis] not in (3, None):
        raise ValueError(f"ops.image.{op}: images need 3 channels; got the shape {tuple(images.shape)}.")


def _of_colours(op: str, images: Any, data_format: str | None) -> int:
    """The axis of the channels, of which there are three, floats."""
    if "float" not in dtype(images):
        raise ValueError(
            f"ops.image.{op}: `images` must be floats in [0, 1], not {dtype(images)}. Divide by 255 first."
        )
    axis = -3 if _format(op, images, data_format)[0] else -1
    _three(op, images, axis)
    return axis


def _channels(images: Any, axis: int) -> list[Any]:
    return [take(images, i, axis=axis) for i in range(3)]


@composed(promote=None, kinds="real")
def rgb_to_hsv(images: TensorLike, data_format: str | None = None) -> Tensor:
    """Red, green and blue in [0, 1] as hue, saturation and value in [0, 1].

    Args:
        images: a batch of images or one image.
        data_format: `"channels_last"` or `"channels_first"`; default: the configured one.

    Returns:
        Images of the same shape and dtype.

    Raises:
        ValueError: the images are no floats, or don't have 3 channels.

    Example:
        >>> [float(v) for v in rgb_to_hsv([[[0.0, 0.5, 0.5]]])[0, 0]]
        [0.5, 1.0, 0.5]
    """
    axis = _of_colours("rgb_to_hsv", images, data_format)
    r, g, b = _channels(images, axis)
    value, low = max_(images, axis=axis), min_(images, axis=axis)
    spread = subtract(value, low)
    gray = equal(spread, 0)
    safe = where(gray, 1.0, spread)
    saturation = where(equal(value, 0), 0.0, divide(spread, where(equal(value, 0), 1.0, value)))
    hue = where(
        equal(r, value),
        divide(subtract(g, b), safe),
        where(equal(g, value), add(2.0, divide(subtract(b, r), safe)), add(4.0, divide(subtract(r, g), safe))),
    )
    hue = where(gray, 0.0, mod(divide(hue, 6.0), 1.0))
    return stack([hue, saturation, value], axis=axis)


@composed(promote=None, kinds="real")
def hsv_to_rgb(images: TensorLike, data_format: str | None = None) -> Tensor:
    """Hue, saturation and value in [0, 1] as red, green and blue in [0, 1].

    Args:
        images: a batch of images or one image.
        data_format: `"channels_last"` or `"channels_first"`; default: the configured one.

    Returns:
        Images of the same shape and dtype.

    Raises:
        ValueError: the images are no floats, or don't have 3 channels.

    Example:
        >>> [float(v) for v in hsv_to_rgb([[[0.5, 1.0, 0.5]]])[0, 0]]
        [0.0, 0.5, 0.5]
    """
    axis = _of_colours("hsv_to_rgb", images, data_format)
    hue, saturation, value = _channels(images, axis)
    sixth = multiply(hue, 6.0)
    ramps = (
        subtract(absolute(subtract(sixth, 3.0)), 1.0),
        subtract(2.0, absolute(subtract(sixth, 2.0))),
        subtract(2.0, absolute(subtract(sixth, 4.0))),
    )
    # Each colour is a trapezoid over the circle of hues.
    parts = [multiply(value, add(subtract(1.0, saturation), multiply(saturation, clip(r, 0.0, 1.0)))) for r in ramps]
    return stack(parts, axis=axis)


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


def _bell(n: int, sigma: float) -> np.ndarray:
    """`n` points of a Gaussian bell, which sum up to 1."""
    bell = np.exp(-0.5 * ((np.arange(n) - (n - 1) / 2) / sigma) ** 2)
    return bell / bell.sum()


def _bells(rows: tuple[int, float], columns: tuple[int, float]) -> np.ndarray:
    """Their product; an axis of length 1 is left alone."""
    return np.outer(_bell(*rows), _bell(*columns))


def _differences(axis: int) -> np.ndarray:
    down = np.array([[-1.0, -2.0, -1.0], [0.0, 0.0, 0.0], [1.0, 2.0, 1.0]])
    return down.T if axis else down


def _for_each_channel(channels: int, make: Callable[..., np.ndarray], *args: Any) -> np.ndarray:
    return np.repeat(make(*args)[:, :, None, None], channels, axis=2)


def _filtered(x: Any, make: Callable[..., np.ndarray], *args: Any, padding: str = "same") -> Any:
    """Each channel (last) convolved with one kernel, `make(*args)`."""
    kernel = dispatch.table(_for_each_channel, x.shape[-1], make, *args, dtype=dtype(x))
    return depthwise_conv(x, kernel, 1, padding, "channels_last")


@composed(promote="float")
def gaussian_blur(
    images: TensorLike, kernel_size: Any = (3, 3), sigma: Any = (1.0, 1.0), data_format: str | None = None
) -> Tensor:
    """Images convolved with a Gaussian bell.

    Args:
        images: a batch of images or one image.
        kernel_size: the bell's height and width.
        sigma: its standard deviations.
        data_format: `"channels_last"` or `"channels_first"`; default: the configured one.

    Returns:
        Float images of the same shape; integers become floatx.

    Raises:
        ValueError: a length or a standard deviation that is not positive.

    Example:
        >>> import numpy as np
        >>> tuple(gaussian_blur(np.ones((5, 5, 1))).shape)
        (5, 5, 1)
    """
    first, _ = _format("gaussian_blur", images, data_format)
    lengths = each(kernel_size, 2, "kernel_size", "image.gaussian_blur")
    widths = [float(s) for s in ((sigma,) if isinstance(sigma, (int, float)) else sigma)]
    if len(widths) not in (1, 2) or not min(widths) > 0:
        raise ValueError(f"ops.image.gaussian_blur: `sigma` must be one or two positive numbers, not {sigma}.")
    rows, columns = (lengths[0], widths[0]), (lengths[1], widths[-1])
    return _on_batches(lambda x: _filtered(x, _bells, rows, columns), images, first)


def _on_batches(function: Callable[[Any], Any], images: Any, first: bool) -> Any:
    """Run on (batch, height, width, channels), whatever the layout."""
    single = len(images.shape) == 3
    x = expand_dims(images, 0) if single else images
    x = function(transpose(x, (0, 2, 3, 1)) if first else x)
    x = moveaxis(x, 3, 1) if first else x
    return squeeze(x, axis=0) if single else x


@composed(promote="float")
def sobel_edges(images: TensorLike, data_format: str | None = None) -> Tensor:
    """Sobel's differences along height and width, as a new last axis of 2; beyond the edges there are zeros.

    Args:
        images: a batch of images or one image.
        data_format: `"channels_last"` or `"channels_first"`; default: the configured one.

    Returns:
        A float tensor of the images' shape and a last axis of 2; integers become floatx.

    Example:
        >>> import numpy as np
        >>> [float(v) for v in sobel_edges(np.arange(9.0).reshape(3, 3, 1))[1, 1, 0]]
        [24.0, 8.0]
    """
    first, _ = _format("sobel_edges", images, data_format)

    def edges(x: Any) -> Any:
        return stack([_filtered(x, _differences, axis) for axis in (0, 1)], axis=-1)

    return _on_batches(edges, images, first)


@composed(promote="float")
def ssim(
    image1: TensorLike,
    image2: TensorLike,
    max_val: float = 1.0,
    filter_size: Positive = 11,
    filter_sigma: float = 1.5,
    k1: float = 0.01,
    k2: float = 0.03,
    data_format: str | None = None,
) -> Tensor:
    """The structural similarity of two images, 1 for equal ones (Wang et al. 2004).

    Args:
        image1: a batch of images or one image.
        image2: as many of the same shape.
        max_val: the largest possible value.
        filter_size: the length of the Gaussian window.
        filter_sigma: its standard deviation.
        k1: steadies the means.
        k2: steadies the variances.
        data_format: `"channels_last"` or `"channels_first"`; default: the configured one.

    Returns:
        One number an image: a float tensor (batch,), or a scalar.

    Raises:
        ValueError: the window is longer than the images.

    Example:
        >>> import numpy as np
        >>> x = np.ones((12, 12, 1))
        >>> f"{float(ssim(x, x)):.3f}"
        '1.000'
    """
    first, _ = _format("ssim", image1, data_format)
    single = len(image1.shape) == 3
    a, b = (expand_dims(x, 0) if single else x for x in (image1, image2))
    a, b = (transpose(x, (0, 2, 3, 1)) if first else x for x in (a, b))
    bell = (filter_size, filter_sigma)

    def smooth(x: Any) -> Any:
        return _filtered(x, _bells, bell, bell, padding="valid")

    c1, c2 = (k1 * max_val) ** 2, (k2 * max_val) ** 2
    mean_a, mean_b = smooth(a), smooth(b)
    product, squares = multiply(mean_a, mean_b), add(multiply(mean_a, mean_a), multiply(mean_b, mean_b))
    covariance = subtract(smooth(multiply(a, b)), product)
    variances = subtract(smooth(add(multiply(a, a), multiply(b, b))), squares)
    index = multiply(
        divide(add(multiply(2.0, product), c1), add(squares, c1)),
        divide(add(multiply(2.0, covariance), c2), add(variances, c2)),
    )
    out = mean_(index, axis=(1, 2, 3))
    return squeeze(out, axis=0) if single else out


@composed(promote=None, kinds="real")
def map_coordinates(
    inputs: TensorLike, coordinates: TensorLike, order: int, fill_mode: str = "constant", fill_value: float = 0
) -> Tensor:
    """The values of a tensor at coordinates between its elements.

    Args:
        inputs: a tensor of n axes.
        coordinates: a tensor (n, ...); where one is NaN the result is (for integers `fill_value`), and so it is in the modes that
            repeat the image where one is infinite.
        order: 0 takes the nearest element, 1 interpolates linearly.
        fill_mode: what lies outside: `"constant"`, `"nearest"`, `"wrap"`, `"mirror"` or `"reflect"`.
        fill_value: the constant.

    Returns:
        A tensor of the dtype of `inputs` and the coordinates' shape without the first axis; integers are rounded.

    Raises:
        ValueError: the coordinates don't fit, an unknown mode or order.

    Example:
        >>> [float(y) for y in map_coordinates([0.0, 10.0, 20.0], [[0.5, 2.0]], order=1)]
        [5.0, 20.0]
    """
    _sample_arguments("map_coordinates", order, fill_mode)
    if coordinates.shape[0] != len(inputs.shape):
        raise ValueError(
            f"ops.image.map_coordinates: {len(inputs.shape)} axes need as many coordinates; got {tuple(coordinates.shape)}."
        )
    kind = dtype(inputs)
    flat = reshape(cast(inputs, float_of(kind)), (1, -1, 1))
    at = cast(coordinates, float_of(dtype(coordinates)))
    places = [reshape(at[i], (1, -1)) for i in range(len(inputs.shape))]
    out = _sampled(flat, tuple(inputs.shape), places, order, fill_mode, fill_value)
    out = reshape(out, tuple(coordinates.shape)[1:])
    if not is_float(kind):
        out = where(isnan(out), float(fill_value), out)
    return _back(out, kind)


def _grid(height: int, width: int) -> np.ndarray:
    """The row and the column of each element."""
    return np.stack(np.divmod(np.arange(height * width, dtype="float64"), width))


def _warped(images: Any, first: bool, transform: Any, interpolation: str, mode: str, fill: float) -> Any:
    """Images sampled at ((a0 x + a1 y + a2) / k, (b0 x + b1 y + b2) / k), k = c0 x + c1 y + 1."""
    order = {"nearest": 0, "bilinear": 1}[interpolation]
    kind = dtype(images)
    if isinstance(images, KerasTensor):
        return KerasTensor(images.shape, kind)

    def run(x: Any) -> Any:
        height, width, channels = x.shape[1:]
        grid = dispatch.table(_grid, height, width, dtype=dtype(transform))
        grid_y, grid_x = grid[:1], grid[1:]
        rows = [transform[:, i : i + 1] for i in range(8)]
        a, b, c = (add(multiply(rows[i], grid_x), multiply(rows[i + 1], grid_y)) for i in (0, 3, 6))
        scale = add(c, 1.0)
        at = [divide(add(b, rows[5]), scale), divide(add(a, rows[2]), scale)]
        flat = reshape(cast(x, float_of(kind)), (-1, height * width, channels))
        return reshape(_sampled(flat, (height, width), at, order, mode, fill), (-1, height, width, channels))

    out = _on_batches(run, images, first)
    return _back(out, kind)


@composed(promote=None, kinds="real")
def affine_transform(
    images: TensorLike,
    transform: TensorLike,
    interpolation: str = "bilinear",
    fill_mode: str = "constant",
    fill_value: float = 0,
    data_format: str | None = None,
) -> Tensor:
    """Images moved by affine maps: the pixel (x, y) of the result is that at (a0 x + a1 y + a2, b0 x + b1 y + b2).

    Args:
        images: a batch of images or one image.
        transform: the numbers a0, a1, a2, b0, b1, b2, c0, c1 of each image, (batch, 8) or (8,); the last two make it projective.
        interpolation: `"nearest"` or `"bilinear"`.
        fill_mode: what lies outside: `"constant"`, `"nearest"`, `"wrap"`, `"mirror"` or `"reflect"`.
        fill_value: the constant.
        data_format: `"channels_last"` or `"channels_first"`; default: the configured one.

    Returns:
        Images of the same shape and dtype; those of integers are rounded.

    Raises:
        ValueError: an unknown interpolation or mode, or a transform of another shape.

    Example:
        >>> moved = affine_transform([[[0.0], [1.0], [2.0]]], [1.0, 0, 1, 0, 1, 0, 0, 0])
        >>> [float(y) for y in moved[0, :, 0]]
        [1.0, 2.0, 0.0]
    """
    first, _ = _format("affine_transform", images, data_format)
    if interpolation not in ("nearest", "bilinear"):
        raise ValueError(
            f"ops.image.affine_transform: `interpolation` must be 'nearest' or 'bilinear', not {interpolation!r}."
        )
    _sample_arguments("affine_transform", 0, fill_mode)
    if len(transform.shape) not in (1, 2) or transform.shape[-1] != 8:
        raise ValueError(
            f"ops.image.affine_transform: `transform` must have the shape (batch, 8) or (8,), not {tuple(transform.shape)}."
        )
    rows = transform if len(transform.shape) == 2 else expand_dims(transform, 0)
    return _warped(images, first, cast(rows, float_of(dtype(rows))), interpolation, fill_mode, fill_value)


@composed(promote=None, kinds="real")
def perspective_transform(
    images: TensorLike,
    start_points: TensorLike,
    end_points: TensorLike,
    interpolation: str = "bilinear",
    fill_value: float = 0,
    data_format: str | None = None,
) -> Tensor:
    """Images moved by the projective maps that take four points to four others.

    Args:
        images: a batch of images or one image.
        start_points: four points (x, y) of each image, (batch, 4, 2) or (4, 2).
        end_points: where they go.
        interpolation: `"nearest"` or `"bilinear"`.
        fill_value: what lies outside.
        data_format: `"channels_last"` or `"channels_first"`; default: the configured one.

    Returns:
        Images of the same shape and dtype; those of integers are rounded.

    Raises:
        ValueError: an unknown interpolation, or points of another shape.

    Example:
        >>> import numpy as np
        >>> points = np.array([[0, 0], [1, 0], [0, 1], [1, 1]], "float32")
        >>> tuple(perspective_transform(np.ones((2, 2, 3)), points, points + 1).shape)
        (2, 2, 3)
    """
    first, _ = _format("perspective_transform", images, data_format)
    if interpolation not in ("nearest", "bilinear"):
        raise ValueError(
            f"ops.image.perspective_transform: `interpolation` must be 'nearest' or 'bilinear', not {interpolation!r}."
        )
    points = []
    for name, given in (("start_points", start_points), ("end_points", end_points)):
        if tuple(given.shape)[-2:] != (4, 2) or len(given.shape) > 3:
            raise ValueError(
                f"ops.image.perspective_transform: `{name}` must have the shape (batch, 4, 2), not {tuple(given.shape)}."
            )
        wide = (
            "float64" if dtype(given) == "float64" else "float32"
        )  # halves can't tell the pixels of large images apart
        points.append(cast(given if len(given.shape) == 3 else expand_dims(given, 0), wide))
    start, end = points
    # Two equations a point: where in the input the place `end` of the result is read.
    x, y, u, v = end[..., 0], end[..., 1], start[..., 0], start[..., 1]
    one, zero = add(zeros_like(x), 1.0), zeros_like(x)
    rows_u = stack(
        [x, y, one, zero, zero, zero, multiply(-1.0, multiply(x, u)), multiply(-1.0, multiply(y, u))], axis=-1
    )
    rows_v = stack(
        [zero, zero, zero, x, y, one, multiply(-1.0, multiply(x, v)), multiply(-1.0, multiply(y, v))], axis=-1
    )
    matrix, right = concatenate([rows_u, rows_v], axis=1), concatenate([u, v], axis=1)
    transform = squeeze(solve(matrix, expand_dims(right, -1)), axis=-1)
    return _warped(images, first, transform, interpolation, "constant", fill_value)


@composed(promote=None, kinds="real")
def elastic_transform(
    images: TensorLike,
    alpha: float = 20.0,
    sigma: float = 5.0,
    interpolation: str = "bilinear",
    fill_mode: str = "reflect",
    fill_value: float = 0.0,
    seed: Any = None,
    data_format: str | None = None,
) -> Tensor:
    """Images read at places that are moved at random, neighbours alike: x + alpha * sigma * (bell(sigma) * noise).

    The noise is normal, smoothed by a Gaussian bell, so that the displacements have the standard deviation alpha / (2 sqrt(pi))
    pixels inside, whatever sigma is. All channels of an image move together.

    Args:
        images: a batch of images or one image.
        alpha: how far places move.
        sigma: how far neighbours move together, in pixels.
        interpolation: `"nearest"` or `"bilinear"`.
        fill_mode: what lies outside: `"constant"`, `"nearest"`, `"wrap"`, `"mirror"` or `"reflect"`.
        fill_value: the constant.
        seed: an integer, a `SeedGenerator`, or None.
        data_format: `"channels_last"` or `"channels_first"`; default: the configured one.

    Returns:
        Images of the same shape and dtype; those of integers are rounded.

    Raises:
        ValueError: an unknown interpolation or mode, a rank other than 3 or 4, or a sigma that is not positive.

    Example:
        >>> import numpy as np
        >>> tuple(elastic_transform(np.ones((4, 4, 3)), seed=1).shape)
        (4, 4, 3)

    Simard, Steinkraus and Platt, "Best practices for convolutional neural networks", 2003.
    """
    from tricera.random import normal

    first, _ = _format("elastic_transform", images, data_format)
    if interpolation not in ("nearest", "bilinear"):
        raise ValueError(
            f"ops.image.elastic_transform: `interpolation` must be 'nearest' or 'bilinear', not {interpolation!r}."
        )
    _sample_arguments("elastic_transform", 0, fill_mode)
    if not sigma > 0:
        raise ValueError(f"ops.image.elastic_transform: `sigma` must be positive, not {sigma!r}.")
    kind = dtype(images)
    if isinstance(images, KerasTensor):
        return KerasTensor(images.shape, kind)
    bell, alone = (int(6 * sigma) | 1, sigma), (1, sigma)

    def run(x: Any) -> Any:
        batch, height, width, channels = shape(x)
        noise = normal((batch, height, width, 2), stddev=alpha * sigma, dtype="float32", seed=seed)
        moved = _filtered(_filtered(noise, _bells, bell, alone), _bells, alone, bell)
        moved = reshape(moved, (-1, height * width, 2))
        grid = dispatch.table(_grid, height, width, dtype="float32")
        at = [add(moved[..., 0], grid[0]), add(moved[..., 1], grid[1])]
        flat = reshape(cast(x, float_of(kind)), (-1, height * width, channels))
        order = 0 if interpolation == "nearest" else 1
        return reshape(_sampled(flat, (height, width), at, order, fill_mode, fill_value), (-1, height, width, channels))

    return _back(_on_batches(run, images, first), kind)
