"""Finding a room that only one backend has."""

from __future__ import annotations

from typing import Any


def room_of(layer: Any, room: str, backend: str) -> Any:
    """The room of a layer's backend.

    Args:
        layer: the layer.
        room: the room's name.
        backend: which backend has it, for the error.

    Raises:
        ValueError: the layer belongs to another backend.
    """
    try:
        return getattr(layer._backend, room)
    except AttributeError:
        raise ValueError(
            f"A layer of the class {type(layer).__name__} runs on the backend {backend!r} alone; the backend here is "
            f"{layer._backend.name!r}. Build it inside of `with tricera.backend.use({backend!r}):`."
        ) from None


class Bound:
    """A mixin of layers that can't move to another backend."""

    def _move(self, backend: Any) -> None:
        raise ValueError(
            f"The layer {self.name!r} ({type(self).__name__}) holds code of one framework and can't move to the backend "  # type: ignore[attr-defined]
            f"{backend.name!r}."
        )
