"""Images sharpened, blurred and warped by neighbourhoods."""

from __future__ import annotations

from typing import Any

import numpy as np

from tricera import ops, random
from tricera.layers.preprocessing.augmentation import happens, per_sample, standardize_range
from tricera.layers.preprocessing.color import ColorLayer, blend
from tricera.layers.preprocessing.geometry import FILL_MODES
from tricera.ops.image_sampling import sampled


class RandomSharpness(ColorLayer):
    """In training, blends images with smoothed ones, or away from them: factor 0 smooths, 0.5 changes nothing, 1 sharpens.

    Args:
        factor: f for (0, f), or (lower, upper).
        value_range: the (lowest, highest) value of images.
        data_format: `"channels_last"` or `"channels_first"`; default: the configured one.
        seed: an integer, or None.
        **kwargs: `bounding_box_format`, and those of `Layer`.
    """

    casts = "always"

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
        """The share of the image itself."""
        return {"share": ops.multiply(per_sample(shape, *self.factor, seed=seed), 2.0)}

    def change(self, images: Any, transformation: dict[str, Any]) -> Any:
        """Blend; beyond the edges there are zeros."""
        first = self.data_format == "channels_first"
        x = ops.transpose(images, (0, 2, 3, 1)) if first else images
        kernel = np.array([[1, 1, 1], [1, 5, 1], [1, 1, 1]], "float32") / 13
        kernel = _of_channels(ops.convert_to_tensor(kernel, ops.dtype(x)), x)
        smooth = ops.depthwise_conv(x, kernel, 1, "same", "channels_last")
        out = self._clipped(blend(smooth, x, transformation["share"]))
        return ops.transpose(out, (0, 3, 1, 2)) if first else out


def _of_channels(kernel: Any, x: Any) -> Any:
    """A kernel (height, width) for each channel of images, channels last."""
    return ops.repeat(ops.reshape(kernel, (*kernel.shape, 1, 1)), x.shape[-1], axis=2)


def bell(size: int, sigma: Any) -> Any:
    """A Gaussian bell of a sum of 1; sigma may be a tensor."""
    at = np.arange(size, dtype="float32") - (size - 1) / 2
    found = ops.exp(ops.multiply(-0.5, ops.square(ops.divide(at, ops.maximum(sigma, 1e-6)))))
    return ops.divide(found, ops.sum(found))


