"""`RNN`: a cell over the steps of sequences; and what the layers share that make their cell themselves."""

from __future__ import annotations

from typing import Any, ClassVar

from tricera import ops
from tricera.core import tree
from tricera.core.serialization import deserialize_keras_object, serialize_keras_object
from tricera.core.variable import Variable
from tricera.layers.input_spec import InputSpec
from tricera.layers.layer import Layer
from tricera.layers.recurrent.any_cell import (
    build_cell,
    check_cell,
    initial_states,
    output_axes,
    state_shape,
    state_sizes,
)
from tricera.layers.recurrent.cell import GatedCell, options_of
from tricera.layers.recurrent.loop import run_cell
from tricera.layers.recurrent.stacked import StackedRNNCells

LOOP_OPTIONS = (
    "return_sequences",
    "return_state",
    "go_backwards",
    "stateful",
    "unroll",
    "zero_output_for_mask",
)


class RNN(Layer):
    """A cell applied to sequences step by step: (output_t, states_t) = cell(x_t, states_{t-1}).

    Args:
        cell: an object with `call(inputs, states) -> (output, states)` and `state_size`, an integer or a list of them; a `Layer` if it
            has weights. `output_size` (default: the first state's size) and `get_initial_state(batch_size)` (default: zeros)
            are used where it has them. A list of cells: each gets what the one before gives.
        return_sequences: give the output of every step, and not the last one only.
        return_state: also give the last states.
        go_backwards: from the last step to the first; outputs come in that order, too.
        stateful: begin each batch with the states after the last batch, sample by sample.
        unroll: write the steps out instead of looping, which needs a known number of them.
        zero_output_for_mask: give zeros at masked steps, and not the output of the step before.
        **kwargs: those of `Layer`.

    Input: (batch, time, ...). Output: (batch, ...), with `return_sequences` (batch, time, ...); with `return_state` a tuple of it and
    the states. At masked steps the states stay as they are.

    Raises:
        ValueError: the cell has no `call` or no `state_size`.

    Example:
        >>> from tricera import layers
        >>> RNN([layers.LSTMCell(3), layers.GRUCell(4)])(ops.ones((2, 5, 6))).shape[-1]
        4
    """

    def __init__(
        self,
        cell: Any,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        zero_output_for_mask: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.cell: Any = StackedRNNCells(cell) if isinstance(cell, (list, tuple)) else cell
        check_cell(self.cell, self.name)
        self.return_sequences, self.return_state, self.go_backwards = return_sequences, return_state, go_backwards
        self.stateful, self.unroll, self.zero_output_for_mask = stateful, unroll, zero_output_for_mask
        self.supports_masking = True
        self.single_state = not isinstance(self.cell.state_size, (list, tuple))
        self.state_size: Any = state_sizes(self.cell)
        self.states: Any = None
        self._unowned = {"states"}  # not weights: neither saved nor set

    # ------------------------------------------------------------------ states

    @property
    def _carried_variables(self) -> list[Variable]:
        return [] if self.states is None else tree.flatten(self.states)

    def build(self, sequences_shape: Any, initial_state_shape: Any = None) -> None:
        """Make the cell's weights, and variables for the states of a stateful layer."""
        batch, _, *features = sequences_shape
        build_cell(self.cell, (batch, *features), self.compute_dtype)
        if not self.stateful:
            return
        if batch is None:
            raise ValueError(
                f"The layer {self.name!r} is stateful, so it must know the batch size; the shape given is {tuple(sequences_shape)}. "
                "Use `Input(batch_shape=(batch, ...))`, or `stateful=False`."
            )
        first = tree.map_structure(ops.convert_to_numpy, self.get_initial_state(batch))
        self.states = tree.map_structure(
            lambda x: Variable(x, trainable=False, dtype=self.variable_dtype, name="rnn_state"), first
        )

    def get_initial_state(self, batch_size: Any) -> list[Any]:
        """The states before the first step, a list: what the cell gives, else zeros.

        Args:
            batch_size: the number of samples.
        """
        return initial_states(self.cell, batch_size, self.compute_dtype)

    def reset_state(self) -> None:
        """Make a stateful layer begin anew: the next batch starts with zeros."""
        for variable in self._carried_variables:
            variable.assign(ops.zeros(variable.shape, dtype=variable.dtype))

    def reset_states(self) -> None:
        """The same as `reset_state`."""
        self.reset_state()

    def _first_states(self, sequences: Any, given: Any) -> list[Any]:
        if given is not None:
            states = list(given) if isinstance(given, (list, tuple)) else [given]
            count, wanted = len(states), len(self.state_size)
            if count != wanted:
                raise ValueError(f"The layer {self.name!r} has {wanted} states, but `initial_state` holds {count}.")
            return states
        batch = sequences.shape[0]
        if self.states is None:
            return self.get_initial_state(ops.shape(sequences)[0] if batch is None else batch)
        expected = tree.flatten(self.states)[0].shape[0]
        if batch is not None and batch != expected:
            raise ValueError(
                f"The layer {self.name!r} is stateful and keeps the states of {expected} samples; {batch} were given."
            )
        # Copies: the variables get new values before the backward pass, for which torch keeps what was computed with.
        return tree.map_structure(lambda v: ops.copy(ops.cast(v, self.compute_dtype)), self.states)

    # ------------------------------------------------------------------ calling

    def inner_loop(self, sequences: Any, initial_state: Any, mask: Any, training: bool | None = False) -> Any:
        """Take all steps in the order given.

        Args:
            sequences: a tensor (batch, time, ...).
            initial_state: a list of the first states.
            mask: a bool tensor (batch, time), or None.
            training: handed to the cell.

        Returns:
            The last output, those of all steps (None unless `return_sequences`), and a list of the last states.
        """
        outputs, states = run_cell(
            self.cell, sequences, list(initial_state), mask, want=self.return_sequences,
            zero=self.zero_output_for_mask, training=training, unroll=self.unroll,
        )  # fmt: skip
        if not self.return_sequences:
            return outputs, None, states
        return tree.map_structure(lambda y: y[:, -1], outputs), outputs, states

    def call(self, sequences: Any, initial_state: Any = None, mask: Any = None, training: bool | None = False) -> Any:
        """Take all steps.

        Args:
            sequences: a tensor (batch, time, ...).
            initial_state: the first states: a list, or the only one.
            mask: a bool tensor (batch, time); False for steps that should be passed over.
            training: handed to the cell.

        Raises:
            ValueError: the number of states, or of samples, is another than expected; the mask isn't one of (batch, time); or the
                steps should be unrolled, and nobody knows how many there are.
        """
        mask = mask[0] if isinstance(mask, (list, tuple)) else mask
        states = self._first_states(sequences, initial_state)
        if self.unroll and sequences.shape[1] is None:
            raise ValueError(
                f"The layer {self.name!r} can't be unrolled: the number of steps of its input, {tuple(sequences.shape)}, is unknown."
            )
        if mask is not None:
            if len(mask.shape) != 2:
                raise ValueError(
                    f"The mask of the layer {self.name!r} must have the axes (batch, time); its shape is {tuple(mask.shape)}."
                )
            mask = ops.cast(mask, "bool")
        if self.go_backwards:
            sequences = ops.flip(sequences, axis=1)
            mask = None if mask is None else ops.flip(mask, axis=1)
        last, outputs, states = self.inner_loop(sequences, states, mask, training=training)
        if self.stateful and self.states is not None:
            for variable, value in zip(self._carried_variables, tree.flatten(states), strict=True):
                variable.assign(ops.cast(value, variable.dtype))
        output = outputs if self.return_sequences else last
        return (output, *states) if self.return_state else output

    # ------------------------------------------------------------------ shapes, masks, config

    def compute_output_shape(self, sequences_shape: Any, initial_state_shape: Any = None) -> Any:
        """(batch, ...) or (batch, time, ...), with `return_state` a tuple of it and the states' shapes."""
        batch, time = sequences_shape[:2]
        output = output_axes(self.cell)
        shape = (batch, time, *output) if self.return_sequences else (batch, *output)
        if not self.return_state:
            return shape
        return (shape, *(state_shape(batch, n) for n in self.state_size))

    def compute_mask(self, _: Any, mask: Any) -> Any:
        """The mask given if all outputs are, else None; None for the states."""
        first = mask[0] if isinstance(mask, (list, tuple)) else mask
        first = first if self.return_sequences else None
        return [first, *(None for _ in self.state_size)] if self.return_state else first

    def _loop_config(self) -> dict[str, Any]:
        return {**super().get_config(), **{name: getattr(self, name) for name in LOOP_OPTIONS}}

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {**self._loop_config(), "cell": serialize_keras_object(self.cell)}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """Make a layer from what `get_config` gave."""
        cell = deserialize_keras_object(config["cell"], custom_objects=custom_objects)
        return cls(**{**config, "cell": cell})


def checked_use_cudnn(name: str, value: Any) -> Any:
    """The option `use_cudnn` of a layer.

    Raises:
        ValueError: it is none of `"auto"`, True and False.
    """
    if not isinstance(value, bool) and value != "auto":
        raise ValueError(f"`use_cudnn` of the layer {name!r} must be 'auto', True or False, not {value!r}.")
    return value


class CellLayer(RNN):
    """A layer that makes its cell from its own options.

    Args:
        given: the constructor's arguments by name.
        kwargs: its further ones: those of `Layer`, `zero_output_for_mask`, and `implementation` where the cell has it.
    """

    cell_class: ClassVar[type[GatedCell]]
    cell_name: ClassVar[str]
    config_options: ClassVar[tuple[str, ...]]
    ndim: ClassVar[int] = 3

    def __init__(self, given: dict[str, Any], kwargs: dict[str, Any]) -> None:
        shared: dict[str, Any] = {"dtype": kwargs.get("dtype"), "trainable": kwargs.get("trainable", True)}
        if self.cell_class.has_implementations and "implementation" in kwargs:
            shared["implementation"] = kwargs.pop("implementation")
        options = {name: given[name] for name in self.cell_class.options}
        cell = self.make_cell(options, name=self.cell_name, **shared)
        loop = {name: given[name] for name in LOOP_OPTIONS if name in given}
        super().__init__(cell, activity_regularizer=given["activity_regularizer"], **loop, **kwargs)
        self.input_spec = InputSpec(ndim=self.ndim)

    def make_cell(self, options: dict[str, Any], **kwargs: Any) -> GatedCell:
        """The cell with these options."""
        return self.cell_class(**options, **kwargs)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        options = self.config_options
        own = options_of(self.cell, [n for n in options if n != "activity_regularizer"])
        return {**self._loop_config(), **own, **options_of(self, ["activity_regularizer"])}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """Make a layer from what `get_config` gave."""
        return cls(**config)
