"""The maths: each optimizer is a pure function `(gradient, value, slots, lr, t, **hyperparameters) -> (value, slots)`.

`gradient`, `value` and the slots are tensors of one framework, `lr` and `t` (the number of this update, from 1) scalar tensors of
the same dtype. Nothing here reads or assigns variables, and no Python branch hangs on a tensor's value, so that every rule can be
traced. The operators are the tensors' own; `ops` is called where frameworks differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tricera import ops

Tensors = Sequence[Any]
Result = tuple[Any, tuple[Any, ...]]


def sgd(g: Any, value: Any, slots: Tensors, lr: Any, t: Any, *, momentum: float, nesterov: bool) -> Result:
    """`v <- momentum v - lr g`, `w <- w + v`; Nesterov looks ahead by `momentum v - lr g`."""
    if not slots:
        return value - g * lr, ()
    velocity = slots[0] * momentum - g * lr
    if nesterov:
        return value + velocity * momentum - g * lr, (velocity,)
    return value + velocity, (velocity,)


def rmsprop(
    g: Any, value: Any, slots: Tensors, lr: Any, t: Any, *, rho: float, momentum: float, epsilon: float, centered: bool
) -> Result:
    """`v <- rho v + (1 - rho) g²`, `w <- w - lr g / sqrt(v + eps)`; centered: `v - mean(g)²` instead of `v`."""
    velocity = slots[0] * rho + g * g * (1 - rho)
    new = [velocity]
    denominator = velocity
    average = None
    if centered:
        average = slots[-1] * rho + g * (1 - rho)
        denominator = velocity - average * average
    step = g * lr / ops.sqrt(denominator + epsilon)
    if momentum > 0:
        step = slots[1] * momentum + step
        new.append(step)
    if centered:
        new.append(average)
    return value - step, tuple(new)


def adam(
    g: Any, value: Any, slots: Tensors, lr: Any, t: Any, *, beta_1: float, beta_2: float, epsilon: float, amsgrad: bool
) -> Result:
    """`m`, `v`: running means of `g` and `g²`; `w <- w - lr sqrt(1 - beta_2^t) / (1 - beta_1^t) m / (sqrt(v) + eps)`."""
    m = slots[0] + (g - slots[0]) * (1 - beta_1)
    v = slots[1] + (g * g - slots[1]) * (1 - beta_2)
    alpha = lr * ops.sqrt(1 - ops.power(_like(beta_2, t), t)) / (1 - ops.power(_like(beta_1, t), t))
    if amsgrad:
        highest = ops.maximum(slots[2], v)
        return value - m * alpha / (ops.sqrt(highest) + epsilon), (m, v, highest)
    return value - m * alpha / (ops.sqrt(v) + epsilon), (m, v)


def nadam(
    g: Any, value: Any, slots: Tensors, lr: Any, t: Any, *, product: Any, beta_1: float, beta_2: float, epsilon: float
) -> Result:
    """Adam with Nesterov's momentum; `u_t = beta_1 (1 - 0.96^t / 2)` and `product` is `u_1 ... u_t`."""
    product = ops.cast(product, t.dtype)
    u, u_next = nadam_momentum(t, beta_1), nadam_momentum(t + 1, beta_1)
    m = slots[0] + (g - slots[0]) * (1 - beta_1)
    decay = _like(beta_2, t)  # rounded to the dtype, it cancels in v_hat
    v = slots[1] + (g * g - slots[1]) * (1 - decay)
    m_hat = m * u_next / (1 - product * u_next) + g * (1 - u) / (1 - product)
    v_hat = v / (1 - ops.power(decay, t))
    return value - m_hat * lr / (ops.sqrt(v_hat) + epsilon), (m, v)


def nadam_momentum(t: Any, beta_1: float) -> Any:
    """Nadam's momentum at update `t`: `beta_1 (1 - 0.96^t / 2)`."""
    return (1 - ops.power(_like(0.96, t), t) * 0.5) * beta_1


