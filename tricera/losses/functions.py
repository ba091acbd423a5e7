"""The loss functions: one value a sample."""

from __future__ import annotations

from typing import Any

from tricera import ops
from tricera.core import config
from tricera.core.masking import set_mask
from tricera.losses.loss import squeeze_or_expand_to_same_rank


def _pair(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """Both as float tensors of the outputs' dtype and of one rank."""
    y_pred = _as_float(y_pred)
    y_true = ops.convert_to_tensor(y_true)
    y_true = ops.cast(y_true, ops.dtype(y_pred))
    return squeeze_or_expand_to_same_rank(y_true, y_pred)


def _as_float(x: Any) -> Any:
    x = ops.convert_to_tensor(x)
    dtype = ops.dtype(x)
    return x if "float" in dtype else ops.cast(x, config.floatx())


def _mean(x: Any) -> Any:
    return ops.mean(x, axis=-1)


def _width(y: Any) -> Any:
    """The length of the last axis, that of the classes."""
    if not len(y.shape):
        raise ValueError("Targets and outputs need an axis of classes; a scalar has none.")
    return y.shape[-1]


def mean_squared_error(y_true: Any, y_pred: Any) -> Any:
    """mean((y_pred - y_true)^2) over the last axis.

    Example:
        >>> float(mean_squared_error([[0.0, 1.0]], [[1.0, 1.0]])[0])
        0.5
    """
    y_true, y_pred = _pair(y_true, y_pred)
    return _mean(ops.square(ops.subtract(y_pred, y_true)))


def mean_absolute_error(y_true: Any, y_pred: Any) -> Any:
    """mean(|y_pred - y_true|) over the last axis."""
    y_true, y_pred = _pair(y_true, y_pred)
    return _mean(ops.absolute(ops.subtract(y_pred, y_true)))


def mean_absolute_percentage_error(y_true: Any, y_pred: Any) -> Any:
    """100 * mean(|(y_true - y_pred) / y_true|) over the last axis."""
    y_true, y_pred = _pair(y_true, y_pred)
    scale = ops.maximum(ops.absolute(y_true), config.epsilon())
    return ops.multiply(100.0, _mean(ops.absolute(ops.divide(ops.subtract(y_true, y_pred), scale))))


def mean_squared_logarithmic_error(y_true: Any, y_pred: Any) -> Any:
    """mean((log(1 + y_pred) - log(1 + y_true))^2) over the last axis."""
    y_true, y_pred = _pair(y_true, y_pred)
    logs = [ops.log(ops.add(ops.maximum(y, config.epsilon()), 1.0)) for y in (y_pred, y_true)]
    return _mean(ops.square(ops.subtract(*logs)))


def huber(y_true: Any, y_pred: Any, delta: float = 1.0) -> Any:
    """Quadratic within delta, linear beyond (Huber 1964), averaged over the last axis.

    Args:
        y_true: the targets.
        y_pred: the outputs.
        delta: where the loss becomes linear.
    """
    y_true, y_pred = _pair(y_true, y_pred)
    error = ops.absolute(ops.subtract(y_pred, y_true))
    far = ops.subtract(ops.multiply(delta, error), 0.5 * delta * delta)
    return _mean(ops.where(ops.less_equal(error, delta), ops.multiply(0.5, ops.square(error)), far))


def log_cosh(y_true: Any, y_pred: Any) -> Any:
    """mean(log(cosh(y_pred - y_true))) over the last axis."""
    y_true, y_pred = _pair(y_true, y_pred)
    x = ops.subtract(y_pred, y_true)
    return _mean(ops.subtract(ops.add(x, ops.softplus(ops.multiply(x, -2.0))), 0.6931471805599453))


def _signed(y_true: Any) -> Any:
    """Targets of 0 and 1 as -1 and 1; those that hold neither stay."""
    binary = ops.all(ops.logical_or(ops.equal(y_true, 0), ops.equal(y_true, 1)))
    return ops.where(binary, ops.subtract(ops.multiply(2.0, y_true), 1.0), y_true)


def hinge(y_true: Any, y_pred: Any) -> Any:
    """mean(max(1 - y_true * y_pred, 0)) over the last axis; targets of 0 and 1 count as -1 and 1."""
    y_true, y_pred = _pair(y_true, y_pred)
    return _mean(ops.maximum(ops.subtract(1.0, ops.multiply(_signed(y_true), y_pred)), 0.0))


def squared_hinge(y_true: Any, y_pred: Any) -> Any:
    """mean(max(1 - y_true * y_pred, 0)^2) over the last axis; targets of 0 and 1 count as -1 and 1."""
    y_true, y_pred = _pair(y_true, y_pred)
    return _mean(ops.square(ops.maximum(ops.subtract(1.0, ops.multiply(_signed(y_true), y_pred)), 0.0)))


def categorical_hinge(y_true: Any, y_pred: Any) -> Any:
    """max(1 + the largest output of a wrong class - the output of the right one, 0)."""
    y_true, y_pred = _pair(y_true, y_pred)
    right = ops.sum(ops.multiply(y_true, y_pred), axis=-1)
    wrong = ops.max(ops.multiply(ops.subtract(1.0, y_true), y_pred), axis=-1)
    return ops.maximum(ops.add(ops.subtract(wrong, right), 1.0), 0.0)


def kl_divergence(y_true: Any, y_pred: Any) -> Any:
    """sum(y_true * log(y_true / y_pred)) over the last axis."""
    y_true, y_pred = _pair(y_true, y_pred)
    y_true, y_pred = (ops.clip(y, config.epsilon(), 1.0) for y in (y_true, y_pred))
    return ops.sum(ops.multiply(y_true, ops.log(ops.divide(y_true, y_pred))), axis=-1)


def poisson(y_true: Any, y_pred: Any) -> Any:
    """mean(y_pred - y_true * log(y_pred)) over the last axis."""
    y_true, y_pred = _pair(y_true, y_pred)
    return _mean(ops.subtract(y_pred, ops.multiply(y_true, ops.log(ops.add(y_pred, config.epsilon())))))


def unit(x: Any, axis: Any = -1) -> Any:
    """x divided by its Euclidean norm along an axis."""
    squares = ops.sum(ops.square(x), axis=axis, keepdims=True)
    return ops.multiply(x, ops.rsqrt(ops.maximum(squares, 1e-12)))


def cosine_similarity(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """The negative cosine of the angle between targets and outputs, -1 where they point the same way."""
    y_true, y_pred = _pair(y_true, y_pred)
    return ops.negative(ops.sum(ops.multiply(unit(y_true, axis), unit(y_pred, axis)), axis=axis))


def _smoothed(y_true: Any, label_smoothing: float, classes: Any) -> Any:
    if not label_smoothing:
        return y_true
    return ops.add(ops.multiply(y_true, 1.0 - label_smoothing), label_smoothing / classes)


def _check_axis(axis: Any) -> None:
    if isinstance(axis, bool) or not isinstance(axis, int):
        raise ValueError(f"`axis` must be an integer, not {axis!r}.")


def categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Any:
    """-sum(y_true * log(y_pred)) over the classes.

    Args:
        y_true: one-hot targets.
        y_pred: probabilities, or logits.
        from_logits: whether `y_pred` holds logits.
        label_smoothing: how much of the target's weight goes to all classes alike.
        axis: the axis of the classes.
    """
    _check_axis(axis)
    y_true, y_pred = _pair(y_true, y_pred)
    if _width(y_pred) == 1:
        import warnings

        warnings.warn(
            "categorical_crossentropy of a single class is always 0. Use binary_crossentropy for two classes in one output.",
            stacklevel=2,
        )
    y_true = _smoothed(y_true, label_smoothing, _width(y_true))
    return ops.categorical_crossentropy(y_true, y_pred, from_logits=from_logits, axis=axis)


def sparse_categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, ignore_class: int | None = None, axis: int = -1
) -> Any:
    """-log(the probability of the target class).

    Args:
        y_true: integer targets.
        y_pred: probabilities, or logits, with an axis of classes.
        from_logits: whether `y_pred` holds logits.
        ignore_class: a class that counts for nothing.
        axis: the axis of the classes.
    """
    y_pred = _as_float(y_pred)
    y_true = ops.convert_to_tensor(y_true)
    if 0 < len(y_true.shape) == len(y_pred.shape) and y_true.shape[-1] == 1:
        y_true = ops.squeeze(y_true, axis=-1)
    if ignore_class is None:
        return ops.sparse_categorical_crossentropy(y_true, y_pred, from_logits=from_logits, axis=axis)
    y_true = ops.cast(y_true, "int32")
    valid = ops.not_equal(y_true, ignore_class)
    y_true = ops.multiply(y_true, ops.cast(valid, "int32"))
    values = ops.sparse_categorical_crossentropy(y_true, y_pred, from_logits=from_logits, axis=axis)
    values = ops.where(valid, values, 0.0)
    set_mask(values, valid)
    return values


sparse_categorical_crossentropy.takes_classes = True  # type: ignore[attr-defined]


def binary_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Any:
    """-mean(y_true log(y_pred) + (1 - y_true) log(1 - y_pred)) over an axis.

    Args:
        y_true: targets of 0 and 1.
        y_pred: probabilities, or logits.
        from_logits: whether `y_pred` holds logits.
        label_smoothing: how far the targets are moved toward 1/2.
        axis: over which the mean is taken.
    """
    y_true, y_pred = _pair(y_true, y_pred)
    y_true = _smoothed(y_true, label_smoothing, 2.0)
    return ops.mean(ops.binary_crossentropy(y_true, y_pred, from_logits=from_logits), axis=axis)


def binary_focal_crossentropy(
    y_true: Any, y_pred: Any, apply_class_balancing: bool = False, alpha: float = 0.25, gamma: float = 2.0,
    from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1,
) -> Any:  # fmt: skip
    """Binary crossentropy times (1 - p_t)^gamma, p_t being the probability of the target (Lin et al. 2017).

    Args:
        y_true: targets of 0 and 1.
        y_pred: probabilities, or logits.
        apply_class_balancing: weigh the class 1 by alpha and the class 0 by 1 - alpha.
        alpha: that weight.
        gamma: how much easy samples are discounted.
        from_logits: whether `y_pred` holds logits.
        label_smoothing: how far the targets are moved toward 1/2.
        axis: over which the mean is taken.
    """
    y_true, y_pred = _pair(y_true, y_pred)
    y_true = _smoothed(y_true, label_smoothing, 2.0)
    p = ops.sigmoid(y_pred) if from_logits else y_pred
    entropy = ops.binary_crossentropy(y_true, p, from_logits=False)
    p_t = ops.add(ops.multiply(y_true, p), ops.multiply(ops.subtract(1.0, y_true), ops.subtract(1.0, p)))
    values = ops.multiply(ops.power(ops.subtract(1.0, p_t), gamma), entropy)
    if apply_class_balancing:
        weight = ops.add(ops.multiply(y_true, alpha), ops.multiply(ops.subtract(1.0, y_true), 1.0 - alpha))
        values = ops.multiply(weight, values)
    return ops.mean(values, axis=axis)


def categorical_focal_crossentropy(
    y_true: Any, y_pred: Any, alpha: Any = 0.25, gamma: float = 2.0, from_logits: bool = False, label_smoothing: float = 0.0,
    axis: int = -1,
) -> Any:  # fmt: skip
    """alpha * (1 - p)^gamma * crossentropy, summed over the classes (Lin et al. 2017).

    Args:
        y_true: one-hot targets.
        y_pred: probabilities, or logits.
        alpha: a weight, or one a class.
        gamma: how much easy samples are discounted.
        from_logits: whether `y_pred` holds logits.
        label_smoothing: how much of the target's weight goes to all classes alike.
        axis: the axis of the classes.
    """
    _check_axis(axis)
    y_true, y_pred = _pair(y_true, y_pred)
    y_true = _smoothed(y_true, label_smoothing, _width(y_true))
    if from_logits:
        y_pred = ops.softmax(y_pred, axis=axis)
    p = ops.divide(y_pred, ops.sum(y_pred, axis=axis, keepdims=True))
    p = ops.clip(p, config.epsilon(), 1.0 - config.epsilon())
    entropy = ops.negative(ops.multiply(y_true, ops.log(p)))
    weight = ops.multiply(ops.power(ops.subtract(1.0, p), gamma), alpha)
    return ops.sum(ops.multiply(weight, entropy), axis=axis)


def categorical_generalized_cross_entropy(y_true: Any, y_pred: Any, q: float) -> Any:
    """(1 - p^q) / q for the probability p of the target class, robust to wrong labels (Zhang & Sabuncu 2018).

    Args:
        y_true: integer targets.
        y_pred: probabilities.
        q: between 0 (toward crossentropy) and 1 (toward absolute error).

    Raises:
        ValueError: q does not lie between 0 and 1.
    """
    if not 0 < q < 1:
        raise ValueError(f"`q` must lie between 0 and 1, both excluded; got {q}.")
    y_pred = _as_float(y_pred)
    y_true = ops.cast(ops.convert_to_tensor(y_true), "int32")
    classes = _width(y_pred)
    if len(y_true.shape) == len(y_pred.shape) and y_true.shape[-1] == 1:
        y_true = ops.squeeze(y_true, axis=-1)
    chosen = ops.one_hot(y_true, classes, dtype=ops.dtype(y_pred))
    p = ops.sum(ops.multiply(y_pred, chosen), axis=-1)
    return ops.divide(ops.subtract(1.0, ops.power(p, q)), q)


def dice(y_true: Any, y_pred: Any, axis: Any = None) -> Any:
    """1 - 2 sum(y_true * y_pred) / (sum(y_true) + sum(y_pred)).

    Args:
        y_true: targets of 0 and 1.
        y_pred: probabilities.
        axis: over which the sums are taken, all axes for None.
    """
    y_pred = _as_float(y_pred)
    y_true = ops.cast(ops.convert_to_tensor(y_true), ops.dtype(y_pred))
    both = ops.sum(ops.multiply(y_true, y_pred), axis=axis)
    sizes = ops.add(ops.sum(y_true, axis=axis), ops.sum(y_pred, axis=axis))
    return ops.subtract(1.0, ops.divide(ops.multiply(2.0, both), ops.add(sizes, config.epsilon())))


def tversky(y_true: Any, y_pred: Any, alpha: float = 0.5, beta: float = 0.5, axis: Any = None) -> Any:
    """1 - TP / (TP + alpha FN + beta FP) on soft counts (Salehi et al. 2017).

    Args:
        y_true: targets of 0 and 1.
        y_pred: probabilities.
        alpha: the weight of false negatives.
        beta: the weight of false positives.
        axis: over which the sums are taken, all axes for None.
    """
    y_pred = _as_float(y_pred)
    y_true = ops.cast(ops.convert_to_tensor(y_true), ops.dtype(y_pred))
    hit = ops.sum(ops.multiply(y_true, y_pred), axis=axis)
    false_positive = ops.sum(ops.multiply(y_pred, ops.subtract(1.0, y_true)), axis=axis)
    false_negative = ops.sum(ops.multiply(ops.subtract(1.0, y_pred), y_true), axis=axis)
    below = ops.add(hit, ops.add(ops.multiply(alpha, false_negative), ops.multiply(beta, false_positive)))
    return ops.subtract(1.0, ops.divide(hit, ops.add(below, config.epsilon())))


def circle(
    y_true: Any, y_pred: Any, ref_labels: Any = None, ref_embeddings: Any = None, remove_diagonal: bool = True,
    gamma: float = 80, margin: float = 0.4,
) -> Any:  # fmt: skip
    """Circle loss on pairs of embeddings of the same and of different classes (Sun et al. 2020).

    Args:
        y_true: integer classes (n,).
        y_pred: normalised embeddings (n, d).
        ref_labels: the classes to pair with, those of the batch for None.
        ref_embeddings: the embeddings to pair with, those of the batch for None.
        remove_diagonal: leave out the pair of a sample with itself.
        gamma: the scale.
        margin: the relaxation.

    Raises:
        ValueError: the embeddings don't have two axes.
    """
    y_pred = _as_float(y_pred)
    if len(y_pred.shape) != 2:
        raise ValueError(f"circle takes embeddings of shape (n, d), not {tuple(y_pred.shape)}.")
    labels = ops.reshape(ops.cast(ops.convert_to_tensor(y_true), "int32"), (-1, 1))
    others = (
        labels if ref_labels is None else ops.reshape(ops.cast(ops.convert_to_tensor(ref_labels), "int32"), (-1, 1))
    )
    embeddings = y_pred if ref_embeddings is None else _as_float(ref_embeddings)
    similarity = ops.matmul(y_pred, ops.transpose(embeddings))
    same = ops.equal(labels, ops.transpose(others))
    different = ops.logical_not(same)
    if remove_diagonal and ref_labels is None:
        n = ops.shape(labels)[0]
        same = ops.logical_and(same, ops.logical_not(ops.cast(ops.eye(n), "bool")))
    positive_weight = ops.maximum(ops.subtract(1.0 + margin, ops.stop_gradient(similarity)), 0.0)
    negative_weight = ops.maximum(ops.add(ops.stop_gradient(similarity), margin), 0.0)
    positive = ops.multiply(ops.multiply(-gamma, positive_weight), ops.subtract(similarity, 1.0 - margin))
    negative = ops.multiply(ops.multiply(gamma, negative_weight), ops.subtract(similarity, margin))
    low = ops.cast(-1e9, ops.dtype(similarity))
    positive = ops.logsumexp(ops.where(same, positive, low), axis=-1)
    negative = ops.logsumexp(ops.where(different, negative, low), axis=-1)
    values = ops.softplus(ops.add(positive, negative))
    # A sample without another of its class says nothing, and is left out of means.
    set_mask(values, ops.any(same, axis=-1))
    return values


def ctc(y_true: Any, y_pred: Any) -> Any:
    """-log p(labels) of a label sequence, summed over all its alignments with the outputs (Graves et al. 2006).

    Class 0 is the blank, and pads short label sequences.

    Args:
        y_true: integer labels (batch, labels).
        y_pred: logits (batch, time, classes).

    Returns:
        A tensor (batch,).

    Raises:
        ValueError: the tensors don't have 2 and 3 axes.
    """
    y_true, y_pred = ops.convert_to_tensor(y_true), _as_float(y_pred)
    if len(y_true.shape) != 2 or len(y_pred.shape) != 3:
        raise ValueError(
            "ctc takes `y_true` of shape (batch, labels) and `y_pred` of shape (batch, time, classes); got the shapes "
            f"{tuple(y_true.shape)} and {tuple(y_pred.shape)}."
        )
    batch, times = ops.shape(y_pred)[:2]
    labels = ops.sum(ops.cast(ops.not_equal(y_true, 0), "int32"), axis=-1)
    steps = ops.multiply(times, ops.ones((batch,), dtype="int32"))
    return ops.ctc_loss(ops.cast(y_true, "int32"), y_pred, ops.cast(labels, "int32"), steps, mask_index=0)


# The activation that makes the probabilities of a crossentropy; its logits are taken where they are known (`from_origin`).
binary_crossentropy.activation = "sigmoid"  # type: ignore[attr-defined]
categorical_crossentropy.activation = sparse_categorical_crossentropy.activation = "softmax"  # type: ignore[attr-defined]
