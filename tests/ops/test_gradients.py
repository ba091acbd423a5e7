"""Gradients of every op whose result is a float: JAX, torch and TensorFlow against each other and difference quotients."""

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
from tricera.autodiff import hessian, jvp, vjp
from tricera.core import dispatch
from tricera.core.dtypes import is_float
from tricera.core.inference import PUBLIC
from tricera.core.op import OPS

# Ops whose gradients may differ, or that have none on some framework.
EXCEPTIONS: dict[str, str] = {
    "nextafter": "a step function of its operands; JAX refuses where the others give 0",
}
# Ops whose gradient is not the difference quotient of the first row, and why.
NO_QUOTIENT: dict[str, str] = {
    "cholesky": "a matrix that is not symmetric any more is read in half, or as a symmetric one, by the framework",
    "logdet": "as cholesky",
    "heaviside": "the row stands at the step",
    "round": "the row holds NaN",
    "segment_max": "the row has empty segments, which are -inf",
    "segment_min": "the row has empty segments, which are inf",
    "stop_gradient": "it is there to have another",
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


# Rows behind the first of an op whose gradients differ, or that have no quotient, and why: op -> what is in the row's name -> the reason.
POLE = "the row stands at a pole or at the edge where a function is cut"
FURTHER: dict[str, dict[str, str]] = {
    "binary_crossentropy": {"([3,4]f,[3,4]f)": POLE},
    "categorical_crossentropy": {"([3,4]f,[3,4]f)": POLE},
    "divide": {"([3]f,[3]f)": POLE},
    "divide_no_nan": {"([3,4]f,[3,4]f)": POLE},
    "dot_product_attention": {
        "0.3,True": "a query may see nothing: what it gets is constant but for what rounding hides"
    },
    "hypot": {"([2]f,[2]f)": "the row stands at the origin, where all give 0"},
    "normalize": {"([2,3]f)": "a row of zeros stands at the pole"},
    "pinv": {"([3,2]f)": "the matrix has not its full rank, near which the inverse has no limit"},
    "cholesky": {"True": "as in NO_QUOTIENT"},
    "segment_max": {"": "empty segments are -inf"},
    "segment_min": {"": "empty segments are inf"},
}


def problem_of(case: Case, frameworks: list[str], off: bool = False) -> str | None:
    """What is wrong with the gradients of a row."""
    found: dict[str, Any] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in frameworks:
            with dispatch.use(name):
                try:
                    found[name] = gradients(case)
                except Exception as error:  # of any kind: frameworks have many
                    found[name] = f"{type(error).__name__}: {str(error).strip()[:200]}"
        return disagreement(found) or no_quotient(case, next(iter(found.values())), off)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(4))
def test_gradients_agree(part: int) -> None:
    """The same numbers on each framework, and the difference quotient of the op in float64."""
    problems = []
    for op in sorted(set(BY_OP) & set(OPS))[part::4]:
        problem = problem_of(first_case(op), TRAINABLE, op in NO_QUOTIENT)
        if problem and op not in EXCEPTIONS:
            problems.append(f"{op}: {problem}")
        elif op in EXCEPTIONS and not problem:
            problems.append(f"{op}: the gradients agree; take it off the list")
    assert not problems, "\n".join(problems)


def further(op: str) -> list[Case]:
    """The rows behind the first one, of finite floats in single precision: those that show an op's options."""
    first = first_case(op)
    rows = [
        c
        for c in BY_OP[op]
        if c is not first and not any(isinstance(v, str) and v == "float16" for v in (*c.args, *c.kwargs.values()))
    ]
    arrays = [(c, split(c)[0]) for c in rows]
    return [c for c, each in arrays if all(a.size and (a.dtype.kind != "f" or np.isfinite(a).all()) for a in each)]


@pytest.mark.slow
def test_gradients_of_options() -> None:
    """The other rows of each op: its options, broadcasting, other ranks. JAX, which compiles each, had the first."""
    problems, needed = [], set()
    frameworks = [name for name in TRAINABLE if name != "jax"]
    for op in sorted(set(BY_OP) & set(OPS) - {"round", "stop_gradient", "heaviside", "nextafter"}):
        for case in further(op):
            listed = [key for key in FURTHER.get(op, {}) if key in case.id]
            problem = problem_of(case, frameworks)
            if problem and not listed:
                problems.append(f"{case.id}: {problem}")
            elif problem:
                needed.add(op)
        if op in FURTHER and op not in needed:
            problems.append(f"{op}: the gradients agree; take it off the list")
    assert not problems, "\n".join(problems)


