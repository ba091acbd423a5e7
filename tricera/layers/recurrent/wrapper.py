"""`Wrapper`: a layer around another."""

from __future__ import annotations

from typing import Any

from tricera.core.serialization import deserialize_keras_object, serialize_keras_object
from tricera.layers.layer import Layer


class Wrapper(Layer):
    """What layers around another share: it is built and serialized with them. Subclasses define `call`.

    Args:
        layer: the layer inside, which is the attribute `layer`.
        **kwargs: those of `Layer`.

    Raises:
        ValueError: `layer` isn't a layer.

    Example:
        >>> from tricera import layers, ops
        >>> class Twice(Wrapper):
        ...     def call(self, inputs):
        ...         return ops.multiply(self.layer(inputs), 2)
        >>> Twice(layers.Dense(3))(ops.ones((2, 4))).shape[-1]
        3
    """

    def __init__(self, layer: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.layer = checked_layer(layer, type(self).__name__)

    def build(self, input_shape: Any = None) -> None:
        """Build the layer inside."""
        if not self.layer.built:
            self.layer.build(input_shape)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {**super().get_config(), "layer": serialize_keras_object(self.layer)}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """Make a layer from what `get_config` gave."""
        layer = deserialize_keras_object(config["layer"], custom_objects=custom_objects)
        return cls(layer, **{key: value for key, value in config.items() if key != "layer"})


def checked_layer(layer: Any, owner: str) -> Layer:
    """The layer that another one is to hold.

    Raises:
        ValueError: it isn't a layer.
    """
    if not isinstance(layer, Layer):
        raise ValueError(f"{owner} needs a layer to hold, not {layer!r} of type {type(layer).__name__}.")
    return layer
