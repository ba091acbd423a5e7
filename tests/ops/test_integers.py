"""Integers at their edges: NumPy's results on every backend where NumPy has one, the same on all where it has none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.conftest import BACKENDS
from tricera import ops
from tricera.core import dispatch

DTYPES = ("uint8", "int32")
FLOATS = [np.nan, np.inf, -np.inf, 1e10, -1e10, -1.5, 300.7, 1.9]
# What NumPy refuses: the power, cut to an integer, and 0 for a division by 0.
POWERS = {(2, -1): 0, (3, -1): 0, (1, -2): 1, (-1, -3): -1, (-1, -2): 1, (0, -1): 0, (0, 0): 1, (3, 4): 81, (-2, 3): -8}


def rows(dtype: str) -> dict[str, tuple[Callable[..., Any], list[np.ndarray], Any]]:
    """A name, the op, the operands and the result."""
    bits, signed = np.iinfo(dtype).bits, dtype[0] == "i"
    x = np.array([7, -7 if signed else 9, 0, np.iinfo(dtype).min, 5], dtype)
    y = np.array([0, 0, 0, -1 if signed else 1, 3], dtype)
    shifts = np.array([0, bits - 1, bits, bits + 1, 100], dtype)
    if signed:
        shifts[:2] = -1, -bits
    found = {
        name: (getattr(ops, name), [x, y], lambda name=name: getattr(np, name)(x, y))
        for name in ("floor_divide", "mod", "fmod", "gcd")
        if hasattr(ops, name)
    }
    found["mod"] = (ops.mod, [x, y], lambda: np.mod(x, y))
    found["floor_divide by one"] = (lambda a: ops.floor_divide(a, 0), [x], lambda: np.zeros_like(x))
    for name in ("left_shift", "right_shift"):
        found[name] = (getattr(ops, name), [x, shifts], lambda name=name: getattr(np, name)(x, shifts))
    if signed:
        a, b = np.array(list(POWERS), dtype).T
        found["power"] = (ops.power, [a, b], lambda: np.array(list(POWERS.values()), dtype))
        found["power to one"] = (lambda a: ops.power(a, -1), [a], lambda: np.where(abs(a) == 1, a, 0))
    found["saturate_cast"] = (
        lambda a: ops.saturate_cast(a, dtype), [np.array(FLOATS, "float32")],
        lambda: np.clip(np.trunc(np.nan_to_num(FLOATS, posinf=np.inf, neginf=-np.inf)), *_range(dtype)).astype("int64"),
    )  # fmt: skip
    found["cast"] = (lambda a: ops.cast(a, dtype), [np.array([-1, 300, 70000], "int32")], None)
    found["cast"] = (*found["cast"][:2], lambda: found["cast"][1][0].astype(dtype))
    return found


def _range(dtype: str) -> tuple[int, int]:
    return np.iinfo(dtype).min, np.iinfo(dtype).max


def compilers(backend: str) -> list[Callable[..., Any]]:
    """What makes a compiled function of a function."""
    if backend == "jax":
        import jax

        return [jax.jit]
    if backend == "tensorflow":
        import tensorflow as tf

        return [tf.function, lambda f: tf.function(f, jit_compile=True)]
    return []


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_edges(backend: str) -> None:
    """Each row, twice, since the second call may go another way."""
    problems = []
    for dtype in DTYPES:
        for name, (op, arrays, want) in rows(dtype).items():
            tensors = [ops.convert_to_tensor(a) for a in arrays]
            right = np.asarray(want())
            for _ in range(2 if dtype == "int32" else 1):
                got = op(*tensors)
                if ops.convert_to_numpy(got).tolist() != right.tolist():
                    problems.append(f"{name} of {dtype}: {ops.convert_to_numpy(got).tolist()}, not {right.tolist()}")
    assert not problems, "\n".join(problems)


def test_edges_in_compiled_code() -> None:
    """The same in graphs, whose kernels raise or give any number."""
    names = ("floor_divide", "mod", "power", "left_shift", "right_shift")
    problems = []
    for backend in BACKENDS:
        with dispatch.use(backend), np.errstate(all="ignore"):
            for name, (op, arrays, want) in rows("int32").items():
                for how, compiled in enumerate(compilers(backend) if name in names else ()):
                    got = ops.convert_to_numpy(compiled(op)(*map(ops.convert_to_tensor, arrays))).tolist()
                    if got != want().tolist():
                        problems.append(f"{backend} {how} {name}: {got}, not {want().tolist()}")
    assert not problems, "\n".join(problems)