def adamax(
    g: Any, value: Any, slots: Tensors, lr: Any, t: Any, *, beta_1: float, beta_2: float, epsilon: float
) -> Result:
    """Adam with the infinity norm: `u <- max(beta_2 u, |g|)`, `w <- w - lr / (1 - beta_1^t) m / (u + eps)`."""
    m = slots[0] + (g - slots[0]) * (1 - beta_1)
    u = ops.maximum(slots[1] * beta_2, ops.abs(g))
    return value - m * (lr / (1 - ops.power(_like(beta_1, t), t))) / (u + epsilon), (m, u)


def adagrad(g: Any, value: Any, slots: Tensors, lr: Any, t: Any, *, epsilon: float) -> Result:
    """`a <- a + g²`, `w <- w - lr g / sqrt(a + eps)`."""
    a = slots[0] + g * g
    return value - g * lr / ops.sqrt(a + epsilon), (a,)


def adadelta(g: Any, value: Any, slots: Tensors, lr: Any, t: Any, *, rho: float, epsilon: float) -> Result:
    """`d = -rms(deltas) / rms(gradients) g`, `w <- w + lr d`, with running means of squares by `rho`."""
    squares = slots[0] * rho + g * g * (1 - rho)
    delta = -ops.sqrt(slots[1] + epsilon) * g / ops.sqrt(squares + epsilon)
    deltas = slots[1] * rho + delta * delta * (1 - rho)
    return value + delta * lr, (squares, deltas)


def lion(g: Any, value: Any, slots: Tensors, lr: Any, t: Any, *, beta_1: float, beta_2: float) -> Result:
    """`w <- w - lr sign(beta_1 m + (1 - beta_1) g)`, `m <- beta_2 m + (1 - beta_2) g`."""
    direction = ops.sign(slots[0] * beta_1 + g * (1 - beta_1))
    return value - direction * lr, (slots[0] * beta_2 + g * (1 - beta_2),)


def lamb(
    g: Any, value: Any, slots: Tensors, lr: Any, t: Any, *, beta_1: float, beta_2: float, epsilon: float
) -> Result:
    """Adam's direction, scaled by `|w| / |direction|`, both norms over the variable (1 where one of them is 0)."""
    m = slots[0] + (g - slots[0]) * (1 - beta_1)
    v = slots[1] + (g * g - slots[1]) * (1 - beta_2)
    m_hat = m / (1 - ops.power(_like(beta_1, t), t))
    v_hat = ops.sqrt(v / (1 - ops.power(_like(beta_2, t), t))) + epsilon
    direction = m_hat / v_hat
    size, length = ops.sqrt(ops.sum(value * value)), ops.sqrt(ops.sum(direction * direction))
    usable = ops.logical_and(size > 0, length > 0)
    ratio = ops.where(usable, size / ops.where(usable, length, ops.ones_like(length)), ops.ones_like(size))
    return value - direction * (ratio * lr), (m, v)


def ftrl(
    g: Any, value: Any, slots: Tensors, lr: Any, t: Any, *,
    learning_rate_power: float, l1: float, l2: float, l2_shrinkage: float, beta: float,
) -> Result:  # fmt: skip
    """Follow the regularised leader: a closed-form minimum over the linear terms `z` with adaptive `n` = sum of g²."""
    n, z = slots
    shrunk = g + value * (2 * l2_shrinkage)
    new_n = n + g * g
    before, after = ops.power(n, -learning_rate_power), ops.power(new_n, -learning_rate_power)
    new_z = z + shrunk - (after - before) / lr * value
    curvature = after / lr + 2 * (l2 + beta / (2 * lr))
    clipped = ops.clip(new_z, -l1, l1)
    return (clipped - new_z) / curvature, (new_n, new_z)


