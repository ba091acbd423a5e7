"""Control: NumPy runs Python as it is, and has no gradients."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tricera.core import tree
from tricera.core.dtypes import numpy_dtype
from tricera.core.tensor import Spec

GRADIENTS = False


def value_and_grad(fn: Callable[..., Any], variables: Sequence[Any], has_aux: bool = False) -> Callable[..., Any]:
    """Refuse, with what to do."""
    raise NotImplementedError(
        "The NumPy backend has no gradients, so it can't train. Choose another backend, "
        "or move the model: `model.to_backend('jax')`."
    )


def vjp(fn: Callable[[list[Any]], tuple[Any, Any]], primals: list[Any]) -> tuple[Any, Callable[[Any], Any], Any]:
    """Refuse, with what to do."""
    raise NotImplementedError(
        "The NumPy backend has no derivatives. Choose another backend: `tricera.backend.use('jax')`."
    )


def remat(fn: Callable[..., Any]) -> Callable[..., Any]:
    """The function itself: nothing is kept for a backward pass."""
    return fn


def replica_mean(x: Any) -> Any:
    """`x`: nothing runs beside."""
    return x


def device(name: Any) -> contextlib.AbstractContextManager[Any]:
    """NumPy has one device, `"cpu"`."""
    if name not in ("cpu", "cpu:0"):
        raise RuntimeError(f"NumPy runs on the CPU alone; there is no device {name!r}.")
    return contextlib.nullcontext()


def abstract(fn: Callable[..., Any], specs: Sequence[Spec]) -> Any:
    """What `fn` returns for inputs of these shapes, found with zeros."""
    return fn([np.zeros(s.shape, numpy_dtype(s.dtype)) for s in specs])


def cond(pred: Any, true_fn: Callable[[], Any], false_fn: Callable[[], Any]) -> Any:
    """One of both results."""
    return true_fn() if pred else false_fn()


def switch(index: Any, branches: Sequence[Callable[..., Any]], operands: Sequence[Any]) -> Any:
    """The result of one branch."""
    return branches[min(max(int(index), 0), len(branches) - 1)](*operands)


def while_loop(cond: Callable[..., Any], body: Callable[..., Any], values: tuple[Any, ...], limit: int | None) -> Any:
    """Repeat while the condition holds."""
    done = 0
    while (limit is None or done < limit) and cond(*values):
        values = body(*values)
        done += 1
    return values


def fori_loop(lower: Any, upper: Any, body: Callable[[Any, Any], Any], value: Any) -> Any:
    """Repeat for each index."""
    for i in range(int(lower), int(upper)):
        value = body(np.int32(i), value)
    return value


def scan(f: Callable[[Any, Any], Any], carry: Any, xs: Any, length: int, reverse: bool, unroll: Any) -> Any:
    """Carry a value along the first axis."""
    order = range(length - 1, -1, -1) if reverse else range(length)
    results = []
    for i in order:
        carry, y = f(carry, None if xs is None else tree.map_structure(lambda x: x[i], xs))  # noqa: B023 - called at once
        results.append(y)
    if not results or results[0] is None:
        return carry, None
    results = results[::-1] if reverse else results
    return carry, tree.map_structure(lambda *ys: np.stack([np.asarray(y) for y in ys]), *results)


def vectorized_map(function: Callable[[Any], Any], elements: Any) -> Any:
    """The function on each slice."""
    size = len(tree.flatten(elements)[0])
    return scan(lambda _, x: (None, function(x)), None, elements, size, False, 1)[1]


def custom_gradient(f: Callable[..., Any]) -> Callable[..., Any]:
    """The result alone: there are no gradients here."""

    def run(*args: Any, **kwargs: Any) -> Any:
        return f(*args, **kwargs)[0]

    return run


def jvp(fun: Callable[..., Any], primals: Any, tangents: Any, has_aux: bool) -> Any:
    """Refuse, with what to do."""
    raise NotImplementedError(
        "The NumPy backend has no derivatives. Choose another backend: `tricera.backend.use('jax')`."
    )
