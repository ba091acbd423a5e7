"""Optimizers: no gradient is recorded during an update, and the common rules run over all variables at once.

A fused update works in place on lists of tensors (`torch._foreach_*`), a few calls for the whole model instead of a dozen for
each variable. It gives what the portable rule gives.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

scope = torch.no_grad
Tensors = list[torch.Tensor]


def dense(gradient: Any) -> Any:
    """The gradient as a plain tensor; here it is one."""
    return gradient


def known(flag: torch.Tensor) -> bool | None:
    """The flag as a bool; None on an accelerator, where asking would wait for it."""
    return bool(flag) if flag.device.type == "cpu" else None


def cond(flag: torch.Tensor, fn: Callable[[list[Any]], list[Any]], values: list[Any]) -> list[Any]:
    """`fn(values)` where the flag holds, else `values`."""
    return [torch.where(flag, new, old) for new, old in zip(fn(values), values, strict=True)]


def sgd(grads: Tensors, values: Tensors, slots: Sequence[Tensors], hyper: dict[str, Any], lr: Any, t: Any) -> None:
    """Stochastic gradient descent; see `tricera.optimizers.rules.sgd`."""
    steps = _scaled(grads, lr)
    if not slots:
        torch._foreach_sub_(values, steps)
        return
    velocity = slots[0]
    torch._foreach_mul_(velocity, hyper["momentum"])
    torch._foreach_sub_(velocity, steps)
    if hyper["nesterov"]:
        torch._foreach_add_(values, velocity, alpha=hyper["momentum"])
        torch._foreach_sub_(values, steps)
    else:
        torch._foreach_add_(values, velocity)


def rmsprop(grads: Tensors, values: Tensors, slots: Sequence[Tensors], hyper: dict[str, Any], lr: Any, t: Any) -> None:
    """RMSprop; see `tricera.optimizers.rules.rmsprop`."""
    rho, velocity = hyper["rho"], slots[0]
    torch._foreach_mul_(velocity, rho)
    torch._foreach_addcmul_(velocity, grads, grads, 1 - rho)
    if hyper["centered"]:
        average = slots[-1]
        torch._foreach_mul_(average, rho)
        torch._foreach_add_(average, grads, alpha=1 - rho)
        denominator = torch._foreach_addcmul(velocity, average, average, -1)
        torch._foreach_add_(denominator, hyper["epsilon"])
    else:
        denominator = torch._foreach_add(velocity, hyper["epsilon"])
    torch._foreach_sqrt_(denominator)
    steps = _scaled(grads, lr)
    torch._foreach_div_(steps, denominator)
    if hyper["momentum"] > 0:
        torch._foreach_mul_(slots[1], hyper["momentum"])
        torch._foreach_add_(slots[1], steps)
        steps = slots[1]
    torch._foreach_sub_(values, steps)


def adam(grads: Tensors, values: Tensors, slots: Sequence[Tensors], hyper: dict[str, Any], lr: Any, t: Any) -> None:
    """Adam; see `tricera.optimizers.rules.adam`."""
    beta_1, beta_2, epsilon = hyper["beta_1"], hyper["beta_2"], hyper["epsilon"]
    m, v = slots[0], slots[1]
    torch._foreach_lerp_(m, grads, 1 - beta_1)
    torch._foreach_mul_(v, beta_2)
    torch._foreach_addcmul_(v, grads, grads, 1 - beta_2)
    if hyper["amsgrad"]:
        torch._foreach_maximum_(slots[2], v)
        v = slots[2]
    denominator = torch._foreach_sqrt(v)
    torch._foreach_add_(denominator, epsilon)
    if isinstance(t, int):
        # In float32 as in the portable rule: 1 - beta_2^t loses digits there, and so the results would differ.
        one, power = np.float32(1), np.float32(t)
        alpha = np.float32(lr) * np.sqrt(one - np.float32(beta_2) ** power) / (one - np.float32(beta_1) ** power)
        torch._foreach_addcdiv_(values, m, denominator, -float(alpha))
    else:
        steps = torch._foreach_div(m, denominator)
        torch._foreach_mul_(steps, lr * torch.sqrt(1 - beta_2**t) / (1 - beta_1**t))
        torch._foreach_sub_(values, steps)


def _scaled(tensors: Tensors, factor: Any) -> Tensors:
    return list(torch._foreach_mul(tensors, factor))


def decay(values: Tensors, rate: float, lr: Any) -> None:
    """Weight decay in place: `w <- w - w rate lr`."""
    torch._foreach_mul_(values, 1 - rate * lr)


def scalars(lr: torch.Tensor, iterations: torch.Tensor) -> tuple[Any, Any]:
    """The learning rate and the number of this update: numbers on a CPU, tensors where asking would wait."""
    if lr.device.type == "cpu":
        return lr.item(), int(iterations.item()) + 1
    return lr.detach(), iterations.detach() + 1


FUSED: dict[str, Callable[..., None]] = {"sgd": sgd, "rmsprop": rmsprop, "adam": adam}
