"""Gradients that work alike on JAX, PyTorch and TensorFlow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tricera.core import dispatch
from tricera.core.variable import Variable


def value_and_grad(fn: Callable[..., Any], variables: Sequence[Variable], has_aux: bool = False) -> Callable[..., Any]:
    """A function that returns what `fn` returns and its gradients with respect to variables.

    `fn` may assign variables (moving averages, seeds, metrics); the assignments take effect. It runs eagerly and inside
    compiled steps, the same on each backend with gradients.

    Args:
        fn: returns a scalar tensor, or with `has_aux` a pair (scalar, anything).
        variables: with respect to which.
        has_aux: whether `fn` returns a pair.

    Returns:
        `run(*args, **kwargs) -> (fn's result, [one gradient a variable, None where unused on torch and TensorFlow])`.

    Raises:
        ValueError: no variables are given, or they belong to different backends.
        NotImplementedError: the backend has no gradients (NumPy).

    Example:
        >>> from tricera import ops
        >>> w = Variable([3.0])
        >>> loss, grads = value_and_grad(lambda: ops.sum(w * w), [w])()
        >>> float(loss), float(grads[0][0])
        (9.0, 6.0)
    """
    variables = list(variables)
    if not variables:
        raise ValueError("`value_and_grad` needs at least one variable; is everything frozen (`trainable = False`)?")
    backends = {v.backend for v in variables}
    if len(backends) > 1:
        raise ValueError(f"The variables belong to different backends: {', '.join(sorted(backends))}.")
    backend = dispatch.get(backends.pop())
    inner = backend.control.value_and_grad(fn, variables, has_aux)

    def run(*args: Any, **kwargs: Any) -> Any:
        with dispatch.use(backend):
            return inner(*args, **kwargs)

    return run


def grad(fn: Callable[..., Any], variables: Sequence[Variable]) -> Callable[..., Any]:
    """As `value_and_grad`, the gradients alone."""
    both = value_and_grad(fn, variables)
    return lambda *args, **kwargs: both(*args, **kwargs)[1]
