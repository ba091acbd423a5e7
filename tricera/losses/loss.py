"""`Loss`: a value a sample, weighted and reduced to a scalar."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np

from tricera import dtype_policies, ops
from tricera.core import checks, config, naming, tree
from tricera.core.masking import get_mask
from tricera.core.origin import logits_of

REDUCTIONS = ("sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none", None, "auto")


class Loss(checks.Checked):
    """The base of losses: subclasses define `call(y_true, y_pred)`, one value a sample.

    Args:
        name: default: the class's name in snake case.
        reduction: `"sum_over_batch_size"` or `"mean"` (divide by the number of values), `"sum"`,
            `"mean_with_sample_weight"` (divide by the sum of the weights), or None or `"none"`.
        dtype: in which dtype to compute, floatx for None.

    Raises:
        ValueError: an unknown reduction.

    Example:
        >>> class Offset(Loss):
        ...     def call(self, y_true, y_pred):
        ...         return ops.mean(ops.subtract(y_pred, y_true), axis=-1)
        >>> float(Offset()([[1.0]], [[3.0]]))
        2.0
    """

    _config: ClassVar[tuple[str, ...]] = ()
    _takes_classes = False  # whether the targets are classes, which stay what they are
    _checks: ClassVar[Mapping[str, checks.Check]] = {
        "fn": checks.function, "label_smoothing": checks.number(0, 1), "from_logits": checks.flag, "axis": checks.axes,
        "ignore_class": checks.integer(optional=True), "delta": checks.number(above=0), "gamma": checks.number(0),
        "margin": checks.number(), "q": checks.number(above=0, below=1), "name": checks.text, "apply_class_balancing": checks.flag,
        "remove_diagonal": checks.flag,
    }  # fmt: skip

    def __init__(
        self, name: str | None = None, reduction: str | None = "sum_over_batch_size", dtype: Any = None
    ) -> None:
        if reduction not in REDUCTIONS:
            raise ValueError(f"`reduction` must be one of {', '.join(map(repr, REDUCTIONS[:-1]))}, not {reduction!r}.")
        self.name = name or naming.to_snake_case(type(self).__name__)
        self.reduction = reduction
        self._dtype_policy = dtype_policies.get(config.floatx() if dtype is None else dtype)
        self._given_dtype = dtype

    @property
    def dtype(self) -> str:
        """In which dtype the loss is computed."""
        return self._dtype_policy.compute_dtype

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """One value a sample; to be overridden."""
        raise NotImplementedError(f"{type(self).__name__} must define `call(y_true, y_pred)`.")

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """The reduced loss.

        Args:
            y_true: the targets.
            y_pred: the outputs.
            sample_weight: weights of the samples, or of their elements, from the first axis on; if they fit the last axes alone
                (a weight a step), they broadcast along these.
        """
        mask = next((m for m in map(get_mask, tree.flatten(y_pred)) if m is not None), None)
        y_pred = self._converted(y_pred)
        y_true = ops.convert_to_tensor(y_true) if self._takes_classes else self._converted(y_true)
        try:
            values = self.call(y_true, y_pred)
            if sample_weight is not None:
                sample_weight = ops.convert_to_tensor(sample_weight, dtype=self.dtype)
            own = get_mask(values)  # of ignored classes
            if own is not None:
                mask = own if mask is None else ops.logical_and(mask, own)
            return reduce_weighted_values(values, sample_weight, mask, self.reduction, self.dtype)
        except ValueError as error:
            raise with_shapes(error, self, y_true, y_pred, sample_weight) from error

    def _converted(self, x: Any) -> Any:
        """Tensors of the loss's dtype; a nested list of Python numbers is one tensor."""
        if isinstance(x, (list, tuple, dict)) and all(hasattr(leaf, "shape") for leaf in tree.flatten(x)):
            return tree.map_structure(lambda t: ops.convert_to_tensor(t, dtype=self.dtype), x)
        return ops.convert_to_tensor(x, dtype=self.dtype)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        base: dict[str, Any] = {"name": self.name, "reduction": self.reduction}
        if self._given_dtype is not None:  # Keras forgets it, but takes it
            base["dtype"] = self.dtype
        return {**base, **{name: getattr(self, name) for name in self._config}}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Make a loss from what `get_config` gave."""
        return cls(**config)


class LossFunctionWrapper(Loss):
    """A loss from a function of targets and outputs.

    Args:
        fn: returns one value a sample.
        reduction: as for `Loss`.
        name: as for `Loss`.
        dtype: as for `Loss`.
        **kwargs: further arguments of the function.
    """

    def __init__(
        self, fn: Callable[..., Any], reduction: str | None = "sum_over_batch_size", name: str | None = None,
        dtype: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(name=name or getattr(fn, "__name__", "loss"), reduction=reduction, dtype=dtype)
        self.fn, self._fn_kwargs = fn, kwargs
        self._takes_classes = getattr(fn, "takes_classes", False)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """One value a sample."""
        pairs_true, pairs_pred = y_true, y_pred
        if hasattr(y_true, "shape") and hasattr(y_pred, "shape"):
            pairs_true, pairs_pred = squeeze_or_expand_to_same_rank(y_true, y_pred)
        pairs_pred, options = from_origin(self.fn, pairs_pred, self._fn_kwargs)
        return self.fn(pairs_true, pairs_pred, **options)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        from tricera.core.configurable import config_of

        return {**super().get_config(), "fn": config_of(self.fn), **self._fn_kwargs}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Make a loss from what `get_config` gave."""
        if "fn" in config:
            from tricera.core.serialization import deserialize_keras_object

            config = {**config, "fn": deserialize_keras_object(config["fn"])}
        return cls(**config)


