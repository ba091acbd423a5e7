"""Every op on bfloat16 and float16: the dtype that is inferred, and the values of float64 within the tolerance stated here."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import tricera
from tests.ops.calls import CALLS, IMAGES
from tests.ops.test_ops import BY_OP, parts, reference, run
from tests.ops.test_tracing import first_case
from tricera import ops
from tricera.core import dispatch
from tricera.core.tensor import KerasTensor

# The tolerance: four times the distance from 1 to the next number, of the greatest result or of 1, whichever is more. What is right
# is computed in float64 from operands that were rounded to the dtype before.
EPSILON = {"bfloat16": 2.0**-7, "float16": 2.0**-10}
TIMES = 4.0
EXCEPTIONS = {
    "nan_to_num": "infinities become the dtype's greatest number",
    "view": "it reads the bits as they are",
    "nextafter": "the next number of the dtype is another; TensorFlow has none",
}
WIDER = {"ssim": 3.0}  # variances are differences, in which digits go
HALVES = pytest.mark.parametrize("dtype", list(EPSILON))


def rounded(x: Any, dtype: str) -> Any:
    """Floats as the dtype has them, in float64."""
    if isinstance(x, np.ndarray) and x.dtype.kind == "f":
        return x.astype(np.dtype(getattr(ml_dtypes, dtype, dtype))).astype("float64")
    return [rounded(v, dtype) for v in x] if isinstance(x, list) else x


def half(x: np.ndarray, dtype: str) -> Any:
    """The tensor, floats in the dtype."""
    return ops.cast(x, dtype) if x.dtype.kind == "f" else ops.convert_to_tensor(x)


def off(outs: Sequence[Any], wanted: Sequence[Any], dtype: str, wider: float = 1.0) -> str | None:
    """How results are beyond the tolerance, or None."""
    for out, want in zip(outs, wanted, strict=True):
        got, want = ops.convert_to_numpy(ops.cast(out, "float32")).astype("float64"), np.asarray(want, "float64")
        if got.shape != want.shape:
            return f"the shape is {got.shape}, not {want.shape}"
        finite = np.isfinite(want)
        limit = wider * TIMES * EPSILON[dtype] * max([1.0, *np.abs(want[finite]).ravel()])
        if not np.array_equal(np.isnan(got), np.isnan(want)) or not (np.abs(got - want)[finite] <= limit).all():
            return f"{got.ravel()[:4]}, not {want.ravel()[:4]}"
    return None


def rows(dtype: str) -> Iterator[tuple[str, Any, Any]]:
    """The first row of each op that has a float operand, and that with operands rounded to the dtype."""
    for op in sorted(set(BY_OP) - set(EXCEPTIONS)):
        case = first_case(op)
        given = rounded([*case.args, *case.kwargs.values()], dtype)
        if any(isinstance(a, np.ndarray) and a.dtype == np.float64 for a in (*given, *sum((a for a in given if isinstance(a, list)), []))):  # fmt: skip
            exact = case._replace(
                args=tuple(given[: len(case.args)]),
                kwargs=dict(zip(case.kwargs, given[len(case.args) :], strict=True)),
            )
            yield op, case, exact


def check_ops(dtype: str, step: int = 1) -> list[str]:
    """What is wrong with each op, or each so-manieth."""
    problems = []
    canonical = dispatch.current().canonical
    for op, case, exact in list(rows(dtype))[::step]:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            outs = parts(run(case, lambda x: half(x, dtype)))
            specs = parts(run(case, lambda x: KerasTensor(x.shape, dtype if x.dtype.kind == "f" else x.dtype)))
            found = off(outs, reference(exact), dtype)
        kinds, inferred = [ops.dtype(o) for o in outs], [canonical(s.dtype) for s in specs]
        found = found or (None if kinds == inferred else f"{kinds}, inferred {inferred}")
        problems += [f"{op}: {found}"] if found else []
    return problems


@HALVES
def test_every_op(dtype: str, backend: str) -> None:
    """Each op of floats (JAX, which compiles each: some)."""
    assert check_ops(dtype, 12 if backend == "jax" else 1) == []


@pytest.mark.slow
@HALVES
def test_every_op_on_jax(dtype: str) -> None:
    """Each op there, too."""
    pytest.importorskip("jax")
    with dispatch.use("jax"):
        assert check_ops(dtype) == []


BESIDES = ("associative_scan", "ctc_decode", "einsum", "hstack", "linspace", "meshgrid", "qr", "rearrange", "where")


def check_calls(dtype: str) -> list[str]:
    """What is wrong with images and a few others; NumPy's float64 is right."""
    problems = []
    for key in (*IMAGES, *BESIDES):
        arrays, call = CALLS[key]
        with dispatch.use("numpy"):
            want = parts(call(tricera, *[rounded(a, dtype) for a in arrays]))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            outs = parts(call(tricera, *[half(a, dtype) for a in arrays]))
        if any(ops.dtype(o) not in (dtype, "int32", "bool") for o in outs):
            problems.append(f"{key}: {[ops.dtype(o) for o in outs]}")
        elif found := off(outs, [np.asarray(w) for w in want], dtype, WIDER.get(key, 1.0)):
            problems.append(f"{key}: {found}")
    return problems


@HALVES
def test_every_call(dtype: str, backend: str) -> None:
    """Images and all that is no row of the table."""
    if backend == "jax":
        pytest.skip("the slow test does")
    assert check_calls(dtype) == []


@pytest.mark.slow
@HALVES
def test_every_call_on_jax(dtype: str) -> None:
    """Each call there, too."""
    pytest.importorskip("jax")
    with dispatch.use("jax"):
        assert check_calls(dtype) == []
