"""Moving elements: TensorFlow's own, under NumPy's conventions."""

from __future__ import annotations

from itertools import pairwise as _pairwise

import tensorflow as _tf

from tricera.core.windows import pad_widths as _widths


def reshape(x, newshape):
    return _tf.reshape(x, tuple(-1 if d is None else d for d in newshape))


def transpose(x, axes=None):
    if axes is not None:  # the gradient takes no axes counted from the end
        axes = [a + len(axes) if a < 0 else a for a in axes]
    return _tf.transpose(x, axes)


def expand_dims(x, axis):
    if isinstance(axis, int):
        return _tf.expand_dims(x, axis)
    for a in sorted(a % (len(x.shape) + len(axis)) for a in axis):
        x = _tf.expand_dims(x, a)
    return x


def squeeze(x, axis=None):
    return _tf.squeeze(x, axis=None if axis is None else axis if isinstance(axis, int) else list(axis))


def broadcast_to(x, shape):
    return _tf.broadcast_to(x, shape)


def concatenate(xs, axis=0):
    return _tf.concat([_tf.reshape(x, [-1]) for x in xs] if axis is None else list(xs), axis or 0)


def stack(x, axis=0):
    if not len(x):
        raise ValueError("There is nothing to be stacked.")
    return _tf.stack(list(x), axis)


def split(x, indices_or_sections, axis=0):
    if isinstance(indices_or_sections, int):
        return _tf.split(x, indices_or_sections, axis)
    size = x.shape[axis] if x.shape[axis] is not None else _tf.shape(x)[axis]
    points = [0, *(int(i) for i in indices_or_sections)]
    sizes = [max(b - a, 0) for a, b in _pairwise(points)]
    return _tf.split(x, [*sizes, size - sum(sizes)], axis)


def pad(x, pad_width, mode="constant", constant_values=None):
    widths = _widths(pad_width, len(x.shape))
    if mode == "constant":
        return _tf.pad(x, widths, constant_values=constant_values or 0)
    # The kernel mirrors once, and nothing of no size.
    edge = int(mode == "reflect")
    once = all(not any(w) or (n is not None and max(w) <= n - edge) for n, w in zip(x.shape, widths, strict=True))
    if once and 0 not in x.shape:
        return _tf.pad(x, widths, mode.upper())
    for axis, (before, after) in enumerate(widths):
        if before or after:
            size = _tf.shape(x)[axis]
            period = _tf.maximum(2 * (size - edge), 1)
            position = _tf.range(-before, size + after) % period
            x = _tf.gather(x, _tf.where(position >= size, period - 1 + edge - position, position), axis=axis)
    return x


def tile(x, repeats):
    counts, rank = tuple(repeats), len(x.shape)
    if len(counts) > rank:
        x = _tf.reshape(x, _tf.concat([[1] * (len(counts) - rank), _tf.shape(x)], 0))
    return _tf.tile(x, (1,) * (len(x.shape) - len(counts)) + counts)


def repeat(x, repeats, axis=None):
    return _tf.repeat(x, int(repeats) if isinstance(repeats, bool) else repeats, axis)


def flip(x, axis=None):
    axes = list(range(len(x.shape))) if axis is None else [axis] if isinstance(axis, int) else list(axis)
    return _tf.reverse(x, axes)


def roll(x, shift, axis=None):
    several = isinstance(shift, (tuple, list))
    if axis is None:
        return _tf.reshape(_tf.roll(_tf.reshape(x, [-1]), sum(shift) if several else shift, 0), _tf.shape(x))
    if isinstance(axis, (tuple, list)) and not several:
        shift = (shift,) * len(axis)
    return _tf.roll(x, shift, axis)


def tril(x, k=0):
    return _band(x, k, lower=True)


def triu(x, k=0):
    return _band(x, k, lower=False)


def _band(x, k, lower):
    rows, columns = _tf.range(_tf.shape(x)[-2])[:, None], _tf.range(_tf.shape(x)[-1])[None, :]
    keep = columns - rows <= k if lower else columns - rows >= k
    return _tf.where(keep, x, _tf.zeros_like(x))
