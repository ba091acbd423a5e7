"""Pooling by `lax.reduce_window`."""

from __future__ import annotations

import jax as _jax
import jax.numpy as _jnp
import numpy as _np

from tricera.core import windows as _windows


def _reduce(x, plan, pads, start, function):
    def full(values, rest):
        return (rest, rest, *values) if plan.first else (rest, *values, rest)

    return _jax.lax.reduce_window(x, start, function, full(plan.window, 1), full(plan.strides, 1), full(pads, (0, 0)))


def max_pool(inputs, pool_size, strides=None, padding="valid", data_format=None):
    plan = _windows.pool("max_pool", inputs.shape, pool_size, strides, padding, data_format)
    if inputs.dtype == bool:
        return _reduce(inputs, plan, plan.pads(), False, _jax.lax.bitwise_or)
    start = -_jnp.inf if _jnp.issubdtype(inputs.dtype, _jnp.floating) else _jnp.iinfo(inputs.dtype).min
    return _reduce(inputs, plan, plan.pads(), _np.asarray(start, inputs.dtype), _jax.lax.max)


def average_pool(inputs, pool_size, strides=None, padding="valid", data_format=None):
    plan = _windows.pool("average_pool", inputs.shape, pool_size, strides, padding, data_format)
    zero = _np.asarray(0, inputs.dtype)
    total = _reduce(inputs, plan, plan.pads(), zero, _jax.lax.add)
    if padding == "valid":
        return total / _np.asarray(_np.prod(plan.window), inputs.dtype)
    shape = (1, 1, *plan.sizes) if plan.first else (1, *plan.sizes, 1)
    return total / _reduce(_jnp.ones(shape, inputs.dtype), plan, plan.pads(), zero, _jax.lax.add)
