"""The loops that an expert would write in each framework: data on the device, one compiled step where there is a compiler.

Each framework's module has `ADD`, `call_one` and `steps`, a table of functions `(batch size) -> (state, epoch)` in which
`epoch(state, x, y, order)` trains on each batch named in `order` and gives the new state.
"""

from __future__ import annotations

import importlib
import time
from typing import Any

import numpy as np

HAND = {
    "jax": {"mlp_fit", "mlp_fit_bar", "convnet_fit", "lstm_fit", "gru_fit", "transformer_fit", "call_one", "op_add"},
    "torch": {"mlp_fit", "mlp_fit_bar", "convnet_fit", "lstm_fit", "gru_fit", "transformer_fit", "call_one", "op_add"},
    "tensorflow": {"mlp_fit", "mlp_fit_bar", "call_one", "op_add"},
}


def room(backend: str) -> Any:
    """A framework's module."""
    return importlib.import_module(f"benchmarks.hand.with_{backend}")


def op_add(backend: str, array: np.ndarray) -> Any:
    """The framework's own addition, and a tensor for it."""
    return room(backend).ADD, room(backend).tensor(array)


def call_one(backend: str, x: np.ndarray) -> float:
    """Seconds for the outputs of one sample, the shortest of many."""
    run = room(backend).call_one(x)
    run()
    times = []
    for _ in range(20):
        start = time.perf_counter()
        for _ in range(50):
            run()
        times.append((time.perf_counter() - start) / 50)
    return min(times)


def fit(backend: str, model: str, x: np.ndarray, y: np.ndarray, size: int, epochs: int, runs: int) -> float:
    """Seconds a step of training: Adam, shuffled, loss and accuracy kept; the shortest of several runs, as of what stands beside it."""
    epoch = room(backend).trainer(model, x, y, size)

    def run(epochs: int) -> float:
        start = time.perf_counter()
        for _ in range(epochs):
            epoch(np.random.permutation(len(x)).reshape(-1, size).astype("int32"))
        return (time.perf_counter() - start) / (epochs * len(x) // size)

    run(1)
    return min(run(epochs) for _ in range(runs))


def weights(seed: int = 0) -> list[np.ndarray]:
    """Of the MLP 784-128-10."""
    rng = np.random.default_rng(seed)
    return [
        rng.normal(size=(784, 128)).astype("float32") * 0.05,
        np.zeros(128, "float32"),
        rng.normal(size=(128, 10)).astype("float32") * 0.1,
        np.zeros(10, "float32"),
    ]
