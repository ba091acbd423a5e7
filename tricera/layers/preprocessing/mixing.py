"""Images mixed with each other, erased in part, and how many boxes there may be."""

from __future__ import annotations

from typing import Any

import numpy as np

from tricera import ops, random
from tricera.core.tensor import KerasTensor
from tricera.layers.preprocessing.augmentation import ImageLayer, happens, per_sample, standardize_range
from tricera.layers.preprocessing.color import ColorLayer, like


def window(layer: ImageLayer, shape: tuple[Any, ...], share: Any, seed: Any) -> Any:
    """True inside a rectangle of each sample, of the image's aspect ratio and about a share of its area, at a random place.

    Args:
        layer: whose data format holds.
        shape: of the images.
        share: the part of the area, one a sample, (batch, 1, 1, 1).
        seed: where the random numbers come from.

    Returns:
        A bool tensor that broadcasts against the images.
    """
    side = ops.sqrt(share)
    inside: Any = None
    for axis in (layer.height_axis, layer.width_axis):
        length = ops.cast(shape[axis], "float32")
        size = ops.round(ops.multiply(side, length))
        start = ops.floor(ops.multiply(per_sample(shape, 0.0, 1.0, seed, 3), ops.add(ops.subtract(length, size), 1.0)))
        places = [1, 1, 1, 1]
        places[axis] = -1
        at = ops.reshape(ops.cast(ops.arange(shape[axis], dtype="int32"), "float32"), tuple(places))
        here = ops.logical_and(ops.greater_equal(at, start), ops.less(at, ops.add(start, size)))
        inside = here if inside is None else ops.logical_and(inside, here)
    return inside


