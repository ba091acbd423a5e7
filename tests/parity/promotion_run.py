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


UNARY = (
    "abs", "absolute", "angle", "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctanh", "argmax", "argmin", "argsort", "all",
    "amax", "amin", "any", "average", "bitwise_invert", "bitwise_not", "cbrt", "ceil", "celu", "conj", "copy", "corrcoef", "cos",
    "cosh", "count_nonzero", "cumprod", "cumsum", "deg2rad", "diag", "diagonal", "diff", "elu", "erf", "erfinv", "exp", "exp2",
    "expand_dims", "expm1", "flip", "floor", "gelu", "glu", "hard_shrink", "hard_sigmoid", "hard_silu", "hard_tanh", "imag",
    "isfinite", "isinf", "isnan", "isneginf", "isposinf", "isreal", "leaky_relu", "log", "log10", "log1p", "log2", "log_sigmoid",
    "log_softmax", "logical_not", "logsumexp", "max", "mean", "median", "min", "mish", "moveaxis", "nan_to_num", "nanmax", "nanmean",
    "nanmin", "nanprod", "nanstd", "nansum", "nanvar", "negative", "norm", "nonzero", "ones_like", "prod", "ptp", "quantile", "ravel",
    "real", "reciprocal", "relu", "relu6", "repeat", "reshape", "roll", "rot90", "round", "rsqrt", "selu", "sigmoid", "sign",
    "signbit", "silu", "sin", "sinc", "sinh", "soft_shrink", "softmax", "softplus", "softsign", "sort", "sparse_plus",
    "sparse_sigmoid", "sqrt", "square", "squareplus", "squeeze", "std", "sum", "tan", "tanh", "tanh_shrink", "threshold", "tile",
    "top_k", "trace", "transpose", "trapezoid", "tril", "triu", "trunc", "unstack", "vander", "var", "zeros_like", "det", "inv",
    "cholesky", "svd", "eigh", "qr", "logdet", "pinv", "matrix_rank", "normalize", "moments", "rfft", "erfc", "i0", "nancumsum",
)  # fmt: skip
MORE = {
    "quantile": (0.5,), "repeat": (2,), "expand_dims": (0,), "moveaxis": (0, 1), "roll": (1,), "reshape": ((-1,),), "top_k": (1,),
    "threshold": (0.5, 0.0), "tile": (2,), "moments": ([0],),
}  # fmt: skip
SCALARS = {"bool": True, "int": 2, "float": 2.5}


def of_one(package: Any) -> dict[str, Any]:
    """What is inferred for one symbolic operand of each dtype, and for one beside a Python number."""
    found: dict[str, Any] = {}

    def note(key: str, call: Any) -> None:
        try:
            out = call()
        except Exception as error:  # that it refuses is a result
            found[key] = type(error).__name__
            return
        found[key] = [x.dtype for x in out] if isinstance(out, (list, tuple)) else out.dtype

    for name, dtype in itertools.product(UNARY, DTYPES):
        shape = (6,) if name == "vander" else (1, 4, 4) if name == "squeeze" else (4, 4)
        x = package.KerasTensor(shape, dtype=dtype)
        note(f"{name} {dtype}", lambda n=name, x=x: getattr(package.ops, n)(x, *MORE.get(n, ())))
    elementwise = MATRICES[: MATRICES.index("logaddexp2")]
    for name, dtype, (kind, number) in itertools.product(elementwise, DTYPES, SCALARS.items()):
        x = package.KerasTensor((4, 4), dtype=dtype)
        note(f"{name} {dtype} {kind}", lambda n=name, x=x, v=number: getattr(package.ops, n)(x, v))
        note(f"{name} {kind} {dtype}", lambda n=name, x=x, v=number: getattr(package.ops, n)(v, x))
    return found


def lattice(package: Any) -> dict[str, str]:
    """`backend.result_type` of all pairs, the eight-bit floats among them."""
    found = {}
    for a, b in itertools.product((*DTYPES, "float8_e4m3fn", "float8_e5m2"), repeat=2):
        try:
            found[f"{a} {b}"] = package.backend.result_type(a, b)
        except (TypeError, ValueError) as error:
            found[f"{a} {b}"] = type(error).__name__
    return found


if __name__ == "__main__":
    import keras

    with open(sys.argv[1], "w") as file:
        json.dump({"pairs": dtypes(keras), "one": of_one(keras), "lattice": lattice(keras)}, file)
