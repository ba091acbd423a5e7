"""The ops of this backend: a table of the framework's own functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from tricera.backends.table import collect, with_eight_bits
from tricera.backends.torch.ops import (
    convolution,
    creation,
    elementwise,
    image,
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
    convolution, creation, elementwise, image, linalg, linear, nn, pooling, recurrent, reduce, select, shape, signal
)

# Kernels that take a Python number as it is, second or first: a tensor of it would have to be made, on an accelerator even sent.
# Only where the number is exact enough in the tensor's dtype: torch computes with it in the dtype or in a wider one.
WITH_NUMBERS: dict[str, tuple[Callable[..., Any] | None, Callable[..., Any]]] = {
    "add": (lambda x1, x2: torch.add(x2, x1), torch.add),
    "subtract": (lambda x1, x2: torch.rsub(x2, x1), torch.sub),
    "multiply": (lambda x1, x2: torch.mul(x2, x1), torch.mul),
    "divide": (None, torch.div),
    "greater": (lambda x1, x2: torch.lt(x2, x1), torch.gt),
    "greater_equal": (lambda x1, x2: torch.le(x2, x1), torch.ge),
    "less": (lambda x1, x2: torch.gt(x2, x1), torch.lt),
    "less_equal": (lambda x1, x2: torch.ge(x2, x1), torch.le),
    "equal": (lambda x1, x2: torch.eq(x2, x1), torch.eq),
    "not_equal": (lambda x1, x2: torch.ne(x2, x1), torch.ne),
}

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
_NARROW, _WIDE = ("int8", "uint8", "int16", "uint16"), ("int32", "uint32", "int64")
DETOURS["adaptive_max_pool"] = {**dict.fromkeys(_NARROW, "float32"), **dict.fromkeys(_WIDE, "float64")}
DETOURS = with_eight_bits(DETOURS, TABLE)
