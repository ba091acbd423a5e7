"""What the cells of recurrent layers share: options, weights, dropout masks that hold for a whole sequence."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from tricera import activations, constraints, initializers, ops, random, regularizers
from tricera.core.checks import positive
from tricera.layers.layer import Layer
from tricera.ops.recurrent import over_time

_KINDS = {
    "activation": activations,
    "initializer": initializers,
    "regularizer": regularizers,
    "constraint": constraints,
}


def _room(name: str) -> Any:
    return _KINDS.get(name.rpartition("_")[2])


def options_of(owner: Any, names: Sequence[str]) -> dict[str, Any]:
    """Options of a cell as plain values, for a config."""
    found = {}
    for name in names:
        room, value = _room(name), getattr(owner, name)
        found[name] = value if room is None else room.serialize(value)
    return found


def cell_option(name: str) -> Any:
    """A property of a layer that is an option of its cell."""
    return property(lambda self: getattr(self.cell, name), doc=f"The option `{name}` of the cell.")


def fraction(name: str, value: Any) -> float:
    """Check that an option is a number from 0 to 1.

    Raises:
        ValueError: it isn't.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
        raise ValueError(f"`{name}` must be a number from 0 to 1, not {value!r}.")
    return value


class GatedCell(Layer):
    """One step of a recurrence whose sums, one a gate, are products of the inputs and of the state with a kernel each.

    Args:
        options: the values of the class's `options`, as the constructor got them.
        **kwargs: those of `Layer`, and, where the class has both of them, `implementation`: 1 draws a dropout mask of the inputs
            for each gate, 2 (the default) one for all; with dropout of the state it is always 1.
    """

    gates: ClassVar[int] = 1
    states: ClassVar[int] = 1
    options: ClassVar[tuple[str, ...]] = ()
    has_implementations: ClassVar[bool] = False
    gate_axis: int = -1  # along which the sums of the gates stand side by side
    activation: Any
    recurrent_activation: Any
    use_bias: bool
    bias_initializer: Any
    kernel: Any
    recurrent_kernel: Any
    bias: Any
    dropout: float
    recurrent_dropout: float

    def __init__(self, options: dict[str, Any], **kwargs: Any) -> None:
        implementation = kwargs.pop("implementation", 2) if self.has_implementations else 1
        super().__init__(**kwargs)
        for name in self.options:
            room, value = _room(name), options[name]
            setattr(self, name, value if room is None else room.get(value))
        self.dropout = fraction("dropout", self.dropout)
        self.recurrent_dropout = fraction("recurrent_dropout", self.recurrent_dropout)
        self.implementation = 1 if self.recurrent_dropout else implementation
        self.seed_generator = random.SeedGenerator(options["seed"])
        self.use_fused: Any = True
        self._dropout_masks: dict[str, Any] = {}

    # ------------------------------------------------------------------ weights

    def add_option_weight(self, name: str, shape: tuple[int, ...], initializer: Any = None) -> Any:
        """Make the weight `kernel`, `recurrent_kernel` or `bias` with the options that are named after it."""
        kind = "recurrent" if name == "recurrent_kernel" else name
        return self.add_weight(
            name=name, shape=shape, initializer=initializer or getattr(self, f"{kind}_initializer"),
            regularizer=getattr(self, f"{kind}_regularizer"), constraint=getattr(self, f"{kind}_constraint"),
        )  # fmt: skip

    # ------------------------------------------------------------------ one step

    def times_kernel(self, x: Any, kernel: Any) -> Any:
        """The product of inputs with (a part of) the kernel."""
        return ops.matmul(x, kernel)

    def times_recurrent(self, h: Any, kernel: Any) -> Any:
        """The product of a state with (a part of) the recurrent kernel."""
        return ops.matmul(h, kernel)

    def product(self, times: Callable[[Any, Any], Any], x: Any, kernel: Any, masks: Any) -> Any:
        """The sums of all gates, `x` masked for all of them or for each."""
        if masks is None:
            return times(x, kernel)
        if not isinstance(masks, list):
            return times(ops.multiply(x, masks), kernel)
        parts = ops.split(kernel, self.gates, axis=-1)
        sums = [times(ops.multiply(x, m), k) for m, k in zip(masks, parts, strict=True)]
        return ops.concatenate(sums, axis=self.gate_axis)

    def project(self, inputs: Any, masks: Any) -> Any:
        """What the inputs add to the gates, the bias included."""
        x = self.product(self.times_kernel, inputs, self.kernel, masks)
        bias = self.input_bias
        return x if bias is None else ops.add(x, bias)

    @property
    def input_bias(self) -> Any:
        """The bias that is added to the product of the inputs, or None."""
        return self.bias

    def recur(self, h: Any, masks: Any) -> Any:
        """What the state adds to the gates."""
        return self.product(self.times_recurrent, h, self.recurrent_kernel, masks)

    def advance(self, projected: Any, states: list[Any], masks: Any) -> list[Any]:
        """The next states, the first of which is the output."""
        raise NotImplementedError(f"{type(self).__name__} must define `advance`.")

    def call(self, inputs: Any, states: Any, training: bool = False) -> Any:
        """Take one step.

        Args:
            inputs: a tensor (batch, features).
            states: a list of tensors (batch, units), or the only one.
            training: whether to drop out.

        Returns:
            The output, and the next states as they were given: a list, or the only one.

        Raises:
            ValueError: the number of states is another.
        """
        listed = isinstance(states, (list, tuple))
        held = list(states) if listed else [states]
        if len(held) != self.states:
            raise ValueError(f"The cell {self.name!r} has {self.states} states, but {len(held)} were given.")
        drop = self.get_dropout_mask(inputs) if training else None
        if self.implementation == 2 and isinstance(drop, list):
            drop = drop[0]
        recurrent_drop = self.get_recurrent_dropout_mask(held[0]) if training else None
        new = self.advance(self.project(inputs, drop), held, recurrent_drop)
        return new[0], new if listed else new[0]

    # ------------------------------------------------------------------ all steps

    def fused(self, sequences: Any, states: list[Any], mask: Any, want: bool, unroll: bool) -> tuple[Any, ...] | None:
        """What `run` returns, by an op that does all steps; None if none fits the options."""
        return None

    def run(
        self, sequences: Any, states: list[Any], mask: Any, want: bool, training: bool | None, unroll: bool
    ) -> tuple[Any, ...]:
        """Take all the steps of a sequence.

        Args:
            sequences: a tensor (batch, time, ...).
            states: the first states.
            mask: a bool tensor (batch, time), or None.
            want: whether the first state after each step is wanted, or only the last.
            training: whether to drop out.
            unroll: write the steps out instead of looping.

        Returns:
            The first state after each step, or after the last; then the last states.
        """
        drop = (
            self._draw("dropout", sequences[:, 0], 1 if self.implementation == 2 else self.gates) if training else None
        )
        recurrent_drop = self._draw("recurrent_dropout", states[0], self.gates) if training else None
        if self.use_fused and recurrent_drop is None and not isinstance(drop, list):
            x = sequences if drop is None else ops.multiply(sequences, ops.expand_dims(drop, 1))
            found = self.fused(x, states, mask, want, unroll)
            if found is not None:
                return found
        projected = self.project(ops.swapaxes(sequences, 0, 1), drop)
        time_first = None if mask is None else ops.swapaxes(mask, 0, 1)
        return over_time(
            lambda p, held: self.advance(p, held, recurrent_drop), projected, states, time_first, want, unroll
        )

    # ------------------------------------------------------------------ dropout

    def _draw(self, option: str, like: Any, count: int) -> Any:
        """A mask of zeros and ones (scaled) of the shape of `like`, or a list of several; None without dropout."""
        rate = getattr(self, option)
        if not rate:
            return None
        ones = ops.ones_like(like)
        masks = [random.dropout(ones, rate, seed=self.seed_generator) for _ in range(count)]
        return masks if count > 1 else masks[0]

    def _kept(self, option: str, like: Any) -> Any:
        if option not in self._dropout_masks:
            self._dropout_masks[option] = self._draw(option, like, self.gates)
        return self._dropout_masks[option]

    def get_dropout_mask(self, step_input: Any) -> Any:
        """The masks of the inputs, one a gate, drawn when first asked for, the same until they are reset; None without dropout.

        Args:
            step_input: a tensor of the shape that the masks should have.
        """
        return self._kept("dropout", step_input)

    def get_recurrent_dropout_mask(self, step_input: Any) -> Any:
        """The masks of the state, one a gate, drawn when first asked for, the same until they are reset; None without dropout.

        Args:
            step_input: a tensor of the shape that the masks should have.
        """
        return self._kept("recurrent_dropout", step_input)

    def reset_dropout_mask(self) -> None:
        """Forget the masks of the inputs: the next ones asked for are drawn anew."""
        self._dropout_masks.pop("dropout", None)

    def reset_recurrent_dropout_mask(self) -> None:
        """Forget the masks of the state: the next ones asked for are drawn anew."""
        self._dropout_masks.pop("recurrent_dropout", None)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {**super().get_config(), **options_of(self, self.options)}


