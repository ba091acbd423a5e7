"""Rescaling: a fixed linear map."""

from __future__ import annotations

from typing import Any

import numpy as np

from tricera import ops
from tricera.core.serialization import serialize_keras_object
from tricera.layers.preprocessing.data_layer import DataLayer


class Rescaling(DataLayer):
    """inputs * scale + offset, in training and inference alike.

    Args:
        scale: a number, or numbers that broadcast against the inputs.
        offset: as much.
        **kwargs: those of `Layer`.

    Example:
        >>> from tricera import ops
        >>> Rescaling(1 / 127.5, offset=-1)(ops.full((1, 2), 255.0)).shape[1]
        2
    """

    def __init__(self, scale: Any, offset: Any = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        for what, value in (("scale", scale), ("offset", offset)):
            if (
                not hasattr(value, "shape")
                and np.asarray(value).dtype.kind not in "biuf"
                and not isinstance(value, dict)
            ):
                raise ValueError(f"`{what}` must be a number or an array of them, not {value!r}.")
        self.scale, self.offset = scale, offset
        self.supports_masking = True
        self.built = True

    def call(self, inputs: Any) -> Any:
        """Scale and shift."""
        dtype = self.compute_dtype
        scale, offset = (ops.cast(self.convert_weight(v), dtype) for v in (self.scale, self.offset))
        return ops.add(ops.multiply(ops.cast(inputs, dtype), scale), offset)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """That of the inputs."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {
            **super().get_config(),
            "scale": serialize_keras_object(self.scale),
            "offset": serialize_keras_object(self.offset),
        }
