"""`Bidirectional`: a recurrent layer in both directions."""

from __future__ import annotations

from typing import Any

from tricera import ops
from tricera.core.graph import public_class
from tricera.core.serialization import deserialize_keras_object, serialize_keras_object
from tricera.core.variable import Variable
from tricera.layers.infer import infer_outputs
from tricera.layers.input_spec import InputSpec
from tricera.layers.layer import Layer
from tricera.layers.recurrent.wrapper import checked_layer

_MERGES: dict[Any, Any] = {
    "sum": ops.add,
    "mul": ops.multiply,
    "ave": lambda x, y: ops.multiply(ops.add(x, y), 0.5),
    "concat": lambda x, y: ops.concatenate([x, y], axis=-1),
    None: lambda x, y: (x, y),
}
_NEEDED = ("go_backwards", "return_sequences", "return_state", "stateful")


class Bidirectional(Layer):
    """A recurrent layer from the first step to the last, and one from the last to the first (Schuster & Paliwal 1997).

    Args:
        layer: a recurrent layer: `RNN`, `LSTM`, `GRU`, or another with `go_backwards`, `return_sequences`, `return_state` and
            `stateful`. A copy of it goes forward.
        merge_mode: how both outputs become one: `"concat"` (along the last axis), `"sum"`, `"mul"`, `"ave"`; None gives both.
        weights: the first values of the weights, as `get_weights` gives them.
        backward_layer: the layer that goes backward, with `go_backwards=True`; default: a copy of `layer`.
        **kwargs: those of `Layer`.

    Input: (batch, time, ...). Output: as the layers give it, merged, with the backward one's steps in the order of the inputs; with
    `return_state` a tuple of it and both layers' states.

    Raises:
        ValueError: `layer` isn't a recurrent layer, the merge mode is unknown, or both layers' options don't match.

    Example:
        >>> from tricera import layers
        >>> Bidirectional(layers.LSTM(3))(ops.ones((2, 5, 4))).shape[-1]
        6
    """

    def __init__(
        self,
        layer: Any,
        merge_mode: str | None = "concat",
        weights: Any = None,
        backward_layer: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        checked_layer(layer, "Bidirectional")
        if backward_layer is not None:
            checked_layer(backward_layer, "Bidirectional")
        if merge_mode not in _MERGES:
            raise ValueError(
                f"`merge_mode` of the layer {self.name!r} must be one of {list(_MERGES)}, not {merge_mode!r}."
            )
        for one in (layer, layer if backward_layer is None else backward_layer):
            missing = [name for name in _NEEDED if not hasattr(one, name)]
            if missing:
                raise ValueError(
                    f"The layer {self.name!r} needs recurrent layers; {one.name!r} lacks the attributes {', '.join(missing)}."
                )
        plain = layer.name.removeprefix("forward_")
        self.forward_layer = _copy(layer, name=f"forward_{plain}")
        if backward_layer is None:
            backward_layer = _copy(layer, name=f"backward_{plain}", go_backwards=True)
        self.backward_layer = backward_layer
        self._check_pair()
        self.merge_mode = merge_mode
        self.stateful, self.return_sequences = layer.stateful, layer.return_sequences
        self.return_state = layer.return_state
        if self.return_sequences:
            # What stands at masked steps would be those of the other end of the sequence in one of the directions.
            self.forward_layer.zero_output_for_mask = self.backward_layer.zero_output_for_mask = True
        self._first_weights = weights
        self.supports_masking = True
        self.input_spec = InputSpec(ndim=3) if layer.input_spec is None else layer.input_spec

    def _check_pair(self) -> None:
        forward, backward = self.forward_layer, self.backward_layer
        if forward.go_backwards == backward.go_backwards:
            raise ValueError(
                f"The layers of {self.name!r} must go in different directions; both have go_backwards={forward.go_backwards}."
            )
        for name in ("stateful", "return_sequences", "return_state"):
            one, other = getattr(forward, name), getattr(backward, name)
            if one != other:
                raise ValueError(
                    f"The layers of {self.name!r} must agree in `{name}`: {one!r} forward, and {other!r} backward."
                )

    @property
    def states(self) -> tuple[Variable, ...] | None:
        """The states that stateful layers keep, the forward one's first; None for others."""
        found = [layer.states for layer in (self.forward_layer, self.backward_layer)]
        return None if None in found else (*found[0], *found[1])

    def reset_state(self) -> None:
        """Make stateful layers begin anew."""
        self.forward_layer.reset_state()
        self.backward_layer.reset_state()

    def reset_states(self) -> None:
        """The same as `reset_state`."""
        self.reset_state()

    def build(self, sequences_shape: Any, initial_state_shape: Any = None) -> None:
        """Build both layers."""
        for layer in (self.forward_layer, self.backward_layer):
            if not layer.built:
                layer.build(sequences_shape)
        if self._first_weights is not None:
            self.set_weights(self._first_weights)

    def call(self, sequences: Any, initial_state: Any = None, mask: Any = None, training: bool | None = None) -> Any:
        """Run both layers and merge what they give.

        Args:
            sequences: a tensor (batch, time, ...).
            initial_state: a list of the first states, the forward layer's first.
            mask: a bool tensor (batch, time).
            training: handed to the layers.

        Raises:
            ValueError: `initial_state` isn't a list with as many states for each layer.
        """
        states: tuple[Any, Any] = (None, None)
        if initial_state is not None:
            if not isinstance(initial_state, (list, tuple)) or len(initial_state) % 2:
                raise ValueError(
                    f"`initial_state` of the layer {self.name!r} must be a list, the forward layer's states and then as many of the "
                    f"backward one's; got {initial_state!r}."
                )
            half = len(initial_state) // 2
            states = (list(initial_state[:half]), list(initial_state[half:]))
        y, y_back = (
            layer(sequences, initial_state=first, mask=mask, training=training)
            for layer, first in zip((self.forward_layer, self.backward_layer), states, strict=True)
        )
        last: tuple[Any, ...] = ()
        if self.return_state:
            last = (*y[1:], *y_back[1:])
            y, y_back = y[0], y_back[0]
        if self.return_sequences:
            y_back = ops.flip(y_back, axis=1)
        merged = _MERGES[self.merge_mode](y, y_back)
        if not self.return_state:
            return merged
        return (*merged, *last) if self.merge_mode is None else (merged, *last)

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """The outputs as symbolic tensors."""
        return infer_outputs(self, *args, **kwargs)

    def compute_output_shape(self, sequences_shape: Any, initial_state_shape: Any = None) -> Any:
        """The forward layer's, merged; with `return_state` a tuple of it and both layers' states' shapes."""
        shape = self.forward_layer.compute_output_shape(sequences_shape)
        states: tuple[Any, ...] = ()
        if self.return_state:
            shape, *rest = shape
            states = (*rest, *rest)
        if self.merge_mode is None:
            return (shape, shape, *states)
        if self.merge_mode == "concat":
            shape = (*shape[:-1], None if shape[-1] is None else 2 * shape[-1])
        return (shape, *states) if self.return_state else tuple(shape)

    def compute_mask(self, _: Any, mask: Any) -> Any:
        """The mask given if all outputs are, for both of them where they aren't merged; else None."""
        if not self.return_sequences:
            return None
        first = mask[0] if isinstance(mask, (list, tuple)) else mask
        return (first, first) if self.merge_mode is None else first

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {
            **super().get_config(),
            "merge_mode": self.merge_mode,
            "layer": serialize_keras_object(self.forward_layer),
            "backward_layer": serialize_keras_object(self.backward_layer),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """Make a layer from what `get_config` gave."""
        names = [name for name in ("layer", "backward_layer") if config.get(name) is not None]
        made = {name: deserialize_keras_object(config[name], custom_objects=custom_objects) for name in names}
        return cls(**{**config, **made})


def _copy(layer: Any, **changes: Any) -> Any:
    """Another layer of the same class, with some of its options changed."""
    return public_class(layer).from_config({**layer.get_config(), **changes})
