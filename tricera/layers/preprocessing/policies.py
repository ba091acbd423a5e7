"""Augmentations that choose among others: RandAugment, AugMix, and layers in a row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tricera import ops, random
from tricera.core.serialization import deserialize_keras_object, serialize_keras_object
from tricera.layers.call_info import info_of
from tricera.layers.layer import Layer
from tricera.layers.preprocessing.augmentation import standardize_range
from tricera.layers.preprocessing.color import (
    AutoContrast,
    ColorLayer,
    RandomBrightness,
    RandomColorDegeneration,
    RandomContrast,
    RandomPosterization,
    Solarization,
)
from tricera.layers.preprocessing.data_layer import DataLayer
from tricera.layers.preprocessing.filters import RandomSharpness
from tricera.layers.preprocessing.geometry import RandomRotation, RandomShear, RandomTranslation
from tricera.layers.preprocessing.histogram import Equalization


class _Policy(ColorLayer):
    """A layer that draws which of others it applies; all draw from its own stream of random numbers."""

    moves = True
    casts = "always"

    def __init__(
        self, value_range: Any, factor: Any, interpolation: str, seed: Any, data_format: Any, **kwargs: Any
    ) -> None:
        super().__init__(value_range, seed, data_format, **kwargs)
        self.factor = standardize_range(self.name, "factor", factor, (0, 1), strict=True)
        self.interpolation = interpolation
        self._steps: list[Any] = []
        self._unowned = {*self._unowned, "_steps"}

    def _shared(self, image_moving: bool) -> dict[str, Any]:
        rest = {
            "data_format": self.data_format,
            "bounding_box_format": self.bounding_box_format,
            "dtype": self.dtype_policy,
        }
        return (
            {**rest, "interpolation": self.interpolation} if image_moving else {**rest, "value_range": self.value_range}
        )

    def _moving(self) -> list[Any]:
        factor, rest = self.factor, self._shared(True)
        return [
            RandomShear(x_factor=factor, y_factor=factor, **rest),
            RandomTranslation(height_factor=factor, width_factor=factor, **rest),
            RandomRotation(factor=factor, **rest),
        ]

    def _colours(self) -> list[Any]:
        factor, rest = self.factor, self._shared(False)
        kinds = (RandomBrightness, RandomColorDegeneration, RandomContrast, RandomSharpness)
        return [kind(factor=factor, **rest) for kind in kinds]

    def _tones(self) -> list[Any]:
        factor, rest = self.factor, self._shared(False)
        return [
            RandomPosterization(factor=max(1, int(8 * factor[1])), **rest),
            Solarization(addition_factor=factor, threshold_factor=factor, **rest),
            AutoContrast(**rest),
            Equalization(**rest),
        ]

    def _drawn(self, shape: tuple[Any, ...], seed: Any) -> list[dict[str, Any]]:
        """A transformation for each step: all are drawn, since state can't change inside of a branch of compiled code."""
        return [{**step.draw(shape, seed), "input_shape": shape} for step in self._steps]

    def _chosen(self, which: Any, value: Any, method: str, drawn: list[dict[str, Any]], keep: bool = False) -> Any:
        """The value after the step of a number that is known only when it runs; after none at the number behind the last."""

        def branch(step: Any, transformation: dict[str, Any]) -> Callable[[Any], Any]:
            return lambda x: getattr(step, method)(x, transformation)

        branches = [branch(step, transformation) for step, transformation in zip(self._steps, drawn, strict=True)]
        if keep:
            branches.append(lambda x: x)
        return ops.switch(which, branches, value)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {**super().get_config(), "interpolation": self.interpolation}


