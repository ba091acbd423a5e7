"""The best of one rate among the thresholds at which another rate is high enough."""

from __future__ import annotations

from typing import Any, ClassVar

from tricera import ops
from tricera.losses.loss import telling_shapes
from tricera.metrics.confusion import counts, one_class
from tricera.metrics.metric import Metric


def _ratio(above: Any, rest: Any) -> Any:
    return ops.divide_no_nan(above, ops.add(above, rest))


class _BestWhere(Metric):
    """The largest `_wanted` rate of the thresholds whose `_bound` rate is at least `_value`; 0 if there is none."""

    _counts = True

    _wanted: ClassVar[str]
    _bound: ClassVar[str]

    def __init__(self, value: float, num_thresholds: int, class_id: int | None, name: str | None, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        self._direction = "up"
        self._value, self.num_thresholds, self.class_id = value, num_thresholds, class_id
        last = num_thresholds - 1
        self.thresholds = [i / last for i in range(num_thresholds)] if last else [0.5]
        self.true_positives, self.false_positives, self.true_negatives, self.false_negatives = (
            self.add_variable((num_thresholds,), "zeros", name=kind)
            for kind in ("true_positives", "false_positives", "true_negatives", "false_negatives")
        )

    @telling_shapes
    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take a batch into account.

        Args:
            y_true: targets of 0 and 1.
            y_pred: probabilities.
            sample_weight: weights, which broadcast.
        """
        y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
        y_true, y_pred = one_class(y_true, y_pred, self.class_id)
        found = counts(y_true, y_pred, self.thresholds, sample_weight, self._sum_dtype)
        parts = (self.true_positives, self.false_positives, self.true_negatives, self.false_negatives)
        for variable, value in zip(parts, found, strict=True):
            variable.assign_add(value)

    def _rate(self, name: str) -> Any:
        tp, fp, tn, fn = self.true_positives, self.false_positives, self.true_negatives, self.false_negatives
        if name == "precision":
            return _ratio(tp, fp)
        return _ratio(tn, fp) if name == "specificity" else _ratio(tp, fn)

    def result(self) -> Any:
        """The best rate."""
        wanted = self._rate(self._wanted)
        enough = ops.greater_equal(self._rate(self._bound), self._value)
        return ops.max(ops.where(enough, wanted, ops.zeros_like(wanted)))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {
            **super().get_config(), "num_thresholds": self.num_thresholds, "class_id": self.class_id,
            self._bound: self._value,
        }  # fmt: skip


class SensitivityAtSpecificity(_BestWhere):
    """The best sensitivity TP / (TP + FN) at a specificity TN / (TN + FP) of at least a given one.

    Args:
        specificity: the least specificity, in [0, 1].
        num_thresholds: how many thresholds are tried, evenly spaced in [0, 1].
        class_id: look at one class alone.
        name: the metric's name.
        dtype: of the variables.

    Raises:
        ValueError: the specificity lies outside [0, 1], or there is no threshold.

    Example:
        >>> m = SensitivityAtSpecificity(0.5)
        >>> m.update_state([0, 0, 0, 1, 1], [0, 0.3, 0.8, 0.3, 0.8])
        >>> float(m.result())
        0.5
    """

    _wanted, _bound = "sensitivity", "specificity"

    def __init__(
        self, specificity: float, num_thresholds: int = 200, class_id: int | None = None, name: str | None = None,
        dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(specificity, num_thresholds, class_id, name, dtype)
        self.specificity = specificity


class SpecificityAtSensitivity(_BestWhere):
    """The best specificity TN / (TN + FP) at a sensitivity TP / (TP + FN) of at least a given one.

    Args:
        sensitivity: the least sensitivity, in [0, 1].
        num_thresholds: how many thresholds are tried, evenly spaced in [0, 1].
        class_id: look at one class alone.
        name: the metric's name.
        dtype: of the variables.

    Raises:
        ValueError: the sensitivity lies outside [0, 1], or there is no threshold.
    """

    _wanted, _bound = "specificity", "sensitivity"

    def __init__(
        self, sensitivity: float, num_thresholds: int = 200, class_id: int | None = None, name: str | None = None,
        dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(sensitivity, num_thresholds, class_id, name, dtype)
        self.sensitivity = sensitivity


class PrecisionAtRecall(_BestWhere):
    """The best precision TP / (TP + FP) at a recall TP / (TP + FN) of at least a given one.

    Args:
        recall: the least recall, in [0, 1].
        num_thresholds: how many thresholds are tried, evenly spaced in [0, 1].
        class_id: look at one class alone.
        name: the metric's name.
        dtype: of the variables.

    Raises:
        ValueError: the recall lies outside [0, 1], or there is no threshold.
    """

    _wanted, _bound = "precision", "recall"

    def __init__(
        self, recall: float, num_thresholds: int = 200, class_id: int | None = None, name: str | None = None,
        dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(recall, num_thresholds, class_id, name, dtype)
        self.recall = recall


class RecallAtPrecision(_BestWhere):
    """The best recall TP / (TP + FN) at a precision TP / (TP + FP) of at least a given one.

    Args:
        precision: the least precision, in [0, 1].
        num_thresholds: how many thresholds are tried, evenly spaced in [0, 1].
        class_id: look at one class alone.
        name: the metric's name.
        dtype: of the variables.

    Raises:
        ValueError: the precision lies outside [0, 1], or there is no threshold.
    """

    _wanted, _bound = "recall", "precision"

    def __init__(
        self, precision: float, num_thresholds: int = 200, class_id: int | None = None, name: str | None = None,
        dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(precision, num_thresholds, class_id, name, dtype)
        self.precision = precision
