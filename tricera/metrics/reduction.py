"""Sums and means over batches, with weights and masks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from tricera import ops
from tricera.core.masking import get_mask
from tricera.losses.loss import apply_mask, fits, squeeze_or_expand_to_same_rank, telling_shapes
from tricera.metrics.metric import Metric


def weighted(values: Any, sample_weight: Any, dtype: str) -> tuple[Any, Any]:
    """One value and one weight (or None) a sample.

    Values of more axes than the weights are averaged over the rest first; what then has more than one axis becomes the
    mean of its weighted values, and its weight the mean of its weights.
    """
    values = ops.convert_to_tensor(values, dtype)
    if sample_weight is None:
        return _mean_from(values, 1), None
    sample_weight = ops.convert_to_tensor(sample_weight, dtype)
    values, sample_weight = squeeze_or_expand_to_same_rank(values, sample_weight)
    values = _times(_mean_from(values, len(sample_weight.shape)), sample_weight)
    if len(values.shape) > 1 or 1 in tuple(sample_weight.shape):  # one weight for all
        sample_weight = _mean_from(ops.broadcast_to(sample_weight, ops.shape(values)), 1)
    return _mean_from(values, 1), sample_weight


def _times(values: Any, weights: Any) -> Any:
    """The weighted values; weights that would make more of them are refused."""
    given, shape = tuple(weights.shape), tuple(values.shape)
    if given != shape and shape and (len(given) > len(shape) or not fits(given, shape)):
        raise ValueError(f"`sample_weight` of shape {given} doesn't broadcast to the values, whose shape is {shape}.")
    return ops.multiply(values, weights)


def _mean_from(x: Any, first: int) -> Any:
    """The mean over all axes from `first` on."""
    return ops.mean(x, axis=tuple(range(first, len(x.shape)))) if len(x.shape) > first else x


class Sum(Metric):
    """The (weighted) sum of all values.

    Args:
        name: the metric's name.
        dtype: of the variables.

    Example:
        >>> m = Sum()
        >>> m.update_state([1.0, 2.0])
        >>> float(m.result())
        3.0
    """

    def __init__(self, name: str = "sum", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.total = self.add_variable((), "zeros", name="total")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Take values into account.

        Args:
            values: a tensor.
            sample_weight: weights, which broadcast.
        """
        values = ops.convert_to_tensor(values, self.dtype)
        if sample_weight is not None:
            sample_weight = ops.convert_to_tensor(sample_weight, self.dtype)
            values, sample_weight = squeeze_or_expand_to_same_rank(values, sample_weight)
            while 0 < len(sample_weight.shape) < len(values.shape):
                sample_weight = ops.expand_dims(sample_weight, -1)
            values = _times(values, sample_weight)
        self.total.accumulate(ops.sum(values))

    def result(self) -> Any:
        """The sum."""
        # A copy: torch overwrites the variable in place, and a result must not change after it was given.
        return ops.copy(ops.cast(self.total, self.dtype))


class Mean(Metric):
    """The (weighted) mean of all values.

    Args:
        name: the metric's name.
        dtype: of the variables.

    Example:
        >>> m = Mean()
        >>> m.update_state([1.0, 2.0, 6.0])
        >>> float(m.result())
        3.0
    """

    def __init__(self, name: str | None = "mean", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.total = self.add_variable((), "zeros", name="total")
        self.count = self.add_variable((), "zeros", name="count")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Take values into account.

        Args:
            values: a tensor.
            sample_weight: weights, which broadcast.
        """
        if type(sample_weight) is int and getattr(values, "shape", None) == ():  # a loss and the size of its batch
            self.total.accumulate(ops.multiply(ops.convert_to_tensor(values, self.dtype), sample_weight))
            self.count.accumulate(sample_weight)
            return
        values, weights = weighted(values, sample_weight, self.dtype)
        self.total.accumulate(ops.sum(values) if len(values.shape) else values)
        if weights is not None:
            self.count.accumulate(ops.sum(weights) if len(weights.shape) else weights)
            return
        size = ops.shape(values)[0] if len(values.shape) else 1
        if size is None:  # symbolic values of unknown number
            size = ops.sum(ops.ones_like(values))
        self.count.accumulate(size if type(size) is int else ops.cast(size, self.dtype))

    def result(self) -> Any:
        """The mean, 0 before any value."""
        return ops.divide_no_nan(self.total, ops.cast(self.count, self.dtype))


class MeanMetricWrapper(Mean):
    """The mean of what a function of targets and outputs returns a sample.

    Args:
        fn: `fn(y_true, y_pred, **kwargs)`.
        name: the metric's name.
        dtype: of the variables.
        **kwargs: further arguments of the function.
    """

    def __init__(self, fn: Callable[..., Any], name: str | None = None, dtype: Any = None, **kwargs: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        self._fn, self._fn_kwargs = fn, kwargs
        self._direction: str | None = None

    @telling_shapes
    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take a batch into account.

        Args:
            y_true: the targets.
            y_pred: the outputs.
            sample_weight: weights of the samples.
        """
        mask = get_mask(y_pred)
        values = self._fn(y_true, y_pred, **self._fn_kwargs)
        if sample_weight is not None and mask is not None:
            sample_weight = apply_mask(sample_weight, mask, self.dtype, None)
        elif mask is not None:
            sample_weight = mask
        super().update_state(values, sample_weight=sample_weight)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        from tricera.core.configurable import config_of

        own = {} if type(self) is not MeanMetricWrapper else {"fn": config_of(self._fn)}
        return {**super().get_config(), **own, **self._fn_kwargs}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Make a metric from what `get_config` gave."""
        if "fn" in config:
            from tricera.core.serialization import deserialize_keras_object

            config = {**config, "fn": deserialize_keras_object(config["fn"])}
        return cls(**config)


class FunctionMetric(MeanMetricWrapper):
    """A mean metric of a function of the library; `_function` names it."""

    _function: ClassVar[Any]
