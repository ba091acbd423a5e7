"""One argument of a good call changed at a time: all backends refuse it, with an error that names the op, or all take it."""

from __future__ import annotations

import re
import warnings
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from tests.conftest import BACKENDS
from tests.ops.test_bad_input import ARRAYS, TENSORS
from tests.ops.test_tracing import first_case
from tricera import ops, tree
from tricera.core import dispatch
from tricera.core.inference import PUBLIC
from tricera.core.op import OPS
from tricera.core.tensor import KerasTensor

SHARE = 6  # one in so many of these calls is made, since all of them take minutes

# Where backends differ, and why: patterns of "op argument=what".
DIFFERENT = {
    r"(cholesky|inv|logdet|lu_factor|solve) \w+=(bool|int32)": "the matrix has become singular, which not all look at",
    r"celu alpha=0": "PyTorch refuses to divide by it, the others give NaN",
    r"get_item key=True": "TensorFlow takes truth values for masks alone",
    r"take x=one axis more": "indices are out of range, which JAX does not look at",
}


def reason(key: str) -> str | None:
    """The pattern for a call that is among those where backends differ."""
    return next((p for p in DIFFERENT if re.fullmatch(p, key)), None)


def changed(value: np.ndarray) -> Iterator[tuple[str, Any]]:
    """Operands of other ranks and kinds of numbers."""
    for dtype in ("bool", "int32", "float32", "complex64"):
        if value.dtype != dtype:
            yield dtype, value.astype(dtype)
    if value.ndim and value.size:
        yield "a scalar", value.ravel()[0]
        yield "one axis more", value[None]
        if value.ndim > 1:
            yield "a row", value.ravel()


def perturbed(share: int = SHARE) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """A name of the call, the op, and its arguments."""
    for name in TENSORS:
        if not hasattr(ops, name):
            continue
        op, case = OPS[name], first_case(name)
        values = {**dict(zip(op.names, case.args, strict=False)), **case.kwargs}
        for i, arg in enumerate(op.names):
            value = values.get(arg)
            if i in op.tensor_indices and isinstance(value, np.ndarray):
                others = list(changed(value))
            elif type(value) in (int, float):
                others = [("-1", -1), ("0", 0), ("True", True)]
            else:
                others = []
            for what, other in others:
                key = f"{name} {arg}={what}"
                if zlib.crc32(key.encode()) % share == 0 or reason(key):
                    yield key, name, {**values, arg: other}


def longer() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """The same with an operand that is longer by one along an axis."""
    for name in filter(lambda n: hasattr(ops, n), TENSORS):
        op, case = OPS[name], first_case(name)
        values = {**dict(zip(op.names, case.args, strict=False)), **case.kwargs}
        for arg, value in values.items():
            for axis in range(np.ndim(value) if isinstance(value, np.ndarray) else 0):
                more = np.concatenate([value, value.take([0], axis)], axis)
                yield f"{name} {arg}=longer on {axis}", name, {**values, arg: more}


def outcome(name: str, values: dict[str, Any]) -> str:
    """`"taken"`, or the error."""
    tensors = {
        k: ops.convert_to_tensor(v) if isinstance(v, ARRAYS) and not (name == "get_item" and k == "key") else v
        for k, v in values.items()
    }
    try:
        PUBLIC[name](**tensors)
    except (TypeError, ValueError) as error:
        said = " ".join((str(error), *getattr(error, "__notes__", ())))
        return "refused" if "ops." in said else f"{type(error).__name__} that names no op: {said[:80]}"
    except Exception as error:  # of any other kind: that is what must not be
        return f"{type(error).__name__}: {str(error)[:80]}"
    return "taken"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_all_or_none() -> None:
    """Each of the calls on every backend."""
    problems, met = {}, set()
    for key, name, values in perturbed():
        found = {}
        for backend in BACKENDS:
            with dispatch.use(backend), warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                found[backend] = outcome(name, values)
        if set(found.values()) - {"taken", "refused"} or len(set(found.values())) > 1:
            why = reason(key)
            if why is None:
                problems[key] = found
            else:
                met.add(why)
    assert problems == {}
    assert set(DIFFERENT) == met, "those that are missing are the same everywhere"