class RandomErasing(ColorLayer):
    """In training, replaces a rectangle of images taken at random by a value or noise (Zhong et al. 2020).

    Args:
        factor: the chance: f for one that is drawn from (0, f), or (lower, upper).
        scale: the part of the area that goes: (lower, upper).
        fill_value: the value; None: normal noise, scaled to and cut off at the value range.
        value_range: the (lowest, highest) value of images.
        seed: an integer, or None.
        data_format: `"channels_last"` or `"channels_first"`; default: the configured one.
        **kwargs: `bounding_box_format`, and those of `Layer`.
    """

    casts = "always"

    def __init__(
        self,
        factor: Any = 1.0,
        scale: Any = (0.02, 0.33),
        fill_value: Any = None,
        value_range: Any = (0, 255),
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(value_range, seed, data_format, **kwargs)
        self.factor = self._factor_of(factor)
        self.scale = standardize_range(self.name, "scale", scale)
        self.fill_value = fill_value

    def draw(self, shape: tuple[Any, ...], seed: Any) -> dict[str, Any]:
        """Where what is written."""
        share = ops.clip(per_sample(shape, *self.scale, seed=seed, axes=3), 0.0, 1.0)
        inside = ops.logical_and(happens(shape, self.factor, seed), window(self, shape, share, seed))
        if self.fill_value is not None:
            return {"inside": inside, "fill": float(self.fill_value)}
        noise = random.normal(shape, dtype="float32", seed=seed)
        fill = ops.add(ops.multiply(noise, float(self._high - self._low)), float(self._low))
        return {"inside": inside, "fill": self._clipped(fill)}

    def change(self, images: Any, transformation: dict[str, Any]) -> Any:
        """Write over the rectangles."""
        fill = ops.cast(transformation["fill"], ops.dtype(images))
        return ops.where(transformation["inside"], fill, images)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {**super().get_config(), "scale": self.scale, "fill_value": self.fill_value}


class _Mixing(ImageLayer):
    """Samples mixed with others of the batch, in the order that was drawn."""

    def __init__(self, seed: int | None, data_format: str | None, **kwargs: Any) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self._use_seed(seed)

    def _order(self, shape: tuple[Any, ...], seed: Any) -> Any:
        return random.shuffle(ops.arange(shape[0], dtype="int32"), seed=seed)

    def _weights(self, shape: tuple[Any, ...], alpha: Any, seed: Any) -> Any:
        return random.beta((shape[0],), alpha, alpha, dtype="float32", seed=seed)

    def change_labels(self, labels: Any, transformation: dict[str, Any]) -> Any:
        """weight * label + (1 - weight) * the other's."""
        labels = ops.cast(labels, self.compute_dtype)
        weight = ops.reshape(transformation["weight"], (-1, *(1,) * (len(labels.shape) - 1)))
        return _mixed(labels, ops.take(labels, transformation["order"], axis=0), ops.cast(weight, ops.dtype(labels)))


def _mixed(one: Any, two: Any, weight: Any) -> Any:
    return ops.add(ops.multiply(weight, one), ops.multiply(ops.subtract(1.0, weight), two))


class CutMix(_Mixing):
    """In training, pastes a rectangle of another image into each image, and mixes labels by area (Yun et al. 2019).

    An image keeps the part of its area that is drawn from Beta(f, f).

    Args:
        factor: f, drawn from (0, factor) or (lower, upper), at most 1.
        seed: an integer, or None.
        data_format: `"channels_last"` or `"channels_first"`; default: the configured one.
        **kwargs: those of `Layer`.

    Labels are vectors (one-hot, say). Boxes can't be mixed in this way.
    """

    casts = "always"

    def __init__(
        self, factor: Any = 1.0, seed: int | None = None, data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(seed, data_format, **kwargs)
        self.factor = standardize_range(self.name, "factor", factor)

    def draw(self, shape: tuple[Any, ...], seed: Any) -> dict[str, Any]:
        """With which images, and where."""
        alpha = ops.maximum(per_sample(shape, *self.factor, seed=seed), 1e-3)
        weight = self._weights(shape, alpha, seed)
        share = ops.reshape(ops.subtract(1.0, weight), (-1, 1, 1, 1))
        return {"order": self._order(shape, seed), "weight": weight, "inside": window(self, shape, share, seed)}

    def change(self, images: Any, transformation: dict[str, Any]) -> Any:
        """Paste."""
        return ops.where(transformation["inside"], ops.take(images, transformation["order"], axis=0), images)

    def change_masks(self, masks: Any, transformation: dict[str, Any]) -> Any:
        """Paste."""
        return self.change(masks, transformation)

    def transform_bounding_boxes(self, bounding_boxes: Any, transformation: Any, training: bool = True) -> Any:
        """Refuse, unless nothing is done.

        Raises:
            NotImplementedError: always in training.
        """
        if transformation is None or not training:
            return bounding_boxes
        raise NotImplementedError("CutMix does not take bounding boxes: those of a pasted rectangle are not known.")

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {**super().get_config(), "factor": self.factor, "seed": self.seed}


class MixUp(_Mixing):
    """In training, w image + (1 - w) another image, and labels likewise, with w from Beta(alpha, alpha) (Zhang et al. 2018).

    Args:
        alpha: the smaller, the less is mixed; positive.
        data_format: `"channels_last"` or `"channels_first"`; default: the configured one.
        seed: an integer, or None.
        **kwargs: `bounding_box_format`, and those of `Layer`.

    The boxes of both images are joined (Zhang et al. 2019).
    """

    mask_casts = "training"

    def __init__(
        self, alpha: float = 0.2, data_format: str | None = None, seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(seed, data_format, **kwargs)
        if isinstance(alpha, bool) or not isinstance(alpha, (int, float)) or alpha <= 0:
            raise ValueError(f"`alpha` of the layer {self.name!r} must be a positive number; got {alpha!r}.")
        self.alpha = alpha

    def draw(self, shape: tuple[Any, ...], seed: Any) -> dict[str, Any]:
        """With which images, and how much."""
        weight = self._weights(shape, np.float32(self.alpha), seed)
        return {"order": self._order(shape, seed), "weight": weight}

    def change(self, images: Any, transformation: dict[str, Any]) -> Any:
        """Blend."""
        other = ops.take(images, transformation["order"], axis=0)
        return _mixed(images, other, like(transformation["weight"], images))

    def change_masks(self, masks: Any, transformation: dict[str, Any]) -> Any:
        """Blend."""
        return self.change(masks, transformation)

    def transform_bounding_boxes(self, bounding_boxes: Any, transformation: Any, training: bool = True) -> Any:
        """The boxes of both images, one after the other."""
        if transformation is None or not training:
            return bounding_boxes
        order = transformation["order"]
        return {k: ops.concatenate([v, ops.take(v, order, axis=0)], axis=1) for k, v in bounding_boxes.items()}

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {**super().get_config(), "alpha": self.alpha, "seed": self.seed}


class MaxNumBoundingBoxes(ImageLayer):
    """Exactly so many boxes an image: the first ones, or with padding behind, in training and inference alike.

    Args:
        max_number: how many.
        fill_value: the padding's coordinates and labels.
        **kwargs: `bounding_box_format`, and those of `Layer`.
    """

    always = True
    casts = "never"

    def __init__(self, max_number: int, fill_value: float = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not isinstance(max_number, int) or isinstance(max_number, bool) or max_number < 1:
            raise ValueError(f"`max_number` of the layer {self.name!r} must be a positive integer; got {max_number!r}.")
        self.max_number, self.fill_value = max_number, fill_value

    def transform_bounding_boxes(self, bounding_boxes: Any, transformation: Any, training: bool = True) -> Any:
        """Cut off or pad."""

        def fitted(x: Any) -> Any:
            kept = x[:, : self.max_number]
            have = ops.shape(kept)[1]
            more = self.max_number - have
            if isinstance(more, int) and not more:
                return kept
            widths = ((0, 0), (0, more), *((0, 0),) * (len(x.shape) - 2))
            out = ops.pad(kept, widths, constant_values=self.fill_value)
            return ops.reshape(out, (-1, self.max_number, *tuple(x.shape)[2:]))

        return {key: fitted(value) for key, value in bounding_boxes.items()}

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The boxes' second axis has the length."""
        if not isinstance(input_shape, dict) or "bounding_boxes" not in input_shape:
            return input_shape
        boxes = {k: (s[0], self.max_number, *s[2:]) for k, s in input_shape["bounding_boxes"].items()}
        return {**input_shape, "bounding_boxes": boxes}

    def compute_output_spec(self, data: Any, training: bool = True) -> Any:
        """The boxes' second axis has the length."""
        if not isinstance(data, dict) or "bounding_boxes" not in data:
            return data
        boxes = {
            k: KerasTensor((x.shape[0], self.max_number, *x.shape[2:]), x.dtype)
            for k, x in data["bounding_boxes"].items()
        }
        return {**data, "bounding_boxes": boxes}

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        config_ = {**super().get_config(), "max_number": self.max_number}
        return config_ if self.fill_value == -1 else {**config_, "fill_value": self.fill_value}
