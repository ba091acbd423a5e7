"""The losses as objects: a function, its options, and a reduction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from tricera.core import checks
from tricera.losses import functions as F
from tricera.losses.loss import Loss, from_origin, squeeze_or_expand_to_same_rank

_ONE_AXIS: Mapping[str, checks.Check] = {"axis": checks.integer()}


class FunctionLoss(Loss):
    """A loss whose values a function of this module computes; `_options` are the attributes passed to it.

    `_forgotten` are options with their defaults that Keras's configs leave out (though its constructors take them):
    ours leave them out where they are the default, so that the configs are the same and no setting is lost.
    """

    fn: ClassVar[Any]
    _options: ClassVar[tuple[str, ...]] = ()
    _forgotten: ClassVar[dict[str, Any]] = {}

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """One value a sample."""
        y_true, y_pred = squeeze_or_expand_to_same_rank(y_true, y_pred)
        options = {name: getattr(self, name) for name in self._options}
        y_pred, options = from_origin(type(self).fn, y_pred, options)
        return type(self).fn(y_true, y_pred, **options)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        chosen = {key: getattr(self, key) for key, default in self._forgotten.items() if getattr(self, key) != default}
        return {**super().get_config(), **chosen}


class MeanSquaredError(FunctionLoss):
    """mean((y_pred - y_true)^2).

    Args:
        reduction: how the values a sample become one, see `Loss`.
        name: the loss's name.
        dtype: in which dtype to compute.
    """

    fn = staticmethod(F.mean_squared_error)

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str | None = "mean_squared_error", dtype: Any = None
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)


class MeanAbsoluteError(FunctionLoss):
    """mean(|y_pred - y_true|).

    Args:
        reduction: how the values a sample become one, see `Loss`.
        name: the loss's name.
        dtype: in which dtype to compute.
    """

    fn = staticmethod(F.mean_absolute_error)

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str | None = "mean_absolute_error", dtype: Any = None
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)


class MeanAbsolutePercentageError(FunctionLoss):
    """100 * mean(|(y_true - y_pred) / y_true|).

    Args:
        reduction: how the values a sample become one, see `Loss`.
        name: the loss's name.
        dtype: in which dtype to compute.
    """

    fn = staticmethod(F.mean_absolute_percentage_error)

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_absolute_percentage_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)


class MeanSquaredLogarithmicError(FunctionLoss):
    """mean((log(1 + y_pred) - log(1 + y_true))^2).

    Args:
        reduction: how the values a sample become one, see `Loss`.
        name: the loss's name.
        dtype: in which dtype to compute.
    """

    fn = staticmethod(F.mean_squared_logarithmic_error)

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_squared_logarithmic_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)


class LogCosh(FunctionLoss):
    """mean(log(cosh(y_pred - y_true))).

    Args:
        reduction: how the values a sample become one, see `Loss`.
        name: the loss's name.
        dtype: in which dtype to compute.
    """

    fn = staticmethod(F.log_cosh)

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str | None = "log_cosh", dtype: Any = None
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)


class Hinge(FunctionLoss):
    """mean(max(1 - y_true * y_pred, 0)) for targets -1 and 1 (or 0 and 1).

    Args:
        reduction: how the values a sample become one, see `Loss`.
        name: the loss's name.
        dtype: in which dtype to compute.
    """

    fn = staticmethod(F.hinge)

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str | None = "hinge", dtype: Any = None
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)


class SquaredHinge(FunctionLoss):
    """mean(max(1 - y_true * y_pred, 0)^2) for targets -1 and 1 (or 0 and 1).

    Args:
        reduction: how the values a sample become one, see `Loss`.
        name: the loss's name.
        dtype: in which dtype to compute.
    """

    fn = staticmethod(F.squared_hinge)

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str | None = "squared_hinge", dtype: Any = None
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)


class CategoricalHinge(FunctionLoss):
    """max(1 + largest wrong output - right output, 0) for one-hot targets.

    Args:
        reduction: how the values a sample become one, see `Loss`.
        name: the loss's name.
        dtype: in which dtype to compute.
    """

    fn = staticmethod(F.categorical_hinge)

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str | None = "categorical_hinge", dtype: Any = None
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)


class KLDivergence(FunctionLoss):
    """sum(y_true * log(y_true / y_pred)).

    Args:
        reduction: how the values a sample become one, see `Loss`.
        name: the loss's name.
        dtype: in which dtype to compute.
    """

    fn = staticmethod(F.kl_divergence)

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str | None = "kl_divergence", dtype: Any = None
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)


class Poisson(FunctionLoss):
    """mean(y_pred - y_true * log(y_pred)).

    Args:
        reduction: how the values a sample become one, see `Loss`.
        name: the loss's name.
        dtype: in which dtype to compute.
    """

    fn = staticmethod(F.poisson)

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str | None = "poisson", dtype: Any = None
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)


class CTC(FunctionLoss):
    """Connectionist temporal classification (Graves et al. 2006): unaligned label sequences; see the function `ctc`.

    Args:
        reduction: how the values a sample become one, see `Loss`.
        name: the loss's name.
        dtype: in which dtype to compute.
    """

    fn = staticmethod(F.ctc)

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str | None = "ctc", dtype: Any = None
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """One value a sequence."""
        return F.ctc(y_true, y_pred)


class Huber(FunctionLoss):
    """Quadratic within delta, linear beyond (Huber 1964).

    Args:
        delta: where the loss becomes linear.
        reduction: how the values a sample become one, see `Loss`.
        name: the loss's name.
        dtype: in which dtype to compute.
    """

    fn = staticmethod(F.huber)
    _options = ("delta",)
    _forgotten = {"delta": 1.0}

    def __init__(
        self, delta: float = 1.0, reduction: str | None = "sum_over_batch_size", name: str | None = "huber_loss", dtype: Any = None
    ) -> None:  # fmt: skip
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.delta = delta


class CosineSimilarity(FunctionLoss):
    """The negative cosine of the angle between targets and outputs.

    Args:
        axis: the axis of the vectors.
        reduction: how the values a sample become one, see `Loss`.
        name: the loss's name.
        dtype: in which dtype to compute.
    """

    fn = staticmethod(F.cosine_similarity)
    _options = ("axis",)
    _forgotten = {"axis": -1}

    def __init__(
        self, axis: int = -1, reduction: str | None = "sum_over_batch_size", name: str | None = "cosine_similarity", dtype: Any = None
    ) -> None:  # fmt: skip
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.axis = axis


class BinaryCrossentropy(FunctionLoss):
    """Crossentropy of targets 0 and 1.

    Args:
        from_logits: whether outputs are logits.
        label_smoothing: how far targets are moved toward 1/2.
        axis: over which the mean is taken.
        reduction: how the values a sample become one, see `Loss`.
        name: the loss's name.
        dtype: in which dtype to compute.
    """

    fn = staticmethod(F.binary_crossentropy)
    _options = ("from_logits", "label_smoothing", "axis")
    _config = ("from_logits", "label_smoothing", "axis")

    def __init__(
        self, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1, reduction: str | None = "sum_over_batch_size", name: str | None = "binary_crossentropy", dtype: Any = None
    ) -> None:  # fmt: skip
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing
        self.axis = axis


class BinaryFocalCrossentropy(FunctionLoss):
    """Binary crossentropy that discounts easy samples (Lin et al. 2017).

    Args:
        apply_class_balancing: weigh class 1 by alpha, class 0 by 1 - alpha.
        alpha: that weight.
        gamma: how much easy samples are discounted.
        from_logits: whether outputs are logits.
        label_smoothing: how far targets are moved toward 1/2.
        axis: over which the mean is taken.
        reduction: how the values a sample become one, see `Loss`.
        name: the loss's name.
        dtype: in which dtype to compute.
    """

    _checks: ClassVar[Mapping[str, checks.Check]] = {**Loss._checks, "alpha": checks.number(0, 1)}

    fn = staticmethod(F.binary_focal_crossentropy)
    _options = ("apply_class_balancing", "alpha", "gamma", "from_logits", "label_smoothing", "axis")
    _config = ("apply_class_balancing", "alpha", "gamma", "from_logits", "label_smoothing", "axis")

    def __init__(
        self, apply_class_balancing: bool = False, alpha: float = 0.25, gamma: float = 2.0, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1, reduction: str | None = "sum_over_batch_size", name: str | None = "binary_focal_crossentropy", dtype: Any = None
    ) -> None:  # fmt: skip
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.apply_class_balancing = apply_class_balancing
        self.alpha = alpha
        self.gamma = gamma
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing
        self.axis = axis


class CategoricalCrossentropy(FunctionLoss):
    """Crossentropy of one-hot targets.

    Args:
        from_logits: whether outputs are logits.
        label_smoothing: how much weight goes to all classes alike.
        axis: the axis of the classes.
        reduction: how the values a sample become one, see `Loss`.
        name: the loss's name.
        dtype: in which dtype to compute.
    """

    _checks: ClassVar[Mapping[str, checks.Check]] = {**Loss._checks, **_ONE_AXIS}

    fn = staticmethod(F.categorical_crossentropy)
    _options = ("from_logits", "label_smoothing", "axis")
    _config = ("from_logits", "label_smoothing", "axis")

    def __init__(
        self, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1, reduction: str | None = "sum_over_batch_size", name: str | None = "categorical_crossentropy", dtype: Any = None
    ) -> None:  # fmt: skip
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing
        self.axis = axis


class CategoricalFocalCrossentropy(FunctionLoss):
    """Crossentropy that discounts easy samples (Lin et al. 2017).

    Args:
        alpha: a weight, or one a class.
        gamma: how much easy samples are discounted.
        from_logits: whether outputs are logits.
        label_smoothing: how much weight goes to all classes alike.
        axis: the axis of the classes.
        reduction: how the values a sample become one, see `Loss`.
        name: the loss's name.
        dtype: in which dtype to compute.
    """

    _checks: ClassVar[Mapping[str, checks.Check]] = {
        **Loss._checks,
        "alpha": checks.several(checks.number(0), optional=False),
        **_ONE_AXIS,
    }

    fn = staticmethod(F.categorical_focal_crossentropy)
    _options = ("alpha", "gamma", "from_logits", "label_smoothing", "axis")
    _config = ("alpha", "gamma", "from_logits", "label_smoothing", "axis")

    def __init__(
        self, alpha: Any = 0.25, gamma: float = 2.0, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1, reduction: str | None = "sum_over_batch_size", name: str | None = "categorical_focal_crossentropy", dtype: Any = None
    ) -> None:  # fmt: skip
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.alpha = alpha
        self.gamma = gamma
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing
        self.axis = axis


class CategoricalGeneralizedCrossEntropy(FunctionLoss):
    """Crossentropy robust to wrong labels (Zhang & Sabuncu 2018), integer targets.

    Args:
        q: between 0 (toward crossentropy) and 1 (toward absolute error).
        reduction: how the values a sample become one, see `Loss`.
        name: the loss's name.
        dtype: in which dtype to compute.

    Raises:
        ValueError: q does not lie between 0 and 1.
    """

    fn = staticmethod(F.categorical_generalized_cross_entropy)
    _options = ("q",)
    _config = ("q",)

    def __init__(
        self, q: float = 0.5, reduction: str | None = "sum_over_batch_size", name: str | None = "categorical_generalized_cross_entropy", dtype: Any = None
    ) -> None:  # fmt: skip
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.q = q


class SparseCategoricalCrossentropy(FunctionLoss):
    """Crossentropy of integer targets.

    Args:
        from_logits: whether outputs are logits.
        ignore_class: a class that counts for nothing.
        axis: the axis of the classes.
        reduction: how the values a sample become one, see `Loss`.
        name: the loss's name.
        dtype: in which dtype to compute.
    """

    _checks: ClassVar[Mapping[str, checks.Check]] = {**Loss._checks, **_ONE_AXIS}

    fn = staticmethod(F.sparse_categorical_crossentropy)
    _takes_classes = True
    _options = ("from_logits", "ignore_class", "axis")
    _config = ("from_logits", "ignore_class")

    def __init__(
        self, from_logits: bool = False, ignore_class: int | None = None, reduction: str | None = "sum_over_batch_size", axis: int = -1, name: str | None = "sparse_categorical_crossentropy", dtype: Any = None
    ) -> None:  # fmt: skip
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.from_logits = from_logits
        self.ignore_class = ignore_class
        self.axis = axis


class Tversky(FunctionLoss):
    """1 - TP / (TP + alpha FN + beta FP) on soft counts (Salehi et al. 2017).

    Args:
        alpha: the weight of false negatives.
        beta: the weight of false positives.
        axis: over which the sums are taken, all axes for None.
        reduction: how the values a sample become one, see `Loss`.
        name: the loss's name.
        dtype: in which dtype to compute.
    """

    _checks: ClassVar[Mapping[str, checks.Check]] = {
        **Loss._checks,
        "alpha": checks.number(0),
        "beta": checks.number(0),
    }

    fn = staticmethod(F.tversky)
    _options = ("alpha", "beta", "axis")
    _config = ("alpha", "beta", "axis")

    def __init__(
        self, alpha: float = 0.5, beta: float = 0.5, reduction: str | None = "sum_over_batch_size", name: str | None = "tversky", axis: Any = None, dtype: Any = None
    ) -> None:  # fmt: skip
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.alpha = alpha
        self.beta = beta
        self.axis = axis


class Dice(FunctionLoss):
    """1 - 2 |intersection| / (|a| + |b|) on soft counts.

    Args:
        axis: over which the sums are taken, all axes for None.
        reduction: how the values a sample become one, see `Loss`.
        name: the loss's name.
        dtype: in which dtype to compute.
    """

    fn = staticmethod(F.dice)
    _options = ("axis",)
    _config = ("axis",)

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str | None = "dice", axis: Any = None, dtype: Any = None
    ) -> None:  # fmt: skip
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.axis = axis


class Circle(FunctionLoss):
    """Circle loss on pairs of embeddings (Sun et al. 2020).

    Args:
        gamma: the scale.
        margin: the relaxation.
        remove_diagonal: leave out the pair of a sample with itself.
        reduction: how the values a sample become one, see `Loss`.
        name: the loss's name.
        dtype: in which dtype to compute.
    """

    fn = staticmethod(F.circle)
    _options = ("gamma", "margin", "remove_diagonal")
    _config = ("gamma", "margin", "remove_diagonal")

    def __init__(
        self, gamma: float = 80.0, margin: float = 0.4, remove_diagonal: bool = True, reduction: str | None = "sum_over_batch_size", name: str | None = "circle", dtype: Any = None
    ) -> None:  # fmt: skip
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.gamma = gamma
        self.margin = margin
        self.remove_diagonal = remove_diagonal
