"""Pooling over views of windows."""

from __future__ import annotations

import numpy as _np

from tricera.core import windows as _windows


def _slide(x, plan, pads, fill):
    # (batch, out..., channels, window...)
    if any(p for pair in pads for p in pair):
        x = _np.pad(x, ((0, 0), *pads, (0, 0)), constant_values=fill)
    view = _np.lib.stride_tricks.sliding_window_view(x, plan.window, axis=tuple(range(1, x.ndim - 1)))
    return view[(slice(None), *(slice(None, None, s) for s in plan.strides))]


def _least(dtype):
    if dtype == bool:
        return False
    return _np.iinfo(dtype).min if dtype.kind in "iu" else -_np.inf


def max_pool(inputs, pool_size, strides=None, padding="valid", data_format=None):
    plan = _windows.pool("max_pool", inputs.shape, pool_size, strides, padding, data_format)
    x = _np.moveaxis(inputs, 1, -1) if plan.first else inputs
    view = _slide(x, plan, plan.pads(), _least(x.dtype))
    out = view.max(axis=tuple(range(x.ndim, view.ndim)))
    return _np.moveaxis(out, -1, 1) if plan.first else out


def average_pool(inputs, pool_size, strides=None, padding="valid", data_format=None):
    plan = _windows.pool("average_pool", inputs.shape, pool_size, strides, padding, data_format)
    x = _np.moveaxis(inputs, 1, -1) if plan.first else inputs
    pads = plan.pads()
    view = _slide(x, plan, pads, 0)
    inside = _slide(_np.ones((1, *plan.sizes, 1), "float64"), plan, pads, 0)
    axes = tuple(range(x.ndim, view.ndim))
    out = (view.sum(axis=axes, dtype="float32" if x.dtype.itemsize < 4 else None) / inside.sum(axis=axes)).astype(
        x.dtype
    )
    return _np.moveaxis(out, -1, 1) if plan.first else out
