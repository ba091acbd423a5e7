"""Promotion beside Keras, for every pair of dtypes; and what is inferred beside what is computed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import tricera
from tests.parity import promotion_run as runs
from tricera import ops
from tricera.core import dispatch

pytest.importorskip("keras")
pytest.importorskip("tensorflow")
pytestmark = pytest.mark.slow

# Where Keras doesn't follow its own lattice: op -> the dtypes that are concerned, and why.
WIDE = "Keras makes float64 of int64, where its other ops of floats make float32"
BOTH_BOOL = "Keras infers bool for two booleans, and then fails, or gives int8 or int32 by the backend"
EXCEPTIONS: dict[str, tuple[set[str], str]] = {
    **{name: ({"int64", "uint32", "bool"}, WIDE) for name in ("hypot", "heaviside", "correlate")},
    **{
        name: ({"bool"}, BOTH_BOOL)
        for name in (
            "subtract", "cross", "floor_divide", "power", "gcd", "lcm", "bitwise_left_shift", "bitwise_right_shift", "left_shift",
            "right_shift",
        )
    },
    "matmul": ({"bool", "int8"}, "bool with int8 is int8 in Keras, where int8 with int8 is int32"),
}  # fmt: skip


def excused(name: str, a: str, b: str) -> bool:
    """Whether a pair falls under an exception."""
    concerned, reason = EXCEPTIONS.get(name, (set(), ""))
    return bool({a, b} & concerned) if reason == WIDE else {a, b} == concerned


def test_as_keras(tmp_path: Path) -> None:
    """The same dtypes as Keras's (on TensorFlow: on torch Keras infers int32 for the int64 that it then computes)."""
    path = tmp_path / "dtypes.json"
    env = {**os.environ, "KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"}
    subprocess.run([sys.executable, str(Path(runs.__file__)), str(path)], check=True, env=env, timeout=600)
    want, got = json.loads(path.read_text()), runs.dtypes(tricera)
    different = {k: (got[k], want[k]) for k in want if got[k] != want[k]}
    assert {k: v for k, v in different.items() if not excused(*k.split())} == {}
    assert {k.split()[0] for k in different} == set(EXCEPTIONS), "an exception is not needed any more"


# What has no kernel, nor a dtype in which it could be computed instead.
NO_KERNEL = {
    ("tensorflow", "nextafter", "bfloat16"),
    ("tensorflow", "nextafter", "float16"),
    ("torch", "nextafter", "float16"),
}
OF_INTEGERS = ("bitwise", "left", "right", "gcd", "lcm")


def test_computed_as_inferred(backend: str) -> None:
    """A result has the dtype that is inferred for it: each dtype beside itself, int32 and float32."""
    canonical = dispatch.current().canonical
    names = runs.NAMES
    if backend == "jax":  # each combination is compiled: one op a kind
        names = (
            "add", "divide", "floor_divide", "mod", "power", "maximum", "less", "hypot", "matmul", "dot", "where", "concatenate",
        )  # fmt: skip
    different = []
    for name in names:
        integers = name.startswith(OF_INTEGERS)
        for a in runs.DTYPES:
            if (integers and "float" in a) or (backend, name, a) in NO_KERNEL:
                continue
            for b in (a, "int32") if integers else (a, "int32", "float32"):
                if (name, a, b) in {("subtract", "bool", "bool"), ("cross", "bool", "bool")}:
                    continue
                shape = (3,) if name in runs.VECTORS else (3, 3)
                spec = runs.call(ops, name, *(tricera.KerasTensor(shape, d) for d in (a, b, "bool"))).dtype
                found = ops.dtype(runs.call(ops, name, ops.ones(shape, a), ops.ones(shape, b), ops.ones(shape, "bool")))
                if canonical(found) != canonical(spec):
                    different.append((name, a, b, spec, found))
    assert different == []


def test_booleans_have_no_difference(backend: str) -> None:
    """Frameworks refuse it each in its own way; here it is a TypeError everywhere."""
    with pytest.raises(TypeError, match=r"ops\.subtract: booleans"):
        ops.subtract(ops.ones(2, "bool"), ops.ones(2, "bool"))
