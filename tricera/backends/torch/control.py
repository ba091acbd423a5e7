"""Control: gradients, rematerialisation and abstract evaluation by torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.utils.checkpoint

from tricera.backends.torch.tensor import DTYPES
from tricera.core import tree
from tricera.core.state import cells
from tricera.core.tensor import Spec
from tricera.core.variable import autocast

GRADIENTS = True


def _detached(x: Any) -> Any:
    return x.detach() if isinstance(x, torch.Tensor) else x


def value_and_grad(fn: Callable[..., Any], variables: Sequence[Any], has_aux: bool = False) -> Callable[..., Any]:
    """A function that gives `fn`'s result and its gradients (None for variables that it does not use)."""
    variables = list(variables)

    def run(*args: Any, **kwargs: Any) -> tuple[Any, list[Any]]:
        with torch.enable_grad():
            out = fn(*args, **kwargs)
            loss, aux = out if has_aux else (out, None)
            with autocast(None):
                sources = [v.value for v in variables]
            wanted = [s for s in sources if s.requires_grad]
            found = torch.autograd.grad(loss, wanted, allow_unused=True) if wanted else ()
        grads = dict(zip(map(id, wanted), found, strict=True))
        loss = loss.detach()
        result = (loss, tree.map_structure(_detached, aux)) if has_aux else loss
        return result, [grads.get(id(s)) for s in sources]

    return run


def remat(fn: Callable[..., Any]) -> Callable[..., Any]:
    """The function, whose intermediate values are computed again in the backward pass."""

    def run(*args: Any, **kwargs: Any) -> Any:
        return torch.utils.checkpoint.checkpoint(fn, *args, use_reentrant=False, **kwargs)

    return run


def abstract(fn: Callable[..., Any], specs: Sequence[Spec], variables: Sequence[Any] = ()) -> Any:
    """What `fn` returns for inputs of these shapes, run on meta tensors, which hold no data."""
    meta = torch.device("meta")
    stand_ins = [(v, torch.empty(v.shape, dtype=DTYPES[v.dtype], device=meta)) for v in variables]
    with cells(stand_ins), torch.no_grad(), meta:
        return fn([torch.empty(s.shape, dtype=DTYPES[s.dtype], device=meta) for s in specs])
