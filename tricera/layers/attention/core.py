"""Scaled dot-product attention of heads, under masks: fused, or with its scores."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tricera import ops
from tricera.core.dtypes import GREATEST
from tricera.layers.attention.masks import Visible


def low(dtype: str) -> float:
    """What masked logits are set to: below every other, and finite, so that rows without any don't become NaN."""
    return -GREATEST[dtype]


def masked_softmax(logits: Any, mask: Any) -> Any:
    """Softmax over the last axis, counting only where the mask is True; zeros where it is False throughout.

    Args:
        logits: a float tensor.
        mask: bool, broadcasts to the logits, or None.
    """
    kind = ops.dtype(logits)
    wide = ops.cast(logits, "float32") if kind in ("float16", "bfloat16") else logits
    if mask is None:
        return ops.cast(ops.softmax(wide, axis=-1), kind)
    number = ops.dtype(wide)
    weights = ops.softmax(ops.where(mask, wide, ops.convert_to_tensor(low(number), number)), axis=-1)
    # Without this a row that is masked throughout would get the mean of what is hidden from it.
    return ops.cast(ops.where(mask, weights, ops.convert_to_tensor(0.0, number)), kind)


def fused(query: Any, key: Any, value: Any, visible: Visible, scale: float, flash_attention: bool | None = None) -> Any:
    """softmax(query key^T scale) value with the framework's kernel.

    Args:
        query: (batch, queries, heads, features).
        key: (batch, keys, groups, features); heads share groups.
        value: (batch, keys, groups, features).
        visible: what may be looked at.
        scale: of the logits.
        flash_attention: passed on to `ops.dot_product_attention`.

    Returns:
        (batch, queries, heads, features of the value).
    """
    mask, causal, rows = visible.pairs, visible.causal, visible.queries
    if mask is not None:
        # Masked queries are left out of it: the mask of keys alone stays small.
        if causal:
            mask, causal = Visible(mask, None, True).all_pairs(ops.shape(query)[1], ops.shape(key)[1]), False
        seen = ops.any(mask, axis=-1, keepdims=True)
        rows = seen if rows is None else ops.logical_and(rows, seen)
    out = ops.dot_product_attention(
        query, key, value, mask=mask, scale=scale, is_causal=causal, flash_attention=flash_attention
    )
    if rows is None:
        return out
    return ops.where(ops.swapaxes(rows, 1, 2), out, ops.convert_to_tensor(0.0, ops.dtype(out)))


def with_scores(
    query: Any, key: Any, value: Any, visible: Visible, scale: float, drop: Callable[[Any], Any] | None = None
) -> tuple[Any, Any]:
    """The same, step by step.

    Args:
        query: (batch, queries, heads, features).
        key: (batch, keys, groups, features); heads share groups.
        value: (batch, keys, groups, features).
        visible: what may be looked at.
        scale: of the logits.
        drop: applied to the scores before they weight the values.

    Returns:
        (batch, queries, heads, features of the value), and the scores (batch, heads, queries, keys) before `drop`.
    """
    heads, groups = query.shape[2], key.shape[2]
    if heads != groups:
        key, value = (ops.repeat(x, heads // groups, axis=2) for x in (key, value))
    logits = ops.einsum("btnh,bsnh->bnts", ops.multiply(query, scale), key)
    scores = masked_softmax(logits, visible.all_pairs(ops.shape(query)[1], ops.shape(key)[1]))
    out = ops.einsum("bnts,bsnh->btnh", scores if drop is None else drop(scores), value)
    return out, scores
