"""Schedule-free AdamW against the paper's algorithm in NumPy, and which of its weights are in place when."""

from __future__ import annotations

import copy

import numpy as np
import pytest

import tricera
from tricera import layers as L, optimizers
from tricera.core.variable import Variable
from tricera.optimizers import SGD, ScheduleFreeAdamW

RNG = np.random.default_rng(0)
X = RNG.normal(size=(64, 4)).astype("float32")
Y = (X @ np.array([[1.0], [-1.0], [0.5], [2.0]])).astype("float32")


def reference(start, gradients, lr, beta_1=0.9, beta_2=0.999, epsilon=1e-8, warmup=0, decay=0.0):
    """Algorithm 1 of Defazio et al. 2024 with equal weights, three sequences in float64; decay at y. Gives x and y."""
    x = y = z = np.asarray(start, "float64")
    v = np.zeros_like(x)
    for t, g in enumerate(gradients, 1):
        rate = lr * min(t / warmup, 1) if warmup else lr
        x = x - lr * decay * y / beta_1
        v = beta_2 * v + (1 - beta_2) * g**2
        z = z - rate * g / (np.sqrt(v / (1 - beta_2**t)) + epsilon)
        x = (1 - 1 / t) * x + z / t
        y = (1 - beta_1) * z + beta_1 * x
    return x, y


@pytest.mark.parametrize(
    "options",
    [{}, {"beta_1": 0.6, "beta_2": 0.9, "epsilon": 1e-3}, {"warmup_steps": 7}, {"weight_decay": 0.1}],
    ids=str,
)
def test_is_the_algorithm(backend, options):
    """Both sequences after twenty steps, with evaluations in between that change nothing."""
    start = RNG.normal(size=(3, 2)).astype("float32")
    gradients = [RNG.normal(0.2, 1.0, (3, 2)).astype("float32") for _ in range(20)]
    names = {"warmup_steps": "warmup", "weight_decay": "decay"}
    x, y = reference(start, gradients, 0.05, **{names.get(k, k): v for k, v in options.items()})
    w, optimizer = Variable(start), ScheduleFreeAdamW(0.05, **options)
    for i, g in enumerate(gradients):
        optimizer.apply([g], [w])
        if i % 5 == 0:
            optimizer.eval()
            optimizer.train()
    np.testing.assert_allclose(w.numpy(), y, rtol=2e-5, atol=2e-6)
    optimizer.finalize_variable_values([w])
    np.testing.assert_allclose(w.numpy(), x, rtol=2e-5, atol=2e-6)
    optimizer.eval()
    np.testing.assert_allclose(w.numpy(), x, rtol=2e-5, atol=2e-6)
    optimizer.train()
    np.testing.assert_allclose(w.numpy(), y, rtol=2e-5, atol=2e-6)


def test_no_step_on_the_averages(backend):
    """Gradients belong to the other weights; before the optimizer is built there is only one set."""
    w, optimizer = Variable([1.0, 2.0]), ScheduleFreeAdamW(0.1)
    optimizer.eval()
    g = np.ones(2, "float32")
    optimizer.apply([g], [w])
    optimizer.eval()
    before = w.numpy()
    with pytest.raises(RuntimeError, match=r"optimizer\.train\(\)"):
        optimizer.apply([g], [w])
    np.testing.assert_array_equal(w.numpy(), before)
    twin, other = copy.deepcopy((optimizer, w))
    twin.train()
    twin.apply([g], [other])
    assert int(twin.iterations) == 2 and int(optimizer.iterations) == 1
    with pytest.raises(ValueError, match="beta_1"):
        ScheduleFreeAdamW(beta_1=0.0)


def regression(optimizer, **options):
    model = tricera.Sequential([L.Input((4,)), L.Dense(1, kernel_initializer="ones")])
    model.compile(optimizer, "mse", **options)
    return model


def slots(optimizer):
    """x and y of a dense layer by its optimizer's state, whichever is in place."""
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    copies = copy.deepcopy(inner)
    copies.eval()
    x = [v.numpy() for v in copies._trainable_variables]
    copies.train()
    return x, [v.numpy() for v in copies._trainable_variables]


