"""Images, factorisations and all that is no row of the table: shapes known in advance, gradients, the same on each framework."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import tricera
from tests.conftest import BACKENDS, TRAINABLE
from tests.ops.calls import DRAWS
from tests.ops.option_calls import CALLS, REFERENCES, TOLERANCES
from tests.ops.test_ops import parts
from tricera import ops
from tricera.autodiff import vjp
from tricera.core import dispatch
from tricera.core.dtypes import is_float
from tricera.core.tensor import KerasTensor

WITH_TENSORS = sorted(k for k, (arrays, _) in CALLS.items() if arrays)
# What runs on values alone.
NOT_SYMBOLIC = ("array", "beta", "binomial", "ctc_decode beam", "gamma", "histogram", "unique")


def tensors(arrays: Any) -> list[Any]:
    """Of the current backend."""
    return [ops.convert_to_tensor(a) for a in arrays]


def values(key: str) -> list[np.ndarray]:
    """The results."""
    arrays, call = CALLS[key]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return [ops.convert_to_numpy(x) for x in parts(call(tricera, *tensors(arrays)))]


def test_shapes_in_advance() -> None:
    """With all lengths known, and with the batch unknown."""
    problems = []
    with dispatch.use("numpy"):
        for key in WITH_TENSORS:
            arrays, call = CALLS[key]
            if key.startswith(NOT_SYMBOLIC):
                continue
            outs = parts(call(tricera, *tensors(arrays)))
            for batch in (False, True):
                if batch and arrays[0].ndim < 4:
                    continue
                first = KerasTensor((None if batch else arrays[0].shape[0], *arrays[0].shape[1:]), arrays[0].dtype.name)
                others = [KerasTensor(a.shape, a.dtype.name) for a in arrays[1:]]
                if key.startswith("scale_and_translate"):  # its numbers are no operands
                    others = list(arrays[1:])
                specs = parts(call(tricera, first, *others))
                for out, spec in zip(outs, specs, strict=True):
                    fits = len(spec.shape) == out.ndim and all(
                        a == b or (batch and a is None and i == 0)
                        for i, (a, b) in enumerate(zip(spec.shape, out.shape, strict=True))
                    )
                    if not fits or spec.dtype != ops.dtype(out):
                        problems.append(f"{key}: {spec.shape} {spec.dtype}, computed {out.shape} {ops.dtype(out)}")
    assert problems == []


@pytest.mark.parametrize("name", [pytest.param(b, marks=pytest.mark.slow) if b == "jax" else b for b in BACKENDS])
def test_values(name: str) -> None:
    """Each call gives what its reference says, in NumPy's dtypes; of draws the shape and the dtype."""
    problems = []
    for key, (arrays, _) in CALLS.items():
        with dispatch.use("numpy"):
            wanted = kinds = values(key)
        with dispatch.use(name):
            got = values(key)
            canonical = dispatch.current().canonical
        if key not in DRAWS:
            wanted = parts(REFERENCES[key](*[a.astype("float64") if a.dtype.kind == "f" else a for a in arrays]))
        if len(wanted) != len(got):
            problems.append(f"{key}: {len(got)} results, not {len(wanted)}")
            continue
        tol = TOLERANCES.get(key, 1e-5)
        for a, b, kind in zip(got, map(np.asarray, wanted), kinds, strict=True):
            dtype = b.dtype if key.endswith("dtype") else kind.dtype
            same = a.shape == b.shape and canonical(a.dtype.name) == canonical(dtype.name)
            if not same or (key not in DRAWS and not np.allclose(a, b, rtol=10 * tol, atol=tol)):
                problems.append(f"{key}: {a.ravel()[:4]} {a.dtype}{a.shape}, not {b.ravel()[:4]} {dtype}{b.shape}")
    assert not problems, "\n".join(problems)


# Calls whose derivative is not the difference quotient, and why.
NO_QUOTIENT = {
    "custom_gradient": "it is there to have another",
    "convert_to_tensor dtype": "float16 is a grid",
    "ctc_decode": "scores of the best path are read out by comparisons",
    "ctc_decode beam": "it is computed on the host",
    "ctc_decode beam paths": "it is computed on the host",
    "histogram": "steps",
    "eig": "a matrix that is not symmetric any more has complex eigenvalues",
    "eigh": "a matrix that is not symmetric any more is read in half",
    "qr complete": "torch and TensorFlow differentiate the reduced factors alone",
    "while_loop": "JAX has no reverse derivative of a loop whose length it does not know",
    "while_loop limit": "as while_loop: the limit is no length",
}


def gradient(key: str) -> list[np.ndarray] | None:
    """The cotangents of all float operands for fixed cotangents of the float results; None where there are none."""
    arrays, call = CALLS[key]
    places = [i for i, a in enumerate(arrays) if a.dtype.kind == "f"]
    if not places:
        return None

    def of_floats(*given: Any) -> Any:
        full = tensors(arrays)
        for i, v in zip(places, given, strict=True):
            full[i] = v
        return [o for o in parts(call(tricera, *full)) if is_float(ops.dtype(o))] or [ops.sum(given[0]) * 0.0]

    out, pull = vjp(of_floats, *[ops.convert_to_tensor(arrays[i]) for i in places])
    rng = np.random.default_rng(0)
    ups = [ops.convert_to_tensor(rng.normal(size=tuple(o.shape)).astype("float32")) for o in out]
    return [ops.convert_to_numpy(g) for g in pull(ups)]


def quotient(key: str) -> tuple[float, list[np.ndarray]] | None:
    """The central difference along a direction in float64, and the direction."""
    arrays, call = CALLS[key]
    ways = [
        np.random.default_rng([1, i]).normal(size=a.shape) if a.dtype.kind == "f" else None
        for i, a in enumerate(arrays)
    ]
    step, rng = 1e-6, np.random.default_rng(0)

    def outs(sign: int) -> list[np.ndarray]:
        moved = [a if w is None else a.astype("float64") + sign * step * w for a, w in zip(arrays, ways, strict=True)]
        found = parts(call(tricera, *map(ops.convert_to_tensor, moved)))
        return [np.asarray(o, "float64") for o in found if is_float(ops.dtype(o))]

    with dispatch.use("numpy"):
        pairs = list(zip(outs(1), outs(-1), strict=True))
    total = sum(float(((a - b) * rng.normal(size=a.shape).astype("float32")).sum()) for a, b in pairs) / (2 * step)
    return total, [w for w in ways if w is not None]


@pytest.mark.slow
def test_gradients() -> None:
    """JAX, torch and TensorFlow against each other and against central differences in float64."""
    problems = []
    for key in WITH_TENSORS:
        if key in DRAWS or key in NO_QUOTIENT:
            continue
        want, first = quotient(key), None
        for name in TRAINABLE:
            with dispatch.use(name), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                try:
                    found = gradient(key)
                except Exception as error:  # of any kind: frameworks have many
                    problems.append(f"{name} {key}: {type(error).__name__}: {str(error)[:200]}")
                    continue
            if found is None or want is None:
                continue
            got = sum(float((g.astype("float64") * w).sum()) for g, w in zip(found, want[1], strict=True))
            if not np.isclose(got, want[0], rtol=3e-3, atol=3e-3):
                problems.append(f"{name} {key}: {got}, the difference quotient is {want[0]}")
            first = found if first is None else first
            if not all(np.allclose(a, b, rtol=2e-3, atol=2e-4) for a, b in zip(found, first, strict=True)):
                problems.append(f"{name} {key}: another gradient than on {TRAINABLE[0]}")
    assert not problems, "\n".join(problems)
