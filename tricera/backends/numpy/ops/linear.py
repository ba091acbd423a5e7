"""Products: NumPy's own."""

from __future__ import annotations

import numpy as _np

from tricera.core.dtypes import FLOAT8 as _FLOAT8

_STORED = ("bfloat16", *_FLOAT8)


def _wide(x):
    return x.astype("int32") if x.dtype == "int8" else x.astype("float32") if x.dtype.name in _STORED else x


def _narrow(out, x):
    # NumPy has no products of bfloat16 and of floats of 8 bits, but of float32.
    return out if x.dtype == "int8" else out.astype(x.dtype, copy=False)


def matmul(x1, x2):
    return _narrow(_np.matmul(_wide(x1), _wide(x2)), x1)


def contract(subscripts, operands):
    return _narrow(_np.einsum(subscripts, *map(_wide, operands), optimize=len(operands) > 2), operands[0])
