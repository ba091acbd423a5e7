"""Promotion beside Keras, for every pair of dtypes; and what is inferred beside what is computed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

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


OF_INTEGERS = ("bitwise", "left", "right", "gcd", "lcm")


def refused(key: str, got: dict[str, Any]) -> bool:
    """Whether these are floats in an op of integers: Keras infers a dtype for them, and then fails."""
    return key.startswith(OF_INTEGERS) and "float" in key and got[key] == "TypeError"


@pytest.fixture(scope="module")
def keras_dtypes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What Keras infers on TensorFlow (on torch it infers int32 for the int64 that it then computes)."""
    path = tmp_path_factory.mktemp("keras") / "dtypes.json"
    env = {**os.environ, "KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"}
    subprocess.run([sys.executable, str(Path(runs.__file__)), str(path)], check=True, env=env, timeout=600)
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def test_as_keras(keras_dtypes: dict[str, Any]) -> None:
    """The same dtypes as Keras's."""
    want, got = keras_dtypes["pairs"], runs.dtypes(tricera)
    different = {k: (got[k], want[k]) for k in want if got[k] != want[k] and not refused(k, got)}
    assert {k: v for k, v in different.items() if not excused(*k.split())} == {}
    assert {k.split()[0] for k in different} == set(EXCEPTIONS), "an exception is not needed any more"


# One operand, or one beside a Python number: op -> the dtypes for which Keras infers something else, and why.
INTEGERS = frozenset(("bool", "uint8", "uint16", "uint32", "int8", "int16", "int32", "int64"))
KEPT = "Keras infers the dtype that was given, and computes floats, or fails"
HALVES = "Keras infers float32, and computes in the dtype that was given"
ONE: dict[str, tuple[frozenset[str], str]] = {
    **dict.fromkeys(("cbrt", "corrcoef", "deg2rad", "i0"), (frozenset({"int64"}), WIDE)),
    **dict.fromkeys(
        (
            "celu", "cholesky", "det", "eigh", "elu", "erf", "erfinv", "gelu", "glu", "hard_sigmoid", "hard_silu", "inv", "leaky_relu",
            "log_sigmoid", "log_softmax", "logdet", "moments", "pinv", "qr", "rfft", "rsqrt", "selu", "sigmoid", "silu", "soft_shrink",
            "softmax", "softplus", "softsign", "sparse_plus", "sparse_sigmoid", "squareplus", "svd", "tanh_shrink", "threshold",
        ),
        (INTEGERS, KEPT),
    ),
    **dict.fromkeys(("logsumexp", "normalize", "reciprocal"), (frozenset({"bfloat16", "float16", "float64"}), HALVES)),
    **dict.fromkeys(
        ("hard_tanh", "relu", "relu6", "vander"), (frozenset({"bool"}), "a limit of booleans is a number: int32")
    ),
    **dict.fromkeys(
        ("negative", "round", "sign", "top_k"), (frozenset({"bool"}), "refused: not every framework computes it of booleans")
    ),
    "ptp": (frozenset({"bool"}), "booleans have no difference, as in NumPy"),
    **dict.fromkeys(("subtract", "floor_divide", "power"), (frozenset({"bool"}), BOTH_BOOL)),
    "arctan2": (frozenset({"bfloat16", "float16"}), HALVES),
    "hypot": (frozenset(runs.DTYPES), "Keras fails on Python numbers"),
}  # fmt: skip


def test_one_operand_as_keras(keras_dtypes: dict[str, Any]) -> None:
    """One operand of each dtype, and one beside a bool, an int and a float of Python: what Keras infers, but for the list."""
    want, got = keras_dtypes["one"], runs.of_one(tricera)
    assert len(want) == len(got) > 3000
    different = {k: (got[k], want[k]) for k in want if got[k] != want[k] and not refused(k, got)}
    assert {k: v for k, v in different.items() if not set(k.split()[1:]) & ONE.get(k.split()[0], (set(), ""))[0]} == {}
    assert {k.split()[0] for k in different} == set(ONE), "an exception is not needed any more"


def test_lattice_as_keras(keras_dtypes: dict[str, Any]) -> None:
    """`backend.result_type` of all pairs. Keras refuses two eight-bit floats, and one beside an integer; here they stay what they are."""
    got = runs.lattice(tricera)
    for pair, want in keras_dtypes["lattice"].items():
        if want == "ValueError":
            a, b = sorted(pair.split(), key=lambda d: "float8" not in d)
            assert "float8" in a, pair
            assert got[pair] == (a if b == a or b in INTEGERS else "ValueError")
        else:
            assert got[pair] == want, pair


# What has no kernel, nor a dtype in which it could be computed instead.
NO_KERNEL = {
    ("tensorflow", "nextafter", "bfloat16"),
    ("tensorflow", "nextafter", "float16"),
    ("torch", "nextafter", "float16"),
}


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