def no_quotient(case: Case, gradient: Any, off: bool) -> str | None:
    """What is wrong with a gradient beside the central difference along a direction, which NumPy gives in float64; or None.

    Args:
        case: the row.
        gradient: what a framework gives.
        off: whether the quotient is known to be another, which then must be so.
    """
    arrays, call = split(case)
    rng, step = np.random.default_rng(0), 1e-5
    ways = {i: np.random.default_rng([1, i]).normal(size=a.shape) for i, a in enumerate(arrays) if a.dtype.kind == "f"}
    if gradient is None or not ways:
        return None

    def outs(sign: int) -> list[np.ndarray]:
        moved = [a.astype("float64") + sign * step * ways[i] if i in ways else a for i, a in enumerate(arrays)]
        results = [o for o in call(*map(ops.convert_to_tensor, moved)) if is_float(ops.dtype(o))]
        return [ops.convert_to_numpy(o).astype("float64") for o in results]

    with dispatch.use("numpy"), np.errstate(all="ignore"):
        pairs = list(zip(outs(1), outs(-1), strict=True))
    weights = [rng.normal(size=high.shape).astype("float32") for high, _ in pairs]
    want = sum(float(((high - low) * w).sum()) for (high, low), w in zip(pairs, weights, strict=True)) / (2 * step)
    got = sum(float((g.astype("float64") * way).sum()) for g, way in zip(gradient, ways.values(), strict=True))
    right = np.isclose(got, want, rtol=2e-3, atol=2e-3)
    if off:
        return "the gradient is the quotient: take it off NO_QUOTIENT" if right else None
    return None if right else f"the gradient along a direction is {got}, the difference quotient {want}"


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


# A function, where it stands, and its derivative there, at a kink the one of least size between those of both sides.
POINTS: dict[str, tuple[Any, list[float], list[float]]] = {
    "abs": (lambda x: ops.absolute(x), [0.0, -2.0], [0, -1]),
    "relu": (lambda x: ops.relu(x), [0.0, 2.0], [0, 1]),
    "elu": (lambda x: ops.elu(x, alpha=1.0), [0.0, -1.0], [1, np.exp(-1)]),
    "celu": (lambda x: ops.celu(x, alpha=2.0), [0.0, -1.0], [1, np.exp(-0.5)]),
    "hypot": (lambda x: ops.hypot(x, x), [0.0, 3.0], [0, np.sqrt(2)]),
    "cumprod": (lambda x: ops.cumprod(x), [2.0, 0.0, 3.0, 4.0], [1, 2 * (1 + 3 + 12), 0, 0]),
    "segment_prod": (lambda x: ops.segment_prod(x, [0, 0, 1, 1, 1]), [2.0, 0.0, 3.0, 4.0, 5.0], [0, 2, 20, 15, 12]),
    "segment_prod of zeros": (lambda x: ops.segment_prod(x, [0, 0, 1], 3), [0.0, 0.0, 3.0], [0, 0, 1]),
    "segment_sum": (lambda x: ops.segment_sum(x, [0, 0, 1]), [1.0, 2.0, 3.0], [1, 1, 1]),
    "segment_max": (lambda x: ops.segment_max(x, [0, 0, 1]), [1.0, 2.0, 3.0], [0, 1, 1]),
    "scatter_update": (lambda x: ops.scatter_update(x, [[0], [0]], x[:2], "mul"), [2.0, 3.0, 5.0], [12, 5, 1]),
}


def test_gradients_at_points() -> None:
    """Zeros and kinks, where derivatives that divide by what they differentiate fail."""
    problems = []
    for name, (fn, at, want) in POINTS.items():
        for framework in TRAINABLE:
            with dispatch.use(framework):
                out, pullback = vjp(fn, np.array(at, "float32"))
                got = ops.convert_to_numpy(pullback(ops.ones_like(out))[0])
            if not np.allclose(got, want, atol=1e-5):
                problems.append(f"{name} on {framework}: {got.tolist()}, not {want}")
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("framework", ["jax", "torch"])
def test_further_derivatives(framework: str) -> None:
    """The forward derivative of products of segments, and second ones, where elements are equal and where they are not."""
    x = np.array([1.0, 2.0, 0.5], "float32")
    with dispatch.use(framework):
        forward = jvp(lambda v: ops.segment_prod(v, [0, 0, 1], 2), (x,), (x,))[1]
        second = hessian(lambda v: ops.sum(ops.segment_prod(v, [0, 0, 1], 2) ** 2))(ops.convert_to_tensor(x))
        tie = hessian(lambda v: ops.sum(ops.hypot(v, v * v)))(ops.convert_to_tensor(x[:1]))
        logarithm = jvp(ops.logdet, (np.eye(2, dtype="float32"),), (np.ones((2, 2), "float32"),))[1]
    np.testing.assert_allclose(ops.convert_to_numpy(forward), [4, 0.5])
    np.testing.assert_allclose(ops.convert_to_numpy(second), [[8, 8, 0], [8, 2, 0], [0, 0, 2]])
    np.testing.assert_allclose(ops.convert_to_numpy(tie), [[1.25 * np.sqrt(2)]], rtol=1e-5)
    assert ops.convert_to_numpy(logarithm).dtype == "float32"
