"""`ConvLSTM1D`, `ConvLSTM2D`, `ConvLSTM3D`: long short-term memory whose products are convolutions."""

from __future__ import annotations

from typing import Any, ClassVar

from tricera import ops
from tricera.core import config
from tricera.core.checks import positive
from tricera.core.tensor import KerasTensor, not_recording
from tricera.layers.convolution.base import per_axis
from tricera.layers.recurrent.cell import GatedCell, cell_option
from tricera.layers.recurrent.lstm import open_forget_gate
from tricera.layers.recurrent.rnn import CellLayer
from tricera.ops.recurrent import lstm_step

_OPTIONS = (
    "filters", "kernel_size", "strides", "padding", "data_format", "dilation_rate", "activation",
    "recurrent_activation", "use_bias", "kernel_initializer", "recurrent_initializer", "bias_initializer",
    "unit_forget_bias", "kernel_regularizer", "recurrent_regularizer", "bias_regularizer", "kernel_constraint",
    "recurrent_constraint", "bias_constraint", "dropout", "recurrent_dropout", "seed"
)  # fmt: skip


class ConvLSTMCell(GatedCell):
    """One step of an LSTM on images (Shi et al. 2015): `LSTMCell` with convolutions for products.

    Args:
        rank: the number of spatial axes.
        options: see `ConvLSTM2D`.
        **kwargs: those of `Layer`.

    Raises:
        ValueError: an option is out of range, or two contradict each other.
    """

    gates = 4
    states = 2
    options = _OPTIONS
    filters: int
    strides: tuple[int, ...]
    padding: str
    data_format: str
    dilation_rate: tuple[int, ...]
    kernel_size: tuple[int, ...]
    unit_forget_bias: bool

    def __init__(self, rank: int, options: dict[str, Any], **kwargs: Any) -> None:
        sizes = {n: per_axis(options[n], rank, n) for n in ("kernel_size", "strides", "dilation_rate")}
        padding = options["padding"]
        checked = {
            "filters": positive("filters", options["filters"]),
            "padding": padding.lower() if isinstance(padding, str) else padding,
            "data_format": config.standardize_data_format(options["data_format"]),
        }
        super().__init__({**options, **sizes, **checked}, **kwargs)
        self.rank = rank
        if self.padding not in ("valid", "same"):
            raise ValueError(f"`padding` of the cell {self.name!r} must be 'valid' or 'same', not {padding!r}.")
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ValueError(
                f"The cell {self.name!r} can't have strides {self.strides} and dilation {self.dilation_rate}, both above 1."
            )
        self.gate_axis = -1 if self.data_format == "channels_last" else -rank - 1
        # The places of a state are known when the cell is built.
        self.state_size: Any = [(None,) * (rank + 1)] * 2

    def output_axes(self, shape: Any) -> tuple[int | None, ...]:
        """The axes of the state after the batch, for inputs of a shape (batch, ...)."""
        channels = shape[self.gate_axis]
        kernel = KerasTensor((*self.kernel_size, channels, self.filters))
        with not_recording():
            return tuple(self._convolved(KerasTensor(shape), kernel).shape[1:])

    def build(self, input_shape: Any) -> None:
        """Make kernels and bias."""
        if None in input_shape[1:]:
            raise ValueError(
                f"The cell {self.name!r} needs to know its inputs' spatial axes and channels; the shape given is {tuple(input_shape)}."
            )
        channels, width = input_shape[self.gate_axis], self.gates * self.filters
        self.state_size = [self.output_axes(input_shape)] * 2
        self.kernel = self.add_option_weight("kernel", (*self.kernel_size, channels, width))
        self.recurrent_kernel = self.add_option_weight("recurrent_kernel", (*self.kernel_size, self.filters, width))
        rest = self.bias_initializer
        initializer = open_forget_gate(self.filters, rest) if self.unit_forget_bias else rest
        self.bias = self.add_option_weight("bias", (width,), initializer) if self.use_bias else None

    def get_initial_state(self, batch_size: Any = None) -> list[Any]:
        """Zeros, a list of two tensors (batch, ...), once the cell is built.

        Args:
            batch_size: the number of samples.
        """
        return [ops.zeros((batch_size, *axes), dtype=self.compute_dtype) for axes in self.state_size]

    def _convolved(self, x: Any, kernel: Any) -> Any:
        return ops.conv(
            x,
            kernel,
            strides=self.strides,
            padding=self.padding,
            data_format=self.data_format,
            dilation_rate=self.dilation_rate,
        )

    def times_kernel(self, x: Any, kernel: Any) -> Any:
        """The convolution of inputs, of one step or (time first) of all, with (a part of) the kernel."""
        if len(x.shape) == self.rank + 2:
            return self._convolved(x, kernel)
        shape = ops.shape(x)
        y = self._convolved(ops.reshape(x, (-1, *shape[2:])), kernel)
        return ops.reshape(y, (*shape[:2], *ops.shape(y)[1:]))

    def times_recurrent(self, h: Any, kernel: Any) -> Any:
        """The convolution of a state with (a part of) the recurrent kernel."""
        return ops.conv(h, kernel, strides=1, padding="same", data_format=self.data_format)

    @property
    def input_bias(self) -> Any:
        """The bias, shaped for the axis of the channels."""
        if self.bias is None or self.gate_axis == -1:
            return self.bias
        return ops.reshape(self.bias, (-1, *(1,) * self.rank))

    def advance(self, projected: Any, states: list[Any], masks: Any) -> list[Any]:
        """The next h and c."""
        gates = ops.add(projected, self.recur(states[0], masks))
        return lstm_step(gates, states[1], self.activation, self.recurrent_activation, axis=self.gate_axis)


