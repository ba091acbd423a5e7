"""`Function`: a graph of operations without the training half of a model."""

from __future__ import annotations

from typing import Any

from tricera.core import tree
from tricera.core.graph import Operation
from tricera.core.tensor import KerasTensor, not_recording
from tricera.models.functional import make_plan, sorted_nodes


class Function(Operation):
    """Computes outputs from inputs along the graph between symbolic tensors.

    Args:
        inputs: symbolic tensors, which may lie in the middle of a graph.
        outputs: symbolic tensors that depend on them alone.
        name: default: `function`, numbered.

    Example:
        >>> from tricera import ops
        >>> from tricera.layers import Input
        >>> x = Input((2,))
        >>> f = Function(x, ops.multiply(x, 2.0))
        >>> float(f(ops.ones((1, 2)))[0, 0])
        2.0
    """

    def __init__(self, inputs: Any, outputs: Any, name: str | None = None) -> None:
        super().__init__(name=name)
        self._inputs_struct, self._outputs_struct = inputs, outputs
        self._inputs, self._outputs = tree.flatten(inputs), tree.flatten(outputs)
        nodes, self._operations = sorted_nodes(self._inputs, self._outputs)
        self._plan = make_plan(nodes, self._inputs, self._outputs)

    @property
    def inputs(self) -> list[KerasTensor]:
        """The symbolic tensors that come in, in order."""
        return list(self._inputs)

    @property
    def outputs(self) -> list[KerasTensor]:
        """The symbolic tensors that come out, in order."""
        return list(self._outputs)

    @property
    def operations(self) -> list[Operation]:
        """The layers and ops of the graph."""
        return list(self._operations)

    def call(self, inputs: Any) -> Any:
        """Compute the outputs."""
        flat = tree.flatten(inputs)
        if len(flat) != len(self.inputs):
            raise ValueError(f"The function {self.name!r} takes {len(self.inputs)} inputs; {len(flat)} were given.")
        values = self._plan.run(flat)
        return (
            tree.pack_sequence_as(self._outputs_struct, values) if tree.is_nested(self._outputs_struct) else values[0]
        )

    def compute_output_spec(self, inputs: Any) -> Any:
        """The outputs as symbolic tensors."""
        with not_recording():
            return self.call(inputs)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shapes of the outputs for given shapes of the inputs."""
        symbolic = tree.map_shape_structure(lambda s: KerasTensor(s), input_shape)
        return tree.map_structure(lambda t: t.shape, self.compute_output_spec(symbolic))
