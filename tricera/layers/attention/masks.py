"""Which keys a query may see: masks of tokens, masks of pairs, the triangle of causality and the band of a window."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

from tricera import ops

Dims = tuple[Any, ...]


class Axes(NamedTuple):
    """Where attention goes on: over some of the axes between batch and features, the others counting as batch.

    Attributes:
        over: the axes of attention, from 1 up.
        others: the remaining ones.
    """

    over: tuple[int, ...]
    others: tuple[int, ...]

    @property
    def plain(self) -> bool:
        """Whether there is one axis, as in sequences."""
        return self.over == (1,) and not self.others

    @property
    def order(self) -> tuple[int, ...]:
        """The axes with those of attention last."""
        return (*self.others, *self.over)


class Visible(NamedTuple):
    """What attention may look at.

    Attributes:
        pairs: bool, broadcasts to (batch, heads, queries, keys): which keys a query sees; None for all.
        queries: bool (batch, 1, queries, 1): which queries look at all; None for all.
        causal: whether keys after the query are hidden besides.
    """

    pairs: Any = None
    queries: Any = None
    causal: bool = False

    def all_pairs(self, queries: Any, keys: Any) -> Any:
        """Everything in one mask of pairs, for a number of queries and keys; None if nothing is masked."""
        return both(self.pairs, triangle(queries, keys) if self.causal else None, self.queries)


def both(*masks: Any) -> Any:
    """True where all masks are; None masks hide nothing."""
    given = [m for m in masks if m is not None]
    return functools.reduce(ops.logical_and, given) if given else None


def product(dims: Dims) -> Any:
    """The product of lengths, of which some may be known to the framework alone."""
    return functools.reduce(lambda a, b: a * b, dims, 1)


def _distance(queries: Any, keys: Any) -> Any:
    """The position of the query less that of the key, (1, 1, queries, keys)."""
    rows = ops.expand_dims(ops.arange(queries, dtype="int32"), -1)
    return ops.expand_dims(ops.subtract(rows, ops.expand_dims(ops.arange(keys, dtype="int32"), 0)), (0, 1))


def triangle(queries: Any, keys: Any) -> Any:
    """True where the key is not after the query, (1, 1, queries, keys)."""
    return ops.greater_equal(_distance(queries, keys), 0)


def band(queries: Any, keys: Any, width: int) -> Any:
    """True where query and key are fewer than `width` positions apart, (1, 1, queries, keys)."""
    return ops.less(ops.absolute(_distance(queries, keys)), width)


def _as_bool(mask: Any) -> Any:
    return mask if ops.dtype(mask) == "bool" else ops.cast(mask, "bool")


def tokens(mask: Any, lead: Dims, axes: Axes, name: str) -> Any:
    """A mask of tokens as (batch, tokens).

    Args:
        mask: of the leading axes of a tensor (batch, axes..., features), or None.
        lead: the lengths of (batch, axes...).
        axes: which axes attention goes over.
        name: the argument's name, for the error.

    Raises:
        ValueError: it has more axes than the tensor has besides features, or fewer than two.
    """
    if mask is None:
        return None
    mask = _as_bool(mask)
    rank = len(mask.shape)
    if not 2 <= rank <= len(lead):
        raise ValueError(
            f"`{name}` must have from 2 to {len(lead)} axes, the leading ones of its tensor; it has shape {tuple(mask.shape)}."
        )
    if axes.plain:
        return mask
    mask = ops.reshape(mask, (*ops.shape(mask), *(1,) * (len(lead) - rank)))
    mask = ops.transpose(ops.broadcast_to(mask, lead), (0, *axes.order))
    count = len(axes.others) + 1
    dims = (lead[0], *(lead[i] for i in axes.order))
    return ops.reshape(mask, (product(dims[:count]), product(dims[count:])))


def pairs(mask: Any, queries: Dims, keys: Dims, axes: Axes) -> Any:
    """A mask of pairs as (batch, heads, queries, keys), where batch, heads, queries and keys may be 1.

    Args:
        mask: (queries..., keys...) with batch axes and an axis of heads before them, of which any may be missing.
        queries: the lengths of (batch, axes...) of the query.
        keys: the same of the key.
        axes: which axes attention goes over.

    Raises:
        ValueError: the mask has too few or too many axes.
    """
    if mask is None:
        return None
    mask = _as_bool(mask)
    own = 2 * len(axes.over)
    whole = own + len(axes.others) + 2
    rank = len(mask.shape)
    if not own <= rank <= whole:
        raise ValueError(
            f"`attention_mask` must have from {own} to {whole} axes: (batch, queries, keys), with an axis for heads before "
            f"the queries or without the batch; it has shape {tuple(mask.shape)}."
        )
    shape = ops.shape(mask)
    mask = ops.reshape(mask, (*shape[: rank - own], *(1,) * (whole - rank), *shape[rank - own :]))
    if axes.plain:
        return mask
    shape = ops.shape(mask)
    batch = (queries[0], *(queries[i] for i in axes.others))
    ends = (*(queries[i] for i in axes.over), *(keys[i] for i in axes.over))
    heads = shape[len(batch)]
    mask = ops.broadcast_to(mask, (*batch, heads, *ends))
    half = len(axes.over)
    return ops.reshape(mask, (product(batch), heads, product(ends[:half]), product(ends[half:])))
