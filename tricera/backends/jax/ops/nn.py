"""Neural-network functions of JAX; what it has no kernel for, XLA fuses from the portable definitions."""

from __future__ import annotations

import jax as _jax

relu, softplus, silu = _jax.nn.relu, _jax.nn.softplus, _jax.nn.silu


def softmax(x, axis=-1):
    return _jax.nn.softmax(x, axis)


def log_softmax(x, axis=-1):
    return _jax.nn.log_softmax(x, axis)
