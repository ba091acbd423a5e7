"""Optimizers: no gradient is recorded during an update, and the rules run over all variables at once (`fused.py`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch

from tricera.backends.torch.fused import FUSED, Tensors
from tricera.backends.torch.replay import for_compiler, numbers

scope = torch.no_grad


def fused(name: str, dtypes: Iterable[str]) -> Callable[..., None] | None:
    """The rule of that name over all variables at once."""
    return FUSED.get(name)


def dense(gradient: Any) -> Any:
    """The gradient as a plain tensor; here it is one."""
    return gradient


def known(flag: torch.Tensor) -> bool | None:
    """The flag as a bool; None on an accelerator, where asking would wait for it."""
    return bool(flag) if flag.device.type == "cpu" and not for_compiler() else None


def cond(flag: torch.Tensor, fn: Callable[[list[Any]], list[Any]], values: list[Any]) -> list[Any]:
    """`fn(values)` where the flag holds, else `values`."""
    return [torch.where(flag, new, old) for new, old in zip(fn(values), values, strict=True)]


def branch(flag: torch.Tensor, run: Callable[[], Any]) -> bool:
    """There is no branch on a value that is not known: both results are computed and `cond` chooses."""
    return False


def accumulate(totals: Tensors, grads: Tensors) -> bool:
    """Add in place, all tensors in one call."""
    torch._foreach_add_(totals, grads)
    return True


def decay(values: Tensors, rate: float, lr: Any) -> None:
    """Weight decay in place: `w <- w - w rate lr`."""
    torch._foreach_mul_(values, 1 - rate * lr)


def scalars(lr: torch.Tensor, iterations: torch.Tensor) -> tuple[Any, Any]:
    """The learning rate and the number of this update: numbers on a CPU, tensors where asking would wait."""
    if lr.device.type == "cpu" and not for_compiler():
        return numbers(_number, lr), numbers(_number, iterations) + 1.0
    return lr.detach(), iterations.detach() + 1


def _number(x: torch.Tensor) -> float:
    return float(x.item())
