"""Every op inside the frameworks' compilers: `jax.jit`, `tf.function(jit_compile=True)`, `torch.compile(fullgraph=True)`."""

from __future__ import annotations

import tomllib
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tricera
from tests.conftest import TRAINABLE
from tests.ops.calls import DRAWS
from tests.ops.cases import Case
from tests.ops.option_calls import CALLS
from tests.ops.test_ops import BY_OP, parts
from tricera import ops
from tricera.core import dispatch
from tricera.core.inference import PUBLIC

# What can't be traced: framework -> op -> the reason. Strict: an op that can be traced must not stand there.
EXCEPTIONS: dict[str, dict[str, str]] = tomllib.loads(
    Path(__file__).with_name("tracing_exceptions.toml").read_text("utf-8")
)
# Ops whose first row has a result as long as the values say: the form that has a length.
WITH_LENGTH = {"bincount": {"minlength": 5}}


def first_case(name: str) -> Case:
    """The first row that has something to compute and is no special case."""
    return next((c for c in BY_OP[name] if any(isinstance(a, np.ndarray) and a.size for a in c.args)), BY_OP[name][0])


def traceable_case(name: str) -> Case:
    """The same, with the length of the result given where values alone would tell it."""
    case = first_case(name)
    return case._replace(kwargs={**case.kwargs, **WITH_LENGTH.get(name, {})})


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

    named = {k: len(arrays) + i for i, k in enumerate(k for k, v in case.kwargs.items() if isinstance(v, np.ndarray))}
    arrays += [case.kwargs[k] for k in named]

    def call(*tensors: Any) -> Any:
        args = []
        for kind, at in places:
            args.append(at if kind == "static" else tensors[at] if kind == "one" else list(tensors[at[0] : at[1]]))
        return parts(PUBLIC[case.op](*args, **{**case.kwargs, **{k: tensors[at] for k, at in named.items()}}))

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


def differs(backend: str, arrays: Sequence[Any], call: Callable[..., Any], drawn: bool = False) -> str | None:
    """Why a traced call is not as the direct one, or None."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        tensors = [ops.convert_to_tensor(a) for a in arrays]
        want = [ops.convert_to_numpy(x) for x in call(*tensors)]
        try:
            got = [ops.convert_to_numpy(x) for x in compiled(backend, call)(*tensors)]
        except Exception as error:  # of any kind: compilers have many
            return f"{type(error).__name__}: {str(error).strip()[:300]}"
    for a, b in zip(got, want, strict=True):
        same = drawn or np.allclose(a, b, rtol=2e-4, atol=2e-5, equal_nan=True)
        if a.dtype != b.dtype or a.shape != b.shape or not same:
            return f"traced {a.dtype}{a.shape} {a.ravel()[:4]}, direct {b.dtype}{b.shape} {b.ravel()[:4]}"
    return None


def verdict(backend: str, name: str, found: str | None) -> str | None:
    """What is wrong with what was found, given the list of exceptions."""
    reason = EXCEPTIONS[backend].get(name)
    if found and reason is None:
        return f"{name}: {found}"
    return f"{name} can be traced: take it off the list ({reason})" if reason is not None and not found else None


@pytest.mark.slow
@pytest.mark.parametrize("part", range(4))
@pytest.mark.parametrize("name", TRAINABLE)
def test_every_op_is_traceable(name: str, part: int) -> None:
    """A traced call gives what a direct one gives, but for the exceptions, each of which must fail."""
    with dispatch.use(name):
        ops_ = sorted(BY_OP)[part::4]
        problems = [verdict(name, op, differs(name, *split(traceable_case(op)))) for op in ops_]
    assert not any(problems), "\n".join(filter(None, problems))


@pytest.mark.slow
@pytest.mark.parametrize("name", TRAINABLE)
def test_every_call_is_traceable(name: str) -> None:
    """The same of images, factorisations, control flow, what makes its tensors itself, and draws.

    In XLA, TensorFlow's draws are of another generator: there the shape and the dtype are what counts.
    """
    problems = []
    with dispatch.use(name):
        for key, (arrays, call) in CALLS.items():
            found = differs(
                name, arrays, lambda *x, call=call: parts(call(tricera, *x)), key in DRAWS and name == "tensorflow"
            )
            problems.append(verdict(name, key, found))
    assert not any(problems), "\n".join(filter(None, problems))


# A few of each kind that torch.compile once could not trace, for each run of the tests.
QUICK = ("resize bilinear (3, 2) True", "gaussian_blur", "cond", "while_loop", "normal", "beta", "hanning", "rearrange")


@pytest.mark.skipif("torch" not in TRAINABLE, reason="needs torch")
@pytest.mark.parametrize("key", QUICK)
def test_tables_draws_and_branches_in_torch_compile(key: str) -> None:
    """Tables made by NumPy are constants, draws give the numbers of a direct call, branches are torch's own."""
    arrays, call = CALLS[key]
    with dispatch.use("torch"):
        assert differs("torch", arrays, lambda *x: parts(call(tricera, *x))) is None


@pytest.mark.parametrize("name", [b for b in TRAINABLE if b != "torch"])
def test_lengths_that_only_values_tell(name: str) -> None:
    """The error says which argument gives the length; torch has its own."""
    with dispatch.use(name):
        x, ids = ops.convert_to_tensor([1.0, 2.0, 4.0]), ops.convert_to_tensor([0, 1, 1])
        with pytest.raises(ValueError, match=r"Inside of compiled code .* give `num_segments`"):
            compiled(name, ops.segment_sum)(x, ids)
        with pytest.raises(ValueError, match=r"ops\.bincount: inside of compiled code .* give `minlength`"):
            compiled(name, ops.bincount)(ids)
        assert ops.convert_to_numpy(compiled(name, lambda a, b: ops.segment_sum(a, b, 3))(x, ids)).tolist() == [1, 6, 0]


def test_exceptions_have_a_reason() -> None:
    """The list names ops and frameworks that there are."""
    assert set(EXCEPTIONS) <= {"jax", "tensorflow", "torch"}
    for reasons in EXCEPTIONS.values():
        assert set(reasons) <= set(BY_OP) | set(CALLS)
        assert all(len(reason) > 20 for reason in reasons.values())
