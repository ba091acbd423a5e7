"""Names of dtypes and the one promotion lattice that every backend follows.

The lattice is the one of JAX (https://docs.jax.dev/en/latest/type_promotion.html) with floatx in the place of a weak float
that stands alone: Python scalars are weak, integers and floats meet in the float.
"""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np

from tricera.core import config

BOOL = ("bool",)
UNSIGNED = ("uint8", "uint16", "uint32", "uint64")
SIGNED = ("int8", "int16", "int32", "int64")
FLOAT8 = ("float8_e4m3fn", "float8_e5m2")
FLOATS = (*FLOAT8, "bfloat16", "float16", "float32", "float64")
COMPLEX = ("complex64", "complex128")
ALLOWED = frozenset((*BOOL, "int4", "uint4", *UNSIGNED, *SIGNED, *FLOATS, *COMPLEX, "string"))

# Each dtype's direct successors; a star marks the weak type of a Python scalar.
_EDGES: dict[str, tuple[str, ...]] = {
    "bool": ("int*",),
    "int*": ("uint8", "int8"),
    "uint8": ("int16", "uint16"),
    "uint16": ("int32", "uint32"),
    "uint32": ("int64", "uint64"),
    "uint64": ("float*",),
    "int8": ("int16",),
    "int16": ("int32",),
    "int32": ("int64",),
    "int64": ("float*",),
    "float*": ("bfloat16", "float16", *FLOAT8),
    "float8_e4m3fn": (),
    "float8_e5m2": (),
    "bfloat16": ("float32",),
    "float16": ("float32",),
    "float32": ("float64", "complex64"),
    "float64": ("complex128",),
    "complex64": ("complex128",),
    "complex128": (),
}
_EXTENDED: dict[str, np.dtype[Any]] = {
    name: np.dtype(getattr(ml_dtypes, name)) for name in ("bfloat16", "int4", "uint4", *FLOAT8)
}
_NAMES: dict[Any, str] = {bool: "bool", int: "int32", float: "float32", complex: "complex64", str: "string"}

_NUMBERS = frozenset((bool, int, float))  # some of which equal TensorFlow's dtypes, which count themselves


def standardize_dtype(dtype: Any) -> str:
    """Return the name of a dtype given in any form.

    Args:
        dtype: a name, a NumPy, JAX, torch or TensorFlow dtype, a Python type, or None for floatx.

    Returns:
        The name, such as `"float32"`.

    Raises:
        ValueError: the dtype is unknown.

    Example:
        >>> standardize_dtype(np.float32)
        'float32'
    """
    if dtype is None:
        return config.floatx()
    if type(dtype) is str and dtype in ALLOWED:
        return dtype
    if type(dtype) in _NUMBERS:
        raise ValueError(f"{dtype!r} is a number, not a dtype. Expected a name such as 'float32', or a dtype.")
    try:
        return _NAMES[dtype]
    except (KeyError, TypeError):
        name = _name_of(dtype)
    if not isinstance(dtype, str):
        _NAMES[dtype] = name
    return name


def _name_of(dtype: Any) -> str:
    if isinstance(dtype, str):
        name = {"float": config.floatx(), "int": "int32"}.get(dtype, dtype)
    elif type(dtype).__module__ == "torch":
        name = str(dtype).rpartition(".")[2]
    elif isinstance(getattr(dtype, "name", None), str):
        name = dtype.name
    else:
        try:
            name = np.dtype(dtype).name
        except TypeError:
            name = str(dtype)
    name = {"str": "string", "object": "string"}.get(name, "string" if name.startswith("str") else name)
    if name not in ALLOWED:
        raise ValueError(f"Unknown dtype {dtype!r}. Expected one of: {', '.join(sorted(ALLOWED))}.")
    return name


def is_float(dtype: Any) -> bool:
    """Whether a dtype is a floating-point one (bfloat16 and float8 included)."""
    return "float" in standardize_dtype(dtype)


def is_int(dtype: Any) -> bool:
    """Whether a dtype is a signed or unsigned integer."""
    return "int" in standardize_dtype(dtype)


