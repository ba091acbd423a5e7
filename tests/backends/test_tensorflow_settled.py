"""TensorFlow's steps become XLA programs after a fixed number of batches of a shape: the same numbers in every mode of dispatch."""

from __future__ import annotations

import gc

import numpy as np
import pytest

import tricera
from tests.conftest import BACKENDS
from tests.reading import Reader
from tricera import layers

if "tensorflow" not in BACKENDS:
    pytest.skip("TensorFlow is not installed", allow_module_level=True)

import tensorflow as tf

from tricera.backends.tensorflow import settled

BATCHES = settled.SETTLED + 5


@pytest.fixture(autouse=True)
def backend():
    with tricera.backend.use("tensorflow"):
        tricera.utils.set_random_seed(0)
        yield


def data(n=8 * BATCHES + 3):
    rng = np.random.default_rng(0)
    return rng.normal(size=(n, 6)).astype("float32"), rng.integers(0, 3, n)


def dense(*between, **options):
    model = tricera.Sequential([layers.Input((6,)), layers.Dense(8, "relu"), *between, layers.Dense(3, "softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"], **options)
    return model


def state(model, alone=False):
    """The shapes that are compiled for, and those that are left to the graph."""
    found = model._step_cache.get(model, "train", alone)._settled
    return {key[0][0][0] for key in found.tried}, {key[0][0][0] for key in found.plain}


def generator(x, y):
    for i in range(0, len(x), 8):
        yield x[i : i + 8], y[i : i + 8]


@pytest.mark.parametrize("random", [False, True])
def test_all_modes_change_at_the_same_batch(random, monkeypatch):
    """Windows, single watched batches, batches of a generator one by one and several at once: equal to the bit.

    Random numbers show it, which a graph and its program draw otherwise; on a CPU a step with them is left a graph.
    """
    if random:
        monkeypatch.setattr(settled, "_SLOW_ON_CPU", ())
    x, y = data()
    results = []
    for mode in ("window", "watched", "generator", "several"):
        tricera.utils.set_random_seed(1)
        between = [layers.Dropout(0.3)] if random else []
        model = dense(*between, steps_per_execution=7 if mode == "several" else 1)
        source = (x, y) if mode in ("window", "watched") else (generator(x, y), None)
        model.fit(*source, batch_size=8 if mode in ("window", "watched") else None, shuffle=False, verbose=0,
                  callbacks=[Reader()] if mode == "watched" else None)  # fmt: skip
        assert state(model) == ({8}, set())
        results.append([*model.get_weights(), *(v.numpy() for m in model.metrics for v in m.variables)])
    for other in results[1:]:
        for a, b in zip(other, results[0], strict=True):
            np.testing.assert_array_equal(a, b)


def test_what_runs_on_resident_data_does_not_keep_them():
    x, y = data()
    model = dense()
    for _ in range(2):
        model.fit(x, y, batch_size=8, verbose=0, callbacks=[Reader()])
        gc.collect()
        step = model._step_cache.get(model, "train")
        assert step._last is not None and step._last[0]() is None


def test_compiled_steps_go_on_as_the_graph_would():
    """The weights are those of the plain graph within rounding."""
    x, y = data()
    results = []
    for jit in ("auto", False):
        tricera.utils.set_random_seed(1)
        model = dense(jit_compile=jit)
        model.fit(x, y, batch_size=8, epochs=2, shuffle=False, verbose=0)
        results.append(model.get_weights())
    for a, b in zip(*results, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
    assert state(model) == (set(), set())


def test_what_xla_cannot_compile_stays_a_graph():
    class Numpy(layers.Layer):
        def call(self, x):
            return tf.ensure_shape(tf.numpy_function(lambda a: a, [x], tf.float32), x.shape) + x

    x, y = data()
    model = dense(Numpy())
    model.fit(x, y, batch_size=8, shuffle=False, verbose=0)
    assert state(model) == (set(), {8})


def test_convolutions_random_numbers_and_large_steps_stay_a_graph(monkeypatch):
    x, y = data()
    model = dense(layers.Dropout(0.3))
    model.fit(x, y, batch_size=8, shuffle=False, verbose=0)
    assert state(model) == (set(), {8})
    images = tricera.Sequential(
        [layers.Input((6,)), layers.Reshape((6, 1)), layers.Conv1D(2, 3), layers.Flatten(), layers.Dense(3)]
    )
    images.compile("sgd", tricera.losses.SparseCategoricalCrossentropy(from_logits=True))
    images.fit(x, y, batch_size=8, verbose=0)
    assert state(images) == (set(), {8})
    monkeypatch.setattr(settled, "MOST_NODES", 50)
    model = dense()
    model.fit(x, y, batch_size=8, verbose=0)
    assert state(model) == (set(), {8})


def test_loops_are_compiled():
    """What a loop is in a graph is called much as random numbers are: StatelessWhile."""
    x, y = data()
    model = tricera.Sequential([layers.Input((6,)), layers.Reshape((6, 1)), layers.LSTM(4), layers.Dense(3)])
    model.compile("sgd", tricera.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(x, y, batch_size=8, shuffle=False, verbose=0)
    assert state(model) == ({8}, set())


def test_only_so_many_shapes_are_compiled_for(monkeypatch):
    monkeypatch.setattr(settled, "SETTLED", 1)
    monkeypatch.setattr(settled, "SHAPES", 2)
    model = dense()
    x, y = data(40)
    for _ in range(3):
        for size in (2, 3, 4, 5):
            model.train_on_batch(x[:size], y[:size])
    assert state(model, alone=True) == ({2, 3}, set())


def test_an_error_of_a_compiled_step_is_raised():
    """It is taken for something that can't be compiled only at the first call."""
    model = dense()
    x, y = data()
    for _ in range(BATCHES):
        model.train_on_batch(x[:8], y[:8])

    def fails(batch):
        raise tf.errors.InvalidArgumentError(None, None, "of the batch")

    fails.get_concrete_function = lambda batch: fails
    step = model._step_cache.get(model, "train", alone=True)
    step._compiled = fails
    step._direct.clear()
    with pytest.raises(tf.errors.InvalidArgumentError, match="of the batch"):
        model.train_on_batch(x[:8], y[:8])
    assert state(model, alone=True) == ({8}, set())
