"""Every layer class in a functional model: shapes without running, training compiled and not, moving to another framework."""

from __future__ import annotations

import gc
import inspect

import numpy as np
import pytest

import tricera
from tests.conftest import TRAINABLE
from tests.layers.fit_cases import BATCH, CROPS_IN_TRAINING, EXCUSED, GROUPS, RANDOM, model_of
from tricera import layers as L, ops

# What takes long to compile is left to the slow runs.
TRAINED = [g if g in ("vector", "tokens") else pytest.param(g, marks=pytest.mark.slow) for g in GROUPS]


@pytest.fixture(autouse=True)
def forget_what_was_compiled():
    """A group is some fifty layers, and JAX keeps the code of every op that it has run."""
    yield
    if "jax" in TRAINABLE:
        import jax

        jax.clear_caches()
    gc.collect()


def test_the_table_holds_every_layer():
    held: set[type] = set()
    for group in GROUPS:
        held |= {getattr(type(x), "_public_class", type(x)) for x in model_of(group)[0]._flatten_layers()}
    public = {getattr(L, n): n for n in L.__all__ if n not in EXCUSED and inspect.isclass(getattr(L, n))}
    public = {c: n for c, n in public.items() if issubclass(c, L.Layer)}
    assert not [name for cls, name in public.items() if cls not in held]
    assert not [name for name in EXCUSED if getattr(L, name, None) in held]


@pytest.mark.parametrize("group", GROUPS)
def test_shapes_without_running(backend, group):
    """What the symbolic pass said of each branch is what running it gives."""
    _, raw, data = model_of(group)
    for name, out in raw.predict_on_batch(data).items():
        if name == CROPS_IN_TRAINING:
            out = ops.convert_to_numpy(tricera.Model(raw.input, raw.output[name])(data, training=True))
        symbolic = raw.output[name]
        assert (BATCH, *symbolic.shape[1:]) == out.shape, name
        assert symbolic.dtype == tricera.backend.standardize_dtype(out.dtype), name


def fit(model, data, **options):
    """One step of training; the loss of each branch."""
    names = list(model.output)
    model.compile(tricera.optimizers.SGD(1e-4), dict.fromkeys(names, "mae"), **options)
    history = model.fit(data, {n: np.zeros((BATCH, 1), "float32") for n in names}, batch_size=BATCH, verbose=0).history
    losses = {name: history[f"{name}_loss"][0] for name in names}
    assert not [name for name, loss in losses.items() if not np.isfinite(loss)]
    return losses


@pytest.mark.parametrize("group", TRAINED)
def test_every_layer_trains_and_moves(trainable_backend, group):
    """A step of training compiled, and one on another framework, where the outputs are the same as before the move."""
    model, raw, data = model_of(group)
    fit(model, data)
    before = raw.predict_on_batch(data)
    target = TRAINABLE[(TRAINABLE.index(trainable_backend) + 1) % len(TRAINABLE)]
    raw.to_backend(target)
    model.to_backend(target)
    for name, out in raw.predict_on_batch(data).items():
        scale = max(np.abs(before[name]).max(), 1)
        np.testing.assert_allclose(out / scale, before[name] / scale, atol=2e-5, err_msg=name)
    fit(model, data)


@pytest.mark.parametrize("group", TRAINED)
def test_every_layer_trains_eagerly(trainable_backend, group):
    """What nothing random enters gives the same loss as the compiled step."""
    model, _, data = model_of(group)
    start = model.get_weights()
    eager = fit(model, data, run_eagerly=True)
    model.set_weights(start)
    for name, loss in fit(model, data).items():
        if name not in RANDOM:
            np.testing.assert_allclose(eager[name], loss, rtol=1e-3, atol=1e-4, err_msg=name)
