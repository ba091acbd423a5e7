"""A user's own `torch.compile(fullgraph=True)` goes through layers, models and draws: no break, and the values of a direct call."""

from __future__ import annotations

import numpy as np
import pytest

from tests.conftest import BACKENDS

if "torch" not in BACKENDS:
    pytest.skip("torch is not installed", allow_module_level=True)

import torch

import tricera
from tricera import layers, ops, random
from tricera.backend import use
from tricera.core.scoped import Scoped, _known


def functional():
    inputs = tricera.Input((8,))
    return tricera.Model(inputs, layers.Dense(2)(layers.Dense(4, activation="relu")(inputs)))


def attention():
    layer = layers.MultiHeadAttention(2, 4)
    return lambda x: layer(x, x, use_causal_mask=True)


def masked():
    embedding, recurrent = layers.Embedding(9, 4, mask_zero=True), layers.LSTM(3)
    return lambda x: recurrent(embedding(ops.cast(x * 3, "int32")))


MADE = {
    "dense": (lambda: layers.Dense(4, activation="gelu"), (2, 8)),
    "half": (lambda: layers.Dense(4, dtype="mixed_bfloat16"), (2, 8)),
    "convolution": (lambda: layers.Conv2D(4, 3), (2, 6, 6, 3)),
    "normalization": (layers.BatchNormalization, (2, 8)),
    "recurrence": (lambda: layers.GRU(4, return_sequences=True), (2, 5, 8)),
    "attention": (attention, (2, 5, 8)),
    "masked": (masked, (2, 5)),
    "functional": (functional, (2, 8)),
    "sequential": (lambda: tricera.Sequential([layers.Dense(3), layers.Dropout(0.5), layers.Dense(2)]), (2, 8)),
}


def compiled(function):
    torch._dynamo.reset()
    return torch.compile(function, fullgraph=True, backend="eager")


@pytest.mark.parametrize("name", MADE)
def test_layers(name):
    make, shape = MADE[name]
    x = torch.from_numpy(np.random.default_rng(0).uniform(size=shape).astype("float32"))
    with use("torch"):
        layer = make()
        want = layer(x)
        got = compiled(lambda v: layer(v))(x)
        torch.testing.assert_close(got, want)
        assert not any(scoped.traced for scoped in _known)


@pytest.mark.parametrize("training", [False, True])
def test_gradients_and_state(training):
    x = torch.from_numpy(np.random.default_rng(0).normal(size=(6, 8)).astype("float32"))
    with use("torch"):
        results = []
        for wrap in (lambda f: f, compiled):
            tricera.utils.set_random_seed(2)
            model = tricera.Sequential(
                [layers.Dense(5), layers.BatchNormalization(), layers.Dropout(0.3), layers.Dense(1)]
            )
            model(x)
            step = wrap(lambda v, model=model: (model(v, training=training) ** 2).mean())
            losses = []
            for _ in range(3):
                loss = step(x)
                loss.backward()
                losses.append(loss.item())
            results.append((losses, [p.grad for p in model.parameters() if p.grad is not None], model.get_weights()))
        assert not any(scoped.traced for scoped in _known)
        (eager, grads, weights), (losses, compiled_grads, compiled_weights) = results
        np.testing.assert_allclose(losses, eager, rtol=1e-5)
        assert (len({round(loss, 5) for loss in losses}) > 1) is training  # each draw is another
        for a, b in zip(grads, compiled_grads, strict=True):
            torch.testing.assert_close(a, b)
        for c, d in zip(weights, compiled_weights, strict=True):
            np.testing.assert_allclose(c, d, rtol=1e-5, atol=1e-6)


def test_draws_with_a_generator():
    with use("torch"):
        for draw in (random.normal, random.uniform, random.gamma):
            drawn = []
            for wrap in (lambda f: f, compiled):
                seed = random.SeedGenerator(5)
                args = ((3,), 2.0) if draw is random.gamma else ((3,),)
                run = wrap(lambda x, seed=seed, args=args, draw=draw: x + draw(*args, seed=seed))
                drawn.append([run(torch.zeros(3)) for _ in range(2)])
            torch.testing.assert_close(drawn[0], drawn[1])
            assert not torch.equal(*drawn[1])


def test_what_is_set_inside_and_outside():
    depth = Scoped("test", default=0)

    def nested(x):
        outer = depth.get()
        token = depth.set(outer + 1)
        try:
            return x * depth.get() + outer
        finally:
            depth.reset(token)

    x = torch.ones(2)
    assert compiled(nested)(x).tolist() == nested(x).tolist() == [1, 1]
    token = depth.set(4)
    assert compiled(nested)(x).tolist() == nested(x).tolist() == [9, 9]
    depth.reset(token)
    assert depth.get() == 0 and not depth.traced


def test_a_break_inside_of_a_block():
    """Where the compiler gives up, Python goes on with what was set."""

    class Breaks(layers.Layer):
        def call(self, x, training=None):
            torch._dynamo.graph_break()
            return x * (2 if training else 3)

    x = torch.ones(2, 4)
    with use("torch"):
        model = tricera.Sequential([layers.Dense(4), Breaks(), layers.Dropout(0.0), Breaks()])
        for training in (True, False, None):
            want = model(x, training=training)
            torch._dynamo.reset()
            got = torch.compile(lambda v, t=training: model(v, training=t), backend="aot_eager")(x)
            torch.testing.assert_close(got, want)
            assert not any(scoped.traced for scoped in _known)
