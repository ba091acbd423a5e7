"""`Functional`: a model read off a graph of symbolic calls."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, NamedTuple

from tricera.core import tree
from tricera.core.graph import Node, Operation, public_class
from tricera.core.inference import OpCall
from tricera.core.masking import set_mask
from tricera.core.op_names import op_arguments
from tricera.core.serialization import serialize_keras_object
from tricera.core.tensor import KerasTensor
from tricera.layers.call_info import info_of
from tricera.layers.core.input_layer import Input, InputLayer
from tricera.layers.layer import Layer
from tricera.models.model import Model


def _history(tensor: KerasTensor) -> Any:
    history = getattr(tensor, "_keras_history", None)
    if history is None:
        raise ValueError(f"The tensor {tensor!r} comes from nowhere: begin with `Input(...)` and call layers on it.")
    return history


def node_of(tensor: KerasTensor) -> Node:
    """The node whose output a symbolic tensor is."""
    operation, node_index, _ = _history(tensor)
    return operation._inbound_nodes[node_index]


def sorted_nodes(inputs: list[KerasTensor], outputs: list[KerasTensor]) -> tuple[list[Node], list[Operation]]:
    """The nodes between inputs and outputs, and the operations in the order in which a model lists them.

    An operation's depth is its longest distance to an output; deeper ones come first, equals in the order in which a
    depth-first walk from the outputs first comes to them.

    Raises:
        ValueError: an output depends on a tensor that is not reached from the inputs.
    """
    ends = {id(t) for t in inputs}
    finished: list[Node] = []
    seen: set[int] = set()
    entered: dict[int, int] = {}  # operation -> when the walk first came to it

    def walk(tensor: KerasTensor) -> None:
        # An explicit stack: deep models are deeper than Python's recursion limit.
        stack: list[tuple[Node, Any]] = [(node_of(tensor), None)]
        while stack:
            node, parents = stack.pop()
            if parents is None:
                if id(node) in seen:
                    continue
                seen.add(id(node))
                entered.setdefault(id(node.operation), len(entered))
                if node.is_input and not any(id(t) in ends for t in node.outputs):
                    raise ValueError(
                        f"The outputs depend on the tensor {node.outputs[0]!r}, which is not reached from the model's inputs "
                        f"({', '.join(t.name for t in inputs)}). Add it to the inputs."
                    )
                parents = iter(() if all(id(t) in ends for t in node.outputs) else node.input_tensors)
            for parent in parents:
                if id(node_of(parent)) not in seen:
                    stack.append((node, parents))
                    stack.append((node_of(parent), None))
                    break
            else:
                finished.append(node)

    for tensor in outputs:
        walk(tensor)
    depths: dict[int, int] = {}
    by_operation: dict[int, int] = {}
    operations: dict[int, Operation] = {}
    for node in reversed(finished):
        operation = node.operation
        operations.setdefault(id(operation), operation)
        depth = max(depths.get(id(node), 0), by_operation.get(id(operation), 0))
        depths[id(node)] = by_operation[id(operation)] = depth
        if all(id(t) in ends for t in node.outputs):
            continue
        for parent in node.parent_nodes:
            depths[id(parent)] = max(depths.get(id(parent), 0), depth + 1)
    # Inputs come where they are declared, and unused ones belong to the model too.
    for tensor in inputs:
        operation = _history(tensor).operation
        if id(operation) not in operations:
            operations[id(operation)] = operation
            by_operation[id(operation)] = 0
    ranked = sorted(operations.values(), key=lambda op: (-by_operation[id(op)], entered.get(id(op), -1)))
    return finished, ranked


class Functional(Model):
    """A model defined by the symbolic tensors between which it computes.

    Args:
        inputs: a symbolic tensor, or a list, tuple or dict of them.
        outputs: a symbolic tensor, or a nested structure of them.
        name: default: `functional`, numbered.
        trainable: whether training changes the weights.

    Raises:
        ValueError: an output doesn't depend on the inputs alone.

    Example:
        >>> from tricera.layers import Dense, Input
        >>> x = Input((4,))
        >>> Functional(x, Dense(2)(x)).output_shape
        (None, 2)
    """

    def __init__(self, inputs: Any, outputs: Any, name: str | None = None, **kwargs: Any) -> None:
        trainable = kwargs.pop("trainable", True)
        for what, structure in (("inputs", inputs), ("outputs", outputs)):
            for t in tree.flatten(structure):
                if not isinstance(t, KerasTensor):
                    raise ValueError(
                        f"The {what} of a functional model must be symbolic tensors (from `Input`), not {type(t).__name__}: {t!r}."
                    )
        Model.__init__(self, name=name, trainable=trainable, **kwargs)
        inputs, outputs = _from_inputs(inputs, outputs)
        self._inputs_struct, self._outputs_struct = inputs, outputs
        self._inputs, self._outputs = tree.flatten(inputs), tree.flatten(outputs)
        self._nodes, operations = sorted_nodes(self._inputs, self._outputs)
        self._operations = operations
        names = [op.name for op in operations]
        twice = sorted({n for n in names if names.count(n) > 1})
        if twice:
            raise ValueError(f"The names of a model's layers must differ; used more than once: {', '.join(twice)}.")
        self._unowned = {"_inputs_struct", "_outputs_struct", "_inputs", "_outputs", "_nodes", "_plan"}
        self._plan = make_plan(self._nodes, self._inputs, self._outputs)
        self.built = True
        self.supports_masking = True
        self._convert_input_args = True
        self._allow_non_tensor_positional_args = True

    @property
    def _layers(self) -> list[Layer]:
        graph = self.layers
        extra = [x for x in Model._layers.fget(self) if all(x is not g for g in graph)]  # type: ignore[attr-defined]
        return [*graph, *extra]

    @property
    def layers(self) -> list[Layer]:
        """The layers, input layers included, from inputs to outputs."""
        return [op for op in self._operations if isinstance(op, Layer)]

    @property
    def operations(self) -> list[Operation]:
        """The layers and ops, from inputs to outputs."""
        return list(self._operations)

    @property
    def inputs(self) -> list[KerasTensor]:
        """The symbolic inputs, flat."""
        return list(self._inputs)

    @property
    def outputs(self) -> list[KerasTensor]:
        """The symbolic outputs, flat."""
        return list(self._outputs)

    @property
    def input(self) -> Any:
        """The symbolic inputs in their structure."""
        return self._inputs_struct

    @property
    def output(self) -> Any:
        """The symbolic outputs in their structure."""
        return self._outputs_struct

    @property
    def input_shape(self) -> Any:
        """The shape of the input, or the list of shapes of several."""
        return _one_or_all([t.shape for t in self._inputs])

    @property
    def output_shape(self) -> Any:
        """The shape of the output, or the list of shapes of several."""
        return _one_or_all([t.shape for t in self._outputs])

    @property
    def output_names(self) -> list[str]:
        """A name for each output: the name of the operation that computes it."""
        return _deduplicated([_history(t).operation.name for t in self._outputs])

    @property
    def input_names(self) -> list[str]:
        """The names of the inputs."""
        return [t.name for t in self._inputs]

    @property
    def input_spec(self) -> Any:
        """What the model expects: the inputs' shapes."""
        return self._input_spec

    @input_spec.setter
    def input_spec(self, value: Any) -> None:
        self._input_spec = value

    def build(self, input_shape: Any = None) -> None:
        """A functional model is built when it is made."""
        self.built = True

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None, **kwargs: Any) -> Any:
        """Compute the outputs.

        Args:
            inputs: tensors in the structure of the model's inputs; a dict may hold more keys than needed.
            training: inherited by the layers.
            mask: masks of the inputs.

        Raises:
            ValueError: the inputs don't fit the model's.
        """
        tensors = self._standardize(inputs)
        if mask is not None:
            for x, m in zip(tensors, tree.flatten(mask), strict=False):
                if m is not None:
                    set_mask(x, m)
        values = self._plan.run(tensors, training=training)
        struct = self._outputs_struct
        if isinstance(struct, (list, tuple)) and len(struct) == 1:  # as in Keras, `Model(x, [y])` returns a tensor
            struct = struct[0]
        return values[0] if type(struct) is KerasTensor else tree.pack_sequence_as(struct, values)

    def _set_output_mask(self, inputs: Any, masks: Any, outputs: Any) -> None:
        """The layers inside have passed masks on, or dropped them; only a class that computes a mask itself adds one."""
        if info_of(public_class(self)).computes_mask:
            Layer._set_output_mask(self, inputs, masks, outputs)

    def _standardize(self, inputs: Any) -> list[Any]:
        struct = self._inputs_struct
        if type(struct) is KerasTensor and not isinstance(inputs, (dict, list, tuple)):
            return [self._fit(inputs, struct)]
        if isinstance(inputs, dict) and not isinstance(struct, dict):
            names = [t.name for t in self._inputs]
            missing = [n for n in names if n not in inputs]
            if missing:
                raise ValueError(f"The model {self.name!r} has the inputs {names}; the dict given has no {missing}.")
            tensors = [inputs[n] for n in names]
        elif isinstance(struct, dict) and isinstance(inputs, dict):
            missing = [k for k in struct if k not in inputs]
            if missing:
                raise ValueError(
                    f"The model {self.name!r} has the inputs {sorted(struct)}; the dict given has no {missing}."
                )
            tensors = tree.flatten({k: inputs[k] for k in struct})
        else:
            tensors = tree.flatten(inputs)
        if len(tensors) != len(self._inputs):
            raise ValueError(
                f"The model {self.name!r} expects {len(self._inputs)} inputs ({', '.join(self.input_names)}), but was given {len(tensors)}."
            )
        return [self._fit(x, t) for x, t in zip(tensors, self._inputs, strict=True)]

    def _fit(self, x: Any, expected: KerasTensor) -> Any:
        """One input, with a last axis of length 1 added or taken away where that makes its rank right; its shape checked."""
        if x is None or not hasattr(x, "shape"):
            return x
        shape = tuple(x.shape)
        wanted = expected._shape
        if shape[1:] == wanted[1:] and len(shape) == len(wanted):
            return x
        if len(shape) == len(wanted) - 1 and wanted[-1] == 1:
            from tricera import ops

            x = ops.expand_dims(x, -1)
        elif len(shape) == len(wanted) + 1 and shape[-1] == 1:
            from tricera import ops

            x = ops.squeeze(x, axis=-1)
        shape = tuple(x.shape)
        if len(shape) != len(wanted) or any(
            w is not None and s is not None and s != w for s, w in zip(shape[1:], wanted[1:], strict=True)
        ):
            raise ValueError(
                f"The input {expected.name!r} of the model {self.name!r} must have shape {wanted}; given shape {shape}."
            )
        return x

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shapes of the outputs for given shapes of the inputs."""
        return Layer.compute_output_shape(self, input_shape)

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """The outputs as symbolic tensors."""
        from tricera.core.tensor import not_recording

        with not_recording():
            return self.call(*args, **kwargs)

    def get_config(self) -> dict[str, Any]:
        """The graph as a config: layers, how they are called, inputs and outputs.

        A subclass with a constructor of its own, which makes the graph itself, gives that constructor's arguments.
        """
        own = next(c.__dict__["__init__"] for c in type(self).__mro__ if "__init__" in c.__dict__)
        if own not in (Functional.__init__, Model.__init__) and not {"inputs", "outputs"} <= set(
            inspect.signature(own).parameters
        ):
            return Layer.get_config(self)
        return functional_config(self)

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """Build a model from what `get_config` gave."""
        from tricera.models.rebuild import rebuild

        return rebuild(cls, config, custom_objects)


def _one_or_all(shapes: list[Any]) -> Any:
    return shapes[0] if len(shapes) == 1 else shapes


def _deduplicated(names: list[str]) -> list[str]:
    out: list[str] = []
    for name in names:
        number, unique = 1, name
        while unique in out:
            unique, number = f"{name}_{number}", number + 1
        out.append(unique)
    return out


def _from_inputs(inputs: Any, outputs: Any) -> tuple[Any, Any]:
    """The same model starting at `Input` tensors, where it was asked to start in the middle of a graph."""
    flat = tree.flatten(inputs)
    if all(isinstance(_history(t).operation, InputLayer) for t in flat):
        return inputs, outputs
    fresh = [
        t
        if isinstance(_history(t).operation, InputLayer)
        else Input(batch_shape=t.shape, dtype=t.dtype, name=_history(t).operation.name)
        for t in flat
    ]
    nodes, _ = sorted_nodes(flat, tree.flatten(outputs))
    values = make_plan(nodes, flat, tree.flatten(outputs)).run(fresh)
    return tree.pack_sequence_as(inputs, fresh), tree.pack_sequence_as(outputs, values)


class _Step(NamedTuple):
    """One call: `recorded` holds its arguments; `free` too, less a `training` that the model's own call decides."""

    operation: Any
    recorded: Any
    free: Any
    single: int | None  # the slot of the only argument of `free`
    pinned: bool  # whether the graph says `training` itself, which holds unless the model's call says it
    targets: list[int]
    done: tuple[int, ...]  # the slots that no later step reads, whose values may go


