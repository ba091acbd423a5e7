"""What a call of an op comes down to on torch once its options and the dtype of its tensor are known.

The functions of the table look at options each time; those here look once and give a function of the tensor alone, or None
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
        return functools.partial(kernel, dim=axis, keepdim=keepdims)

    return make


def _place(kernel: Callable[..., Any]) -> Callable[..., Made]:
    def make(x: torch.Tensor, axis: Any = None, keepdims: bool = False) -> Made:
        if x.dtype == torch.bool or axis is None:
            return None
        int32 = torch.int32
        return lambda x: kernel(x, axis, keepdims).to(int32)

    return make


def _transpose(x: torch.Tensor, axes: Any = None) -> Made:
    if axes is None:  # then tensors of any rank come here
        return None
    order = tuple(axes)
    return lambda x: x.permute(order)


def _expand(x: torch.Tensor, axis: Any) -> Made:
    return (lambda x: x.unsqueeze(axis)) if isinstance(axis, int) else None


def _reshape(x: torch.Tensor, newshape: Any) -> Made:
    return lambda x: x.reshape(newshape)


KERNELS: dict[str, Callable[..., Made]] = {
    "sum": _reduction(torch.sum),
    "mean": _reduction(torch.mean),
    "max": _reduction(torch.amax),
    "min": _reduction(torch.amin),
    "argmax": _place(torch.argmax),
    "argmin": _place(torch.argmin),
    "transpose": _transpose,
    "expand_dims": _expand,
    "reshape": _reshape,
}
