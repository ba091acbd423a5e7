"""Images in other sizes: torch's own, where it samples as the ops do."""

from __future__ import annotations

import torch as _torch


def resized(x, at, height, width, interpolation, antialias):
    """The images, or None: of another interpolation, or where the kernel's elements are read as another dtype."""
    if interpolation != "bilinear" or x.dtype not in (_torch.float32, _torch.float64) or not x.numel():
        return None
    last = at == x.ndim - 3
    images = x if x.ndim == 4 else x.unsqueeze(0)
    images = images.permute(0, 3, 1, 2) if last else images
    if antialias and (height < images.shape[2] or width < images.shape[3]):
        return None  # the kernel takes as long as the product with a matrix
    out = _torch.nn.functional.interpolate(images, (height, width), mode="bilinear", align_corners=False)
    out = out.permute(0, 2, 3, 1) if last else out
    return out if x.ndim == 4 else out.squeeze(0)
