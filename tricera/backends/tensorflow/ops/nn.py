"""Fused neural-network kernels of TensorFlow."""

from __future__ import annotations

import tensorflow as _tf

selu, softplus, silu, softsign = _tf.nn.selu, _tf.math.softplus, _tf.nn.silu, _tf.nn.softsign


def leaky_relu(x, negative_slope=0.2):
    return _tf.nn.leaky_relu(x, negative_slope)


def elu(x, alpha=1.0):
    out = _tf.nn.elu(x)
    return out if alpha == 1 else _tf.where(x > 0, x, alpha * out)


SMALL = 1 << 14  # up to so many numbers, two light kernels are faster than the heavy one, and it needs three more


def softmax(x, axis=-1):
    if not isinstance(axis, int):
        return _tf.exp(log_softmax(x, axis))
    size = x.shape.num_elements()
    if size is not None and size <= SMALL and x.dtype in (_tf.float32, _tf.float64):
        return _tf.exp(_tf.nn.log_softmax(x, axis))
    out = _tf.nn.softmax(x, axis)
    total = _tf.reduce_sum(_tf.stop_gradient(out), axis, keepdims=True)
    return out + (total - total)  # the CPU's kernel gives 0 beside NaN


def log_softmax(x, axis=-1):
    if x.dtype in (_tf.float16, _tf.bfloat16):  # the kernel's sums in half precision lose a digit
        return _tf.cast(log_softmax(_tf.cast(x, _tf.float32), axis), x.dtype)
    if isinstance(axis, int):
        return _tf.nn.log_softmax(x, axis)
    return x - _tf.reduce_logsumexp(x, axis, keepdims=True)


# Not `softmax_cross_entropy_with_logits`: its gradient, softmax - target, is right only where targets sum to 1.


def sparse_softmax_loss(target, logits):
    if target.dtype not in (_tf.int32, _tf.int64):
        target = _tf.cast(target, _tf.int32)
    # The kernel refuses classes out of range; they count as 0.
    inside = (target >= 0) & (target < _tf.cast(_tf.shape(logits)[-1], target.dtype))
    loss = _tf.nn.sparse_softmax_cross_entropy_with_logits(_tf.where(inside, target, 0), logits)
    return _tf.where(inside, loss, _tf.zeros_like(loss))


def sigmoid_loss(target, logits):
    return _tf.nn.sigmoid_cross_entropy_with_logits(target, logits)
