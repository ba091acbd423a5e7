"""Crossentropies, and what belongs to classes: multi-hot vectors, top-k hits, segments."""

from __future__ import annotations

from typing import Any

from tricera.core import config, dispatch
from tricera.core.doors import Natural
from tricera.core.dtypes import float_of, standardize_dtype
from tricera.core.op import composed
from tricera.core.tensor import KerasTensor, Shape, Tensor, TensorLike
from tricera.ops.activations import log_softmax
from tricera.ops.comparison import greater, greater_equal, isnan, less, logical_and, logical_not
from tricera.ops.creation import dtype, full, ndim
from tricera.ops.elementwise import add, cast, clip, divide, maximum, minimum, multiply, subtract
from tricera.ops.reduce import max as max_, sum as sum_
from tricera.ops.select import one_hot, scatter_update, take_along_axis, where
from tricera.ops.shape import expand_dims, moveaxis, squeeze
from tricera.ops.unary import absolute, exp, log, log1p, negative


def _probabilities(output: Any) -> Any:
    """The probabilities kept off 0 and 1, whose logarithms are infinite; in float32 where that is finer."""
    wide = cast(output, "float32") if dtype(output) in ("float16", "bfloat16") else output
    return clip(wide, config.epsilon(), 1.0 - config.epsilon())


def _need_same(op: str, target: Shape, output: Shape) -> None:
    known = len(target) == len(output) and all(
        a == b or a is None or b is None for a, b in zip(target, output, strict=True)
    )
    if not known:
        raise ValueError(
            f"ops.{op}: `target` and `output` must have the same shape, but have {tuple(target)} and {tuple(output)}. "
            "For integer classes use `sparse_categorical_crossentropy`, or make vectors with `one_hot`."
        )


@composed(promote="float")
def softmax_loss(target: TensorLike, logits: TensorLike) -> Tensor:
    """The crossentropy of distributions along the last axis and the softmax of logits.

    Args:
        target: the true distributions (..., classes).
        logits: a tensor of the same shape.

    Returns:
        A float tensor without the last axis.

    Example:
        >>> round(float(softmax_loss([0.0, 1.0], [0.0, 0.0])), 4)
        0.6931
    """
    return negative(sum_(multiply(target, log_softmax(logits, axis=-1)), axis=-1))


@composed(promote=None)
def sparse_softmax_loss(target: TensorLike, logits: TensorLike) -> Tensor:
    """The crossentropy of classes and the softmax of logits along the last axis; 0 for classes out of range.

    Args:
        target: the true classes, integers (...).
        logits: a float tensor (..., classes).

    Returns:
        A tensor of the shape of `target` and the dtype of `logits`.

    Example:
        >>> round(float(sparse_softmax_loss(1, [0.0, 0.0])), 4)
        0.6931
    """
    picked, inside = _picked(log_softmax(logits, axis=-1), target)
    return where(inside, negative(picked), 0.0)


@composed(promote=None)
def sparse_probability_loss(target: TensorLike, output: TensorLike) -> Tensor:
    """The crossentropy of classes and shares along the last axis, which are divided by their sum; 0 for classes out of range.

    Args:
        target: the true classes, integers (...).
        output: a float tensor (..., classes), not negative.

    Returns:
        A tensor of the shape of `target` and the dtype of `output`.

    Example:
        >>> round(float(sparse_probability_loss(1, [2.0, 2.0])), 4)
        0.6931
    """
    # The element is picked first: the rest is done for one class, not for all.
    picked, inside = _picked(output, target)
    share = _probabilities(divide(picked, sum_(output, axis=-1)))
    return cast(where(inside, negative(log(share)), 0.0), dtype(output))


@composed(promote="float")
def probability_loss(target: TensorLike, output: TensorLike) -> Tensor:
    """The crossentropy of binary targets and probabilities, elementwise.

    Args:
        target: the true probabilities.
        output: the predicted ones, a tensor of the same shape; kept `config.epsilon()` off 0 and 1.

    Returns:
        A float tensor of the same shape.

    Example:
        >>> round(float(probability_loss(1.0, 0.5)), 4)
        0.6931
    """
    p = _probabilities(output)
    gain = add(multiply(target, log(p)), multiply(subtract(1.0, target), log(subtract(1.0, p))))
    return cast(negative(gain), dtype(output))


