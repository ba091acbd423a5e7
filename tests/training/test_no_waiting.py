"""Metrics stay on the device until somebody reads them: a fit fetches values once an epoch, however many steps it has."""

from __future__ import annotations

import numpy as np
import pytest

import tricera
from tricera import layers as L
from tricera.core import dispatch

RNG = np.random.default_rng(0)


def batches(x, y):
    """Batches one by one, which no window of steps can swallow."""
    for i in range(0, len(x), 8):
        yield x[i : i + 8], y[i : i + 8]


class Reader(tricera.callbacks.Callback):
    """Reads the loss after every batch."""

    def on_train_batch_end(self, batch, logs=None):
        assert logs["loss"] >= 0


class Watcher(tricera.callbacks.Callback):
    """Is called after every batch, and reads nothing."""

    def on_train_batch_end(self, batch, logs=None):
        assert "loss" in logs


@pytest.fixture
def fetched(trainable_backend, monkeypatch):
    """The number of times that values came to the host by the two ways that there are."""
    backend = dispatch.get(trainable_backend)
    count = [0]

    def counting(function):
        def call(*args, **kwargs):
            count[0] += 1
            return function(*args, **kwargs)

        return call

    monkeypatch.setattr(backend.step, "fetch", counting(backend.step.fetch))
    monkeypatch.setitem(backend.__dict__, "to_numpy", counting(backend.to_numpy))
    return count


@pytest.mark.parametrize("run_eagerly", [False, True], ids=["compiled", "eager"])
@pytest.mark.parametrize("source", ["arrays", "generator"])
def test_values_are_fetched_once_an_epoch(fetched, source, run_eagerly):
    """With four metrics, four or twelve steps cost the same; a callback that is called but reads nothing adds none."""
    counts = {}
    for steps in (4, 12):
        for callback in (None, Watcher(), Reader()):
            model = tricera.Sequential([L.Input((4,)), L.Dense(3, activation="softmax")])
            metrics = [
                "accuracy",
                tricera.metrics.SparseCategoricalCrossentropy(),
                tricera.metrics.SparseTopKCategoricalAccuracy(2),
            ]
            model.compile(
                tricera.optimizers.Adam(0.01),
                "sparse_categorical_crossentropy",
                metrics=metrics,
                run_eagerly=run_eagerly,
            )
            x = RNG.normal(size=(8 * steps, 4)).astype("float32")
            y = RNG.integers(0, 3, 8 * steps)
            model.train_on_batch(x[:8], y[:8])
            data = {"x": x, "y": y, "batch_size": 8} if source == "arrays" else {"x": batches(x, y)}
            fetched[0] = 0
            model.fit(**data, verbose=0, callbacks=None if callback is None else [callback])
            counts[steps, type(callback).__name__] = fetched[0]
    assert counts[4, "NoneType"] == counts[12, "NoneType"] == counts[4, "Watcher"] == counts[12, "Watcher"] <= 2
    assert counts[12, "Reader"] - counts[4, "Reader"] == 8  # so the count would show it
