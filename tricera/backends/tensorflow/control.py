"""Control: gradients, rematerialisation and abstract evaluation by TensorFlow."""

from __future__ import annotations

import contextlib
import contextvars
import functools
import logging
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from tricera.core import dispatch, tree
from tricera.core.remat import Replay
from tricera.core.state import MISSING, current_cells
from tricera.core.tensor import Spec

GRADIENTS = True


def value_and_grad(fn: Callable[..., Any], variables: Sequence[Any], has_aux: bool = False) -> Callable[..., Any]:
    """A function that gives `fn`'s result and its gradients (None for variables that it does not use)."""
    variables = list(variables)

    def run(*args: Any, **kwargs: Any) -> tuple[Any, list[Any]]:
        scope = current_cells.get()
        inner = [MISSING if scope is None else scope.read(v) for v in variables]
        sources = [v.native if x is MISSING else x for v, x in zip(variables, inner, strict=True)]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(sources)
            out = fn(*args, **kwargs)
            loss, aux = out if has_aux else (out, None)
        grads = tape.gradient(loss, sources)
        return ((loss, aux) if has_aux else loss), grads

    return run


def vjp(fn: Callable[[list[Any]], tuple[Any, Any]], primals: list[Any]) -> tuple[Any, Callable[[Any], Any], Any]:
    """Results, the pullback of their cotangents, and what `fn` carries out beside them."""
    # Copies: a tensor that comes twice among the primals counts as two.
    primals = [tf.identity(x) for x in primals]
    with tf.GradientTape(persistent=True, watch_accessed_variables=False) as tape:
        tape.watch(primals)
        out, carried = fn(primals)
        # A result that is an argument itself gets an entry of its own on the tape.
        out = [tf.identity(y) for y in out]

    def pull(cotangents: Any) -> Any:
        grads = tape.gradient(out, primals, list(cotangents), unconnected_gradients=tf.UnconnectedGradients.ZERO)
        return [tf.convert_to_tensor(g) for g in grads]

    return out, pull, carried


def remat(fn: Callable[..., Any]) -> Callable[..., Any]:
    """The function, whose intermediate values are computed again in the backward pass."""

    def run(*args: Any, **kwargs: Any) -> Any:
        replay = Replay(fn, args, kwargs, dispatch.current())

        def again(*tensors: Any) -> Any:  # a second derivative asks for the function's name
            return replay(*tensors)

        out = tf.recompute_grad(again)(*replay.tensors)
        replay.settle(tf.identity)
        return out

    return run


def replica_mean(x: Any) -> Any:
    """The mean over the replicas of a `tf.distribute` strategy, with its gradient."""
    here = tf.distribute.get_replica_context()
    if here is None or here.num_replicas_in_sync == 1:
        return x
    return here.all_reduce(tf.distribute.ReduceOp.MEAN, x)


def device(name: Any) -> contextlib.AbstractContextManager[Any]:
    """A block in which tensors are made on a device."""
    if isinstance(name, str):
        kind, _, index = name.partition(":")
        if int(index or 0) >= len(tf.config.list_logical_devices(kind.upper())):
            raise RuntimeError(f"TensorFlow has no device {name!r} here.")
    return tf.device(name)


def abstract(fn: Callable[..., Any], specs: Sequence[Spec]) -> Any:
    """What `fn` returns for inputs of these shapes, traced into a graph that is thrown away; variables are captured by it."""
    with tf.__internal__.FuncGraph("abstract").as_default():
        return fn([tf.compat.v1.placeholder(s.dtype, s.shape) for s in specs])


def cond(pred: Any, true_fn: Callable[[], Any], false_fn: Callable[[], Any]) -> Any:
    """One of both results; where the condition is known, only that function is looked at."""
    if not isinstance(pred, tf.Tensor) or hasattr(pred, "numpy"):
        return true_fn() if pred else false_fn()
    return tf.cond(tf.cast(pred, tf.bool), true_fn, false_fn)


def switch(index: Any, branches: Sequence[Callable[..., Any]], operands: Sequence[Any]) -> Any:
    """The result of one branch."""
    last = len(branches) - 1
    index = tf.clip_by_value(tf.cast(index, tf.int32), 0, last)
    return tf.switch_case(index, {i: functools.partial(b, *operands) for i, b in enumerate(branches)})


def while_loop(cond: Callable[..., Any], body: Callable[..., Any], values: tuple[Any, ...], limit: int | None) -> Any:
    """Repeat while the condition holds."""
    if tf.executing_eagerly():
        done = 0
        while (limit is None or done < limit) and cond(*values):
            after = body(*values)
            tf.nest.assert_same_structure(values, after, check_types=False)
            values, done = after, done + 1
        return tree.map_structure(tf.convert_to_tensor, values)
    return tf.while_loop(cond, body, values, maximum_iterations=limit)


def fori_loop(lower: Any, upper: Any, body: Callable[[Any, Any], Any], value: Any) -> Any:
    """Repeat for each index."""
    if tf.executing_eagerly():
        for i in range(int(lower), int(upper)):
            value = body(tf.constant(i), value)
        return tree.map_structure(tf.convert_to_tensor, value)
    start = tf.cast(lower, tf.int32)
    # XLA differentiates only loops whose number of rounds it knows.
    known = not isinstance(lower, tf.Tensor) and not isinstance(upper, tf.Tensor)
    return tf.while_loop(
        lambda i, _: i < tf.cast(upper, tf.int32),
        lambda i, v: (i + 1, body(i, v)),
        (start, value),
        maximum_iterations=max(int(upper) - int(lower), 0) if known else None,
    )[1]


