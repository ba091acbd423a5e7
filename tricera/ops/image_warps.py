"""Images read at other places: coordinates, affine, perspective and elastic transforms."""

from __future__ import annotations

from typing import Any

import numpy as np

from tricera.core import dispatch
from tricera.core.dtypes import float_of, is_float
from tricera.core.op import composed
from tricera.core.tensor import KerasTensor, Tensor, TensorLike
from tricera.ops.comparison import isnan
from tricera.ops.creation import dtype, shape, zeros_like
from tricera.ops.elementwise import add, cast, divide, multiply
from tricera.ops.image_filters import bells, filtered
from tricera.ops.image_sampling import _sample_arguments, back_to_kind, fused, image_format, on_batches, sampled
from tricera.ops.linalg import solve
from tricera.ops.select import where
from tricera.ops.shape import concatenate, expand_dims, reshape, split, squeeze, stack


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
    out = sampled(flat, tuple(inputs.shape), places, order, fill_mode, fill_value)
    out = reshape(out, tuple(coordinates.shape)[1:])
    if not is_float(kind):
        out = where(isnan(out), float(fill_value), out)
    return back_to_kind(out, kind)


def _grid(height: int, width: int) -> np.ndarray:
    """The row and the column of each element."""
    return np.stack(np.divmod(np.arange(height * width, dtype="float64"), width))


def _warped(images: Any, first: bool, transform: Any, interpolation: str, mode: str, fill: float) -> Any:
    """Images sampled at ((a0 x + a1 y + a2) / k, (b0 x + b1 y + b2) / k), k = c0 x + c1 y + 1."""
    order = {"nearest": 0, "bilinear": 1}[interpolation]
    kind = dtype(images)
    if isinstance(images, KerasTensor):
        return KerasTensor(images.shape, kind)

    native = dispatch.current().function("warped")

    def run(x: Any) -> Any:
        x = cast(x, float_of(kind))
        out = None if native is None else native(x, transform, order, mode, fill)
        return fused(_at_places, (x, transform), order, mode, fill) if out is None else out

    return back_to_kind(on_batches(run, images, first), kind)


def _at_places(x: Any, transform: Any, order: int, mode: str, fill: float) -> Any:
    height, width, channels = x.shape[1:]
    grid = dispatch.table(_grid, height, width, dtype=dtype(transform))
    grid_y, grid_x = grid[:1], grid[1:]
    rows = split(transform, 8, axis=1)
    a, b, c = (add(multiply(rows[i], grid_x), multiply(rows[i + 1], grid_y)) for i in (0, 3, 6))
    scale = add(c, 1.0)
    at = [divide(add(b, rows[5]), scale), divide(add(a, rows[2]), scale)]
    out = sampled(reshape(x, (-1, height * width, channels)), (height, width), at, order, mode, fill)
    return reshape(out, (-1, height, width, channels))


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
    first, _ = image_format("affine_transform", images, data_format)
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
    first, _ = image_format("perspective_transform", images, data_format)
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

    first, _ = image_format("elastic_transform", images, data_format)
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
        moved = filtered(filtered(noise, bells, bell, alone), bells, alone, bell)
        moved = reshape(moved, (-1, height * width, 2))
        grid = dispatch.table(_grid, height, width, dtype="float32")
        at = [add(moved[..., 0], grid[0]), add(moved[..., 1], grid[1])]
        flat = reshape(cast(x, float_of(kind)), (-1, height * width, channels))
        order = 0 if interpolation == "nearest" else 1
        return reshape(sampled(flat, (height, width), at, order, fill_mode, fill_value), (-1, height, width, channels))

    return back_to_kind(on_batches(run, images, first), kind)
