"""`Sequential`: a stack of layers."""

from __future__ import annotations

from typing import Any

from tricera.core import dispatch
from tricera.core.serialization import deserialize_keras_object, serialize_keras_object
from tricera.core.tensor import KerasTensor, recording
from tricera.layers.core.input_layer import InputLayer
from tricera.layers.layer import Layer
from tricera.models.functional import Functional
from tricera.models.model import Model


class Sequential(Model):
    """A stack of layers, each called on the output of the one before.

    Args:
        layers: the layers; an `Input` in front builds them at once.
        trainable: whether training changes the weights.
        name: default: `sequential`, numbered.

    Example:
        >>> from tricera.layers import Dense, Input
        >>> model = Sequential([Input((4,)), Dense(2)])
        >>> model.output_shape
        (None, 2)
    """

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        """An instance for the current backend."""
        return Layer.__new__(cls, *args, **kwargs)

    def __init__(self, layers: Any = None, trainable: bool = True, name: str | None = None) -> None:
        Model.__init__(self, trainable=trainable, name=name)
        self._stack: list[Layer] = []
        self._functional: Functional | None = None
        self._before: Functional | None = None  # what was wired before a layer was added
        self._unowned = {"_functional", "_before"}
        self.supports_masking = True
        for layer in layers or ():
            self._append(layer)
        self._maybe_rebuild()

    def add(self, layer: Any, rebuild: bool = True) -> None:
        """Put a layer on top.

        Args:
            layer: a layer, or an `Input`.
            rebuild: wire the stack again at once.

        Raises:
            ValueError: it isn't a layer, its name is taken, or an Input comes too late.
        """
        self._append(layer)
        if rebuild:
            self._maybe_rebuild()
        else:
            self.built, self._functional = False, None

    def _append(self, layer: Any) -> None:
        if isinstance(layer, KerasTensor) and isinstance(getattr(layer, "_keras_history", (None,))[0], InputLayer):
            layer = layer._keras_history.operation  # type: ignore[attr-defined]
        if not isinstance(layer, Layer):
            if not callable(layer):
                raise ValueError(f"Sequential takes layers; got {layer!r} (of type {type(layer).__name__}).")
            from tricera.layers import Lambda

            layer = Lambda(layer)
        if any(known is not layer and known.name == layer.name for known in self._stack) or layer in self._stack:
            raise ValueError(f"The names of a Sequential's layers must differ; {layer.name!r} is there already.")
        if isinstance(layer, InputLayer) and self._stack:
            raise ValueError(
                f"An Input must be the first of a Sequential; {self.name!r} holds {self._stack[0].name!r} already."
            )
        declared = layer.__dict__.get("_declared_batch_shape")
        if not self._stack and declared is not None and not isinstance(layer, InputLayer):
            self._stack.append(InputLayer(batch_shape=declared, dtype=layer.input_dtype))
        self._stack.append(layer)

    def pop(self, rebuild: bool = True) -> Layer:
        """Take the top layer off, and return it.

        Raises:
            ValueError: the stack is empty.
        """
        if not self._stack:
            raise ValueError(f"The Sequential {self.name!r} holds no layer to pop.")
        layer = self._stack.pop()
        self.built, self._functional = False, None
        if rebuild:
            self._maybe_rebuild()
        return layer

    def _maybe_rebuild(self) -> None:
        before, self.built, self._functional = self._functional, False, None
        self._before = before
        if len(self._stack) > 1 and isinstance(self._stack[0], InputLayer):
            self.build(self._stack[0].batch_shape)
        elif self._stack and hasattr(self._stack[0], "input_shape") and isinstance(self._stack[0], Functional):
            self.build(self._stack[0].input_shape)

    def build(self, input_shape: Any = None) -> None:
        """Wire the stack for inputs of a shape (with the batch axis).

        Raises:
            ValueError: the stack is empty, or the shape is missing.
        """
        if not self._stack:
            raise ValueError(
                f"The Sequential {self.name!r} holds no layer yet, so it can't be built. Add layers first."
            )
        if input_shape is None:
            if not isinstance(self._stack[0], InputLayer):
                raise ValueError(
                    f"The Sequential {self.name!r} needs an input shape to be built. Put an `Input` in front."
                )
            input_shape = self._stack[0].batch_shape
        if not isinstance(self._stack[0], InputLayer):
            if not _is_one_shape(input_shape):
                raise ValueError(f"A Sequential has one input; got the shapes {input_shape!r}.")
            self._stack = [InputLayer(batch_shape=(None, *tuple(input_shape)[1:])), *self._stack]
        inputs, before = self._stack[0].output, self._before
        self._before = None
        if before is not None and self._extends(before):
            self._wire(inputs, before.outputs[0], self._stack[-1:])
        else:
            self._wire(inputs, inputs, self._stack[1:])

    def _extends(self, before: Functional) -> bool:
        """Whether the stack is the one that was wired last, and one more layer, which alone is to be called then.

        Models inside may have got layers of their own since.
        """
        wired = before.layers
        same = len(wired) == len(self._stack) - 1 and all(a is b for a, b in zip(wired, self._stack, strict=False))
        return same and not any(isinstance(layer, Model) for layer in wired)

    def _wire(self, inputs: Any, x: Any, layers: list[Layer]) -> None:
        """Call layers on a symbolic tensor, and make the functional model of all from the inputs on."""
        token = recording.set(True)
        try:
            with dispatch.use(self._backend):
                for layer in layers:
                    x = layer(x)
        finally:
            recording.reset(token)
        with dispatch.use(self._backend):
            self._functional = Functional(inputs, x, name=self.name)

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None, **kwargs: Any) -> Any:
        """Compute the outputs."""
        if self._functional is not None:
            return self._functional.call(inputs, training=training, mask=mask)
        x = inputs
        for layer in self.layers:
            x = layer(x)
        return x

    _set_output_mask = Functional._set_output_mask

    def _build_for(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        shape = args[0].shape if args and hasattr(args[0], "shape") else None
        if shape is None:
            raise ValueError(f"The Sequential {self.name!r} must be called on one tensor; got {args!r:.100}.")
        dtype = getattr(args[0], "dtype", None)
        if not isinstance(self._stack[0], InputLayer) if self._stack else False:
            from tricera.core.dtypes import standardize_dtype

            self._stack = [
                InputLayer(batch_shape=(None, *tuple(shape)[1:]), dtype=standardize_dtype(dtype)),
                *self._stack,
            ]
        self.build(tuple(shape))

    def compute_output_spec(self, inputs: Any, training: bool | None = None, mask: Any = None, **kwargs: Any) -> Any:
        """The outputs as symbolic tensors."""
        if self._functional is not None:
            return self._functional.compute_output_spec(inputs, training=training, mask=mask)
        return super().compute_output_spec(inputs, training=training, mask=mask, **kwargs)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the outputs for a shape of the inputs."""
        if self._functional is not None:
            return self._functional.compute_output_shape(input_shape)
        for layer in self.layers:
            input_shape = layer.compute_output_shape(input_shape)
        return input_shape

    @property
    def layers(self) -> list[Layer]:
        """The layers, without the Input in front."""
        return [layer for layer in self._stack if not isinstance(layer, InputLayer)]

    def _graph(self, what: str) -> Functional:
        if self._functional is None:
            raise AttributeError(
                f"The Sequential {self.name!r} isn't built yet, so it has no {what}. Put an `Input` in front, or call it on data."
            )
        return self._functional

    @property
    def inputs(self) -> list[KerasTensor]:
        """The symbolic inputs, flat."""
        return self._graph("inputs").inputs

    @property
    def outputs(self) -> list[KerasTensor]:
        """The symbolic outputs, flat."""
        return self._graph("outputs").outputs

    @property
    def input(self) -> Any:
        """The symbolic input."""
        return self._graph("input").input

    @property
    def output(self) -> Any:
        """The symbolic output."""
        return self._graph("output").output

    @property
    def input_shape(self) -> Any:
        """The shape of the input."""
        return self._graph("input_shape").input_shape

    @property
    def output_shape(self) -> Any:
        """The shape of the output."""
        return self._graph("output_shape").output_shape

    @property
    def input_names(self) -> list[str]:
        """The name of the input."""
        return self._graph("input_names").input_names

    @property
    def output_names(self) -> list[str]:
        """The name of the output."""
        return self._graph("output_names").output_names

    def get_config(self) -> dict[str, Any]:
        """The layers' configs."""
        from tricera import dtype_policies

        config: dict[str, Any] = {
            "name": self.name,
            "trainable": self.trainable,
            "dtype": dtype_policies.serialize(self.dtype_policy),
            "layers": [serialize_keras_object(layer) for layer in self._stack],
        }
        if self._functional is not None:
            config["build_input_shape"] = self._stack[0].batch_shape  # type: ignore[attr-defined]
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Sequential:
        """Make a stack from what `get_config` gave."""
        if "layers" not in config:
            return cls(**config)
        model = cls(name=config.get("name"), trainable=config.get("trainable", True))
        for entry in config["layers"]:
            model._append(deserialize_keras_object(entry, custom_objects=custom_objects))
        model._maybe_rebuild()
        shape = config.get("build_input_shape")
        if model._functional is None and shape is not None and model._stack:
            model.build(tuple(shape))
        return model


def _is_one_shape(shape: Any) -> bool:
    return isinstance(shape, (list, tuple)) and all(d is None or isinstance(d, int) for d in shape)