def with_shapes(error: ValueError, who: Any, y_true: Any, y_pred: Any, sample_weight: Any = None) -> ValueError:
    """The error of a loss or metric, told by its class and by what it was given."""
    name = type(who).__name__
    if str(error).startswith(f"{name}: "):
        return error
    true, pred = _shape(y_true), _shape(y_pred)
    weight = "" if sample_weight is None else f", and `sample_weight` {_shape(sample_weight)}"
    return ValueError(f"{name}: `y_true` has the shape {true}, and `y_pred` {pred}{weight}. {error}")


def _shape(x: Any) -> tuple[int, ...]:
    return tuple(x.shape) if hasattr(x, "shape") else np.asarray(x, object).shape


def telling_shapes(method: Callable[..., Any]) -> Callable[..., Any]:
    """A metric's `update_state(y_true, y_pred, ...)` whose errors say of which class and of which shapes they are."""

    @functools.wraps(method)
    def told(self: Any, y_true: Any, y_pred: Any, sample_weight: Any = None, **kwargs: Any) -> Any:
        try:
            return method(self, y_true, y_pred, sample_weight, **kwargs)
        except ValueError as error:
            raise with_shapes(error, self, y_true, y_pred, sample_weight) from error

    return told


def from_origin(fn: Any, y_pred: Any, options: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Outputs and options of a loss: a crossentropy of what an activation has just made goes by the logits.

    That is exact where probabilities round to 0 or 1, has gradients there, and costs less.
    """
    activation = getattr(fn, "activation", None)
    if activation is None or options.get("from_logits") or options.get("axis", -1) != -1:
        return y_pred, options
    logits = logits_of(activation, y_pred)
    return (y_pred, options) if logits is None else (logits, {**options, "from_logits": True})


def squeeze_or_expand_to_same_rank(x1: Any, x2: Any, expand_rank_1: bool = True) -> tuple[Any, Any]:
    """Two tensors whose ranks differ by a last axis of length 1, brought to the same rank."""
    rank1, rank2 = len(x1.shape), len(x2.shape)
    if rank1 == rank2 + 1 and x1.shape[-1] == 1:
        if rank2 == 1 and expand_rank_1:
            return x1, ops.expand_dims(x2, -1)
        return ops.squeeze(x1, axis=-1), x2
    if rank2 == rank1 + 1 and x2.shape[-1] == 1:
        if rank1 == 1 and expand_rank_1:
            return ops.expand_dims(x1, -1), x2
        return x1, ops.squeeze(x2, axis=-1)
    return x1, x2


def reduce_values(values: Any, sample_weight: Any = None, reduction: str | None = "sum_over_batch_size") -> Any:
    """The values, already weighted, as a scalar (or as they are, without a reduction)."""
    if reduction in (None, "none"):
        return values
    if reduction != "sum" and (reduction != "mean_with_sample_weight" or sample_weight is None) and _some(values):
        return ops.mean(values)
    total = ops.sum(values)
    if reduction == "sum" or not len(values.shape):
        return total
    if reduction == "mean_with_sample_weight" and sample_weight is not None:
        return divide_no_nan(total, ops.sum(sample_weight))
    return ops.divide(total, ops.cast(count(values), ops.dtype(total)))


def _some(values: Any) -> bool:
    """Whether there are elements for sure, as many as the shape says."""
    shape = tuple(values.shape)
    return len(shape) > 0 and None not in shape and 0 not in shape


def count(values: Any) -> Any:
    """The number of elements, at least 1 where there are none."""
    n: Any = 1
    for d in ops.shape(values):
        n = n * d if d is not None else n
    return max(n, 1) if isinstance(n, int) else n


def divide_no_nan(x: Any, y: Any) -> Any:
    """x / y, 0 where y is 0."""
    return ops.divide_no_nan(x, y)


def reduce_weighted_values(
    values: Any,
    sample_weight: Any = None,
    mask: Any = None,
    reduction: str | None = "sum_over_batch_size",
    dtype: Any = None,
) -> Any:
    """Weigh and mask values a sample, and reduce them.

    Args:
        values: one value a sample (or element).
        sample_weight: weights, which broadcast to the values.
        mask: which values count; the mean is over these.
        reduction: as for `Loss`.
        dtype: of the computation.
    """
    reduction = "sum_over_batch_size" if reduction == "auto" else reduction
    values = ops.convert_to_tensor(values, dtype=dtype)
    if mask is not None:
        sample_weight = apply_mask(sample_weight, mask, ops.dtype(values), reduction)
    if sample_weight is not None:
        sample_weight = ops.cast(sample_weight, ops.dtype(values))
        values, sample_weight = squeeze_or_expand_to_same_rank(values, sample_weight)
        if len(sample_weight.shape) < len(values.shape) and not _only_from_the_last_axis(sample_weight, values):
            while len(sample_weight.shape) < len(values.shape):
                sample_weight = ops.expand_dims(sample_weight, -1)
        values = ops.multiply(values, sample_weight)
    return reduce_values(values, sample_weight, reduction)


def _only_from_the_last_axis(weights: Any, values: Any) -> bool:
    """Whether weights have the lengths of the values' last axes, but not those of the first: a weight a step, not a sample."""
    given, shape = tuple(weights.shape), tuple(values.shape)
    last = shape[len(shape) - len(given) :]
    return not fits(given, shape) and fits(given, last)


def fits(given: tuple[int | None, ...], shape: tuple[int | None, ...]) -> bool:
    """Whether axes of these lengths broadcast to the first of `shape`; None is any length."""
    return all(n == m or n == 1 or None in (n, m) for n, m in zip(given, shape, strict=False))


def apply_mask(sample_weight: Any, mask: Any, dtype: str, reduction: str | None) -> Any:
    """Weights that are 0 where masked, scaled so that a mean over all values is one over those that count."""
    mask = ops.cast(mask, dtype)
    if reduction in ("mean", "sum_over_batch_size"):
        total = ops.cast(count(mask), dtype)
        valid = ops.sum(mask)
        mask = ops.multiply(mask, ops.divide(total, ops.add(valid, config.epsilon())))
    if sample_weight is None:
        return mask
    sample_weight = ops.cast(sample_weight, dtype)
    mask, sample_weight = squeeze_or_expand_to_same_rank(mask, sample_weight)
    while len(sample_weight.shape) < len(mask.shape):
        sample_weight = ops.expand_dims(sample_weight, -1)
    return ops.multiply(sample_weight, mask)
