"""Moving elements: NumPy's own."""

from __future__ import annotations

import numpy as _np

from tricera.core.windows import pad_widths as _widths

transpose, expand_dims, broadcast_to, flip = _np.transpose, _np.expand_dims, _np.broadcast_to, _np.flip
concatenate, squeeze, repeat, roll, stack, split = (
    _np.concatenate,
    _np.squeeze,
    _np.repeat,
    _np.roll,
    _np.stack,
    _np.split,
)
tril, triu = _np.tril, _np.triu


def reshape(x, newshape):
    return _np.reshape(x, tuple(-1 if d is None else d for d in newshape))


def tile(x, repeats):
    return _np.tile(x, repeats)


def pad(x, pad_width, mode="constant", constant_values=None):
    options = {"constant_values": constant_values or 0} if mode == "constant" else {}
    return _np.pad(x, _widths(pad_width, x.ndim), mode, **options)
