"""The ops of this backend: a table of the framework's own functions."""

from __future__ import annotations

from tricera.backends.table import collect
from tricera.backends.torch.ops import (
    convolution,
    creation,
    elementwise,
    linalg,
    linear,
    nn,
    pooling,
    reduce,
    select,
    shape,
    signal,
)

TABLE = collect(convolution, creation, elementwise, linalg, linear, nn, pooling, reduce, select, shape, signal)
