"""Images in other sizes and read at other places: TensorFlow's kernels, where they compute what the ops do.

They are taken only where ops run at once and nothing asks for derivatives: XLA has none of one of them and a slow one of the other,
the second derivative of a resize is missing, and that of a warp is an approximation.
"""

from __future__ import annotations

import numpy as _np
import tensorflow as _tf

from tricera.backends.tensorflow import eager as _eager

_KERNELS = {"bilinear": "triangle", "bicubic": "keyscubic", "lanczos3": "lanczos3", "lanczos5": "lanczos5"}


def resized(x, at, height, width, interpolation, antialias):
    """The images, or None: of another interpolation, dtype or layout."""
    if interpolation == "nearest" or x.dtype != _tf.float32 or at != len(x.shape) - 3 or not _eager.alone():
        return None
    old, new = x.shape[at : at + 2].as_list(), (height, width)
    if 0 in x.shape:
        return None
    images, size = x if at else x[None], _np.array(new, "int32")
    if interpolation == "bilinear" and not (antialias and (height < old[0] or width < old[1])):
        out = _tf.raw_ops.ResizeBilinear(images=images, size=size, half_pixel_centers=True)
    else:
        # Not `ResizeBicubic`, which reads its kernel from a table of 1024 entries.
        scale = (size / _np.array(old)).astype("float32")
        out = _tf.raw_ops.ScaleAndTranslate(
            images=images,
            size=size,
            scale=scale,
            translation=_np.zeros(2, "float32"),
            kernel_type=_KERNELS[interpolation],
            antialias=antialias,
        )
    return out if at else out[0]


def warped(x, transform, order, mode, fill):
    """The images (batch, height, width, channels), or None: where the kernel differs at the border, or in what it does with NaN."""
    # It rounds halves away from zero, and does not interpolate over the seam of "wrap".
    if (
        order == 0
        or mode not in ("constant", "nearest", "reflect")
        or not _eager.alone()
        or not isinstance(fill, (int, float))
    ):
        return None
    if x.dtype != _tf.float32 or transform.dtype != _tf.float32 or 0 in x.shape:
        return None
    if transform.shape[0] not in (1, x.shape[0]):
        return None
    numbers = transform.numpy()
    ends = _np.array([(0, 0), (x.shape[2], 0), (0, x.shape[1]), (x.shape[2], x.shape[1])])
    # Where a place is infinite it gives `fill`, and not always that where it is very far: only 0 comes out the same.
    bounded = (fill == 0 and mode == "constant") or (numbers[:, 6:] @ ends.T).min() > -0.99
    if not (bounded and _np.abs(numbers).max() < 1e4):  # False for NaN, too
        return None
    return _tf.raw_ops.ImageProjectiveTransformV3(
        images=x,
        transforms=transform,
        output_shape=_np.array(x.shape[1:3], "int32"),
        fill_value=_np.float32(fill),
        interpolation="BILINEAR",
        fill_mode=mode.upper(),
    )
