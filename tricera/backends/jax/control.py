"""Control: gradients, rematerialisation and abstract evaluation by JAX."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp

from tricera.backends.jax.blocked import looped
from tricera.core import dispatch
from tricera.core.dtypes import numpy_dtype
from tricera.core.remat import Replay
from tricera.core.state import cells
from tricera.core.tensor import Spec
from tricera.core.variable import autocast

GRADIENTS = True


def value_and_grad(fn: Callable[..., Any], variables: Sequence[Any], has_aux: bool = False) -> Callable[..., Any]:
    """A function that gives `fn`'s result and its gradients; what `fn` assigns is assigned afterwards."""
    variables = list(variables)

    def run(*args: Any, **kwargs: Any) -> tuple[Any, list[Any]]:
        updated: list[Any] = []

        def pure(values: list[Any]) -> tuple[Any, Any]:
            with cells(zip(variables, values, strict=True)) as scope:
                out = fn(*args, **kwargs)
                loss, aux = out if has_aux else (out, None)
                updated[:] = scope.updated.values()
                return loss, (aux, [scope.values[id(v)] for v in updated])

        with autocast(None):
            values = [v.value for v in variables]
        with _explained():
            (loss, (aux, new)), grads = jax.value_and_grad(pure, has_aux=True)(values)
        for variable, value in zip(updated, new, strict=True):
            variable.assign(value)
        return ((loss, aux) if has_aux else loss), grads

    return run


def vjp(fn: Callable[[list[Any]], tuple[Any, Any]], primals: list[Any]) -> tuple[Any, Callable[[Any], Any], Any]:
    """Results, the pullback of their cotangents, and what `fn` carries out beside them."""
    with _explained():
        out, back, carried = jax.vjp(fn, primals, has_aux=True)

    def pull(cotangents: Any) -> Any:
        with _explained():
            return back(cotangents)[0]

    return out, pull, carried


@contextlib.contextmanager
def _explained() -> Iterator[None]:
    """A block in which JAX's error for loops of unknown length is told in terms of `ops`."""
    try:
        yield
    except ValueError as error:
        if "differentiation does not work for lax.while_loop" not in str(error):
            raise
        raise ValueError(
            "On JAX, `ops.while_loop` (and `ops.fori_loop` between bounds that are tensors) has no gradient: how many values it "
            "would have to keep is not known. Write it with `ops.fori_loop` between Python integers, or with `ops.scan`."
        ) from error


def remat(fn: Callable[..., Any]) -> Callable[..., Any]:
    """The function, whose intermediate values are computed again in the backward pass."""

    def run(*args: Any, **kwargs: Any) -> Any:
        replay = Replay(fn, args, kwargs, dispatch.current())
        out, new = jax.checkpoint(lambda *tensors: (replay(*tensors), replay.new))(*replay.tensors)
        replay.new = new
        replay.settle(lambda x: x)
        return out

    return run


def replica_mean(x: Any) -> Any:
    """`x`: an array on several devices is one array, so that its mean was that of all."""
    return x


def device(name: Any) -> contextlib.AbstractContextManager[Any]:
    """A block in which arrays are made on a device."""
    if not isinstance(name, str):
        return jax.default_device(name)
    kind, _, index = name.partition(":")
    devices = jax.devices(kind)
    at = int(index or 0)
    if at >= len(devices):
        raise RuntimeError(f"JAX has {len(devices)} devices of the kind {kind!r}; there is no {name!r}.")
    return jax.default_device(devices[at])


def abstract(fn: Callable[..., Any], specs: Sequence[Spec]) -> Any:
    """What `fn` returns for inputs of these shapes, without computing anything."""
    return jax.eval_shape(fn, [jax.ShapeDtypeStruct(s.shape, numpy_dtype(s.dtype)) for s in specs])


def _known(x: Any) -> bool:
    return not isinstance(x, jax.core.Tracer)


