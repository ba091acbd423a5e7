"""Moving elements: torch's own, under NumPy's conventions."""

from __future__ import annotations

import torch as _torch

from tricera.core.windows import pad_widths as _widths


def reshape(x, newshape):
    return _torch.reshape(x, tuple(-1 if d is None else d for d in newshape))


def transpose(x, axes=None):
    return x.permute(tuple(range(x.ndim))[::-1] if axes is None else tuple(axes))


def expand_dims(x, axis):
    if isinstance(axis, int):
        return _torch.unsqueeze(x, axis)
    for a in sorted(a % (x.ndim + len(axis)) for a in axis):
        x = _torch.unsqueeze(x, a)
    return x


def squeeze(x, axis=None):
    if axis is None:
        return _torch.squeeze(x)
    axes = (axis,) if isinstance(axis, int) else tuple(axis)
    if any(x.shape[a] != 1 for a in axes):
        raise RuntimeError(f"an axis among {axes} does not have length 1")
    return _torch.squeeze(x, axes)


def broadcast_to(x, shape):
    return _torch.broadcast_to(x, tuple(shape))


def concatenate(xs, axis=0):
    return _torch.cat([x.reshape(-1) for x in xs] if axis is None else list(xs), dim=axis or 0)


def stack(x, axis=0):
    return _torch.stack(list(x), dim=axis)


def split(x, indices_or_sections, axis=0):
    if isinstance(indices_or_sections, int):
        size = x.shape[axis]
        if indices_or_sections <= 0 or size % indices_or_sections:
            raise RuntimeError("the axis can't be divided into equal parts")
        if not size:
            return [x] * indices_or_sections
        return list(_torch.split(x, size // indices_or_sections, dim=axis))
    points = [int(i) for i in indices_or_sections]
    return list(_torch.tensor_split(x, points, dim=axis))


_MODES = {"constant": "constant", "reflect": "reflect", "symmetric": "symmetric"}


def pad(x, pad_width, mode="constant", constant_values=None):
    widths = _widths(pad_width, x.ndim)
    if mode == "constant":
        flat = [n for pair in reversed(widths) for n in pair]
        return _torch.nn.functional.pad(x, flat, value=constant_values or 0)
    if mode not in _MODES:
        raise ValueError(f"ops.pad: `mode` must be one of {sorted(_MODES)}, not {mode!r}.")
    for axis, (before, after) in enumerate(widths):
        if before or after:
            size = x.shape[axis]
            if (
                mode == "reflect"
                and axis == x.ndim - 1
                and max(before, after) < size
                and x.is_floating_point()
                and x.numel()
            ):
                rows = _torch.nn.functional.pad(x.reshape(1, -1, size), (before, after), mode="reflect")
                x = rows.reshape(*x.shape[:-1], before + size + after)
                continue
            x = _torch.index_select(x, axis, _mirror(x.shape[axis], before, after, mode).to(x.device))
    return x


def _mirror(size, before, after, mode):
    # Positions before 0 and past the end are reflected with period 2 (n - 1), or 2 n where the edge is repeated.
    position = _torch.arange(-before, size + after)
    if mode == "reflect":
        period = max(2 * (size - 1), 1)
        position = position.abs() % period
        return _torch.where(position >= size, period - position, position)
    period = 2 * size
    position = position % period
    return _torch.where(position >= size, period - 1 - position, position)


def tile(x, repeats):
    return _torch.tile(x, (repeats,) if isinstance(repeats, int) else tuple(repeats))


def repeat(x, repeats, axis=None):
    if type(repeats) is not int:
        repeats = _torch.as_tensor(repeats, device=x.device)
        if repeats.numel() == 1:
            repeats = int(repeats)
    return _torch.repeat_interleave(x, repeats, dim=axis)


def flip(x, axis=None):
    return _torch.flip(x, tuple(range(x.ndim)) if axis is None else (axis,) if isinstance(axis, int) else tuple(axis))


def roll(x, shift, axis=None):
    several = isinstance(shift, (tuple, list))
    if axis is None and several:
        shift = sum(shift)
    elif isinstance(axis, (tuple, list)) and not several:
        shift = (shift,) * len(axis)
    return _torch.roll(x, shift, axis)


def tril(x, k=0):
    return _torch.tril(x, k)


def triu(x, k=0):
    return _torch.triu(x, k)


def diagonal(x, offset=0, axis1=0, axis2=1):
    if x.ndim < 2:
        raise ValueError(f"ops.diagonal needs at least 2 axes; got a tensor of shape {tuple(x.shape)}.")
    return _torch.diagonal(x, offset, axis1, axis2)