class RandomGaussianBlur(ColorLayer):
    """In training, smooths images taken at random by a Gaussian bell of random width.

    Args:
        factor: the chance: f for one that is drawn from (0, f), or (lower, upper).
        kernel_size: the bell's width and height, odd numbers.
        sigma: its standard deviations along width and height: s for (0, s), or (lower, upper).
        value_range: the (lowest, highest) value of images.
        data_format: `"channels_last"` or `"channels_first"`; default: the configured one.
        seed: an integer, or None.
        **kwargs: `bounding_box_format`, and those of `Layer`.
    """

    casts = "always"

    def __init__(
        self,
        factor: Any = 1.0,
        kernel_size: Any = 3,
        sigma: Any = 1.0,
        value_range: Any = (0, 255),
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(value_range, seed, data_format, **kwargs)
        self.factor = self._factor_of(factor)
        sizes = (kernel_size, kernel_size) if isinstance(kernel_size, int) else tuple(kernel_size)
        if len(sizes) != 2 or any(not isinstance(n, int) or n < 1 or n % 2 == 0 for n in sizes):
            raise ValueError(
                f"`kernel_size` of the layer {self.name!r} must be an odd number or a pair of them; got {kernel_size!r}."
            )
        self.kernel_size = sizes
        self.sigma = standardize_range(self.name, "sigma", sigma)

    def draw(self, shape: tuple[Any, ...], seed: Any) -> dict[str, Any]:
        """Which images are blurred, and how much."""
        sigma = random.uniform((2,), *self.sigma, dtype="float32", seed=seed)
        return {"apply": happens(shape, self.factor, seed), "sigma": sigma}

    def change(self, images: Any, transformation: dict[str, Any]) -> Any:
        """Blur where it was drawn."""
        first = self.data_format == "channels_first"
        x = ops.transpose(images, (0, 2, 3, 1)) if first else images
        across, down = (bell(n, transformation["sigma"][i]) for i, n in enumerate(self.kernel_size))
        kernel = ops.cast(ops.multiply(ops.expand_dims(down, 1), across), ops.dtype(x))
        out = self._clipped(ops.depthwise_conv(x, _of_channels(kernel, x), 1, "same", "channels_last"))
        out = ops.transpose(out, (0, 3, 1, 2)) if first else out
        return ops.where(transformation["apply"], out, images)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {**super().get_config(), "kernel_size": self.kernel_size, "sigma": self.sigma}


class RandomElasticTransform(ColorLayer):
    """In training, warps images taken at random as if they were of rubber: pixels move at random, neighbours alike.

    Pixels move by smoothed normal noise, about a thirtieth of the image's longer side at full strength, neighbours within a
    twentieth of the shorter side together (Simard, Steinkraus and Platt 2003).

    Args:
        factor: the chance: f for one that is drawn from (0, f), or (lower, upper).
        scale: the strength: s for (0, s), or (lower, upper).
        interpolation: `"bilinear"` or `"nearest"`.
        fill_mode: what comes into the image: `"reflect"`, `"constant"`, `"wrap"` or `"nearest"`.
        fill_value: the constant.
        value_range: the (lowest, highest) value of images.
        seed: an integer, or None.
        data_format: `"channels_last"` or `"channels_first"`; default: the configured one.
        **kwargs: those of `Layer`.
    """

    casts = "always"

    def __init__(
        self,
        factor: Any = 1.0,
        scale: Any = 1.0,
        interpolation: str = "bilinear",
        fill_mode: str = "reflect",
        fill_value: float = 0.0,
        value_range: Any = (0, 255),
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(value_range, seed, data_format, **kwargs)
        self.factor = self._factor_of(factor)
        self.scale = standardize_range(self.name, "scale", scale)
        if fill_mode not in FILL_MODES:
            raise ValueError(f"`fill_mode` of the layer {self.name!r} must be one of {FILL_MODES}; got {fill_mode!r}.")
        if interpolation not in ("nearest", "bilinear"):
            raise ValueError(
                f"`interpolation` of the layer {self.name!r} must be 'nearest' or 'bilinear'; got {interpolation!r}."
            )
        self.interpolation, self.fill_mode, self.fill_value = interpolation, fill_mode, fill_value

    def get_elastic_transform_params(self, height: Any, width: Any, factor: Any) -> tuple[Any, Any]:
        """How far pixels move (alpha), and how far neighbours do together (sigma), for images of a size."""
        return max(height, width) * 0.1 * factor, min(height, width) * 0.05 * factor

    def draw(self, shape: tuple[Any, ...], seed: Any) -> dict[str, Any]:
        """Which images are warped, how strongly, and the noise."""
        height, width = shape[self.height_axis], shape[self.width_axis]
        strength = random.uniform((), *self.scale, dtype="float32", seed=seed)
        noise = random.normal((shape[0], height, width, 2), dtype="float32", seed=seed)
        return {"apply": happens(shape, self.factor, seed), "strength": strength, "noise": noise}

    def _places(self, transformation: dict[str, Any]) -> list[Any]:
        """The rows and columns at which images are read, (batch, pixels) each."""
        noise = transformation["noise"]
        height, width = noise.shape[1:3]
        alpha, sigma = self.get_elastic_transform_params(height, width, transformation["strength"])
        widest = self.get_elastic_transform_params(height, width, max(abs(s) for s in self.scale))[1]
        size = max(3, int(6 * widest) | 1)
        curve = bell(size, sigma)
        for shape in ((size, 1), (1, size)):
            noise = ops.depthwise_conv(
                noise, _of_channels(ops.reshape(curve, shape), noise), 1, "same", "channels_last"
            )
        moved = ops.multiply(ops.reshape(noise, (-1, height * width, 2)), ops.multiply(alpha, sigma))
        rows, columns = np.divmod(np.arange(height * width, dtype="float32"), np.float32(width))
        return [ops.add(moved[..., 0], rows), ops.add(moved[..., 1], columns)]

    def _warped(self, images: Any, transformation: dict[str, Any], order: int) -> Any:
        first = self.data_format == "channels_first"
        x = ops.transpose(images, (0, 2, 3, 1)) if first else images
        height, width, channels = x.shape[1:]
        flat = ops.reshape(x, (-1, height * width, channels))
        places = self._places(transformation)
        out = sampled(flat, (height, width), places, order, self.fill_mode, self.fill_value)
        out = ops.reshape(out, (-1, height, width, channels))
        out = ops.transpose(out, (0, 3, 1, 2)) if first else out
        return ops.where(transformation["apply"], ops.cast(out, ops.dtype(images)), images)

    def change(self, images: Any, transformation: dict[str, Any]) -> Any:
        """Warp where it was drawn."""
        return self._clipped(self._warped(images, transformation, 0 if self.interpolation == "nearest" else 1))

    def change_masks(self, masks: Any, transformation: dict[str, Any]) -> Any:
        """Warp, without interpolating classes."""
        return self._warped(masks, transformation, 0)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {
            **super().get_config(),
            "scale": self.scale,
            "interpolation": self.interpolation,
            "fill_mode": self.fill_mode,
            "fill_value": self.fill_value,
        }
