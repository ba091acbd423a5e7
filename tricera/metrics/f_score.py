"""F scores: the weighted harmonic mean of precision and recall."""

from __future__ import annotations

from typing import Any, Literal

from tricera import ops
from tricera.losses.loss import telling_shapes
from tricera.metrics.accuracy import check_widths
from tricera.metrics.metric import Metric

Average = Literal["micro", "macro", "weighted"]


class FBetaScore(Metric):
    """(1 + beta^2) precision recall / (beta^2 precision + recall), for several classes or several labels.

    Args:
        average: None (one score a class), `"micro"` (counts of all classes together), `"macro"` (the mean over the
            classes) or `"weighted"` (the mean weighted by how often each class occurs).
        beta: how many times as important recall is as precision.
        threshold: above it an output counts as positive; None: the largest output of a sample alone is positive.
        name: the metric's name.
        dtype: of the variables.

    Raises:
        ValueError: an unknown average, or a beta or threshold that isn't positive.
        TypeError: a beta or threshold that isn't a float.

    Example:
        >>> m = FBetaScore(beta=2.0, threshold=0.5)
        >>> m.update_state([[1, 1], [1, 0], [1, 1]], [[0.2, 0.6], [0.2, 0.6], [0.6, 0.8]])
        >>> [round(float(v), 4) for v in m.result()]
        [0.3846, 0.9091]
    """

    def __init__(
        self, average: Average | None = None, beta: float = 1.0, threshold: float | None = None,
        name: str = "fbeta_score", dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(name=name, dtype=dtype)
        if average not in (None, "micro", "macro", "weighted"):
            raise ValueError(f"`average` must be None, 'micro', 'macro' or 'weighted', not {average!r}.")
        for what, number in (("beta", beta), ("threshold", threshold)):
            if what == "threshold" and number is None:
                continue
            if not isinstance(number, float):
                raise TypeError(f"`{what}` must be a float such as 0.5; got {number!r}, a {type(number).__name__}.")
            if not number > 0:
                raise ValueError(f"`{what}` must be above 0; got {number}.")
        if threshold is not None and threshold > 1:
            raise ValueError(f"`threshold` must lie in (0, 1]; got {threshold}.")
        self._direction = "up"
        self.average, self.beta, self.threshold = average, beta, threshold
        self._built = False

    def _build(self, classes: int | None) -> None:
        shape = () if self.average == "micro" else (classes,)
        self.true_positives, self.false_positives, self.false_negatives, self.intermediate_weights = (
            self.add_variable(shape, "zeros", name=name)
            for name in ("true_positives", "false_positives", "false_negatives", "intermediate_weights")
        )
        self._built = True

    @telling_shapes
    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take a batch into account.

        Args:
            y_true: targets of 0 and 1 (batch, classes).
            y_pred: outputs (batch, classes).
            sample_weight: weights of the samples.

        Raises:
            ValueError: the tensors don't have two axes.
        """
        y_true, y_pred = (ops.convert_to_tensor(y, dtype=self.dtype) for y in (y_true, y_pred))
        if len(y_true.shape) != 2 or len(y_pred.shape) != 2:
            raise ValueError(
                f"{type(self).__name__} takes targets and outputs of shape (batch, classes); got "
                f"{tuple(y_true.shape)} and {tuple(y_pred.shape)}."
            )
        check_widths(y_true, y_pred, hint="")
        if not self._built:
            self._build(y_true.shape[1])
        if self.threshold is None:
            best = ops.equal(y_pred, ops.max(y_pred, axis=-1, keepdims=True))
            # A sample whose outputs are all 0 is of no class.
            positive = ops.logical_and(best, ops.greater(ops.absolute(y_pred), 1e-9))
        else:
            positive = ops.greater(y_pred, self.threshold)
        y_pred = ops.cast(positive, self.dtype)
        weight = None
        if sample_weight is not None:
            weight = ops.convert_to_tensor(sample_weight, dtype=self.dtype)
            weight = ops.reshape(weight, (-1, 1)) if len(weight.shape) == 1 else weight
        axis = None if self.average == "micro" else 0

        def weighted_sum(x: Any) -> Any:
            return ops.sum(x if weight is None else ops.multiply(x, weight), axis=axis)

        self.true_positives.assign_add(weighted_sum(ops.multiply(y_pred, y_true)))
        self.false_positives.assign_add(weighted_sum(ops.multiply(y_pred, ops.subtract(1.0, y_true))))
        self.false_negatives.assign_add(weighted_sum(ops.multiply(ops.subtract(1.0, y_pred), y_true)))
        self.intermediate_weights.assign_add(weighted_sum(y_true))

    def result(self) -> Any:
        """The score, or one a class."""
        if not self._built:
            raise ValueError(f"{type(self).__name__} has no result before its first `update_state`.")
        tp = ops.convert_to_tensor(self.true_positives)
        precision = ops.divide_no_nan(tp, ops.add(tp, self.false_positives))
        recall = ops.divide_no_nan(tp, ops.add(tp, self.false_negatives))
        squared = self.beta**2
        above = ops.multiply(1.0 + squared, ops.multiply(precision, recall))
        score = ops.divide_no_nan(above, ops.add(ops.multiply(squared, precision), recall))
        if self.average == "weighted":
            share = ops.divide_no_nan(self.intermediate_weights, ops.sum(self.intermediate_weights))
            return ops.sum(ops.multiply(score, share))
        return ops.mean(score) if self.average else score

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {**super().get_config(), "average": self.average, "beta": self.beta, "threshold": self.threshold}


class F1Score(FBetaScore):
    """2 precision recall / (precision + recall); see `FBetaScore` for the arguments.

    Args:
        average: None, `"micro"`, `"macro"` or `"weighted"`.
        threshold: above it an output counts as positive; None: the largest output of a sample alone is positive.
        name: the metric's name.
        dtype: of the variables.

    Example:
        >>> m = F1Score(average="macro", threshold=0.5)
        >>> m.update_state([[1, 1], [1, 0], [1, 1]], [[0.2, 0.6], [0.2, 0.6], [0.6, 0.8]])
        >>> round(float(m.result()), 4)
        0.65
    """

    def __init__(
        self, average: Average | None = None, threshold: float | None = None, name: str = "f1_score", dtype: Any = None
    ) -> None:
        super().__init__(average=average, beta=1.0, threshold=threshold, name=name, dtype=dtype)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        config = super().get_config()
        del config["beta"]
        return config
