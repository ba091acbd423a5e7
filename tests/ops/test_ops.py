"""Every op, on every backend: values, dtypes, shapes known in advance, gradients."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from tests.conftest import BACKENDS
from tests.ops.array_cases import CASES as _ARRAYS  # noqa: F401 - importing adds the rows
from tests.ops.cases import Case
from tests.ops.linalg_cases import CASES as _MATRICES  # noqa: F401
from tests.ops.nn_cases import CASES
from tests.ops.option_cases import CASES as _OPTIONS  # noqa: F401
from tricera import ops
from tricera.core import dispatch
from tricera.core.inference import PUBLIC
from tricera.core.op import OPS, call
from tricera.core.tensor import KerasTensor
from tricera.core.variable import Variable

BY_OP: dict[str, list[Case]] = {}
for _case in CASES:
    BY_OP.setdefault(_case.op, []).append(_case)
EACH_OP = pytest.mark.parametrize("name", sorted(BY_OP))


@contextlib.contextmanager
def noting(case: Case | str) -> Iterator[None]:
    """Say which row of the table failed."""
    try:
        yield
    except Exception as error:
        error.add_note(f"in the row {case if isinstance(case, str) else case.id}")
        raise


def run(case: Case, convert: Any) -> Any:
    """Call the op, its arrays converted."""

    def convert_all(x: Any) -> Any:
        if isinstance(x, np.ndarray):
            return convert(x)
        return [convert(v) for v in x] if isinstance(x, list) and x and isinstance(x[0], np.ndarray) else x

    args = [x if case.op == "get_item" and i else convert_all(x) for i, x in enumerate(case.args)]
    return PUBLIC[case.op](*args, **{k: convert_all(v) for k, v in case.kwargs.items()})


def reference(case: Case, dtype: str | None = None) -> list[np.ndarray]:
    """What is right, as a list of arrays."""

    def wide(x: Any) -> Any:
        if isinstance(x, np.ndarray) and x.dtype.kind == "f" and dtype:
            return x.astype(dtype)
        return [wide(v) for v in x] if isinstance(x, list) else x

    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return parts(case.reference(*map(wide, case.args), **{k: wide(v) for k, v in case.kwargs.items()}))


def parts(x: Any) -> list[Any]:
    """One result or several, as a list."""
    return list(x) if isinstance(x, (list, tuple)) else [x]


@EACH_OP
def test_value_and_spec(name: str, backend: str) -> None:
    """The values are the reference's; shape and dtype are those that are inferred from shapes alone."""
    for case in BY_OP[name]:
        with noting(case):
            check_value_and_spec(case)


