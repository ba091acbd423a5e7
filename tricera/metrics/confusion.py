"""Counts of true and false positives and negatives, and what is made of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from tricera import ops
from tricera.core import checks, config
from tricera.losses.loss import squeeze_or_expand_to_same_rank, telling_shapes
from tricera.metrics.accuracy import check_widths
from tricera.metrics.metric import Metric

_NOT_CHOSEN = -1e10  # below all outputs


def check_thresholds(thresholds: Any, default: float = 0.5) -> list[float]:
    """Thresholds as a list.

    Raises:
        ValueError: one lies outside [0, 1].
    """
    if thresholds is None:
        return [default]
    values = [float(t) for t in (thresholds if isinstance(thresholds, (list, tuple, np.ndarray)) else [thresholds])]
    bad = [t for t in values if not 0 <= t <= 1]
    if bad:
        raise ValueError(f"`thresholds` must lie in [0, 1]; got {bad}.")
    return values


def one_class(y_true: Any, y_pred: Any, class_id: int | None) -> tuple[Any, Any]:
    """Targets and outputs of one class, or as they are for None.

    Raises:
        ValueError: there is no such class. (Not every framework says so itself.)
    """
    if class_id is None:
        return y_true, y_pred
    for y in (y_true, y_pred):
        if len(y.shape) < 2 or (y.shape[-1] is not None and y.shape[-1] <= class_id):
            raise ValueError(f"`class_id` is {class_id}, but a tensor of shape {tuple(y.shape)} has no such class.")
    return y_true[..., class_id], y_pred[..., class_id]


def flat_pairs(y_true: Any, y_pred: Any, sample_weight: Any, dtype: str) -> tuple[Any, Any, Any]:
    """Targets, outputs and weights (or None), each as one axis."""
    y_true, y_pred = (ops.cast(ops.convert_to_tensor(y), dtype) for y in (y_true, y_pred))
    y_true, y_pred = squeeze_or_expand_to_same_rank(y_true, y_pred)
    if sample_weight is not None:
        sample_weight = ops.cast(ops.convert_to_tensor(sample_weight), dtype)
        if len(sample_weight.shape) > len(y_pred.shape) and sample_weight.shape[-1] == 1:
            sample_weight = ops.squeeze(sample_weight, axis=-1)
        while len(sample_weight.shape) < len(y_pred.shape):
            sample_weight = ops.expand_dims(sample_weight, -1)
        sample_weight = ops.reshape(ops.broadcast_to(sample_weight, ops.shape(y_pred)), (-1,))
    return ops.reshape(y_true, (-1,)), ops.reshape(y_pred, (-1,)), sample_weight


def counts(
    y_true: Any, y_pred: Any, thresholds: list[float], sample_weight: Any, dtype: str
) -> tuple[Any, Any, Any, Any]:
    """True positives, false positives, true negatives and false negatives for each threshold.

    An output counts as positive above the threshold. One comparison of (thresholds, samples) and two products.
    """
    y_true, y_pred, weight = flat_pairs(y_true, y_pred, sample_weight, dtype)
    positive = ops.cast(
        ops.greater(y_pred, ops.reshape(ops.convert_to_tensor(np.array(thresholds, dtype)), (-1, 1))), dtype
    )
    is_true = ops.cast(ops.cast(y_true, "bool"), dtype)
    weight = ops.ones_like(is_true) if weight is None else weight
    true_weight = ops.multiply(is_true, weight)
    false_weight = ops.subtract(weight, true_weight)
    tp, fp = ops.matmul(positive, true_weight), ops.matmul(positive, false_weight)
    return tp, fp, ops.subtract(ops.sum(false_weight), fp), ops.subtract(ops.sum(true_weight), tp)


class _Count(Metric):
    """One of the four counts."""

    _counts = True

    _index: int

    def __init__(self, thresholds: Any = None, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.init_thresholds = thresholds
        self.thresholds = check_thresholds(thresholds)
        self.accumulator = self.add_variable((len(self.thresholds),), "zeros", name="accumulator")

    @telling_shapes
    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take a batch into account.

        Args:
            y_true: targets of 0 and 1.
            y_pred: probabilities.
            sample_weight: weights, which broadcast.
        """
        self.accumulator.assign_add(
            counts(y_true, y_pred, self.thresholds, sample_weight, self._sum_dtype)[self._index]
        )

    def result(self) -> Any:
        """The count, one a threshold if there are several."""
        # A copy: torch overwrites the variable in place, and a result must not change after it was given.
        return ops.copy(self.accumulator[0] if len(self.thresholds) == 1 else self.accumulator)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {**super().get_config(), "thresholds": self.init_thresholds}


