"""`GroupNormalization`."""

from __future__ import annotations

from typing import Any

from tricera import ops
from tricera.core import checks
from tricera.layers.input_spec import InputSpec
from tricera.layers.normalization.base import ScaledNormalization
from tricera.ops.normalization import group_scaling


class GroupNormalization(ScaledNormalization):
    """Normalizes groups of channels of each sample, over all other axes but the batch's (Wu & He 2018).

    Args:
        groups: how many groups; -1 makes a group of each channel.
        axis: the axis of the channels.
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

    Raises:
        ValueError: the channels can't be divided into the groups.
    """

    def __init__(
        self, groups: int = 32, axis: int = -1, epsilon: float = 0.001, center: bool = True, scale: bool = True,
        beta_initializer: Any = "zeros", gamma_initializer: Any = "ones", beta_regularizer: Any = None,
        gamma_regularizer: Any = None, beta_constraint: Any = None, gamma_constraint: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(
            epsilon, center, scale, beta_initializer, gamma_initializer, beta_regularizer, gamma_regularizer, beta_constraint,
            gamma_constraint, **kwargs,
        )  # fmt: skip
        checks.integer(-1)("groups", groups)
        checks.integer()("axis", axis)
        self.groups, self.axis = groups, axis

    def build(self, input_shape: Any) -> None:
        """Make scale and offset."""
        channels = self.channels_of(self.axis, input_shape)
        self.groups = self._group_count = channels if self.groups == -1 else self.groups
        if self._group_count < 1 or channels % self._group_count:
            raise ValueError(
                f"The {channels} channels of the layer {self.name!r} can't be divided into {self.groups} groups."
            )
        self._channels = channels
        self.add_scale_and_offset((channels,))
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: channels})

    def call(self, inputs: Any) -> Any:
        """Normalize."""
        compute = ops.dtype(inputs)
        x = ops.cast(inputs, "float32") if compute in ("float16", "bfloat16") else inputs
        size = self._channels // self._group_count
        out = group_scaling(x, self.gamma, self.beta, self.axis % len(x.shape), self._group_count, size, self.epsilon)
        return ops.cast(out, compute)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {**super().get_config(), "groups": self.groups, "axis": self.axis, **self.scale_and_offset_config()}
