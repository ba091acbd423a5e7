"""Convolutions: TensorFlow's own, with channels last (its CPU kernels know no other layout); 1-D ones run as 2-D ones."""

from __future__ import annotations

import functools as _functools

import tensorflow as _tf

from tricera.core import windows as _windows


def _last(x, first):
    if not first:
        return x
    rank = len(x.shape)
    return _tf.transpose(x, [0, *range(2, rank), 1])


def _back(x, first):
    if not first:
        return x
    rank = len(x.shape)
    return _tf.transpose(x, [0, rank - 1, *range(1, rank - 1)])


def _dilated(kernel, dilation):
    # A kernel with zeros between its elements: some of TensorFlow's CPU kernels know no dilation.
    for axis, d in enumerate(dilation):
        if d > 1:
            size = kernel.shape[axis]
            spread = _tf.expand_dims(kernel, axis + 1)
            widths = [[0, d - 1 if i == axis + 1 else 0] for i in range(len(spread.shape))]
            shape = [*kernel.shape[:axis], size * d, *kernel.shape[axis + 1 :]]
            spread = _tf.reshape(_tf.pad(spread, widths), shape)
            kernel = _tf.gather(spread, _tf.range(d * (size - 1) + 1), axis=axis)
    return kernel


def _by_groups(function, x, kernel, plan):
    # The grouped kernels have no gradient on CPU.
    if plan.groups == 1 or (len(plan.window) == 2 and _tf.config.list_logical_devices("GPU")):
        return function(x, kernel, plan)
    parts = zip(_tf.split(x, plan.groups, -1), _tf.split(kernel, plan.groups, -1), strict=True)
    return _tf.concat([function(a, b, plan) for a, b in parts], -1)


def _one_window(x, plan):
    """The input cut to what is read, the strides and the padding, where an axis has room for one window alone."""
    # Its stride says nothing, but TensorFlow's kernel for the CPU then computes zeros beside an axis of stride 1.
    if None in plan.sizes or 1 not in plan.out or max(plan.strides) == min(plan.strides):
        return x, plan.strides, "SAME" if plan.padding == "same" else "VALID"
    x = _tf.pad(x, [(0, 0), *plan.pads(), (0, 0)])
    alone = [n == 1 for n in plan.out]
    reach = [d * (k - 1) + 1 for k, d in zip(plan.window, plan.dilation, strict=True)]
    x = x[(slice(None), *(slice(r) if one else slice(None) for r, one in zip(reach, alone, strict=True)))]
    return x, [1 if one else s for s, one in zip(plan.strides, alone, strict=True)], "VALID"


def _conv2d(x, kernel, plan):
    # Causal padding is put in by the caller.
    if max(plan.dilation) == 1:
        x, strides, padding = _one_window(x, plan)
        return _tf.nn.conv2d(x, kernel, list(strides), padding)
    padding = "SAME" if plan.padding == "same" else "VALID"
    # On CPU the dilated kernel has no gradient.
    if max(plan.strides) > 1:
        return _tf.nn.conv2d(x, _dilated(kernel, plan.dilation), list(plan.strides), padding)

    def plain(part, _, how):
        return _tf.nn.conv2d(part, kernel, 1, how)

    return _tf.nn.with_space_to_batch(x, list(plan.dilation), padding, plain, filter_shape=kernel.shape[:2])


