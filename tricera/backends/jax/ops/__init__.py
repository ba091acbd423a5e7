"""The ops of this backend: a table of the framework's own functions."""

from __future__ import annotations

from tricera.backends.jax.ops import (
    convolution,
    creation,
    elementwise,
    linalg,
    linear,
    nn,
    pooling,
    recurrent,
    reduce,
    select,
    shape,
    signal,
)
from tricera.backends.table import collect

TABLE = collect(
    convolution, creation, elementwise, linalg, linear, nn, pooling, recurrent, reduce, select, shape, signal
)
DETOURS: dict[str, dict[str, str]] = {}
