"""Nodes: the record of who was called on what, from which functional models are read off."""

from __future__ import annotations

import inspect
from typing import Any, NamedTuple

from tricera.core import naming, tree
from tricera.core.checks import plain
from tricera.core.tensor import KerasTensor, any_symbolic, not_recording


class KerasHistory(NamedTuple):
    """Where a symbolic tensor comes from."""

    operation: Any
    node_index: int
    tensor_index: int


class Node:
    """One call of an operation on symbolic tensors.

    Attributes:
        operation: the layer or op that was called.
        args, kwargs: what with, symbolic tensors in their places.
        input_tensors, outputs: the symbolic tensors among these, and the results, as flat lists.
    """

    def __init__(self, operation: Any, args: tuple[Any, ...], kwargs: dict[str, Any], outputs: Any) -> None:
        self.operation = operation
        self.args, self.kwargs = args, kwargs
        self.input_tensors = [t for t in tree.flatten((args, kwargs)) if isinstance(t, KerasTensor)]
        self.outputs = [t for t in tree.flatten(outputs) if isinstance(t, KerasTensor)]
        index = len(operation._inbound_nodes)
        for i, output in enumerate(self.outputs):
            output._keras_history = KerasHistory(operation, index, i)  # type: ignore[attr-defined]
        operation._inbound_nodes.append(self)
        for tensor in self.input_tensors:
            history = getattr(tensor, "_keras_history", None)
            if history is not None:
                history.operation._outbound_nodes.append(self)

    @property
    def is_input(self) -> bool:
        """Whether nothing comes before."""
        return not self.input_tensors

    @property
    def parent_nodes(self) -> list[Node]:
        """The nodes whose outputs are inputs here."""
        return [t._keras_history.operation._inbound_nodes[t._keras_history.node_index] for t in self.input_tensors]  # type: ignore[attr-defined]

    def __repr__(self) -> str:
        return f"<Node of {self.operation.name}: {self.input_tensors} -> {self.outputs}>"


class Operation:
    """What can be called on symbolic tensors and becomes a node of a graph: the ground of layers and ops.

    Args:
        name: default: the class's name in snake case, numbered.

    Example:
        >>> class Double(Operation):
        ...     def call(self, x):
        ...         return x + x
        >>> Double()(KerasTensor((2, 3))).shape
        (2, 3)
    """

    name: str

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        """Keep the constructor's arguments, from which a config can be made."""
        instance = object.__new__(cls)
        instance.__dict__["_init_arguments"] = (args, kwargs)
        return instance

    def __init__(self, name: str | None = None) -> None:
        if name is None:
            name = naming.auto_name(public_class(self).__name__)
        if not isinstance(name, str) or "/" in name:
            raise ValueError(f"`name` must be a string without '/', not {name!r}.")
        self.name = name
        self._inbound_nodes: list[Node] = []
        self._outbound_nodes: list[Node] = []

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Compute on tensors, or record a node on symbolic ones."""
        if any_symbolic(tree.flatten((args, kwargs))):
            return self.symbolic_call(*args, **kwargs)
        return self.call(*args, **kwargs)

    def symbolic_call(self, *args: Any, **kwargs: Any) -> Any:
        """Infer the outputs and record a node."""
        outputs = self.compute_output_spec(*args, **kwargs)
        return record(self, args, kwargs, outputs)

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Compute on tensors; to be overridden."""
        raise NotImplementedError(f"{public_class(self).__name__} must define `call`.")

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """The outputs' shapes and dtypes, found by running `call` on symbolic tensors."""
        with not_recording():
            return self.call(*args, **kwargs)

    def quantized_call(self, *args: Any, **kwargs: Any) -> Any:
        """Compute in the quantized form; only quantizable layers have one."""
        raise NotImplementedError(f"{public_class(self).__name__} has no quantized form.")

    def rematerialized_call(self, fn: Any, *args: Any, **kwargs: Any) -> Any:
        """Call `fn`, whose intermediate values are computed again in the backward pass rather than kept."""
        from tricera.core import dispatch

        return dispatch.current().control.remat(fn)(*args, **kwargs)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, where they are plain values.

        Raises:
            NotImplementedError: an argument can't be written as JSON; override `get_config` then.
        """
        config = auto_config(self)
        config.setdefault("name", self.name)
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Make an instance from what `get_config` gave."""
        try:
            return cls(**config)
        except TypeError as error:
            raise TypeError(f"{cls.__name__} can't be made from the config {config}: {error}") from error

    @property
    def input(self) -> Any:
        """The symbolic input of the first call on symbolic tensors.

        Raises:
            AttributeError: there was none.
        """
        node = self._first_node("input")
        return _unwrap(node.args[0] if node.args and not node.kwargs else list(node.input_tensors))

    @property
    def output(self) -> Any:
        """The symbolic output of the first call on symbolic tensors.

        Raises:
            AttributeError: there was none.
        """
        return _unwrap(self._first_node("output").outputs)

    def _first_node(self, what: str) -> Node:
        if not self._inbound_nodes:
            raise AttributeError(
                f"{self.name!r} was never called on symbolic tensors (from `Input`), so it has no {what}."
            )
        return self._inbound_nodes[0]


