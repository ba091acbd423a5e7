"""`GRU` and its cell."""

from __future__ import annotations

from typing import Any

from tricera import activations, ops
from tricera.layers.recurrent.cell import DenseCell, cell_option
from tricera.layers.recurrent.rnn import CellLayer, checked_use_cudnn
from tricera.ops.recurrent import gru, gru_step


class GRUCell(DenseCell):
    """One step of a gated recurrent unit (Cho et al. 2014).

    z = r(x W_z + h U_z + b_z), r = r(x W_r + h U_r + b_r), h' = z h + (1 - z) n, where n = a(x W_n + b_n + r (h U_n + b'_n)) with
    `reset_after`, and a(x W_n + b_n + (r h) U_n) without.

    Args:
        units: the size of the state.
        activation: of the new state.
        recurrent_activation: of the gates.
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
        reset_after: reset the state after it is multiplied by the recurrent kernel, or before.
        seed: of dropout.
        **kwargs: those of `Layer`, and `implementation` (1 draws a dropout mask of the inputs for each gate, 2 one for all).

    Raises:
        ValueError: `units` isn't a positive integer, or a fraction isn't in [0, 1].

    Example:
        >>> cell = GRUCell(3)
        >>> output, states = cell(ops.ones((2, 5)), cell.get_initial_state(2))
        >>> output.shape[-1], len(states)
        (3, 1)
    """

    gates = 3
    has_implementations = True
    reset_after: bool
    options = (
        "units", "activation", "recurrent_activation", "use_bias", "kernel_initializer", "recurrent_initializer",
        "bias_initializer", "kernel_regularizer", "recurrent_regularizer", "bias_regularizer", "kernel_constraint",
        "recurrent_constraint", "bias_constraint", "dropout", "recurrent_dropout", "reset_after", "seed"
    )  # fmt: skip

    def __init__(
        self, units: int, activation: Any = "tanh", recurrent_activation: Any = "sigmoid", use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform", recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros", kernel_regularizer: Any = None, recurrent_regularizer: Any = None,
        bias_regularizer: Any = None, kernel_constraint: Any = None, recurrent_constraint: Any = None,
        bias_constraint: Any = None, dropout: float = 0.0, recurrent_dropout: float = 0.0, reset_after: bool = True,
        seed: int | None = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(locals(), **kwargs)

    def make_bias(self, width: int) -> Any:
        """Make the bias: with `reset_after` one for the inputs and one for the state."""
        return self.add_option_weight("bias", (2, width) if self.reset_after else (width,))

    @property
    def input_bias(self) -> Any:
        """The bias that is added to the product of the inputs, or None."""
        return self.bias[0] if self.bias is not None and self.reset_after else self.bias

    def fused(self, sequences: Any, states: list[Any], mask: Any, want: bool, unroll: bool) -> tuple[Any, ...] | None:
        """All steps by one op, if the options are the usual ones."""
        usual = self.activation is activations.tanh and self.recurrent_activation is activations.sigmoid
        if not usual or not self.reset_after:
            return None
        return gru(
            sequences, self.kernel, self.recurrent_kernel, self.bias, states[0], mask, sequences=want, unroll=unroll
        )

    def advance(self, projected: Any, states: list[Any], masks: Any) -> list[Any]:
        """The next state."""
        h = states[0]
        if self.reset_after:
            recurrent = self.recur(h, masks)
            recurrent = recurrent if self.bias is None else ops.add(recurrent, self.bias[1])
            return gru_step(projected, recurrent, h, self.activation, self.recurrent_activation)
        kernels = ops.split(self.recurrent_kernel, 3, axis=-1)
        pz, pr, pn = ops.split(projected, 3, axis=-1)

        def times(h: Any, gate: int) -> Any:
            return self.times_recurrent(h if masks is None else ops.multiply(h, masks[gate]), kernels[gate])

        z = self.recurrent_activation(ops.add(pz, times(h, 0)))
        r = self.recurrent_activation(ops.add(pr, times(h, 1)))
        n = self.activation(ops.add(pn, times(ops.multiply(r, h), 2)))
        return [ops.add(n, ops.multiply(z, ops.subtract(h, n)))]


class GRU(CellLayer):
    """Gated recurrent unit over the steps of sequences (Cho et al. 2014).

    z = r(x W_z + h U_z + b_z), r = r(x W_r + h U_r + b_r), h' = z h + (1 - z) n, where n = a(x W_n + b_n + r (h U_n + b'_n)) with
    `reset_after`, and a(x W_n + b_n + (r h) U_n) without.

    Args:
        units: the size of the state.
        activation: of the new state.
        recurrent_activation: of the gates.
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
        seed: of dropout.
        return_sequences: give the output of every step, and not the last one only.
        return_state: also give the last states.
        go_backwards: from the last step to the first; outputs come in that order, too.
        stateful: begin each batch with the states after the last batch, sample by sample.
        unroll: write the steps out instead of looping, which needs a known number of them.
        reset_after: reset the state after it is multiplied by the recurrent kernel, or before.
        use_cudnn: `"auto"` or True: run all steps in one kernel of the framework where it has one that computes what the options say; False: never.
        **kwargs: those of `Layer`, `zero_output_for_mask`, and `implementation` (1 draws a dropout mask of the inputs for each gate,
            2 one for all).

    Input: (batch, time, features). Output: (batch, units), with `return_sequences` (batch, time, units); with `return_state` a
    tuple of it and the state. At masked steps the state stays as it is.

    Example:
        >>> GRU(3)(ops.ones((2, 5, 4))).shape[-1]
        3
    """

    cell_class = GRUCell
    cell_name = "gru_cell"
    config_options = (
        "units", "activation", "recurrent_activation", "use_bias", "kernel_initializer", "recurrent_initializer",
        "bias_initializer", "kernel_regularizer", "recurrent_regularizer", "bias_regularizer", "kernel_constraint",
        "recurrent_constraint", "bias_constraint", "dropout", "recurrent_dropout", "reset_after", "seed"
    )  # fmt: skip

    def __init__(
        self, units: int, activation: Any = "tanh", recurrent_activation: Any = "sigmoid", use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform", recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros", kernel_regularizer: Any = None, recurrent_regularizer: Any = None,
        bias_regularizer: Any = None, activity_regularizer: Any = None, kernel_constraint: Any = None,
        recurrent_constraint: Any = None, bias_constraint: Any = None, dropout: float = 0.0,
        recurrent_dropout: float = 0.0, seed: int | None = None, return_sequences: bool = False,
        return_state: bool = False, go_backwards: bool = False, stateful: bool = False, unroll: bool = False,
        reset_after: bool = True, use_cudnn: Any = "auto", **kwargs: Any,
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
    kernel_regularizer = cell_option("kernel_regularizer")
    recurrent_regularizer = cell_option("recurrent_regularizer")
    bias_regularizer = cell_option("bias_regularizer")
    kernel_constraint = cell_option("kernel_constraint")
    recurrent_constraint = cell_option("recurrent_constraint")
    bias_constraint = cell_option("bias_constraint")
    dropout = cell_option("dropout")
    recurrent_dropout = cell_option("recurrent_dropout")
    reset_after = cell_option("reset_after")
