"""Bounding boxes: formats, moving them as images are moved, and how far two boxes overlap."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tricera import ops
from tricera.core.config import epsilon

FORMATS = (
    "xyxy", "yxyx", "xywh", "center_xywh", "center_yxhw", "rel_xyxy", "rel_yxyx", "rel_xywh", "rel_center_xywh",
)  # fmt: skip


def _parts(boxes: Any) -> list[Any]:
    return [boxes[..., i] for i in range(4)]


def _joined(*parts: Any) -> Any:
    return ops.stack(parts, axis=-1)


def _corners(boxes: Any, form: str) -> Any:
    """As (left, top, right, bottom)."""
    a, b, c, d = _parts(boxes)
    if form == "yxyx":
        return _joined(b, a, d, c)
    if form == "xywh":
        return _joined(a, b, ops.add(a, c), ops.add(b, d))
    if form == "center_yxhw":
        a, b, c, d = b, a, d, c
    half_w, half_h = ops.multiply(c, 0.5), ops.multiply(d, 0.5)
    return _joined(ops.subtract(a, half_w), ops.subtract(b, half_h), ops.add(a, half_w), ops.add(b, half_h))


def _from_corners(boxes: Any, form: str) -> Any:
    left, top, right, bottom = _parts(boxes)
    if form == "yxyx":
        return _joined(top, left, bottom, right)
    width, height = ops.subtract(right, left), ops.subtract(bottom, top)
    if form == "xywh":
        return _joined(left, top, width, height)
    x, y = ops.multiply(ops.add(left, right), 0.5), ops.multiply(ops.add(top, bottom), 0.5)
    return _joined(y, x, height, width) if form == "center_yxhw" else _joined(x, y, width, height)


def _known(form: Any, what: str) -> tuple[str, bool]:
    """A format in small letters without `rel_`, and whether it was relative."""
    name = str(form).lower()
    if name not in FORMATS:
        raise ValueError(f"`{what}` must be one of {', '.join(FORMATS)}; got {form!r}.")
    return name.removeprefix("rel_"), name.startswith("rel_")


def convert_format(
    boxes: Any, source: str, target: str, height: Any = None, width: Any = None, dtype: Any = "float32"
) -> Any:
    """Boxes in another format.

    Args:
        boxes: a tensor (..., 4), or a dict that holds one under `"boxes"` (a new dict is returned).
        source: their format: `"xyxy"` (left, top, right, bottom), `"yxyx"`, `"xywh"` (left, top, width, height), `"center_xywh"`,
            `"center_yxhw"`, or `"rel_xyxy"`, `"rel_yxyx"`, `"rel_xywh"`, `"rel_center_xywh"` as fractions of the image's size.
        target: the wanted format.
        height: the image's height, needed between relative and absolute formats.
        width: its width.
        dtype: of the result.

    Raises:
        ValueError: an unknown format, boxes of another shape, or a missing size.

    Example:
        >>> import numpy as np
        >>> convert_format(np.array([[10.0, 20.0, 30.0, 40.0]]), "xyxy", "xywh").shape[0]
        1
    """
    if isinstance(boxes, Mapping):
        return {**boxes, "boxes": convert_format(boxes["boxes"], source, target, height, width, dtype)}
    (old, was_relative), (new, relative) = _known(source, "source"), _known(target, "target")
    boxes = ops.convert_to_tensor(boxes, dtype=dtype)
    if boxes.shape[-1] != 4:
        raise ValueError(f"`boxes` must have a last axis of 4; got the shape {tuple(boxes.shape)}.")
    if was_relative != relative and (height is None or width is None):
        raise ValueError(f"`height` and `width` are needed to convert boxes from {source!r} to {target!r}.")
    if old != "xyxy" and (old != new or was_relative != relative):
        boxes, old = _corners(boxes, old), "xyxy"
    if was_relative != relative:
        size = [ops.cast(n, dtype) for n in (width, height, width, height)]
        change: Callable[..., Any] = ops.divide if relative else ops.multiply
        boxes = _joined(*(change(p, n) for p, n in zip(_parts(boxes), size, strict=True)))
    return boxes if old == new else _from_corners(boxes, new)


def clip_to_image_size(
    bounding_boxes: Any, height: Any = None, width: Any = None, bounding_box_format: str = "xyxy"
) -> Any:
    """Boxes cut off at the edges of the image; the labels of those that have no area left become -1.

    Args:
        bounding_boxes: a dict of `"boxes"` (..., n, 4) and `"labels"` (..., n); anything else in it stays.
        height: the image's height; relative formats don't need it.
        width: its width.
        bounding_box_format: `"xyxy"` or `"rel_xyxy"`, or another format, by way of these.

    Raises:
        ValueError: the size is missing.
    """
    form, relative = _known(bounding_box_format, "bounding_box_format")
    if not relative and (height is None or width is None):
        raise ValueError(f"`height` and `width` are needed to clip boxes of the format {bounding_box_format!r}.")
    high, wide = (1.0, 1.0) if relative else (height, width)
    boxes, labels = bounding_boxes["boxes"], bounding_boxes["labels"]
    corners = convert_format(boxes, form, "xyxy", dtype=ops.dtype(boxes))
    kind = ops.dtype(corners)
    wide, high = ops.cast(wide, kind), ops.cast(high, kind)
    zero = ops.zeros_like(corners[..., 0])
    left, top, right, bottom = (
        ops.minimum(ops.maximum(p, zero), most)
        for p, most in zip(_parts(corners), (wide, high, wide, high), strict=True)
    )
    area = ops.multiply(ops.subtract(right, left), ops.subtract(bottom, top))
    labels = ops.where(ops.greater(area, 0), labels, ops.cast(-1, ops.dtype(labels)))
    boxes = convert_format(_joined(left, top, right, bottom), "xyxy", form, dtype=kind)
    return {**bounding_boxes, "boxes": boxes, "labels": labels}


def _by_corners(boxes: Any, form: str, move: Callable[[list[Any]], Any], height: Any = None, width: Any = None) -> Any:
    corners = convert_format(boxes, form, "xyxy", height, width)
    return convert_format(move(_parts(corners)), "xyxy", form, height, width)


def affine_transform(
    boxes: Any,
    angle: Any,
    translate_x: Any,
    translate_y: Any,
    scale: Any,
    shear_x: Any,
    shear_y: Any,
    height: Any,
    width: Any,
    center_x: Any = None,
    center_y: Any = None,
    bounding_box_format: str = "xyxy",
) -> Any:
    """The upright boxes around boxes that were moved, turned, sheared and scaled.

    With (dx, dy) the distance from the centre after the move, t = tan(shear_x), u = tan(shear_y), c and s the cosine and sine of
    the angle, a corner goes to the centre plus scale * (x', y'), y' = (u c - s) dx + (c + u s) dy and
    x' = (c + t (s - u c)) dx + (s + t (c + u s)) dy. (The sign of s - u c is Keras's: its results are followed where both a
    rotation and a shear along x are asked for.)

    Args:
        boxes: a tensor (batch, n, 4) or (n, 4).
        angle: degrees, counter-clockwise; a number, or one for each sample, as all of the following.
        translate_x: a fraction of the width - 1.
        translate_y: a fraction of the height - 1.
        scale: a factor.
        shear_x: degrees.
        shear_y: degrees.
        height: the image's height.
        width: its width.
        center_x: the centre, as a fraction of the width - 1; default: the middle.
        center_y: as a fraction of the height - 1.
        bounding_box_format: the boxes' format.

    Returns:
        Boxes of the same shape and format, which may reach beyond the image.
    """
    single = len(ops.shape(boxes)) == 2

    def number(x: Any) -> Any:
        x = ops.cast(ops.convert_to_tensor(x), "float32")
        return ops.reshape(x, (-1, 1, 1)) if len(x.shape) else x

    radians = [ops.multiply(number(x), math.pi / 180) for x in (angle, shear_x, shear_y)]
    cos, sin, tan_x, tan_y = ops.cos(radians[0]), ops.sin(radians[0]), ops.tan(radians[1]), ops.tan(radians[2])
    wide, high = ops.subtract(number(width), 1.0), ops.subtract(number(height), 1.0)
    middle_x = ops.multiply(wide, number(0.5 if center_x is None else center_x))
    middle_y = ops.multiply(high, number(0.5 if center_y is None else center_y))

    def move(parts: list[Any]) -> Any:
        left, top, right, bottom = parts
        xs = ops.stack([left, right, left, right], axis=-1)  # the four corners
        ys = ops.stack([top, top, bottom, bottom], axis=-1)
        if single:
            xs, ys = ops.expand_dims(xs, 0), ops.expand_dims(ys, 0)
        dx = ops.subtract(ops.add(xs, ops.multiply(number(translate_x), wide)), middle_x)
        dy = ops.subtract(ops.add(ys, ops.multiply(number(translate_y), high)), middle_y)
        back = ops.subtract(sin, ops.multiply(tan_y, cos))
        down = ops.add(cos, ops.multiply(tan_y, sin))
        across = ops.add(ops.multiply(ops.add(cos, ops.multiply(tan_x, back)), dx),
                         ops.multiply(ops.add(sin, ops.multiply(tan_x, down)), dy))  # fmt: skip
        along = ops.subtract(ops.multiply(down, dy), ops.multiply(back, dx))
        factor = number(scale)
        new_x = ops.add(middle_x, ops.multiply(factor, across))
        new_y = ops.add(middle_y, ops.multiply(factor, along))
        out = _joined(*(f(v, axis=-1) for f in (ops.min, ops.max) for v in (new_x, new_y)))
        return ops.squeeze(out, axis=0) if single else out

    return _by_corners(boxes, bounding_box_format, move, height, width)


def crop(boxes: Any, top: Any, left: Any, height: Any, width: Any, bounding_box_format: str = "xyxy") -> Any:
    """Boxes in the coordinates of a part of the image, cut off at its edges.

    Args:
        boxes: a tensor (n, 4) or (batch, n, 4).
        top: the part's first row.
        left: its first column.
        height: its height.
        width: its width.
        bounding_box_format: the boxes' format, an absolute one.
    """

    def move(parts: list[Any]) -> Any:
        out = []
        for part, start, length in zip(parts, (left, top, left, top), (width, height, width, height), strict=True):
            part = ops.subtract(part, ops.cast(start, ops.dtype(part)))
            out.append(ops.minimum(ops.maximum(part, ops.zeros_like(part)), ops.cast(length, ops.dtype(part))))
        return _joined(*out)

    return _by_corners(boxes, bounding_box_format, move)


def pad(
    boxes: Any, top: Any, left: Any, height: Any = None, width: Any = None, bounding_box_format: str = "xyxy"
) -> Any:
    """Boxes in the coordinates of an image with rows added above and columns on the left.

    Args:
        boxes: a tensor (n, 4) or (batch, n, 4).
        top: how many rows.
        left: how many columns.
        height: not needed; accepted for compatibility.
        width: not needed; accepted for compatibility.
        bounding_box_format: the boxes' format, an absolute one.
    """

    def move(parts: list[Any]) -> Any:
        return _joined(
            *(ops.add(p, ops.cast(s, ops.dtype(p))) for p, s in zip(parts, (left, top, left, top), strict=True))
        )

    return _by_corners(boxes, bounding_box_format, move)


def _absolute(boxes: Any, form: str, image_shape: Any) -> Any:
    """As (left, top, right, bottom) in pixels."""
    _, relative = _known(form, "bounding_box_format")
    if relative and image_shape is None:
        raise ValueError(
            f"Boxes of the relative format {form!r} need `image_shape`, (height, width, channels), to be compared."
        )
    height, width = (None, None) if image_shape is None else image_shape[:2]
    return convert_format(boxes, form, "xyxy", height, width)


def _area(boxes: Any) -> Any:
    left, top, right, bottom = _parts(boxes)
    return ops.multiply(ops.subtract(right, left), ops.subtract(bottom, top))


def compute_iou(
    boxes1: Any,
    boxes2: Any,
    bounding_box_format: str,
    use_masking: bool = False,
    mask_val: Any = -1,
    image_shape: Any = None,
) -> Any:
    """The area that each box of one set shares with each of another, over that which both cover.

    Args:
        boxes1: a tensor (m, 4) or (batch, m, 4).
        boxes2: a tensor (n, 4) or (batch, n, 4).
        bounding_box_format: the format of both.
        use_masking: write `mask_val` where one of the two is no box (all its numbers negative).
        mask_val: that value.
        image_shape: (height, width, channels), needed with relative formats.

    Returns:
        A tensor (m, n), or (batch, m, n).

    Raises:
        ValueError: an unknown format or a missing image shape.
    """
    a, b = (_absolute(x, bounding_box_format, image_shape) for x in (boxes1, boxes2))
    first, second = ops.expand_dims(a, -2), ops.expand_dims(b, -3)
    low = ops.maximum(first[..., :2], second[..., :2])
    high = ops.minimum(first[..., 2:], second[..., 2:])
    sides = ops.maximum(ops.subtract(high, low), 0.0)
    shared = ops.multiply(sides[..., 0], sides[..., 1])
    both = ops.subtract(ops.add(_area(first), _area(second)), shared)
    found = ops.divide(shared, ops.add(both, epsilon()))
    if not use_masking:
        return found
    none_a, none_b = (ops.max(x, axis=-1) for x in (a, b))
    missing = ops.logical_or(ops.expand_dims(ops.less(none_a, 0), -1), ops.expand_dims(ops.less(none_b, 0), -2))
    return ops.where(missing, ops.cast(mask_val, ops.dtype(found)), found)


def compute_ciou(boxes1: Any, boxes2: Any, bounding_box_format: str, image_shape: Any = None) -> Any:
    """The complete IoU of pairs of boxes: iou - d^2 / c^2 - alpha v (Zheng et al. 2020).

    d is the distance of the centres, c the diagonal of the box around both, v = 4 / pi^2 (arctan(w1 / h1) - arctan(w2 / h2))^2 and
    alpha = v / (1 - iou + v).

    Args:
        boxes1: a tensor (..., 4).
        boxes2: as many boxes.
        bounding_box_format: the format of both.
        image_shape: (height, width, channels), needed with relative formats.

    Returns:
        A tensor (...).
    """
    a, b = (_absolute(x, bounding_box_format, image_shape) for x in (boxes1, boxes2))
    tiny = epsilon()
    sides = ops.maximum(ops.subtract(ops.minimum(a[..., 2:], b[..., 2:]), ops.maximum(a[..., :2], b[..., :2])), 0.0)
    shared = ops.multiply(sides[..., 0], sides[..., 1])
    size_a, size_b = (ops.subtract(x[..., 2:], x[..., :2]) for x in (a, b))
    both = ops.subtract(ops.add(*(ops.multiply(s[..., 0], ops.add(s[..., 1], tiny)) for s in (size_a, size_b))), shared)
    iou = ops.divide(shared, ops.add(both, tiny))
    around = ops.subtract(ops.maximum(a[..., 2:], b[..., 2:]), ops.minimum(a[..., :2], b[..., :2]))
    diagonal = ops.add(ops.sum(ops.square(around), axis=-1), tiny)
    middles = [ops.multiply(ops.add(x[..., :2], x[..., 2:]), 0.5) for x in (a, b)]
    distance = ops.sum(ops.square(ops.subtract(*middles)), axis=-1)
    slopes = [ops.arctan(ops.divide(s[..., 0], ops.add(s[..., 1], tiny))) for s in (size_a, size_b)]
    v = ops.multiply(ops.square(ops.subtract(*slopes)), 4 / math.pi**2)
    alpha = ops.divide(v, ops.add(ops.subtract(v, iou), 1.0 + tiny))
    return ops.subtract(iou, ops.add(ops.divide(distance, diagonal), ops.multiply(v, alpha)))


def _delta_arguments(form: str, what: str, variance: Any) -> Any:
    if str(form).lower() not in ("center_xywh", "center_yxhw"):
        raise ValueError(f"`{what}` must be 'center_xywh' or 'center_yxhw'; got {form!r}.")
    if variance is None:
        return None
    values = np.asarray(variance, "float32")
    if values.shape != (4,):
        raise ValueError(f"`variance` must hold 4 numbers; got {variance!r}.")
    return values


def encode_box_to_deltas(
    anchors: Any,
    boxes: Any,
    anchor_format: str,
    box_format: str,
    encoding_format: str = "center_yxhw",
    variance: Any = None,
    image_shape: Any = None,
) -> Any:
    """Boxes as what leads from anchors to them: ((centre - centre_a) / size_a, log(size / size_a)) (Ren et al. 2015).

    Args:
        anchors: a tensor (n, 4).
        boxes: a tensor (n, 4) or (batch, n, 4).
        anchor_format: the format of the anchors.
        box_format: the format of the boxes.
        encoding_format: the order of the numbers, `"center_yxhw"` or `"center_xywh"`.
        variance: four numbers by which these are divided.
        image_shape: (height, width, channels), needed with relative formats.

    Raises:
        ValueError: an unknown format, or a `variance` of another length.
    """
    scales = _delta_arguments(encoding_format, "encoding_format", variance)
    height, width = (None, None) if image_shape is None else image_shape[:2]
    a = convert_format(anchors, anchor_format, encoding_format, height, width)
    b = convert_format(boxes, box_format, encoding_format, height, width)
    size = ops.maximum(a[..., 2:], epsilon())
    moved = ops.divide(ops.subtract(b[..., :2], a[..., :2]), size)
    grown = ops.log(ops.divide(ops.maximum(b[..., 2:], epsilon()), size))
    found = ops.concatenate([moved, grown], axis=-1)
    return found if scales is None else ops.divide(found, scales)


def decode_deltas_to_boxes(
    anchors: Any,
    boxes_delta: Any,
    anchor_format: str,
    box_format: str,
    encoded_format: str = "center_yxhw",
    variance: Any = None,
    image_shape: Any = None,
) -> Any:
    """The boxes to which deltas lead from anchors: the inverse of `encode_box_to_deltas`.

    Args:
        anchors: a tensor (n, 4), or a dict of them.
        boxes_delta: a tensor (n, 4) or (batch, n, 4), or a dict with the same keys.
        anchor_format: the format of the anchors.
        box_format: the wanted format of the boxes.
        encoded_format: the order of the deltas, `"center_yxhw"` or `"center_xywh"`.
        variance: four numbers by which the deltas are multiplied first.
        image_shape: (height, width, channels), needed with relative formats.

    Raises:
        ValueError: an unknown format, or a `variance` of another length.
    """
    if isinstance(anchors, Mapping):
        rest = (anchor_format, box_format, encoded_format, variance, image_shape)
        return {key: decode_deltas_to_boxes(value, boxes_delta[key], *rest) for key, value in anchors.items()}
    scales = _delta_arguments(encoded_format, "encoded_format", variance)
    height, width = (None, None) if image_shape is None else image_shape[:2]
    a = convert_format(anchors, anchor_format, encoded_format, height, width)
    delta = ops.convert_to_tensor(boxes_delta, dtype="float32")
    if scales is not None:
        delta = ops.multiply(delta, scales)
    middle = ops.add(ops.multiply(delta[..., :2], a[..., 2:]), a[..., :2])
    size = ops.multiply(ops.exp(delta[..., 2:]), a[..., 2:])
    return convert_format(ops.concatenate([middle, size], axis=-1), encoded_format, box_format, height, width)
