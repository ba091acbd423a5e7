"""What normalizations share: scale and offset."""

from __future__ import annotations

from typing import Any

from tricera import constraints, initializers, ops, regularizers
from tricera.core import checks
from tricera.layers.layer import Layer


def axes_of(layer: Layer, axis: Any, rank: int) -> tuple[int, ...]:
    """The axes that a layer was given, ascending, counted from the front.

    Raises:
        ValueError: the input has no such axis.
    """
    axes = (axis,) if isinstance(axis, int) else tuple(axis)
    if any(not -rank <= a < rank for a in axes):
        raise ValueError(f"`axis` {axis} of the layer {layer.name!r} is out of range for an input of {rank} axes.")
    return tuple(sorted(a % rank for a in axes))


def in_axis_order(weight: Any, axis: Any, rank: int) -> Any:
    """A weight whose axes are in the order in which the layer was given them, as in Keras's files, for ascending axes."""
    given = [a % rank for a in axis]
    if given == sorted(given):
        return weight
    return ops.reshape(weight, tuple(n for _, n in sorted(zip(given, weight.shape, strict=True))))


class ScaledNormalization(Layer):
    """A normalization with a learned scale (gamma) and offset (beta).

    Args:
        epsilon: keeps the root off 0.
        center: learn an offset.
        scale: learn a scale.
        beta_initializer: of the offset.
        gamma_initializer: of the scale.
        beta_regularizer: of the offset.
        gamma_regularizer: of the scale.
        beta_constraint: of the offset.
        gamma_constraint: of the scale.
        **kwargs: those of `Layer`.
    """

    def __init__(
        self, epsilon: float = 1e-3, center: bool = True, scale: bool = True, beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones", beta_regularizer: Any = None, gamma_regularizer: Any = None, beta_constraint: Any = None,
        gamma_constraint: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(**kwargs)
        checks.number(0)("epsilon", epsilon)
        self.epsilon, self.center, self.scale = epsilon, center, scale
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.beta_constraint = constraints.get(beta_constraint)
        self.gamma_constraint = constraints.get(gamma_constraint)
        self.supports_masking = True

    def channels_of(self, axis: int, input_shape: Any) -> int:
        """The length of the axis of the channels.

        Raises:
            ValueError: there is no such axis, or its length isn't known.
        """
        channels = input_shape[axes_of(self, axis, len(input_shape))[0]]
        if channels is None:
            raise ValueError(
                f"The layer {self.name!r} needs to know the length of axis {axis}; the input shape is {tuple(input_shape)}."
            )
        return channels

    def add_scale_and_offset(self, shape: tuple[int, ...], wanted: tuple[bool, bool] | None = None) -> None:
        """Make gamma and beta (None where not wanted, which `scale` and `center` say unless `wanted` does)."""
        self.gamma = self.beta = None
        scale, center = wanted or (self.scale, self.center)
        if scale:
            self.gamma = self.add_weight(
                name="gamma", shape=shape, initializer=self.gamma_initializer, regularizer=self.gamma_regularizer,
                constraint=self.gamma_constraint, autocast=False,
            )  # fmt: skip
        if center:
            self.beta = self.add_weight(
                name="beta", shape=shape, initializer=self.beta_initializer, regularizer=self.beta_regularizer,
                constraint=self.beta_constraint, autocast=False,
            )  # fmt: skip

    def scale_and_offset_config(self) -> dict[str, Any]:
        """What the config says of gamma and beta."""
        return {
            "epsilon": self.epsilon, "center": self.center, "scale": self.scale,
            "beta_initializer": initializers.serialize(self.beta_initializer),
            "gamma_initializer": initializers.serialize(self.gamma_initializer),
            "beta_regularizer": regularizers.serialize(self.beta_regularizer),
            "gamma_regularizer": regularizers.serialize(self.gamma_regularizer),
            "beta_constraint": constraints.serialize(self.beta_constraint),
            "gamma_constraint": constraints.serialize(self.gamma_constraint),
        }  # fmt: skip
