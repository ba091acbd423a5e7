"""Saying in an error which layer it happened in: once, in the innermost layer, whatever raised it."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from tricera.core.checks import plain
from tricera.core.graph import public_class

_SAYS = "In the layer "
# Options of a few numbers: lengths, axes, ranges. They may come as arrays, and are tuples from then on, in configs, too.
_FEW = frozenset((
    "attention_axes", "axes", "axis", "batch_shape", "cropping", "dilation_rate", "dims", "factor", "kernel_size", "noise_shape",
    "output_padding", "output_shape", "output_size", "padding", "pool_size", "salt", "shape", "shared_axes", "sigma", "size", "strides",
    "target_shape", "tile_grid_size", "value_range",
))  # fmt: skip


def _few(name: str, value: Any) -> Any:
    """A tuple in the place of an array of a few numbers."""
    if (
        not isinstance(value, np.ndarray)
        or value.dtype.kind not in "iuf"
        or not (name in _FEW or name.endswith("_factor"))
    ):
        return value
    return tuple(tuple(v) if isinstance(v, list) else v for v in value.tolist()) if value.ndim else value.item()


def locate(error: Exception, layer: Any, inputs: dict[str, Any] | None = None, name: str | None = None) -> None:
    """Add to an error the layer's name and class, and what it was called on.

    ValueErrors and TypeErrors get it in their message, others as a note, since their classes may read their arguments.

    Args:
        error: the error, changed in place; one that names a layer already stays as it is.
        layer: where it happened.
        inputs: argument name -> value of the call, None in a constructor or `build`.
        name: what its constructor was told to call it.
    """
    plain = type(error) in (ValueError, TypeError) and len(error.args) == 1 and isinstance(error.args[0], str)
    if _SAYS in (error.args[0] if plain else "") or any(_SAYS in note for note in getattr(error, "__notes__", ())):
        return
    name = layer.__dict__.get("_path", layer.__dict__.get("name", name))
    where = (
        f"{_SAYS}{name!r} ({public_class(layer).__name__})" if name else f"{_SAYS}class {public_class(layer).__name__}"
    )
    if inputs is not None:
        where += f", called on {', '.join(f'{k}: {_shown(x)}' for k, x in inputs.items())}"
    if plain:
        error.args = (f"{error.args[0]}\n{where}.",)
    else:
        error.add_note(f"{where}.")


def _shown(x: Any) -> str:
    if hasattr(x, "shape"):
        return f"{getattr(x, 'dtype', '')}{list(x.shape)}"
    if isinstance(x, dict):
        return f"{{{', '.join(f'{k}: {_shown(v)}' for k, v in x.items())}}}"
    if isinstance(x, (list, tuple)) and any(hasattr(item, "shape") for item in x):
        return f"[{', '.join(map(_shown, x))}]"
    return f"{x!r:.60}"


def locating(method: Callable[..., None]) -> Callable[..., None]:
    """A constructor whose errors say which layer they are about; those of Tricera's own layers take NumPy's scalars for numbers."""
    own = method.__module__.startswith("tricera.")

    @functools.cache
    def names() -> list[str]:
        return [p.name for p in inspect.signature(method).parameters.values() if p.kind is not p.VAR_POSITIONAL][1:]

    @functools.wraps(method)
    def wrapped(self: Any, *args: Any, **kwargs: Any) -> None:
        if own:
            if any(isinstance(value, np.ndarray) for value in (*args, *kwargs.values())):
                args = (*map(_few, names(), args), *args[len(names()) :])
                kwargs = {name: _few(name, value) for name, value in kwargs.items()}
            args, kwargs = tuple(map(plain, args)), {key: plain(value) for key, value in kwargs.items()}
        try:
            method(self, *args, **kwargs)
        except Exception as error:
            name = self.__dict__.get("name", kwargs.get("name"))
            if isinstance(name, str) and _says_another(error, name):
                error.add_note(f"It is part of the layer {name!r} ({public_class(self).__name__}).")
            locate(error, self, name=name)
            raise

    return wrapped


def _says_another(error: Exception, name: str) -> bool:
    """Whether an error is about another layer than that of the name: one inside of it, such as its cell."""
    said = [str(error), *getattr(error, "__notes__", ())]
    return any(_SAYS in line for line in said) and not any(repr(name) in line for line in said)
