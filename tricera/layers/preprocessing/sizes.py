"""Images of another size: resizing and cropping."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from tricera import ops, random
from tricera.core import checks, rng
from tricera.layers.preprocessing.augmentation import ImageLayer


def _check_size(layer: ImageLayer, height: Any, width: Any) -> None:
    for what, n in (("height", height), ("width", width)):
        if not isinstance(n, int) or isinstance(n, bool) or n < 1:
            raise ValueError(f"`{what}` of the layer {layer.name!r} must be a positive integer; got {n!r}.")


class Resizing(ImageLayer):
    """Images in one size.

    Args:
        height: the height of the results.
        width: their width.
        interpolation: `"bilinear"`, `"nearest"`, `"bicubic"`, `"lanczos3"` or `"lanczos5"`.
        crop_to_aspect_ratio: cut the largest window of the new aspect ratio out of the middle first.
        pad_to_aspect_ratio: extend the images evenly to the new aspect ratio first.
        fill_mode: how they are extended; only `"constant"`.
        fill_value: with which value.
        antialias: widen the kernel where images get smaller.
        data_format: `"channels_last"` or `"channels_first"`; default: the configured one.
        **kwargs: `bounding_box_format`, and those of `Layer`.

    Integers stay integers: they are rounded.
    """

    always = True
    moves = True
    casts = "never"

    def __init__(
        self,
        height: int,
        width: int,
        interpolation: str = "bilinear",
        crop_to_aspect_ratio: bool = False,
        pad_to_aspect_ratio: bool = False,
        fill_mode: str = "constant",
        fill_value: float = 0.0,
        antialias: bool = False,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        _check_size(self, height, width)
        if crop_to_aspect_ratio and pad_to_aspect_ratio:
            raise ValueError(
                f"The layer {self.name!r} can crop to the aspect ratio or pad to it, not both: "
                "`crop_to_aspect_ratio` and `pad_to_aspect_ratio` are both set."
            )
        checks.one_of("interpolation", interpolation, ("bilinear", "nearest", "bicubic", "lanczos3", "lanczos5"))
        checks.one_of("fill_mode", fill_mode, ("constant",))
        self.height, self.width, self.interpolation = height, width, interpolation
        self.crop_to_aspect_ratio, self.pad_to_aspect_ratio = crop_to_aspect_ratio, pad_to_aspect_ratio
        self.fill_mode, self.fill_value, self.antialias = fill_mode, fill_value, antialias

    def change(self, images: Any, transformation: dict[str, Any]) -> Any:
        """Resize."""
        return self._resized(images, self.interpolation, self.fill_value)

    def _resized(self, images: Any, interpolation: str, fill: float) -> Any:
        return ops.image.resize(
            images,
            size=(self.height, self.width),
            interpolation=interpolation,
            antialias=self.antialias and interpolation != "nearest",
            crop_to_aspect_ratio=self.crop_to_aspect_ratio,
            pad_to_aspect_ratio=self.pad_to_aspect_ratio,
            fill_mode=self.fill_mode,
            fill_value=fill,
            data_format=self.data_format,
        )

    def change_masks(self, masks: Any, transformation: dict[str, Any]) -> Any:
        """Classes are not interpolated."""
        return self._resized(masks, "nearest", 0)

    def move_boxes(self, corners: Any, transformation: dict[str, Any]) -> Any:
        """Scaled, after cropping or padding."""
        shape = transformation["input_shape"]
        kind = ops.dtype(corners)
        height, width = (ops.cast(shape[a], kind) for a in (self.height_axis, self.width_axis))
        high, wide = ops.divide(height, self.height), ops.divide(width, self.width)
        if self.crop_to_aspect_ratio or self.pad_to_aspect_ratio:
            join = ops.minimum if self.crop_to_aspect_ratio else ops.maximum
            high = wide = join(high, wide)
        # The offset of the window that is scaled, then its scale.
        top, left = (
            ops.divide(ops.subtract(n, ops.multiply(s, full)), 2.0)
            for n, s, full in ((height, high, self.height), (width, wide, self.width))
        )
        start, scale = ops.stack([left, top, left, top]), ops.stack([wide, high, wide, high])
        return ops.divide(ops.subtract(corners, start), scale)

    def output_size(self, height: Any, width: Any) -> tuple[Any, Any]:
        """The given one."""
        return self.height, self.width

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {
            **super().get_config(),
            "height": self.height,
            "width": self.width,
            "interpolation": self.interpolation,
            "crop_to_aspect_ratio": self.crop_to_aspect_ratio,
            "pad_to_aspect_ratio": self.pad_to_aspect_ratio,
            "fill_mode": self.fill_mode,
            "fill_value": self.fill_value,
            "antialias": self.antialias,
        }


class _Cropped(ImageLayer):
    """A window of a fixed size; images that are too small are enlarged first."""

    moves = True
    casts: ClassVar[Literal["always", "training", "never"]] = "always"
    mask_casts = "always"

    def __init__(self, height: int, width: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        _check_size(self, height, width)
        self.height, self.width = height, width

    def _too_small(self, shape: tuple[Any, ...]) -> bool:
        height, width = shape[self.height_axis], shape[self.width_axis]
        if not isinstance(height, int) or not isinstance(width, int):
            raise ValueError(
                f"The layer {self.name!r} must know the height and width of the images; got the shape {tuple(shape)}."
            )
        return height < self.height or width < self.width

    def _offset(self, transformation: dict[str, Any]) -> tuple[Any, Any]:
        raise NotImplementedError

    def _fitted(self, images: Any, interpolation: str) -> Any:
        return ops.image.resize(
            images, (self.height, self.width), interpolation, crop_to_aspect_ratio=True, data_format=self.data_format
        )

    def _window(self, images: Any, transformation: dict[str, Any], interpolation: str) -> Any:
        if self._too_small(transformation["input_shape"]):
            return ops.cast(self._fitted(images, interpolation), ops.dtype(images))
        top, left = self._offset(transformation)
        for start, length, axis in ((top, self.height, self.height_axis), (left, self.width, self.width_axis)):
            if isinstance(start, int):
                key = [slice(None)] * 4
                key[axis] = slice(start, start + length)
                images = images[tuple(key)]
            else:
                images = ops.take(images, ops.add(ops.arange(length, dtype="int32"), start), axis=axis)
        return images

    def change(self, images: Any, transformation: dict[str, Any]) -> Any:
        """Crop, or resize and crop."""
        return self._window(images, transformation, "bilinear")

    def change_masks(self, masks: Any, transformation: dict[str, Any]) -> Any:
        """The same window of the masks."""
        return self._window(masks, transformation, "nearest")

    def move_boxes(self, corners: Any, transformation: dict[str, Any]) -> Any:
        """Into the window's coordinates."""
        shape = transformation["input_shape"]
        kind = ops.dtype(corners)
        if not self._too_small(shape):
            top, left = (ops.cast(n, kind) for n in self._offset(transformation))
            return ops.subtract(corners, ops.stack([left, top, left, top]))
        height, width = shape[self.height_axis], shape[self.width_axis]
        ratio = min(height / self.height, width / self.width)
        start = ((width - ratio * self.width) / 2, (height - ratio * self.height) / 2)
        return ops.divide(ops.subtract(corners, ops.cast(ops.convert_to_tensor([*start, *start]), kind)), ratio)

    def output_size(self, height: Any, width: Any) -> tuple[Any, Any]:
        """The given one."""
        return self.height, self.width

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {**super().get_config(), "height": self.height, "width": self.width}


