"""`ImageLayer`: what the layers share that change images, with labels, boxes and masks going along."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from tricera import ops, random
from tricera.core import config
from tricera.core.tensor import KerasTensor
from tricera.layers.preprocessing.boxes import FORMATS, clip_to_image_size, convert_format
from tricera.layers.preprocessing.data_layer import DataLayer


def standardize_range(
    layer: str,
    what: str,
    value: Any,
    bounds: tuple[float, float] = (-1.0, 1.0),
    mirrored: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """The (lower, upper) end of what a random number is drawn from.

    Args:
        layer: the layer's name, for errors.
        what: the argument's name.
        value: a number, or the two ends.
        bounds: what a number may be.
        mirrored: whether a number f means (-|f|, |f|), not (0, f).
        strict: whether the two ends must be within the bounds, too.

    Raises:
        ValueError: it is neither, or out of bounds.
    """
    low, high = bounds
    if isinstance(value, (tuple, list)) and len(value) == 2 and all(_is_number(v) for v in value):
        first, last = sorted(value)
        if not strict or (low <= first and last <= high):
            return first, last
    elif _is_number(value) and (low if mirrored else max(low, 0)) <= value <= high:
        return (-abs(value), abs(value)) if mirrored else (max(low, 0), value)
    raise ValueError(
        f"`{what}` of the layer {layer!r} must be a number from {low if mirrored else max(low, 0)} to {high}, "
        f"or a pair (lower, upper); got {value!r}."
    )


def _is_number(x: Any) -> bool:
    return isinstance(x, (int, float)) and not isinstance(x, bool)


def standardize_value_range(layer: str, value: Any) -> tuple[Any, Any]:
    """Check the range (lowest, highest) of the images' values.

    Raises:
        ValueError: it is no pair of numbers in order.
    """
    if (
        isinstance(value, (tuple, list))
        and len(value) == 2
        and all(_is_number(v) for v in value)
        and value[0] < value[1]
    ):
        return value[0], value[1]
    raise ValueError(f"`value_range` of the layer {layer!r} must be two numbers, the lower one first; got {value!r}.")


class ImageLayer(DataLayer):
    """Base of the layers that change images.

    They take images alone, (batch, height, width, channels) or one without the batch axis, or a dict with `"images"` and any of
    `"labels"`, `"bounding_boxes"` (a dict of `"boxes"` and `"labels"`) and `"segmentation_masks"`, and return the same structure.

    Args:
        bounding_box_format: the format of the boxes, see `utils.bounding_boxes.convert_format`; needed where there are any.
        data_format: `"channels_last"` or `"channels_first"`; default: the configured one.
        **kwargs: those of `Layer`.

    A subclass defines `draw(shape, seed)`, which makes the numbers of one transformation for a batch of a shape, and `change(images,
    transformation)` for a batch of images; `change_labels` and `change_masks` where these change, and `move_boxes`, with
    `moves = True`, where boxes do.
    """

    always: ClassVar[bool] = False  # whether it acts in inference, too
    moves: ClassVar[bool] = False  # whether it moves what lies in an image
    # In which cases images of integers become floats.
    casts: ClassVar[Literal["always", "training", "never"]] = "training"
    mask_casts: ClassVar[Literal["always", "training", "never"]] = "never"  # the same of segmentation masks

    def __init__(self, bounding_box_format: str | None = None, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if bounding_box_format is not None and str(bounding_box_format).lower() not in FORMATS:
            raise ValueError(f"`bounding_box_format` must be one of {', '.join(FORMATS)}; got {bounding_box_format!r}.")
        self.bounding_box_format = bounding_box_format
        self.data_format = config.standardize_data_format(data_format)
        first = self.data_format == "channels_first"
        self.height_axis, self.width_axis, self.channels_axis = (-2, -1, -3) if first else (-3, -2, -1)
        self.built = True

    def _use_seed(self, seed: int | None) -> None:
        self.seed = seed
        self.generator = random.SeedGenerator(seed)

    # ------------------------------------------------------------------ for subclasses

    def draw(self, shape: tuple[Any, ...], seed: Any) -> dict[str, Any]:
        """The random numbers of a transformation of a batch of images of a shape."""
        return {}

    def change(self, images: Any, transformation: dict[str, Any]) -> Any:
        """A batch of images, changed."""
        return images

    def change_masks(self, masks: Any, transformation: dict[str, Any]) -> Any:
        """A batch of segmentation masks, changed; as they are unless overridden."""
        return masks

    def change_labels(self, labels: Any, transformation: dict[str, Any]) -> Any:
        """A batch of labels, changed; as they are unless overridden."""
        return labels

    def move_boxes(self, corners: Any, transformation: dict[str, Any]) -> Any:
        """A batch of boxes (left, top, right, bottom) in pixels, moved."""
        return corners

    def output_size(self, height: Any, width: Any) -> tuple[Any, Any]:
        """The height and width of the results."""
        return height, width

    # ------------------------------------------------------------------ Keras's members

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """Draw a transformation: a dict of what is random, and the shape of the images; None where nothing is to be done.

        Args:
            data: images, or a dict with `"images"`.
            training: whether to draw one; outside of training images stay as they are.
            seed: where the random numbers come from, the layer's own stream for None.
        """
        if not (training or self.always):
            return None
        images = data["images"] if isinstance(data, Mapping) else data
        shape = tuple(ops.shape(images))
        if len(shape) == 3:
            shape = (1, *shape)
        if seed is None and "generator" in self.__dict__:
            seed = self._stream(self.seed, self.generator)
        return {**self.draw(shape, seed), "input_shape": shape}

    def transform_images(self, images: Any, transformation: Any, training: bool = True) -> Any:
        """A batch of images after a transformation.

        Args:
            images: a tensor (batch, height, width, channels).
            transformation: what `get_random_transformation` gave; None changes nothing.
            training: as there.
        """
        active = transformation is not None and (training or self.always)
        if self.casts == "always" or (self.casts == "training" and active):
            images = ops.cast(images, self.compute_dtype)
        return self.change(images, transformation) if active else images

    def transform_labels(self, labels: Any, transformation: Any, training: bool = True) -> Any:
        """A batch of labels after a transformation."""
        active = transformation is not None and (training or self.always)
        return self.change_labels(labels, transformation) if active else labels

    def transform_segmentation_masks(self, segmentation_masks: Any, transformation: Any, training: bool = True) -> Any:
        """A batch of masks after a transformation."""
        active = transformation is not None and (training or self.always)
        if self.mask_casts == "always" or (self.mask_casts == "training" and active):
            segmentation_masks = ops.cast(segmentation_masks, self.compute_dtype)
        return self.change_masks(segmentation_masks, transformation) if active else segmentation_masks

    def transform_bounding_boxes(self, bounding_boxes: Any, transformation: Any, training: bool = True) -> Any:
        """A batch of boxes after a transformation, cut off at the edges; the labels of those that are outside become -1."""
        if not self.moves or transformation is None or not (training or self.always):
            return bounding_boxes
        form = self._box_format()
        shape = transformation["input_shape"]
        height, width = shape[self.height_axis], shape[self.width_axis]
        boxes = bounding_boxes["boxes"]
        kind = ops.dtype(boxes)
        corners = convert_format(boxes, form, "xyxy", height, width)
        moved = {**bounding_boxes, "boxes": self.move_boxes(corners, transformation)}
        height, width = self.output_size(height, width)
        moved = clip_to_image_size(moved, height, width, "xyxy")
        boxes = convert_format(moved["boxes"], "xyxy", form, height, width)
        return {**moved, "boxes": ops.cast(boxes, kind if "float" in kind else "float32")}

    def transform_single_image(self, image: Any, transformation: Any, training: bool = True) -> Any:
        """`transform_images` of one image."""
        return self._single(self.transform_images, image, transformation, training)

    def transform_single_label(self, label: Any, transformation: Any, training: bool = True) -> Any:
        """`transform_labels` of one label."""
        return self._single(self.transform_labels, label, transformation, training)

    def transform_single_segmentation_mask(
        self, segmentation_mask: Any, transformation: Any, training: bool = True
    ) -> Any:
        """`transform_segmentation_masks` of one mask."""
        return self._single(self.transform_segmentation_masks, segmentation_mask, transformation, training)

    def transform_single_bounding_box(self, bounding_box: Any, transformation: Any, training: bool = True) -> Any:
        """`transform_bounding_boxes` of one image's boxes."""
        return self._single(self.transform_bounding_boxes, bounding_box, transformation, training)

    # ------------------------------------------------------------------ calling

    def _single(self, transform: Any, value: Any, transformation: Any, training: bool) -> Any:
        if isinstance(value, Mapping):
            batch: Any = {key: ops.expand_dims(v, 0) for key, v in value.items()}
            out = transform(batch, transformation, training)
            return {key: ops.squeeze(v, axis=0) for key, v in out.items()}
        return ops.squeeze(transform(ops.expand_dims(value, 0), transformation, training), axis=0)

    def _box_format(self) -> str:
        if self.bounding_box_format is None:
            raise ValueError(
                f"The layer {self.name!r} was given bounding boxes, but not their format: "
                "pass `bounding_box_format='xyxy'`, say, to its constructor."
            )
        return self.bounding_box_format

    def call(self, data: Any, training: bool = True) -> Any:
        """Change images, and what belongs to them."""
        images = data["images"] if isinstance(data, Mapping) else data
        rank = len(images.shape)
        if rank not in (3, 4):
            raise ValueError(
                f"The layer {self.name!r} takes images of 3 axes, or batches of them of 4; got the shape {tuple(images.shape)}."
            )
        transformation = self.get_random_transformation(data, training=training)
        if not isinstance(data, Mapping):
            transform = self.transform_images if rank == 4 else self.transform_single_image
            return transform(images, transformation, training)
        return self._call_dict(dict(data), rank == 4, transformation, training)

    def _call_dict(self, data: dict[str, Any], batched: bool, transformation: Any, training: bool) -> dict[str, Any]:
        one = {"bounding_boxes": "bounding_box"}
        for key in ("images", "bounding_boxes", "labels", "segmentation_masks"):
            if key not in data:
                continue
            if key == "bounding_boxes":
                self._box_format()
                if not isinstance(data[key], Mapping) or not {"boxes", "labels"} <= set(data[key]):
                    raise ValueError(
                        f"`bounding_boxes` given to the layer {self.name!r} must be a dict with 'boxes' and 'labels'."
                    )
                data[key] = dict(data[key])
            method = f"transform_{key}" if batched else f"transform_single_{one.get(key, key[:-1])}"
            data[key] = getattr(self, method)(data[key], transformation, training)
        return data

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Images of the output's size; everything else as it is."""
        if isinstance(input_shape, Mapping):
            return {k: self.compute_output_shape(s) if k in _IMAGES else s for k, s in input_shape.items()}
        shape = list(input_shape)
        shape[self.height_axis], shape[self.width_axis] = self.output_size(
            shape[self.height_axis], shape[self.width_axis]
        )
        return tuple(shape)

    def compute_output_spec(self, data: Any, training: bool = True) -> Any:
        """Images of the output's size and dtype; everything else as it is."""
        if isinstance(data, Mapping):
            return {k: self._spec_of(v, k, training) for k, v in data.items()}
        return self._spec_of(data, "images", training)

    def _spec_of(self, x: Any, key: str, training: bool) -> Any:
        if key not in _IMAGES:
            return x
        when = self.casts if key == "images" else self.mask_casts
        casts = when == "always" or (when == "training" and training is not False)
        return KerasTensor(self.compute_output_shape(x.shape), self.compute_dtype if casts else x.dtype)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        config_ = {**super().get_config(), "data_format": self.data_format}
        if self.bounding_box_format is not None:
            config_["bounding_box_format"] = self.bounding_box_format
        return config_


_IMAGES = ("images", "segmentation_masks")


def per_sample(shape: tuple[Any, ...], low: float, high: float, seed: Any, axes: int = 0) -> Any:
    """A uniform random number for each sample, with `axes` axes of length 1 behind the first."""
    return random.uniform((shape[0], *(1,) * axes), low, high, dtype="float32", seed=seed)


def happens(shape: tuple[Any, ...], chance: tuple[float, float], seed: Any, axes: int = 3) -> Any:
    """Whether something is done to each sample, with a probability that is itself drawn from a range."""
    limit = per_sample(shape, *chance, seed=seed)
    return ops.reshape(ops.less(per_sample(shape, 0.0, 1.0, seed), limit), (-1, *(1,) * axes))
