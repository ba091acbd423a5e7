"""Zero padding, cropping and upsampling in one, two and three dimensions."""

from __future__ import annotations

from typing import Any

from tricera import ops
from tricera.core import config
from tricera.layers.input_spec import InputSpec
from tricera.layers.layer import Layer


class _Spatial(Layer):
    """A layer over `rank` spatial axes."""

    rank: int

    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = (
            "channels_last" if self.rank == 1 and data_format is None else config.standardize_data_format(data_format)
        )
        self.input_spec = InputSpec(ndim=self.rank + 2)
        self.built = True

    @property
    def first(self) -> int:
        """The first spatial axis."""
        return 1 if self.data_format == "channels_last" else 2

    def pairs(self, value: Any, what: str) -> tuple[tuple[int, int], ...]:
        """(before, after) for each spatial axis, from an integer, integers or pairs.

        Raises:
            ValueError: it is none of these, or negative.
        """
        if isinstance(value, int):
            value = (value,) * self.rank if self.rank > 1 else ((value, value),)
        elif self.rank == 1:
            value = (tuple(value),)
        out = tuple((v, v) if isinstance(v, int) else tuple(v) for v in value)
        if len(out) != self.rank or any(len(p) != 2 or any(not isinstance(n, int) or n < 0 for n in p) for p in out):
            raise ValueError(
                f"`{what}` of the layer {self.name!r} must be an integer, {self.rank} integers or {self.rank} pairs, not negative; got {value!r}."
            )
        return out