class CenterCrop(_Cropped):
    """The middle of images; of those that are smaller, the largest window of the aspect ratio, enlarged.

    Args:
        height: the height of the results.
        width: their width.
        data_format: `"channels_last"` or `"channels_first"`; default: the configured one.
        **kwargs: `bounding_box_format`, and those of `Layer`.
    """

    always = True

    def __init__(self, height: int, width: int, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(height, width, data_format=data_format, **kwargs)

    def _offset(self, transformation: dict[str, Any]) -> tuple[Any, Any]:
        shape = transformation["input_shape"]
        return (shape[self.height_axis] - self.height) // 2, (shape[self.width_axis] - self.width) // 2


class RandomCrop(_Cropped):
    """In training, a window at a random place, the same for all images of a batch; in inference, the images as they are.

    Args:
        height: the window's height.
        width: its width.
        seed: an integer, or None.
        data_format: `"channels_last"` or `"channels_first"`; default: the configured one.
        name: the layer's name.
        **kwargs: `bounding_box_format`, and those of `Layer`.
    """

    casts = "training"

    def __init__(
        self,
        height: int,
        width: int,
        seed: int | None = None,
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(height, width, name=name, data_format=data_format, **kwargs)
        self._use_seed(rng.draw_seed() if seed is None else seed)

    def draw(self, shape: tuple[Any, ...], seed: Any) -> dict[str, Any]:
        """The window's first row and column."""
        if self._too_small(shape):
            return {}
        places = [
            random.randint((), 0, n - size + 1, seed=seed)
            for n, size in ((shape[self.height_axis], self.height), (shape[self.width_axis], self.width))
        ]
        return {"top": places[0], "left": places[1]}

    def _offset(self, transformation: dict[str, Any]) -> tuple[Any, Any]:
        return transformation["top"], transformation["left"]

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {**super().get_config(), "seed": self.seed}
