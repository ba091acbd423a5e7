"""The loops that an expert would write in each framework."""

from __future__ import annotations

import time
from typing import Any

import numpy as np


def op_add(backend: str, array: np.ndarray) -> Any:
    """The framework's own addition, and a tensor for it."""
    if backend == "jax":
        import jax.numpy as jnp

        return jnp.add, jnp.asarray(array)
    if backend == "torch":
        import torch

        return torch.add, torch.from_numpy(array)
    import tensorflow as tf

    return tf.add, tf.constant(array)


def mlp_fit(backend: str, x: np.ndarray, y: np.ndarray) -> float:
    """Seconds a step of the MLP: 784-128-10, Adam, batch 32, shuffled, loss and accuracy kept."""
    return {"jax": _jax, "torch": _torch, "tensorflow": _tensorflow}[backend](x, y)


def _weights() -> Any:
    rng = np.random.default_rng(0)
    return [
        rng.normal(size=(784, 128)).astype("float32") * 0.05,
        np.zeros(128, "float32"),
        rng.normal(size=(128, 10)).astype("float32") * 0.1,
        np.zeros(10, "float32"),
    ]


def _jax(x: np.ndarray, y: np.ndarray) -> float:
    import jax
    import jax.numpy as jnp

    def loss_fn(w: Any, x: Any, y: Any) -> Any:
        logits = jax.nn.relu(x @ w[0] + w[1]) @ w[2] + w[3]
        return -jax.nn.log_softmax(logits)[jnp.arange(32), y].mean(), (logits.argmax(1) == y).mean()

    def step(state: Any, batch: Any) -> Any:
        w, m, v, t = state
        (loss, accuracy), g = jax.value_and_grad(loss_fn, has_aux=True)(w, *batch)
        t = t + 1
        m = [0.9 * a + 0.1 * b for a, b in zip(m, g)]
        v = [0.999 * a + 0.001 * b * b for a, b in zip(v, g)]
        rate = 1e-3 * jnp.sqrt(1 - 0.999**t) / (1 - 0.9**t)
        w = [a - rate * b / (jnp.sqrt(c) + 1e-7) for a, b, c in zip(w, m, v)]
        return (w, m, v, t), (loss, accuracy)

    @jax.jit
    def epoch(state: Any, x: Any, y: Any, order: Any) -> Any:
        return jax.lax.scan(lambda s, i: step(s, (x[i], y[i])), state, order)

    w = [jnp.asarray(a) for a in _weights()]
    state = (w, [jnp.zeros_like(a) for a in w], [jnp.zeros_like(a) for a in w], jnp.zeros(()))
    xs, ys = jnp.asarray(x), jnp.asarray(y)
    order = np.random.permutation(len(x)).reshape(-1, 32)
    state, _ = jax.block_until_ready(epoch(state, xs, ys, order))
    start = time.perf_counter()
    jax.block_until_ready(epoch(state, xs, ys, order))
    return (time.perf_counter() - start) / len(order)


def _torch(x: np.ndarray, y: np.ndarray) -> float:
    import torch

    w = [torch.tensor(a, requires_grad=True) for a in _weights()]
    optimizer = torch.optim.Adam(w, lr=1e-3, foreach=True)
    xs, ys = torch.from_numpy(x), torch.from_numpy(y).long()
    order = torch.randperm(len(x)).reshape(-1, 32)

    def epoch() -> None:
        total, hits = torch.zeros(()), torch.zeros(())
        for index in order:
            xb, yb = xs[index], ys[index]
            logits = torch.relu(xb @ w[0] + w[1]) @ w[2] + w[3]
            loss = torch.nn.functional.cross_entropy(logits, yb)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.detach()
            hits += (logits.argmax(1) == yb).sum()

    epoch()
    start = time.perf_counter()
    epoch()
    return (time.perf_counter() - start) / len(order)


def _tensorflow(x: np.ndarray, y: np.ndarray) -> float:
    import tensorflow as tf

    w = [tf.Variable(a) for a in _weights()]
    m, v = ([tf.Variable(tf.zeros_like(a)) for a in w] for _ in range(2))
    t = tf.Variable(0.0)
    xs, ys = tf.constant(x), tf.constant(y)

    @tf.function(jit_compile=True)
    def step(xb: Any, yb: Any) -> Any:
        with tf.GradientTape() as tape:
            logits = tf.nn.relu(xb @ w[0] + w[1]) @ w[2] + w[3]
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(yb, logits))
        grads = tape.gradient(loss, w)
        t.assign_add(1.0)
        rate = 1e-3 * tf.sqrt(1 - 0.999**t) / (1 - 0.9**t)
        for a, b, c, g in zip(w, m, v, grads):
            b.assign(0.9 * b + 0.1 * g)
            c.assign(0.999 * c + 0.001 * g * g)
            a.assign_sub(rate * b / (tf.sqrt(c) + 1e-7))
        return loss

    @tf.function
    def epoch(order: Any) -> Any:
        total = 0.0
        for i in tf.range(tf.shape(order)[0]):
            total += step(tf.gather(xs, order[i]), tf.gather(ys, order[i]))
        return total

    order = tf.constant(np.random.permutation(len(x)).reshape(-1, 32))
    epoch(order)
    start = time.perf_counter()
    float(epoch(order))
    return (time.perf_counter() - start) / int(order.shape[0])
