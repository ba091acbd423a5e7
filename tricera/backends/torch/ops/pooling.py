"""Pooling: torch's own, whose padding is symmetric and at most half the window; else the input is padded first."""

from __future__ import annotations

import torch as _torch

from tricera.backends.torch.ops.convolution import _TO_FIRST, _TO_LAST
from tricera.core import windows as _windows

_F = _torch.nn.functional
_MAX = (None, _F.max_pool1d, _F.max_pool2d, _F.max_pool3d)
_MEAN = (None, _F.avg_pool1d, _F.avg_pool2d, _F.avg_pool3d)


def _symmetric(pads, plan):
    return all(a == b and 2 * a <= k for (a, b), k in zip(pads, plan.window, strict=True))


def _pad(x, pads, value):
    return _F.pad(x, [p for pair in reversed(pads) for p in pair], value=value)


def _narrow(x):
    # The kernels take floats and, of the integers, only the wide ones; float64 holds int32 exactly.
    return x if x.is_floating_point() else x.to(_torch.float64)


def max_pool(inputs, pool_size, strides=None, padding="valid", data_format=None):
    plan = _windows.pool("max_pool", inputs.shape, pool_size, strides, padding, data_format)
    n = len(plan.window)
    x = _narrow(inputs if plan.first else inputs.permute(_TO_FIRST[n]))
    pads = plan.pads()
    if _symmetric(pads, plan):
        out = _MAX[n](x, plan.window, plan.strides, tuple(a for a, _ in pads))
    else:
        out = _MAX[n](_pad(x, pads, -_torch.inf), plan.window, plan.strides)
    return (out if plan.first else out.permute(_TO_LAST[n])).to(inputs.dtype)


def _averaged(inputs):
    # Its kernel for volumes knows no half precision on the CPU.
    half = inputs.dtype in (_torch.float16, _torch.bfloat16)
    return inputs.float() if half and inputs.ndim == 5 and inputs.device.type == "cpu" else inputs


def average_pool(inputs, pool_size, strides=None, padding="valid", data_format=None):
    plan = _windows.pool("average_pool", inputs.shape, pool_size, strides, padding, data_format)
    n = len(plan.window)
    x = _averaged(inputs if plan.first else inputs.permute(_TO_FIRST[n]))
    pads = plan.pads()
    # Its kernel for volumes wants the window to fit the input as it is, whatever comes around it.
    fits = n < 3 or all(size >= k for size, k in zip(plan.sizes, plan.window, strict=True))
    if fits and _symmetric(pads, plan):
        out = _MEAN[n](x, plan.window, plan.strides, tuple(a for a, _ in pads), count_include_pad=False)
    else:
        share = _pad(_torch.ones((1, 1, *plan.sizes), dtype=x.dtype, device=x.device), pads, 0)
        out = _MEAN[n](_pad(x, pads, 0), plan.window, plan.strides) / _MEAN[n](share, plan.window, plan.strides)
    return (out if plan.first else out.permute(_TO_LAST[n])).to(inputs.dtype)


_ADAPTIVE_MAX = (None, _F.adaptive_max_pool1d, _F.adaptive_max_pool2d, _F.adaptive_max_pool3d)
_ADAPTIVE_MEAN = (None, _F.adaptive_avg_pool1d, _F.adaptive_avg_pool2d, _F.adaptive_avg_pool3d)


def _adaptive(functions, name):
    def pool(inputs, output_size, data_format=None):
        n = inputs.ndim - 2
        first = _windows.layout(name, inputs.shape, data_format)[0]
        size = _windows.each(output_size, n, "output_size", name)
        x = inputs if first else inputs.permute(_TO_FIRST[n])
        out = functions[n](x, size)
        return out if first else out.permute(_TO_LAST[n])

    return pool


adaptive_average_pool = _adaptive(_ADAPTIVE_MEAN, "adaptive_average_pool")
adaptive_max_pool = _adaptive(_ADAPTIVE_MAX, "adaptive_max_pool")
