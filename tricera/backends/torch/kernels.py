"""What a call of an op comes down to on torch once its options and the dtypes of its tensors are known.

The functions of the table look at options each time; those here look once and give a function of the tensors alone, or None
where the table's is needed.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import torch

Made = Callable[..., Any] | None


def _reduction(kernel: Callable[..., Any]) -> Callable[..., Made]:
    def make(x: torch.Tensor, axis: Any = None, keepdims: bool = False, initial: Any = None) -> Made:
        if not x.is_floating_point() or axis is None or axis == () or initial is not None:
            return None
        return (
            functools.partial(kernel, dim=axis, keepdim=keepdims) if keepdims else functools.partial(kernel, dim=axis)
        )

    return make


def _place(kernel: Callable[..., Any]) -> Callable[..., Made]:
    def make(x: torch.Tensor, axis: Any = None, keepdims: bool = False) -> Made:
        if x.dtype == torch.bool or axis is None:
            return None
        int32 = torch.int32
        return lambda x: kernel(x, axis, keepdims).to(int32)

    return make


def _along(kernel: Callable[..., Any]) -> Callable[..., Made]:
    def make(x: torch.Tensor, axis: Any = -1) -> Made:
        return functools.partial(kernel, dim=axis) if isinstance(axis, int) else None

    return make


def _transpose(x: torch.Tensor, axes: Any = None) -> Made:
    order = tuple(range(x.ndim))[::-1] if axes is None else tuple(axes)
    permute = torch.permute
    return lambda x: permute(x, order)


def _expand(x: torch.Tensor, axis: Any) -> Made:
    unsqueeze = torch.unsqueeze
    return (lambda x: unsqueeze(x, axis)) if isinstance(axis, int) else None


def _reshape(x: torch.Tensor, newshape: Any) -> Made:
    shape = tuple(-1 if d is None else d for d in newshape)
    reshape = torch.reshape
    return lambda x: reshape(x, shape)


def _cast(dtypes: dict[str, torch.dtype]) -> Callable[..., Made]:
    def make(x: torch.Tensor, dtype: Any) -> Made:
        wanted = dtypes.get(dtype) if isinstance(dtype, str) else None
        return None if wanted is None or dtype == "float8_e4m3fn" else (lambda x: x.to(wanted))

    return make


def _where(condition: torch.Tensor, x1: torch.Tensor, x2: torch.Tensor) -> Made:
    return torch.where if condition.dtype == torch.bool else None


def _concatenate(*xs: torch.Tensor, axis: Any = 0) -> Made:
    return functools.partial(torch.cat, dim=axis) if isinstance(axis, int) else None


def _stack(*xs: torch.Tensor, axis: int = 0) -> Made:
    return functools.partial(torch.stack, dim=axis)


def _take(table: Callable[..., Any]) -> Callable[..., Made]:
    def make(x: torch.Tensor, indices: torch.Tensor, axis: Any = None) -> Made:
        if not isinstance(axis, int) or indices.dtype not in (torch.int32, torch.int64):
            return None
        before: tuple[Any, ...] = (slice(None),) * axis

        def run(x: torch.Tensor, indices: torch.Tensor) -> Any:
            # The table's way has the faster backward pass, and copies whole rows, which pays for many of them.
            if x.requires_grad or (not axis and x.ndim > 1 and indices.numel() > 1024):
                return table(x, indices)
            return x[(*before, indices)] if before else x[indices]

        return run

    return make


# A function of the tensors and options that gives the function for tensors and options like them.
KERNELS: dict[str, Callable[..., Made]] = {
    "sum": _reduction(torch.sum),
    "mean": _reduction(torch.mean),
    "max": _reduction(torch.amax),
    "min": _reduction(torch.amin),
    "argmax": _place(torch.argmax),
    "argmin": _place(torch.argmin),
    "softmax": _along(torch.softmax),
    "log_softmax": _along(torch.log_softmax),
    "transpose": _transpose,
    "expand_dims": _expand,
    "reshape": _reshape,
    "select_where": _where,
    "concatenate": _concatenate,
    "stack": _stack,
}
# The same, but of the table's function with its options.
AROUND: dict[str, Callable[[Callable[..., Any]], Callable[..., Made]]] = {"take": _take}


def with_dtypes(dtypes: dict[str, torch.dtype]) -> dict[str, Callable[..., Made]]:
    """All of them, given the names of dtypes."""
    return {**KERNELS, "cast": _cast(dtypes)}
