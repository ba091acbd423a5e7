"""A functional model from its config: make the operations, then call them again as the nodes say."""

from __future__ import annotations

from typing import Any

from tricera.core import tree
from tricera.core.serialization import deserialize_keras_object
from tricera.core.tensor import KerasTensor
from tricera.layers.core.input_layer import InputLayer


def rebuild(cls: type, config: dict[str, Any], custom_objects: Any = None) -> Any:
    """Build the model.

    Args:
        cls: the class of the model.
        config: what `get_config` gave.
        custom_objects: the caller's own classes and functions, by name.

    Raises:
        ValueError: the config is malformed, or a node refers to a tensor that no operation makes.
    """
    for key in ("layers", "input_layers", "output_layers"):
        if key not in config:
            raise ValueError(f"The config of a functional model must have the key {key!r}; it has {sorted(config)}.")
    operations: dict[str, Any] = {}
    tensors: dict[tuple[str, int, int], KerasTensor] = {}
    waiting: list[tuple[str, int, dict[str, Any]]] = []
    for entry in config["layers"]:
        name = entry.get("name") or entry["config"]["name"]
        if name in operations:
            raise ValueError(f"The config names two layers {name!r}.")
        operation = operations[name] = deserialize_keras_object(entry, custom_objects=custom_objects)
        if isinstance(operation, InputLayer):
            tensors[name, 0, 0] = operation.output
        for number, node in enumerate(entry.get("inbound_nodes", ())):
            waiting.append((name, number, node))
    while waiting:
        left = []
        for name, number, node in waiting:
            if number and (name, number - 1, 0) not in tensors:
                left.append((name, number, node))
                continue
            try:
                args, kwargs = _arguments(node, tensors, custom_objects)
            except _NotYet:
                left.append((name, number, node))
                continue
            outputs = operations[name](*args, **kwargs)
            for i, output in enumerate(t for t in tree.flatten(outputs) if isinstance(t, KerasTensor)):
                tensors[name, number, i] = output
        if len(left) == len(waiting):
            names = sorted({name for name, _, _ in left})
            raise ValueError(f"The nodes of the layers {names} refer to tensors that no layer of the config makes.")
        waiting = left
    inputs, outputs = (_structure(config[key], tensors, key) for key in ("input_layers", "output_layers"))
    arguments = {"name": config.get("name"), "trainable": config.get("trainable", True)}
    return cls(inputs, outputs, **arguments)


class _NotYet(Exception):
    """A tensor that a node needs has not been made yet."""


def _arguments(node: Any, tensors: dict[Any, KerasTensor], custom_objects: Any) -> tuple[list[Any], dict[str, Any]]:
    if not isinstance(node, dict) or not isinstance(node.get("args"), list) or not isinstance(node.get("kwargs"), dict):
        raise ValueError(f"A node must be an object with `args` and `kwargs`; got {node!r:.200}.")

    def read(value: Any) -> Any:
        if isinstance(value, dict):
            if value.get("class_name") == "__keras_tensor__":
                history = tuple(value["config"]["keras_history"])
                if history not in tensors:
                    raise _NotYet
                return tensors[history]
            if "class_name" in value:
                return deserialize_keras_object(value, custom_objects=custom_objects)
            return {k: read(v) for k, v in value.items()}
        return [read(v) for v in value] if isinstance(value, list) else value

    return [read(a) for a in node["args"]], {k: read(v) for k, v in node["kwargs"].items()}


def _structure(reference: Any, tensors: dict[Any, KerasTensor], what: str) -> Any:
    if isinstance(reference, dict):
        return {k: _structure(v, tensors, what) for k, v in reference.items()}
    if isinstance(reference, (list, tuple)):
        if len(reference) == 3 and isinstance(reference[0], str) and isinstance(reference[1], int):
            key = tuple(reference)
            if key not in tensors:
                raise ValueError(f"`{what}` names {list(key)}, which is no output of a layer of the config.")
            return tensors[key]  # type: ignore[index]
        return [_structure(v, tensors, what) for v in reference]
    raise ValueError(f"`{what}` holds {reference!r}, where a [layer, node, tensor] triple was expected.")
