"""`predict` runs many steps in a dispatch: the same outputs as step by step, few compilations, and callbacks that see each batch."""

import numpy as np
import pytest

import tricera as keras
from tricera import layers, ops
from tricera.training import resident

RNG = np.random.default_rng(0)
A, B = RNG.normal(size=(283, 5)).astype("float32"), RNG.integers(0, 9, (283, 1))


class Seen(keras.callbacks.Callback):
    """Watches single batches."""

    def __init__(self, stop=None):
        super().__init__()
        self.begun, self.outputs, self.stop = [], [], stop

    def on_predict_batch_begin(self, batch, logs=None):
        self.begun.append(batch)

    def on_predict_batch_end(self, batch, logs=None):
        self.outputs.append(keras.tree.map_structure(ops.convert_to_numpy, logs["outputs"]))
        self.model.stop_predicting = batch == self.stop


class Counting(layers.Layer):
    """Counts its samples, and the times that its code runs."""

    def __init__(self):
        super().__init__()
        self.sum = keras.metrics.Sum(name="samples")
        self.times = 0

    def call(self, x):
        self.times += 1
        self.sum.update_state(ops.ones_like(x[:, 0]))
        return ops.tanh(x)


def model():
    a, b = layers.Input((5,), name="a"), layers.Input((1,), dtype="int32", name="b")
    h = layers.Concatenate()([layers.Dense(4)(a), layers.Flatten()(layers.Embedding(9, 3)(b))])
    counting = Counting()
    h = counting(h)
    return keras.Model({"a": a, "b": b}, {"one": layers.Dense(2)(h), "all": [h, layers.Softmax()(h)]}), counting


@pytest.mark.parametrize(
    "n", [283, 70, 8]
)  # with batches of 4: two chunks and a partial batch, one of another size, none
def test_outputs_are_those_of_single_steps(backend, n):
    net, _ = model()
    x = {"a": A[:n], "b": B[:n]}
    got = net.predict(x, batch_size=4, verbose=0)
    seen = Seen()
    watched = net.predict(x, batch_size=4, verbose=0, callbacks=[seen])
    alone = keras.tree.map_structure(
        lambda *parts: np.concatenate(parts),
        *[net.predict_on_batch({"a": A[i : min(i + 4, n)], "b": B[i : min(i + 4, n)]}) for i in range(0, n, 4)],
    )
    joined = keras.tree.map_structure(lambda *parts: np.concatenate(parts), *seen.outputs)
    assert seen.begun == list(range(-(-n // 4)))
    keras.tree.assert_same_structure(got, alone)
    for a, b, c, d in zip(*map(keras.tree.flatten, (got, watched, joined, alone))):
        assert a.shape[0] == n and a.dtype == "float32"
        if backend == "torch":
            np.testing.assert_allclose(a, b, atol=1e-6)
        else:
            np.testing.assert_array_equal(a, b)
        np.testing.assert_array_equal(b, c)
        np.testing.assert_allclose(a, d, rtol=1e-5, atol=1e-6)


def test_state_goes_from_step_to_step_and_hooks_can_stop(backend):
    net, counting = model()
    x = {"a": A, "b": B}
    net.predict(x, batch_size=4, verbose=0)
    assert float(counting.sum.result()) == 283
    out = net.predict(x, batch_size=4, verbose=0, callbacks=[Seen(stop=2)])
    assert out["one"].shape == (12, 2)
    net.compile("sgd", steps_per_execution=5)
    seen = Seen(stop=9)
    out = net.predict(x, batch_size=4, verbose=0, callbacks=[seen])
    assert seen.begun == [0, 5] and out["one"].shape == (40, 2)
    assert net.predict(x, batch_size=4, verbose=0, steps=68)["one"].shape == (272, 2)


def test_tensors_alike_in_another_structure(backend):
    a, b = layers.Input((3,), name="a"), layers.Input((3,), name="b")
    net = keras.Model([a, b], layers.Subtract()([a, b]))
    x, y = np.ones((2, 3), "float32"), np.zeros((2, 3), "float32")
    for data in ([x, y], {"a": x, "b": y}, {"b": y, "a": x}, (x, y)):
        np.testing.assert_array_equal(net.predict_on_batch(data), 1.0)
        np.testing.assert_array_equal(net.predict(data, verbose=0), 1.0)
    if backend != "numpy":
        net.compile(keras.optimizers.SGD(0.0), "mse")
        for _ in range(40):  # on TensorFlow until it is compiled
            for data in ([x, y], {"a": x, "b": y}):
                assert net.train_on_batch(data, x) == 0


def test_one_sample_again_and_again_is_traced_once(trainable_backend):
    if trainable_backend == "torch":
        pytest.skip("steps are not traced")
    counting = Counting()
    net = keras.Sequential([layers.Input((5,)), counting, layers.Dense(1)])
    net.compile("sgd", "mse")
    x, y = A[:1], np.ones((1, 1), "float32")

    def all_of_them():
        net.predict(x, verbose=0)
        net.predict_on_batch(x)
        net.evaluate(x, y, verbose=0)
        net.test_on_batch(x, y)
        net.train_on_batch(x, y)

    all_of_them()
    before = counting.times
    for _ in range(10):
        all_of_them()
    assert counting.times == before


def test_numbers_of_samples_share_their_programs(trainable_backend):
    """Of 30 lengths with whole batches, each past the first few is predicted by what is compiled already."""
    if trainable_backend == "torch":
        pytest.skip("steps are not traced")
    counting = Counting()
    net = keras.Sequential([layers.Input((5,)), counting, layers.Dense(1)])
    for batches in (3, 20, 70):
        net.predict(A[: 4 * batches], batch_size=4, verbose=0)
    before = counting.times
    for batches in range(1, 70, 5):
        assert net.predict(A[: 4 * batches], batch_size=4, verbose=0).shape == (4 * batches, 1)
    assert counting.times == before


@pytest.mark.parametrize("act", ["fit", "evaluate"])
def test_lengths_that_are_alike_share_their_programs(trainable_backend, act):
    if trainable_backend == "torch":
        pytest.skip("steps are not traced")
    counting = Counting()
    net = keras.Sequential([layers.Input((5,)), counting, layers.Dense(1)])
    net.compile("sgd", "mse")
    for batches in range(65, 71):
        getattr(net, act)(A[: 4 * batches], B[: 4 * batches], batch_size=4, verbose=0)
        if batches < 67:  # TensorFlow traces the second length with an open number of rows
            before = counting.times
    assert counting.times == before


def test_large_outputs_are_not_gathered_on_the_device(backend, monkeypatch):
    monkeypatch.setattr(resident, "_CHUNK", 4000)
    net = keras.Sequential([layers.Input((5,)), layers.Dense(50)])
    out = net.predict(A, batch_size=4, verbose=0)
    np.testing.assert_allclose(out, net.predict_on_batch(A), rtol=1e-4, atol=1e-5)


def test_a_step_of_ones_own_may_give_anything(backend):
    class Odd(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(1)

        def call(self, x):
            return self.dense(x)

        def predict_step(self, data):
            return {"x": data[:1], "none": None}

    net = Odd()
    net.build((None, 5))
    out = net.predict(A, batch_size=4, verbose=0)
    np.testing.assert_array_equal(out["x"], A[::4])
    assert out["none"] is None
