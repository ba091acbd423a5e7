"""`BatchNormalization`."""

from __future__ import annotations

from typing import Any

from tricera import initializers, ops
from tricera.layers.input_spec import InputSpec
from tricera.layers.normalization.base import ScaledNormalization


class BatchNormalization(ScaledNormalization):
    """gamma * (x - mean) / sqrt(variance + epsilon) + beta, with the batch's statistics in training and running ones otherwise.

    Args:
        axis: the axis of the channels.
        momentum: how slowly the running statistics move.
        epsilon: keeps the root off 0.
        center: learn an offset.
        scale: learn a scale.
        beta_initializer: of the offset.
        gamma_initializer: of the scale.
        moving_mean_initializer: of the running mean.
        moving_variance_initializer: of the running variance.
        beta_regularizer: of the offset.
        gamma_regularizer: of the scale.
        beta_constraint: of the offset.
        gamma_constraint: of the scale.
        synchronized: use the statistics of all replicas.
        renorm: not available.
        renorm_clipping: not available.
        renorm_momentum: not available.
        **kwargs: those of `Layer`.

    When `layer.trainable` is False it runs with the running statistics, whatever `training` says. Ioffe & Szegedy 2015.

    Example:
        >>> BatchNormalization()(ops.ones((2, 3))).shape[-1]
        3
    """

    def __init__(
        self, axis: int = -1, momentum: float = 0.99, epsilon: float = 0.001, center: bool = True, scale: bool = True,
        beta_initializer: Any = "zeros", gamma_initializer: Any = "ones", moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones", beta_regularizer: Any = None, gamma_regularizer: Any = None,
        beta_constraint: Any = None, gamma_constraint: Any = None, synchronized: bool = False, renorm: bool = False,
        renorm_clipping: Any = None, renorm_momentum: float = 0.99, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(
            epsilon, center, scale, beta_initializer, gamma_initializer, beta_regularizer, gamma_regularizer, beta_constraint,
            gamma_constraint, **kwargs,
        )  # fmt: skip
        if renorm:
            raise NotImplementedError("Batch renormalization is not available; leave `renorm` at False.")
        if not 0 <= momentum <= 1:
            raise ValueError(f"`momentum` of the layer {self.name!r} must be in [0, 1]; got {momentum}.")
        if not isinstance(axis, int):
            raise ValueError(f"`axis` of the layer {self.name!r} must be an integer, not {axis!r}.")
        self.axis, self.momentum, self.synchronized = axis, float(momentum), synchronized
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)

    def build(self, input_shape: Any) -> None:
        """Make scale, offset and running statistics."""
        channels = self.channels_of(self.axis, input_shape)
        self.add_scale_and_offset((channels,))
        self.moving_mean = self.add_weight(
            name="moving_mean",
            shape=(channels,),
            initializer=self.moving_mean_initializer,
            trainable=False,
            autocast=False,
        )
        self.moving_variance = self.add_weight(
            name="moving_variance",
            shape=(channels,),
            initializer=self.moving_variance_initializer,
            trainable=False,
            autocast=False,
        )
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: channels})

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Normalize.

        Args:
            inputs: a tensor.
            training: use the batch's statistics, and move the running ones.
            mask: of the leading axes; masked elements don't count in the statistics.
        """
        compute = ops.dtype(inputs)
        # Statistics in half precision would drown in rounding.
        wide = ops.cast(inputs, "float32") if compute in ("float16", "bfloat16") else inputs
        if training and self.trainable:
            mean, variance = self._statistics(wide, mask)
            for running, now in ((self.moving_mean, mean), (self.moving_variance, variance)):
                now = ops.cast(now, running.dtype)
                running.assign(ops.add(ops.multiply(running, self.momentum), ops.multiply(now, 1.0 - self.momentum)))
        else:
            mean, variance = (ops.cast(v, ops.dtype(wide)) for v in (self.moving_mean, self.moving_variance))
        gamma = None if self.gamma is None else ops.cast(self.gamma, ops.dtype(wide))
        beta = None if self.beta is None else ops.cast(self.beta, ops.dtype(wide))
        out = ops.batch_normalization(
            wide, mean, variance, axis=self.axis, offset=beta, scale=gamma, epsilon=self.epsilon
        )
        return out if ops.dtype(out) == compute else ops.cast(out, compute)

    def _statistics(self, x: Any, mask: Any) -> tuple[Any, Any]:
        rank = len(x.shape)
        axes = tuple(i for i in range(rank) if i != self.axis % rank)
        if mask is None:
            return ops.moments(x, axes=axes, synchronized=self.synchronized)
        weights = ops.cast(mask, ops.dtype(x))
        while len(weights.shape) < rank:
            weights = ops.expand_dims(weights, -1)
        weights = ops.broadcast_to(weights, ops.shape(x))
        total = ops.add(ops.sum(weights, axis=axes, keepdims=True), 1e-7)
        mean = ops.divide(ops.sum(ops.multiply(weights, x), axis=axes, keepdims=True), total)
        spread = ops.multiply(weights, ops.square(ops.subtract(x, mean)))
        variance = ops.divide(ops.sum(spread, axis=axes, keepdims=True), total)
        return ops.squeeze(mean, axis=axes), ops.squeeze(variance, axis=axes)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        config = {
            **super().get_config(),
            "axis": self.axis,
            "momentum": self.momentum,
            **self.scale_and_offset_config(),
        }
        config["moving_mean_initializer"] = initializers.serialize(self.moving_mean_initializer)
        config["moving_variance_initializer"] = initializers.serialize(self.moving_variance_initializer)
        config["synchronized"] = self.synchronized
        config.update(renorm=False, renorm_clipping=None, renorm_momentum=0.99)
        return config
