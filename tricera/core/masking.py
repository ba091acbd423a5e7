"""What travels with a tensor, such as its mask: an attribute where the tensor can hold one, else an entry of a weak table beside it."""

from __future__ import annotations

import weakref
from typing import Any

from tricera.core import tree


class Companion:
    """Something that may go with a tensor.

    Args:
        attribute: under which name the tensor holds it.
    """

    def __init__(self, attribute: str) -> None:
        self.attribute = attribute
        # id -> (weak reference that clears the entry, value), for tensors without a __dict__ (NumPy arrays, tracers).
        self._beside: dict[int, tuple[weakref.ref[Any], Any]] = {}

    def of(self, x: Any) -> Any:
        """What goes with `x`, or None."""
        value = getattr(x, self.attribute, None)
        if value is None and self._beside:
            entry = self._beside.get(id(x))
            if entry is not None and entry[0]() is x:
                return entry[1]
        return value

    def give(self, x: Any, value: Any) -> None:
        """Let `value` go with `x`."""
        try:
            setattr(x, self.attribute, value)
        except AttributeError:
            key, beside = id(x), self._beside
            beside[key] = (weakref.ref(x, lambda _: beside.pop(key, None)), value)


_masks = Companion("_keras_mask")
get_mask = _masks.of
set_mask = _masks.give


def masks_of(structure: Any) -> dict[int, Any]:
    """The masks of the tensors of a structure, by their place in it flattened."""
    found = ((i, get_mask(x)) for i, x in enumerate(tree.flatten(structure)))
    return {i: mask for i, mask in found if mask is not None}


def give_masks(structure: Any, masks: dict[int, Any]) -> None:
    """Let the tensors of a structure carry what `masks_of` found on those of another one like it."""
    if masks:
        leaves = tree.flatten(structure)
        for i, mask in masks.items():
            set_mask(leaves[i], mask)
