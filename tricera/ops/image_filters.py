"""Filters over images and what is made of them: blur, edges, structural similarity."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tricera.core import dispatch
from tricera.core.doors import Positive
from tricera.core.op import composed
from tricera.core.tensor import Tensor, TensorLike
from tricera.core.windows import each
from tricera.ops.convolution import depthwise_conv
from tricera.ops.creation import dtype
from tricera.ops.elementwise import add, divide, multiply, subtract
from tricera.ops.image_sampling import image_format, on_batches
from tricera.ops.reduce import mean as mean_
from tricera.ops.shape import expand_dims, squeeze, stack, transpose


def _bell(n: int, sigma: float) -> np.ndarray:
    """`n` points of a Gaussian bell, which sum up to 1."""
    bell = np.exp(-0.5 * ((np.arange(n) - (n - 1) / 2) / sigma) ** 2)
    return bell / bell.sum()


def bells(rows: tuple[int, float], columns: tuple[int, float]) -> np.ndarray:
    """Their product; an axis of length 1 is left alone."""
    return np.outer(_bell(*rows), _bell(*columns))


def _differences(axis: int) -> np.ndarray:
    down = np.array([[-1.0, -2.0, -1.0], [0.0, 0.0, 0.0], [1.0, 2.0, 1.0]])
    return down.T if axis else down


def _for_each_channel(channels: int, make: Callable[..., np.ndarray], *args: Any) -> np.ndarray:
    return np.repeat(make(*args)[:, :, None, None], channels, axis=2)


def filtered(x: Any, make: Callable[..., np.ndarray], *args: Any, padding: str = "same") -> Any:
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
    first, _ = image_format("gaussian_blur", images, data_format)
    lengths = each(kernel_size, 2, "kernel_size", "image.gaussian_blur")
    widths = [float(s) for s in ((sigma,) if isinstance(sigma, (int, float)) else sigma)]
    if len(widths) not in (1, 2) or not min(widths) > 0:
        raise ValueError(f"ops.image.gaussian_blur: `sigma` must be one or two positive numbers, not {sigma}.")
    rows, columns = (lengths[0], widths[0]), (lengths[1], widths[-1])
    return on_batches(lambda x: filtered(x, bells, rows, columns), images, first)


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
    first, _ = image_format("sobel_edges", images, data_format)

    def edges(x: Any) -> Any:
        return stack([filtered(x, _differences, axis) for axis in (0, 1)], axis=-1)

    return on_batches(edges, images, first)


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
    first, _ = image_format("ssim", image1, data_format)
    single = len(image1.shape) == 3
    a, b = (expand_dims(x, 0) if single else x for x in (image1, image2))
    a, b = (transpose(x, (0, 2, 3, 1)) if first else x for x in (a, b))
    bell = (filter_size, filter_sigma)

    def smooth(x: Any) -> Any:
        return filtered(x, bells, bell, bell, padding="valid")

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
