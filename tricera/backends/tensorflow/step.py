"""Steps are `tf.function`s over `tf.Variable`s; several steps run in one loop inside the graph."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from tricera.backends.tensorflow.tensor import to_numpy
from tricera.core import dispatch, tree
from tricera.core.bounded import Bounded

STATELESS_STEPS = False


def place(batch: Any) -> Any:
    """The batch as tensors of this backend."""
    return tree.map_structure(_place, batch)


def _place(x: Any) -> Any:
    if x is None or isinstance(x, (tf.Tensor, tf.SparseTensor, tf.RaggedTensor)):
        return x
    owner = dispatch.of(x)
    return tf.convert_to_tensor(np.asarray(x) if owner is None else owner.to_numpy(x))


def place_resident(arrays: Any) -> Any:
    """Arrays that stay on the device for many steps."""
    return place(arrays)


def resident_limit() -> int:
    """How many bytes of data may stay on the device."""
    return 2 << 30


def opaque(fn: Callable[..., Any], *args: Any) -> Any:
    """`fn(*args)`; it is traced with the step."""
    return fn(*args)


def wait(outputs: Any) -> Any:
    """The same outputs: a call of a graph on the host returns when it has ended."""
    return outputs


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

        self._eager = jit == "eager"
        self._one: Any = one if self._eager else _graph(one, jit_compile=True if jit is True else None)
        self._many = _graph(many)
        self._windows, self._chunks = Bounded(_PROGRAMS), Bounded(_PROGRAMS)

    def run(self, batches: list[Any]) -> Any:
        """Run one step a batch; the outputs of the last, or the list of all with `collect`."""
        if len(batches) > 1 and not self.collect and not self._eager and _alike(batches):
            stacked = tf.nest.map_structure(lambda *xs: tf.stack(xs), *batches)
            return self._many(stacked, tf.constant(len(batches)))
        outs = [self._one(batch) for batch in batches]
        return outs if self.collect else outs[-1]

    def run_window(self, data: Any, order: Any, size: int, first: int, stop: int) -> Any:
        """Run one step a batch on batches of resident data, in one call; the outputs of the last. See the JAX backend's."""
        key = (size, order is None)
        found = self._windows.get(key)
        if found is None:
            found = self._windows[key] = self._window(data, order, size)
        return found(data, order, tf.constant(first), tf.constant(stop))

    def _window(self, data: Any, order: Any, size: int) -> Any:
        sample = tf.nest.map_structure(lambda x: tf.TensorSpec((size, *x.shape[1:]), x.dtype), data)
        out = self._one.get_concrete_function(sample).structured_outputs

        def loop(data: Any, order: Any, first: Any, stop: Any) -> Any:
            def body(i: Any, *_: Any) -> Any:
                return (i + 1, *tf.nest.flatten(self._one(_batch(data, order, size, i))))

            start = [tf.zeros(x.shape, x.dtype) for x in tf.nest.flatten(out)]
            last = tf.while_loop(lambda i, *_: i < stop, body, (first, *start))
            return tf.nest.pack_sequence_as(out, last[1:])

        return _graph(loop)

    def run_chunk(self, data: Any, size: int, first: int, stop: int, limit: int) -> Any:
        """Run one step a batch on some of the batches that lie in a chunk, in one call. See the JAX backend's."""
        if self._eager:
            return None
        sample = tf.nest.map_structure(lambda x: tf.TensorSpec((size, *x.shape[1:]), x.dtype), data)
        key = tuple([None if x is None else (tuple(x.shape), x.dtype) for x in tf.nest.flatten(sample)])
        found = self._chunks.get(key)
        if found is None:
            found = self._chunks[key] = self._chunk(sample, size)
        loop, each = found
        count = next(x.shape[0] for x in tf.nest.flatten(data) if x is not None) // size
        if each is None or each * count > limit:
            return None
        return loop(data, tf.constant(count), tf.constant(first), tf.constant(stop))

    def _chunk(self, sample: Any, size: int) -> tuple[Any, int | None]:
        """A loop over batches, and the bytes of the outputs of one; None where these have no fixed shape."""
        out = self._one.get_concrete_function(sample).structured_outputs
        flat = tf.nest.flatten(out)
        if not all(isinstance(x, tf.TensorSpec | tf.Tensor) and x.shape.is_fully_defined() for x in flat):
            return None, None

        def loop(data: Any, count: Any, first: Any, stop: Any) -> Any:
            def body(i: Any, *arrays: Any) -> Any:
                outs = tf.nest.flatten(self._one(_batch(data, None, size, i)))
                return (i + 1, *[a.write(i, x) for a, x in zip(arrays, outs, strict=True)])

            arrays = [tf.TensorArray(x.dtype, count, element_shape=x.shape) for x in flat]
            last = tf.while_loop(lambda i, *_: i < stop, body, (first, *arrays))
            return tf.nest.pack_sequence_as(out, [a.stack() for a in last[1:]])

        return _graph(loop), sum(x.shape.num_elements() * x.dtype.size for x in flat)


_PROGRAMS = 16  # loops over data of so many shapes are kept


def _graph(fn: Callable[..., Any], **options: Any) -> Any:
    # TensorFlow counts tracings by code object and would warn of too many as soon as several models train: a partial has none.
    return tf.function(functools.partial(fn), reduce_retracing=True, autograph=False, **options)


def _batch(data: Any, order: Any, size: int, i: Any) -> Any:
    """Batch number `i` of resident data."""
    if order is None:
        return tf.nest.map_structure(
            lambda x: tf.ensure_shape(x[i * size : (i + 1) * size], (size, *x.shape[1:])), data
        )
    index = order[i]
    return tf.nest.map_structure(lambda x: tf.gather(x, index), data)


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
    return [to_numpy(x) for x in tensors]
