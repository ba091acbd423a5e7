"""How images are sampled: an axis by a matrix of kernels, and elements at coordinates."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from tricera.core import dispatch
from tricera.core.windows import channels_first
from tricera.ops.comparison import greater_equal, isfinite, isnan, less_equal, logical_and, logical_not, logical_or
from tricera.ops.creation import convert_to_tensor, dtype, shape
from tricera.ops.elementwise import add, cast, clip, minimum, mod, multiply, round, subtract
from tricera.ops.linear import tensordot
from tricera.ops.numeric import saturate_cast
from tricera.ops.select import take, take_along_axis, where
from tricera.ops.shape import expand_dims, moveaxis, squeeze, transpose
from tricera.ops.unary import floor


# Kernels by the distance from the sample; `m` is NumPy, or `tricera.ops` where a graph does not know the images' size.
def _lanczos(radius: int) -> Callable[[Any, Any], Any]:
    return lambda m, x: m.where(x < radius, m.sinc(x) * m.sinc(x / radius), 0.0)


def _cubic(m: Any, x: Any) -> Any:
    near, far = ((1.5 * x - 2.5) * x) * x + 1, ((-0.5 * x + 2.5) * x - 4) * x + 2
    return m.where(x < 1, near, m.where(x < 2, far, 0.0))


def _triangle(m: Any, x: Any) -> Any:
    return m.maximum(0.0, 1 - x)


_KERNELS: dict[str, Callable[[Any, Any], Any]] = {
    "bilinear": _triangle,
    "linear": _triangle,
    "triangle": _triangle,
    "bicubic": _cubic,
    "cubic": _cubic,
    "lanczos3": _lanczos(3),
    "lanczos5": _lanczos(5),
}


def _weights(size: Any, out: int, scale: Any, shift: Any, method: str, antialias: bool, m: Any = np) -> Any:
    """The matrix (size, out) that samples an axis: each column holds the kernel around its sample position."""
    if method not in _KERNELS:
        raise ValueError(
            f"ops.image: the interpolation must be 'nearest' or one of {', '.join(map(repr, _KERNELS))}, not {method!r}."
        )
    position = (m.arange(out, dtype="float32" if m is not np else None) + 0.5) / scale - shift / scale - 0.5
    width = m.maximum(1 / scale, 1.0) if antialias else 1.0
    places = m.arange(size) if m is np else m.cast(m.arange(size), "float32")
    found = _KERNELS[method](m, m.abs(position - m.expand_dims(places, 1)) / width)
    total = m.sum(found, axis=0, keepdims=True)
    found = m.where(m.abs(total) > 1e-4, found / m.where(total == 0, 1.0, total), 0.0)
    return m.where(m.logical_and(position >= -0.5, position <= size - 0.5), found, 0.0)


def _along(x: Any, matrix: Any, axis: int) -> Any:
    return moveaxis(tensordot(x, matrix, axes=[[axis], [0]]), -1, axis)


def _nearest(size: int, out: int) -> np.ndarray:
    return np.floor((np.arange(out) + 0.5) * size / out).astype("int32")


def _resized(x: Any, axis: int, out: int, interpolation: str, antialias: bool) -> Any:
    size = x.shape[axis]
    if size is None:
        return _resized_unknown(x, axis, out, interpolation, antialias)
    if size == out:
        return x
    if interpolation == "nearest":
        return take(x, dispatch.table(_nearest, size, out), axis=axis)
    options = (size, out, out / size, 0.0, interpolation, antialias)
    return _along(x, dispatch.table(_weights, *options, dtype=dtype(x)), axis)


def _resized_unknown(x: Any, axis: int, out: int, interpolation: str, antialias: bool) -> Any:
    """The same in a graph that knows the size of the axis only when it runs."""
    from tricera import ops

    size = ops.cast(shape(x)[axis], "float32")
    if interpolation == "nearest":
        places = ops.cast(ops.floor((ops.arange(out, dtype="float32") + 0.5) * size / out), "int32")
        return take(x, places, axis=axis)
    scale = out / size
    return _along(x, cast(_weights(size, out, scale, 0.0, interpolation, antialias, ops), dtype(x)), axis)


_MODES = ("constant", "nearest", "wrap", "mirror", "reflect")


def _inside(index: Any, size: int, mode: str) -> Any:
    """Positions (integers as floats) brought into the range of an axis."""
    if mode == "wrap":
        return mod(index, float(size))
    if mode == "mirror" and size > 1:
        period = 2.0 * (size - 1)
        at = mod(index, period)
        return minimum(at, subtract(period, at))
    if mode == "reflect":
        at = mod(index, 2.0 * size)
        return minimum(at, subtract(2.0 * size - 1, at))
    return clip(index, 0.0, float(size - 1))


def _sampled(flat: Any, sizes: tuple[int, ...], coordinates: list[Any], order: int, mode: str, fill: float) -> Any:
    """Values of `flat` (batch, elements, channels) at coordinates (batch, n), one tensor a spatial axis."""
    corners: list[list[tuple[Any, Any]]] = []
    missing: Any = None
    for position, size in zip(coordinates, sizes, strict=True):
        # What is no place gives NaN. An infinite one is far outside, but in modes that repeat the image it is nowhere.
        ends = mode in ("constant", "nearest")
        lost = isnan(position) if ends else logical_not(isfinite(position))
        missing = lost if missing is None else logical_or(missing, lost)
        position = where(lost, 0.0, clip(position, -2.0, size + 1.0) if ends else position)
        if order == 0:
            corners.append([(floor(add(position, 0.5)), None)])
        else:
            low = floor(position)
            share = subtract(position, low)
            corners.append([(low, subtract(1.0, share)), (add(low, 1.0), share)])
    total: Any = None
    for corner in itertools.product(*corners):
        place: Any = None
        valid: Any = None
        weight: Any = None
        for (index, part), size in zip(corner, sizes, strict=True):
            found = cast(_inside(index, size, mode), "int32")
            place = found if place is None else add(multiply(place, size), found)
            here = logical_and(greater_equal(index, 0), less_equal(index, size - 1))
            valid = here if valid is None else logical_and(valid, here)
            if part is not None:
                weight = part if weight is None else multiply(weight, part)
        value = take_along_axis(flat, expand_dims(place, -1), axis=1)
        if mode == "constant":
            value = where(expand_dims(valid, -1), value, cast(convert_to_tensor(fill), dtype(value)))
        if weight is not None:
            value = multiply(value, expand_dims(weight, -1))
        total = value if total is None else add(total, value)
    return where(expand_dims(missing, -1), float("nan"), total)


def _sample_arguments(op: str, order: int, mode: str) -> None:
    if order not in (0, 1):
        raise ValueError(f"ops.image.{op}: the order of interpolation must be 0 or 1, not {order!r}.")
    if mode not in _MODES:
        raise ValueError(f"ops.image.{op}: `fill_mode` must be one of {', '.join(map(repr, _MODES))}, not {mode!r}.")


def back_to_kind(x: Any, kind: str) -> Any:
    """In the images' dtype again; integers are rounded."""
    return cast(x, kind) if "float" in kind or dtype(x) == kind else saturate_cast(round(x), kind)


def image_format(op: str, images: Any, data_format: str | None) -> tuple[bool, int]:
    """Whether channels come first, and the axis of the height."""
    first = channels_first(f"image.{op}", data_format)
    rank = len(images.shape)
    if rank not in (3, 4):
        raise ValueError(f"ops.image.{op}: images have 3 axes, batches of them 4; got the shape {tuple(images.shape)}.")
    return first, rank - 2 if first else rank - 3


def on_batches(function: Callable[[Any], Any], images: Any, first: bool) -> Any:
    """Run on (batch, height, width, channels), whatever the layout."""
    single = len(images.shape) == 3
    x = expand_dims(images, 0) if single else images
    x = function(transpose(x, (0, 2, 3, 1)) if first else x)
    x = moveaxis(x, 3, 1) if first else x
    return squeeze(x, axis=0) if single else x