def get_source_inputs(tensor: Any) -> list[Any]:
    """The inputs from which a symbolic tensor is computed.

    Args:
        tensor: a symbolic tensor (or a structure of them), the output of layers or ops.

    Returns:
        The tensors made by `Input`, each once, in the order in which they are met from the outputs back.

    Raises:
        ValueError: something is not a symbolic tensor.

    Example:
        >>> from tricera import layers
        >>> a, b = layers.Input((2,)), layers.Input((2,))
        >>> inputs = get_source_inputs(layers.Add()([layers.Dense(2)(a), b]))
        >>> inputs[0] is a, inputs[1] is b, len(inputs)
        (True, True, 2)
    """
    found: dict[int, Any] = {}
    seen: set[int] = set()
    waiting = list(reversed(tree.flatten(tensor)))
    while waiting:
        current = waiting.pop()
        if not isinstance(current, KerasTensor):
            raise ValueError(f"Sources can be found for symbolic tensors only, not for {current!r}.")
        history = getattr(current, "_keras_history", None)
        node = None if history is None else history.operation._inbound_nodes[history.node_index]
        if node is None or node.is_input:
            found.setdefault(id(current), current)
        elif id(node) not in seen:
            seen.add(id(node))
            waiting += reversed(node.input_tensors)
    return list(found.values())


def _unwrap(tensors: Any) -> Any:
    return tensors[0] if isinstance(tensors, (list, tuple)) and len(tensors) == 1 else tensors


def record(operation: Any, args: tuple[Any, ...], kwargs: dict[str, Any], outputs: Any) -> Any:
    """Add a node unless shapes are merely being inferred; the outputs are fresh tensors."""
    from tricera.core.tensor import recording

    if not recording.get():
        return outputs
    leaves = [t for t in tree.flatten((args, kwargs)) if isinstance(t, KerasTensor)]
    if not all(t.record_history for t in leaves):
        return outputs
    inputs = {id(t) for t in leaves}

    def fresh(t: Any) -> Any:
        if isinstance(t, KerasTensor) and (id(t) in inputs or hasattr(t, "_keras_history")):
            copy = KerasTensor(t.shape, t.dtype, t.sparse, t.ragged)
            mask = getattr(t, "_keras_mask", None)
            if mask is not None:
                copy._keras_mask = mask  # type: ignore[attr-defined]
            return copy
        return t

    outputs = tree.map_structure(fresh, outputs)
    args, kwargs = tree.map_structure(_original, (args, kwargs))
    Node(operation, args, kwargs, outputs)
    return outputs


def _original(t: Any) -> Any:
    """The output of a node for which `t` stands: a layer whose dtype differs is called on a cast copy of it."""
    history = getattr(t, "_keras_history", None) if isinstance(t, KerasTensor) else None
    return t if history is None else history.operation._inbound_nodes[history.node_index].outputs[history.tensor_index]


def public_class(obj: Any) -> Any:
    """The class that the user knows, where a backend has added a native base to it."""
    cls = type(obj)
    return getattr(cls, "_public_class", cls)


_PLAIN = (str, int, float, bool, type(None))


def is_plain(value: Any) -> bool:
    """Whether a value is made of JSON's types alone (tuples count)."""
    if isinstance(value, (list, tuple)):
        return all(map(is_plain, value))
    if isinstance(value, dict):
        return all(isinstance(k, str) and is_plain(v) for k, v in value.items())
    return isinstance(value, _PLAIN)


def auto_config(obj: Any) -> dict[str, Any]:
    """The arguments with which `obj` was made.

    Raises:
        NotImplementedError: one of them isn't a plain value.
    """
    cls = public_class(obj)
    args, kwargs = obj.__dict__.get("_init_arguments", ((), {}))
    signature = inspect.signature(cls.__init__)
    bound = signature.bind_partial(obj, *args, **kwargs)
    config: dict[str, Any] = {}
    for index, (name, value) in enumerate(bound.arguments.items()):
        if index == 0:
            continue
        kind = signature.parameters[name].kind
        if kind is inspect.Parameter.VAR_KEYWORD:
            config.update(value)
        elif kind is not inspect.Parameter.VAR_POSITIONAL or value:
            config[name] = value
    config = {name: plain(value) for name, value in config.items()}
    unsaid = [name for name, value in config.items() if not is_plain(value)]
    if unsaid:
        raise NotImplementedError(
            f"The class {cls.__name__} was made with {', '.join(f'{n}={config[n]!r}' for n in unsaid)}, which can't be written "
            f"to a config as it is. Override `get_config` in {cls.__name__} to return all constructor arguments as plain values "
            "(use `saving.serialize_keras_object` for objects), and `from_config` if they must be turned back."
        )
    # Defaults are written too: those of a later version of the class may differ.
    unsaid_defaults = {n: p.default for n, p in signature.parameters.items() if n not in bound.arguments}
    return {**{n: v for n, v in unsaid_defaults.items() if is_plain(v)}, **config}
