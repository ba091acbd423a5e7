"""`BatchNormalization`."""

from __future__ import annotations

import functools
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
        renorm: batch renormalization: the normalized values become `value * r + d`, r = std(batch) / renorm_stddev and
            d = (mean(batch) - renorm_mean) / renorm_stddev, so that training computes what inference does. Ioffe 2017.
        renorm_clipping: bounds of r and d: a dict of `"rmin"` (0 if missing), `"rmax"` and `"dmax"` (none if missing).
        renorm_momentum: how much `renorm_mean` and `renorm_stddev` keep of their values.
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
        beta_constraint: Any = None, gamma_constraint: Any = None, renorm: bool = False, renorm_clipping: Any = None,
        renorm_momentum: float = 0.99, synchronized: bool = False, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(
            epsilon, center, scale, beta_initializer, gamma_initializer, beta_regularizer, gamma_regularizer, beta_constraint,
            gamma_constraint, **kwargs,
        )  # fmt: skip
        for name, value in (("momentum", momentum), ("renorm_momentum", renorm_momentum)):
            if not 0 <= value <= 1:
                raise ValueError(f"`{name}` of the layer {self.name!r} must be in [0, 1]; got {value}.")
        if not isinstance(axis, int):
            raise ValueError(f"`axis` of the layer {self.name!r} must be an integer, not {axis!r}.")
        self.axis, self.momentum, self.synchronized = axis, float(momentum), synchronized
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)
        self.renorm, self.renorm_momentum = renorm, float(renorm_momentum)
        self.renorm_clipping = _clipping(self.name, renorm_clipping)

    def build(self, input_shape: Any) -> None:
        """Make scale, offset and running statistics."""
        channels = self.channels_of(self.axis, input_shape)
        self.add_scale_and_offset((channels,))
        running = functools.partial(self.add_weight, shape=(channels,), trainable=False, autocast=False)
        self.moving_mean = running(name="moving_mean", initializer=self.moving_mean_initializer)
        self.moving_variance = running(name="moving_variance", initializer=self.moving_variance_initializer)
        if self.renorm:

            def deviation(shape: Any, dtype: Any = None) -> Any:
                return ops.sqrt(self.moving_variance_initializer(shape, dtype=dtype))

            self.moving_stddev = running(name="moving_stddev", initializer=deviation)
            self.renorm_mean = running(name="renorm_mean", initializer=self.moving_mean_initializer)
            self.renorm_stddev = running(name="renorm_stddev", initializer=deviation)
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
            if self.renorm:
                return ops.cast(self._renormalized(wide, mean, variance), compute)
            _move(self.moving_mean, mean, self.momentum)
            _move(self.moving_variance, variance, self.momentum)
        else:
            mean, variance = (ops.cast(v, ops.dtype(wide)) for v in (self.moving_mean, self.moving_variance))
        gamma, beta = self._scale_and_offset(ops.dtype(wide))
        out = ops.batch_normalization(
            wide, mean, variance, axis=self.axis, offset=beta, scale=gamma, epsilon=self.epsilon
        )
        return out if ops.dtype(out) == compute else ops.cast(out, compute)

    def _scale_and_offset(self, dtype: str) -> tuple[Any, Any]:
        return tuple(None if v is None else ops.cast(v, dtype) for v in (self.gamma, self.beta))  # type: ignore[return-value]

    def _renormalized(self, x: Any, mean: Any, variance: Any) -> Any:
        """With the batch's statistics, corrected to the running ones as they were before this batch."""
        kind = ops.dtype(x)
        deviation = ops.sqrt(ops.add(variance, self.epsilon))
        known = ops.cast(self.renorm_stddev, kind)
        bounds = self.renorm_clipping
        r = ops.clip(ops.divide(deviation, known), bounds.get("rmin", 0.0), bounds.get("rmax", float("inf")))
        limit = bounds.get("dmax", float("inf"))
        d = ops.clip(ops.divide(ops.subtract(mean, ops.cast(self.renorm_mean, kind)), known), -limit, limit)
        r, d = ops.stop_gradient(r), ops.stop_gradient(d)
        gamma, beta = self._scale_and_offset(kind)
        scale, offset = (r, d) if gamma is None else (ops.multiply(gamma, r), ops.multiply(gamma, d))
        offset = offset if beta is None else ops.add(offset, beta)
        out = ops.batch_normalization(
            x, mean, variance, axis=self.axis, offset=offset, scale=scale, epsilon=self.epsilon
        )
        _move(self.renorm_mean, mean, self.renorm_momentum)
        _move(self.renorm_stddev, deviation, self.renorm_momentum)
        _move(self.moving_mean, mean, self.momentum)
        _move(self.moving_stddev, deviation, self.momentum)
        squared = ops.square(ops.convert_to_tensor(self.moving_stddev))
        self.moving_variance.assign(ops.maximum(ops.subtract(squared, self.epsilon), 0.0))
        return out

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
        config["renorm"] = self.renorm
        config["renorm_clipping"] = self.renorm_clipping or (None if not self.renorm else {})
        config["renorm_momentum"] = self.renorm_momentum
        return config


def _move(running: Any, now: Any, momentum: float) -> None:
    now = ops.cast(now, running.dtype)
    running.assign(ops.add(ops.multiply(running, momentum), ops.multiply(now, 1.0 - momentum)))


def _clipping(name: str, bounds: dict[str, float] | None) -> dict[str, float]:
    bounds = dict(bounds or {})
    unknown = sorted(set(bounds) - {"rmin", "rmax", "dmax"})
    if unknown:
        raise ValueError(
            f"`renorm_clipping` of the layer {name!r} has the unknown key {unknown[0]!r}; it may have 'rmin', 'rmax' and 'dmax'."
        )
    if bounds.get("rmin", 0.0) > bounds.get("rmax", float("inf")) or bounds.get("dmax", 0.0) < 0:
        raise ValueError(f"`renorm_clipping` of the layer {name!r} needs rmin <= rmax and dmax >= 0; got {bounds}.")
    return bounds
