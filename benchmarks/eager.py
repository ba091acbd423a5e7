"""What an op costs over the framework's own call, on small tensors: `python -m benchmarks.eager BACKEND` prints it as JSON.

Ours, the framework's and Keras's are timed in one process in turn, in short runs of which the shortest counts: what one call adds is
a difference of a microsecond, and on a machine that does other things too only the best of many short runs shows it.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.hand import room

LIMITS = {"torch": 1.0, "jax": 2.0, "tensorflow": 2.0}  # microseconds over the native call
# The name of each op -> the arguments of a call, made from two matrices, a condition and indices.
CALLS: dict[str, Callable[..., tuple[tuple[Any, ...], dict[str, Any]]]] = {
    **dict.fromkeys(("add", "subtract", "multiply", "divide", "matmul"), lambda x, y, c, i: ((x, y), {})),
    **dict.fromkeys(("exp", "relu", "sigmoid", "tanh"), lambda x, y, c, i: ((x,), {})),
    **dict.fromkeys(("softmax", "sum", "mean", "max"), lambda x, y, c, i: ((x,), {"axis": -1})),
    "reshape": lambda x, y, c, i: ((x, (2, 8)), {}),
    "transpose": lambda x, y, c, i: ((x, (1, 0)), {}),
    "concatenate": lambda x, y, c, i: (([x, y],), {"axis": -1}),
    "where": lambda x, y, c, i: ((c, x, y), {}),
    "cast": lambda x, y, c, i: ((x, "int32"), {}),
    "expand_dims": lambda x, y, c, i: ((x, 1), {}),
    "take": lambda x, y, c, i: ((x, i), {"axis": 0}),
}


def operands() -> list[np.ndarray]:
    """The arrays that calls are made from."""
    x = np.arange(16, dtype="float32").reshape(4, 4) / 16
    return [x, x.T + 1, x > 0.5, np.array([0, 2, 1], "int32")]


def measure(backend: str, names: list[str], keras: bool = True, rounds: int = 150, calls: int = 60) -> dict[str, Any]:
    """Microseconds of a call.

    Args:
        backend: a framework.
        names: which ops.
        keras: whether to time an installed Keras too.
        rounds: how many runs of each.
        calls: how many calls a run.

    Returns:
        op -> {`"tricera"`, `"native"`, and `"keras"`}.
    """
    os.environ["TRICERA_BACKEND"] = os.environ["KERAS_BACKEND"] = backend
    native = room(backend)
    packages = [importlib.import_module(p) for p in (("tricera", "keras") if keras else ("tricera",))]
    tensors = [native.tensor(a) for a in operands()]
    out = {}
    for name in names:
        runs = {p.__name__: _bound(getattr(p.ops, name), *CALLS[name](*tensors)) for p in packages}
        runs["native"] = native.calls(*tensors)[name]
        best = dict.fromkeys(runs, float("inf"))
        for run in runs.values():
            for _ in range(20):
                run()
        for _ in range(rounds):
            for package, run in runs.items():
                start = time.perf_counter()
                for _ in range(calls):
                    run()
                best[package] = min(best[package], (time.perf_counter() - start) / calls * 1e6)
        out[name] = best
    return out


def _bound(op: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Callable[[], Any]:
    """A call with its arguments written out, as in a program: unpacking would count as well."""
    names = [f"a{i}" for i in range(len(args))] + [f"{k}=k_{k}" for k in kwargs]
    held = {"op": op, **{f"a{i}": a for i, a in enumerate(args)}, **{f"k_{k}": v for k, v in kwargs.items()}}
    source = f"def make({', '.join(held)}):\n    return lambda: op({', '.join(names)})\n"
    space: dict[str, Any] = {}
    exec(source, space)
    return space["make"](**held)


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], sys.argv[2:] or list(CALLS))))
