"""`SimpleRNN` and its cell."""

from __future__ import annotations

from typing import Any

from tricera import activations, ops
from tricera.layers.recurrent.cell import DenseCell, cell_option
from tricera.layers.recurrent.rnn import CellLayer
from tricera.ops.recurrent import simple_rnn


class SimpleRNNCell(DenseCell):
    """One step h' = activation(x W + h U + b) (Elman 1990).

    Args:
        units: the size of the state.
        activation: of the new state.
        use_bias: add a bias.
        kernel_initializer: of the kernel, which the inputs are multiplied by.
        recurrent_initializer: of the recurrent kernel, which the state is multiplied by.
        bias_initializer: of the bias.
        kernel_regularizer: of the kernel.
        recurrent_regularizer: of the recurrent kernel.
        bias_regularizer: of the bias.
        kernel_constraint: of the kernel.
        recurrent_constraint: of the recurrent kernel.
        bias_constraint: of the bias.
        dropout: the fraction of the inputs to drop, the same ones at every step (Gal & Ghahramani 2016).
        recurrent_dropout: the fraction of the state to drop, the same ones at every step.
        seed: of dropout.
        **kwargs: those of `Layer`.

    Raises:
        ValueError: `units` isn't a positive integer, or a fraction isn't in [0, 1].

    Example:
        >>> cell = SimpleRNNCell(3)
        >>> output, states = cell(ops.ones((2, 5)), cell.get_initial_state(2))
        >>> output.shape[-1], len(states)
        (3, 1)
    """

    options = (
        "units", "activation", "use_bias", "kernel_initializer", "recurrent_initializer", "bias_initializer",
        "kernel_regularizer", "recurrent_regularizer", "bias_regularizer", "kernel_constraint",
        "recurrent_constraint", "bias_constraint", "dropout", "recurrent_dropout", "seed"
    )  # fmt: skip

    def __init__(
        self, units: int, activation: Any = "tanh", use_bias: bool = True, kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal", bias_initializer: Any = "zeros", kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None, bias_regularizer: Any = None, kernel_constraint: Any = None,
        recurrent_constraint: Any = None, bias_constraint: Any = None, dropout: float = 0.0,
        recurrent_dropout: float = 0.0, seed: int | None = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(locals(), **kwargs)

    def fused(self, sequences: Any, states: list[Any], mask: Any, want: bool, unroll: bool) -> tuple[Any, ...] | None:
        """All steps by one op, if the activation is the usual one."""
        if self.activation is not activations.tanh:
            return None
        return simple_rnn(
            sequences, self.kernel, self.recurrent_kernel, self.bias, states[0], mask, sequences=want, unroll=unroll
        )

    def advance(self, projected: Any, states: list[Any], masks: Any) -> list[Any]:
        """The next state."""
        return [self.activation(ops.add(projected, self.recur(states[0], masks)))]


class SimpleRNN(CellLayer):
    """h' = activation(x W + h U + b) over the steps of sequences (Elman 1990).

    Args:
        units: the size of the state.
        activation: of the new state.
        use_bias: add a bias.
        kernel_initializer: of the kernel, which the inputs are multiplied by.
        recurrent_initializer: of the recurrent kernel, which the state is multiplied by.
        bias_initializer: of the bias.
        kernel_regularizer: of the kernel.
        recurrent_regularizer: of the recurrent kernel.
        bias_regularizer: of the bias.
        activity_regularizer: of the output.
        kernel_constraint: of the kernel.
        recurrent_constraint: of the recurrent kernel.
        bias_constraint: of the bias.
        dropout: the fraction of the inputs to drop, the same ones at every step (Gal & Ghahramani 2016).
        recurrent_dropout: the fraction of the state to drop, the same ones at every step.
        return_sequences: give the output of every step, and not the last one only.
        return_state: also give the last states.
        go_backwards: from the last step to the first; outputs come in that order, too.
        stateful: begin each batch with the states after the last batch, sample by sample.
        unroll: write the steps out instead of looping, which needs a known number of them.
        seed: of dropout.
        **kwargs: those of `Layer`, and `zero_output_for_mask`.

    Input: (batch, time, features). Output: (batch, units), with `return_sequences` (batch, time, units); with `return_state` a
    tuple of it and the state. At masked steps the state stays as it is.

    Example:
        >>> SimpleRNN(3)(ops.ones((2, 5, 4))).shape[-1]
        3
    """

    cell_class = SimpleRNNCell
    cell_name = "simple_rnn_cell"
    config_options = (
        "units", "activation", "use_bias", "kernel_initializer", "recurrent_initializer", "bias_initializer",
        "kernel_regularizer", "recurrent_regularizer", "bias_regularizer", "kernel_constraint",
        "recurrent_constraint", "bias_constraint", "dropout", "recurrent_dropout"
    )  # fmt: skip

    def __init__(
        self, units: int, activation: Any = "tanh", use_bias: bool = True, kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal", bias_initializer: Any = "zeros", kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None, bias_regularizer: Any = None, activity_regularizer: Any = None,
        kernel_constraint: Any = None, recurrent_constraint: Any = None, bias_constraint: Any = None,
        dropout: float = 0.0, recurrent_dropout: float = 0.0, return_sequences: bool = False,
        return_state: bool = False, go_backwards: bool = False, stateful: bool = False, unroll: bool = False,
        seed: int | None = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(locals(), kwargs)

    units = cell_option("units")
    activation = cell_option("activation")
    use_bias = cell_option("use_bias")
    kernel_initializer = cell_option("kernel_initializer")
    recurrent_initializer = cell_option("recurrent_initializer")
    bias_initializer = cell_option("bias_initializer")
    kernel_regularizer = cell_option("kernel_regularizer")
    recurrent_regularizer = cell_option("recurrent_regularizer")
    bias_regularizer = cell_option("bias_regularizer")
    kernel_constraint = cell_option("kernel_constraint")
    recurrent_constraint = cell_option("recurrent_constraint")
    bias_constraint = cell_option("bias_constraint")
    dropout = cell_option("dropout")
    recurrent_dropout = cell_option("recurrent_dropout")
