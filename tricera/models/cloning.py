"""`clone_model`: the same model with new layers and new weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tricera.core import dispatch, tree
from tricera.core.graph import Operation, public_class
from tricera.core.tensor import KerasTensor, is_keras_tensor
from tricera.layers.core.input_layer import Input, InputLayer
from tricera.layers.layer import Layer
from tricera.models.functional import Functional
from tricera.models.model import Model
from tricera.models.sequential import Sequential


def clone_model(
    model: Model,
    input_tensors: Any = None,
    clone_function: Callable[[Any], Any] | None = None,
    call_function: Callable[..., Any] | None = None,
    recursive: bool = False,
) -> Model:
    """Make a model of the same architecture with layers and weights of its own.

    Args:
        model: a model; a subclassed one is made again from its config.
        input_tensors: symbolic tensors to build the clone on, in the structure of the model's inputs.
        clone_function: takes a layer, returns the layer that stands for it; default: a layer from its config.
        call_function: takes a new layer, then the arguments of its call; default: calls it. Functional models only.
        recursive: clone nested Functional and Sequential models in the same way.

    Returns:
        The clone, on the model's backend.

    Raises:
        ValueError: an argument doesn't fit this kind of model.

    Example:
        >>> from tricera.layers import Dense, Input
        >>> model = Sequential([Input((4,)), Dense(2)])
        >>> clone_model(model).count_params()
        10
    """
    if not isinstance(model, Model):
        raise ValueError(f"`clone_model` takes a model, not {model!r} (of type {type(model).__name__}).")
    sequential, functional = isinstance(model, Sequential), isinstance(model, Functional)
    if call_function is not None and not functional:
        raise ValueError("`call_function` works with functional models only, whose graph says which calls there are.")
    with dispatch.use(model.backend):
        if sequential or (functional and _keeps_the_constructor(model)):
            make = _maker(clone_function, call_function, recursive)
            if sequential:
                return _clone_sequential(model, input_tensors, make)  # type: ignore[arg-type]
            return _clone_functional(model, input_tensors, make, call_function)  # type: ignore[arg-type]
        if input_tensors is not None or clone_function is not None:
            raise ValueError(
                f"The subclassed model {model.name!r} is made again from its config, so neither `input_tensors` nor "
                "`clone_function` can take effect. Leave them out."
            )
        return public_class(model).from_config(model.get_config())


def _keeps_the_constructor(model: Model) -> bool:
    return {"layers", "input_layers", "output_layers"} <= set(model.get_config())


def _maker(clone_function: Any, call_function: Any, recursive: bool) -> Callable[[Any], Any]:
    def make(layer: Any) -> Any:
        if recursive and isinstance(layer, (Functional, Sequential)):
            inner_call = call_function if isinstance(layer, Functional) else None
            return clone_model(layer, clone_function=clone_function, call_function=inner_call, recursive=True)
        if clone_function is not None and isinstance(layer, Layer):
            return clone_function(layer)
        return public_class(layer).from_config(layer.get_config())

    return make


def _clone_sequential(model: Sequential, input_tensors: Any, make: Callable[[Any], Any]) -> Sequential:
    clone = Sequential(name=model.name, trainable=model.trainable)
    first = model._stack[0] if model._stack else None
    if input_tensors is not None:
        tensors = tree.flatten(input_tensors)
        if len(tensors) != 1 or not is_keras_tensor(tensors[0]):
            raise ValueError(
                f"A Sequential has one input, so `input_tensors` must be one symbolic tensor; got {input_tensors!r}."
            )
        clone.add(_as_input(tensors[0]))
    elif isinstance(first, InputLayer):
        clone.add(InputLayer(batch_shape=first.batch_shape, dtype=first.dtype, name=first.name))
    for layer in model.layers:
        clone.add(make(layer))
    return clone


def _as_input(tensor: KerasTensor) -> KerasTensor:
    """The tensor itself where it is an `Input`, else an `Input` like it."""
    history = getattr(tensor, "_keras_history", None)
    if history is not None and isinstance(history.operation, InputLayer):
        return tensor
    return Input(batch_shape=tensor.shape, dtype=tensor.dtype)


def _clone_functional(
    model: Functional, input_tensors: Any, make: Callable[[Any], Any], call_function: Any
) -> Functional:
    if input_tensors is None:
        inputs = [
            Input(batch_shape=t.shape, dtype=t.dtype, name=operation.name)
            for t in model.inputs
            for operation in (t._keras_history.operation,)  # type: ignore[attr-defined]
        ]
    else:
        inputs = tree.flatten(input_tensors)
        if len(inputs) != len(model.inputs) or not all(map(is_keras_tensor, inputs)):
            raise ValueError(
                f"The model {model.name!r} needs {len(model.inputs)} symbolic `input_tensors`; got {input_tensors!r}."
            )
        inputs = [_as_input(t) for t in inputs]
    made: dict[int, Any] = {}

    def call(operation: Operation, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if id(operation) not in made:
            made[id(operation)] = make(operation) if isinstance(operation, Layer) else operation
        new = made[id(operation)]
        return call_function(new, *args, **kwargs) if call_function is not None else new(*args, **kwargs)

    outputs = model._plan.run(inputs, call)
    if tree.is_nested(model.output):
        result = tree.pack_sequence_as(model.output, outputs)
    else:
        result = outputs[0]
    struct = tree.pack_sequence_as(model.input, inputs) if tree.is_nested(model.input) else inputs[0]
    return Functional(struct, result, name=model.name, trainable=model.trainable)