def cond(pred: Any, true_fn: Callable[[], Any], false_fn: Callable[[], Any]) -> Any:
    """One of both results; where the condition is known, only that function is looked at."""
    if _known(pred):
        return true_fn() if pred else false_fn()
    return jax.lax.cond(pred, true_fn, false_fn)


def switch(index: Any, branches: Sequence[Callable[..., Any]], operands: Sequence[Any]) -> Any:
    """The result of one branch."""
    return jax.lax.switch(index, branches, *operands)


def while_loop(cond: Callable[..., Any], body: Callable[..., Any], values: tuple[Any, ...], limit: int | None) -> Any:
    """Repeat while the condition holds."""
    cond, body = looped(cond), looped(body)
    if limit is None:
        return jax.lax.while_loop(lambda v: cond(*v), lambda v: body(*v), values)
    _, out = jax.lax.while_loop(
        lambda v: (v[0] < limit) & cond(*v[1]), lambda v: (v[0] + 1, body(*v[1])), (jax.numpy.int32(0), values)
    )
    return out


def fori_loop(lower: Any, upper: Any, body: Callable[[Any, Any], Any], value: Any) -> Any:
    """Repeat for each index."""
    return jax.lax.fori_loop(lower, upper, looped(body), value)


def scan(f: Callable[[Any, Any], Any], carry: Any, xs: Any, length: int, reverse: bool, unroll: Any) -> Any:
    """Carry a value along the first axis."""
    if not 0 < length <= _WRITTEN_OUT or _compiling():
        return jax.lax.scan(looped(f), carry, xs, length, reverse, unroll)
    first = jax.tree_util.tree_map(jnp.asarray, carry)
    held, found = first, [None] * length
    for i in range(length - 1, -1, -1) if reverse else range(length):
        held, found[i] = f(held, jax.tree_util.tree_map(lambda x: x[i], xs))  # noqa: B023 - called at once
        if not _alike(first, held):
            return jax.lax.scan(f, carry, xs, length, reverse, unroll)  # says what is wrong
    return held, jax.tree_util.tree_map(lambda *ys: jnp.stack(ys), *found)


# Outside of compiled code, a loop would be compiled anew for each call, which costs as much as some thousand single ops.
_WRITTEN_OUT = 256


def _compiling() -> bool:
    """Whether what is computed now becomes a program; derivatives alone are computed with values."""
    return isinstance(jnp.zeros(()), jax.core.Tracer)


def _alike(first: Any, second: Any) -> bool:
    flat, held = jax.tree_util.tree_flatten(first)
    others, other = jax.tree_util.tree_flatten(second)
    same: bool = held == other  # type: ignore[operator]
    return same and all(
        jnp.shape(a) == jnp.shape(b) and a.dtype == jnp.result_type(b) for a, b in zip(flat, others, strict=True)
    )


def vectorized_map(function: Callable[[Any], Any], elements: Any) -> Any:
    """The function on all slices at once."""
    return jax.vmap(function)(elements)


def custom_gradient(f: Callable[..., Any]) -> Callable[..., Any]:
    """The function with the gradient that it gives."""
    return jax.custom_gradient(f)


def jvp(fun: Callable[..., Any], primals: Any, tangents: Any, has_aux: bool) -> Any:
    """Value and directional derivative."""
    try:
        return jax.jvp(fun, primals, tangents, has_aux=has_aux)
    except TypeError as error:
        if "custom_vjp" not in str(error):
            raise
        # Of what has a gradient of its own: a pullback is linear in its cotangent, and its own pullback at the tangents is the
        # derivative along them.
        if has_aux:
            out, pull, *aux = jax.vjp(fun, *primals, has_aux=True)
        else:
            (out, pull), aux = jax.vjp(fun, *primals), []
        zeros = jax.tree_util.tree_map(jnp.zeros_like, out)
        return out, jax.vjp(pull, zeros)[1](tuple(tangents))[0], *aux
