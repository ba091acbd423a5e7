"""What wrapping a `torch.nn.Module` needs; a room of torch's alone."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch


def check(module: Any) -> None:
    """Refuse what isn't a module, and modules whose parameters don't exist yet.

    Raises:
        TypeError: it isn't a module.
        ValueError: it has parameters without a shape.
    """
    if not isinstance(module, torch.nn.Module):
        raise TypeError(
            f"TorchModuleWrapper needs a torch.nn.Module, not {module!r:.80} of type {type(module).__name__}."
        )
    lazy = [n for n, p in module.named_parameters() if isinstance(p, torch.nn.parameter.UninitializedParameter)]
    if lazy:
        raise ValueError(
            f"The parameters {', '.join(lazy)} of the module have no shape yet; call the module once before."
        )


def parameters(module: torch.nn.Module) -> list[torch.nn.Parameter]:
    """The module's parameters, each once."""
    return list(module.parameters())


def call(module: torch.nn.Module, args: Any, kwargs: Any, training: bool | None) -> Any:
    """Call it, in training mode or not (None: as it is); on meta tensors no buffer changes."""
    if training is not None and module.training is not bool(training):
        module.train(bool(training))
    if not any(isinstance(x, torch.Tensor) and x.is_meta for x in [*args, *kwargs.values()]):
        return module(*args, **kwargs)
    state = {n: torch.empty_like(v, device="meta") for n, v in [*module.named_parameters(), *module.named_buffers()]}
    return torch.func.functional_call(module, state, args, kwargs)


def state(module: torch.nn.Module) -> dict[str, np.ndarray]:
    """Parameters and buffers by name."""
    return {name: value.detach().cpu().numpy() for name, value in module.state_dict().items()}


def load_state(module: torch.nn.Module, values: Mapping[str, Any]) -> None:
    """Set parameters and buffers; all are checked before any is set.

    Raises:
        ValueError: names or shapes differ.
    """
    own = module.state_dict()
    if set(own) != set(values):
        raise ValueError(f"The module has the state {sorted(own)}; the values given are {sorted(values)}.")
    arrays = {name: np.asarray(values[name]) for name in own}
    for name, value in own.items():
        if tuple(value.shape) != arrays[name].shape:
            raise ValueError(
                f"{name!r} has shape {tuple(value.shape)}; the value given has shape {arrays[name].shape}."
            )
    module.load_state_dict({name: torch.from_numpy(np.array(array)) for name, array in arrays.items()})


def dump(module: torch.nn.Module) -> bytes:
    """The module pickled, its class by reference."""
    target = io.BytesIO()
    torch.save(module, target)
    return target.getvalue()


def load(data: bytes) -> torch.nn.Module:
    """A module from what `dump` gave. It runs whatever code the bytes name: only for bytes that are trusted."""
    return torch.load(io.BytesIO(data), weights_only=False)
