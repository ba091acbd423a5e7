"""Convolutions: torch's own. Tensors with channels last are permuted views, which torch takes as its channels_last format."""

from __future__ import annotations

import torch as _torch

from tricera.core import windows as _windows

_CONV = (None, _torch.nn.functional.conv1d, _torch.nn.functional.conv2d, _torch.nn.functional.conv3d)
_TRANSPOSED = (
    None,
    _torch.nn.functional.conv_transpose1d,
    _torch.nn.functional.conv_transpose2d,
    _torch.nn.functional.conv_transpose3d,
)
_TO_FIRST = (None, (0, 2, 1), (0, 3, 1, 2), (0, 4, 1, 2, 3))
_TO_LAST = (None, (0, 2, 1), (0, 2, 3, 1), (0, 2, 3, 4, 1))
_MEMORY = (None, _torch.contiguous_format, _torch.channels_last, _torch.channels_last_3d)
_KERNEL = (None, (2, 1, 0), (3, 2, 0, 1), (4, 3, 0, 1, 2))


def conv(inputs, kernel, strides=1, padding="valid", data_format=None, dilation_rate=1):
    return biased_conv(inputs, kernel, None, strides, padding, data_format, dilation_rate)


def biased_conv(inputs, kernel, bias, strides=1, padding="valid", data_format=None, dilation_rate=1):
    plan = _windows.conv("conv", inputs.shape, kernel.shape, strides, padding, data_format, dilation_rate)
    n = len(plan.window)
    x = inputs if plan.first else inputs.permute(_TO_FIRST[n])
    pads = [(int(a), int(b)) for a, b in plan.pads()]  # which a compiler that keeps sizes open must know
    if all(a == b for a, b in pads):
        pad = tuple(a for a, _ in pads)
    else:
        pad = 0
        x = _torch.nn.functional.pad(x, [p for pair in reversed(pads) for p in pair])
    # A kernel in the layout of the images saves oneDNN a reordering, forward and backward.
    weights = kernel.permute(_KERNEL[n])
    if not plan.first:
        weights = weights.contiguous(memory_format=_MEMORY[n])
    out = _CONV[n](x, weights, bias, plan.strides, pad, plan.dilation, plan.groups)
    return out if plan.first else out.permute(_TO_LAST[n])


def conv_transpose(inputs, kernel, strides=1, padding="valid", output_padding=None, data_format=None, dilation_rate=1):
    plan = _windows.conv_transpose(
        "conv_transpose", inputs.shape, kernel.shape, strides, padding, output_padding, data_format, dilation_rate
    )
    n = len(plan.window)
    x = inputs if plan.first else inputs.permute(_TO_FIRST[n])
    weights = kernel.permute(_KERNEL[n])
    # torch cuts `padding` off both ends and adds `output_padding`, which must be below the stride, at the end.
    longer = tuple(c + t for c, t in zip(plan.crop, plan.tail(), strict=True))
    fits = all(0 <= e < max(s, d) for e, s, d in zip(longer, plan.strides, plan.dilation, strict=True))
    if fits and 0 not in plan.out():  # torch refuses to cut all of it off
        out = _TRANSPOSED[n](x, weights, None, plan.strides, plan.crop, longer, 1, plan.dilation)
    else:
        out = _TRANSPOSED[n](x, weights, None, plan.strides, 0, 0, 1, plan.dilation)
        # Negative widths cut.
        widths = [p for c, t in reversed(list(zip(plan.crop, plan.tail(), strict=True))) for p in (-c, t)]
        out = _torch.nn.functional.pad(out, widths)
    return out if plan.first else out.permute(_TO_LAST[n])