def check_value_and_spec(case: Case) -> None:
    """One row."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        outs = parts(run(case, ops.convert_to_tensor))
    inferred = parts(run(case, lambda x: KerasTensor(x.shape, x.dtype)))
    right = reference(case)
    assert len(outs) == len(right) == len(inferred)
    canonical = dispatch.current().canonical
    for out, want, spec in zip(outs, right, inferred, strict=True):
        got = ops.convert_to_numpy(out)
        assert got.shape == np.shape(want)
        assert len(spec.shape) == got.ndim
        assert all(a is None or a == b for a, b in zip(spec.shape, got.shape, strict=True))
        assert case.op in ("nonzero", "bincount") or case.op.startswith("segment") or None not in spec.shape
        assert canonical(spec.dtype) == canonical(dispatch.current().dtype(out))
        np.testing.assert_allclose(
            got.astype("float64"), np.asarray(want, "float64"), rtol=max(case.tol, 2e-5), atol=case.tol
        )


@EACH_OP
def test_spec_of_unknown_batch(name: str) -> None:
    """With the first axes unknown, what is inferred agrees with what is computed."""
    for case in BY_OP[name]:
        if case.batch and not any(isinstance(a, np.ndarray) and a.ndim == 0 for a in case.args):
            with noting(case):
                check_spec_of_unknown_batch(case)


def check_spec_of_unknown_batch(case: Case) -> None:
    """One row."""

    def unknown(x: np.ndarray) -> KerasTensor:
        return KerasTensor((None, *x.shape[1:]), x.dtype)

    # Parameters beside the first tensor keep their shapes: only what carries the batch is unknown.
    first = next(i for i, a in enumerate(case.args) if isinstance(a, (np.ndarray, list)))
    args = [
        unknown(a) if i == first and isinstance(a, np.ndarray) else [unknown(v) for v in a] if i == first else a
        for i, a in enumerate(case.args)
    ]
    inferred = parts(PUBLIC[case.op](*args, **case.kwargs))
    right = reference(case)
    if case.op != "unstack":
        assert len(inferred) == len(right)
    for spec, want in zip(inferred, right, strict=False):
        assert len(spec.shape) == np.ndim(want)
        assert all(a is None or a == b for a, b in zip(spec.shape, np.shape(want), strict=True)), (
            spec.shape,
            np.shape(want),
        )


@pytest.mark.parametrize("name", sorted({c.op for c in CASES if c.grad}))
def test_gradient(name: str, trainable_backend: str) -> None:
    """The gradient along a random direction is the difference quotient of the reference, taken in float64."""
    for case in [c for c in BY_OP[name] if c.grad][: 12 if "conv" in name or "pool" in name else 3]:
        with noting(case):
            check_gradient(case)


def check_gradient(case: Case) -> None:
    """One row."""
    rng = np.random.default_rng(0)
    places = [i for i, a in enumerate(case.args) if isinstance(a, np.ndarray) and a.dtype.kind == "f"]
    directions = {i: rng.normal(size=case.args[i].shape) for i in places}
    weights = [rng.normal(size=np.shape(w)) for w in reference(case)]

    def value(step: float) -> float:
        moved = [a.astype("float64") + step * directions[i] if i in directions else a for i, a in enumerate(case.args)]
        return sum(
            float((np.asarray(o) * w).sum())
            for o, w in zip(reference(case._replace(args=tuple(moved)), "float64"), weights, strict=True)
        )

    with dispatch.use(dispatch.current()) as backend:
        variables = {i: Variable(case.args[i]) for i in places}

        def loss() -> Any:
            outs = parts(PUBLIC[case.op](*[variables.get(i, a) for i, a in enumerate(case.args)], **case.kwargs))
            total = ops.convert_to_tensor(0.0)
            for out, weight in zip(outs, weights, strict=True):
                total = ops.add(total, ops.sum(ops.multiply(out, weight.astype("float32"))))
            return total

        _, grads = backend.control.value_and_grad(loss, list(variables.values()))()
        got = sum(
            float((ops.convert_to_numpy(g) * directions[i]).sum())
            for i, g in zip(places, grads, strict=True)
            if g is not None
        )
    want = (value(1e-5) - value(-1e-5)) / 2e-5
    assert got == pytest.approx(want, rel=5e-3, abs=5e-3)


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_argpartition_by_axis(axis: int, backend: str) -> None:
    """What is at the k-th place is what is there when sorted; smaller before it, larger behind."""
    x = np.random.default_rng(0).permutation(24).reshape(2, 3, 4).astype("float32")
    k = x.shape[axis] // 2
    places = ops.convert_to_numpy(ops.argpartition(x, k, axis=axis))
    assert (np.sort(places, axis) == np.sort(np.argsort(x, axis), axis)).all()
    got, want = np.moveaxis(np.take_along_axis(x, places, axis), axis, 0), np.moveaxis(np.sort(x, axis), axis, 0)
    np.testing.assert_array_equal(got[k], want[k])
    assert (got[:k] < got[k]).all()
    assert (got[k + 1 :] > got[k]).all()


# Where a composed op's body and a backend's own function are both there, they must agree.
OVERRIDDEN = sorted(
    {(b, n) for b in BACKENDS for n, op in OPS.items() if not op.primitive and dispatch.get(b).function(n)}
)


@pytest.mark.parametrize(("backend_name", "name"), OVERRIDDEN, ids=[f"{b}-{n}" for b, n in OVERRIDDEN])
def test_body_agrees_with_override(backend_name: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The portable definition gives what the backend's own function gives."""
    cases = [c for c in CASES if c.op == name]
    with dispatch.use(backend_name) as backend:
        own = [parts(run(c, ops.convert_to_tensor)) for c in cases]
        monkeypatch.setitem(backend._table, name, None)
        for case, outs in zip(cases, own, strict=True):
            args = [ops.convert_to_tensor(a) if isinstance(a, np.ndarray) else a for a in case.args]
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                body = parts(call(OPS[name], tuple(args), case.kwargs))
            for a, b in zip(outs, body, strict=True):
                np.testing.assert_allclose(
                    ops.convert_to_numpy(a), ops.convert_to_numpy(b), rtol=1e-4, atol=1e-5, err_msg=case.id
                )
