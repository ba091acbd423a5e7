"""Moving elements: `jax.numpy`'s own."""

from __future__ import annotations

import jax.numpy as _jnp
import numpy as _np

from tricera.core.windows import pad_widths as _widths

transpose, expand_dims, broadcast_to, flip = _jnp.transpose, _jnp.expand_dims, _jnp.broadcast_to, _jnp.flip
concatenate, squeeze, roll = _jnp.concatenate, _jnp.squeeze, _jnp.roll


def reshape(x, newshape):
    return _jnp.reshape(x, tuple(-1 if d is None else d for d in newshape))


def stack(x, axis=0):
    return _jnp.stack(x, axis)


def split(x, indices_or_sections, axis=0):
    return _jnp.split(x, indices_or_sections, axis)


def repeat(x, repeats, axis=None):
    return _jnp.repeat(x, repeats if isinstance(repeats, int) else _np.asarray(repeats), axis)


def tile(x, repeats):
    return _jnp.tile(x, repeats)


def pad(x, pad_width, mode="constant", constant_values=None):
    options = {"constant_values": constant_values or 0} if mode == "constant" else {}
    return _jnp.pad(x, _widths(pad_width, x.ndim), mode, **options)


def tril(x, k=0):
    return _jnp.tril(x, k)


def triu(x, k=0):
    return _jnp.triu(x, k)