def _trim(x, plan):
    """Cut off what no window reaches: TensorFlow's 3-D kernels would shift the windows by half of it."""
    if plan.padding != "same":
        return x
    keep = [slice(None)]
    for i, (k, s, d) in enumerate(zip(plan.window, plan.strides, plan.dilation, strict=True)):
        reach = d * (k - 1) + 1
        size = plan.sizes[i] if plan.sizes[i] is not None else _tf.shape(x)[i + 1]
        keep.append(slice(None, (size - 1) // s * s + reach) if s > reach else slice(None))
    return x[tuple(keep)]


def _conv3d(x, kernel, plan):
    padding = "SAME" if plan.padding == "same" else "VALID"
    x = _trim(x, plan)
    kernel = _dilated(kernel, plan.dilation)
    return _tf.nn.conv3d(x, kernel, [1, *plan.strides, 1], padding)


def _flat(plan):
    """The plan of a 1-D window with an axis of length 1 before it."""
    return plan._replace(
        window=(1, *plan.window), strides=(plan.strides[0], *plan.strides), dilation=(1, *plan.dilation)
    )


def _of_nothing(x, kernel, plan):
    # oneDNN's kernels give an empty batch the shape of the input. The sum keeps the gradient connected.
    return _tf.zeros(plan.shape(0), x.dtype) + 0 * _tf.reduce_sum(kernel)


def _complex_too(function):
    """The function, of complex tensors by way of their parts, in each of which it is linear."""

    @_functools.wraps(function)
    def run(inputs, kernel, *args, **options):
        if not inputs.dtype.is_complex:
            return function(inputs, kernel, *args, **options)
        a, b, c, d = (part(x) for x in (inputs, kernel) for part in (_tf.math.real, _tf.math.imag))
        ac, bd, ad, bc = (function(x, w, *args, **options) for x, w in ((a, c), (b, d), (a, d), (b, c)))
        return _tf.complex(ac - bd, ad + bc)

    return run


@_complex_too
def conv(inputs, kernel, strides=1, padding="valid", data_format=None, dilation_rate=1):
    plan = _windows.conv("conv", inputs.shape, kernel.shape, strides, padding, data_format, dilation_rate)
    if inputs.shape[0] == 0:
        return _of_nothing(inputs, kernel, plan)
    x = _last(inputs, plan.first)
    n = len(plan.window)
    if plan.padding == "causal":
        x = _tf.pad(x, [[0, 0], *plan.pads(), [0, 0]])
    if n == 1:
        out = _tf.squeeze(_by_groups(_conv2d, _tf.expand_dims(x, 1), _tf.expand_dims(kernel, 0), _flat(plan)), 1)
    else:
        out = _by_groups(_conv2d if n == 2 else _conv3d, x, kernel, plan)
    return _back(out, plan.first)


@_complex_too
def depthwise_conv(inputs, kernel, strides=1, padding="valid", data_format=None, dilation_rate=1):
    grouped = _windows.grouped_kernel(inputs.shape, kernel.shape, data_format)
    plan = _windows.conv("depthwise_conv", inputs.shape, grouped, strides, padding, data_format, dilation_rate)
    if inputs.shape[0] == 0:
        return _of_nothing(inputs, kernel, plan)
    n = len(plan.window)
    if n == 3 or (n == 2 and plan.strides[0] != plan.strides[1]):
        return conv(inputs, _tf.reshape(kernel, grouped), strides, padding, data_format, dilation_rate)
    x = _last(inputs, plan.first)
    if plan.padding == "causal":
        x = _tf.pad(x, [[0, 0], *plan.pads(), [0, 0]])
    flat = plan
    if n == 1:
        x, kernel, flat = _tf.expand_dims(x, 1), _tf.expand_dims(kernel, 0), _flat(plan)
    how = "SAME" if plan.padding == "same" else "VALID"
    out = _tf.nn.depthwise_conv2d(x, _dilated(kernel, flat.dilation), [1, *flat.strides, 1], how)
    return _back(_tf.squeeze(out, 1) if n == 1 else out, plan.first)


@_complex_too
def conv_transpose(inputs, kernel, strides=1, padding="valid", output_padding=None, data_format=None, dilation_rate=1):
    plan = _windows.conv_transpose(
        "conv_transpose", inputs.shape, kernel.shape, strides, padding, output_padding, data_format, dilation_rate
    )
    x, kernel = _last(inputs, plan.first), _dilated(kernel, plan.dilation)
    n = len(plan.window)
    reach, steps = plan.reach, plan.strides
    if n == 1:
        x, kernel, reach, steps = _tf.expand_dims(x, 1), _tf.expand_dims(kernel, 0), (1, *reach), (1, *steps)
    sizes = _tf.unstack(_tf.shape(x))
    # All of it: a shorter kernel than the stride leaves no gap after the last one.
    full = [(m - 1) * s + r for m, s, r in zip(sizes[1:-1], steps, reach, strict=True)]
    function = _tf.nn.conv3d_transpose if n == 3 else _tf.nn.conv2d_transpose
    out = function(x, kernel, _tf.stack([sizes[0], *full, kernel.shape[-2]]), [1, *steps, 1], "VALID")
    out = _tf.squeeze(out, 1) if n == 1 else out
    cut = tuple(slice(c, None if t >= 0 else t) for c, t in zip(plan.crop, plan.tail(), strict=True))
    out = _tf.pad(out[(slice(None), *cut)], [[0, 0], *((0, max(t, 0)) for t in plan.tail()), [0, 0]])
    out.set_shape((None, *plan.out(), plan.channels))
    return _back(out, plan.first)
