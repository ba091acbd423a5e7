"""Accuracies: how often outputs agree with targets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from tricera import ops
from tricera.core import checks, config
from tricera.losses.loss import squeeze_or_expand_to_same_rank
from tricera.metrics.reduction import MeanMetricWrapper


def _matches(a: Any, b: Any) -> Any:
    return ops.cast(ops.equal(a, b), config.floatx())


_SPARSE = " For integer targets take the metric whose name begins with 'Sparse'."


def check_widths(y_true: Any, y_pred: Any, axis: int = -1, hint: str = _SPARSE) -> None:
    """Check that targets have as many classes as the outputs, as far as both are known.

    Raises:
        ValueError: they haven't.
    """
    for y in (y_true, y_pred):
        if not -len(y.shape) <= axis < len(y.shape):
            raise ValueError(
                f"Targets and outputs need an axis of classes; a shape {tuple(y.shape)} has no axis {axis}."
            )
    true, pred = y_true.shape[axis], y_pred.shape[axis]
    if None not in (true, pred) and true != pred:
        raise ValueError(
            f"The targets must have as many classes as the outputs, but have {true} where these have {pred}.{hint}"
        )


def accuracy(y_true: Any, y_pred: Any) -> Any:
    """1 where target and output are equal."""
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = ops.cast(ops.convert_to_tensor(y_true), ops.dtype(y_pred))
    y_true, y_pred = squeeze_or_expand_to_same_rank(y_true, y_pred)
    return _matches(y_true, y_pred)


def binary_accuracy(y_true: Any, y_pred: Any, threshold: float = 0.5) -> Any:
    """1 where the output is on the target's side of the threshold.

    Args:
        y_true: targets of 0 and 1.
        y_pred: probabilities.
        threshold: above it an output counts as 1.

    Example:
        >>> ops.convert_to_numpy(binary_accuracy([[1], [0]], [[0.8], [0.9]])).tolist()
        [[1.0], [0.0]]
    """
    y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
    y_true, y_pred = squeeze_or_expand_to_same_rank(y_true, y_pred)
    chosen = ops.cast(ops.greater(y_pred, ops.cast(threshold, ops.dtype(y_pred))), ops.dtype(y_true))
    return _matches(y_true, chosen)


def categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """1 where the largest output is that of the one-hot target."""
    y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
    check_widths(y_true, y_pred)
    y_true = ops.argmax(y_true, axis=-1)
    shape = ops.shape(y_true)
    y_pred = ops.argmax(y_pred, axis=-1)
    result = _matches(ops.reshape(y_true, (-1,)), ops.reshape(y_pred, (-1,)))
    return ops.reshape(result, shape)


def _classes(y_true: Any, y_pred: Any) -> Any:
    """Integer targets without a last axis of length 1; refused where they aren't one for each row of the outputs."""
    if 0 < len(y_true.shape) == len(y_pred.shape) and y_true.shape[-1] == 1:
        y_true = ops.squeeze(y_true, axis=-1)
    true, rows = tuple(y_true.shape), tuple(y_pred.shape)[:-1]
    fits = len(true) == len(rows) and all(None in pair or pair[0] == pair[1] for pair in zip(true, rows, strict=True))
    if not fits or not len(y_pred.shape):
        raise ValueError(
            "There must be one integer target for each row of the outputs. For one-hot targets take the metric whose name does "
            "not begin with 'Sparse'."
        )
    return y_true


def sparse_categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """1 where the largest output is that of the integer target.

    Example:
        >>> ops.convert_to_numpy(sparse_categorical_accuracy([1], [[0.1, 0.9]])).tolist()
        [1.0]
    """
    y_pred, y_true = ops.convert_to_tensor(y_pred), ops.convert_to_tensor(y_true)
    y_true = _classes(y_true, y_pred)
    best = ops.argmax(y_pred, axis=-1)
    return _matches(ops.cast(y_true, ops.dtype(best)), best)


def top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5) -> Any:
    """1 where the one-hot target is among the k largest outputs."""
    y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
    check_widths(y_true, y_pred)
    return sparse_top_k_categorical_accuracy(ops.argmax(y_true, axis=-1), y_pred, k=k)