def numpy_dtype(dtype: Any) -> np.dtype[Any]:
    """The NumPy dtype of that name; bfloat16, float8 and int4 come from ml_dtypes."""
    name = standardize_dtype(dtype)
    return _EXTENDED[name] if name in _EXTENDED else np.dtype("O" if name == "string" else name)


# Of each float dtype the distance from 1 to the next number, and the greatest number; plain values, which compilers can trace.
_FLOATS = {name: ml_dtypes.finfo(numpy_dtype(name)) for name in FLOATS}
EPSILON = {name: float(info.eps) for name, info in _FLOATS.items()}
EPSILON |= {"complex64": EPSILON["float32"], "complex128": EPSILON["float64"]}
GREATEST = {name: float(info.max) for name, info in _FLOATS.items()}


def _above(dtype: str) -> frozenset[str]:
    return frozenset({dtype}.union(*(_above(successor) for successor in _EDGES[dtype])))


_ABOVE = {name: _above(name) for name in _EDGES}


def _least(a: str, b: str) -> str | None:
    common = _ABOVE[a] & _ABOVE[b]
    return next((name for name in common if common <= _ABOVE[name]), None)


_JOINS = {(a, b): _least(a, b) for a in _EDGES for b in _EDGES}


def _join(names: frozenset[str]) -> str:
    first, *rest = names
    joined: Any = first
    for name in rest:
        joined = _JOINS.get((joined, name))
        if joined is None:
            raise ValueError(
                f"The dtypes {', '.join(sorted(names))} have no common dtype. Cast one of them with `ops.cast` first."
            )
    return joined  # type: ignore[return-value]


def weak_result_type(*dtypes: Any) -> str:
    """The least common dtype, where a weak result keeps its star (`"int*"`, `"float*"`)."""
    names = set()
    for dtype in dtypes:
        if dtype is int:
            names.add("int*")
        elif dtype is float:
            names.add("float*")
        else:
            name = dtype if dtype in ("int*", "float*") else standardize_dtype(dtype)
            names.add({"int4": "int8", "uint4": "uint8"}.get(name, name) if len(dtypes) > 1 else name)
    return names.pop() if len(names) == 1 else _join(frozenset(names))


def result_type(*dtypes: Any) -> str:
    """Return the dtype that an operation on operands of these dtypes has.

    Args:
        *dtypes: dtypes in any form; the Python types `int` and `float` stand for scalars, which are weak.

    Returns:
        The least dtype above all of them in the lattice.

    Raises:
        ValueError: there is none (float8 beside another float) or a dtype is unknown.

    Example:
        >>> result_type("int32", "float16"), result_type("int64", float), result_type("uint8", "int8")
        ('float16', 'float32', 'int16')
    """
    if not dtypes:
        return config.floatx()
    name = weak_result_type(*dtypes)
    if name == "int*":
        return "int32"
    return config.floatx() if name == "float*" else name


def of_int(x: Any) -> str:
    """The dtype that a Python integer, or a list of them, gets: int32, int64 where that is too narrow.

    Example:
        >>> of_int(3), of_int([1, 2**40])
        ('int32', 'int64')
    """
    if isinstance(x, (list, tuple)):  # without a detour by NumPy, which torch.compile could not follow
        return "int64" if any(of_int(e) == "int64" for e in x) else "int32"
    return "int32" if -(2**31) <= x < 2**31 else "int64"


def of_array(array: np.ndarray) -> str | None:
    """The dtype for an array that NumPy made of Python numbers; None for others, which keep theirs."""
    if array.dtype.kind == "i":
        wide = array.size and (array.min() < -(2**31) or array.max() >= 2**31)
        return "int64" if wide else "int32"
    return config.floatx() if array.dtype.kind == "f" else None


def float_of(dtype: str) -> str:
    """The dtype that a float-valued function (exp, mean) of `dtype` has: itself, or floatx for integers and bool."""
    return dtype if "float" in dtype or "complex" in dtype else config.floatx()
