"""Fused neural-network kernels of TensorFlow."""

from __future__ import annotations

import tensorflow as _tf

from tricera.core import config as _config

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


def _in_range(target, classes):
    """The classes as the kernels take them, which refuse those out of range (0 stands for these); and which are in range."""
    if target.dtype not in (_tf.int32, _tf.int64):
        target = _tf.cast(target, _tf.int32)
    inside = _tf.logical_and(_tf.greater_equal(target, 0), _tf.less(target, _tf.cast(classes, target.dtype)))
    return _tf.raw_ops.SelectV2(condition=inside, t=target, e=_tf.constant(0, target.dtype)), inside


def _classes(x):
    return _tf.shape(x)[-1] if x.shape[-1] is None else x.shape[-1]


def sparse_softmax_loss(target, logits):
    target, inside = _in_range(target, _classes(logits))
    loss = _tf.nn.sparse_softmax_cross_entropy_with_logits(target, logits)
    return _tf.raw_ops.SelectV2(condition=inside, t=loss, e=_tf.constant(0, loss.dtype))


def sparse_probability_loss(target, output):
    kind = output.dtype
    target, inside = _in_range(target, _classes(output))
    # The element is picked first: the rest is done for one class, not for all.
    share = _tf.gather(output, target, batch_dims=target.shape.rank, axis=-1) / _tf.reduce_sum(output, -1)
    if kind in (_tf.float16, _tf.bfloat16):  # which have no number near 1 but 1
        share = _tf.cast(share, _tf.float32)
    loss = -_tf.math.log(_tf.clip_by_value(share, _config.epsilon(), 1.0 - _config.epsilon()))
    return _tf.cast(_tf.raw_ops.SelectV2(condition=inside, t=loss, e=_tf.constant(0, loss.dtype)), kind)


def sigmoid_loss(target, logits):
    return _tf.nn.sigmoid_cross_entropy_with_logits(target, logits)