def adafactor(
    g: Any, value: Any, slots: Tensors, lr: Any, t: Any, *,
    beta_2_decay: float, epsilon_1: float, epsilon_2: float, clip_threshold: float, relative_step: bool,
) -> Result:  # fmt: skip
    """Second moments of matrices by row and column means; updates clipped by their root mean square, scaled by that of `w`."""
    if relative_step:
        lr = ops.minimum(lr, 1 / ops.sqrt(t))
    rho = ops.maximum(ops.sqrt(ops.mean(value * value)), _like(epsilon_2, t)) * lr
    beta = 1 - ops.power(t, beta_2_decay)
    squares = g * g + epsilon_1
    if len(g.shape) >= 2:
        row = slots[0] * beta + ops.mean(squares, axis=-1) * (1 - beta)
        column = slots[1] * beta + ops.mean(squares, axis=-2) * (1 - beta)
        share = ops.expand_dims(row / ops.mean(row, axis=-1, keepdims=True), -1)
        v = share * ops.expand_dims(column, -2)
    else:
        row, column = slots[0], slots[1]
        v = slots[2] * beta + squares * (1 - beta)
    u = g / ops.sqrt(v)
    u = u / ops.maximum(ops.sqrt(ops.mean(u * u)) / clip_threshold, ops.ones_like(t))
    return value - u * rho, (row, column, v)


def newton_schulz(x: Any, steps: int, a: float, b: float, c: float) -> Any:
    """Roughly the orthogonal factor of a matrix, by iterating `X <- a X + (b A + c A²) X` with `A = X Xᵀ`."""
    tall = x.shape[-2] > x.shape[-1]
    if tall:
        x = ops.swapaxes(x, -1, -2)
    x = x / (ops.sqrt(ops.sum(x * x, axis=(-2, -1), keepdims=True)) + 1e-7)
    for _ in range(steps):
        gram = ops.matmul(x, ops.swapaxes(x, -1, -2))
        x = x * a + ops.matmul(gram * b + ops.matmul(gram, gram) * c, x)
    return ops.swapaxes(x, -1, -2) if tall else x


def muon(
    g: Any, value: Any, slots: Tensors, lr: Any, t: Any, *,
    momentum: float, nesterov: bool, ns_steps: int, rms_rate: float | None, muon_a: float, muon_b: float, muon_c: float,
) -> Result:  # fmt: skip
    """The momentum of a matrix, made orthogonal; `rms_rate sqrt(max(rows, columns))` gives it Adam's size."""
    m = slots[0] * momentum + g
    direction = newton_schulz(g + m * momentum if nesterov else m, ns_steps, muon_a, muon_b, muon_c)
    return value - direction * (lr * muon_size(g.shape, rms_rate)), (m,)


def muon_size(shape: Sequence[int], rms_rate: float | None) -> float:
    """The factor that gives Muon's steps the size of Adam's: `rms_rate sqrt(max(rows, columns))`."""
    return 1.0 if rms_rate is None else rms_rate * max(shape[-2], shape[-1]) ** 0.5


def schedule_free_adamw(
    g: Any,
    value: Any,
    slots: Tensors,
    lr: Any,
    t: Any,
    *,
    beta_1: float,
    beta_2: float,
    epsilon: float,
    warmup_steps: int,
) -> Result:
    """`y` (the value) lies between `z`, which takes Adam's steps, and their weighted mean `x`: `y = beta_1 x + (1 - beta_1) z`."""
    z, v = slots
    if warmup_steps:
        lr = lr * ops.minimum(t / warmup_steps, ops.ones_like(t))
    decay = _like(beta_2, t)  # rounded to the dtype, it cancels in v_hat
    v = v * decay + g * g * (1 - decay)
    v_hat = v / (1 - ops.power(decay, t))
    x = value + (value - z) * ((1 - beta_1) / beta_1)
    new_z = z - g * lr / (ops.sqrt(v_hat) + epsilon)
    weight = 1 / t
    x = x * (1 - weight) + new_z * weight
    return x * beta_1 + new_z * (1 - beta_1), (new_z, v)


def _like(number: float, t: Any) -> Any:
    return ops.cast(number, t.dtype)