class DenseCell(GatedCell):
    """A `GatedCell` on vectors.

    Args:
        options: see `GatedCell`.
        **kwargs: see `GatedCell`.
    """

    units: int

    def __init__(self, options: dict[str, Any], **kwargs: Any) -> None:
        super().__init__({**options, "units": positive("units", options["units"])}, **kwargs)
        self.state_size: Any = self.units if self.states == 1 else [self.units] * self.states
        self.output_size = self.units

    def build(self, input_shape: Any) -> None:
        """Make kernels and bias."""
        features, width = input_shape[-1], self.gates * self.units
        if features is None:
            raise ValueError(
                f"The layer {self.name!r} needs to know the length of its input's last axis; the shape given is {tuple(input_shape)}."
            )
        self.kernel = self.add_option_weight("kernel", (features, width))
        self.recurrent_kernel = self.add_option_weight("recurrent_kernel", (self.units, width))
        self.bias = self.make_bias(width) if self.use_bias else None

    def make_bias(self, width: int) -> Any:
        """Make the bias."""
        return self.add_option_weight("bias", (width,))

    def get_initial_state(self, batch_size: Any = None) -> list[Any]:
        """Zeros, a list of tensors (batch, units).

        Args:
            batch_size: the number of samples.
        """
        shape = (batch_size, self.units)
        return [ops.zeros(shape, dtype=self.compute_dtype) for _ in range(self.states)]
