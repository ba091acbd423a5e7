"""Steps are `tf.function`s over `tf.Variable`s; several steps run in one loop inside the graph."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from tricera.core import dispatch, tree

STATELESS_STEPS = False


def place(batch: Any) -> Any:
    """The batch as tensors of this backend."""
    return tree.map_structure(_place, batch)


def _place(x: Any) -> Any:
    if x is None or isinstance(x, (tf.Tensor, tf.SparseTensor, tf.RaggedTensor)):
        return x
    owner = dispatch.of(x)
    return tf.convert_to_tensor(np.asarray(x) if owner is None else owner.to_numpy(x))


class Step:
    """A compiled step; see the JAX backend's for the arguments."""

    def __init__(
        self, fn: Callable[[Any], Any], variables: Sequence[Any], *, jit: Any, donate: bool, collect: bool
    ) -> None:
        self.fn, self.collect = fn, collect
        backend = dispatch.current()

        def one(batch: Any) -> Any:
            with dispatch.use(backend):
                return fn(batch)

        def many(stacked: Any, steps: Any) -> Any:
            with dispatch.use(backend):
                first = fn(tf.nest.map_structure(lambda x: x[0], stacked))
                flat = tf.nest.flatten(first)

                def body(i: Any, *_: Any) -> Any:
                    return (i + 1, *tf.nest.flatten(fn(tf.nest.map_structure(lambda x: x[i], stacked))))

                last = tf.while_loop(lambda i, *_: i < steps, body, (tf.constant(1), *flat))
                return tf.nest.pack_sequence_as(first, last[1:])

        xla = True if jit is True else None
        self._one = tf.function(one, jit_compile=xla, reduce_retracing=True, autograph=False) if jit != "eager" else one
        self._many = tf.function(many, reduce_retracing=True, autograph=False)
        self._eager = jit == "eager"

    def run(self, batches: list[Any]) -> Any:
        """Run one step a batch; the outputs of the last, or the list of all with `collect`."""
        if len(batches) > 1 and not self.collect and not self._eager and _alike(batches):
            stacked = tf.nest.map_structure(lambda *xs: tf.stack(xs), *batches)
            return self._many(stacked, tf.constant(len(batches)))
        outs = [self._one(batch) for batch in batches]
        return outs if self.collect else outs[-1]


def _alike(batches: list[Any]) -> bool:
    leaves = [tf.nest.flatten(b) for b in batches]
    if any(not isinstance(x, tf.Tensor) for flat in leaves for x in flat if x is not None):
        return False
    shapes = [[x.shape for x in flat if x is not None] for flat in leaves]
    return all(s == shapes[0] for s in shapes)


def discover(fn: Callable[[Any], Any], batch: Any) -> None:
    """Nothing to do: variables are made outside of the graph while it is traced."""


def fetch(tensors: list[Any]) -> list[np.ndarray]:
    """The values of several tensors."""
    return [np.asarray(x) for x in tensors]
