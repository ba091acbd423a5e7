"""Intersection over union, from a confusion matrix that is kept over the batches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from tricera import ops
from tricera.core import checks
from tricera.losses.loss import telling_shapes
from tricera.metrics.accuracy import check_widths
from tricera.metrics.metric import Metric


def confusion_matrix(y_true: Any, y_pred: Any, num_classes: int, weights: Any, dtype: str) -> Any:
    """How often each class (row) was taken for each class (column).

    Args:
        y_true: integer classes (n,).
        y_pred: integer classes (n,).
        num_classes: how many there are; pairs with a class outside [0, num_classes) are left out.
        weights: what each pair counts (n,), 1 for None.
        dtype: of the matrix.
    """
    known = [ops.logical_and(ops.greater_equal(y, 0), ops.less(y, num_classes)) for y in (y_true, y_pred)]
    counted = ops.cast(ops.logical_and(*known), dtype)
    if weights is not None:
        counted = ops.multiply(counted, ops.cast(weights, dtype))
    y_true, y_pred = (ops.clip(y, 0, num_classes - 1) for y in (y_true, y_pred))
    cells = ops.segment_sum(counted, ops.add(ops.multiply(y_true, num_classes), y_pred), num_segments=num_classes**2)
    return ops.reshape(cells, (num_classes, num_classes))


class IoU(Metric):
    """The mean of TP / (TP + FP + FN) over some classes.

    Classes that occur neither among the targets nor among the outputs are left out of the mean.

    Args:
        num_classes: how many classes there are.
        target_class_ids: over which classes the mean is taken.
        name: the metric's name.
        dtype: of the confusion matrix, int32 for None (to which weights are cast, too).
        ignore_class: a target that counts for nothing.
        sparse_y_true: whether targets are integers; otherwise the largest along `axis` is the target.
        sparse_y_pred: whether outputs are integers; otherwise the largest along `axis` is the output.
        axis: the axis of the classes.

    Raises:
        ValueError: a class id is not below `num_classes`.

    Example:
        >>> m = IoU(num_classes=2, target_class_ids=[0])
        >>> m.update_state([0, 0, 1, 1], [0, 1, 0, 1])
        >>> round(float(m.result()), 4)
        0.3333
    """

    _counts = True

    def __init__(
        self, num_classes: int, target_class_ids: Sequence[int], name: str | None = None, dtype: Any = None,
        ignore_class: int | None = None, sparse_y_true: bool = True, sparse_y_pred: bool = True, axis: int = -1,
    ) -> None:  # fmt: skip
        super().__init__(name=name, dtype="int32" if dtype is None else dtype)
        if target_class_ids and max(target_class_ids) >= num_classes:
            raise ValueError(
                f"Every class id of `target_class_ids` must be below `num_classes`, {num_classes}; got "
                f"{list(target_class_ids)}."
            )
        self._direction = "up"
        self.num_classes, self.target_class_ids = num_classes, list(target_class_ids)
        self.ignore_class, self.axis = ignore_class, axis
        self.sparse_y_true, self.sparse_y_pred = sparse_y_true, sparse_y_pred
        self.total_confusion_matrix = self.add_variable(
            (num_classes, num_classes), "zeros", name="total_confusion_matrix"
        )

    @telling_shapes
    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take a batch into account.

        Args:
            y_true: the targets.
            y_pred: the outputs.
            sample_weight: weights, which broadcast to the targets.
        """
        y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
        if not (self.sparse_y_true or self.sparse_y_pred):
            check_widths(y_true, y_pred, self.axis)
        y_true = self._classes(y_true, self.sparse_y_true)
        y_pred = self._classes(y_pred, self.sparse_y_pred)
        shape = ops.shape(y_true)
        y_true, y_pred = ops.reshape(y_true, (-1,)), ops.reshape(y_pred, (-1,))
        if sample_weight is not None:
            sample_weight = ops.cast(ops.convert_to_tensor(sample_weight), self._sum_dtype)
            if len(sample_weight.shape) > len(shape) and sample_weight.shape[-1] == 1:
                sample_weight = ops.squeeze(sample_weight, axis=-1)
            while len(sample_weight.shape) < len(shape):
                sample_weight = ops.expand_dims(sample_weight, -1)
            sample_weight = ops.reshape(ops.broadcast_to(sample_weight, shape), (-1,))
        if self.ignore_class is not None:
            # An impossible class instead: the confusion matrix leaves it out.
            y_true = ops.where(ops.equal(y_true, self.ignore_class), -1, y_true)
        self.total_confusion_matrix.assign_add(
            confusion_matrix(y_true, y_pred, self.num_classes, sample_weight, self._sum_dtype)
        )

    def _classes(self, y: Any, sparse: bool) -> Any:
        if sparse:
            return ops.cast(y, "int32")
        classes = y.shape[self.axis] if -len(y.shape) <= self.axis < len(y.shape) else None
        if classes is not None and classes > self.num_classes:
            raise ValueError(
                f"There are {classes} classes along the axis {self.axis}, but `num_classes` is {self.num_classes}."
            )
        return ops.cast(ops.argmax(y, axis=self.axis), "int32")

    def result(self) -> Any:
        """The mean over the classes asked for."""
        matrix = ops.cast(self.total_confusion_matrix, self._result_dtype())
        found = ops.diagonal(matrix)
        union = ops.subtract(ops.add(ops.sum(matrix, axis=0), ops.sum(matrix, axis=1)), found)
        found, union = (ops.take(x, self.target_class_ids, axis=0) for x in (found, union))
        occurring = ops.cast(ops.sum(ops.cast(ops.greater(union, 0), "int32")), ops.dtype(union))
        return ops.divide_no_nan(ops.sum(ops.divide_no_nan(found, union)), occurring)

    def _result_dtype(self) -> str:
        return self._sum_dtype if "float" in self._sum_dtype else "float32"

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {
            **super().get_config(), "num_classes": self.num_classes, "target_class_ids": self.target_class_ids,
            "ignore_class": self.ignore_class, "sparse_y_true": self.sparse_y_true,
            "sparse_y_pred": self.sparse_y_pred, "axis": self.axis,
        }  # fmt: skip

    def _config_without(self, *names: str) -> dict[str, Any]:
        return {key: value for key, value in IoU.get_config(self).items() if key not in names}


