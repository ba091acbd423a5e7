"""Pooling: TensorFlow's own, with channels last."""

from __future__ import annotations

import math as _math

import tensorflow as _tf

from tricera.backends.tensorflow import eager as _eager
from tricera.backends.tensorflow.ops.convolution import _back, _last, _trim
from tricera.core import windows as _windows

_KERNELS = {
    ("max", 2): _tf.nn.max_pool2d,
    ("max", 3): _tf.nn.max_pool3d,
    ("mean", 2): _tf.nn.avg_pool2d,
    ("mean", 3): _tf.nn.avg_pool3d,
}


def _run(kind, plan, x):
    x = _trim(_last(x, plan.first), plan)
    padding, window, strides = plan.padding.upper(), plan.window, plan.strides
    if len(window) == 3 and x.dtype == _tf.float16:  # for which there is no kernel on the CPU
        out = _KERNELS[kind, 3](_tf.cast(x, _tf.float32), window, strides, padding)
        return _back(_tf.cast(out, _tf.float16), plan.first)
    if len(window) > 1:
        return _back(_KERNELS[kind, len(window)](x, window, strides, padding), plan.first)
    out = _KERNELS[kind, 2](_tf.expand_dims(x, 1), (1, *window), (1, *strides), padding)
    return _back(_tf.squeeze(out, 1), plan.first)


def _missing(plan, x, out):
    """What to add for what the kernel does not see: NaN, and windows in which all is -inf, of which it gives the least number."""
    one, zero = _tf.ones((), x.dtype), _tf.zeros((), x.dtype)
    holds_nan = _run("max", plan, _tf.where(_tf.math.is_nan(x), one, zero)) > 0
    more_than_least = _run("max", plan, _tf.where(x > -_math.inf, one, zero)) > 0
    added = _tf.where(more_than_least, zero, _tf.constant(-_math.inf, x.dtype))
    return _tf.where(holds_nan, _tf.constant(_math.nan, x.dtype), added)


def max_pool(inputs, pool_size, strides=None, padding="valid", data_format=None):
    plan = _windows.pool("max_pool", inputs.shape, pool_size, strides, padding, data_format)
    if inputs.dtype.is_floating:
        out = _run("max", plan, inputs)
        if _eager.finite(inputs):
            return out
        held = _tf.stop_gradient(inputs)
        return out + _tf.cond(
            _tf.math.is_finite(_tf.reduce_sum(held)),
            lambda: _tf.zeros_like(out),
            lambda: _missing(plan, held, _tf.stop_gradient(out)),
        )
    return _tf.cast(_run("max", plan, _tf.cast(inputs, _tf.float64)), inputs.dtype)


def average_pool(inputs, pool_size, strides=None, padding="valid", data_format=None):
    plan = _windows.pool("average_pool", inputs.shape, pool_size, strides, padding, data_format)
    return _run("mean", plan, inputs)
