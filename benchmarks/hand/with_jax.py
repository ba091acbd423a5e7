"""By hand in JAX: one `lax.scan` over the batches of an epoch, with donated state (convolutions: one call a step)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.hand import weights

ADD = jnp.add


def tensor(array: np.ndarray) -> jax.Array:
    return jnp.asarray(array)


def calls(x: Any, y: Any, c: Any, i: Any) -> dict[str, Callable[[], Any]]:
    """The twenty commonest ops as one writes them in JAX."""
    return {
        "add": lambda: jnp.add(x, y),
        "subtract": lambda: jnp.subtract(x, y),
        "multiply": lambda: jnp.multiply(x, y),
        "divide": lambda: jnp.divide(x, y),
        "matmul": lambda: jnp.matmul(x, y),
        "exp": lambda: jnp.exp(x),
        "relu": lambda: jax.nn.relu(x),
        "sigmoid": lambda: jax.nn.sigmoid(x),
        "tanh": lambda: jnp.tanh(x),
        "softmax": lambda: jax.nn.softmax(x, axis=-1),
        "sum": lambda: jnp.sum(x, axis=-1),
        "mean": lambda: jnp.mean(x, axis=-1),
        "max": lambda: jnp.max(x, axis=-1),
        "reshape": lambda: jnp.reshape(x, (2, 8)),
        "transpose": lambda: jnp.transpose(x, (1, 0)),
        "concatenate": lambda: jnp.concatenate([x, y], axis=-1),
        "where": lambda: jnp.where(c, x, y),
        "cast": lambda: x.astype("int32"),
        "expand_dims": lambda: jnp.expand_dims(x, 1),
        "take": lambda: jnp.take(x, i, axis=0),
    }


def call_one(x: np.ndarray) -> Callable[[], Any]:
    w, inputs = [jnp.asarray(a) for a in weights()], jnp.asarray(x)
    return lambda: jax.nn.softmax(_mlp(w, inputs, None))  # eager, and not waited for, as the case is


def _mlp(w: Any, x: Any, key: Any) -> Any:
    return jax.nn.relu(x @ w[0] + w[1]) @ w[2] + w[3]


def _convnet(w: Any, x: Any, key: Any) -> Any:
    def conv(x: Any, k: Any, b: Any) -> Any:
        return jax.nn.relu(
            jax.lax.conv_general_dilated(x, k, (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC")) + b
        )

    h = conv(conv(x, w[0], w[1]), w[2], w[3])
    h = jax.lax.reduce_window(h, -jnp.inf, jax.lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
    h = conv(conv(h, w[4], w[5]), w[6], w[7]).mean((1, 2))
    keep = jax.random.bernoulli(key, 0.5, h.shape)
    return jnp.where(keep, h * 2, 0) @ w[8] + w[9]


def _lstm(w: Any, x: Any, key: Any) -> Any:
    projected = jnp.swapaxes(x @ w[0] + w[2], 0, 1)

    def cell(carry: Any, z: Any) -> Any:
        h, c = carry
        i, f, g, o = jnp.split(z + h @ w[1], 4, -1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        return (jax.nn.sigmoid(o) * jnp.tanh(c), c), None

    start = jnp.zeros((x.shape[0], 128))
    (h, _), _ = jax.lax.scan(cell, (start, start), projected)
    return h @ w[3] + w[4]


def _gru(w: Any, x: Any, key: Any) -> Any:
    projected = jnp.swapaxes(x @ w[0] + w[2], 0, 1)

    def cell(h: Any, z: Any) -> Any:
        inner = h @ w[1] + w[5]
        update, reset = jnp.split(jax.nn.sigmoid(z[:, :256] + inner[:, :256]), 2, -1)
        candidate = jnp.tanh(z[:, 256:] + reset * inner[:, 256:])
        return update * h + (1 - update) * candidate, None

    h, _ = jax.lax.scan(cell, jnp.zeros((x.shape[0], 128)), projected)
    return h @ w[3] + w[4]


def _norm(x: Any, scale: Any, shift: Any) -> Any:
    mean, var = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
    return (x - mean) * jax.lax.rsqrt(var + 1e-5) * scale + shift


def _transformer(w: Any, x: Any, key: Any) -> Any:
    h = w["embed"][x]
    b, t, _ = h.shape
    for k in w["blocks"]:
        q, key_, v = jnp.split(_norm(h, *k["one"]) @ k["qkv"] + k["qkv_b"], 3, -1)
        q, key_, v = (a.reshape(b, t, 4, 32) for a in (q, key_, v))
        a = jax.nn.softmax(jnp.einsum("bqhd,bkhd->bhqk", q, key_) / np.sqrt(32))
        h = h + jnp.einsum("bhqk,bkhd->bqhd", a, v).reshape(b, t, 128) @ k["out"] + k["out_b"]
        h = (
            h
            + jax.nn.gelu(_norm(h, *k["two"]) @ k["wide"] + k["wide_b"], approximate=False) @ k["narrow"]
            + k["narrow_b"]
        )
    return h.mean(1) @ w["head"] + w["head_b"]


def _draw(*shapes: Any) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.normal(size=s).astype("float32") * 0.05 if len(s) > 1 else np.zeros(s, "float32") for s in shapes]


def _block() -> dict[str, Any]:
    qkv, qkv_b, out, out_b, wide, wide_b, narrow, narrow_b = _draw(
        (128, 384), (384,), (128, 128), (128,), (128, 512), (512,), (512, 128), (128,)
    )
    one = (np.ones(128, "float32"), np.zeros(128, "float32"))
    return {"qkv": qkv, "qkv_b": qkv_b, "out": out, "out_b": out_b, "wide": wide, "wide_b": wide_b, "narrow": narrow,
            "narrow_b": narrow_b, "one": one, "two": (one[0].copy(), one[1].copy())}  # fmt: skip


_MODELS: dict[str, tuple[Any, Any]] = {
    "mlp": (_mlp, weights),
    "convnet": (_convnet, lambda: _draw((3, 3, 1, 64), (64,), (3, 3, 64, 64), (64,), (3, 3, 64, 128), (128,),
                                        (3, 3, 128, 128), (128,), (128, 10), (10,))),
    "lstm": (_lstm, lambda: _draw((28, 512), (128, 512), (512,), (128, 10), (10,))),
    "gru": (_gru, lambda: _draw((28, 384), (128, 384), (384,), (128, 10), (10,), (384,))),
    "transformer": (_transformer, lambda: {"embed": _draw((1000, 128))[0], "blocks": [_block(), _block()],
                                           "head": _draw((128, 10))[0], "head_b": np.zeros(10, "float32")}),
}  # fmt: skip


def trainer(name: str, x: np.ndarray, y: np.ndarray, size: int) -> Callable[[np.ndarray], None]:
    forward, initial = _MODELS[name]
    each = jax.tree_util.tree_map

    def loss_fn(w: Any, x: Any, y: Any, key: Any) -> Any:
        logits = forward(w, x, key)
        return -jax.nn.log_softmax(logits)[jnp.arange(size), y].mean(), (logits.argmax(1) == y).mean()

    def step(state: Any, index: Any) -> Any:
        w, m, v, t, key, total, hits = state
        key, now = jax.random.split(key)
        (loss, accuracy), g = jax.value_and_grad(loss_fn, has_aux=True)(w, xs[index], ys[index], now)
        t = t + 1
        m = each(lambda a, b: 0.9 * a + 0.1 * b, m, g)
        v = each(lambda a, b: 0.999 * a + 0.001 * b * b, v, g)
        rate = 1e-3 * jnp.sqrt(1 - 0.999**t) / (1 - 0.9**t)
        w = each(lambda a, b, c: a - rate * b / (jnp.sqrt(c) + 1e-7), w, m, v)
        return (w, m, v, t, key, total + loss, hits + accuracy), None

    w = each(jnp.asarray, initial())
    xs, ys = jnp.asarray(x), jnp.asarray(y)
    state = (
        w,
        each(jnp.zeros_like, w),
        each(jnp.zeros_like, w),
        jnp.zeros(()),
        jax.random.key(0),
        jnp.zeros(()),
        jnp.zeros(()),
    )
    scanned = jax.jit(lambda state, order: jax.lax.scan(step, state, order)[0], donate_argnums=0)
    single = jax.jit(lambda state, index: step(state, index)[0], donate_argnums=0)

    def epoch(order: np.ndarray) -> None:
        nonlocal state
        if name == "convnet":  # XLA's convolution is slow inside a loop on the CPU
            for index in order:
                state = single(state, index)
        else:
            state = scanned(state, order)
        jax.block_until_ready(state)

    return epoch
