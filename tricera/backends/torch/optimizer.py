"""Optimizers: no gradient is recorded during an update, and the common rules run over all variables at once.

A fused update works in place on lists of tensors (`torch._foreach_*`), a few calls for the whole model instead of a dozen for
each variable. It gives what the portable rule gives.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from tricera.backends.torch.replay import CONSTANTS, for_compiler, numbers

scope = torch.no_grad
Tensors = list[torch.Tensor] | tuple[torch.Tensor, ...]


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


def sgd(grads: Tensors, values: Tensors, slots: Sequence[Tensors], hyper: dict[str, Any], lr: Any, t: Any) -> None:
    """Stochastic gradient descent; see `tricera.optimizers.rules.sgd`."""
    if not slots:
        _subtract(values, grads, lr)
        return
    velocity = slots[0]
    torch._foreach_mul_(velocity, hyper["momentum"])
    _subtract(velocity, grads, lr)
    if hyper["nesterov"]:
        torch._foreach_add_(values, velocity, alpha=hyper["momentum"])
        _subtract(values, grads, lr)
    else:
        torch._foreach_add_(values, velocity)


def rmsprop(grads: Tensors, values: Tensors, slots: Sequence[Tensors], hyper: dict[str, Any], lr: Any, t: Any) -> None:
    """RMSprop; see `tricera.optimizers.rules.rmsprop`."""
    rho, velocity = hyper["rho"], slots[0]
    torch._foreach_mul_(velocity, rho)
    torch._foreach_addcmul_(velocity, grads, grads, 1 - rho)
    if hyper["centered"]:
        average = slots[-1]
        torch._foreach_lerp_(average, grads, 1 - rho)
        denominator = torch._foreach_addcmul(velocity, average, average, -1)
        torch._foreach_add_(denominator, hyper["epsilon"])
    else:
        denominator = torch._foreach_add(velocity, hyper["epsilon"])
    torch._foreach_sqrt_(denominator)
    if hyper["momentum"] > 0:
        torch._foreach_mul_(slots[1], hyper["momentum"])
        _subtract_ratio(slots[1], grads, denominator, lr, sign=1)
        torch._foreach_sub_(values, slots[1])
    else:
        _subtract_ratio(values, grads, denominator, lr)


def adam(grads: Tensors, values: Tensors, slots: Sequence[Tensors], hyper: dict[str, Any], lr: Any, t: Any) -> None:
    """Adam; see `tricera.optimizers.rules.adam`."""
    beta_1, beta_2, epsilon = hyper["beta_1"], hyper["beta_2"], hyper["epsilon"]
    if isinstance(t, float):
        alpha = numbers(_adam_rate, lr, t, beta_1, beta_2)
        if len({v.dtype for v in values}) == 1 and all([x.is_contiguous() for xs in (values, *slots) for x in xs]):
            # The kernel goes through memory and does not look at strides, which a gradient may have.
            _adam_kernel([g.contiguous() for g in grads], values, slots, hyper, alpha)
            return
    else:
        alpha = lr * torch.sqrt(1 - beta_2**t) / (1 - beta_1**t)
    m, v = slots[0], slots[1]
    torch._foreach_lerp_(m, grads, 1 - beta_1)
    torch._foreach_mul_(v, beta_2)
    torch._foreach_addcmul_(v, grads, grads, 1 - beta_2)
    if hyper["amsgrad"]:
        torch._foreach_maximum_(slots[2], v)
        v = slots[2]
    denominator = torch._foreach_sqrt(v)
    torch._foreach_add_(denominator, epsilon)
    _subtract_ratio(values, m, denominator, alpha)


def _adam_rate(lr: float, t: float, beta_1: float, beta_2: float) -> float:
    """In float32 as in the portable rule: 1 - beta_2^t loses digits there, and so the results would differ."""
    one, power = np.float32(1), np.float32(t)
    return float(np.float32(lr) * np.sqrt(one - np.float32(beta_2) ** power) / (one - np.float32(beta_1) ** power))


_NO_CORRECTION = torch.tensor(float("inf"))
CONSTANTS.append(_NO_CORRECTION)


def _adam_kernel(
    grads: Tensors, values: Tensors, slots: Sequence[Tensors], hyper: dict[str, Any], alpha: float
) -> None:
    """One pass over memory by torch's own kernel, told that it is at a step after which nothing is corrected: `alpha` is."""
    torch._fused_adam_(
        values, grads, slots[0], slots[1], slots[2] if hyper["amsgrad"] else [], [_NO_CORRECTION] * len(values),
        lr=alpha, beta1=hyper["beta_1"], beta2=hyper["beta_2"], weight_decay=0.0, eps=hyper["epsilon"],
        amsgrad=hyper["amsgrad"], maximize=False, grad_scale=None, found_inf=None,
    )  # fmt: skip


def _subtract(values: Tensors, tensors: Tensors, factor: Any) -> None:
    """`values -= factor * tensors`."""
    if isinstance(factor, float):
        torch._foreach_add_(values, tensors, alpha=-factor)
    else:
        torch._foreach_sub_(values, torch._foreach_mul(tensors, factor))


def _subtract_ratio(values: Tensors, tops: Tensors, bottoms: Tensors, factor: Any, sign: int = -1) -> None:
    """`values -= factor * tops / bottoms`, or `+=` with `sign` 1."""
    if isinstance(factor, float):
        torch._foreach_addcdiv_(values, tops, bottoms, sign * factor)
    else:
        ratios = torch._foreach_div(tops, bottoms)
        torch._foreach_mul_(ratios, factor * sign)
        torch._foreach_add_(values, ratios)


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


FUSED: dict[str, Callable[..., None]] = {"sgd": sgd, "rmsprop": rmsprop, "adam": adam}
