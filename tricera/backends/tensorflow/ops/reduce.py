"""Reductions; the dtypes are those of the shape rules."""

from __future__ import annotations

import tensorflow as _tf

_WIDER = {_tf.bool: _tf.int32, _tf.int8: _tf.int32, _tf.int16: _tf.int32, _tf.uint8: _tf.uint32, _tf.uint16: _tf.uint32}


def _wider(x, dtype=None):
    dtype = dtype or _WIDER.get(x.dtype, x.dtype)
    return x if x.dtype == dtype else _tf.cast(x, dtype)


def sum(x, axis=None, keepdims=False):
    return _tf.reduce_sum(_wider(x), axis, keepdims)


def prod(x, axis=None, keepdims=False, dtype=None):
    return _tf.reduce_prod(_wider(x, dtype), axis, keepdims)


def mean(x, axis=None, keepdims=False):
    return _tf.reduce_mean(x, axis, keepdims)


def _nothing(x, axis):
    axes = range(x.shape.rank or 0) if axis is None else (axis,) if isinstance(axis, int) else axis
    return 0 in [x.shape[a] for a in axes]


def _extreme(function, pair):
    def reduced(x, axis=None, keepdims=False, initial=None):
        if x.dtype == _tf.bool:
            return _tf.cast(reduced(_tf.cast(x, _tf.int8), axis, keepdims, initial), _tf.bool)
        if initial is None and _nothing(x, axis):  # TensorFlow gives infinities
            raise ValueError(f"No element along the axes {axis} of {x.shape}.")
        result = function(x, axis, keepdims)
        return result if initial is None else pair(result, _tf.cast(initial, x.dtype))

    return reduced


max, min = _extreme(_tf.reduce_max, _tf.maximum), _extreme(_tf.reduce_min, _tf.minimum)


def any(x, axis=None, keepdims=False):
    return _tf.reduce_any(_tf.cast(x, _tf.bool), axis, keepdims)


def all(x, axis=None, keepdims=False):
    return _tf.reduce_all(_tf.cast(x, _tf.bool), axis, keepdims)


def _first(function):
    def index(x, axis=None, keepdims=False):
        x = _tf.cast(x, _tf.int8) if x.dtype == _tf.bool else x
        flat = _tf.reshape(x, [-1]) if axis is None else x
        along = 0 if axis is None else axis
        result = function(flat, along, output_type=_tf.int32)
        if flat.dtype.is_floating:  # the kernel passes over NaN, where NumPy stops at the first
            missing = _tf.math.is_nan(flat)
            first = _tf.argmax(_tf.cast(missing, _tf.int8), along, output_type=_tf.int32)
            result = _tf.where(_tf.reduce_any(missing, along), first, result)
        if not keepdims:
            return result
        return _tf.reshape(result, [1] * len(x.shape)) if axis is None else _tf.expand_dims(result, axis)

    return index


argmax, argmin = _first(_tf.argmax), _first(_tf.argmin)


def _running(function):
    def running(x, axis=None, dtype=None):
        x = _tf.cast(x, dtype or (_tf.int32 if x.dtype == _tf.bool else x.dtype))
        return function(_tf.reshape(x, [-1]) if axis is None else x, axis or 0)

    return running


def _doubled(x, axis):
    """The running product by products of pairs, of fours and so on: its derivative holds no quotient."""
    size, reach = x.shape[axis], 1
    while reach < size:
        lead = [slice(None)] * axis
        early, late = x[(*lead, slice(0, reach))], x[(*lead, slice(reach, None))]
        x = _tf.concat([early, late * x[(*lead, slice(0, size - reach))]], axis)
        reach *= 2
    return x


def _cumprod(x, axis):
    if x.shape[axis] is None or not (x.dtype.is_floating or x.dtype.is_complex):
        return _tf.math.cumprod(x, axis)

    @_tf.custom_gradient
    def product(x):
        def derivative(upstream):  # the kernel's divides by the factors, and is 0 or NaN where one of them is 0
            with _tf.GradientTape() as tape:
                tape.watch(x)
                out = _doubled(x, axis)
            return tape.gradient(out, x, upstream)

        return _tf.math.cumprod(x, axis), derivative

    return product(x)


cumsum, cumprod = _running(_tf.cumsum), _running(_cumprod)
logsumexp = _tf.reduce_logsumexp
