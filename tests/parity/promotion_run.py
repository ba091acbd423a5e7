"""The dtype of every op of two operands for every pair of dtypes; run as a script it writes Keras's answers."""

from __future__ import annotations

import itertools
import json
import sys
from typing import Any

DTYPES = (
    "bool", "uint8", "uint16", "uint32", "int8", "int16", "int32", "int64", "bfloat16", "float16", "float32", "float64",
)  # fmt: skip
MATRICES = (
    "add", "subtract", "multiply", "divide", "true_divide", "floor_divide", "mod", "power", "maximum", "minimum", "equal", "not_equal",
    "less", "less_equal", "greater", "greater_equal", "logical_and", "logical_or", "logical_xor", "arctan2", "hypot", "logaddexp",
    "logaddexp2", "bitwise_and", "bitwise_or", "bitwise_xor", "bitwise_left_shift", "bitwise_right_shift", "left_shift",
    "right_shift", "fmax", "fmin", "fmod", "gcd", "lcm", "heaviside", "nextafter", "matmul", "tensordot", "outer", "kron", "cross",
    "append", "isclose", "divide_no_nan", "inner",
)  # fmt: skip
VECTORS = ("vdot", "correlate", "dot")
LISTS = ("concatenate", "stack", "hstack", "vstack")
NAMES = (*MATRICES, *VECTORS, *LISTS, "where")


def call(ops: Any, name: str, a: Any, b: Any, condition: Any) -> Any:
    """The op on two tensors."""
    if name == "where":
        return ops.where(condition, a, b)
    return getattr(ops, name)([a, b]) if name in LISTS else getattr(ops, name)(a, b)


def dtypes(package: Any) -> dict[str, str]:
    """What is inferred for symbolic operands."""
    found = {}
    for name, a, b in itertools.product(NAMES, DTYPES, DTYPES):
        shape = (3,) if name in VECTORS else (3, 3)
        x, y, condition = (package.KerasTensor(shape, dtype=d) for d in (a, b, "bool"))
        try:
            found[f"{name} {a} {b}"] = call(package.ops, name, x, y, condition).dtype
        except TypeError:
            found[f"{name} {a} {b}"] = "TypeError"
    return found


if __name__ == "__main__":
    import keras

    with open(sys.argv[1], "w") as file:
        json.dump(dtypes(keras), file)
