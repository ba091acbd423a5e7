"""What `RNN` and `StackedRNNCells` need of a cell, whoever wrote it: sizes, first states, building, one step."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from tricera import ops
from tricera.core import tree
from tricera.core.graph import public_class
from tricera.core.tensor import KerasTensor, not_recording
from tricera.layers.call_info import info_of
from tricera.layers.layer import Layer


def check_cell(cell: Any, owner: str) -> None:
    """Refuse what is no cell.

    Raises:
        ValueError: it has no `call` or no `state_size`.
    """
    for wanted in ("call", "state_size"):
        if not hasattr(cell, wanted):
            raise ValueError(
                f"A cell of the layer {owner!r} needs `call(inputs, states)` and `state_size`; the one given has no `{wanted}`: {cell!r}."
            )


def state_sizes(cell: Any) -> list[Any]:
    """The size of each state, also where there is only one."""
    size = cell.state_size
    return list(size) if isinstance(size, (list, tuple)) else [size]


def axes_of(size: Any) -> tuple[Any, ...]:
    """A size as the axes after the batch; of several sizes the first."""
    while isinstance(size, list):
        size = size[0]
    return tuple(size) if isinstance(size, tuple) else (size,)


def output_axes(cell: Any) -> tuple[Any, ...]:
    """The axes of a cell's output after the batch: by its `output_size`, else those of its first state."""
    size = getattr(cell, "output_size", None)
    return axes_of(state_sizes(cell)[0] if size is None else size)


def state_shape(batch: Any, size: Any) -> Any:
    """The shape of a state; a list of shapes where the size is one of several states (those of a cell in a stack)."""
    return [state_shape(batch, n) for n in size] if isinstance(size, list) else (batch, *axes_of(size))


def initial_states(cell: Any, batch_size: Any, dtype: str) -> list[Any]:
    """What the cell says, else zeros."""
    own = getattr(cell, "get_initial_state", None)
    if own is None:
        shapes = [state_shape(batch_size, n) for n in state_sizes(cell)]
        return [tree.map_structure_up_to(_lists(s), lambda one: ops.zeros(one, dtype=dtype), s) for s in shapes]
    found = own(batch_size=batch_size)
    return list(found) if isinstance(found, (list, tuple)) else [found]


def _lists(shapes: Any) -> Any:
    """The lists of a structure of shapes, a mark for each shape."""
    return [_lists(s) for s in shapes] if isinstance(shapes, list) else 0


def build_cell(cell: Any, shape: Any, dtype: str) -> None:
    """Build a cell for inputs of a shape (batch, ...), if it is a layer that isn't built yet."""
    if not isinstance(cell, Layer) or cell.built:
        return
    if not cell._has_default_build():
        cell.build(shape)
        return

    def symbolic(shape: Any) -> Any:
        return [symbolic(s) for s in shape] if isinstance(shape, list) else KerasTensor(shape, dtype)

    # A cell whose sublayers have the weights is built by calling it.
    with not_recording():
        cell(KerasTensor(shape, dtype), [symbolic(state_shape(shape[0], n)) for n in state_sizes(cell)])


def step_of(cell: Any, training: bool | None) -> Callable[[Any, Any], tuple[Any, Any]]:
    """One step of a cell, which is told whether it trains if it wants to know."""
    if isinstance(cell, Layer):
        call, takes = cell, info_of(public_class(cell)).training
    else:
        call, takes = cell.call, "training" in inspect.signature(cell.call).parameters
    if not takes:
        return call
    return lambda inputs, states: call(inputs, states, training=training)
