"""What the driver of every optimizer does to gradients before the rule and around it: clipping, and updates under a condition."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tricera import ops
from tricera.core.dispatch import Backend
from tricera.core.state import current_cells, functionalize
from tricera.core.variable import Variable


def differ(found: Any, wanted: tuple[int, ...]) -> bool:
    """Whether a native shape is another than the wanted one for sure; in traced code parts of it may be open."""
    if getattr(found, "rank", 0) is None:
        return False
    lengths = tuple(found)
    return len(lengths) != len(wanted) or any(n not in (None, m) for n, m in zip(lengths, wanted, strict=True))


def clip_each(gradients: list[Any], clipnorm: float) -> list[Any]:
    """Scale each gradient so that its norm is at most `clipnorm`."""
    out = []
    for g in gradients:
        squares = ops.sum(g * g)
        norm = ops.sqrt(ops.where(squares > 0, squares, ops.ones_like(squares)))
        out.append(g * clipnorm / ops.maximum(norm, ops.ones_like(norm) * clipnorm))
    return out


def clip_together(gradients: list[Any], clipnorm: float) -> list[Any]:
    """Scale all gradients so that their joint norm is at most `clipnorm`; a norm that is not finite makes them NaN."""
    norm = global_norm(gradients)
    scale = clipnorm / ops.maximum(norm, ops.ones_like(norm) * clipnorm) + (norm - norm)
    return [g * ops.cast(scale, g.dtype) for g in gradients]


def global_norm(gradients: list[Any]) -> Any:
    """The norm of all gradients as one vector."""
    total = ops.sum(gradients[0] * gradients[0])
    for g in gradients[1:]:
        total = total + ops.sum(g * g)
    return ops.sqrt(total)


def all_finite(gradients: list[Any]) -> Any:
    """A scalar bool: whether no gradient holds NaN or an infinity."""
    flags = [ops.all(ops.isfinite(g)) for g in gradients]
    out = flags[0]
    for flag in flags[1:]:
        out = ops.logical_and(out, flag)
    return out


def when(backend: Backend, flag: Any, run: Callable[[], Any], variables: Sequence[Any]) -> None:
    """Run something that assigns variables where `flag`, a scalar bool tensor, holds; also inside traced code.

    Args:
        backend: that of the flag and the variables.
        flag: the condition.
        run: what is to be done.
        variables: all that it may assign.
    """
    known = backend.optimizer.known(flag)
    if known is not None:
        if known:
            run()
        return
    if current_cells.get() is None and backend.optimizer.branch(flag, run):
        return
    pure = functionalize(run, variables)
    new = backend.optimizer.cond(flag, lambda values: pure(values)[1], [v.value for v in variables])
    for variable, value in zip(variables, new, strict=True):
        variable.assign(value)


def accumulate(backend: Backend, totals: Sequence[Variable], gradients: Sequence[Any]) -> None:
    """Add gradients to variables, in place where the backend can."""
    if current_cells.get() is None and backend.optimizer.accumulate([v.native for v in totals], gradients):
        return
    for total, g in zip(totals, gradients, strict=True):
        total.assign(total.value + g)
