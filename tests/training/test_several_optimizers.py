"""A model with a neutral `train_step` and an optimizer for each of its halves, which `compile` does not know."""

from __future__ import annotations

import numpy as np
import pytest

import tricera
from tricera import layers as L, ops, optimizers

X = np.random.default_rng(0).normal(size=(24, 3)).astype("float32")


class Halves(tricera.Model):
    """An encoder that makes codes small, a decoder that makes images of them; both have a loss of their own."""

    def __init__(self, first, second):
        super().__init__()
        self.encoder = tricera.Sequential([L.Input((3,)), L.Dense(2)])
        self.decoder = tricera.Sequential([L.Dense(3)])  # built by the first step
        self.optimizers = {"encoder": first, "decoder": [second]}
        self.seed = tricera.random.SeedGenerator(3)
        self.tracker = tricera.metrics.Mean(name="size")

    def train_step(self, data):
        noise = tricera.random.normal(ops.shape(data), seed=self.seed) * 0.01

        def size():
            return ops.mean(self.encoder(data + noise) ** 2)

        def error():
            return ops.mean((self.decoder(self.encoder(data + noise)) - data) ** 2)

        values = []
        for loss, half, optimizer in (
            (size, self.encoder, self.optimizers["encoder"]),
            (error, self.decoder, self.optimizers["decoder"][0]),
        ):
            if not half.built:
                half.build((None, 2))
            value, gradients = tricera.value_and_grad(loss, half.trainable_variables)()
            optimizer.apply(gradients, half.trainable_variables)
            values.append(value)
        self.tracker.update_state(values[0])
        return {"size": self.tracker.result()}


@pytest.mark.parametrize("run_eagerly", [False, True], ids=["compiled", "eager"])
def test_each_updates_its_own(trainable_backend, run_eagerly):
    """Both take every step, in `fit` and on batches, and go along to another framework."""
    first, second = optimizers.Adam(0.01), optimizers.SGD(0.1, momentum=0.9)
    model = Halves(first, second)
    model.compile(optimizer=None, run_eagerly=run_eagerly)
    history = model.fit(X, batch_size=8, epochs=3, shuffle=False, verbose=0).history["size"]
    assert history[-1] < history[0]
    assert int(first.iterations) == int(second.iterations) == 9
    assert [len(o._trainable_variables) for o in (first, second)] == [2, 2]
    assert np.abs(first._slots[0][0].numpy()).max() > 0 and np.abs(second._slots[0][0].numpy()).max() > 0
    model.train_on_batch(X[:8])
    assert int(second.iterations) == 10
    target = "jax" if trainable_backend != "jax" else "torch"
    model.to_backend(target)
    assert {v.backend for o in (first, second) for v in o.variables} == {target}
    assert model.fit(X, batch_size=8, shuffle=False, verbose=0).history["size"][0] < history[-1]
    assert int(first.iterations) == 13


def test_schedule_free_is_switched_for_each(trainable_backend):
    """After `fit` both halves hold averaged weights."""
    free = optimizers.ScheduleFreeAdamW(0.05)
    model = Halves(free, optimizers.SGD(0.1))
    model.compile(optimizer=None)
    model.fit(X, batch_size=8, epochs=2, verbose=0)
    averaged = model.encoder.get_weights()[0]
    free.train()
    assert np.abs(averaged - model.encoder.get_weights()[0]).max() > 1e-5