class TruePositives(_Count):
    """How many positives were found.

    Args:
        thresholds: above which an output counts as positive, 0.5 for None; one or several.
        name: the metric's name.
        dtype: of the variables.
    """

    _index = 0


class FalsePositives(_Count):
    """How many negatives were taken for positives; see `TruePositives` for the arguments."""

    _index = 1


class TrueNegatives(_Count):
    """How many negatives were found; see `TruePositives` for the arguments."""

    _index = 2


class FalseNegatives(_Count):
    """How many positives were missed; see `TruePositives` for the arguments."""

    _index = 3


class _Ratio(Metric):
    """True positives over true positives and another count."""

    _counts = True

    _other: tuple[str, int]

    def __init__(
        self,
        thresholds: Any = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self._direction = "up"
        self.init_thresholds, self.top_k, self.class_id = thresholds, top_k, class_id
        # With top_k the k largest outputs count as positive, also below 0.
        self.thresholds = check_thresholds(thresholds, 0.5 if top_k is None else _NOT_CHOSEN)
        size = (len(self.thresholds),)
        self.true_positives = self.add_variable(size, "zeros", name="true_positives")
        self.other = self.add_variable(size, "zeros", name=self._other[0])

    @telling_shapes
    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take a batch into account.

        Args:
            y_true: targets of 0 and 1.
            y_pred: probabilities.
            sample_weight: weights, which broadcast.
        """
        y_true, y_pred = ops.convert_to_tensor(y_true), ops.cast(ops.convert_to_tensor(y_pred), self._sum_dtype)
        y_true, y_pred = squeeze_or_expand_to_same_rank(y_true, y_pred)
        if self.top_k is not None:
            # Of equals the first are chosen: which ones `top_k` itself would name depends on the framework.
            last = ops.top_k(y_pred, self.top_k)[0][..., -1:]
            above, equal = ops.greater(y_pred, last), ops.equal(y_pred, last)
            left = ops.subtract(self.top_k, ops.sum(ops.cast(above, "int32"), axis=-1, keepdims=True))
            first = ops.less_equal(ops.cumsum(ops.cast(equal, "int32"), axis=-1), left)
            chosen = ops.logical_or(above, ops.logical_and(equal, first))
            y_pred = ops.where(chosen, y_pred, _NOT_CHOSEN)
        y_true, y_pred = one_class(y_true, y_pred, self.class_id)
        found = counts(y_true, y_pred, self.thresholds, sample_weight, self._sum_dtype)
        self.true_positives.assign_add(found[0])
        self.other.assign_add(found[self._other[1]])

    def result(self) -> Any:
        """The ratio, one a threshold if there are several."""
        ratio = ops.divide_no_nan(self.true_positives, ops.add(self.true_positives, self.other))
        return ratio[0] if len(self.thresholds) == 1 else ratio

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {
            **super().get_config(),
            "thresholds": self.init_thresholds,
            "top_k": self.top_k,
            "class_id": self.class_id,
        }


class Precision(_Ratio):
    """True positives / all that were taken for positives.

    Args:
        thresholds: above which an output counts as positive, 0.5 for None; one or several.
        top_k: take the k largest outputs of a sample for positives.
        class_id: look at one class alone.
        name: the metric's name.
        dtype: of the variables.
    """

    _other = ("false_positives", 1)


class Recall(_Ratio):
    """True positives / all positives; see `Precision` for the arguments."""

    _other = ("false_negatives", 3)


class AUC(Metric):
    """The area under the ROC or the precision-recall curve, by a Riemann sum over thresholds.

    Args:
        num_thresholds: how many thresholds, at least 2.
        curve: `"ROC"` or `"PR"`.
        summation_method: `"interpolation"` (for PR that of Davis & Goadrich 2006), `"minoring"` or `"majoring"`.
        name: the metric's name.
        dtype: of the variables.
        thresholds: the thresholds themselves, in the place of their number.
        multi_label: take the mean of the areas of the labels.
        num_labels: how many labels there are.
        label_weights: weights of the labels.
        from_logits: whether outputs are logits.

    Raises:
        ValueError: an unknown curve or method, or too few thresholds.

    Example:
        >>> m = AUC()
        >>> m.update_state([0, 0, 1, 1], [0.1, 0.2, 0.7, 0.9])
        >>> round(float(m.result()), 3)
        1.0
    """

    _counts = True

    _checks: ClassVar[Mapping[str, checks.Check]] = {
        **Metric._checks,
        "thresholds": checks.several(checks.number(), alone=False),
    }

    def __init__(
        self, num_thresholds: int = 200, curve: str = "ROC", summation_method: str = "interpolation", name: str | None = None,
        dtype: Any = None, thresholds: Any = None, multi_label: bool = False, num_labels: int | None = None,
        label_weights: Any = None, from_logits: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(name=name, dtype=dtype)
        if curve not in ("ROC", "PR"):
            raise ValueError(f"`curve` must be 'ROC' or 'PR', not {curve!r}.")
        if summation_method not in ("interpolation", "minoring", "majoring"):
            raise ValueError(
                f"`summation_method` must be 'interpolation', 'minoring' or 'majoring', not {summation_method!r}."
            )
        self._direction = "up"
        self._given = thresholds
        if thresholds is None:
            if num_thresholds <= 1:
                raise ValueError(f"`num_thresholds` must be above 1; got {num_thresholds}.")
            inner = [(i + 1) / (num_thresholds - 1) for i in range(num_thresholds - 2)]
        else:
            inner = sorted(float(t) for t in thresholds)
        # A little below 0 and above 1, so that outputs of exactly 0 and 1 lie inside.
        self._thresholds = np.array([-config.epsilon(), *inner, 1.0 + config.epsilon()])
        self.num_thresholds = len(self._thresholds)
        self.curve, self.summation_method, self.from_logits = curve, summation_method, from_logits
        self.multi_label, self.num_labels = multi_label, num_labels
        self.label_weights = None if label_weights is None else list(label_weights)
        self._built = False
        if not multi_label or num_labels:
            self._build(num_labels)

    def _build(self, labels: int | None) -> None:
        shape = (self.num_thresholds, labels) if self.multi_label else (self.num_thresholds,)
        names = ("true_positives", "false_positives", "true_negatives", "false_negatives")
        self.true_positives, self.false_positives, self.true_negatives, self.false_negatives = (
            self.add_variable(shape, "zeros", name=name) for name in names
        )
        self._built = True

    @property
    def thresholds(self) -> list[float]:
        """The thresholds."""
        return list(self._thresholds)

    @telling_shapes
    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take a batch into account.

        Args:
            y_true: targets of 0 and 1.
            y_pred: probabilities.
            sample_weight: weights, which broadcast.
        """
        y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
        if self.multi_label:
            check_widths(y_true, y_pred, axis=1, hint="")
        if not self._built:
            self._build(int(y_pred.shape[-1]))
        if self.from_logits:
            y_pred = ops.sigmoid(y_pred)
        thresholds = list(self._thresholds)
        if self.multi_label:
            labels = [
                counts(y_true[:, i], y_pred[:, i], thresholds, sample_weight, self._sum_dtype)
                for i in range(y_pred.shape[-1])
            ]
            found = tuple(ops.stack([label[i] for label in labels], axis=1) for i in range(4))
        else:
            found = counts(y_true, y_pred, thresholds, sample_weight, self._sum_dtype)
        parts = (self.true_positives, self.false_positives, self.true_negatives, self.false_negatives)
        for variable, value in zip(parts, found, strict=True):
            variable.assign_add(value)

    def result(self) -> Any:
        """The area."""
        if self.curve == "PR" and self.summation_method == "interpolation":
            areas = self._interpolated_pr_areas()
        else:
            tp, fp, tn, fn = (
                ops.convert_to_tensor(v)
                for v in (self.true_positives, self.false_positives, self.true_negatives, self.false_negatives)
            )
            recall = ops.divide_no_nan(tp, ops.add(tp, fn))
            if self.curve == "ROC":
                x, y = ops.divide_no_nan(fp, ops.add(fp, tn)), recall
            else:
                x, y = recall, ops.divide_no_nan(tp, ops.add(tp, fp))
            first, second = y[: self.num_thresholds - 1], y[1:]
            if self.summation_method == "interpolation":
                height = ops.divide(ops.add(first, second), 2.0)
            else:
                height = (ops.minimum if self.summation_method == "minoring" else ops.maximum)(first, second)
            areas = ops.multiply(ops.subtract(x[: self.num_thresholds - 1], x[1:]), height)
        return self._total(areas)

    def _total(self, areas: Any) -> Any:
        """The areas between thresholds added up, and the labels averaged."""
        if not self.multi_label:
            return ops.sum(areas)
        by_label = ops.sum(areas, axis=0)
        if self.label_weights is None:
            return ops.mean(by_label)
        weights = ops.convert_to_tensor(np.array(self.label_weights, self._sum_dtype))
        return ops.divide_no_nan(ops.sum(ops.multiply(by_label, weights)), ops.sum(weights))

    def interpolate_pr_auc(self) -> Any:
        """The area under the precision-recall curve, interpolated as Davis & Goadrich (2006) have it."""
        return self._total(self._interpolated_pr_areas())

    def _interpolated_pr_areas(self) -> Any:
        """Between two thresholds, precision follows the line of true positives over positives."""
        tp, fp, fn = (
            ops.convert_to_tensor(v) for v in (self.true_positives, self.false_positives, self.false_negatives)
        )
        last = self.num_thresholds - 1
        d_tp = ops.subtract(tp[:last], tp[1:])
        p = ops.add(tp, fp)
        d_p = ops.subtract(p[:last], p[1:])
        slope = ops.divide_no_nan(d_tp, ops.maximum(d_p, 0.0))
        intercept = ops.subtract(tp[1:], ops.multiply(slope, p[1:]))
        both = ops.logical_and(ops.greater(p[:last], 0), ops.greater(p[1:], 0))
        ratio = ops.where(both, ops.divide_no_nan(p[:last], ops.maximum(p[1:], 0.0)), ops.ones_like(p[1:]))
        gain = ops.multiply(slope, ops.add(d_tp, ops.multiply(intercept, ops.log(ratio))))
        return ops.divide_no_nan(gain, ops.maximum(ops.add(tp[1:], fn[1:]), 0.0))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        config = {
            **super().get_config(), "num_thresholds": self.num_thresholds, "curve": self.curve,
            "summation_method": self.summation_method, "multi_label": self.multi_label, "num_labels": self.num_labels,
            "label_weights": self.label_weights, "from_logits": self.from_logits,
        }  # fmt: skip
        if self._given is not None:
            config["thresholds"] = list(self._thresholds[1:-1])
        return config
