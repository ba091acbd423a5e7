"""`keras.ops.image`: resizing, cropping and padding, colours, patches, filters, and sampling at coordinates.

Images are tensors (batch, height, width, channels) or (height, width, channels), or with channels first.
"""

from __future__ import annotations

from tricera.ops.image_colors import hsv_to_rgb, rgb_to_grayscale, rgb_to_hsv
from tricera.ops.image_filters import gaussian_blur, sobel_edges, ssim
from tricera.ops.image_sizes import (
    crop_images,
    extract_patches,
    extract_patches_3d,
    pad_images,
    resize,
    scale_and_translate,
)
from tricera.ops.image_warps import affine_transform, elastic_transform, map_coordinates, perspective_transform

__all__ = [
    "affine_transform",
    "crop_images",
    "elastic_transform",
    "extract_patches",
    "extract_patches_3d",
    "gaussian_blur",
    "hsv_to_rgb",
    "map_coordinates",
    "pad_images",
    "perspective_transform",
    "resize",
    "rgb_to_grayscale",
    "rgb_to_hsv",
    "scale_and_translate",
    "sobel_edges",
    "ssim",
]