class _Plan:
    """How the graph is run: each step takes values from slots and fills slots."""

    def __init__(self, steps: list[_Step], slots: int, inputs: list[int], outputs: list[int]) -> None:
        self.steps, self.slots, self.inputs, self.outputs = steps, slots, inputs, outputs

    def run(
        self, tensors: list[Any], call: Callable[..., Any] | None = None, training: bool | None = None
    ) -> list[Any]:
        """The outputs for these inputs; `call(operation, args, kwargs)` may stand in for plain calls."""
        values: list[Any] = [None] * self.slots
        for slot, tensor in zip(self.inputs, tensors, strict=True):
            values[slot] = tensor
        for operation, recorded, free, single, pinned, targets, done in self.steps:
            if call is not None:
                out = call(operation, *_fill(recorded, values))
            elif pinned and training is None:
                out = _call(operation, _fill(recorded, values))
            elif single is not None:
                out = operation(values[single])
            else:
                out = _call(operation, _fill(free, values))
            if len(targets) == 1 and not isinstance(out, (list, tuple, dict)):
                values[targets[0]] = out
            else:
                for target, value in zip(targets, [o for o in tree.flatten(out) if o is not None], strict=True):
                    values[target] = value
            for slot in done:
                values[slot] = None
        return [values[slot] for slot in self.outputs]


