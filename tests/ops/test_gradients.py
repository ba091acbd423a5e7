"""Gradients of every op whose result is a float: JAX, torch and TensorFlow against each other."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

from tests.conftest import TRAINABLE
from tests.ops.cases import Case
from tests.ops.test_ops import BY_OP
from tests.ops.test_tracing import first_case, split
from tricera import ops
from tricera.autodiff import vjp
from tricera.core import dispatch
from tricera.core.dtypes import is_float
from tricera.core.op import OPS, PUBLIC

# Ops whose gradients may differ, or that have none on some framework.
EXCEPTIONS: dict[str, str] = {
    "lu_factor": "TensorFlow has no derivative of it",
    "nextafter": "a step function of its operands; JAX refuses where the others give 0",
    "segment_prod": "JAX has no derivative of products scattered to places that repeat",
    "nancumprod": "TensorFlow's derivative of cumprod is 0 by a factor that is 0; JAX and torch give the true one",
}


def gradients(case: Case) -> list[np.ndarray] | None:
    """The cotangents of all float operands for fixed cotangents of the float results; None where there are none."""
    arrays, call = split(case)
    places = [i for i, a in enumerate(arrays) if a.dtype.kind == "f"]
    if not places:
        return None
    kept: list[int] = []

    def of_floats(*values: Any) -> Any:
        full: list[Any] = [ops.convert_to_tensor(a) for a in arrays]
        for i, v in zip(places, values, strict=True):
            full[i] = v
        outs = call(*full)
        kept[:] = [i for i, o in enumerate(outs) if is_float(ops.dtype(o))]
        return [outs[i] for i in kept] or [PUBLIC["sum"](values[0]) * 0.0]

    out, pullback = vjp(of_floats, *[arrays[i] for i in places])
    if not kept:
        return None
    rng = np.random.default_rng(0)
    return [ops.convert_to_numpy(g) for g in pullback([rng.normal(size=tuple(o.shape)).astype("float32") for o in out])]


@pytest.mark.slow
@pytest.mark.parametrize("part", range(4))
def test_gradients_agree(part: int) -> None:
    """The same numbers on each framework."""
    problems = []
    for op in sorted(set(BY_OP) & set(OPS))[part::4]:
        found: dict[str, Any] = {}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for name in TRAINABLE:
                with dispatch.use(name):
                    try:
                        found[name] = gradients(first_case(op))
                    except Exception as error:  # of any kind: frameworks have many
                        found[name] = f"{type(error).__name__}: {str(error).strip()[:200]}"
        problem = disagreement(found)
        if problem and op not in EXCEPTIONS:
            problems.append(f"{op}: {problem}")
        elif op in EXCEPTIONS and not problem:
            problems.append(f"{op}: the gradients agree; take it off the list")
    assert not problems, "\n".join(problems)


def disagreement(found: dict[str, Any]) -> str | None:
    """What is wrong with gradients of each framework, or None."""
    errors = {name: g for name, g in found.items() if isinstance(g, str)}
    if errors:
        return str(errors)
    first_name, first = next(iter(found.items()))
    for name, other in found.items():
        if (first is None) != (other is None):
            return f"{first_name} {first}, {name} {other}"
        for a, b in zip(first or (), other or (), strict=True):
            if not np.allclose(a, b, rtol=2e-3, atol=2e-4, equal_nan=True):
                return f"{first_name} {a.ravel()[:4]}, {name} {b.ravel()[:4]}"
    return None
