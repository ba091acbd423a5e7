"""`GroupNormalization`."""

from __future__ import annotations

from typing import Any

from tricera import ops
from tricera.core import checks
from tricera.layers.input_spec import InputSpec
from tricera.layers.normalization.base import ScaledNormalization


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
        rank = len(x.shape)
        axis = self.axis % rank
        shape = tuple(self._channels if i == axis else n for i, n in enumerate(ops.shape(x)))
        channels = self._channels  # the symbolic shape may not know them
        split = (*shape[:axis], self._group_count, channels // self._group_count, *shape[axis + 1 :])
        grouped = ops.reshape(x, split)
        axes = tuple(i for i in range(1, rank + 1) if i != axis)
        mean, variance = ops.moments(grouped, axes=axes, keepdims=True)
        normal = ops.multiply(ops.subtract(grouped, mean), ops.rsqrt(ops.add(variance, self.epsilon)))
        out = ops.reshape(normal, shape)
        broadcast = tuple(channels if i == axis else 1 for i in range(rank))
        if self.gamma is not None:
            out = ops.multiply(out, ops.reshape(self.gamma, broadcast))
        if self.beta is not None:
            out = ops.add(out, ops.reshape(self.beta, broadcast))
        return ops.cast(out, compute)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {**super().get_config(), "groups": self.groups, "axis": self.axis, **self.scale_and_offset_config()}
