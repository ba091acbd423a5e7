"""The optimizers' rules in place on lists of tensors (`torch._foreach_*`): a few calls for a whole model, not a dozen a variable.

Each gives what the portable rule of its name in `tricera.optimizers.rules` gives. `lr` and `t`, the number of this update, are
numbers on a CPU and scalar tensors elsewhere. What depends on them alone is computed in float32, as the portable rules do:
1 - beta_2^t loses digits there, and so the results would differ.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from tricera.backends.torch.replay import CONSTANTS, numbers

Tensors = list[torch.Tensor] | tuple[torch.Tensor, ...]
Slots = Sequence[Tensors]
Hyper = dict[str, Any]


def _scalar(fn: Callable[..., Any], *args: Any) -> Any:
    """A function of scalars, in float32."""
    if any(isinstance(a, torch.Tensor) for a in args):
        return fn(*args)
    return numbers(_in_float32, fn, *args)


def _in_float32(fn: Callable[..., Any], *args: Any) -> float:
    return float(fn(*(np.float32(a) for a in args)))


def _root(x: Any) -> Any:
    return torch.sqrt(x) if isinstance(x, torch.Tensor) else np.sqrt(x)


def sgd(grads: Tensors, values: Tensors, slots: Slots, hyper: Hyper, lr: Any, t: Any) -> None:
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


def rmsprop(grads: Tensors, values: Tensors, slots: Slots, hyper: Hyper, lr: Any, t: Any) -> None:
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


def adam(grads: Tensors, values: Tensors, slots: Slots, hyper: Hyper, lr: Any, t: Any) -> None:
    """Adam; see `tricera.optimizers.rules.adam`."""
    beta_1, beta_2, epsilon = hyper["beta_1"], hyper["beta_2"], hyper["epsilon"]
    alpha = _scalar(_adam_rate, lr, t, beta_1, beta_2)
    alike = len({v.dtype for v in values}) == 1 and all([x.is_contiguous() for xs in (values, *slots) for x in xs])
    if isinstance(t, float) and alike:
        # The kernel goes through memory and does not look at strides, which a gradient may have.
        _adam_kernel([g.contiguous() for g in grads], values, slots, hyper, alpha)
        return
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


def _adam_rate(lr: Any, t: Any, beta_1: Any, beta_2: Any) -> Any:
    return lr * _root(1 - beta_2**t) / (1 - beta_1**t)


_NO_CORRECTION = torch.tensor(float("inf"))
CONSTANTS.append(_NO_CORRECTION)


def _adam_kernel(grads: Tensors, values: Tensors, slots: Slots, hyper: Hyper, alpha: float) -> None:
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


def _mean_of_squares(means: Tensors, grads: Tensors, rho: float) -> None:
    """`means <- rho means + (1 - rho) grads^2`."""
    torch._foreach_mul_(means, rho)
    torch._foreach_addcmul_(means, grads, grads, 1 - rho)


def _roots(tensors: Tensors, epsilon: float) -> Tensors:
    """`sqrt(x + epsilon)`."""
    found = torch._foreach_add(tensors, epsilon)
    torch._foreach_sqrt_(found)
    return found


def adagrad(grads: Tensors, values: Tensors, slots: Slots, hyper: Hyper, lr: Any, t: Any) -> None:
    """Adagrad."""
    torch._foreach_addcmul_(slots[0], grads, grads, 1.0)
    _subtract_ratio(values, grads, _roots(slots[0], hyper["epsilon"]), lr)


def adadelta(grads: Tensors, values: Tensors, slots: Slots, hyper: Hyper, lr: Any, t: Any) -> None:
    """Adadelta."""
    squares, deltas = slots
    _mean_of_squares(squares, grads, hyper["rho"])
    step = _roots(deltas, hyper["epsilon"])
    torch._foreach_mul_(step, grads)
    torch._foreach_div_(step, _roots(squares, hyper["epsilon"]))
    _mean_of_squares(deltas, step, hyper["rho"])
    _subtract(values, step, lr)


def adamax(grads: Tensors, values: Tensors, slots: Slots, hyper: Hyper, lr: Any, t: Any) -> None:
    """Adamax."""
    m, u = slots
    torch._foreach_lerp_(m, grads, 1 - hyper["beta_1"])
    torch._foreach_mul_(u, hyper["beta_2"])
    torch._foreach_maximum_(u, torch._foreach_abs(grads))
    rate = _scalar(lambda lr, t, beta: lr / (1 - beta**t), lr, t, hyper["beta_1"])
    _subtract_ratio(values, m, torch._foreach_add(u, hyper["epsilon"]), rate)


def nadam(grads: Tensors, values: Tensors, slots: Slots, hyper: Hyper, lr: Any, t: Any) -> None:
    """Nadam."""
    beta_1, beta_2, product = hyper["beta_1"], hyper["beta_2"], hyper["product"].detach()
    if not isinstance(t, torch.Tensor):
        product = numbers(torch.Tensor.item, product)
    m, v = slots

    def momentum(t: Any, beta: Any) -> Any:
        return (1 - 0.96**t * 0.5) * beta

    def of_mean(product: Any, t: Any, beta: Any) -> Any:
        following = momentum(t + 1, beta)
        return following / (1 - product * following)

    def of_gradient(product: Any, t: Any, beta: Any) -> Any:
        return (1 - momentum(t, beta)) / (1 - product)

    torch._foreach_lerp_(m, grads, 1 - beta_1)
    squares = torch._foreach_mul(grads, grads)
    torch._foreach_lerp_(v, squares, float(1 - np.float32(beta_2)))
    mean = torch._foreach_mul(m, _scalar(of_mean, product, t, beta_1))
    torch._foreach_add_(mean, torch._foreach_mul(grads, _scalar(of_gradient, product, t, beta_1)))
    denominator = torch._foreach_div(v, _scalar(lambda beta, t: 1 - beta**t, beta_2, t))
    torch._foreach_sqrt_(denominator)
    torch._foreach_add_(denominator, hyper["epsilon"])
    _subtract_ratio(values, mean, denominator, lr)


def lion(grads: Tensors, values: Tensors, slots: Slots, hyper: Hyper, lr: Any, t: Any) -> None:
    """Lion."""
    m = slots[0]
    direction = torch._foreach_mul(m, hyper["beta_1"])
    torch._foreach_add_(direction, grads, alpha=1 - hyper["beta_1"])
    torch._foreach_sign_(direction)
    _subtract(values, direction, lr)
    torch._foreach_mul_(m, hyper["beta_2"])
    torch._foreach_add_(m, grads, alpha=1 - hyper["beta_2"])


def lamb(grads: Tensors, values: Tensors, slots: Slots, hyper: Hyper, lr: Any, t: Any) -> None:
    """LAMB."""
    m, v = slots
    torch._foreach_lerp_(m, grads, 1 - hyper["beta_1"])
    torch._foreach_lerp_(v, torch._foreach_mul(grads, grads), 1 - hyper["beta_2"])
    direction = torch._foreach_div(m, _scalar(lambda beta, t: 1 - beta**t, hyper["beta_1"], t))
    below = torch._foreach_div(v, _scalar(lambda beta, t: 1 - beta**t, hyper["beta_2"], t))
    torch._foreach_sqrt_(below)
    torch._foreach_add_(below, hyper["epsilon"])
    torch._foreach_div_(direction, below)
    sizes, lengths = torch.stack(torch._foreach_norm(values)), torch.stack(torch._foreach_norm(direction))
    usable = torch.logical_and(sizes > 0, lengths > 0)
    ratios = torch.where(usable, sizes / torch.where(usable, lengths, 1.0), 1.0) * lr
    torch._foreach_mul_(direction, ratios.unbind())
    torch._foreach_sub_(values, direction)


def ftrl(grads: Tensors, values: Tensors, slots: Slots, hyper: Hyper, lr: Any, t: Any) -> None:
    """Follow the regularised leader."""
    n, z = slots
    l1, power = hyper["l1"], -hyper["learning_rate_power"]
    inverse = _scalar(lambda lr: 1 / lr, lr)
    before = torch._foreach_pow(n, power)
    torch._foreach_addcmul_(n, grads, grads, 1.0)
    after = torch._foreach_pow(n, power)
    torch._foreach_mul_(after, inverse)
    torch._foreach_mul_(before, inverse)
    change = torch._foreach_sub(after, before)
    torch._foreach_mul_(change, values)
    torch._foreach_add_(z, grads)
    if hyper["l2_shrinkage"]:
        torch._foreach_add_(z, values, alpha=2 * hyper["l2_shrinkage"])
    torch._foreach_sub_(z, change)
    torch._foreach_add_(after, _scalar(lambda lr, l2, beta: 2 * l2 + beta / lr, lr, hyper["l2"], hyper["beta"]))
    new = torch._foreach_clamp_min(z, -l1)
    torch._foreach_clamp_max_(new, l1)
    torch._foreach_sub_(new, z)
    torch._foreach_div_(new, after)
    torch._foreach_copy_(values, new)


def schedule_free(grads: Tensors, values: Tensors, slots: Slots, hyper: Hyper, lr: Any, t: Any) -> None:
    """Schedule-free AdamW."""
    z, v = slots
    beta_1, warmup = hyper["beta_1"], hyper["warmup_steps"]
    if warmup:
        lr = _scalar(_warming, lr, t, warmup)
    torch._foreach_lerp_(v, torch._foreach_mul(grads, grads), float(1 - np.float32(hyper["beta_2"])))
    below = torch._foreach_div(v, _scalar(lambda beta, t: 1 - beta**t, hyper["beta_2"], t))
    torch._foreach_sqrt_(below)
    torch._foreach_add_(below, hyper["epsilon"])
    mean = torch._foreach_sub(values, z)
    torch._foreach_mul_(mean, (1 - beta_1) / beta_1)
    torch._foreach_add_(mean, values)
    _subtract_ratio(z, grads, below, lr)
    weight = _scalar(lambda t: 1 / t, t)
    towards = torch._foreach_sub(z, mean)
    torch._foreach_mul_(towards, weight)
    torch._foreach_add_(mean, towards)
    torch._foreach_mul_(mean, beta_1)
    torch._foreach_add_(mean, z, alpha=1 - beta_1)
    torch._foreach_copy_(values, mean)


def _warming(lr: Any, t: Any, steps: Any) -> Any:
    share = t / steps
    return lr * (torch.clamp(share, max=1.0) if isinstance(share, torch.Tensor) else min(share, np.float32(1)))


_HALVES = (torch.float16, torch.bfloat16)


def _in_single(rule: Callable[..., None]) -> Callable[..., None]:
    """The rule with half-precision variables computed in float32 and rounded once, as the portable rules do."""

    @functools.wraps(rule)
    def run(grads: Tensors, values: Tensors, slots: Slots, hyper: Hyper, lr: Any, t: Any) -> None:
        if not any([v.dtype in _HALVES for v in values]):
            rule(grads, values, slots, hyper, lr, t)
            return
        kept = [values, *slots]
        wide = [[x.float() if x.dtype in _HALVES else x for x in xs] for xs in (grads, *kept)]
        rule(wide[0], wide[1], wide[2:], hyper, lr, t)
        for old, new in zip(kept, wide[1:], strict=True):
            torch._foreach_copy_(old, new)

    return run


# The first three round at each call, each of which torch computes in float32.
FUSED: dict[str, Callable[..., None]] = {
    **{rule.__name__: rule for rule in (sgd, rmsprop, adam)},
    **{rule.__name__: _in_single(rule) for rule in (adagrad, adadelta, adamax, nadam, lion, lamb, ftrl, schedule_free)},
}