def sparse_top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5, from_sorted_ids: bool = False) -> Any:
    """1 where the integer target is among the k largest outputs.

    Args:
        y_true: integer targets.
        y_pred: outputs, or with `from_sorted_ids` classes sorted by likelihood.
        k: how many count.
        from_sorted_ids: whether `y_pred` holds classes.
    """
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = ops.cast(ops.convert_to_tensor(y_true), "int32")
    y_true = _classes(y_true, y_pred)
    y_true_column = ops.expand_dims(y_true, -1)
    if from_sorted_ids:
        found = ops.equal(y_true_column, ops.cast(y_pred[..., :k], "int32"))
        return ops.cast(ops.any(found, axis=-1), config.floatx())
    target = ops.take_along_axis(y_pred, y_true_column, axis=-1)
    above = ops.sum(ops.cast(ops.greater(y_pred, target), "int32"), axis=-1)
    finite = ops.isfinite(ops.squeeze(target, axis=-1))
    return ops.cast(ops.logical_and(ops.less(above, k), finite), config.floatx())


class Accuracy(MeanMetricWrapper):
    """How often outputs equal targets.

    Args:
        name: the metric's name.
        dtype: of the variables.
    """

    def __init__(self, name: str = "accuracy", dtype: Any = None) -> None:
        super().__init__(accuracy, name=name, dtype=dtype)
        self._direction = "up"


class BinaryAccuracy(MeanMetricWrapper):
    """How often outputs are on the side of the threshold of their targets, 0 or 1.

    Args:
        name: the metric's name.
        dtype: of the variables.
        threshold: above it an output counts as 1; 0 for logits.
    """

    _checks: ClassVar[Mapping[str, checks.Check]] = {**MeanMetricWrapper._checks, "threshold": checks.number()}

    def __init__(self, name: str = "binary_accuracy", dtype: Any = None, threshold: float = 0.5) -> None:
        super().__init__(binary_accuracy, name=name, dtype=dtype, threshold=threshold)
        self.threshold = threshold
        self._direction = "up"


class CategoricalAccuracy(MeanMetricWrapper):
    """How often the largest output is that of the one-hot target.

    Args:
        name: the metric's name.
        dtype: of the variables.
    """

    def __init__(self, name: str = "categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(categorical_accuracy, name=name, dtype=dtype)
        self._direction = "up"


class SparseCategoricalAccuracy(MeanMetricWrapper):
    """How often the largest output is that of the integer target.

    Args:
        name: the metric's name.
        dtype: of the variables.
    """

    def __init__(self, name: str = "sparse_categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(sparse_categorical_accuracy, name=name, dtype=dtype)
        self._direction = "up"


class TopKCategoricalAccuracy(MeanMetricWrapper):
    """How often the one-hot target is among the k largest outputs.

    Args:
        k: how many count.
        name: the metric's name.
        dtype: of the variables.
    """

    def __init__(self, k: int = 5, name: str = "top_k_categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(top_k_categorical_accuracy, name=name, dtype=dtype, k=k)
        self.k = k
        self._direction = "up"


class SparseTopKCategoricalAccuracy(MeanMetricWrapper):
    """How often the integer target is among the k largest outputs.

    Args:
        k: how many count.
        name: the metric's name.
        dtype: of the variables.
        from_sorted_ids: whether outputs are classes sorted by likelihood.
    """

    def __init__(
        self,
        k: int = 5,
        name: str = "sparse_top_k_categorical_accuracy",
        dtype: Any = None,
        from_sorted_ids: bool = False,
    ) -> None:
        super().__init__(
            sparse_top_k_categorical_accuracy, name=name, dtype=dtype, k=k, from_sorted_ids=from_sorted_ids
        )
        self.k, self.from_sorted_ids = k, from_sorted_ids
        self._direction = "up"

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        config = super().get_config()
        if not self.from_sorted_ids:  # Keras's configs never hold it, though its constructor takes it
            del config["from_sorted_ids"]
        return config
