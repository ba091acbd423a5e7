"""Neural-network functions of JAX; what it has no kernel for, XLA fuses from the portable definitions."""

from __future__ import annotations

import jax as _jax
import jax.numpy as _jnp

from tricera.core import config as _config

relu, softplus, silu = _jax.nn.relu, _jax.nn.softplus, _jax.nn.silu


def softmax(x, axis=-1):
    return _jax.nn.softmax(x, axis)


def log_softmax(x, axis=-1):
    return _jax.nn.log_softmax(x, axis)


def _picked(values, target):
    """The element that each class names along the last axis, and whether there is one."""
    inside = (target >= 0) & (target < values.shape[-1])
    index = _jnp.where(inside, target, 0)[..., None]
    return _jnp.take_along_axis(values, index, axis=-1, mode="promise_in_bounds")[..., 0], inside


def sparse_softmax_loss(target, logits):
    picked, inside = _picked(log_softmax(logits), target)
    return _jnp.where(inside, -picked, 0).astype(logits.dtype)


@_jax.jit
def _of_probabilities(target, output, epsilon):
    picked, inside = _picked(output, target)
    share = picked / output.sum(-1)
    if _jnp.finfo(share.dtype).bits < 32:  # which has no number near 1 but 1
        share = share.astype("float32")
    return _jnp.where(inside, -_jnp.log(_jnp.clip(share, epsilon, 1.0 - epsilon)), 0).astype(output.dtype)


def sparse_probability_loss(target, output):
    return _of_probabilities(target, output, _config.epsilon())


def _accelerated():
    return _jax.default_backend() != "cpu"


def _own(query, key, value, bias=None):
    """Whether attention is left to JAX: on the CPU that has no kernel, and a slower backward pass than the plain products."""
    fits = key.shape == value.shape and query.shape[0] == key.shape[0] and (bias is None or bias.ndim == 4)
    return fits and _accelerated()


def attend(query, key, value, bias, scale):
    if _own(query, key, value, bias):
        return _jax.nn.dot_product_attention(query, key, value, bias, scale=scale)
    kind = query.dtype
    wide = "float32" if _jnp.finfo(kind).bits < 32 else None  # float16 can't hold large logits
    logits = _jnp.einsum("btnh,bsnh->bnts", query, key, preferred_element_type=wide) * scale
    logits = logits if bias is None else logits + bias
    return _jnp.einsum("bnts,bsnh->btnh", softmax(logits).astype(kind), value)


def causal_attend(query, key, value, scale):
    if _own(query, key, value):
        return _jax.nn.dot_product_attention(query, key, value, scale=scale, is_causal=True)
    seen = _jnp.tri(query.shape[1], key.shape[1], dtype=bool)
    return attend(query, key, value, _jnp.where(seen, 0.0, -_jnp.inf).astype(query.dtype)[None, None], scale)
