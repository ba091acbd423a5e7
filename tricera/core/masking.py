"""Masks travel with tensors: an attribute where the tensor can hold one, else a weak table beside it."""

from __future__ import annotations

import weakref
from typing import Any

_ATTRIBUTE = "_keras_mask"
# id -> (weak reference that clears the entry, mask), for tensors without a __dict__ (NumPy arrays, tracers).
_beside: dict[int, tuple[weakref.ref[Any], Any]] = {}


def get_mask(x: Any) -> Any:
    """The mask of a tensor, or None."""
    mask = getattr(x, _ATTRIBUTE, None)
    if mask is None and _beside:
        entry = _beside.get(id(x))
        if entry is not None and entry[0]() is x:
            return entry[1]
    return mask


def set_mask(x: Any, mask: Any) -> None:
    """Give a tensor a mask (bool, of the leading axes of `x`)."""
    try:
        setattr(x, _ATTRIBUTE, mask)
    except AttributeError:
        key = id(x)
        _beside[key] = (weakref.ref(x, lambda _: _beside.pop(key, None)), mask)