class BinaryIoU(IoU):
    """`IoU` of the classes 0 and 1, an output counting as 1 from a threshold on.

    Args:
        target_class_ids: `(0, 1)`, `(0,)` or `(1,)`.
        threshold: from it on an output counts as 1.
        name: the metric's name.
        dtype: of the confusion matrix, int32 for None.

    Example:
        >>> m = BinaryIoU(target_class_ids=[0, 1], threshold=0.3)
        >>> m.update_state([0, 1, 0, 1], [0.1, 0.2, 0.4, 0.7])
        >>> round(float(m.result()), 4)
        0.3333
    """

    _checks: ClassVar[Mapping[str, checks.Check]] = {**IoU._checks, "threshold": checks.number()}

    def __init__(
        self, target_class_ids: Sequence[int] = (0, 1), threshold: float = 0.5, name: str | None = None,
        dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(2, target_class_ids, name=name, dtype=dtype)
        self.threshold = threshold

    @telling_shapes
    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take a batch into account.

        Args:
            y_true: targets of 0 and 1.
            y_pred: outputs, of which the threshold makes 0 and 1.
            sample_weight: weights, which broadcast to the targets.
        """
        y_pred = ops.convert_to_tensor(y_pred)
        chosen = ops.greater_equal(ops.cast(y_pred, "float32"), self.threshold)
        super().update_state(y_true, ops.cast(chosen, "int32"), sample_weight)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        config = self._config_without(
            "num_classes", "ignore_class", "sparse_y_true", "sparse_y_pred", "axis"
        )  # fmt: skip
        return {**config, "threshold": self.threshold}


class MeanIoU(IoU):
    """`IoU` of all classes.

    Args:
        num_classes: how many classes there are.
        name: the metric's name.
        dtype: of the confusion matrix, int32 for None.
        ignore_class: a target that counts for nothing.
        sparse_y_true: whether targets are integers.
        sparse_y_pred: whether outputs are integers.
        axis: the axis of the classes.
    """

    def __init__(
        self, num_classes: int, name: str | None = None, dtype: Any = None, ignore_class: int | None = None,
        sparse_y_true: bool = True, sparse_y_pred: bool = True, axis: int = -1,
    ) -> None:  # fmt: skip
        super().__init__(
            num_classes, range(num_classes), name=name, dtype=dtype, ignore_class=ignore_class,
            sparse_y_true=sparse_y_true, sparse_y_pred=sparse_y_pred, axis=axis,
        )  # fmt: skip

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return self._config_without("target_class_ids")


class OneHotIoU(IoU):
    """`IoU` of one-hot targets.

    Args:
        num_classes: how many classes there are.
        target_class_ids: over which classes the mean is taken.
        name: the metric's name.
        dtype: of the confusion matrix, int32 for None.
        ignore_class: a target that counts for nothing.
        sparse_y_pred: whether outputs are integers.
        axis: the axis of the classes.
    """

    def __init__(
        self, num_classes: int, target_class_ids: Sequence[int], name: str | None = None, dtype: Any = None,
        ignore_class: int | None = None, sparse_y_pred: bool = False, axis: int = -1,
    ) -> None:  # fmt: skip
        super().__init__(
            num_classes, target_class_ids, name=name, dtype=dtype, ignore_class=ignore_class, sparse_y_true=False,
            sparse_y_pred=sparse_y_pred, axis=axis,
        )  # fmt: skip

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return self._config_without("sparse_y_true")


class OneHotMeanIoU(MeanIoU):
    """`MeanIoU` of one-hot targets.

    Args:
        num_classes: how many classes there are.
        name: the metric's name.
        dtype: of the confusion matrix, int32 for None.
        ignore_class: a target that counts for nothing.
        sparse_y_pred: whether outputs are integers.
        axis: the axis of the classes.
    """

    def __init__(
        self, num_classes: int, name: str | None = None, dtype: Any = None, ignore_class: int | None = None,
        sparse_y_pred: bool = False, axis: int = -1,
    ) -> None:  # fmt: skip
        super().__init__(
            num_classes, name=name, dtype=dtype, ignore_class=ignore_class, sparse_y_true=False,
            sparse_y_pred=sparse_y_pred, axis=axis,
        )  # fmt: skip

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return self._config_without("target_class_ids", "sparse_y_true")