class ConvLSTM(CellLayer):
    """What the three layers share: their options as properties, shapes of images."""

    cell_class = ConvLSTMCell
    cell_name = "conv_lstm_cell"
    config_options = _OPTIONS
    rank: ClassVar[int]

    def make_cell(self, options: dict[str, Any], **kwargs: Any) -> GatedCell:
        """The cell with these options."""
        return ConvLSTMCell(self.rank, options, **kwargs)

    def build(self, sequences_shape: Any, initial_state_shape: Any = None) -> None:
        """Make the cell's weights, and variables for the states of a stateful layer."""
        super().build(sequences_shape)
        self.state_size = list(self.cell.state_size)

    def compute_output_shape(self, sequences_shape: Any, initial_state_shape: Any = None) -> Any:
        """The shape of the output, with `return_state` a tuple of it and the states' shapes."""
        batch, time, *image = sequences_shape
        axes = self.cell.output_axes((batch, *image))
        shape = (batch, time, *axes) if self.return_sequences else (batch, *axes)
        return (shape, (batch, *axes), (batch, *axes)) if self.return_state else shape

    filters = cell_option("filters")
    kernel_size = cell_option("kernel_size")
    strides = cell_option("strides")
    padding = cell_option("padding")
    data_format = cell_option("data_format")
    dilation_rate = cell_option("dilation_rate")
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


