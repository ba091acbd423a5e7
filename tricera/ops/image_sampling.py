"""How images are sampled: an axis by a matrix of kernels, and elements at coordinates."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tricera.core import dispatch
from tricera.core.tensor import KerasTensor
from tricera.core.windows import channels_first
from tricera.ops.comparison import greater_equal, isfinite, isnan, less_equal, logical_and, logical_not, logical_or
from tricera.ops.creation import arange, convert_to_tensor, dtype, shape
from tricera.ops.elementwise import add, cast, clip, minimum, mod, multiply, round, subtract
from tricera.ops.linear import matmul, tensordot
from tricera.ops.numeric import saturate_cast
from tricera.ops.select import take, where
from tricera.ops.shape import broadcast_to, concatenate, expand_dims, moveaxis, reshape, squeeze, stack, transpose
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


@functools.lru_cache(64)
def _kept(size: int, out: int, scale: float, shift: float, method: str, antialias: bool) -> np.ndarray:
    """The same of numbers, which is made once: making it takes longer than to resize a small image."""
    made = _weights(size, out, scale, shift, method, antialias)
    made.flags.writeable = False
    return made


def weights(size: int, out: int, scale: float, shift: float, method: str, antialias: bool) -> np.ndarray:
    """The matrix (size, out) that samples an axis of a known size."""
    options = (size, out, scale, shift, method, antialias)
    return _kept(*options) if size * out <= _KEPT else _weights(*options)


_KEPT = 2**18  # elements of a matrix that is kept; those of larger images take little beside the product


def along(x: Any, matrix: Any, axis: int) -> Any:
    """The product of an axis with a matrix (size, out)."""
    sizes = tuple(x.shape)
    tail = None if None in sizes[axis:] else math.prod(sizes[axis + 1 :])
    if tail is None or tail < 16 or None in sizes[1:axis]:
        return moveaxis(tensordot(x, matrix, axes=[[axis], [0]]), -1, axis)
    # Where much is behind the axis nothing need be moved.
    out = matmul(transpose(matrix), reshape(x, (-1, sizes[axis], tail) if axis else (sizes[0], tail)))
    before = tuple(-1 if d is None else d for d in sizes[:axis])
    return reshape(out, (*before, matrix.shape[1], *sizes[axis + 1 :]))


def _nearest(size: int, out: int) -> np.ndarray:
    return np.floor((np.arange(out) + 0.5) * size / out).astype("int32")


def fused(function: Callable[..., Any], tensors: Sequence[Any], *options: Any) -> Any:
    """`function(*tensors, *options)`, compiled where the backend can; not of symbolic tensors."""
    if any(isinstance(x, KerasTensor) for x in tensors):
        return function(*tensors, *options)
    return dispatch.current().fused(function, *options)(*tensors)


def resampled(x: Any, at: int, height: int, width: int, interpolation: str, antialias: bool) -> Any:
    """The axes `at` and `at + 1` of images in other sizes; integers only by the nearest element."""
    native = dispatch.current().function("resized")
    out = None if native is None else native(x, at, height, width, interpolation, antialias)
    return fused(_both, (x,), at, height, width, interpolation, antialias) if out is None else out


def _both(x: Any, at: int, height: int, width: int, interpolation: str, antialias: bool) -> Any:
    return _resized(_resized(x, at, height, interpolation, antialias), at + 1, width, interpolation, antialias)


def _resized(x: Any, axis: int, out: int, interpolation: str, antialias: bool) -> Any:
    size = x.shape[axis]
    if size is None:
        return _resized_unknown(x, axis, out, interpolation, antialias)
    if size == out:
        return x
    if interpolation == "nearest":
        return take(x, dispatch.table(_nearest, size, out), axis=axis)
    options = (size, out, out / size, 0.0, interpolation, antialias)
    return along(x, dispatch.table(weights, *options, dtype=dtype(x)), axis)


def _resized_unknown(x: Any, axis: int, out: int, interpolation: str, antialias: bool) -> Any:
    """The same in a graph that knows the size of the axis only when it runs."""
    from tricera import ops

    size = ops.cast(shape(x)[axis], "float32")
    if interpolation == "nearest":
        places = ops.cast(ops.floor((ops.arange(out, dtype="float32") + 0.5) * size / out), "int32")
        return take(x, places, axis=axis)
    scale = out / size
    return along(x, cast(_weights(size, out, scale, 0.0, interpolation, antialias, ops), dtype(x)), axis)


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


def sampled(flat: Any, sizes: tuple[int, ...], coordinates: list[Any], order: int, mode: str, fill: float) -> Any:
    """Values of `flat` (batch, elements, channels) at coordinates (batch, n), one tensor a spatial axis."""
    return fused(_sampled, (flat, *coordinates), sizes, order, mode, fill)


def _sampled(flat: Any, *given: Any) -> Any:
    *coordinates, sizes, order, mode, fill = given
    corners: list[list[tuple[Any, Any, Any]]] = []
    missing: Any = None
    count = stride = math.prod(sizes)
    for position, size in zip(coordinates, sizes, strict=True):
        # What is no place gives NaN. An infinite one is far outside, but in modes that repeat the image it is nowhere.
        ends = mode in ("constant", "nearest")
        lost = isnan(position) if ends else logical_not(isfinite(position))
        missing = lost if missing is None else logical_or(missing, lost)
        position = where(lost, 0.0, clip(position, -2.0, size + 1.0) if ends else position)
        low = floor(position if order else add(position, 0.5))
        share = subtract(position, low) if order else None
        stride //= size or 1
        axis: list[tuple[Any, Any, Any]] = []
        for index, weight in [(low, subtract(1.0, share)), (add(low, 1.0), share)] if order else [(low, None)]:
            place = cast(_inside(index, size, mode), "int32")
            inside = logical_and(greater_equal(index, 0), less_equal(index, size - 1)) if mode == "constant" else None
            axis.append((place if stride == 1 else multiply(place, stride), inside, weight))
        corners.append(axis)
    # All in one table of rows, for which frameworks have a quick kernel. What lies outside and what is NaN are two rows more, so that
    # places are chosen and not values; but a large volume is not copied for a few elements.
    channels = shape(flat)[-1]
    rows = reshape(flat, (-1, channels))
    fill = cast(convert_to_tensor(fill), dtype(flat))
    sparse = None not in flat.shape and None not in missing.shape and count > 4 * math.prod(missing.shape)
    if not sparse:
        special = stack([fill, cast(convert_to_tensor(float("nan")), dtype(flat))])
        rows = concatenate([broadcast_to(expand_dims(special, 1), (2, channels)), rows], axis=0)
        elsewhere, present = cast(missing, "int32"), logical_not(missing)
    begin = add(expand_dims(multiply(arange(shape(flat)[0], dtype="int32"), count), 1), 0 if sparse else 2)
    total: Any = None
    for corner in itertools.product(*corners):
        place, valid, weight = begin, None if sparse else present, None
        for index, inside, share in corner:
            place = add(place, index)
            valid = inside if valid is None else valid if inside is None else logical_and(valid, inside)
            weight = share if weight is None else multiply(weight, share)
        value = take(rows, place if sparse else where(valid, place, elsewhere), axis=0)
        if sparse and valid is not None:
            value = where(expand_dims(valid, -1), value, fill)
        if weight is not None:
            value = multiply(value, expand_dims(weight, -1))
        total = value if total is None else add(total, value)
    return where(expand_dims(missing, -1), float("nan"), total) if sparse else total


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