def _call(operation: Any, arguments: Any) -> Any:
    args, kwargs = arguments  # not in the plan's own frame, which would hold them while the next call runs
    return operation(*args, **kwargs)


class _Slot:
    """Where a symbolic tensor stood in the arguments of a call."""

    def __init__(self, index: int) -> None:
        self.index = index


def _fill(template: Any, values: list[Any]) -> Any:
    return tree.map_structure(lambda leaf: values[leaf.index] if type(leaf) is _Slot else leaf, template)


def make_plan(nodes: list[Node], inputs: list[KerasTensor], outputs: list[KerasTensor]) -> _Plan:
    """How to run the nodes, worked out once."""
    index: dict[int, int] = {}
    for t in inputs:
        index.setdefault(id(t), len(index))
    calls: list[tuple[Operation, Any, list[int]]] = []
    for node in nodes:
        if all(id(t) in index for t in node.outputs):
            continue
        for t in node.outputs:
            index.setdefault(id(t), len(index))
        template = tree.map_structure(
            lambda a: _Slot(index[id(a)]) if isinstance(a, KerasTensor) else a, (node.args, node.kwargs)
        )
        calls.append((node.operation, template, [index[id(t)] for t in node.outputs]))
    results = [index[id(t)] for t in outputs]
    last = {}  # slot -> the last call that reads or fills it
    for i, (_, template, targets) in enumerate(calls):
        last.update(dict.fromkeys([*targets, *(a.index for a in tree.flatten(template) if type(a) is _Slot)], i))
    done: list[list[int]] = [[] for _ in calls]
    for slot, i in last.items():
        if slot not in results:
            done[i].append(slot)
    steps = [_step(*given, tuple(slots)) for given, slots in zip(calls, done, strict=True)]
    return _Plan(steps, len(index), [index[id(t)] for t in inputs], results)


