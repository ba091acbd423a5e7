"""Scaled dot-product attention."""

from __future__ import annotations

import math
from typing import Any

from tricera.core.dtypes import GREATEST
from tricera.core.op import composed
from tricera.core.tensor import KerasTensor, Tensor, TensorLike
from tricera.ops.activations import softmax
from tricera.ops.comparison import equal, greater_equal, logical_and
from tricera.ops.creation import arange, convert_to_tensor, dtype, shape
from tricera.ops.elementwise import add, cast, divide, multiply
from tricera.ops.linear import einsum
from tricera.ops.reduce import any as any_
from tricera.ops.select import where
from tricera.ops.shape import expand_dims, repeat
from tricera.ops.unary import tanh


def _low(kind: str) -> float:
    # Finite, such that a row that may look nowhere gets the mean and not NaN.
    return -0.7 * GREATEST[kind]


def _never(kind: str) -> float:
    # What hides a key from a row that sees another, whatever the logits are: in float16 they may outweigh all finite numbers.
    return _low(kind) if kind.startswith("float8") else -math.inf


@composed(promote="float", kinds="real")
def attend(query: TensorLike, key: TensorLike, value: TensorLike, bias: TensorLike | None, scale: float) -> Tensor:
    """softmax(query key^T scale + bias) value, for tensors (batch, length, heads, features).

    Args:
        query: a tensor (batch, t, heads, features).
        key: a tensor (batch, s, heads, features).
        value: a tensor (batch, s, heads, features).
        bias: added to the logits, a tensor that broadcasts to (batch, heads, t, s), or None.
        scale: a factor of the logits.

    Returns:
        A float tensor of the shape of `query`.

    Example:
        >>> import numpy as np
        >>> x = np.ones((1, 3, 2, 4), "float32")
        >>> tuple(attend(x, x, x, None, 0.5).shape)
        (1, 3, 2, 4)
    """
    logits = einsum("btnh,bsnh->bnts", multiply(query, scale), key)
    kind = dtype(logits)
    if kind in ("float16", "bfloat16"):
        logits = cast(logits, "float32")
    if bias is not None:
        shifted = add(logits, bias)
        # A hidden logit that has overflowed stays hidden: infinity less infinity is no number.
        logits = where(equal(bias, -math.inf), bias, shifted) if kind == "float16" else shifted
    return einsum("bnts,bsnh->btnh", cast(softmax(logits, axis=-1), kind), value)


@composed(promote="float", kinds="real")
def capped_attend(
    query: TensorLike, key: TensorLike, value: TensorLike, bias: TensorLike | None, scale: float, cap: float
) -> Tensor:
    """`attend` with the logits kept within (-cap, cap).

    Args:
        query: a tensor (batch, t, heads, features).
        key: a tensor (batch, s, heads, features).
        value: a tensor (batch, s, heads, features).
        bias: added to the logits, a tensor that broadcasts to (batch, heads, t, s), or None.
        scale: a factor of the logits.
        cap: the bound that the logits stay within before the bias is added, by cap * tanh(logits / cap).

    Returns:
        A float tensor of the shape of `query`.

    Example:
        >>> import numpy as np
        >>> x = np.ones((1, 3, 2, 4), "float32")
        >>> tuple(capped_attend(x, x, x, None, 0.5, cap=30.0).shape)
        (1, 3, 2, 4)
    """
    logits = multiply(einsum("btnh,bsnh->bnts", query, key), scale)
    logits = multiply(tanh(divide(logits, cap)), cap)
    if bias is not None:
        logits = add(logits, bias)
    return einsum("bnts,bsnh->btnh", softmax(logits, axis=-1), value)


@composed(promote="float", kinds="real")
def causal_attend(query: TensorLike, key: TensorLike, value: TensorLike, scale: float) -> Tensor:
    """`attend` in which the position t of the query sees positions up to t of the key.

    Args:
        query: a tensor (batch, t, heads, features).
        key: a tensor (batch, s, heads, features).
        value: a tensor (batch, s, heads, features).
        scale: a factor of the logits.

    Returns:
        A float tensor of the shape of `query`.

    Example:
        >>> import numpy as np
        >>> x = np.ones((1, 3, 2, 4), "float32")
        >>> tuple(causal_attend(x, x, x, 0.5).shape)
        (1, 3, 2, 4)
    """
    mask = expand_dims(_causal(query, key), (0, 1))
    kind = dtype(query)
    zero, never = convert_to_tensor(0.0, kind), convert_to_tensor(_never(kind), kind)
    return attend(query, key, value, where(mask, zero, never), scale)


