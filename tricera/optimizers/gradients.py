"""Limiting gradients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tricera import ops


def clip_by_norm(gradient: Any, limit: float) -> Any:
    """The gradient, shortened to a norm of at most `limit`."""
    squares = ops.sum(ops.square(gradient))
    nonzero = ops.greater(squares, 0)
    # The square root of 0 would have no gradient of its own; the branch not taken must be finite.
    norm = ops.where(nonzero, ops.sqrt(ops.where(nonzero, squares, 1.0)), squares)
    return ops.divide(ops.multiply(gradient, limit), ops.maximum(norm, limit))


def global_norm(gradients: Sequence[Any]) -> Any:
    """The norm of all gradients as one vector."""
    return ops.sqrt(ops.sum(ops.stack([ops.sum(ops.square(g)) for g in gradients])))


def clip_by_global_norm(gradients: Sequence[Any], limit: float) -> list[Any]:
    """The gradients, shortened alike so that their common norm is at most `limit`."""
    norm = global_norm(gradients)
    scale = ops.divide(limit, ops.maximum(norm, limit))
    return [ops.multiply(g, ops.cast(scale, ops.dtype(g))) for g in gradients]
