"""A sequence through a cell, whatever the cell is: all steps at once where the cell can, else one after the other."""

from __future__ import annotations

from typing import Any

from tricera import ops
from tricera.core import state, tree
from tricera.core.graph import public_class
from tricera.core.variable import autocast, autocast_dtype
from tricera.layers.layer import Layer
from tricera.layers.recurrent.any_cell import step_of
from tricera.layers.recurrent.cell import GatedCell
from tricera.layers.recurrent.stacked import StackedRNNCells


def runs_whole(cell: Any) -> bool:
    """Whether a cell is one of Tricera's own, with a `call` that no user has replaced."""
    return isinstance(cell, GatedCell) and public_class(cell).call.__module__.startswith("tricera.")


def _beside(keep: Any, x: Any) -> Any:
    """A mask with axes of length 1 for the further axes of `x`."""
    missing = len(x.shape) - len(keep.shape)
    return ops.expand_dims(keep, tuple(range(-missing, 0))) if missing else keep


def _only(keep: Any, x: Any) -> Any:
    return ops.where(_beside(keep, x), x, ops.zeros_like(x))


def settled(held: Any, mask: Any, want: bool, zero: bool) -> Any:
    """The outputs of masked steps: those of the step before, which are zeros at the beginning, or always zeros.

    Args:
        held: the state after each step (batch, time, ...), or after the last one.
        mask: a bool tensor (batch, time).
        want: whether `held` has all steps.
        zero: whether masked steps give zeros.
    """
    if zero:
        return _only(mask if want else mask[:, -1], held)
    if want:
        return _only(ops.greater(ops.cumsum(ops.cast(mask, "int32"), axis=1), 0), held)
    return _only(ops.any(mask, axis=1), held)


def run_cell(
    cell: Any,
    sequences: Any,
    states: list[Any],
    mask: Any,
    want: bool,
    zero: bool,
    training: bool | None,
    unroll: bool,
) -> tuple[Any, list[Any]]:
    """Take all the steps of a sequence.

    Args:
        cell: the cell.
        sequences: a tensor (batch, time, ...).
        states: the first states.
        mask: a bool tensor (batch, time), or None.
        want: whether the outputs of all steps are wanted, or only the last.
        zero: whether masked steps give zeros, or the output of the step before.
        training: handed to the cell.
        unroll: write the steps out instead of looping.

    Returns:
        The outputs (batch, time, ...), or the last one, and the last states.
    """
    if runs_whole(cell):
        held, new = _run_whole(cell, sequences, states, mask, want, training, unroll)
        return held if mask is None else settled(held, mask, want, zero), new
    if isinstance(cell, StackedRNNCells) and public_class(cell).call is StackedRNNCells.call:
        return _run_stack(cell, sequences, states, mask, want, zero, training, unroll)
    return run_steps(cell, sequences, states, mask, want, zero, training, unroll)


def _run_whole(
    cell: GatedCell, sequences: Any, states: list[Any], mask: Any, want: bool, training: bool | None, unroll: bool
) -> tuple[Any, list[Any]]:
    dtype, reading = cell.compute_dtype, cell._dtype_of_reading()
    if ops.dtype(sequences) != dtype:  # that of the cell may be another than that of the layer around it
        sequences, states = ops.cast(sequences, dtype), [ops.cast(s, dtype) for s in states]
    if reading == autocast_dtype.get():
        held, *new = cell.run(sequences, states, mask, want, training, unroll)
    else:
        with autocast(reading):
            held, *new = cell.run(sequences, states, mask, want, training, unroll)
    return held, new


def _run_stack(
    stack: StackedRNNCells,
    sequences: Any,
    states: list[Any],
    mask: Any,
    want: bool,
    zero: bool,
    training: bool | None,
    unroll: bool,
) -> tuple[Any, list[Any]]:
    """Cell by cell, each over all steps: what the cells compute is the same as step by step, and each can run whole."""
    new, last = [], stack.cells[-1]
    for cell, held in zip(stack.cells, states, strict=True):
        top = cell is last
        listed = list(held) if isinstance(held, (list, tuple)) else [held]
        sequences, following = run_cell(
            cell, sequences, listed, mask, want=want or not top, zero=zero and top, training=training, unroll=unroll
        )
        new.append(following)
    return sequences, new


def _nested_cells(cell: Any) -> list[GatedCell]:
    layers = cell._flatten_layers() if isinstance(cell, Layer) else []
    return [c for c in layers if isinstance(c, GatedCell) and (c.dropout or c.recurrent_dropout)]


def _forget(cells: list[GatedCell]) -> None:
    for cell in cells:
        cell.reset_dropout_mask()
        cell.reset_recurrent_dropout_mask()


def run_steps(
    cell: Any,
    sequences: Any,
    states: Any,
    mask: Any,
    want: bool,
    zero: bool,
    training: bool | None,
    unroll: bool,
) -> tuple[Any, Any]:
    """Take the steps one by one, with the cell's own `call`; arguments and results are those of `run_cell`."""
    variables = [v for v in cell.variables if not v.learnable] if isinstance(cell, Layer) else []

    def step(x: Any, states: Any) -> tuple[Any, list[Any]]:
        output, new = one(x, states)
        return output, tree.flatten(new)

    one = step_of(cell, training)
    # What a step assigns (the state of seeds, moving averages) is carried along: a loop that is compiled can't assign.
    pure = state.functionalize(step, variables)
    with autocast(None):
        values = [v.value for v in variables]
    dropping = _nested_cells(cell)
    _forget(dropping)
    xs = tree.map_structure(lambda x: ops.swapaxes(x, 0, 1), sequences)
    first = tree.map_structure(lambda x: x[0], xs)
    blank: Any = ()
    if mask is not None or (dropping and training):
        # A step outside of the loop tells how outputs look, and draws the dropout masks that all steps share.
        (blank, _), drawn = pure(values, first, states)
        values = drawn if dropping and training else values
        blank = () if mask is None else tree.map_structure(ops.zeros_like, blank)

    def body(carry: Any, inputs: Any) -> tuple[Any, Any]:
        held, last, values = carry
        x, keep = inputs if mask is not None else (inputs[0], None)
        (output, new), values = pure(values, x, tree.pack_sequence_as(states, list(held)))
        if keep is None:
            return (tuple(new), last, values), output
        new = [ops.where(_beside(keep, n), n, h) for n, h in zip(new, held, strict=True)]
        shown = tree.map_structure(lambda y: _only(keep, y), output)
        if not zero:
            shown = tree.map_structure(lambda y, b: ops.where(_beside(keep, y), y, b), output, last)
        return (tuple(new), shown, values), shown

    carry = (tuple(tree.flatten(states)), blank, values)
    steps = (xs,) if mask is None else (xs, ops.swapaxes(mask, 0, 1))
    if unroll:
        found = []
        for i in range(tree.flatten(sequences)[0].shape[1]):
            carry, y = body(carry, tree.map_structure(lambda x: x[i], steps))  # noqa: B023 - called at once
            found.append(y)
        outputs = tree.map_structure(lambda *ys: ops.stack(ys, axis=0), *found)
    else:
        carry, outputs = ops.scan(body, carry, steps)
    _forget(dropping)
    for variable, value in zip(variables, carry[2], strict=True):
        variable.assign(value)
    outputs = tree.map_structure((lambda y: ops.swapaxes(y, 0, 1)) if want else (lambda y: y[-1]), outputs)
    return outputs, tree.pack_sequence_as(states, list(carry[0]))