@pytest.mark.parametrize("wrapped", [False, True], ids=["plain", "loss scale"])
def test_fit(trainable_backend, wrapped):
    """Validation, epoch ends and the end of `fit` see x; training goes on at y, in a second `fit` too."""

    def make():
        optimizer = ScheduleFreeAdamW(0.1)
        return optimizers.LossScaleOptimizer(optimizer) if wrapped else optimizer

    once, twice = regression(make()), regression(make())
    seen = []
    watch = tricera.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: seen.append((once.get_weights(), dict(logs)))
    )
    once.fit(X, Y, batch_size=8, epochs=6, shuffle=False, verbose=0, validation_data=(X, Y), callbacks=[watch])
    for _ in range(3):
        twice.fit(X, Y, batch_size=8, epochs=2, shuffle=False, verbose=0)
    for a, b in zip(once.get_weights(), twice.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
    for (kernel, bias), logs in seen:
        assert logs["val_loss"] == pytest.approx(np.mean((X @ kernel + bias - Y) ** 2), rel=1e-4)
    for a, b in zip(seen[-1][0], once.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    x, y = slots(once.optimizer)
    np.testing.assert_array_equal(x[0], once.get_weights()[0])
    assert np.abs(x[0] - y[0]).max() > 1e-4
    assert once.evaluate(X, Y, verbose=0) < 0.1 * np.mean((X.sum(1, keepdims=True) - Y) ** 2)
    # The next step on a batch begins at y.
    twice.train_on_batch(X[:8], Y[:8])
    once.train_on_batch(X[:8], Y[:8])
    np.testing.assert_allclose(once.get_weights()[0], twice.get_weights()[0], rtol=1e-4)


def test_without_the_switch_training_would_differ(trainable_backend):
    """Epochs equal single steps, so the weights are exchanged between epochs and not within."""
    by_epochs, by_steps = regression(ScheduleFreeAdamW(0.1)), regression(ScheduleFreeAdamW(0.1))
    by_epochs.fit(X, Y, batch_size=16, epochs=3, shuffle=False, verbose=0)
    for _ in range(3):
        for i in range(0, 64, 16):
            by_steps.train_on_batch(X[i : i + 16], Y[i : i + 16])
    by_steps.optimizer.finalize_variable_values(by_steps.trainable_variables)
    np.testing.assert_allclose(by_epochs.get_weights()[0], by_steps.get_weights()[0], rtol=1e-4)


@pytest.mark.parametrize("wrapped", [False, True], ids=["plain", "loss scale"])
def test_a_file_knows_which_weights_it_holds(trainable_backend, tmp_path, wrapped):
    """A model that is saved, loaded and trained on ends where one ends that was not saved; between steps likewise."""
    for between_steps in (False, True):
        optimizer = ScheduleFreeAdamW(0.1)
        model = regression(optimizers.LossScaleOptimizer(optimizer) if wrapped else optimizer)
        if between_steps:
            model.train_on_batch(X, Y)
        else:
            model.fit(X, Y, batch_size=8, epochs=2, verbose=0)
        model.save(tmp_path / "model.keras")
        again = tricera.saving.load_model(tmp_path / "model.keras")
        for m in (model, again):
            m.fit(X, Y, batch_size=8, epochs=1, shuffle=False, verbose=0)
        np.testing.assert_allclose(model.get_weights()[0], again.get_weights()[0], rtol=1e-5)


def test_in_a_multi_optimizer(trainable_backend):
    """Only its own variables are exchanged."""
    model = tricera.Sequential([L.Input((4,)), L.Dense(3, name="first"), L.Dense(1, name="second")])
    chosen = optimizers.OptimizerMap(SGD(0.01), {".*/first/.*": ScheduleFreeAdamW(0.05)})
    model.compile(optimizers.MultiOptimizer(chosen), "mse")
    model.fit(X, Y, batch_size=8, epochs=2, verbose=0)
    before = model.get_weights()
    model.optimizer._to_training()
    moved = [not np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True)]
    assert moved == [True, True, False, False]
