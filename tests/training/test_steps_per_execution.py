"""How many steps a dispatch holds changes no number; what may be asked for."""

import numpy as np
import pytest

import tricera as keras
from tests.reading import Reader
from tricera import layers

RNG = np.random.default_rng(0)
X = RNG.normal(size=(70, 4)).astype("float32")  # of batches of 8, the last is partial
Y = RNG.integers(0, 3, 70)


def model(**options):
    keras.utils.set_random_seed(1)
    net = keras.Sequential([layers.Input((4,)), layers.Dropout(0.3), layers.Dense(3)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    net.compile("adam", loss, metrics=["accuracy"], **options)
    return net


def trained(source="arrays", **options):
    net = model(**options)
    data = {"x": X, "y": Y, "batch_size": 8}
    if source == "generator":
        data = {"x": (b for _ in range(2) for b in batches()), "steps_per_epoch": 9}
    history = net.fit(**data, epochs=2, class_weight={0: 1.0, 1: 2.0, 2: 0.5}, verbose=0).history
    return history, net.get_weights()


def batches():
    return [(X[i : i + 8], Y[i : i + 8]) for i in range(0, 70, 8)]


@pytest.mark.parametrize("source", ["arrays", "generator"])
def test_the_numbers_are_the_same(trainable_backend, source):
    wanted = trained(source)
    exact = trainable_backend != "torch"
    for steps in ("auto", 4) if source == "arrays" else (4,):
        for a, b in zip(keras.tree.flatten(trained(source, steps_per_execution=steps)), keras.tree.flatten(wanted)):
            np.testing.assert_allclose(a, b, rtol=0 if exact else 1e-5, atol=0 if exact else 1e-6, err_msg=str(steps))


def test_reading_each_loss_changes_no_number(trainable_backend):
    """Also of other data of the same shape, and of data that are gone by then."""
    found = []
    for reader in (Reader(), None):
        net = model()
        history = []
        for data in (X, -X):
            # the copy is nowhere held after the call
            fitted = net.fit(data.copy(), Y, batch_size=8, epochs=5, verbose=0, callbacks=[reader] if reader else None)
            history.append(fitted.history)
        found.append((history, net.get_weights()))
        if reader:
            assert len(reader.found) == 2 * 5 * 9
            np.testing.assert_allclose(reader.found[8::9], history[0]["loss"] + history[1]["loss"])
    exact = trainable_backend != "torch"
    for a, b in zip(keras.tree.flatten(found[0]), keras.tree.flatten(found[1]), strict=True):
        np.testing.assert_allclose(a, b, rtol=0 if exact else 1e-5, atol=0 if exact else 1e-6)


class Second(keras.Model):
    """Computes from the second of its inputs."""

    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(1)

    def call(self, inputs):
        return self.dense(inputs[1])


def test_a_first_input_that_is_not_given(trainable_backend):
    found = []
    for callbacks in ([], [Reader()]):
        keras.utils.set_random_seed(1)
        net = Second()
        net.compile("sgd", "mse")
        found.append(net.fit((None, X), Y, batch_size=10, epochs=6, callbacks=callbacks, verbose=0).history["loss"])
    np.testing.assert_allclose(found[1], found[0], rtol=1e-5)


class Groups(keras.callbacks.Callback):
    """The numbers of the batches between which hooks are called."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def on_train_batch_begin(self, batch, logs=None):
        self.seen.append(batch)

    def on_train_batch_end(self, batch, logs=None):
        self.seen.append(batch)

    on_test_batch_begin = on_predict_batch_begin = on_train_batch_begin
    on_test_batch_end = on_predict_batch_end = on_train_batch_end


@pytest.mark.parametrize(("size", "wanted"), [(8, [0, 3, 4, 7, 8, 8]), (10, [0, 3, 4, 6]), (12, [0, 3, 4, 5])])
def test_a_smaller_last_batch_belongs_to_the_group(trainable_backend, size, wanted):
    """As Keras begins them, whatever kind of data they come from; 70 samples are 8 batches of 8 and one of 6."""
    net = model(steps_per_execution=4)
    net.build((None, 4))

    def source():
        return ((X[i : i + size], Y[i : i + size]) for i in range(0, 70, size))

    for run in (net.fit, net.evaluate, net.predict):
        x, y = (X, ()) if run == net.predict else (X, (Y,))
        groups = Groups()
        run(x, *y, batch_size=size, callbacks=[groups], verbose=0)
        assert groups.seen == wanted
        groups = Groups()
        run(source() if y else (x for x, _ in source()), callbacks=[groups], verbose=0)
        assert groups.seen == wanted
    predicted = net.predict(X, batch_size=size, verbose=0)
    np.testing.assert_allclose(predicted, net.predict_on_batch(X), rtol=1e-5, atol=1e-6)


def test_auto_is_kept():
    with keras.backend.use("numpy"):
        net = model(steps_per_execution="auto")
        assert net.steps_per_execution == "auto"
        config = net.get_compile_config()
        other = keras.Sequential([layers.Input((4,)), layers.Dense(3)])
        other.compile_from_config(config)
        assert config["steps_per_execution"] == other.steps_per_execution == "auto"
        net.steps_per_execution = np.int64(3)
        assert net.steps_per_execution == 3 and type(net.get_compile_config()["steps_per_execution"]) is int


@pytest.mark.parametrize("wrong", ["fast", 0, -1, 1.5, True, None])
def test_anything_else_is_refused(wrong):
    with keras.backend.use("numpy"):
        with pytest.raises(ValueError, match="steps_per_execution.*positive integer or 'auto'"):
            model(steps_per_execution=wrong)
        net = model()
        with pytest.raises(ValueError, match="steps_per_execution.*positive integer or 'auto'"):
            net.steps_per_execution = wrong
        assert net.steps_per_execution == 1