class RandAugment(_Policy):
    """In training, so many operations in a row, each drawn from eleven (Cubuk et al. 2020).

    These are shear, translation, rotation, brightness, colour degeneration, contrast, sharpness, posterization, solarization, auto
    contrast and equalization; each batch has the same operations, with numbers of their own for each image.

    Args:
        value_range: the (lowest, highest) value of images.
        num_ops: how many operations.
        factor: their strength: f for (0, f), or (lower, upper), from 0 to 1.
        interpolation: `"bilinear"` or `"nearest"`.
        seed: an integer, or None.
        data_format: `"channels_last"` or `"channels_first"`; default: the configured one.
        **kwargs: `bounding_box_format`, and those of `Layer`.
    """

    def __init__(
        self,
        value_range: Any = (0, 255),
        num_ops: int = 2,
        factor: Any = 0.5,
        interpolation: str = "bilinear",
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(value_range, factor, interpolation, seed, data_format, **kwargs)
        if not isinstance(num_ops, int) or isinstance(num_ops, bool) or num_ops < 1:
            raise ValueError(f"`num_ops` of the layer {self.name!r} must be a positive integer; got {num_ops!r}.")
        self.num_ops = num_ops
        self._steps = [*self._moving(), *self._colours(), *self._tones()]

    def draw(self, shape: tuple[Any, ...], seed: Any) -> dict[str, Any]:
        """Which operations, and their numbers."""
        return {
            "which": random.randint((self.num_ops,), 0, len(self._steps), seed=seed),
            "steps": [self._drawn(shape, seed) for _ in range(self.num_ops)],
        }

    def _applied(self, value: Any, method: str, transformation: dict[str, Any]) -> Any:
        for i, drawn in enumerate(transformation["steps"]):
            value = self._chosen(transformation["which"][i], value, method, drawn)
        return value

    def change(self, images: Any, transformation: dict[str, Any]) -> Any:
        """One operation after the other."""
        return self._applied(images, "transform_images", transformation)

    def change_masks(self, masks: Any, transformation: dict[str, Any]) -> Any:
        """Moved as the images are."""
        return self._applied(masks, "transform_segmentation_masks", transformation)

    def transform_bounding_boxes(self, bounding_boxes: Any, transformation: Any, training: bool = True) -> Any:
        """Moved as the images are."""
        if transformation is None or not training:
            return bounding_boxes
        # The branches must agree in dtypes: those that move boxes give floats.
        boxes = {**bounding_boxes, "boxes": ops.cast(bounding_boxes["boxes"], "float32")}
        return self._applied(boxes, "transform_bounding_boxes", transformation)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {**super().get_config(), "num_ops": self.num_ops}


class AugMix(_Policy):
    """In training, images mixed with several of their augmented versions (Hendrycks et al. 2020).

    m image + (1 - m) sum_i w_i chain_i(image), where m is drawn from Beta(alpha, alpha), w from a Dirichlet distribution of the same
    parameter, and each chain is up to `chain_depth` operations in a row. Labels, boxes and masks stay.

    Args:
        value_range: the (lowest, highest) value of images.
        num_chains: how many chains.
        chain_depth: the most operations of a chain; the number is drawn from 0 to this.
        factor: their strength: f for (0, f), or (lower, upper), from 0 to 1.
        alpha: the parameter of the distributions of the weights.
        all_ops: whether brightness, colour degeneration, contrast and sharpness are among the operations.
        interpolation: `"bilinear"` or `"nearest"`.
        seed: an integer, or None.
        data_format: `"channels_last"` or `"channels_first"`; default: the configured one.
        **kwargs: `bounding_box_format`, and those of `Layer`.
    """

    moves = False

    def __init__(
        self,
        value_range: Any = (0, 255),
        num_chains: int = 3,
        chain_depth: int = 3,
        factor: Any = 0.3,
        alpha: float = 1.0,
        all_ops: bool = True,
        interpolation: str = "bilinear",
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(value_range, factor, interpolation, seed, data_format, **kwargs)
        for what, n in (("num_chains", num_chains), ("chain_depth", chain_depth)):
            if not isinstance(n, int) or isinstance(n, bool) or n < 1:
                raise ValueError(f"`{what}` of the layer {self.name!r} must be a positive integer; got {n!r}.")
        if isinstance(alpha, bool) or not isinstance(alpha, (int, float)) or alpha <= 0:
            raise ValueError(f"`alpha` of the layer {self.name!r} must be a positive number; got {alpha!r}.")
        self.num_chains, self.chain_depth, self.alpha, self.all_ops = num_chains, chain_depth, alpha, all_ops
        self._steps = [*self._moving(), *self._tones(), *(self._colours() if all_ops else [])]

    def draw(self, shape: tuple[Any, ...], seed: Any) -> dict[str, Any]:
        """The weights, the chains' lengths, and what each is made of; the number behind the last operation does nothing."""
        n, depth = self.num_chains, self.chain_depth
        weights = random.gamma((n,), float(self.alpha), dtype="float32", seed=seed)
        which = random.randint((n, depth), 0, len(self._steps), seed=seed)
        length = random.randint((n, 1), 0, depth + 1, seed=seed)
        inside = ops.less(ops.arange(depth, dtype="int32"), length)
        return {
            "weights": ops.divide(weights, ops.sum(weights)),
            "share": random.beta((), float(self.alpha), float(self.alpha), dtype="float32", seed=seed),
            "which": ops.where(inside, which, len(self._steps)),
            "steps": [[self._drawn(shape, seed) for _ in range(depth)] for _ in range(n)],
        }

    def change(self, images: Any, transformation: dict[str, Any]) -> Any:
        """Mix images and chains."""
        mixed: Any = None
        for i, chain in enumerate(transformation["steps"]):
            x = images
            for j, drawn in enumerate(chain):
                x = self._chosen(transformation["which"][i, j], x, "transform_images", drawn, keep=True)
            part = ops.multiply(x, ops.cast(transformation["weights"][i], ops.dtype(x)))
            mixed = part if mixed is None else ops.add(mixed, part)
        share = ops.cast(transformation["share"], ops.dtype(images))
        out = ops.add(ops.multiply(images, share), ops.multiply(mixed, ops.subtract(1.0, share)))
        return self._clipped(out)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {
            **super().get_config(),
            "num_chains": self.num_chains,
            "chain_depth": self.chain_depth,
            "alpha": self.alpha,
            "all_ops": self.all_ops,
        }


class Pipeline(DataLayer):
    """Layers in a row, as one layer: unlike a `Sequential` model it can be mapped over datasets of other frameworks.

    Args:
        layers: the layers.
        name: the layer's name.

    Raises:
        TypeError: not all of them are layers.
    """

    def __init__(self, layers: Any, name: str | None = None) -> None:
        super().__init__(name=name)
        wrong = next((x for x in layers if not isinstance(x, Layer)), None)
        if wrong is not None:
            raise TypeError(f"`layers` of the layer {self.name!r} must be layers; got {wrong!r}.")
        self._pipeline_layers = list(layers)
        self._convert_input_args = False

    @property
    def layers(self) -> list[Any]:
        """The layers, in order."""
        return self._pipeline_layers

    def call(self, inputs: Any, training: bool = True, mask: Any = None) -> Any:
        """Call one layer after the other.

        Args:
            inputs: what the first layer takes.
            training: for the layers that take it.
            mask: for the layers that take it.
        """
        for layer in self._pipeline_layers:
            names = info_of(getattr(type(layer), "_public_class", type(layer))).names
            given = {k: v for k, v in (("training", training), ("mask", mask)) if k in names and v is not None}
            inputs = layer(inputs, **given)
        return inputs

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Make a layer from what `get_config` gave."""
        layers = [x if isinstance(x, Layer) else deserialize_keras_object(x) for x in config["layers"]]
        return cls(**{**config, "layers": layers})

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {"layers": [serialize_keras_object(layer) for layer in self._pipeline_layers], "name": self.name}