@composed(promote="float")
def sigmoid_loss(target: TensorLike, logits: TensorLike) -> Tensor:
    """The crossentropy of binary targets and the sigmoid of logits, without overflow.

    Args:
        target: the true probabilities.
        logits: a tensor of the same shape.

    Returns:
        A float tensor of the same shape.

    Example:
        >>> round(float(sigmoid_loss(1.0, 0.0)), 4)
        0.6931
    """
    tail = log1p(exp(negative(absolute(logits))))
    return add(subtract(maximum(logits, 0), multiply(logits, target)), tail)


def _picked(values: Any, target: Any) -> tuple[Any, Any]:
    """The element that each class names along the last axis, and whether there is one."""
    inside = logical_and(greater_equal(target, 0), less(target, values.shape[-1]))
    index = expand_dims(where(inside, target, 0), -1)
    return squeeze(take_along_axis(values, index, axis=-1), axis=-1), inside


@composed(promote="float", kinds="real")
def categorical_crossentropy(
    target: TensorLike, output: TensorLike, from_logits: bool = False, axis: int = -1
) -> Tensor:
    """The crossentropy of two distributions, -sum over classes of target * log(output).

    Args:
        target: the true distributions (one-hot vectors), of the shape of `output`.
        output: the predicted ones; probabilities are divided by their sum and kept `config.epsilon()` off 0 and 1.
        from_logits: `output` holds logits, of which the softmax is taken.
        axis: the axis of the classes.

    Returns:
        A float tensor without that axis.

    Raises:
        ValueError: the shapes differ, or are those of scalars.

    Example:
        >>> round(float(categorical_crossentropy([0.0, 1.0], [0.5, 0.5])), 4)
        0.6931
    """
    _need_same("categorical_crossentropy", target.shape, output.shape)
    if len(output.shape) < 1:
        raise ValueError("ops.categorical_crossentropy needs at least one axis, that of the classes; got scalars.")
    if from_logits:
        last = axis in (-1, len(output.shape) - 1)
        return (
            softmax_loss(target, output)
            if last
            else softmax_loss(moveaxis(target, axis, -1), moveaxis(output, axis, -1))
        )
    share = _probabilities(divide(output, sum_(output, axis=axis, keepdims=True)))
    return cast(negative(sum_(multiply(target, log(share)), axis=axis)), dtype(output))


@composed(promote=None, axis_of="output", kinds="real")
def sparse_categorical_crossentropy(
    target: TensorLike, output: TensorLike, from_logits: bool = False, axis: int = -1
) -> Tensor:
    """The crossentropy of classes and distributions, -log(output[target]).

    Args:
        target: the true classes, integers, of the shape of `output` without the axis of the classes (or with length 1 there).
            Classes out of range give 0.
        output: the predicted distributions; probabilities are divided by their sum and kept `config.epsilon()` off 0 and 1.
        from_logits: `output` holds logits, of which the softmax is taken.
        axis: the axis of the classes.

    Returns:
        A float tensor of the shape of the classes.

    Raises:
        ValueError: the shapes don't fit.

    Example:
        >>> round(float(sparse_categorical_crossentropy(1, [0.5, 0.5])), 4)
        0.6931
    """
    rank = len(output.shape)
    if rank < 1 or not -rank <= axis < rank:
        raise ValueError(
            f"ops.sparse_categorical_crossentropy: `axis`={axis} is out of range for outputs of shape {output.shape}."
        )
    if dtype(target) not in ("int32", "int64"):  # in narrower ones the number of classes may not exist
        target = cast(target, "int32")
    output = cast(output, float_of(dtype(output)))
    if axis not in (-1, rank - 1):
        output = moveaxis(output, axis, -1)
    if len(target.shape) == rank and target.shape[axis] == 1:
        target = squeeze(target, axis=axis)
    lead = tuple(output.shape)[:-1]
    if len(target.shape) != len(lead) or any(
        a != b and a is not None and b is not None for a, b in zip(target.shape, lead, strict=True)
    ):
        raise ValueError(
            f"ops.sparse_categorical_crossentropy: the classes must have the shape {lead}, that of the outputs without the axis "
            f"of the classes, but have {tuple(target.shape)}. For one-hot targets use `categorical_crossentropy`."
        )
    return sparse_softmax_loss(target, output) if from_logits else sparse_probability_loss(target, output)


