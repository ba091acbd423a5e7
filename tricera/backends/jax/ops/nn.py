"""Neural-network functions of JAX; what it has no kernel for, XLA fuses from the portable definitions."""

from __future__ import annotations

import jax as _jax
import jax.numpy as _jnp

relu, softplus, silu = _jax.nn.relu, _jax.nn.softplus, _jax.nn.silu


def softmax(x, axis=-1):
    return _jax.nn.softmax(x, axis)


def log_softmax(x, axis=-1):
    return _jax.nn.log_softmax(x, axis)


def attend(query, key, value, bias, scale):
    if key.shape == value.shape and query.shape[0] == key.shape[0] and (bias is None or bias.ndim == 4):
        return _jax.nn.dot_product_attention(query, key, value, bias, scale=scale)
    kind = query.dtype
    logits = _jnp.einsum("btnh,bsnh->bnts", query, key, preferred_element_type=_jnp.promote_types(kind, "float32"))
    logits = logits * scale if bias is None else logits * scale + bias
    return _jnp.einsum("bnts,bsnh->btnh", softmax(logits).astype(kind), value)


def causal_attend(query, key, value, scale):
    if key.shape == value.shape and query.shape[0] == key.shape[0]:
        return _jax.nn.dot_product_attention(query, key, value, scale=scale, is_causal=True)
    seen = _jnp.tri(query.shape[1], key.shape[1], dtype=bool)
    low = -0.7 * float(_jnp.finfo(query.dtype).max)
    return attend(query, key, value, _jnp.where(seen, 0.0, low).astype(query.dtype)[None, None], scale)
