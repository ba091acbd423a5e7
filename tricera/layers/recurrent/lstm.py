"""`LSTM` and its cell."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tricera import activations, ops
from tricera.layers.recurrent.cell import DenseCell, cell_option
from tricera.layers.recurrent.rnn import CellLayer, checked_use_cudnn
from tricera.ops.recurrent import lstm, lstm_step


def open_forget_gate(units: int, rest: Callable[..., Any]) -> Callable[..., Any]:
    """An initializer of the gates' biases: ones for the forget gate, what `rest` gives for the others."""

    def initializer(shape: Any, dtype: Any = None) -> Any:
        parts = [rest((units,), dtype=dtype), ops.ones((units,), dtype=dtype), rest((2 * units,), dtype=dtype)]
        return ops.concatenate(parts)

    return initializer


class LSTMCell(DenseCell):
    """One step of long short-term memory (Hochreiter & Schmidhuber 1997).

    (i, f, g, o) = x W + h U + b, c' = r(f) c + r(i) a(g), h' = r(o) a(c'), with r the recurrent activation and a the other.

    Args:
        units: the size of the state.
        activation: of the new state.
        recurrent_activation: of the gates.
        use_bias: add a bias.
        kernel_initializer: of the kernel, which the inputs are multiplied by.
        recurrent_initializer: of the recurrent kernel, which the state is multiplied by.
        bias_initializer: of the bias.
        unit_forget_bias: begin with ones in the bias of the forget gate (Jozefowicz et al. 2015).
        kernel_regularizer: of the kernel.
        recurrent_regularizer: of the recurrent kernel.
        bias_regularizer: of the bias.
        kernel_constraint: of the kernel.
        recurrent_constraint: of the recurrent kernel.
        bias_constraint: of the bias.
        dropout: the fraction of the inputs to drop, the same ones at every step (Gal & Ghahramani 2016).
        recurrent_dropout: the fraction of the state to drop, the same ones at every step.
        seed: of dropout.
        **kwargs: those of `Layer`, and `implementation` (1 draws a dropout mask of the inputs for each gate, 2 one for all).

    Raises:
        ValueError: `units` isn't a positive integer, or a fraction isn't in [0, 1].

    Example:
        >>> cell = LSTMCell(3)
        >>> output, states = cell(ops.ones((2, 5)), cell.get_initial_state(2))
        >>> output.shape[-1], len(states)
        (3, 2)
    """

    gates = 4
    states = 2
    has_implementations = True
    unit_forget_bias: bool
    options = (
        "units", "activation", "recurrent_activation", "use_bias", "kernel_initializer", "recurrent_initializer",
        "bias_initializer", "unit_forget_bias", "kernel_regularizer", "recurrent_regularizer", "bias_regularizer",
        "kernel_constraint", "recurrent_constraint", "bias_constraint", "dropout", "recurrent_dropout", "seed"
    )  # fmt: skip

    def __init__(
        self, units: int, activation: Any = "tanh", recurrent_activation: Any = "sigmoid", use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform", recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros", unit_forget_bias: bool = True, kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None, bias_regularizer: Any = None, kernel_constraint: Any = None,
        recurrent_constraint: Any = None, bias_constraint: Any = None, dropout: float = 0.0,
        recurrent_dropout: float = 0.0, seed: int | None = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(locals(), **kwargs)

    def make_bias(self, width: int) -> Any:
        """Make the bias, ones for the forget gate if so wished."""
        if not self.unit_forget_bias:
            return super().make_bias(width)
        return self.add_option_weight("bias", (width,), open_forget_gate(self.units, self.bias_initializer))

    def fused(self, sequences: Any, states: list[Any], mask: Any, want: bool, unroll: bool) -> tuple[Any, ...] | None:
        """All steps by one op, if the activations are the usual ones."""
        if self.activation is not activations.tanh or self.recurrent_activation is not activations.sigmoid:
            return None
        return lstm(
            sequences, self.kernel, self.recurrent_kernel, self.bias, *states, mask, sequences=want, unroll=unroll
        )

    def advance(self, projected: Any, states: list[Any], masks: Any) -> list[Any]:
        """The next h and c."""
        gates = ops.add(projected, self.recur(states[0], masks))
        return lstm_step(gates, states[1], self.activation, self.recurrent_activation)


class LSTM(CellLayer):
    """Long short-term memory over the steps of sequences (Hochreiter & Schmidhuber 1997).

    (i, f, g, o) = x W + h U + b, c' = r(f) c + r(i) a(g), h' = r(o) a(c'), with r the recurrent activation and a the other.

    Args:
        units: the size of the state.
        activation: of the new state.
        recurrent_activation: of the gates.
        use_bias: add a bias.
        kernel_initializer: of the kernel, which the inputs are multiplied by.
        recurrent_initializer: of the recurrent kernel, which the state is multiplied by.
        bias_initializer: of the bias.
        unit_forget_bias: begin with ones in the bias of the forget gate (Jozefowicz et al. 2015).
        kernel_regularizer: of the kernel.
        recurrent_regularizer: of the recurrent kernel.
        bias_regularizer: of the bias.
        activity_regularizer: of the output.
        kernel_constraint: of the kernel.
        recurrent_constraint: of the recurrent kernel.
        bias_constraint: of the bias.
        dropout: the fraction of the inputs to drop, the same ones at every step (Gal & Ghahramani 2016).
        recurrent_dropout: the fraction of the state to drop, the same ones at every step.
        seed: of dropout.
        return_sequences: give the output of every step, and not the last one only.
        return_state: also give the last states.
        go_backwards: from the last step to the first; outputs come in that order, too.
        stateful: begin each batch with the states after the last batch, sample by sample.
        unroll: write the steps out instead of looping, which needs a known number of them.
        use_cudnn: `"auto"` or True: run all steps in one kernel of the framework where it has one that computes what the options say; False: never.
        **kwargs: those of `Layer`, `zero_output_for_mask`, and `implementation` (1 draws a dropout mask of the inputs for each gate,
            2 one for all).

    Input: (batch, time, features). Output: (batch, units), with `return_sequences` (batch, time, units); with `return_state` a
    tuple of it, h and c. At masked steps the states stay as they are.

    Example:
        >>> LSTM(3)(ops.ones((2, 5, 4))).shape[-1]
        3
    """

    cell_class = LSTMCell
    cell_name = "lstm_cell"
    config_options = (
        "units", "activation", "recurrent_activation", "use_bias", "kernel_initializer", "recurrent_initializer",
        "bias_initializer", "unit_forget_bias", "kernel_regularizer", "recurrent_regularizer", "bias_regularizer",
        "kernel_constraint", "recurrent_constraint", "bias_constraint", "dropout", "recurrent_dropout", "seed"
    )  # fmt: skip

    def __init__(
        self, units: int, activation: Any = "tanh", recurrent_activation: Any = "sigmoid", use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform", recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros", unit_forget_bias: bool = True, kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None, bias_regularizer: Any = None, activity_regularizer: Any = None,
        kernel_constraint: Any = None, recurrent_constraint: Any = None, bias_constraint: Any = None,
        dropout: float = 0.0, recurrent_dropout: float = 0.0, seed: int | None = None, return_sequences: bool = False,
        return_state: bool = False, go_backwards: bool = False, stateful: bool = False, unroll: bool = False,
        use_cudnn: Any = "auto", **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(locals(), kwargs)
        self.use_cudnn = self.cell.use_fused = checked_use_cudnn(self.name, use_cudnn)

    units = cell_option("units")
    activation = cell_option("activation")
    recurrent_activation = cell_option("recurrent_activation")
    use_bias = cell_option("use_bias")
    kernel_initializer = cell_option("kernel_initializer")
    recurrent_initializer = cell_option("recurrent_initializer")
    bias_initializer = cell_option("bias_initializer")
    unit_forget_bias = cell_option("unit_forget_bias")
    kernel_regularizer = cell_option("kernel_regularizer")
    recurrent_regularizer = cell_option("recurrent_regularizer")
    bias_regularizer = cell_option("bias_regularizer")
    kernel_constraint = cell_option("kernel_constraint")
    recurrent_constraint = cell_option("recurrent_constraint")
    bias_constraint = cell_option("bias_constraint")
    dropout = cell_option("dropout")
    recurrent_dropout = cell_option("recurrent_dropout")