def scan(f: Callable[[Any, Any], Any], carry: Any, xs: Any, length: Any, reverse: bool, unroll: Any) -> Any:
    """Carry a value along the first axis."""
    if tf.executing_eagerly():
        return _scan_at_once(f, carry, xs, length, reverse)
    if length is None:
        length = tf.shape(tree.flatten(xs)[0])[0]
    if not isinstance(length, tf.Tensor) and length == 0:
        return carry, None
    first = length - 1 if reverse else 0
    inputs = [] if xs is None else tree.flatten(xs)

    def call(i: Any, held: Any) -> Any:
        return f(held, None if xs is None else tree.pack_sequence_as(xs, [x[i] for x in inputs]))

    # The first step is taken outside of the loop: it tells of what structure the results are.
    carry, y = call(first, carry)
    flat = [] if y is None else [tf.convert_to_tensor(v) for v in tree.flatten(y)]
    arrays = tuple(tf.TensorArray(v.dtype, length, element_shape=v.shape).write(first, v) for v in flat)

    def step(done: Any, held: Any, results: Any) -> Any:
        i = length - 1 - done if reverse else done
        held, out = call(i, held)
        flat = [] if out is None else tree.flatten(out)
        return done + 1, held, tuple(a.write(i, v) for a, v in zip(results, flat, strict=True))

    limit = None if isinstance(length, tf.Tensor) else length - 1
    _, carry, arrays = tf.while_loop(
        lambda done, *_: done < length, step, (tf.constant(1), carry, arrays), maximum_iterations=limit
    )
    return carry, None if y is None else tree.pack_sequence_as(y, [a.stack() for a in arrays])


def _scan_at_once(f: Callable[[Any, Any], Any], carry: Any, xs: Any, length: int, reverse: bool) -> Any:
    """The same where ops run at once: a loop of the framework would be Python, too, and cut each slice out by itself."""
    slices: Any = [None] * length
    if xs is not None:
        rows = zip(*(tf.raw_ops.Unpack(value=x, num=length, axis=0) for x in tree.flatten(xs)), strict=True)
        slices = [tree.pack_sequence_as(xs, row) for row in rows]
    results, y = [], None
    for x in reversed(slices) if reverse else slices:
        after, y = f(carry, x)
        tf.nest.assert_same_structure(carry, after, check_types=False)
        carry = after
        results.append([] if y is None else tree.flatten(y))
    results = results[::-1] if reverse else results
    carry = tree.map_structure(tf.convert_to_tensor, carry)
    return carry, None if y is None else tree.pack_sequence_as(y, [tf.stack(v) for v in zip(*results, strict=True)])


def vectorized_map(function: Callable[[Any], Any], elements: Any) -> Any:
    """The function on all slices at once."""
    logger = tf.get_logger()
    level = logger.level
    logger.setLevel(logging.CRITICAL)  # what can't be mapped raises; it need not be printed as a page of nodes before
    try:
        return tf.vectorized_map(function, elements)
    finally:
        logger.setLevel(level)


def custom_gradient(f: Callable[..., Any]) -> Callable[..., Any]:
    """The function with the gradient that it gives."""
    own = tf.custom_gradient(f)

    @functools.wraps(f)
    def run(*args: Any, **kwargs: Any) -> Any:
        if _going_forward.get():  # an accumulator would look into the function instead
            raise NotImplementedError("A function with a gradient of its own has no forward derivative.")
        return own(*args, **kwargs)

    return run


_going_forward: contextvars.ContextVar[bool] = contextvars.ContextVar("tricera_forward", default=False)


def jvp(fun: Callable[..., Any], primals: Any, tangents: Any, has_aux: bool) -> Any:
    """Value and directional derivative."""
    try:
        return _forward(fun, primals, tangents, has_aux)
    except Exception:  # TensorFlow knows no such derivative of loops in graphs, nor of what has a gradient of its own
        return _pulled_twice(fun, primals, tangents, has_aux)


def _forward(fun: Callable[..., Any], primals: Any, tangents: Any, has_aux: bool) -> Any:
    token = _going_forward.set(True)
    try:
        with tf.autodiff.ForwardAccumulator(list(primals), list(tangents)) as accumulator:
            out = fun(*primals)
            out, aux = out if has_aux else (out, None)
    finally:
        _going_forward.reset(token)
    derivative = tree.map_structure(
        lambda y: accumulator.jvp(y, unconnected_gradients=tf.UnconnectedGradients.ZERO), out
    )
    return (out, derivative, aux) if has_aux else (out, derivative)


def _pulled_twice(fun: Callable[..., Any], primals: Any, tangents: Any, has_aux: bool) -> Any:
    """The same: a pullback is linear in its cotangent, and its own pullback at the tangents is the derivative along them."""
    with tf.GradientTape(persistent=True, watch_accessed_variables=False) as outer:
        primals = [tf.identity(x) for x in primals]
        with tf.GradientTape(persistent=True, watch_accessed_variables=False) as inner:
            inner.watch(primals)
            out = fun(*primals)
            out, aux = out if has_aux else (out, None)
            flat = [tf.identity(y) for y in tree.flatten(out)]
        cotangents = [tf.zeros_like(y) for y in flat]
        outer.watch(cotangents)
        pulled = inner.gradient(flat, primals, cotangents, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        pulled = [tf.convert_to_tensor(g) for g in pulled]
    slopes = outer.gradient(pulled, cotangents, list(tangents), unconnected_gradients=tf.UnconnectedGradients.ZERO)
    derivative = tree.pack_sequence_as(out, slopes)
    return (out, derivative, aux) if has_aux else (out, derivative)
