"""`StackedRNNCells`: cells on top of each other, as one cell."""

from __future__ import annotations

from typing import Any

from tricera.core.serialization import deserialize_keras_object, serialize_keras_object
from tricera.layers.layer import Layer
from tricera.layers.recurrent.any_cell import build_cell, check_cell, initial_states, output_axes, step_of


class StackedRNNCells(Layer):
    """One step through several cells, each of which gets the output of the one before.

    Args:
        cells: a list of cells, as for `RNN`.
        **kwargs: those of `Layer`.

    Raises:
        ValueError: a cell has no `call` or no `state_size`.

    Example:
        >>> from tricera import layers
        >>> StackedRNNCells([layers.LSTMCell(3), layers.GRUCell(4)]).state_size
        [[3, 3], 4]
    """

    def __init__(self, cells: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not isinstance(cells, (list, tuple)) or not cells:
            raise ValueError(f"`cells` of the layer {self.name!r} must be a list of one or more cells, not {cells!r}.")
        for cell in cells:
            check_cell(cell, self.name)
        self.cells = list(cells)

    @property
    def state_size(self) -> list[Any]:
        """The sizes of the states of each cell."""
        return [cell.state_size for cell in self.cells]

    @property
    def output_size(self) -> Any:
        """The size of the last cell's output."""
        axes = output_axes(self.cells[-1])
        return axes[0] if len(axes) == 1 else axes

    def get_initial_state(self, batch_size: Any = None) -> list[Any]:
        """What each cell gives, else zeros: a list of lists.

        Args:
            batch_size: the number of samples.
        """
        return [initial_states(cell, batch_size, self.compute_dtype) for cell in self.cells]

    def build(self, input_shape: Any) -> None:
        """Build the cells."""
        shape = tuple(input_shape)
        for cell in self.cells:
            build_cell(cell, shape, self.compute_dtype)
            shape = (shape[0], *output_axes(cell))

    def call(self, inputs: Any, states: Any, training: bool | None = False) -> Any:
        """Take one step.

        Args:
            inputs: a tensor (batch, ...).
            states: the states of each cell.
            training: handed to the cells that take it.

        Returns:
            The last cell's output, and the next states of each cell.

        Raises:
            ValueError: there are states of more or fewer cells.
        """
        if len(states) != len(self.cells):
            raise ValueError(
                f"The layer {self.name!r} has {len(self.cells)} cells, but states of {len(states)} were given."
            )
        new = []
        for cell, held in zip(self.cells, states, strict=True):
            listed = isinstance(held, (list, tuple))
            inputs, following = step_of(cell, training)(inputs, list(held) if listed else held)
            new.append(following if not listed or isinstance(following, (list, tuple)) else [following])
        return inputs, new

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {**super().get_config(), "cells": [serialize_keras_object(cell) for cell in self.cells]}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """Make a layer from what `get_config` gave."""
        cells = [deserialize_keras_object(cell, custom_objects=custom_objects) for cell in config["cells"]]
        return cls(**{**config, "cells": cells})
