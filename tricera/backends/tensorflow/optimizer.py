"""Optimizers: the two commonest rules in fewer nodes than the portable ones, which XLA or grappler fuse; graphs are made sooner."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import tensorflow as tf

scope = contextlib.nullcontext


def fused(name: str, dtypes: Iterable[str]) -> Callable[..., None] | None:
    """The rule of that name over all variables, if it is here: in halves the portable rules compute in float32."""
    rule = {"adam": _adam, "sgd": _sgd}.get(name)
    return None if rule is None or set(dtypes) - {"float32", "float64"} else rule


def _adam(grads: Any, values: Any, slots: Any, hyper: Mapping[str, Any], lr: Any, t: Any) -> None:
    """Adam; see `tricera.optimizers.rules.adam`.

    The rate is computed once, and a third of the nodes do. (TensorFlow's kernel rounds beta_2 before it takes it from 1: 5 parts in
    100,000 that the other frameworks do not have.)
    """
    beta_1, beta_2, epsilon = hyper["beta_1"], hyper["beta_2"], hyper["epsilon"]
    rates: dict[Any, Any] = {}
    for g, value, m, v, *highest in zip(grads, values, *slots, strict=True):
        alpha = rates.get(value.dtype)
        if alpha is None:
            alpha = rates[value.dtype] = _adam_rate(tf.cast(lr, value.dtype), tf.cast(t, value.dtype), beta_1, beta_2)
        mean = m.assign_add((g - m) * (1 - beta_1), read_value=True)
        square = v.assign_add((g * g - v) * (1 - beta_2), read_value=True)
        if highest:
            square = highest[0].assign(tf.maximum(highest[0], square), read_value=True)
        value.assign_sub(mean * alpha / (tf.sqrt(square) + epsilon), read_value=False)


def _adam_rate(lr: Any, t: Any, beta_1: float, beta_2: float) -> Any:
    return lr * tf.sqrt(1 - beta_2**t) / (1 - beta_1**t)


def _sgd(grads: Any, values: Any, slots: Any, hyper: Mapping[str, Any], lr: Any, t: Any) -> None:
    """Stochastic gradient descent; see `tricera.optimizers.rules.sgd`."""
    for i, (g, value) in enumerate(zip(grads, values, strict=True)):
        rate = tf.cast(lr, value.dtype)
        if not slots:
            tf.raw_ops.ResourceApplyGradientDescent(var=value.handle, alpha=rate, delta=g)
            continue
        momentum = tf.convert_to_tensor(hyper["momentum"], value.dtype)
        tf.raw_ops.ResourceApplyKerasMomentum(
            var=value.handle, accum=slots[0][i].handle, lr=rate, grad=g, momentum=momentum, use_nesterov=bool(hyper["nesterov"])
        )  # fmt: skip


def decay(values: Sequence[Any], rate: float, lr: Any) -> None:
    """Weight decay in place: `w <- w - w rate lr`."""
    for value in values:
        value.assign(value - value * (tf.cast(lr, value.dtype) * rate))


def scalars(lr: Any, iterations: Any) -> tuple[Any, Any]:
    """The learning rate and the number of this update."""
    return lr, tf.cast(iterations, "float32") + 1


def dense(gradient: Any) -> Any:
    """The gradient as a plain tensor; that of a look-up comes as `tf.IndexedSlices`."""
    return tf.convert_to_tensor(gradient) if isinstance(gradient, tf.IndexedSlices) else gradient


def known(flag: Any) -> bool | None:
    """The flag as a bool; None in a graph, where it has no value yet."""
    return bool(flag) if hasattr(flag, "numpy") and tf.executing_eagerly() else None


def cond(flag: Any, fn: Callable[[list[Any]], list[Any]], values: list[Any]) -> list[Any]:
    """`fn(values)` where the flag holds, else `values`."""
    old = [tf.identity(v) for v in values]
    return list(tf.cond(flag, lambda: [tf.identity(v) for v in fn(old)], lambda: old))


def branch(flag: Any, run: Callable[[], Any]) -> bool:
    """A branch of the graph that assigns variables where they are, so that none is copied in or out."""

    def taken() -> Any:
        run()
        return tf.constant(True)

    tf.cond(flag, taken, lambda: tf.constant(False))
    return True


def accumulate(totals: Sequence[Any], grads: Sequence[Any]) -> bool:
    """Add in place."""
    for total, g in zip(totals, grads, strict=True):
        total.assign_add(g)
    return True
