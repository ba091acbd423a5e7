"""Products: NumPy's own."""

from __future__ import annotations

import numpy as _np


def _wide(x):
    return x.astype("int32") if x.dtype == "int8" else x


def matmul(x1, x2):
    return _np.matmul(_wide(x1), _wide(x2))


def contract(subscripts, operands):
    return _np.einsum(subscripts, *map(_wide, operands), optimize=len(operands) > 2)