class ConvLSTM1D(ConvLSTM):
    """Long short-term memory over sequences of rows (Shi et al. 2015): `LSTM` with 1-D convolutions for its products.

    Args:
        filters: the number of channels of the state.
        kernel_size: the lengths of the window, an integer or one for each spatial axis.
        strides: the steps of the window over the inputs; that over the state takes every place.
        padding: `"valid"` or `"same"`, of the inputs; the state is always padded.
        data_format: `"channels_last"` or `"channels_first"`; default: the configured one.
        dilation_rate: the spacing of the window's elements over the inputs.
        activation: of the new state.
        recurrent_activation: of the gates.
        use_bias: add a bias.
        kernel_initializer: of the kernel, with which the inputs are convolved.
        recurrent_initializer: of the recurrent kernel, with which the state is convolved.
        bias_initializer: of the bias.
        unit_forget_bias: begin with ones in the bias of the forget gate (Jozefowicz et al. 2015).
        kernel_regularizer: of the kernel.
        recurrent_regularizer: of the recurrent kernel.
        bias_regularizer: of the bias.
        activity_regularizer: of the output.
        kernel_constraint: of the kernel.
        recurrent_constraint: of the recurrent kernel.
        bias_constraint: of the bias.
        dropout: the fraction of the inputs to drop, the same ones at every step.
        recurrent_dropout: the fraction of the state to drop, the same ones at every step.
        seed: of dropout.
        return_sequences: give the output of every step, and not the last one only.
        return_state: also give the last states.
        go_backwards: from the last step to the first; outputs come in that order, too.
        stateful: begin each batch with the states after the last batch, sample by sample.
        **kwargs: those of `Layer`, `unroll` and `zero_output_for_mask`.

    Input: (batch, time, length, channels), or (batch, time, channels, length). Output: without the time axis, unless
    `return_sequences`; with `return_state` a tuple of it, h and c.

    Raises:
        ValueError: an option is out of range, or two contradict each other.

    Example:
        >>> ConvLSTM1D(4, 2)(ops.ones((1, 2, 5, 3))).shape[-1]
        4
    """

    rank = 1
    ndim = 4

    def __init__(
        self, filters: int, kernel_size: Any, strides: Any = 1, padding: str = "valid", data_format: str | None = None,
        dilation_rate: Any = 1, activation: Any = "tanh", recurrent_activation: Any = "sigmoid", use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform", recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros", unit_forget_bias: bool = True, kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None, bias_regularizer: Any = None, activity_regularizer: Any = None,
        kernel_constraint: Any = None, recurrent_constraint: Any = None, bias_constraint: Any = None,
        dropout: float = 0.0, recurrent_dropout: float = 0.0, seed: int | None = None, return_sequences: bool = False,
        return_state: bool = False, go_backwards: bool = False, stateful: bool = False, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(locals(), kwargs)


class ConvLSTM2D(ConvLSTM):
    """Long short-term memory over sequences of images (Shi et al. 2015): `LSTM` with 2-D convolutions for its products.

    Args:
        filters: the number of channels of the state.
        kernel_size: the lengths of the window, an integer or one for each spatial axis.
        strides: the steps of the window over the inputs; that over the state takes every place.
        padding: `"valid"` or `"same"`, of the inputs; the state is always padded.
        data_format: `"channels_last"` or `"channels_first"`; default: the configured one.
        dilation_rate: the spacing of the window's elements over the inputs.
        activation: of the new state.
        recurrent_activation: of the gates.
        use_bias: add a bias.
        kernel_initializer: of the kernel, with which the inputs are convolved.
        recurrent_initializer: of the recurrent kernel, with which the state is convolved.
        bias_initializer: of the bias.
        unit_forget_bias: begin with ones in the bias of the forget gate (Jozefowicz et al. 2015).
        kernel_regularizer: of the kernel.
        recurrent_regularizer: of the recurrent kernel.
        bias_regularizer: of the bias.
        activity_regularizer: of the output.
        kernel_constraint: of the kernel.
        recurrent_constraint: of the recurrent kernel.
        bias_constraint: of the bias.
        dropout: the fraction of the inputs to drop, the same ones at every step.
        recurrent_dropout: the fraction of the state to drop, the same ones at every step.
        seed: of dropout.
        return_sequences: give the output of every step, and not the last one only.
        return_state: also give the last states.
        go_backwards: from the last step to the first; outputs come in that order, too.
        stateful: begin each batch with the states after the last batch, sample by sample.
        **kwargs: those of `Layer`, `unroll` and `zero_output_for_mask`.

    Input: (batch, time, height, width, channels), or (batch, time, channels, height, width). Output: without the time axis, unless
    `return_sequences`; with `return_state` a tuple of it, h and c.

    Raises:
        ValueError: an option is out of range, or two contradict each other.

    Example:
        >>> ConvLSTM2D(4, 2)(ops.ones((1, 2, 5, 5, 3))).shape[-1]
        4
    """

    rank = 2
    ndim = 5

    def __init__(
        self, filters: int, kernel_size: Any, strides: Any = 1, padding: str = "valid", data_format: str | None = None,
        dilation_rate: Any = 1, activation: Any = "tanh", recurrent_activation: Any = "sigmoid", use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform", recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros", unit_forget_bias: bool = True, kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None, bias_regularizer: Any = None, activity_regularizer: Any = None,
        kernel_constraint: Any = None, recurrent_constraint: Any = None, bias_constraint: Any = None,
        dropout: float = 0.0, recurrent_dropout: float = 0.0, seed: int | None = None, return_sequences: bool = False,
        return_state: bool = False, go_backwards: bool = False, stateful: bool = False, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(locals(), kwargs)


class ConvLSTM3D(ConvLSTM):
    """Long short-term memory over sequences of volumes (Shi et al. 2015): `LSTM` with 3-D convolutions for its products.

    Args:
        filters: the number of channels of the state.
        kernel_size: the lengths of the window, an integer or one for each spatial axis.
        strides: the steps of the window over the inputs; that over the state takes every place.
        padding: `"valid"` or `"same"`, of the inputs; the state is always padded.
        data_format: `"channels_last"` or `"channels_first"`; default: the configured one.
        dilation_rate: the spacing of the window's elements over the inputs.
        activation: of the new state.
        recurrent_activation: of the gates.
        use_bias: add a bias.
        kernel_initializer: of the kernel, with which the inputs are convolved.
        recurrent_initializer: of the recurrent kernel, with which the state is convolved.
        bias_initializer: of the bias.
        unit_forget_bias: begin with ones in the bias of the forget gate (Jozefowicz et al. 2015).
        kernel_regularizer: of the kernel.
        recurrent_regularizer: of the recurrent kernel.
        bias_regularizer: of the bias.
        activity_regularizer: of the output.
        kernel_constraint: of the kernel.
        recurrent_constraint: of the recurrent kernel.
        bias_constraint: of the bias.
        dropout: the fraction of the inputs to drop, the same ones at every step.
        recurrent_dropout: the fraction of the state to drop, the same ones at every step.
        seed: of dropout.
        return_sequences: give the output of every step, and not the last one only.
        return_state: also give the last states.
        go_backwards: from the last step to the first; outputs come in that order, too.
        stateful: begin each batch with the states after the last batch, sample by sample.
        **kwargs: those of `Layer`, `unroll` and `zero_output_for_mask`.

    Input: (batch, time, depth, height, width, channels), or (batch, time, channels, depth, height, width). Output: without the time axis, unless
    `return_sequences`; with `return_state` a tuple of it, h and c.

    Raises:
        ValueError: an option is out of range, or two contradict each other.

    Example:
        >>> ConvLSTM3D(4, 2)(ops.ones((1, 2, 4, 4, 4, 3))).shape[-1]
        4
    """

    rank = 3
    ndim = 6

    def __init__(
        self, filters: int, kernel_size: Any, strides: Any = 1, padding: str = "valid", data_format: str | None = None,
        dilation_rate: Any = 1, activation: Any = "tanh", recurrent_activation: Any = "sigmoid", use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform", recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros", unit_forget_bias: bool = True, kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None, bias_regularizer: Any = None, activity_regularizer: Any = None,
        kernel_constraint: Any = None, recurrent_constraint: Any = None, bias_constraint: Any = None,
        dropout: float = 0.0, recurrent_dropout: float = 0.0, seed: int | None = None, return_sequences: bool = False,
        return_state: bool = False, go_backwards: bool = False, stateful: bool = False, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(locals(), kwargs)
