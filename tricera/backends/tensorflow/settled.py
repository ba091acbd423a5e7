"""When a step is compiled: after so many batches of a shape, unless it is large or holds what XLA is slow at."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from tricera.core.bounded import Bounded

# How many batches of a shape a step takes before it is compiled, and for how many shapes it is.
SETTLED, SHAPES, _REMEMBERED = 32, 8, 64
# Compiling costs milliseconds a node, and what it saves is the time between the kernels: large steps have large kernels.
MOST_NODES = 1000
# On a CPU, XLA's convolutions, the gradients of its pooling and its random numbers are slower than TensorFlow's own.
_SLOW_ON_CPU = (
    "Conv", "DepthwiseConv", "MaxPool", "AvgPool",
    "StatelessRandom", "StatelessTruncated", "StatelessMultinomial", "StatelessParameterized", "StatelessShuffle",
)  # fmt: skip


class Settled:
    """Which shapes of batches have been seen often enough to be compiled for."""

    def __init__(self) -> None:
        self.counts = Bounded(_REMEMBERED)
        # The shapes that are compiled for, and whether such a step has run.
        self.tried: dict[Any, bool] = {}
        self.plain = Bounded(_REMEMBERED)

    def count(self, key: Any, batches: int) -> int:
        """How many of the next batches are still to be run by the graph."""
        if key in self.tried:
            return 0
        if key in self.plain or len(self.tried) >= SHAPES:
            return batches
        before = self.counts.get(key, 0)
        left = min(max(SETTLED - before, 0), batches)
        self.counts[key] = before + left
        return left

    def decided(self, key: Any) -> bool:
        """Whether it is known for good what runs the batches of a shape: what was compiled for it, or the graph."""
        return self.tried.get(key, False) or key in self.plain

    def admits(self, key: Any, one: Any, sample: Any) -> bool:
        """Whether to compile for a shape now; large steps and what XLA is slow at stay a graph."""
        nodes = _operations(one.get_concrete_function(sample).graph)
        on_cpu = not tf.config.list_logical_devices("GPU")
        if len(nodes) > MOST_NODES or (on_cpu and any(node.op.startswith(_SLOW_ON_CPU) for node in nodes)):
            self.refuse(key)
            return False
        self.tried[key] = False
        return True

    def refuse(self, key: Any) -> None:
        """Leave a shape to the graph for good."""
        self.tried.pop(key, None)
        self.plain[key] = True


def _operations(graph: Any) -> list[Any]:
    definition = graph.as_graph_def()
    return [node for nodes in (definition.node, *(f.node_def for f in definition.library.function)) for node in nodes]


def signature(batch: Any) -> Any:
    """The shapes and dtypes of a batch, or of what looks like one."""
    return tuple([None if x is None else (tuple(x.shape), x.dtype) for x in tf.nest.flatten(batch)])