def _causal(query: Any, key: Any) -> Any:
    if isinstance(query, KerasTensor) or isinstance(key, KerasTensor):
        return KerasTensor((query.shape[1], key.shape[1]), "bool")
    rows, columns = shape(query)[1], shape(key)[1]
    return greater_equal(expand_dims(arange(rows, dtype="int32"), -1), expand_dims(arange(columns, dtype="int32"), 0))


def _check(query: Any, key: Any, value: Any) -> None:
    shapes = f"query {tuple(query.shape)}, key {tuple(key.shape)}, value {tuple(value.shape)}"
    if not len(query.shape) == len(key.shape) == len(value.shape) == 4:
        raise ValueError(
            f"ops.dot_product_attention needs tensors of 4 axes (batch, length, heads, features), not {shapes}."
        )
    kept = list(zip(key.shape[:3], value.shape[:3], strict=True))
    kept += [(query.shape[i], key.shape[i]) for i in (0, 3)]
    if any(m is not None and n is not None and m != n for m, n in kept):
        raise ValueError(
            "ops.dot_product_attention needs one batch, keys and values of one length and number of heads, queries and keys of "
            f"one number of features; got {shapes}."
        )
    heads, groups = query.shape[2], key.shape[2]
    if heads is not None and groups and heads % groups:
        raise ValueError(
            f"ops.dot_product_attention: {heads} heads of the query can't share {groups} of the key ({shapes})."
        )


@composed(promote=None, kinds="real")
def dot_product_attention(
    query: TensorLike,
    key: TensorLike,
    value: TensorLike,
    bias: TensorLike | None = None,
    mask: TensorLike | None = None,
    scale: float | None = None,
    is_causal: bool = False,
    flash_attention: bool | None = None,
    attn_logits_soft_cap: float | None = None,
) -> Tensor:
    """softmax(query key^T * scale + bias) value, for each head (Vaswani et al. 2017).

    Args:
        query: a tensor (batch, t, heads, features).
        key: a tensor (batch, s, k, features); with k below the number of heads, heads share keys and values in groups.
        value: a tensor of the shape of `key`.
        bias: added to the logits, a tensor that broadcasts to (batch, heads, t, s).
        mask: a bool tensor that broadcasts to (batch, heads, t, s), True where attention is paid.
        scale: default: 1 / sqrt(features).
        is_causal: position t sees positions up to t only.
        flash_attention: a wish; a backend that has a fused kernel uses it wherever it fits.
        attn_logits_soft_cap: keeps the logits within (-cap, cap) by cap * tanh(logits / cap).

    Returns:
        A float tensor of the shape of `query`; integers become floatx.

    Raises:
        ValueError: the shapes don't fit.

    Example:
        >>> import numpy as np
        >>> x = np.ones((1, 3, 2, 4), "float32")
        >>> tuple(dot_product_attention(x, x, x).shape)
        (1, 3, 2, 4)
    """
    _check(query, key, value)
    if scale is None:
        features = query.shape[-1]
        if features is None and not isinstance(query, KerasTensor):
            raise ValueError("ops.dot_product_attention: the number of features must be known, or `scale` given.")
        scale = 1.0 / math.sqrt(features or 1)
    heads, groups = query.shape[2], key.shape[2]
    if heads != groups:
        key, value = repeat(key, heads // groups, axis=2), repeat(value, heads // groups, axis=2)
    if is_causal and mask is None and bias is None and attn_logits_soft_cap is None:
        return causal_attend(query, key, value, float(scale))
    if is_causal:
        triangle = expand_dims(_causal(query, key), (0, 1))
        mask = triangle if mask is None else logical_and(mask, triangle)
    if mask is not None:
        kind = dtype(query)
        zero = convert_to_tensor(0.0, kind) if bias is None else cast(bias, kind)
        never, low = convert_to_tensor(_never(kind), kind), convert_to_tensor(_low(kind), kind)
        bias = where(mask, zero, where(any_(mask, axis=-1, keepdims=True), never, low))
    if attn_logits_soft_cap is not None:
        return capped_attend(query, key, value, bias, float(scale), float(attn_logits_soft_cap))
    return attend(query, key, value, bias, float(scale))