@composed(promote="float", kinds="real")
def binary_crossentropy(target: TensorLike, output: TensorLike, from_logits: bool = False) -> Tensor:
    """Elementwise, -(target * log(output) + (1 - target) * log(1 - output)).

    Args:
        target: the true probabilities, of the shape of `output`.
        output: the predicted ones, kept `config.epsilon()` off 0 and 1.
        from_logits: `output` holds logits, of which the sigmoid is taken.

    Returns:
        A float tensor of the same shape.

    Raises:
        ValueError: the shapes differ.

    Example:
        >>> round(float(binary_crossentropy(1.0, 0.5)), 4)
        0.6931
    """
    _need_same("binary_crossentropy", target.shape, output.shape)
    return sigmoid_loss(target, output) if from_logits else probability_loss(target, output)


@composed(promote=None, new_axes=1, kinds={"inputs": "real"})
def multi_hot(
    inputs: TensorLike, num_classes: Any = None, axis: int = -1, dtype: Any = None, sparse: bool = False, **kwargs: Any
) -> Tensor:
    """Vectors with a one for each class that a row names.

    Args:
        inputs: an integer tensor of classes; a row is the second axis (the only one of a vector).
        num_classes: how many classes there are.
        axis: where the axis of the classes goes.
        dtype: default: floatx.
        sparse: give a sparse tensor, where the framework has one (NumPy has none).
        **kwargs: none are known.

    Returns:
        A tensor in which the rows' axis has gone and one of length `num_classes` has come.

    Raises:
        ValueError: `num_classes` is missing.

    Example:
        >>> from tricera import ops
        >>> ops.convert_to_numpy(multi_hot([0, 2], num_classes=4)).tolist()
        [1.0, 0.0, 1.0, 0.0]
    """
    if num_classes is None:
        raise ValueError("ops.multi_hot needs `num_classes`, the number of classes.")
    rows = one_hot(inputs, num_classes, axis=axis, dtype=standardize_dtype(dtype), sparse=sparse)
    along = 1 if ndim(inputs) > 1 else 0
    if sparse and not isinstance(rows, KerasTensor):
        room = dispatch.current().sparse
        total = room.sum(rows, (along,))
        return room.with_values(total, minimum(room.values(total), 1))
    return max_(rows, axis=along)


@composed(promote=None, kinds={"targets": "integer", "predictions": "real"})
def in_top_k(targets: TensorLike, predictions: TensorLike, k: int) -> Tensor:
    """Whether each true class is among the `k` that are predicted highest (ties count).

    Args:
        targets: the true classes (batch,).
        predictions: a tensor (batch, classes).
        k: how many classes are looked at.

    Returns:
        A bool tensor (batch,); False for classes out of range and for NaN.

    Example:
        >>> bool(in_top_k([1], [[0.2, 0.7, 0.1]], k=1)[0])
        True
    """
    classes = predictions.shape[-1]
    inside = logical_and(greater_equal(targets, 0), less(targets, classes))
    index = expand_dims(where(inside, targets, 0), -1)
    value = take_along_axis(predictions, index, axis=-1)
    above = sum_(cast(greater(predictions, value), "int32"), axis=-1)
    return logical_and(logical_and(inside, less(above, k)), logical_not(isnan(squeeze(value, axis=-1))))


def _segment(data: Any, segment_ids: Any, num_segments: int | None, start: Any, reduction: str) -> Any:
    if (
        len(segment_ids.shape) != 1
        or not len(data.shape)
        or (None not in (a := (data.shape[0], segment_ids.shape[0])) and a[0] != a[1])
    ):
        raise ValueError(
            f"`segment_ids` must name a segment for each row of `data`; got the shapes {tuple(segment_ids.shape)} and {tuple(data.shape)}."
        )
    if num_segments is None:
        if isinstance(segment_ids, KerasTensor) or isinstance(data, KerasTensor):
            return KerasTensor((None, *data.shape[1:]), dtype(data))
        if dispatch.current().traced(segment_ids):
            raise ValueError(
                "Inside of compiled code the ids are not known; give `num_segments`, the length of the result."
            )
        num_segments = int(max_(segment_ids, initial=-1)) + 1
    if isinstance(segment_ids, KerasTensor) or isinstance(data, KerasTensor):
        return KerasTensor((num_segments, *data.shape[1:]), dtype(data))
    backend = dispatch.current()
    native = backend.function("segments")
    out = None if native is None else native(data, segment_ids, num_segments, reduction)
    return backend.fused(_gathered, num_segments, start, reduction)(data, segment_ids) if out is None else out


