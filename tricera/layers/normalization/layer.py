"""Normalizations of single samples: layer, RMS, unit."""

from __future__ import annotations

import warnings
from typing import Any

from tricera import ops
from tricera.core import checks
from tricera.layers.layer import Layer
from tricera.layers.normalization.base import ScaledNormalization, axes_of, in_axis_order


class LayerNormalization(ScaledNormalization):
    """gamma * (x - mean) / sqrt(variance + epsilon) + beta over axes of each sample (Ba et al. 2016).

    Args:
        axis: an axis or several.
        epsilon: keeps the root off 0.
        center: learn an offset.
        scale: learn a scale.
        beta_initializer: of the offset.
        gamma_initializer: of the scale.
        beta_regularizer: of the offset.
        gamma_regularizer: of the scale.
        beta_constraint: of the offset.
        gamma_constraint: of the scale.
        **kwargs: those of `Layer`, and `rms_scaling`, which files of earlier models may set: gamma * x / sqrt(variance + epsilon).
    """

    def __init__(
        self, axis: Any = -1, epsilon: float = 0.001, center: bool = True, scale: bool = True, beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones", beta_regularizer: Any = None, gamma_regularizer: Any = None, beta_constraint: Any = None,
        gamma_constraint: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        self.rms_scaling = bool(kwargs.pop("rms_scaling", False))
        if self.rms_scaling:
            warnings.warn(
                "LayerNormalization's `rms_scaling` is deprecated: it divides by the deviation, not by the root of the mean "
                "square. Use RMSNormalization.",
                stacklevel=3,
            )
        super().__init__(
            epsilon, center, scale, beta_initializer, gamma_initializer, beta_regularizer, gamma_regularizer, beta_constraint,
            gamma_constraint, **kwargs,
        )  # fmt: skip
        if not isinstance(axis, int) and not (
            isinstance(axis, (list, tuple)) and all(isinstance(a, int) for a in axis)
        ):
            raise TypeError(f"`axis` of the layer {self.name!r} must be an integer or several, not {axis!r}.")
        self.axis = [axis] if isinstance(axis, int) else list(axis)

    def build(self, input_shape: Any) -> None:
        """Make scale and offset."""
        axes_of(self, self.axis, len(input_shape))
        wanted = (True, False) if self.rms_scaling else None  # which has a scale always, and no offset
        self.add_scale_and_offset(tuple(input_shape[a] for a in self.axis), wanted)

    def call(self, inputs: Any) -> Any:
        """Normalize."""
        compute = ops.dtype(inputs)
        x = ops.cast(inputs, "float32") if compute in ("float16", "bfloat16") else inputs
        axes = axes_of(self, self.axis, len(x.shape))
        parts = [
            None if p is None else in_axis_order(ops.cast(p, ops.dtype(x)), self.axis, len(x.shape))
            for p in (self.gamma, self.beta)
        ]
        if self.rms_scaling:
            deviation = ops.sqrt(ops.add(ops.var(x, axis=axes, keepdims=True), self.epsilon))
            scale: Any = parts[0]
            lengths = dict(zip(axes, scale.shape, strict=True))
            scale = ops.reshape(scale, tuple(lengths.get(a, 1) for a in range(len(x.shape))))
            out = ops.multiply(ops.divide(x, deviation), scale)
        else:
            out = ops.layer_normalization(x, *parts, axis=axes, epsilon=self.epsilon)
        return out if ops.dtype(out) == compute else ops.cast(out, compute)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {
            **super().get_config(),
            "axis": self.axis,
            **self.scale_and_offset_config(),
            "rms_scaling": self.rms_scaling,
        }


class RMSNormalization(Layer):
    """scale * x / sqrt(mean(x^2) + epsilon) over an axis of each sample (Zhang & Sennrich 2019).

    Args:
        axis: the axis.
        epsilon: keeps the root off 0.
        **kwargs: those of `Layer`.
    """

    def __init__(self, axis: Any = -1, epsilon: float = 1e-6, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        checks.axes("axis", axis)
        checks.number(0)("epsilon", epsilon)
        self.axis, self.epsilon = [axis] if isinstance(axis, int) else list(axis), epsilon

    def build(self, input_shape: Any) -> None:
        """Make the scale."""
        rank = len(input_shape)
        axes = axes_of(self, self.axis, rank)
        shape = tuple(input_shape[a] for a in self.axis)
        self.scale = self.add_weight(name="scale", shape=shape, initializer="ones", autocast=False)
        # Beside the axes, where these aren't the last ones.
        last = axes == tuple(range(rank - len(axes), rank))
        self._scale_shape = None if last else tuple(n if i in axes else 1 for i, n in enumerate(input_shape))

    def call(self, inputs: Any) -> Any:
        """Normalize."""
        compute = ops.dtype(inputs)
        x = ops.cast(inputs, "float32") if compute in ("float16", "bfloat16") else inputs
        scale = ops.cast(self.scale, ops.dtype(x))
        scale = in_axis_order(scale, self.axis, len(x.shape))
        scale = scale if self._scale_shape is None else ops.reshape(scale, self._scale_shape)
        out = ops.rms_normalization(x, scale, axis=self.axis, epsilon=self.epsilon)
        return out if ops.dtype(out) == compute else ops.cast(out, compute)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {**super().get_config(), "axis": self.axis, "epsilon": self.epsilon}


class UnitNormalization(Layer):
    """x / |x| over axes of each sample.

    Args:
        axis: an axis or several.
        **kwargs: those of `Layer`.
    """

    def __init__(self, axis: Any = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        checks.axes("axis", axis)
        self.axis = axis if isinstance(axis, int) else list(axis)
        self.supports_masking = True
        self.built = True

    def call(self, inputs: Any) -> Any:
        """Normalize."""
        axes = axes_of(self, self.axis, len(inputs.shape))
        squares = ops.sum(ops.square(inputs), axis=axes, keepdims=True)
        return ops.multiply(inputs, ops.rsqrt(ops.maximum(squares, 1e-12)))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {**super().get_config(), "axis": self.axis}