def _step(operation: Operation, template: Any, targets: list[int], done: tuple[int, ...]) -> _Step:
    args, kwargs = template
    info = info_of(public_class(operation)) if isinstance(operation, Layer) else None
    pinned = False
    if info is not None and info.training and "training" in kwargs:
        # A default that was recorded is nobody's wish: with it, Dropout would never be active in a functional model.
        pinned = kwargs["training"] not in (None, info.training_default)
        kwargs = {k: v for k, v in kwargs.items() if k != "training"}
    single = args[0].index if len(args) == 1 and not kwargs and type(args[0]) is _Slot else None
    return _Step(operation, template, (args, kwargs), single, pinned, targets, done)


def functional_config(model: Functional) -> dict[str, Any]:
    """The config of a functional model, in Keras's form."""
    inside = {id(node) for node in model._nodes}
    numbers: dict[int, int] = {}  # node -> its number among the operation's nodes that belong to the model
    for operation in model._operations:
        for i, node in enumerate(n for n in operation._inbound_nodes if id(n) in inside):
            numbers[id(node)] = i

    def reference(t: KerasTensor) -> list[Any]:
        operation, _, tensor_index = _history(t)
        return [operation.name, numbers.get(id(node_of(t)), 0), tensor_index]

    def symbolic(t: Any) -> Any:
        if isinstance(t, (list, tuple)):
            return [symbolic(item) for item in t]
        if isinstance(t, dict):
            return {key: symbolic(item) for key, item in t.items()}
        if isinstance(t, KerasTensor):
            return {
                "class_name": "__keras_tensor__",
                "config": {"shape": t.shape, "dtype": t.dtype, "keras_history": reference(t)},
            }
        return serialize_keras_object(t)

    layers = []
    for operation in model._operations:
        entry = serialize_keras_object(operation)
        entry["name"] = operation.name
        entry["inbound_nodes"] = [
            {
                "args": symbolic(op_arguments(operation, node.args) if isinstance(operation, OpCall) else node.args),
                "kwargs": symbolic(node.kwargs),
            }
            for node in operation._inbound_nodes
            if id(node) in inside and not node.is_input
        ]
        layers.append(entry)
    return {
        "name": model.name,
        "trainable": model.trainable,
        "layers": layers,
        "input_layers": _references(model._inputs_struct, reference),
        "output_layers": _references(model._outputs_struct, reference),
    }


def _references(struct: Any, reference: Callable[[KerasTensor], list[Any]]) -> Any:
    if isinstance(struct, KerasTensor):
        return reference(struct)
    return tree.map_structure(reference, struct)
