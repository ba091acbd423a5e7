"""Steps are `tf.function`s over `tf.Variable`s; several steps run in one loop inside the graph."""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import optree
import tensorflow as tf

from tricera.backends.tensorflow.settled import Settled, signature
from tricera.backends.tensorflow.tensor import to_numpy
from tricera.core import dispatch, tree
from tricera.core.bounded import Bounded

STATELESS_STEPS = False
REPEATS = False


def place(batch: Any) -> Any:
    """The batch as tensors of this backend."""
    return tree.map_structure(_place, batch)


def _map(fn: Callable[..., Any], *structures: Any) -> Any:
    """`fn` of the tensors of structures; where one of several outputs has no weights, None stays."""
    return tf.nest.map_structure(lambda x, *more: None if x is None else fn(x, *more), *structures)


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


_SHAPES = 64  # for which the functions are remembered, apart from where TensorFlow keeps them


class Step:
    """A compiled step; see the JAX backend's for the arguments.

    With `jit="auto"` a step is a graph at first, which is made quickly, and is compiled by XLA after some batches of the same shape
    (`settled.py`), when that pays: a count, not a clock, so that every run makes the same numbers, however its batches are dispatched.
    """

    def __init__(
        self, fn: Callable[[Any], Any], variables: Sequence[Any], *, jit: Any, donate: bool, collect: bool
    ) -> None:
        self.fn, self.collect = fn, collect
        backend = dispatch.current()
        for variable in variables:
            variable.native  # noqa: B018 - a function that makes variables while it is traced is traced twice

        def one(batch: Any) -> Any:
            with dispatch.use(backend):
                return fn(batch)

        self._eager = jit == "eager"
        self._one: Any = one if self._eager else _graph(one, jit_compile=True if jit is True else None)
        self._compiled: Any = _graph(one, jit_compile=True) if jit == "auto" and not collect else None
        self._settled = Settled()
        self._direct = Bounded(_SHAPES)
        self._loops, self._chunks, self._picks = Bounded(_PROGRAMS), Bounded(_PROGRAMS), Bounded(_PROGRAMS)
        self._last: tuple[Any, Any, Any] | None = None  # resident data, and what runs a step on any batch of them

    def run(self, batches: list[Any], same: bool = False) -> Any:
        """Run one step a batch; the outputs of the last, or the list of all with `collect`."""
        if self.collect or self._eager:
            outs = [self._one(batch) if self._eager else self._direct_call(self._one, batch) for batch in batches]
            return outs if self.collect else outs[-1]
        if len(batches) > 1 and _alike(batches):
            stacked = _map(lambda *xs: tf.stack(xs), *batches)
            return self._in_parts(
                batches[0], 0, len(batches), lambda one, *bounds: self._stacked(one)(stacked, *map(tf.constant, bounds))
            )
        for batch in batches:
            out = self._in_parts(batch, 0, 1, lambda one, *_: self._direct_call(one, batch))  # noqa: B023 - called at once
        return out

    def _direct_call(self, one: Any, batch: Any) -> Any:
        """Call the function of this shape itself: finding it costs more than calling it."""
        leaves, spec = optree.tree_flatten(batch, none_is_leaf=True)
        if not all([x is None or isinstance(x, tf.Tensor) for x in leaves]):
            return one(batch)  # sparse and ragged ones differ in more than their shapes
        key = one, signature(leaves), spec
        found = self._direct.get(key)
        if found is None:
            found = self._direct[key] = one.get_concrete_function(batch)
        return found(batch)

    def run_window(
        self, data: Any, order: Any, size: int, first: int, stop: int, same: bool = False, single: bool = False
    ) -> Any:
        """Run one step a batch on batches of resident data, in one call; the outputs of the last. See the JAX backend's."""
        if single:
            return self._run_picked(data, order, size, first)
        sample = _map(lambda x: tf.TensorSpec((size, *x.shape[1:]), x.dtype), data)

        def part(one: Any, first: int, stop: int) -> Any:
            loop = self._window(one, sample, order is None, size)
            return loop(data, order, tf.constant(first), tf.constant(stop))

        return self._in_parts(sample, first, stop, part)

    def _run_picked(self, data: Any, order: Any, size: int, i: int) -> Any:
        """Run the step on one batch of resident data, by a graph without a loop, which is called itself."""
        known, key = self._last, (size, None if order is None else order.shape)
        leaf = next(x for x in tf.nest.flatten(data) if x is not None)
        if known is not None and known[0]() is leaf and known[1] == key:
            return known[2](data, order, tf.constant(i))
        sample = _map(lambda x: tf.TensorSpec((size, *x.shape[1:]), x.dtype), data)
        called: list[Any] = []

        def pick(one: Any, *_: int) -> Any:
            whole = (one, key, signature(data), optree.tree_structure(data, none_is_leaf=True))
            found = self._picks.get(whole)
            if found is None:
                graph = _graph(lambda data, order, i: one(_batch(data, order, size, i)))
                found = self._picks[whole] = graph.get_concrete_function(data, order, tf.constant(i))
            called[:] = [found]
            return found(data, order, tf.constant(i))

        out = self._in_parts(sample, i, i + 1, pick)
        if self._settled.decided(signature(sample)) or self._compiled is None:
            self._last = weakref.ref(leaf), key, called[0]  # every pass places tensors of its own
        return out

    def _in_parts(self, sample: Any, first: int, stop: int, run: Callable[[Any, int, int], Any]) -> Any:
        """Run batches `first` to `stop`, which look like `sample`: those of before and those of after compilation."""
        if self._compiled is None:
            return run(self._one, first, stop)
        settled, key = self._settled, signature(sample)
        middle = first + settled.count(key, stop - first)
        if middle > first:
            out = run(self._one, first, middle)
        if stop > middle:
            if key not in settled.tried and not settled.admits(key, self._one, sample):
                return run(self._one, middle, stop)
            try:
                out = run(self._compiled, middle, stop)
            except _UNCOMPILED:
                # Of the first call alone: XLA refuses before anything has run. What is wrong with the batch shows in the graph.
                if settled.tried[key]:
                    raise
                settled.refuse(key)
                return run(self._one, middle, stop)
            settled.tried[key] = True
        return out

    def _stacked(self, one: Any) -> Any:
        found = self._loops.get(one)
        if found is None:

            def many(stacked: Any, start: Any, stop: Any) -> Any:
                def at(i: Any) -> Any:
                    return one(_map(lambda x: x[i], stacked))

                first = at(start)

                def body(i: Any, *_: Any) -> Any:
                    return (i + 1, *tf.nest.flatten(at(i)))

                last = tf.while_loop(lambda i, *_: i < stop, body, (start + 1, *tf.nest.flatten(first)))
                return tf.nest.pack_sequence_as(first, last[1:])

            found = self._loops[one] = _graph(many)
        return found

    def _window(self, one: Any, sample: Any, in_order: bool, size: int) -> Any:
        key = (one, in_order, size)
        found = self._loops.get(key)
        if found is None:
            out = one.get_concrete_function(sample).structured_outputs

            def loop(data: Any, order: Any, first: Any, stop: Any) -> Any:
                def body(i: Any, *_: Any) -> Any:
                    return (i + 1, *tf.nest.flatten(one(_batch(data, order, size, i))))

                start = [tf.zeros(x.shape, x.dtype) for x in tf.nest.flatten(out)]
                last = tf.while_loop(lambda i, *_: i < stop, body, (first, *start))
                return tf.nest.pack_sequence_as(out, last[1:])

            found = self._loops[key] = _graph(loop)
        return found

    def run_chunk(self, data: Any, size: int, first: int, stop: int, limit: int) -> Any:
        """Run one step a batch on some of the batches that lie in a chunk, in one call. See the JAX backend's."""
        if self._eager:
            return None
        sample = _map(lambda x: tf.TensorSpec((size, *x.shape[1:]), x.dtype), data)
        key = signature(sample)
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
_UNCOMPILED = (
    tf.errors.InvalidArgumentError,
    tf.errors.UnimplementedError,
    tf.errors.NotFoundError,
    tf.errors.InternalError,
)


def _graph(fn: Callable[..., Any], **options: Any) -> Any:
    # TensorFlow counts tracings by code object and would warn of too many as soon as several models train: a partial has none.
    return tf.function(functools.partial(fn), reduce_retracing=True, autograph=False, **options)


def _batch(data: Any, order: Any, size: int, i: Any) -> Any:
    """Batch number `i` of resident data."""
    if order is None:
        return _map(lambda x: tf.ensure_shape(x[i * size : (i + 1) * size], (size, *x.shape[1:])), data)
    index = order[i]
    return _map(lambda x: tf.gather(x, index), data)


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
