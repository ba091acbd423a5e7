"""Images flipped, turned, moved, scaled, sheared and warped at random."""

from __future__ import annotations

import math
from typing import Any

from tricera import ops, random
from tricera.layers.preprocessing.augmentation import ImageLayer, happens, per_sample, standardize_range

FILL_MODES = ("reflect", "constant", "wrap", "nearest", "mirror")


class RandomFlip(ImageLayer):
    """In training, mirrors each image with a probability of 1/2, along each of the chosen axes by itself.

    Args:
        mode: `"horizontal"` (left and right change places), `"vertical"`, or `"horizontal_and_vertical"`.
        seed: an integer, or None.
        data_format: `"channels_last"` or `"channels_first"`; default: the configured one.
        **kwargs: `bounding_box_format`, and those of `Layer`.

    Raises:
        ValueError: an unknown mode.
    """

    moves = True
    casts = mask_casts = "always"

    def __init__(
        self,
        mode: str = "horizontal_and_vertical",
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        if mode not in ("horizontal", "vertical", "horizontal_and_vertical"):
            raise ValueError(
                f"`mode` of the layer {self.name!r} must be 'horizontal', 'vertical' or 'horizontal_and_vertical'; got {mode!r}."
            )
        self.mode = mode
        self._use_seed(seed)

    def draw(self, shape: tuple[Any, ...], seed: Any) -> dict[str, Any]:
        """Which samples are flipped, axis by axis."""
        names = [n for n in ("horizontal", "vertical") if n in self.mode]
        return {name: ops.less(per_sample(shape, 0.0, 1.0, seed, 3), 0.5) for name in names}

    def change(self, images: Any, transformation: dict[str, Any]) -> Any:
        """Flip."""
        for name, axis in (("horizontal", self.width_axis), ("vertical", self.height_axis)):
            if name in transformation:
                images = ops.where(transformation[name], ops.flip(images, axis=axis), images)
        return images

    def change_masks(self, masks: Any, transformation: dict[str, Any]) -> Any:
        """Flip."""
        return self.change(masks, transformation)

    def move_boxes(self, corners: Any, transformation: dict[str, Any]) -> Any:
        """Mirror: the left edge is the right one's distance from the other side."""
        shape, kind = transformation["input_shape"], ops.dtype(corners)
        parts = [corners[..., i] for i in range(4)]
        for name, axis, low in (("horizontal", self.width_axis, 0), ("vertical", self.height_axis, 1)):
            if name in transformation:
                length, flips = ops.cast(shape[axis], kind), ops.reshape(transformation[name], (-1, 1))
                a, b = parts[low], parts[low + 2]
                parts[low] = ops.where(flips, ops.subtract(length, b), a)
                parts[low + 2] = ops.where(flips, ops.subtract(length, a), b)
        return ops.stack(parts, axis=-1)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {**super().get_config(), "seed": self.seed, "mode": self.mode}


def projected(x: Any, y: Any, transform: Any) -> tuple[Any, Any]:
    """((a0 x + a1 y + a2) / k, (b0 x + b1 y + b2) / k), k = c0 x + c1 y + 1, by the eight numbers of each sample."""
    n = [transform[:, i : i + 1] for i in range(8)]

    def line(a: Any, b: Any, c: Any) -> Any:
        return ops.add(ops.add(ops.multiply(a, x), ops.multiply(b, y)), c)

    k = line(n[6], n[7], 1.0)
    return ops.divide(line(*n[:3]), k), ops.divide(line(*n[3:6]), k)


def inverted(transform: Any) -> Any:
    """The eight numbers of the inverse map: the adjugate of the 3 x 3 matrix, scaled to end in 1."""
    a0, a1, a2, b0, b1, b2, c0, c1 = (transform[:, i] for i in range(8))

    def minor(p: Any, q: Any, r: Any, s: Any) -> Any:
        return ops.subtract(ops.multiply(p, q), ops.multiply(r, s))

    one = ops.ones_like(a0)
    rows = [
        minor(b1, one, b2, c1), minor(a2, c1, a1, one), minor(a1, b2, a2, b1),
        minor(b2, c0, b0, one), minor(a0, one, a2, c0), minor(a2, b0, a0, b2),
        minor(b0, c1, b1, c0), minor(a1, c0, a0, c1),
    ]  # fmt: skip
    return ops.divide(ops.stack(rows, axis=-1), ops.expand_dims(minor(a0, b1, a1, b0), -1))


def moved_corners(corners: Any, transform: Any) -> Any:
    """The upright boxes around boxes after a projective map of each sample."""
    left, top, right, bottom = (corners[..., i] for i in range(4))
    points = [projected(x, y, transform) for x in (left, right) for y in (top, bottom)]
    edges = [f(ops.stack([p[i] for p in points], axis=-1), axis=-1) for f in (ops.min, ops.max) for i in (0, 1)]
    return ops.stack(edges, axis=-1)


class _Affine(ImageLayer):
    """Images read at the places to which a map of each sample takes the results' pixels."""

    moves = True
    casts = "always"

    def __init__(
        self,
        fill_mode: str,
        interpolation: str,
        seed: int | None,
        fill_value: float,
        data_format: str | None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        if fill_mode not in FILL_MODES:
            raise ValueError(f"`fill_mode` of the layer {self.name!r} must be one of {FILL_MODES}; got {fill_mode!r}.")
        if interpolation not in ("nearest", "bilinear"):
            raise ValueError(
                f"`interpolation` of the layer {self.name!r} must be 'nearest' or 'bilinear'; got {interpolation!r}."
            )
        self.fill_mode, self.interpolation, self.fill_value = fill_mode, interpolation, fill_value
        self._use_seed(seed)

    def change(self, images: Any, transformation: dict[str, Any]) -> Any:
        """Read the images there."""
        return self._read(images, transformation, self.interpolation, self.fill_value)

    def change_masks(self, masks: Any, transformation: dict[str, Any]) -> Any:
        """Read the masks there, without interpolating classes."""
        return self._read(masks, transformation, "nearest", self.fill_value)

    def _read(self, images: Any, transformation: dict[str, Any], interpolation: str, fill: float) -> Any:
        return ops.image.affine_transform(
            images, transformation["transform"], interpolation, self.fill_mode, fill, data_format=self.data_format
        )

    def move_boxes(self, corners: Any, transformation: dict[str, Any]) -> Any:
        """Boxes go the other way than the places that are read."""
        return moved_corners(corners, inverted(transformation["transform"]))

    def _sides(self, shape: tuple[Any, ...]) -> tuple[Any, Any]:
        return ops.cast(shape[self.height_axis], "float32"), ops.cast(shape[self.width_axis], "float32")

    def _transform(self, *numbers: Any) -> dict[str, Any]:
        """Of eight numbers, each one a sample or one for all."""
        like = next(n for n in numbers if hasattr(n, "shape") and len(n.shape))
        zero = ops.zeros_like(like)
        return {"transform": ops.stack([ops.add(zero, n) for n in numbers], axis=-1)}

    def get_transformed_x_y(self, x: Any, y: Any, transform: Any) -> tuple[Any, Any]:
        """Where a map takes points.

        Args:
            x: their columns.
            y: their rows.
            transform: eight numbers a sample, (batch, 8).
        """
        return projected(x, y, ops.convert_to_tensor(transform))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {
            **super().get_config(),
            "fill_mode": self.fill_mode,
            "fill_value": self.fill_value,
            "interpolation": self.interpolation,
            "seed": self.seed,
        }


class RandomRotation(_Affine):
    """In training, turns images around their centres by random angles.

    Args:
        factor: fractions of a full turn: f for (-f, f), or (lower, upper). Positive ones turn counter-clockwise.
        fill_mode: what comes into the image: `"reflect"` (d c b a | a b c d | d c b a), `"constant"`, `"wrap"` or `"nearest"`.
        interpolation: `"bilinear"` or `"nearest"`.
        seed: an integer, or None.
        fill_value: the constant.
        data_format: `"channels_last"` or `"channels_first"`; default: the configured one.
        **kwargs: `bounding_box_format`, and those of `Layer`.
    """

    def __init__(
        self,
        factor: Any,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(fill_mode, interpolation, seed, fill_value, data_format, **kwargs)
        self.factor = standardize_range(self.name, "factor", factor, mirrored=True)

    def draw(self, shape: tuple[Any, ...], seed: Any) -> dict[str, Any]:
        """A rotation around the middle pixel."""
        low, high = self.factor
        angle = per_sample(shape, low * 2 * math.pi, high * 2 * math.pi, seed)
        cos, sin = ops.cos(angle), ops.sin(angle)
        height, width = self._sides(shape)
        y, x = ops.multiply(ops.subtract(height, 1.0), 0.5), ops.multiply(ops.subtract(width, 1.0), 0.5)
        minus = ops.multiply(sin, -1.0)
        a2 = ops.subtract(x, ops.add(ops.multiply(cos, x), ops.multiply(minus, y)))
        b2 = ops.subtract(y, ops.add(ops.multiply(sin, x), ops.multiply(cos, y)))
        return self._transform(cos, minus, a2, sin, cos, b2, 0.0, 0.0)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {**super().get_config(), "factor": self.factor}


class RandomTranslation(_Affine):
    """In training, moves images at random.

    Args:
        height_factor: how far down, as fractions of the height: f for (-|f|, |f|), or (lower, upper) within [-1, 1].
        width_factor: how far to the right, as fractions of the width.
        fill_mode: what comes into the image: `"reflect"`, `"constant"`, `"wrap"` or `"nearest"`.
        interpolation: `"bilinear"` or `"nearest"`.
        seed: an integer, or None.
        fill_value: the constant.
        data_format: `"channels_last"` or `"channels_first"`; default: the configured one.
        **kwargs: `bounding_box_format`, and those of `Layer`.
    """

    def __init__(
        self,
        height_factor: Any,
        width_factor: Any,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(fill_mode, interpolation, seed, fill_value, data_format, **kwargs)
        self.height_factor, self.width_factor = height_factor, width_factor
        self._down = standardize_range(self.name, "height_factor", height_factor, mirrored=True, strict=True)
        self._right = standardize_range(self.name, "width_factor", width_factor, mirrored=True, strict=True)

    def draw(self, shape: tuple[Any, ...], seed: Any) -> dict[str, Any]:
        """Shifts in pixels."""
        height, width = self._sides(shape)
        down = ops.multiply(per_sample(shape, *self._down, seed=seed), height)
        right = ops.multiply(per_sample(shape, *self._right, seed=seed), width)
        return self._transform(1.0, 0.0, ops.negative(right), 0.0, 1.0, ops.negative(down), 0.0, 0.0)

    def get_shifted_bbox(self, bounding_boxes: Any, w_shift_factor: Any, h_shift_factor: Any) -> Any:
        """Boxes (left, top, right, bottom) moved to the right and down."""
        return _shifted(bounding_boxes, w_shift_factor, h_shift_factor)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {**super().get_config(), "height_factor": self.height_factor, "width_factor": self.width_factor}


def _shifted(boxes: Any, right: Any, down: Any) -> Any:
    left, top, far, bottom = (boxes[..., i] for i in range(4))
    return ops.stack([ops.add(left, right), ops.add(top, down), ops.add(far, right), ops.add(bottom, down)], axis=-1)


class RandomZoom(_Affine):
    """In training, scales images around their centres at random.

    Args:
        height_factor: f for (-|f|, |f|), or (lower, upper) within [-1, 1]. Positive ones zoom out, negative ones in: 0.2 shows
            1.2 times the image's height.
        width_factor: the same for the width; None: that of the height, so that the aspect ratio stays.
        fill_mode: what comes into the image: `"reflect"`, `"constant"`, `"wrap"` or `"nearest"`.
        interpolation: `"bilinear"` or `"nearest"`.
        seed: an integer, or None.
        fill_value: the constant.
        data_format: `"channels_last"` or `"channels_first"`; default: the configured one.
        **kwargs: `bounding_box_format`, and those of `Layer`.
    """

    def __init__(
        self,
        height_factor: Any,
        width_factor: Any = None,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(fill_mode, interpolation, seed, fill_value, data_format, **kwargs)
        self.height_factor, self.width_factor = height_factor, width_factor
        options: dict[str, Any] = {"mirrored": True, "strict": True}
        self._high = standardize_range(self.name, "height_factor", height_factor, **options)
        self._wide = (
            None if width_factor is None else standardize_range(self.name, "width_factor", width_factor, **options)
        )

    def draw(self, shape: tuple[Any, ...], seed: Any) -> dict[str, Any]:
        """Scales around the middle pixel."""
        high = ops.add(per_sample(shape, *self._high, seed=seed), 1.0)
        wide = high if self._wide is None else ops.add(per_sample(shape, *self._wide, seed=seed), 1.0)
        height, width = self._sides(shape)
        y, x = ops.multiply(ops.subtract(height, 1.0), 0.5), ops.multiply(ops.subtract(width, 1.0), 0.5)
        a2, b2 = ops.multiply(ops.subtract(1.0, wide), x), ops.multiply(ops.subtract(1.0, high), y)
        return self._transform(wide, 0.0, a2, 0.0, high, b2, 0.0, 0.0)

    def get_clipped_bbox(self, bounding_boxes: Any, h_end: Any, h_start: Any, w_end: Any, w_start: Any) -> Any:
        """Boxes (left, top, right, bottom) cut off at the edges of a window."""
        ends = ((w_start, w_end), (h_start, h_end)) * 2
        parts = [
            ops.minimum(ops.maximum(bounding_boxes[..., i], low), high) for i, (low, high) in enumerate(ends)
        ]  # fmt: skip
        return ops.stack(parts, axis=-1)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {**super().get_config(), "height_factor": self.height_factor, "width_factor": self.width_factor}


class RandomShear(_Affine):
    """In training, shears images at random, each with a random sign.

    Args:
        x_factor: how far each row moves against the one above, f for (-f, f), or (lower, upper).
        y_factor: the same for columns.
        interpolation: `"bilinear"` or `"nearest"`.
        fill_mode: what comes into the image: `"reflect"`, `"constant"`, `"wrap"` or `"nearest"`.
        fill_value: the constant.
        data_format: `"channels_last"` or `"channels_first"`; default: the configured one.
        seed: an integer, or None.
        **kwargs: `bounding_box_format`, and those of `Layer`.
    """

    def __init__(
        self,
        x_factor: Any = 0.0,
        y_factor: Any = 0.0,
        interpolation: str = "bilinear",
        fill_mode: str = "reflect",
        fill_value: float = 0.0,
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(fill_mode, interpolation, seed, fill_value, data_format, **kwargs)
        self.x_factor, self.y_factor = self._factor("x_factor", x_factor), self._factor("y_factor", y_factor)

    def _factor(self, what: str, value: Any) -> tuple[Any, Any]:
        pair = isinstance(value, (tuple, list))
        found = standardize_range(self.name, what, value, (-1.0, 1.0) if pair else (0.0, 1.0), strict=pair)
        return found if pair else (-value, value)

    def draw(self, shape: tuple[Any, ...], seed: Any) -> dict[str, Any]:
        """Shears that leave the first row and column where they are."""
        x, y = (per_sample(shape, *f, seed=seed) for f in (self.x_factor, self.y_factor))
        sign = ops.where(ops.less(per_sample(shape, 0.0, 1.0, seed), 0.5), 1.0, -1.0)
        x, y = ops.multiply(x, sign), ops.multiply(y, sign)
        return self._transform(1.0, x, 0.0, y, 1.0, 0.0, 0.0, 0.0)

    def get_shifted_bbox(self, bounding_boxes: Any, w_shift_factor: Any, h_shift_factor: Any) -> Any:
        """Boxes (left, top, right, bottom) moved to the right and down."""
        return _shifted(bounding_boxes, w_shift_factor, h_shift_factor)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {**super().get_config(), "x_factor": self.x_factor, "y_factor": self.y_factor}


class RandomPerspective(ImageLayer):
    """In training, moves images' corners at random, as if they were seen from elsewhere.

    Each coordinate of the three corners other than the first changes by up to scale / 2 of itself.

    Args:
        factor: the chance that an image is changed: f for one that is drawn from (0, f), or (lower, upper).
        scale: how far corners move, from 0 to 1.
        interpolation: `"bilinear"` or `"nearest"`.
        fill_value: what comes into the image.
        seed: an integer, or None.
        data_format: `"channels_last"` or `"channels_first"`; default: the configured one.
        **kwargs: `bounding_box_format`, and those of `Layer`.
    """

    moves = True
    casts = "always"

    def __init__(
        self,
        factor: Any = 1.0,
        scale: float = 1.0,
        interpolation: str = "bilinear",
        fill_value: float = 0.0,
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.factor = standardize_range(self.name, "factor", factor)
        if isinstance(scale, bool) or not isinstance(scale, (int, float)) or not 0 <= scale <= 1:
            raise ValueError(f"`scale` of the layer {self.name!r} must be a number from 0 to 1; got {scale!r}.")
        if interpolation not in ("nearest", "bilinear"):
            raise ValueError(
                f"`interpolation` of the layer {self.name!r} must be 'nearest' or 'bilinear'; got {interpolation!r}."
            )
        self.scale, self.interpolation, self.fill_value = scale, interpolation, fill_value
        self._use_seed(seed)

    def draw(self, shape: tuple[Any, ...], seed: Any) -> dict[str, Any]:
        """The four corners, and where they go; those of images that stay go nowhere."""
        apply = happens(shape, self.factor, seed, axes=2)
        right, bottom = (ops.subtract(ops.cast(shape[a], "float32"), 1.0) for a in (self.width_axis, self.height_axis))
        zero = ops.zeros_like(right)
        corners = [ops.stack(p) for p in ((zero, zero), (right, zero), (zero, bottom), (right, bottom))]
        shift = random.uniform((shape[0], 4, 2), -0.5 * self.scale, 0.5 * self.scale, dtype="float32", seed=seed)
        start = ops.add(ops.multiply(shift, 0.0), ops.stack(corners))
        end = ops.where(apply, ops.multiply(start, ops.add(shift, 1.0)), start)
        return {"start_points": start, "end_points": end}

    def change(self, images: Any, transformation: dict[str, Any]) -> Any:
        """Warp."""
        return self._warped(images, transformation, self.interpolation)

    def change_masks(self, masks: Any, transformation: dict[str, Any]) -> Any:
        """Warp, without interpolating classes."""
        return self._warped(masks, transformation, "nearest")

    def _warped(self, images: Any, transformation: dict[str, Any], interpolation: str) -> Any:
        start, end = transformation["start_points"], transformation["end_points"]
        return ops.image.perspective_transform(
            images, start, end, interpolation, self.fill_value, data_format=self.data_format
        )

    def move_boxes(self, corners: Any, transformation: dict[str, Any]) -> Any:
        """By the map that takes the corners where they go."""
        return moved_corners(corners, _map_of(transformation["start_points"], transformation["end_points"]))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {
            **super().get_config(),
            "factor": self.factor,
            "scale": self.scale,
            "interpolation": self.interpolation,
            "fill_value": self.fill_value,
            "seed": self.seed,
        }


def _map_of(start: Any, end: Any) -> Any:
    """The eight numbers of the projective maps that take four points to four others: two linear equations a point."""
    x, y, u, v = start[..., 0], start[..., 1], end[..., 0], end[..., 1]
    one, zero = ops.ones_like(x), ops.zeros_like(x)

    def minus(a: Any, b: Any) -> Any:
        return ops.negative(ops.multiply(a, b))

    rows_u = ops.stack([x, y, one, zero, zero, zero, minus(x, u), minus(y, u)], axis=-1)
    rows_v = ops.stack([zero, zero, zero, x, y, one, minus(x, v), minus(y, v)], axis=-1)
    matrix = ops.concatenate([rows_u, rows_v], axis=1)
    right = ops.expand_dims(ops.concatenate([u, v], axis=1), -1)
    return ops.squeeze(ops.solve(matrix, right), axis=-1)
