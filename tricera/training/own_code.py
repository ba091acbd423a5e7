"""Whether a step runs nothing but the library's code, which does the same each time, or also a user's, which may do anything."""

from __future__ import annotations

import functools
from typing import Any

from tricera.core.graph import public_class
from tricera.layers import tracking

_HOME = __name__.partition(".")[0]


def only_ours(model: Any) -> bool:
    """Whether the code of all layers, losses and metrics of a model, and all functions that they were given, are the library's."""
    compiled = model._compiled
    parts = [*model._flatten_layers(), *model.metrics]
    if compiled is not None and compiled.loss is not None:
        parts += [compiled.loss, *(x for x in getattr(compiled.loss, "_losses", ()) if x is not None)]
    if compiled is not None and compiled.compile_metrics is not None:
        parts += compiled.compile_metrics.metrics
    return all(map(_ours, parts)) and all(_ours(value) for part in parts for value in _functions(part))


def _functions(part: Any) -> list[Any]:
    held = [v for name, v in part.__dict__.items() if name not in tracking.NOT_OWNED]
    return [x for x in tracking.held(held) if callable(x) and not isinstance(x, type)]


def _ours(x: Any) -> bool:
    if isinstance(x, functools.partial):
        return _ours(x.func)
    home = getattr(x, "__module__", None) if hasattr(x, "__qualname__") else public_class(x).__module__
    return isinstance(home, str) and home.partition(".")[0] == _HOME
