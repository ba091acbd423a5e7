"""The ops of this backend: a table of the framework's own functions."""

from __future__ import annotations

from tricera.backends.numpy.ops import creation, elementwise, linear, nn, reduce, select, shape
from tricera.backends.table import collect

TABLE = collect(creation, elementwise, linear, nn, reduce, select, shape)
