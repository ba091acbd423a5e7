"""Colours of images: grey, HSV and back."""

from __future__ import annotations

from typing import Any

from tricera.core.dtypes import float_of
from tricera.core.op import composed
from tricera.core.tensor import Tensor, TensorLike
from tricera.ops.comparison import equal
from tricera.ops.creation import convert_to_tensor, dtype
from tricera.ops.elementwise import add, cast, clip, divide, mod, multiply, subtract
from tricera.ops.image_sampling import image_format
from tricera.ops.reduce import max as max_, min as min_, sum as sum_
from tricera.ops.select import take, where
from tricera.ops.shape import reshape, stack
from tricera.ops.unary import absolute


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
    first, _ = image_format("rgb_to_grayscale", images, data_format)
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
    axis = -3 if image_format(op, images, data_format)[0] else -1
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
