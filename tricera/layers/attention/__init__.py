"""Attention: `Attention` and `AdditiveAttention` as they are, `MultiHeadAttention` and `GroupQueryAttention` with projections.

`masks.py` turns every kind of mask into two (which keys a query sees, which queries look at all); `core.py` computes, with the
framework's fused kernel where neither the scores nor dropout are wanted. Both paths give the same numbers, and zeros to a query
that sees nothing, so that no masked token has an influence on any path.
"""

from __future__ import annotations

from tricera.layers.attention.attention import AdditiveAttention as AdditiveAttention, Attention as Attention
from tricera.layers.attention.grouped import GroupedQueryAttention as GroupedQueryAttention
from tricera.layers.attention.multi_head import MultiHeadAttention as MultiHeadAttention
