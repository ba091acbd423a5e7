"""By hand in TensorFlow: an XLA-compiled step in a loop inside the graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from benchmarks.hand import weights

ADD = tf.add


def tensor(array: np.ndarray) -> Any:
    return tf.constant(array)


def calls(x: Any, y: Any, c: Any, i: Any) -> dict[str, Callable[[], Any]]:
    """The twenty commonest ops as one writes them in TensorFlow."""
    return {
        "add": lambda: tf.add(x, y),
        "subtract": lambda: tf.subtract(x, y),
        "multiply": lambda: tf.multiply(x, y),
        "divide": lambda: tf.divide(x, y),
        "matmul": lambda: tf.matmul(x, y),
        "exp": lambda: tf.exp(x),
        "relu": lambda: tf.nn.relu(x),
        "sigmoid": lambda: tf.sigmoid(x),
        "tanh": lambda: tf.tanh(x),
        "softmax": lambda: tf.nn.softmax(x, axis=-1),
        "sum": lambda: tf.reduce_sum(x, axis=-1),
        "mean": lambda: tf.reduce_mean(x, axis=-1),
        "max": lambda: tf.reduce_max(x, axis=-1),
        "reshape": lambda: tf.reshape(x, (2, 8)),
        "transpose": lambda: tf.transpose(x, (1, 0)),
        "concatenate": lambda: tf.concat([x, y], axis=-1),
        "where": lambda: tf.where(c, x, y),
        "cast": lambda: tf.cast(x, tf.int32),
        "expand_dims": lambda: tf.expand_dims(x, 1),
        "take": lambda: tf.gather(x, i, axis=0),
    }


def call_one(x: np.ndarray) -> Callable[[], Any]:
    w, inputs = [tf.Variable(a) for a in weights()], tf.constant(x)

    def run() -> Any:
        return tf.nn.softmax(tf.nn.relu(inputs @ w[0] + w[1]) @ w[2] + w[3])

    return run


def trainer(name: str, x: np.ndarray, y: np.ndarray, size: int) -> Callable[[np.ndarray], None]:
    assert name == "mlp"
    w = [tf.Variable(a) for a in weights()]
    m, v = ([tf.Variable(tf.zeros_like(a)) for a in w] for _ in range(2))
    t, total, hits = tf.Variable(0.0), tf.Variable(0.0), tf.Variable(0.0)
    xs, ys = tf.constant(x), tf.constant(y)

    @tf.function(jit_compile=True)
    def step(xb: Any, yb: Any) -> None:
        with tf.GradientTape() as tape:
            logits = tf.nn.relu(xb @ w[0] + w[1]) @ w[2] + w[3]
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(yb, logits))
        grads = tape.gradient(loss, w)
        t.assign_add(1.0)
        rate = 1e-3 * tf.sqrt(1 - 0.999**t) / (1 - 0.9**t)
        for a, b, c, g in zip(w, m, v, grads, strict=True):
            b.assign(0.9 * b + 0.1 * g)
            c.assign(0.999 * c + 0.001 * g * g)
            a.assign_sub(rate * b / (tf.sqrt(c) + 1e-7))
        total.assign_add(loss)
        hits.assign_add(tf.reduce_mean(tf.cast(tf.argmax(logits, 1, tf.int32) == yb, tf.float32)))

    @tf.function
    def run(order: Any) -> None:
        for i in tf.range(tf.shape(order)[0]):
            step(tf.gather(xs, order[i]), tf.gather(ys, order[i]))

    return lambda order: run(tf.constant(order))