def _gathered(data: Any, segment_ids: Any, num_segments: int, start: Any, reduction: str) -> Any:
    inside = logical_and(greater_equal(segment_ids, 0), less(segment_ids, num_segments))
    # What belongs to no segment goes to one more, which is cut off.
    index = expand_dims(where(inside, segment_ids, num_segments), -1)
    shape = (num_segments + 1, *data.shape[1:])
    out = scatter_update(full(shape, start, dtype=dtype(data)), index, data, reduction=reduction)
    return out[:num_segments]


def _extreme(kind: str, largest: bool) -> Any:
    import numpy as np

    if "int" in kind:
        return int(np.iinfo(kind).max if largest else np.iinfo(kind).min)
    return float("inf") if largest else -float("inf")


@composed(promote=None, kinds={"data": "nobool", "segment_ids": "integer"})
def segment_sum(
    data: TensorLike, segment_ids: TensorLike, num_segments: Natural | None = None, sorted: bool = False
) -> Tensor:
    """The sums of the rows that belong to each segment.

    Args:
        data: a tensor (n, ...).
        segment_ids: the segment of each row, integers (n,); those out of range are left out.
        num_segments: how many segments there are; default: the largest id + 1 (not known inside a compiled function).
        sorted: whether the ids ascend (a hint).

    Returns:
        A tensor (num_segments, ...) of the dtype of `data`, 0 for empty segments.

    Example:
        >>> from tricera import ops
        >>> ops.convert_to_numpy(segment_sum([1, 2, 3], [0, 0, 1])).tolist()
        [3, 3]
    """
    return _segment(data, segment_ids, num_segments, 0, "add")


@composed(promote=None, kinds={"data": "nobool", "segment_ids": "integer"})
def segment_prod(
    data: TensorLike, segment_ids: TensorLike, num_segments: Natural | None = None, sorted: bool = False
) -> Tensor:
    """The products of the rows that belong to each segment.

    Args:
        data: a tensor (n, ...).
        segment_ids: the segment of each row, integers (n,); those out of range are left out.
        num_segments: how many segments there are; default: the largest id + 1 (not known inside a compiled function).
        sorted: whether the ids ascend (a hint).

    Returns:
        A tensor (num_segments, ...) of the dtype of `data`, 1 for empty segments.

    Example:
        >>> from tricera import ops
        >>> ops.convert_to_numpy(segment_prod([1, 2, 3], [0, 0, 1])).tolist()
        [2, 3]
    """
    return _segment(data, segment_ids, num_segments, 1, "mul")


@composed(promote=None, kinds={"data": "real nobool", "segment_ids": "integer"})
def segment_max(
    data: TensorLike, segment_ids: TensorLike, num_segments: Natural | None = None, sorted: bool = False
) -> Tensor:
    """The largest elements of the rows that belong to each segment.

    Args:
        data: a tensor (n, ...).
        segment_ids: the segment of each row, integers (n,); those out of range are left out.
        num_segments: how many segments there are; default: the largest id + 1 (not known inside a compiled function).
        sorted: whether the ids ascend (a hint).

    Returns:
        A tensor (num_segments, ...) of the dtype of `data`; empty segments get its least value (-inf for floats).

    Example:
        >>> from tricera import ops
        >>> ops.convert_to_numpy(segment_max([1, 2, 3], [0, 0, 1])).tolist()
        [2, 3]
    """
    return _segment(data, segment_ids, num_segments, _extreme(dtype(data), largest=False), "max")


@composed(promote=None, kinds={"data": "real nobool", "segment_ids": "integer"})
def segment_min(
    data: TensorLike, segment_ids: TensorLike, num_segments: Natural | None = None, sorted: bool = False
) -> Tensor:
    """The smallest elements of the rows that belong to each segment.

    Args:
        data: a tensor (n, ...).
        segment_ids: the segment of each row, integers (n,); those out of range are left out.
        num_segments: how many segments there are; default: the largest id + 1 (not known inside a compiled function).
        sorted: whether the ids ascend (a hint).

    Returns:
        A tensor (num_segments, ...) of the dtype of `data`; empty segments get its greatest value (inf for floats).

    Example:
        >>> from tricera import ops
        >>> ops.convert_to_numpy(segment_min([1, 2, 3], [0, 0, 1])).tolist()
        [1, 3]
    """
    return _segment(data, segment_ids, num_segments, _extreme(dtype(data), largest=True), "min")
