"""Convolutions by `lax.conv_general_dilated`."""

from __future__ import annotations

import jax as _jax
import jax.numpy as _jnp

from tricera.backends.jax import blocked as _blocked
from tricera.core import windows as _windows

_SPATIAL = "DHW"


def _layouts(first, n):
    axes = _SPATIAL[3 - n :]
    return f"NC{axes}" if first else f"N{axes}C", f"{axes}IO"


def conv(inputs, kernel, strides=1, padding="valid", data_format=None, dilation_rate=1):
    plan = _windows.conv("conv", inputs.shape, kernel.shape, strides, padding, data_format, dilation_rate)
    if _blocked.suits(inputs, kernel, plan):
        return _blocked.conv(inputs, kernel, plan)
    data, weights = _layouts(plan.first, len(plan.window))
    return _jax.lax.conv_general_dilated(
        inputs,
        kernel,
        plan.strides,
        plan.pads(),
        rhs_dilation=plan.dilation,
        dimension_numbers=(data, weights, data),
        feature_group_count=plan.groups,
    )


def conv_transpose(inputs, kernel, strides=1, padding="valid", output_padding=None, data_format=None, dilation_rate=1):
    plan = _windows.conv_transpose(
        "conv_transpose", inputs.shape, kernel.shape, strides, padding, output_padding, data_format, dilation_rate
    )
    if _blocked.suits_transposed(inputs, kernel, plan):
        return _blocked.conv_transpose(inputs, kernel, plan)
    n = len(plan.window)
    data, weights = _layouts(plan.first, n)
    pads = [(r - 1 - c, r - 1 + t) for r, c, t in zip(plan.reach, plan.crop, plan.tail(), strict=True)]
    return _jax.lax.conv_general_dilated(
        inputs,
        _jnp.swapaxes(_jnp.flip(kernel, tuple(range(n))), -1, -2),
        (1,) * n,
        pads,
        lhs_dilation=plan.strides,
        rhs_dilation=plan.dilation,
        dimension_numbers=(data, weights, data),
    )