class _ZeroPadding(_Spatial):
    def __init__(self, padding: Any, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(data_format, **kwargs)
        self.padding = self.pairs(padding, "padding")

    def call(self, inputs: Any) -> Any:
        """Pad with zeros."""
        widths: list[tuple[int, int]] = [(0, 0)] * (self.rank + 2)
        widths[self.first : self.first + self.rank] = self.padding
        return ops.pad(inputs, widths)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        padding = self.padding[0] if self.rank == 1 else self.padding
        return {**super().get_config(), "padding": padding, "data_format": self.data_format}


class ZeroPadding1D(_ZeroPadding):
    """Zeros before and after a sequence.

    Args:
        padding: how many, an integer or (before, after).
        data_format: `"channels_last"` or `"channels_first"`.
        **kwargs: those of `Layer`.
    """

    rank = 1

    def __init__(self, padding: Any = 1, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(padding, data_format, **kwargs)


class ZeroPadding2D(_ZeroPadding):
    """Zeros around images.

    Args:
        padding: an integer, (rows, columns), or ((top, bottom), (left, right)).
        data_format: `"channels_last"` or `"channels_first"`.
        **kwargs: those of `Layer`.
    """

    rank = 2

    def __init__(self, padding: Any = (1, 1), data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(padding, data_format, **kwargs)


class ZeroPadding3D(_ZeroPadding):
    """Zeros around volumes.

    Args:
        padding: an integer, three integers, or three pairs.
        data_format: `"channels_last"` or `"channels_first"`.
        **kwargs: those of `Layer`.
    """

    rank = 3

    def __init__(self, padding: Any = ((1, 1), (1, 1), (1, 1)), data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(padding, data_format, **kwargs)


class _Cropping(_Spatial):
    def __init__(self, cropping: Any, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(data_format, **kwargs)
        self.cropping = self.pairs(cropping, "cropping")

    def call(self, inputs: Any) -> Any:
        """Crop."""
        shape = tuple(inputs.shape)
        for axis, (before, after) in enumerate(self.cropping, self.first):
            if shape[axis] is not None and before + after >= shape[axis]:
                raise ValueError(
                    f"The layer {self.name!r} crops {before} + {after} of an axis of length {shape[axis]}: nothing would be left."
                )
        key = [slice(None)] * len(shape)
        for axis, (before, after) in enumerate(self.cropping, self.first):
            key[axis] = slice(before, -after or None)
        return inputs[tuple(key)]

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The spatial axes shortened."""
        out = list(input_shape)
        for axis, (before, after) in enumerate(self.cropping, self.first):
            if out[axis] is not None:
                out[axis] -= before + after
                if out[axis] <= 0:
                    raise ValueError(
                        f"The layer {self.name!r} crops {before} + {after} of an axis of length {input_shape[axis]}: nothing would be left."
                    )
        return tuple(out)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        config_ = {**super().get_config(), "cropping": self.cropping[0] if self.rank == 1 else self.cropping}
        return config_ if self.rank == 1 else {**config_, "data_format": self.data_format}


class Cropping1D(_Cropping):
    """A sequence without its ends.

    Args:
        cropping: an integer, or (before, after).
        **kwargs: those of `Layer`.
    """

    rank = 1

    def __init__(self, cropping: Any = (1, 1), **kwargs: Any) -> None:
        super().__init__(cropping, "channels_last", **kwargs)


class Cropping2D(_Cropping):
    """Images without their edges.

    Args:
        cropping: an integer, (rows, columns), or ((top, bottom), (left, right)).
        data_format: `"channels_last"` or `"channels_first"`.
        **kwargs: those of `Layer`.
    """

    rank = 2

    def __init__(self, cropping: Any = ((0, 0), (0, 0)), data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(cropping, data_format, **kwargs)


class Cropping3D(_Cropping):
    """Volumes without their sides.

    Args:
        cropping: an integer, three integers, or three pairs.
        data_format: `"channels_last"` or `"channels_first"`.
        **kwargs: those of `Layer`.
    """

    rank = 3

    def __init__(self, cropping: Any = ((1, 1), (1, 1), (1, 1)), data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(cropping, data_format, **kwargs)


class _UpSampling(_Spatial):
    def __init__(self, size: Any, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(data_format, **kwargs)
        self.size = (size,) * self.rank if isinstance(size, int) else tuple(size)
        if len(self.size) != self.rank or any(not isinstance(n, int) or n < 1 for n in self.size):
            raise ValueError(
                f"`size` of the layer {self.name!r} must be a positive integer or {self.rank} of them; got {size!r}."
            )

    def call(self, inputs: Any) -> Any:
        """Repeat along the spatial axes."""
        for axis, n in enumerate(self.size, self.first):
            inputs = ops.repeat(inputs, n, axis=axis)
        return inputs


class UpSampling1D(_UpSampling):
    """Each time step repeated.

    Args:
        size: how often.
        **kwargs: those of `Layer`.
    """

    rank = 1

    def __init__(self, size: int = 2, **kwargs: Any) -> None:
        super().__init__(size, "channels_last", **kwargs)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {**super().get_config(), "size": self.size[0]}


class UpSampling2D(_UpSampling):
    """Images enlarged.

    Args:
        size: by which factors (rows, columns).
        data_format: `"channels_last"` or `"channels_first"`.
        interpolation: `"nearest"`, `"bilinear"`, `"bicubic"`, `"lanczos3"` or `"lanczos5"`.
        **kwargs: those of `Layer`.
    """

    rank = 2

    def __init__(
        self, size: Any = (2, 2), data_format: str | None = None, interpolation: str = "nearest", **kwargs: Any
    ) -> None:
        super().__init__(size, data_format, **kwargs)
        if interpolation not in ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5"):
            raise ValueError(f"Unknown `interpolation` {interpolation!r} of the layer {self.name!r}.")
        self.interpolation = interpolation

    def call(self, inputs: Any) -> Any:
        """Enlarge."""
        if self.interpolation == "nearest":
            return super().call(inputs)
        matrices = [resize_matrix(inputs.shape[self.first + i], n, self.interpolation) for i, n in enumerate(self.size)]
        rows, columns = (ops.convert_to_tensor(m.astype("float32")) for m in matrices)
        dtype = ops.dtype(inputs)
        equation = "bhwc,ih,jw->bijc" if self.data_format == "channels_last" else "bchw,ih,jw->bcij"
        return ops.cast(ops.einsum(equation, inputs, ops.cast(rows, dtype), ops.cast(columns, dtype)), dtype)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The spatial axes lengthened."""
        out = list(input_shape)
        for axis, n in enumerate(self.size, self.first):
            out[axis] = None if out[axis] is None else out[axis] * n
        return tuple(out)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {
            **super().get_config(),
            "size": self.size,
            "data_format": self.data_format,
            "interpolation": self.interpolation,
        }


def resize_matrix(length: int | None, factor: int, interpolation: str) -> Any:
    """The matrix (length * factor, length) that enlarges one axis, pixel centres aligned at half pixels.

    Each row holds the kernel's weights around its sample position, normalised where the kernel leaves the image.
    """
    import numpy as np

    if length is None:
        raise ValueError(f"The interpolation {interpolation!r} needs to know the lengths of the spatial axes.")
    radius = {"bilinear": 1, "bicubic": 2, "lanczos3": 3, "lanczos5": 5}[interpolation]
    at = (np.arange(length * factor) + 0.5) / factor - 0.5
    x = np.abs(at[:, None] - np.arange(length)[None, :])
    if interpolation == "bilinear":
        weights = np.maximum(1 - x, 0)
    elif interpolation == "bicubic":  # Keys 1981 with a = -1/2
        weights = np.where(x <= 1, (1.5 * x - 2.5) * x * x + 1, np.where(x < 2, ((-0.5 * x + 2.5) * x - 4) * x + 2, 0))
    else:
        weights = np.where(x < radius, np.sinc(x) * np.sinc(x / radius), 0)
    return weights / weights.sum(axis=1, keepdims=True)


class UpSampling3D(_UpSampling):
    """Volumes enlarged by repeating.

    Args:
        size: by which factors.
        data_format: `"channels_last"` or `"channels_first"`.
        **kwargs: those of `Layer`.
    """

    rank = 3

    def __init__(self, size: Any = (2, 2, 2), data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(size, data_format, **kwargs)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {**super().get_config(), "size": self.size, "data_format": self.data_format}
