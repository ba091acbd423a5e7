"""How well outputs follow real-valued targets: R squared and correlations."""

from __future__ import annotations

from typing import Any, Literal

from tricera import ops
from tricera.core import config
from tricera.losses.loss import squeeze_or_expand_to_same_rank, telling_shapes
from tricera.metrics.accuracy import check_widths
from tricera.metrics.metric import Metric
from tricera.metrics.reduction import MeanMetricWrapper


class R2Score(Metric):
    """1 - sum((y_true - y_pred)^2) / sum((y_true - mean(y_true))^2), the coefficient of determination.

    Args:
        class_aggregation: what becomes of the scores of several outputs: None (kept), `"uniform_average"`, or
            `"variance_weighted_average"`.
        num_regressors: the number p of independent regressors of the adjusted score
            1 - (1 - R2) (n - 1) / (n - p - 1); 0 for the plain one.
        name: the metric's name.
        dtype: of the variables.

    Raises:
        ValueError: an unknown aggregation, or a negative number of regressors.

    Example:
        >>> m = R2Score()
        >>> m.update_state([[1.0], [4.0], [3.0]], [[2.0], [4.0], [4.0]])
        >>> round(float(m.result()), 4)
        0.5714
    """

    _counts = True

    def __init__(
        self, class_aggregation: Literal["uniform_average", "variance_weighted_average"] | None = "uniform_average",
        num_regressors: int = 0, name: str = "r2_score", dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(name=name, dtype=dtype)
        if class_aggregation not in (None, "uniform_average", "variance_weighted_average"):
            raise ValueError(
                "`class_aggregation` must be None, 'uniform_average' or 'variance_weighted_average', not "
                f"{class_aggregation!r}."
            )
        self._direction = "up"
        self.class_aggregation, self.num_regressors = class_aggregation, num_regressors
        self.num_samples = self.add_variable((), "zeros", name="num_samples")
        self._built = False

    def _build(self, outputs: int) -> None:
        self.squared_sum, self.sum, self.total_mse, self.count = (
            self.add_variable((outputs,), "zeros", name=name) for name in ("squared_sum", "sum", "residual", "count")
        )
        self._built = True

    @telling_shapes
    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take a batch into account.

        Args:
            y_true: targets (batch, outputs).
            y_pred: outputs (batch, outputs).
            sample_weight: weights of the samples.

        Raises:
            ValueError: the tensors don't have two axes.
        """
        y_true, y_pred = (ops.convert_to_tensor(y, dtype=self._sum_dtype) for y in (y_true, y_pred))
        y_true, y_pred = squeeze_or_expand_to_same_rank(y_true, y_pred)
        if len(y_true.shape) != 2 or len(y_pred.shape) != 2:
            raise ValueError(
                f"R2Score takes targets and outputs of shape (batch, outputs); got {tuple(y_true.shape)} and "
                f"{tuple(y_pred.shape)}."
            )
        check_widths(y_true, y_pred, hint="")
        if not self._built:
            self._build(int(y_true.shape[1]))
        weight = ops.convert_to_tensor(1 if sample_weight is None else sample_weight, dtype=self._sum_dtype)
        if len(weight.shape) == 1:
            weight = ops.expand_dims(weight, 1)  # one weight a sample, for all its outputs
        weight = ops.broadcast_to(weight, ops.shape(y_true))
        weighted = ops.multiply(y_true, weight)
        self.sum.assign_add(ops.sum(weighted, axis=0))
        self.squared_sum.assign_add(ops.sum(ops.multiply(y_true, weighted), axis=0))
        squares = ops.square(ops.subtract(y_true, y_pred))
        self.total_mse.assign_add(ops.sum(ops.multiply(squares, weight), axis=0))
        self.count.assign_add(ops.sum(weight, axis=0))
        self.num_samples.assign_add(ops.cast(ops.size(y_true), self._sum_dtype))

    def result(self) -> Any:
        """The score, or one an output."""
        if not self._built:
            raise ValueError("R2Score has no result before its first `update_state`.")
        total = ops.convert_to_tensor(self.sum)
        variation = ops.subtract(self.squared_sum, ops.multiply(total, ops.divide(total, self.count)))
        score = ops.subtract(1.0, ops.divide(self.total_mse, variation))
        # Constant targets: nothing is there to be explained.
        score = ops.where(ops.isinf(score), ops.zeros_like(score), score)
        if self.class_aggregation == "uniform_average":
            score = ops.mean(score)
        elif self.class_aggregation == "variance_weighted_average":
            share = ops.divide(variation, ops.sum(variation))
            score = ops.sum(ops.multiply(share, score))
        if not self.num_regressors:
            return score
        above = ops.multiply(ops.subtract(1.0, score), ops.subtract(self.num_samples, 1.0))
        below = ops.subtract(self.num_samples, self.num_regressors + 1.0)
        # With as many regressors as samples the adjustment means nothing.
        return ops.where(ops.greater(below, 0.0), ops.subtract(1.0, ops.divide_no_nan(above, below)), score)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {
            **super().get_config(),
            "class_aggregation": self.class_aggregation,
            "num_regressors": self.num_regressors,
        }


def _moments(y: Any, axis: Any) -> tuple[Any, Any]:
    mean = ops.mean(y, axis=axis, keepdims=True)
    return mean, ops.subtract(y, mean)


def _pairs(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = ops.convert_to_tensor(y_true, dtype=ops.dtype(y_pred))
    return squeeze_or_expand_to_same_rank(y_true, y_pred)


def pearson_correlation(y_true: Any, y_pred: Any, axis: Any = -1) -> Any:
    """Pearson's correlation cov(y_true, y_pred) / (std(y_true) std(y_pred)) along an axis; NaN where either is constant.

    Args:
        y_true: the targets.
        y_pred: the outputs.
        axis: along which axis, or axes.

    Returns:
        A tensor without these axes.

    Example:
        >>> round(float(pearson_correlation([[0.0, 1.0, 0.5]], [[0.1, 0.9, 1.0]])[0]), 4)
        0.8109
    """
    y_true, y_pred = _pairs(y_true, y_pred)
    (_, true), (_, pred) = _moments(y_true, axis), _moments(y_pred, axis)
    true, pred = (ops.divide(y, ops.sqrt(ops.mean(ops.square(y), axis=axis, keepdims=True))) for y in (true, pred))
    return ops.mean(ops.multiply(true, pred), axis=axis)


def concordance_correlation(y_true: Any, y_pred: Any, axis: Any = -1) -> Any:
    """Lin's concordance 2 cov / (var(y_true) + var(y_pred) + (mean(y_true) - mean(y_pred))^2) along an axis (Lin 1989).

    Args:
        y_true: the targets.
        y_pred: the outputs.
        axis: along which axis, or axes.

    Returns:
        A tensor without these axes.

    Example:
        >>> round(float(concordance_correlation([[0.0, 1.0, 0.5]], [[0.1, 0.9, 1.0]])[0]), 4)
        0.7477
    """
    y_true, y_pred = _pairs(y_true, y_pred)
    (true_mean, true), (pred_mean, pred) = _moments(y_true, axis), _moments(y_pred, axis)
    covariance = ops.mean(ops.multiply(true, pred), axis=axis)
    variances = ops.add(ops.mean(ops.square(true), axis=axis), ops.mean(ops.square(pred), axis=axis))
    apart = ops.mean(ops.square(ops.subtract(true_mean, pred_mean)), axis=axis)
    return ops.divide(ops.multiply(2.0, covariance), ops.add(ops.add(variances, apart), config.epsilon()))


class PearsonCorrelation(MeanMetricWrapper):
    """The mean of `pearson_correlation` over all samples.

    Args:
        name: the metric's name.
        dtype: of the variables.
        axis: along which axis, or axes.
    """

    def __init__(self, name: str = "pearson_correlation", dtype: Any = None, axis: Any = -1) -> None:
        super().__init__(pearson_correlation, name=name, dtype=dtype, axis=axis)
        self.axis = axis
        self._direction = "up"


class ConcordanceCorrelation(MeanMetricWrapper):
    """The mean of `concordance_correlation` over all samples.

    Args:
        name: the metric's name.
        dtype: of the variables.
        axis: along which axis, or axes.
    """

    def __init__(self, name: str = "concordance_correlation", dtype: Any = None, axis: Any = -1) -> None:
        super().__init__(concordance_correlation, name=name, dtype=dtype, axis=axis)
        self.axis = axis
        self._direction = "up"
