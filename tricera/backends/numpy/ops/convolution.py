"""Convolutions as products of patches and the kernel."""

from __future__ import annotations

import math as _math

import numpy as _np

from tricera.core import windows as _windows


def _patches(x, window, strides, dilation):
    # (batch, out..., channels, window...): a view, no copy.
    axes = tuple(range(1, x.ndim - 1))
    reach = tuple(d * (k - 1) + 1 for k, d in zip(window, dilation, strict=True))
    view = _np.lib.stride_tricks.sliding_window_view(x, reach, axis=axes)
    steps = tuple(slice(None, None, s) for s in strides)
    holes = tuple(slice(None, None, d) for d in dilation)
    return view[(slice(None), *steps, slice(None), *holes)]


def _correlate(x, kernel, strides, dilation, groups):
    n = x.ndim - 2
    window = kernel.shape[:n]
    patches = _patches(x, window, strides, dilation)
    lead = patches.shape[: n + 1]
    inner, outer = kernel.shape[-2], kernel.shape[-1] // groups
    patches = patches.reshape(*lead, groups, inner * _math.prod(window))
    weights = _np.moveaxis(kernel, -2, 0).reshape(-1, groups, outer)
    # (lead, groups, in * window) x (groups, in * window, outer)
    flat = _np.moveaxis(patches.reshape(-1, groups, patches.shape[-1]), 1, 0)
    out = _np.matmul(flat, _np.moveaxis(weights, 1, 0)) if inner else _np.zeros((groups, flat.shape[1], outer), x.dtype)
    # NumPy has no product of bfloat16: it gives float32.
    return _np.moveaxis(out, 0, 1).reshape(*lead, groups * outer).astype(x.dtype, copy=False)


def conv(inputs, kernel, strides=1, padding="valid", data_format=None, dilation_rate=1):
    plan = _windows.conv("conv", inputs.shape, kernel.shape, strides, padding, data_format, dilation_rate)
    x = _np.moveaxis(inputs, 1, -1) if plan.first else inputs
    if padding != "valid":
        x = _np.pad(x, ((0, 0), *plan.pads(), (0, 0)))
    out = _correlate(x, kernel, plan.strides, plan.dilation, plan.groups)
    return _np.moveaxis(out, -1, 1) if plan.first else out


def conv_transpose(inputs, kernel, strides=1, padding="valid", output_padding=None, data_format=None, dilation_rate=1):
    plan = _windows.conv_transpose(
        "conv_transpose", inputs.shape, kernel.shape, strides, padding, output_padding, data_format, dilation_rate
    )
    x = _np.moveaxis(inputs, 1, -1) if plan.first else inputs
    n = x.ndim - 2
    spread = _np.zeros(
        (x.shape[0], *((m - 1) * s + 1 for m, s in zip(plan.sizes, plan.strides, strict=True)), x.shape[-1]), x.dtype
    )
    spread[(slice(None), *(slice(None, None, s) for s in plan.strides))] = x
    spread = _np.pad(spread, ((0, 0), *((r - 1, r - 1) for r in plan.reach), (0, 0)))
    flipped = _np.swapaxes(_np.flip(kernel, tuple(range(n))), -1, -2)
    full = _correlate(spread, flipped, (1,) * n, plan.dilation, 1)
    full = full[(slice(None), *(slice(c, None if t >= 0 else t) for c, t in zip(plan.crop, plan.tail(), strict=True)))]
    out = _np.pad(full, ((0, 0), *((0, max(t, 0)) for t in plan.tail()), (0, 0)))
    return _np.moveaxis(out, -1, 1) if plan.first else out
