"""Every op inside the frameworks' compilers: `jax.jit`, `tf.function(jit_compile=True)`, `torch.compile(fullgraph=True)`."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.conftest import TRAINABLE
from tests.ops.cases import Case
from tests.ops.test_ops import BY_OP, parts
from tricera import ops
from tricera.core import dispatch
from tricera.core.inference import PUBLIC

_BY_VALUES = "the shape of the result depends on the values"
_NO_KERNEL = "XLA has no kernel for it on the CPU; it runs in a tf.function without jit_compile"
_BY_NUMPY = "its tables of places are made with NumPy while tracing, whose dtypes torch.compile does not know"
# What can't be traced, with the reason. Strict: an op that can be traced must not stand here.
EXCEPTIONS: dict[str, dict[str, str]] = {
    "jax": {"nonzero": _BY_VALUES, "bincount": _BY_VALUES},
    "tensorflow": {
        "bincount": _BY_VALUES,
        "det": _NO_KERNEL,
        "i0": _NO_KERNEL,
        "lu_factor": _NO_KERNEL,
        "slogdet": _NO_KERNEL,
    },
    "torch": {"fold": _BY_NUMPY, "istft": _BY_NUMPY, "stft": _BY_NUMPY, "unfold": _BY_NUMPY},
}


def first_case(name: str) -> Case:
    """The first row that has something to compute and is no special case."""
    return next((c for c in BY_OP[name] if any(isinstance(a, np.ndarray) and a.size for a in c.args)), BY_OP[name][0])


def split(case: Case) -> tuple[list[np.ndarray], Callable[..., Any]]:
    """The arrays of a row, and the call as a function of them alone."""
    arrays: list[np.ndarray] = []
    places: list[Any] = []
    for i, a in enumerate(case.args):
        static = i and case.op in ("get_item", "quantile", "nanquantile", "percentile", "nanpercentile")
        if isinstance(a, np.ndarray) and not static:
            places.append(("one", len(arrays)))
            arrays.append(a)
        elif isinstance(a, list) and a and isinstance(a[0], np.ndarray):
            places.append(("many", (len(arrays), len(arrays) + len(a))))
            arrays += a
        else:
            places.append(("static", a))

    def call(*tensors: Any) -> Any:
        args = []
        for kind, at in places:
            args.append(at if kind == "static" else tensors[at] if kind == "one" else list(tensors[at[0] : at[1]]))
        return parts(PUBLIC[case.op](*args, **case.kwargs))

    return arrays, call


def compiled(backend: str, fn: Callable[..., Any]) -> Callable[..., Any]:
    """The function, compiled whole or not at all."""
    if backend == "jax":
        import jax

        return jax.jit(fn)
    if backend == "tensorflow":
        import tensorflow as tf

        return tf.function(fn, jit_compile=True, autograph=False)
    import torch

    torch._dynamo.reset()
    return torch.compile(fn, fullgraph=True, backend="eager")


def differs(backend: str, name: str) -> str | None:
    """Why a traced call is not as the direct one, or None."""
    arrays, call = split(first_case(name))
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        tensors = [ops.convert_to_tensor(a) for a in arrays]
        want = [ops.convert_to_numpy(x) for x in call(*tensors)]
        try:
            got = [ops.convert_to_numpy(x) for x in compiled(backend, call)(*tensors)]
        except Exception as error:  # of any kind: compilers have many
            return f"{type(error).__name__}: {str(error).strip()[:300]}"
    for a, b in zip(got, want, strict=True):
        if a.dtype != b.dtype or a.shape != b.shape or not np.allclose(a, b, rtol=2e-4, atol=2e-5, equal_nan=True):
            return f"traced {a.dtype}{a.shape} {a.ravel()[:4]}, direct {b.dtype}{b.shape} {b.ravel()[:4]}"
    return None


@pytest.mark.slow
@pytest.mark.parametrize("part", range(4))
@pytest.mark.parametrize("name", TRAINABLE)
def test_every_op_is_traceable(name: str, part: int) -> None:
    """A traced call gives what a direct one gives, but for the exceptions, each of which must fail."""
    problems = []
    with dispatch.use(name):
        for op in sorted(BY_OP)[part::4]:
            reason = EXCEPTIONS[name].get(op)
            found = differs(name, op)
            if found and reason is None:
                problems.append(f"{op}: {found}")
            elif reason is not None and not found:
                problems.append(f"{op} can be traced: take it off the list ({reason})")
    assert not problems, "\n".join(problems)
