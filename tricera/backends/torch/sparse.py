"""Sparse tensors: torch's COO layout."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from tricera.backends.torch.tensor import densify, is_sparse  # noqa: F401 - part of the room


def make(indices: Any, values: Any, shape: tuple[int, ...]) -> torch.Tensor:
    """A sparse tensor of values at places (n, rank); what comes twice adds up."""
    return torch.sparse_coo_tensor(indices.long().T, values, tuple(shape), check_invariants=False).coalesce()


def values(x: Any) -> Any:
    """The values that are stored."""
    return x.coalesce().values()


def with_values(x: Any, values: Any) -> torch.Tensor:
    """The same places with other values."""
    return torch.sparse_coo_tensor(x.coalesce().indices(), values, x.shape, check_invariants=False, is_coalesced=True)


def align(a: Any, b: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """Both with the places of either, in the same order."""
    a, b = a.coalesce(), b.coalesce()
    indices = torch.cat([a.indices(), b.indices()], 1).T
    left = torch.cat([a.values(), torch.zeros_like(b.values())])
    right = torch.cat([torch.zeros_like(a.values()), b.values()])
    return make(indices, left, a.shape), make(indices, right, a.shape)


def at(x: Any, like: Any) -> Any:
    """The elements of a dense tensor, broadcast, at the places of a sparse one."""
    return x.expand(like.shape)[tuple(like.coalesce().indices())]


def matmul(a: Any, b: Any) -> Any:
    """The product of two matrices; sparse where both are."""
    if not is_sparse(a):
        return torch.sparse.mm(b.T, a.T).T
    return torch.sparse.mm(a, b)


def reshape(x: Any, shape: tuple[int, ...]) -> torch.Tensor:
    """The same elements in another shape."""
    x = x.coalesce()
    line = torch.zeros(x.indices().shape[1], dtype=torch.int64, device=x.device)
    for row, n in zip(x.indices(), x.shape, strict=True):
        line = line * n + row
    columns = []
    for n in reversed(shape):
        columns.append(line % n)
        line = torch.div(line, n, rounding_mode="floor")
    places = torch.stack(columns[::-1]) if columns else line.new_zeros((0, len(line)))
    return torch.sparse_coo_tensor(places, x.values(), tuple(shape), check_invariants=False, is_coalesced=True)


def transpose(x: Any, axes: tuple[int, ...]) -> torch.Tensor:
    """The axes in another order."""
    x = x.coalesce()
    return make(x.indices()[list(axes)].T, x.values(), tuple(x.shape[a] for a in axes))


def concatenate(xs: Sequence[Any], axis: int) -> torch.Tensor:
    """Tensors joined along an axis."""
    return torch.cat([x.coalesce() for x in xs], axis)


def sum(x: Any, axes: tuple[int, ...]) -> torch.Tensor:
    """The sum over axes."""
    x = x.coalesce()
    rest = [i for i in range(x.ndim) if i not in axes]
    return make(x.indices()[rest].T, x.values(), tuple(x.shape[i] for i in rest))
