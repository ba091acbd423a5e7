"""Control flow while `torch.compile` (or `torch.export`) traces: what depends on values becomes one of torch's own control-flow ops.

A condition that is a tensor has no value then, so that Python can't branch on it. Eager code never comes here.
torch's ops ask that what a branch returns is new (no tensor that goes in, nor the same one twice), so results are copied, which a
compiler takes away again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

from tricera.backends.torch.tensor import convert
from tricera.core import scoped, tree
from tricera.core.shortcut import Memory

Memory.closed = staticmethod(torch.compiler.is_compiling)
scoped.watch(torch.compiler.is_dynamo_compiling)  # a constant for the tracer, and a third of the cost of `is_compiling`

UNROLLED = 32  # steps of a loop of known length that are written out one by one


def unknown(x: Any) -> bool:
    """Whether `x` is a tensor, inside a function that is being traced."""
    return isinstance(x, torch.Tensor) and torch.compiler.is_compiling()


def cond(pred: torch.Tensor, true_fn: Callable[[], Any], false_fn: Callable[[], Any]) -> Any:
    """One of both results."""
    pred = pred.reshape(()).to(torch.bool)
    return _unpacked(torch.cond(pred, lambda: _packed(true_fn()), lambda: _packed(false_fn())))


def switch(index: torch.Tensor, branches: Sequence[Callable[..., Any]], operands: Sequence[Any]) -> Any:
    """The result of one branch: a condition for each but the last."""
    index = index.reshape(())

    def chosen(first: int) -> Any:
        if first == len(branches) - 1:
            return branches[first](*operands)
        return cond(index <= first, lambda: branches[first](*operands), lambda: chosen(first + 1))

    return chosen(0)


def while_loop(cond: Callable[..., Any], body: Callable[..., Any], values: tuple[Any, ...], limit: int | None) -> Any:
    """Repeat while the condition holds."""
    from torch._higher_order_ops.while_loop import while_loop as loop

    start = _fresh(values)
    if torch.is_grad_enabled():
        # What begins without a gradient and gets one in the first step would get a wrong one, silently (2.13): it begins with one of 0.
        first = body(*start)
        start = tree.map_structure(_with_gradient_of, start, tuple(first))
    if limit is None:
        return _fresh(loop(lambda *v: _scalar(cond(*v)), lambda *v: tuple(_fresh(body(*v))), start))
    counter = torch.zeros((), dtype=torch.int32)
    out = loop(
        lambda n, *v: torch.logical_and(n < limit, _scalar(cond(*v))),
        lambda n, *v: (n + 1, *_fresh(body(*v))),
        (counter, *start),
    )
    # With gradients a result is a piece of a tensor of all steps, whose place nothing may ask for.
    return _fresh(out[1:])


def fori_loop(lower: Any, upper: Any, body: Callable[[Any, Any], Any], value: Any) -> Any:
    """Repeat for each index."""
    start, stop = (torch.as_tensor(x).to(torch.int32).reshape(()) for x in (lower, upper))
    return while_loop(lambda i, v: i < stop, lambda i, v: (i + 1, body(i, v)), (start, value), None)[1]


def _scalar(x: Any) -> Any:
    return x.reshape(()).to(torch.bool) if isinstance(x, torch.Tensor) else x


def _copied(x: Any) -> Any:
    return x.clone() if isinstance(x, torch.Tensor) else convert(x)


_NO_CHANGE = torch.zeros((), requires_grad=True)


def _with_gradient_of(x: torch.Tensor, y: Any) -> torch.Tensor:
    lacks = isinstance(y, torch.Tensor) and y.requires_grad and not x.requires_grad and x.is_floating_point()
    return x + _NO_CHANGE.to(x.dtype) if lacks else x


def _fresh(structure: Any) -> Any:
    return tree.map_structure(_copied, structure)


# `torch.cond` takes tensors alone, and has no backward pass where one is of integers (2.13: "outs_to_grad length"). These leave a
# branch as floating-point numbers of the same bits. What something was says the key of a dictionary around it.
_MARK = "tricera:"


def _packed(structure: Any) -> Any:
    gradients = torch.is_grad_enabled()

    def pack(x: Any) -> Any:
        if x is None:
            return {_MARK: torch.zeros(())}
        x = _copied(x)
        if x.is_floating_point() or x.is_complex() or not gradients:
            return x
        return {_MARK + str(x.dtype).rpartition(".")[2]: x.to(torch.int64).view(torch.float64)}

    return tree.map_structure(pack, structure)


def _unpacked(structure: Any) -> Any:
    if isinstance(structure, dict):
        for key, x in structure.items():
            if isinstance(key, str) and key.startswith(_MARK):
                dtype = key[len(_MARK) :]
                return x.detach().view(torch.int64).to(getattr(torch, dtype)) if dtype else None
        return type(structure)((key, _unpacked(x)) for key, x in structure.items())
    if isinstance(structure, tuple) and hasattr(structure, "_fields"):
        return type(structure)(*[_unpacked(x) for x in structure])
    if isinstance(structure, (list, tuple)):
        return type(structure)([_unpacked(x) for x in structure])
    return structure
