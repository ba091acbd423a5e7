"""Activations by name: the ops of these names, with the arguments that layers' configs know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tricera import ops
from tricera.core import dispatch
from tricera.core.origin import note_origin
from tricera.core.registry import lookup
from tricera.core.serialization import deserialize_keras_object, serialize_keras_object
from tricera.ops import (
    celu as celu,
    elu as elu,
    glu as glu,
    hard_shrink as hard_shrink,
    hard_sigmoid as hard_sigmoid,
    hard_silu as hard_silu,
    hard_tanh as hard_tanh,
    leaky_relu as leaky_relu,
    log_sigmoid as log_sigmoid,
    log_softmax as log_softmax,
    relu6 as relu6,
    selu as selu,
    silu as silu,
    soft_shrink as soft_shrink,
    softplus as softplus,
    softsign as softsign,
    sparse_plus as sparse_plus,
    sparse_sigmoid as sparse_sigmoid,
    sparsemax as sparsemax,
    squareplus as squareplus,
    tanh as tanh,
    tanh_shrink as tanh_shrink,
    threshold as threshold,
)
from tricera.ops.activations import mish as mish

hard_swish, swish = hard_silu, silu


def relu(x: Any, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> Any:
    """Rectified linear unit: x above the threshold, negative_slope * (x - threshold) below, at most `max_value`.

    Args:
        x: a tensor.
        negative_slope: the slope below the threshold.
        max_value: the largest value, None for no limit.
        threshold: where the slope changes.

    Returns:
        A tensor of the same shape; integers stay integers only with the other arguments at their defaults.

    Example:
        >>> float(relu(-2.0, negative_slope=0.5))
        -1.0
    """
    if not negative_slope and max_value is None and not threshold:
        return ops.relu(x)
    x = ops.cast(x, _float_dtype(x))
    above = ops.where(ops.greater(x, threshold), x, ops.multiply(negative_slope, ops.subtract(x, threshold)))
    if max_value is None:
        return above
    return ops.minimum(above, max_value)


def _float_dtype(x: Any) -> str:
    from tricera.core.dtypes import float_of

    return float_of(ops.dtype(x) if hasattr(x, "dtype") else "float32")


def gelu(x: Any, approximate: bool = False) -> Any:
    """Gaussian error linear unit, x * P(X <= x), exact unless `approximate` (`ops.gelu` has the other default).

    Args:
        x: a tensor.
        approximate: use the formula with tanh in the place of the error function.

    Returns:
        A tensor of the same shape, of a float dtype.

    Example:
        >>> round(float(gelu(1.0)), 4)
        0.8413
    """
    return ops.gelu(x, approximate=approximate)


def sigmoid(x: Any) -> Any:
    """1 / (1 + e^-x). A crossentropy of the result is taken from `x` itself: exact, where the result rounds to 0 or 1.

    Args:
        x: a tensor of logits.

    Returns:
        A tensor of the same shape, of a float dtype.

    Example:
        >>> float(sigmoid(0.0))
        0.5
    """
    return _from_logits("sigmoid", ops.sigmoid(x), x)


def softmax(x: Any, axis: int = -1) -> Any:
    """e^x / sum(e^x) over an axis. A crossentropy of the result over the last axis is taken from `x` itself.

    Args:
        x: a tensor of logits.
        axis: the axis, or several, over which the result sums to 1.

    Returns:
        A tensor of the same shape, of a float dtype.

    Example:
        >>> [round(float(p), 3) for p in softmax([0.0, 1.0])]
        [0.269, 0.731]
    """
    result = ops.softmax(x, axis=axis)
    return _from_logits("softmax", result, x) if axis == -1 else result


def _from_logits(name: str, result: Any, x: Any) -> Any:
    """The result, which remembers what it was made from if both are tensors of one framework and dtype."""
    backend = dispatch.of_type(type(result))
    if backend is not None and type(x) is type(result) and x.dtype == result.dtype:
        note_origin(backend, name, result, x)
    return result


def exponential(x: Any) -> Any:
    """e^x.

    Args:
        x: a tensor.

    Returns:
        A tensor of the same shape, of a float dtype.

    Example:
        >>> float(exponential(0.0))
        1.0
    """
    return ops.exp(x)


def linear(x: Any) -> Any:
    """x itself.

    Args:
        x: anything.

    Returns:
        `x`, not converted.

    Example:
        >>> linear(3)
        3
    """
    return x


_NAMES = (
    "celu", "elu", "exponential", "gelu", "glu", "hard_shrink", "hard_sigmoid", "hard_silu", "hard_swish", "hard_tanh",
    "leaky_relu", "linear", "log_sigmoid", "log_softmax", "mish", "relu", "relu6", "selu", "sigmoid", "silu", "soft_shrink",
    "softmax", "softplus", "softsign", "sparse_plus", "sparse_sigmoid", "sparsemax", "squareplus", "swish", "tanh", "tanh_shrink",
    "threshold",
)  # fmt: skip
_TABLE: dict[str, Any] = {name: globals()[name] for name in _NAMES}


def get(identifier: Any) -> Any:
    """The activation that `identifier` (a name, config, function or layer) means; `linear` for None.

    Args:
        identifier: a name, config, function or layer, or None.

    Returns:
        A function or another callable.

    Raises:
        ValueError: it means none.

    Example:
        >>> get("relu") is relu
        True
    """
    return linear if identifier is None else deserialize(identifier)


def serialize(activation: Any) -> Any:
    """An activation as its name, or a config if it is not a built-in.

    Args:
        activation: a function or another object that can be serialized.

    Returns:
        A string for the built-in ones (`silu` for `swish`), else a config.

    Example:
        >>> serialize(hard_swish)
        'hard_silu'
    """
    name = getattr(activation, "__name__", None)
    if name in _TABLE and _TABLE[name] is activation:
        return {"hard_swish": "hard_silu", "swish": "silu"}.get(name, name)
    return serialize_keras_object(activation)


def deserialize(config: Any, custom_objects: Any = None) -> Any:
    """An activation from its name or config.

    Args:
        config: a name or a config.
        custom_objects: a dict of further names and what they mean; built-in names keep their meaning.

    Returns:
        A function or another callable; None for None.

    Raises:
        ValueError: the name is not known.

    Example:
        >>> deserialize("relu") is relu
        True
    """
    if isinstance(config, Mapping) and str(config.get("module")).endswith(
        ".layers"
    ):  # `Dense(2, activation=LeakyReLU())`
        return deserialize_keras_object(config, custom_objects)
    return lookup("activation", config, _TABLE, custom_objects)


__all__ = [*_NAMES, "deserialize", "get", "serialize"]
