"""Colours changed at random: brightness, contrast, hue, saturation and their kin."""

from __future__ import annotations

from typing import Any

from tricera import ops
from tricera.layers.preprocessing.augmentation import (
    ImageLayer,
    happens,
    per_sample,
    standardize_range,
    standardize_value_range,
)


class ColorLayer(ImageLayer):
    """A layer that changes values within a range.

    Args:
        value_range: the (lowest, highest) value of images.
        seed: an integer, or None; False for a layer without random numbers.
        data_format: `"channels_last"` or `"channels_first"`; default: the configured one.
        **kwargs: `bounding_box_format`, and those of `Layer`.
    """

    def __init__(self, value_range: Any, seed: Any, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.value_range = value_range
        self._low, self._high = standardize_value_range(self.name, value_range)
        if seed is not False:
            self._use_seed(seed)

    def _factor_of(self, factor: Any, **options: Any) -> tuple[Any, Any]:
        return standardize_range(self.name, "factor", factor, **options)

    def _clipped(self, images: Any) -> Any:
        return ops.clip(images, self._low, self._high)

    def _unit(self, images: Any) -> Any:
        """With values from 0 to 1."""
        images = ops.subtract(images, self._low) if self._low else images
        return ops.multiply(images, 1.0 / (self._high - self._low)) if self._high - self._low != 1 else images

    def _back(self, images: Any) -> Any:
        """With values of the range again."""
        images = ops.multiply(images, float(self._high - self._low)) if self._high - self._low != 1 else images
        return ops.add(images, self._low) if self._low else images

    def _gray(self, images: Any) -> Any:
        return ops.image.rgb_to_grayscale(images, data_format=self.data_format)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        config_ = {**super().get_config(), "value_range": self.value_range}
        if "generator" in self.__dict__:
            config_["seed"] = self.seed
        if "factor" in self.__dict__:
            config_["factor"] = self.__dict__["factor"]
        return config_


def like(numbers: Any, images: Any) -> Any:
    """One number a sample, in the images' dtype and as many axes."""
    return ops.cast(ops.reshape(numbers, (-1, 1, 1, 1)), ops.dtype(images))


def blend(one: Any, two: Any, share: Any) -> Any:
    """one + (two - one) * share."""
    return ops.add(one, ops.multiply(ops.subtract(two, one), like(share, one)))


class RandomBrightness(ColorLayer):
    """In training, adds a random fraction of the value range to images, and cuts off what leaves it.

    Args:
        factor: f for (-f, f), or (lower, upper); -1 makes images black, 1 white.
        value_range: the (lowest, highest) value of images.
        seed: an integer, or None.
        **kwargs: `bounding_box_format`, `data_format`, and those of `Layer`.

    Integers stay integers.
    """

    casts = "never"

    def __init__(self, factor: Any, value_range: Any = (0, 255), seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(value_range, seed, **kwargs)
        self.factor = self._factor_of(factor, mirrored=True)

    def draw(self, shape: tuple[Any, ...], seed: Any) -> dict[str, Any]:
        """What is added."""
        size = self._high - self._low
        return {"delta": per_sample(shape, self.factor[0] * size, self.factor[1] * size, seed, 3)}

    def change(self, images: Any, transformation: dict[str, Any]) -> Any:
        """Add."""
        kind = ops.dtype(images)
        x = images if "float" in kind else ops.cast(images, self.compute_dtype)
        return ops.cast(self._clipped(ops.add(x, ops.cast(transformation["delta"], ops.dtype(x)))), kind)


class RandomContrast(ColorLayer):
    """In training, scales each channel's distance from its mean by a random factor: (x - mean) * factor + mean.

    Args:
        factor: f for a factor from 1 - f to 1 + f, or (lower, upper) for one from 1 - lower to 1 + upper.
        value_range: the (lowest, highest) value of images.
        seed: an integer, or None.
        **kwargs: `bounding_box_format`, `data_format`, and those of `Layer`.
    """

    def __init__(self, factor: Any, value_range: Any = (0, 255), seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(value_range, seed, **kwargs)
        self.factor = self._factor_of(factor)

    def draw(self, shape: tuple[Any, ...], seed: Any) -> dict[str, Any]:
        """The factors."""
        return {"contrast": per_sample(shape, 1.0 - self.factor[0], 1.0 + self.factor[1], seed, 3)}

    def change(self, images: Any, transformation: dict[str, Any]) -> Any:
        """Scale around the means."""
        mean = ops.mean(images, axis=(self.height_axis, self.width_axis), keepdims=True)
        scaled = ops.multiply(ops.subtract(images, mean), like(transformation["contrast"], images))
        return self._clipped(ops.add(scaled, mean))


class RandomHue(ColorLayer):
    """In training, turns the hue of RGB images by random parts of half a circle, in a random direction.

    Args:
        factor: f for (0, f), or (lower, upper); 0 changes nothing.
        value_range: the (lowest, highest) value of images.
        data_format: `"channels_last"` or `"channels_first"`; default: the configured one.
        seed: an integer, or None.
        **kwargs: `bounding_box_format`, and those of `Layer`.
    """

    def __init__(
        self,
        factor: Any,
        value_range: Any = (0, 255),
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(value_range, seed, data_format, **kwargs)
        self.factor = self._factor_of(factor)

    def draw(self, shape: tuple[Any, ...], seed: Any) -> dict[str, Any]:
        """Signed parts of a circle."""
        size = ops.multiply(per_sample(shape, *self.factor, seed=seed), 0.5)
        sign = ops.where(ops.less(per_sample(shape, 0.0, 1.0, seed), 0.5), 1.0, -1.0)
        return {"hue": ops.multiply(size, sign)}

    def change(self, images: Any, transformation: dict[str, Any]) -> Any:
        """Turn the hue."""
        hsv = ops.image.rgb_to_hsv(self._unit(images), data_format=self.data_format)
        hue, saturation, value = ops.split(hsv, 3, axis=self.channels_axis)
        hue = ops.mod(ops.add(hue, like(transformation["hue"], hue)), 1.0)
        hsv = ops.concatenate([hue, saturation, value], axis=self.channels_axis)
        return self._clipped(self._back(ops.image.hsv_to_rgb(hsv, data_format=self.data_format)))


class RandomSaturation(ColorLayer):
    """In training, scales the saturation of RGB images by factor / (1 - factor): 0 is gray, 0.5 changes nothing, 1 saturates.

    Args:
        factor: f for (0, f), or (lower, upper).
        value_range: the (lowest, highest) value of images.
        data_format: `"channels_last"` or `"channels_first"`; default: the configured one.
        seed: an integer, or None.
        **kwargs: `bounding_box_format`, and those of `Layer`.
    """

    def __init__(
        self,
        factor: Any,
        value_range: Any = (0, 255),
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(value_range, seed, data_format, **kwargs)
        self.factor = self._factor_of(factor, mirrored=True)

    def draw(self, shape: tuple[Any, ...], seed: Any) -> dict[str, Any]:
        """The scales."""
        factor = per_sample(shape, *self.factor, seed=seed)
        return {"saturation": ops.divide(factor, ops.maximum(ops.subtract(1.0, factor), 1e-7))}

    def change(self, images: Any, transformation: dict[str, Any]) -> Any:
        """Scale the saturation."""
        hsv = ops.image.rgb_to_hsv(self._unit(images), data_format=self.data_format)
        hue, saturation, value = ops.split(hsv, 3, axis=self.channels_axis)
        saturation = ops.clip(ops.multiply(saturation, like(transformation["saturation"], saturation)), 0.0, 1.0)
        hsv = ops.concatenate([hue, saturation, value], axis=self.channels_axis)
        return self._clipped(self._back(ops.image.hsv_to_rgb(hsv, data_format=self.data_format)))


class RandomColorDegeneration(ColorLayer):
    """In training, blends RGB images with their gray versions.

    Args:
        factor: the share of gray: f for (0, f), or (lower, upper).
        value_range: the (lowest, highest) value of images.
        data_format: `"channels_last"` or `"channels_first"`; default: the configured one.
        seed: an integer, or None.
        **kwargs: `bounding_box_format`, and those of `Layer`.
    """

    def __init__(
        self,
        factor: Any,
        value_range: Any = (0, 255),
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(value_range, seed, data_format, **kwargs)
        self.factor = self._factor_of(factor, mirrored=True)

    def draw(self, shape: tuple[Any, ...], seed: Any) -> dict[str, Any]:
        """The shares."""
        return {"share": per_sample(shape, *self.factor, seed=seed)}

    def change(self, images: Any, transformation: dict[str, Any]) -> Any:
        """Blend."""
        return self._clipped(blend(images, self._gray(images), transformation["share"]))


class RandomColorJitter(ColorLayer):
    """In training, changes brightness, contrast, saturation and hue at random, those of which a factor is given.

    Args:
        value_range: the (lowest, highest) value of images.
        brightness_factor: as for `RandomBrightness`, or None.
        contrast_factor: as for `RandomContrast`, or None.
        saturation_factor: as for `RandomSaturation`, or None.
        hue_factor: as for `RandomHue`, or None.
        seed: an integer, or None.
        data_format: `"channels_last"` or `"channels_first"`; default: the configured one.
        **kwargs: `bounding_box_format`, and those of `Layer`.
    """

    def __init__(
        self,
        value_range: Any = (0, 255),
        brightness_factor: Any = None,
        contrast_factor: Any = None,
        saturation_factor: Any = None,
        hue_factor: Any = None,
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(value_range, seed, data_format, **kwargs)
        self.brightness_factor, self.contrast_factor = brightness_factor, contrast_factor
        self.saturation_factor, self.hue_factor = saturation_factor, hue_factor
        rest = {"value_range": value_range, "data_format": self.data_format, "dtype": self.dtype_policy}
        kinds = (
            (RandomBrightness, brightness_factor),
            (RandomContrast, contrast_factor),
            (RandomSaturation, saturation_factor),
            (RandomHue, hue_factor),
        )
        # These draw from this layer's stream.
        self._steps = [kind(factor, **rest) for kind, factor in kinds if factor is not None]
        self._unowned = {*self._unowned, "_steps"}

    def draw(self, shape: tuple[Any, ...], seed: Any) -> dict[str, Any]:
        """The numbers of each step."""
        return {"steps": [{**step.draw(shape, seed), "input_shape": shape} for step in self._steps]}

    def change(self, images: Any, transformation: dict[str, Any]) -> Any:
        """One step after the other."""
        for step, drawn in zip(self._steps, transformation["steps"], strict=True):
            images = step.transform_images(images, drawn)
        return images

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {
            **super().get_config(),
            "brightness_factor": self.brightness_factor,
            "contrast_factor": self.contrast_factor,
            "saturation_factor": self.saturation_factor,
            "hue_factor": self.hue_factor,
        }


class RandomGrayscale(ImageLayer):
    """In training, makes RGB images gray with a given probability; they keep three channels.

    Args:
        factor: the probability.
        data_format: `"channels_last"` or `"channels_first"`; default: the configured one.
        seed: an integer, or None.
        **kwargs: `bounding_box_format`, and those of `Layer`.

    Integers stay integers.
    """

    casts = "never"

    def __init__(
        self, factor: float = 0.5, data_format: str | None = None, seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        if isinstance(factor, bool) or not isinstance(factor, (int, float)) or not 0 <= factor <= 1:
            raise ValueError(f"`factor` of the layer {self.name!r} must be a probability, from 0 to 1; got {factor!r}.")
        self.factor = factor
        self._use_seed(seed)

    def draw(self, shape: tuple[Any, ...], seed: Any) -> dict[str, Any]:
        """Which images become gray."""
        return {"apply": happens(shape, (self.factor, self.factor), seed)}

    def change(self, images: Any, transformation: dict[str, Any]) -> Any:
        """Gray where it was drawn."""
        gray = ops.image.rgb_to_grayscale(images, data_format=self.data_format)
        return ops.where(transformation["apply"], ops.cast(gray, ops.dtype(images)), images)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {**super().get_config(), "factor": self.factor}


class RandomInvert(ColorLayer):
    """In training, replaces values x by highest + lowest - x in images taken at random.

    Args:
        factor: the chance: f for one that is drawn from (0, f), or (lower, upper).
        value_range: the (lowest, highest) value of images.
        seed: an integer, or None.
        data_format: `"channels_last"` or `"channels_first"`; default: the configured one.
        **kwargs: `bounding_box_format`, and those of `Layer`.
    """

    def __init__(
        self,
        factor: Any = 1.0,
        value_range: Any = (0, 255),
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(value_range, seed, data_format, **kwargs)
        self.factor = self._factor_of(factor)

    def draw(self, shape: tuple[Any, ...], seed: Any) -> dict[str, Any]:
        """Which images are inverted."""
        return {"apply": happens(shape, self.factor, seed)}

    def change(self, images: Any, transformation: dict[str, Any]) -> Any:
        """Invert where it was drawn."""
        return ops.where(transformation["apply"], ops.subtract(self._low + self._high, images), images)


class RandomPosterization(ColorLayer):
    """In training, keeps only the highest bits of each channel, taken as 8-bit numbers.

    Args:
        factor: how many bits, from 1 to 8: n for (1, n), or (lower, upper). The upper end is not reached, unless both are equal.
        value_range: the (lowest, highest) value of images.
        data_format: `"channels_last"` or `"channels_first"`; default: the configured one.
        seed: an integer, or None.
        **kwargs: `bounding_box_format`, and those of `Layer`.
    """

    def __init__(
        self,
        factor: Any,
        value_range: Any = (0, 255),
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(value_range, seed, data_format, **kwargs)
        ends = (1, factor) if isinstance(factor, (int, float)) and not isinstance(factor, bool) else factor
        self.factor = standardize_range(self.name, "factor", ends, (1.0, 8.0), strict=True)

    def draw(self, shape: tuple[Any, ...], seed: Any) -> dict[str, Any]:
        """How many bits go."""
        low, high = self.factor
        kept = ops.floor(per_sample(shape, low, high, seed))
        return {"step": ops.power(2.0, ops.subtract(8.0, kept))}

    def change(self, images: Any, transformation: dict[str, Any]) -> Any:
        """Round down to multiples of the step."""
        step = like(transformation["step"], images)
        levels = ops.floor(ops.multiply(self._unit(images), 255.0))
        kept = ops.multiply(ops.floor(ops.divide(levels, step)), step)
        return self._back(ops.multiply(kept, 1 / 255.0))


class Solarization(ColorLayer):
    """In training, adds a random number to images, then replaces values x above a random threshold by highest + lowest - x.

    Args:
        addition_factor: the number as a fraction of the value range: f for (0, f), or (lower, upper), within [0, 1].
        threshold_factor: the threshold as a fraction of the value range, in the same way.
        value_range: the (lowest, highest) value of images.
        seed: an integer, or None.
        **kwargs: `bounding_box_format`, `data_format`, and those of `Layer`.
    """

    casts = "always"

    def __init__(
        self,
        addition_factor: Any = 0.0,
        threshold_factor: Any = 0.0,
        value_range: Any = (0, 255),
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(value_range, seed, **kwargs)
        bounds: dict[str, Any] = {"bounds": (0, 1), "strict": True}
        self.addition_factor = standardize_range(self.name, "addition_factor", addition_factor, **bounds)
        self.threshold_factor = standardize_range(self.name, "threshold_factor", threshold_factor, **bounds)

    def draw(self, shape: tuple[Any, ...], seed: Any) -> dict[str, Any]:
        """What is added, and the threshold."""
        size = self._high - self._low
        ends = [(f[0] * size, f[1] * size) for f in (self.addition_factor, self.threshold_factor)]
        return {name: per_sample(shape, *e, seed=seed) for name, e in zip(("addition", "threshold"), ends, strict=True)}

    def change(self, images: Any, transformation: dict[str, Any]) -> Any:
        """Add, then invert what is above the threshold."""
        x = self._clipped(ops.add(images, like(transformation["addition"], images)))
        limit = ops.add(like(transformation["threshold"], images), self._low)
        return self._clipped(ops.where(ops.less(x, limit), x, ops.subtract(self._low + self._high, x)))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {
            **super().get_config(),
            "addition_factor": self.addition_factor,
            "threshold_factor": self.threshold_factor,
        }


class AutoContrast(ColorLayer):
    """Stretches each channel of each image over the whole value range, in training and inference alike.

    Args:
        value_range: the (lowest, highest) value of images.
        **kwargs: `bounding_box_format`, `data_format`, and those of `Layer`.
    """

    always = True
    casts = "always"

    def __init__(self, value_range: Any = (0, 255), **kwargs: Any) -> None:
        super().__init__(value_range, False, **kwargs)

    def change(self, images: Any, transformation: dict[str, Any]) -> Any:
        """Stretch; channels of one value stay."""
        axes = (self.height_axis, self.width_axis)
        low, high = ops.min(images, axis=axes, keepdims=True), ops.max(images, axis=axes, keepdims=True)
        size = ops.subtract(high, low)
        flat = ops.equal(size, 0)
        scale = ops.divide(float(self._high - self._low), ops.where(flat, ops.ones_like(size), size))
        stretched = ops.add(ops.multiply(ops.subtract(images, low), scale), self._low)
        return ops.where(flat, images, self._clipped(stretched))
