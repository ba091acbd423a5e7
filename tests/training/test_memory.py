"""Many calls leave nothing behind: no objects, no arrays, no compiled functions without end."""

import gc
import math
import sys
import tracemalloc
import weakref
from importlib import import_module

import numpy as np
import pytest

import tricera as keras
from tests.reading import Reader
from tricera import layers

X, Y = np.ones((8, 3), "float32"), np.ones((8, 1), "float32")


def model():
    net = keras.Sequential([layers.Input((3,)), layers.Dense(1)])
    net.compile("sgd", "mse", metrics=["mae"])
    return net


def objects(backend):
    """The number of objects that the collector knows, and of the framework's arrays."""
    gc.collect()
    known = gc.get_objects()
    if backend == "jax":
        return len(known), len(sys.modules["jax"].live_arrays())
    if backend == "torch":
        return len(known), sum(issubclass(type(x), sys.modules["torch"].Tensor) for x in known)
    return len(known), sum(type(x).__name__ in ("EagerTensor", "ResourceVariable") for x in known)


def acts(net):
    watch = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: logs["loss"])

    def varied(i):
        n = 1 + i % 8
        net.train_on_batch(X[:n], Y[:n])
        net.predict(X[:n], verbose=0)

    return {
        "train_on_batch": lambda i: net.train_on_batch(X, Y),
        "predict_on_batch": lambda i: net.predict_on_batch(X),
        "predict": lambda i: net.predict(X, verbose=0),
        "evaluate": lambda i: net.evaluate(X, Y, verbose=0),
        "fit": lambda i: net.fit(X, Y, verbose=0),
        "fit, watched": lambda i: net.fit(X, Y, verbose=0, callbacks=[watch]),
        "fit with a generator": lambda i: net.fit(iter([(X, Y)] * 3), verbose=0),
        "several sizes": varied,
    }


def test_calls_leave_no_objects(trainable_backend):
    calls = acts(model()).values()

    def all_of_them(times):
        for i in range(times):
            for act in calls:
                act(i)

    # Until the eight sizes have come, twice; on TensorFlow until all that is compiled after 32 batches of a shape is.
    all_of_them(16 if trainable_backend != "tensorflow" else 288)
    before = objects(trainable_backend)
    all_of_them(16)
    after = objects(trainable_backend)
    assert after[1] == before[1] and after[0] - before[0] < 16  # less than one for each call of one kind


@pytest.mark.parametrize("watched", [False, True])
def test_data_are_let_go(trainable_backend, watched):
    """Neither what was passed nor its copy on the device outlives a call."""
    net = model()
    watch = [Reader()] if watched else []
    before = large(trainable_backend)
    x, y = np.ones((6400, 3), "float32"), np.ones((6400, 1), "float32")
    passed = [weakref.ref(x), weakref.ref(y)]
    net.fit(x, y, verbose=0, callbacks=watch)
    net.evaluate(x, y, verbose=0)
    net.predict(x, verbose=0)
    del x, y
    assert large(trainable_backend) <= before  # what other tests left may go meanwhile
    assert [ref() for ref in passed] == [None, None]


def large(backend):
    """How many of the framework's arrays hold 6,400 numbers or more."""
    gc.collect()
    if backend == "jax":
        sizes = [x.size for x in sys.modules["jax"].live_arrays()]
    else:
        kind = "Tensor" if backend == "torch" else "EagerTensor"
        sizes = [math.prod(x.shape) for x in gc.get_objects() if type(x).__name__ == kind]
    return sum(size >= 6400 for size in sizes)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["predict", "train_on_batch"])
def test_ten_thousand_calls(trainable_backend, name):
    act = acts(model())[name]
    for i in range(1000):
        act(i)
    before = objects(trainable_backend)
    tracemalloc.start(1)
    sizes = []
    for _ in range(2):
        for i in range(4500):
            act(i)
        gc.collect()
        sizes.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    after = objects(trainable_backend)
    # caches with a bound (of names, of small blocks) still fill; a byte a call would be less than any object
    assert sizes[1] - sizes[0] < 4500 * 4
    assert after[1] == before[1] and after[0] - before[0] < 100


class Noting(layers.Layer):
    """Notes each time that its code runs."""

    def __init__(self):
        super().__init__()
        self.shapes = []

    def call(self, x):
        self.shapes.append(tuple(x.shape))
        return x


def noting():
    note = Noting()
    net = keras.Sequential([layers.Input((3,)), note, layers.Dense(1)])
    net.compile("sgd", "mse")
    note.shapes.clear()
    return net, note.shapes


def test_what_is_compiled_for_shapes_is_bounded(trainable_backend, monkeypatch):
    room = import_module(f"tricera.backends.{trainable_backend}.step")
    monkeypatch.setattr(room, "SHAPES", 4, raising=False)
    net, traced = noting()
    for i in range(1, 12):
        out = net.predict_on_batch(np.ones((i, 3), "float32"))
        assert out.shape == (i, 1)
    if trainable_backend == "jax":
        assert net._step_cache.get(net, "predict")._one._cache_size() <= 5
    elif trainable_backend == "tensorflow":
        assert len(traced) <= 4  # after two sizes, with an open one


def test_data_of_many_lengths_keep_a_bounded_number_of_programs(trainable_backend, monkeypatch):
    room = import_module(f"tricera.backends.{trainable_backend}.step")
    monkeypatch.setattr(room, "_PROGRAMS", 3, raising=False)
    net, traced = noting()
    for n in (8, 16, 32, 64, 128, 256):
        net.evaluate(np.ones((n, 3), "float32"), np.ones((n, 1), "float32"), batch_size=8, verbose=0)
    if trainable_backend == "jax":
        assert len(net._step_cache.get(net, "test")._windows) == 3
    elif trainable_backend == "tensorflow":
        assert len(traced) <= 4
