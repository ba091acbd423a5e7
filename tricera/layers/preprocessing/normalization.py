"""Normalization by the mean and variance of a dataset."""

from __future__ import annotations

from typing import Any

import numpy as np

from tricera import ops
from tricera.core import checks, config
from tricera.layers.preprocessing.data_layer import DataLayer, batches


class Normalization(DataLayer):
    """(x - mean) / sqrt(variance), with the statistics of a dataset.

    Args:
        axis: the axis or axes of which each index has statistics of its own; None: one mean and variance for everything.
        mean: the mean, which broadcasts to the kept axes; None: `adapt` finds it.
        variance: the variance, given together with the mean.
        invert: compute x * sqrt(variance) + mean instead.
        **kwargs: those of `Layer`.

    Raises:
        ValueError: only one of mean and variance is given, an axis that the inputs don't have, or one of unknown length.

    Example:
        >>> import numpy as np
        >>> layer = Normalization(axis=None)
        >>> layer.adapt(np.array([1.0, 2.0, 3.0, 4.0, 5.0], "float32"))
        >>> float(layer.mean.reshape(-1)[0]), float(layer.variance.reshape(-1)[0])
        (3.0, 2.0)
    """

    def __init__(
        self, axis: Any = -1, mean: Any = None, variance: Any = None, invert: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        checks.axes("axis", axis)
        self.axis = () if axis is None else tuple(axis) if isinstance(axis, (list, tuple)) else (axis,)
        if (mean is None) != (variance is None):
            raise ValueError(
                f"The layer {self.name!r} needs both `mean` and `variance`, or neither; got mean={mean!r} and variance={variance!r}."
            )
        self.input_mean, self.input_variance, self.invert = mean, variance, invert
        self.supports_masking = True
        self._given: tuple[np.ndarray, np.ndarray] | None = None

    def build(self, input_shape: Any) -> None:
        """Find the axes; make the statistics' variables, unless they were given."""
        rank = len(input_shape)
        if any(not -rank <= a < rank for a in self.axis):
            raise ValueError(
                f"The layer {self.name!r} normalizes along axis {self.axis}; its input of shape {tuple(input_shape)} has not all of these."
            )
        self._keep_axis = tuple(sorted(a % rank for a in self.axis))
        if any(input_shape[a] is None for a in self._keep_axis):
            raise ValueError(
                f"The layer {self.name!r} keeps axis {self._keep_axis}, whose lengths must be known; got the shape {tuple(input_shape)}."
            )
        self._reduce_axis = tuple(a for a in range(rank) if a not in self._keep_axis)
        kept = tuple(input_shape[a] for a in self._keep_axis)
        self._kept_shape = kept
        self._broadcast_shape = tuple(input_shape[a] if a in self._keep_axis else 1 for a in range(rank))
        # Statistics of the last axes broadcast by themselves.
        self._plain = self._keep_axis == tuple(range(rank - len(kept), rank))
        if self.input_mean is not None:
            self._given = (self._fitted(self.input_mean, "mean"), self._fitted(self.input_variance, "variance"))
            return
        options: dict[str, Any] = {"dtype": self.compute_dtype, "trainable": False}
        self.adapt_mean = self.add_weight(name="mean", shape=kept, initializer="zeros", **options)
        self.adapt_variance = self.add_weight(name="variance", shape=kept, initializer="ones", **options)
        self.count = self.add_weight(name="count", shape=(), dtype="int32", initializer="zeros", trainable=False)

    def _fitted(self, value: Any, what: str) -> np.ndarray:
        array = np.asarray(value, "float32")
        if what == "variance" and (array < 0).any():
            raise ValueError(f"`variance` of the layer {self.name!r} must not be negative; got {value!r}.")
        try:
            return np.broadcast_to(array, self._broadcast_shape).copy()
        except ValueError:
            raise ValueError(
                f"`{what}` of the layer {self.name!r}, of shape {array.shape}, doesn't broadcast to {self._broadcast_shape}."
            ) from None

    def adapt(self, data: Any) -> None:
        """Learn mean and variance, forgetting earlier ones.

        Args:
            data: an array or tensor, or something that yields batches: a `tf.data.Dataset`, a `DataLoader`, a `PyDataset`.

        Raises:
            ValueError: the statistics were given to the constructor, or there are no data.
            TypeError: the data are nothing that yields arrays.
        """
        if self.input_mean is not None:
            raise ValueError(
                f"The layer {self.name!r} was given `mean` and `variance`, so that there is nothing to adapt."
            )
        count, mean, spread = 0, np.zeros(()), np.zeros(())
        for batch in batches(data, name=f"{self.name}.adapt"):
            if not self.built:
                self.build((None, *batch.shape[1:]) if batch.ndim > 1 or not self.axis else batch.shape)
            # Chan, Golub and LeVeque 1979: means and sums of squared differences of two sets, joined.
            batch = batch.astype("float64")
            number = batch.size // max(1, int(np.prod(self._kept_shape)))
            if not number:
                continue
            part = batch.mean(self._reduce_axis)
            squares = np.square(batch - part.reshape(self._fit(batch))).sum(self._reduce_axis)
            total = count + number
            delta = part - mean
            mean = mean + delta * (number / total)
            spread = spread + squares + np.square(delta) * (count * number / total)
            count = total
        if not count:
            raise ValueError(f"The layer {self.name!r} can't adapt to data without elements.")
        self.adapt_mean.assign(mean.astype("float32"))
        self.adapt_variance.assign((spread / count).astype("float32"))
        self.finalize_state()

    def _fit(self, batch: np.ndarray) -> tuple[int, ...]:
        return tuple(n if a in self._keep_axis else 1 for a, n in enumerate(batch.shape))

    def finalize_state(self) -> None:
        """Nothing: the statistics are read where they are used. For code that calls it after assigning them."""

    @property
    def mean(self) -> Any:
        """The mean, in a shape that broadcasts against inputs; None before it is known."""
        return self._statistic(0)

    @property
    def variance(self) -> Any:
        """The variance, in a shape that broadcasts against inputs; None before it is known."""
        return self._statistic(1)

    def _statistic(self, which: int, plain: bool = False) -> Any:
        if not self.built:
            return None
        if self._given is not None:
            return self.convert_weight(self._given[which])
        value = self.convert_weight((self.adapt_mean, self.adapt_variance)[which])
        return value if plain else ops.reshape(value, self._broadcast_shape)

    def call(self, inputs: Any) -> Any:
        """Normalize."""
        dtype = self.compute_dtype
        mean, variance = (ops.cast(self._statistic(i, self._plain), dtype) for i in (0, 1))
        scale = ops.maximum(ops.sqrt(variance), ops.cast(config.epsilon(), dtype))
        inputs = ops.cast(inputs, dtype)
        if self.invert:
            return ops.add(mean, ops.multiply(inputs, scale))
        return ops.divide(ops.subtract(inputs, mean), scale)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """That of the inputs."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        plain = [None if v is None else np.asarray(v).tolist() for v in (self.input_mean, self.input_variance)]
        return {
            **super().get_config(),
            "axis": self.axis or None,
            "invert": self.invert,
            "mean": plain[0],
            "variance": plain[1],
        }
