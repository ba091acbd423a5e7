"""`jit_compile=True` on torch: the whole step is one graph, without a break, and computes what the plain step computes."""

from __future__ import annotations

import numpy as np
import pytest

from tests.conftest import BACKENDS

if "torch" not in BACKENDS:
    pytest.skip("torch is not installed", allow_module_level=True)

import torch
import torch._dynamo

import tricera
from tests.backends.test_torch_replay import CLASSES, DATA, POINTS, TARGETS, convnet, mlp, recurrent, transformer
from tricera import layers, optimizers
from tricera.backend import clear_session, use
from tricera.backends.torch import compiled, random as torch_random, replay


@pytest.fixture(autouse=True)
def torch_backend():
    with use("torch"):
        yield


def deterministic(model):
    """The model without dropout, whose numbers are others in compiled code."""
    for layer in model._flatten_layers():
        for name in ("rate", "_dropout", "dropout"):
            if isinstance(layer.__dict__.get(name), float):
                layer.__dict__[name] = 0.0
    return model


def train(make, x, jit, y=TARGETS, optimizer="adam", batch_size=8, change=deterministic):
    clear_session(free_memory=False)
    tricera.utils.set_random_seed(1)
    model = change(make())
    model.compile(
        optimizer() if callable(optimizer) else optimizer,
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
        jit_compile=jit,
    )
    history = model.fit(x, y, batch_size=batch_size, epochs=2, verbose=0).history
    return model, history


def counted(backend, monkeypatch):
    monkeypatch.setitem(compiled.OPTIONS, "backend", backend)
    torch._dynamo.reset()
    torch._dynamo.utils.counters.clear()
    return torch._dynamo.utils.counters


@pytest.mark.parametrize("make", [mlp, convnet, recurrent, transformer], ids=lambda make: make.__name__)
@pytest.mark.parametrize("backend", ["eager", "aot_eager"])
def test_one_graph_and_the_same_numbers(make, backend, monkeypatch):
    counters = counted(backend, monkeypatch)
    x = DATA[make][:64]
    model, history = train(make, x, True, TARGETS[:64])
    assert counters["stats"]["unique_graphs"] == 1
    assert not counters["graph_break"]
    plain, plain_history = train(make, x, False, TARGETS[:64])
    np.testing.assert_allclose(history["loss"], plain_history["loss"], rtol=1e-5)
    assert history["accuracy"] == plain_history["accuracy"]
    for a, b in zip(model.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-4)


@pytest.mark.parametrize(
    "make",
    [
        lambda: optimizers.SGD(0.1, momentum=0.9, nesterov=True),
        lambda: optimizers.AdamW(optimizers.schedules.ExponentialDecay(0.01, 5, 0.9), clipnorm=0.5),
        lambda: optimizers.RMSprop(0.01, centered=True, use_ema=True, ema_overwrite_frequency=3),
        lambda: optimizers.Adam(0.01, gradient_accumulation_steps=2),
        lambda: optimizers.Lamb(0.01),
        lambda: optimizers.LossScaleOptimizer(optimizers.Nadam(0.01)),
    ],
)
def test_optimizers(make, monkeypatch):
    counters = counted("aot_eager", monkeypatch)
    model, _ = train(mlp, POINTS[:64], True, TARGETS[:64], optimizer=make)
    assert counters["stats"]["unique_graphs"] == 1
    assert not counters["graph_break"]
    plain, _ = train(mlp, POINTS[:64], False, TARGETS[:64], optimizer=make)
    for a, b in zip(model.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-4)


def test_a_last_batch_that_is_smaller_evaluation_and_prediction(monkeypatch):
    counters = counted("aot_eager", monkeypatch)
    x, y = POINTS[:30], TARGETS[:30]
    model, _ = train(mlp, x, True, y)
    plain, _ = train(mlp, x, False, y)
    assert not counters["graph_break"]
    np.testing.assert_allclose(
        model.evaluate(x, y, batch_size=8, verbose=0), plain.evaluate(x, y, verbose=0), rtol=1e-4
    )
    np.testing.assert_allclose(
        model.predict(x, batch_size=8, verbose=0), plain.predict(x, batch_size=8, verbose=0), atol=1e-5
    )
    assert not counters["graph_break"]


def test_dropout_is_part_of_the_graph_and_differs_from_step_to_step(monkeypatch):
    counters = counted("aot_eager", monkeypatch)
    model, _ = train(lambda: mlp(layers.Dropout(0.5)), POINTS, True, change=lambda m: m)
    assert counters["stats"]["unique_graphs"] == 1
    assert not counters["graph_break"]
    state = model.layers[1].seed_generator.state.numpy()
    assert state[1] == 2 * len(POINTS) // 8


def test_random_numbers_of_compiled_code():
    recorder = replay.Recorder([], [], traced=True)
    draws = {}

    def draw(_):
        for word in range(2):
            seed = torch.tensor([5, word], dtype=torch.int32)
            draws[word] = [
                torch_random.uniform((100, 200), "float32", seed),
                torch_random.normal((20000,), "float32", seed),
            ]

    replay.run(recorder, draw, None)
    for uniform, normal in draws.values():
        assert 0 <= float(uniform.min()) and float(uniform.max()) < 1
        counts = torch.histc(uniform, 10, 0, 1)
        assert ((counts - 2000) ** 2 / 2000).sum() < 27.9  # chi-squared of 9 degrees, 0.1 %
        assert abs(float(normal.mean())) < 0.03 and abs(float(normal.std()) - 1) < 0.03
    both = torch.stack([draws[0][0].flatten(), draws[1][0].flatten()])
    assert abs(float(torch.corrcoef(both)[0, 1])) < 0.03


class Halved(torch.autograd.Function):
    """A function whose gradient a recorder can't see."""

    @staticmethod
    def forward(ctx, x):
        return x * 0.5

    @staticmethod
    def backward(ctx, upstream):
        return upstream * 0.5


def test_what_is_no_single_graph_is_compiled_in_pieces_with_a_warning(monkeypatch):
    counted("eager", monkeypatch)
    make = lambda: mlp(layers.Lambda(Halved.apply))  # noqa: E731
    with pytest.warns(UserWarning, match="autograd.Function"):
        model, history = train(make, POINTS[:16], True, TARGETS[:16])
    plain, plain_history = train(make, POINTS[:16], False, TARGETS[:16])
    np.testing.assert_allclose(history["loss"], plain_history["loss"], rtol=1e-5)
    assert CLASSES == plain.output_shape[-1]