# What values alone tell: symbolic tensors have none.
BY_VALUES = {
    r"(inv|solve) \w+=bool": "the matrix has become singular",
    r"take x=one axis more": "indices are out of range",
}


def described(name: str, values: dict[str, Any], symbolic: bool) -> Any:
    """Shapes and dtypes of the results, or "refused"."""

    def tensor(arg: str, value: Any) -> Any:
        if isinstance(value, (list, tuple)) and value and all(isinstance(v, np.ndarray) for v in value):
            return [tensor(arg, v) for v in value]
        if not isinstance(value, ARRAYS) or (name == "get_item" and arg == "key"):
            return value
        made = ops.convert_to_tensor(value)
        made_symbolic = symbolic and OPS[name].index[arg] in OPS[name].tensor_indices
        return KerasTensor(made.shape, dtype=str(made.dtype)) if made_symbolic else made

    try:
        result = PUBLIC[name](**{k: tensor(k, v) for k, v in values.items()})
    except (TypeError, ValueError):
        return "refused"
    return [(tuple(x.shape), str(x.dtype)) for x in tree.flatten(result) if hasattr(x, "dtype")]


@pytest.mark.filterwarnings("ignore")
def test_symbolic_calls_are_as_eager_ones() -> None:
    """Symbolic tensors are refused where tensors are, and shapes and dtypes of results are right; None is any length."""
    problems, met = {}, set()
    with dispatch.use("numpy"), np.errstate(all="ignore"):
        for key, name, values in (*perturbed(1), *longer()):
            eager, symbolic = described(name, values, False), described(name, values, True)
            if eager != "refused" and symbolic != "refused" and len(eager) == len(symbolic):
                found = zip(eager, symbolic, strict=True)
                fits = all(
                    d == e and len(s) == len(t) and all(n in (m, None) for m, n in zip(s, t))
                    for (s, d), (t, e) in found
                )
            else:
                fits = eager == symbolic
            why = next((p for p in BY_VALUES if re.fullmatch(p, key)), None)
            if not fits and why is None:
                problems[key] = (eager, symbolic)
            elif not fits:
                met.add(why)
    assert problems == {}
    assert set(BY_VALUES) == met


def test_complex_numbers_in_layers(backend: str) -> None:
    """Convolutions are linear in the parts of their operands, and normalization is a formula."""
    rng = np.random.default_rng(0)
    x, w, t = (
        (rng.normal(size=s) + 1j * rng.normal(size=s)).astype("complex64")
        for s in ((2, 5, 4, 2), (3, 2, 2, 4), (3, 2, 4, 2))
    )
    for op, kernel in ((ops.conv, w), (ops.conv_transpose, t), (ops.depthwise_conv, w[..., :1])):
        options = {"strides": 2, "data_format": "channels_last"}
        got = ops.convert_to_numpy(op(ops.convert_to_tensor(x), ops.convert_to_tensor(kernel), **options))
        want = sum(
            f * g * ops.convert_to_numpy(op(np.ascontiguousarray(a), np.ascontiguousarray(b), **options))
            for a, f in ((x.real, 1), (x.imag, 1j))
            for b, g in ((kernel.real, 1), (kernel.imag, 1j))
        )
        np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-4)
    centred = x - x.mean(-1, keepdims=True)
    got = ops.layer_normalization(ops.convert_to_tensor(x), epsilon=0.0)
    want = centred / np.sqrt((centred**2).mean(-1, keepdims=True))
    np.testing.assert_allclose(abs(ops.convert_to_numpy(got)), abs(want), rtol=1e-3)
    mean, variance = x[0, 0, 0], x[0, 0, 1]
    got = ops.batch_normalization(*map(ops.convert_to_tensor, (x, mean, variance)), axis=-1, epsilon=0.0)
    np.testing.assert_allclose(ops.convert_to_numpy(got), (x - mean) / np.sqrt(variance), rtol=1e-3, atol=1e-4)
