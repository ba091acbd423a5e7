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
    recurrent,
    reduce,
    select,
    shape,
    signal,
)

TABLE = collect(
    convolution, creation, elementwise, linalg, linear, nn, pooling, recurrent, reduce, select, shape, signal
)

# torch's CPU kernels know the unsigned 16 and 32 bits hardly at all.
_UNSIGNED = {"uint16": "int32", "uint32": "int64"}
_OPS = (
    "absolute", "add", "subtract", "multiply", "floor_divide", "mod", "power", "maximum", "minimum", "less", "less_equal", "greater",
    "greater_equal", "equal", "not_equal", "logical_and", "logical_or", "logical_xor", "logical_not", "negative", "sign", "square",
    "left_shift", "right_shift", "bitwise_and", "bitwise_or", "bitwise_xor", "gcd", "lcm", "sort", "max", "min",
    "where", "clip",
)  # fmt: skip
DETOURS: dict[str, dict[str, str]] = {name: _UNSIGNED for name in _OPS if name in TABLE}
DETOURS["absolute"] = {**_UNSIGNED, "bool": "uint8"}
DETOURS["trunc"] = {"bool": "uint8"}
