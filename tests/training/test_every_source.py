"""Every kind of data on every framework trains, evaluates and predicts to the same numbers."""

import numpy as np
import pytest

import tricera as keras
from tests.conftest import BACKENDS
from tricera import layers

N, SIZE = 22, 8  # the last batch is partial
X = np.random.default_rng(0).normal(size=(N, 3)).astype("float32")
Y = (X @ np.array([[1.0], [-2.0], [0.5]], "float32") + 0.3).astype("float32")
STARTS = range(0, N, SIZE)


class Batches(keras.utils.PyDataset):
    """Three batches; on top level, so that processes can load it."""

    def __len__(self):
        return len(STARTS)

    def __getitem__(self, index):
        part = slice(index * SIZE, (index + 1) * SIZE)
        return X[part], Y[part]


def generator():
    while True:
        for start in STARTS:
            yield X[start : start + SIZE], Y[start : start + SIZE]


def in_framework(name):
    def make():
        with keras.backend.use(name):
            return {"x": keras.ops.convert_to_tensor(X), "y": keras.ops.convert_to_tensor(Y)}

    return make


def frames():
    pandas = pytest.importorskip("pandas")
    return {"x": pandas.DataFrame(X), "y": pandas.Series(Y[:, 0])}


def tf_data():
    tf = pytest.importorskip("tensorflow")
    return {"x": tf.data.Dataset.from_tensor_slices((X, Y)).batch(SIZE)}


def loader():
    torch = pytest.importorskip("torch")
    dataset = torch.utils.data.TensorDataset(torch.tensor(X), torch.tensor(Y))
    return {"x": torch.utils.data.DataLoader(dataset, batch_size=SIZE)}


SOURCES = {
    "arrays": lambda: {"x": X, "y": Y},
    "lists": lambda: {"x": X.tolist(), "y": Y.tolist()},
    "frames": frames,
    **{f"tensors of {name}": in_framework(name) for name in BACKENDS},
    "tf.data": tf_data,
    "DataLoader": loader,
    "PyDataset": lambda: {"x": Batches()},
    "PyDataset in threads": lambda: {"x": Batches(workers=2)},
    "generator": lambda: {"x": generator()},
}


def model():
    built = keras.Sequential([layers.Input((3,)), layers.Dense(1, kernel_initializer="ones")])
    built.compile(keras.optimizers.SGD(0.1), "mse", metrics=["mae"])
    return built


def by_hand():
    """Two epochs of gradient descent in NumPy."""
    w, b = np.ones((3, 1)), np.zeros(1)
    for start in list(STARTS) * 2:
        x, y = X[start : start + SIZE].astype("float64"), Y[start : start + SIZE]
        error = x @ w + b - y
        w, b = w - 0.2 * x.T @ error / len(x), b - 0.2 * error.mean(0)
    return w, b


@pytest.mark.parametrize("source", SOURCES)
def test_fit_and_evaluate(trainable_backend, source):
    arrays = SOURCES[source]()
    sized = {"batch_size": SIZE, "shuffle": False} if "y" in arrays else {"shuffle": False}
    endless = source == "generator"
    built = model()
    history = built.fit(**arrays, **sized, epochs=2, verbose=0, **({"steps_per_epoch": 3} if endless else {})).history
    assert set(history) == {"loss", "mae"} and len(history["loss"]) == 2
    for got, wanted in zip(built.get_weights(), by_hand(), strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-5)
    arrays = SOURCES[source]()
    sized.pop("shuffle", None)
    loss, mae = built.evaluate(**arrays, **sized, verbose=0, **({"steps": 3} if endless else {}))
    error = X @ built.get_weights()[0] + built.get_weights()[1] - Y
    np.testing.assert_allclose([loss, mae], [np.mean(error**2), np.mean(np.abs(error))], rtol=1e-4)


@pytest.mark.parametrize("source", SOURCES)
def test_predict(backend, source):
    arrays = SOURCES[source]()
    arrays.pop("y", None)
    built = model()
    got = built.predict(**arrays, verbose=0, **({"steps": 3} if source == "generator" else {}))
    assert isinstance(got, np.ndarray)
    np.testing.assert_allclose(got, X.sum(1, keepdims=True), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("source", [s for s in SOURCES if s != "generator"])
def test_as_validation_data(trainable_backend, source):
    arrays = SOURCES[source]()
    data = (arrays["x"], arrays["y"]) if "y" in arrays else arrays["x"]
    built = model()
    history = built.fit(X, Y, batch_size=SIZE, epochs=1, validation_data=data, verbose=0).history
    error = X @ built.get_weights()[0] + built.get_weights()[1] - Y
    np.testing.assert_allclose(history["val_loss"], [np.mean(error**2)], rtol=1e-4)


@pytest.mark.slow
def test_processes(trainable_backend):
    built = model()
    built.fit(Batches(workers=2, use_multiprocessing=True), epochs=2, verbose=0, shuffle=False)
    np.testing.assert_allclose(built.get_weights()[0], by_hand()[0], rtol=1e-4, atol=1e-5)


class Watcher(keras.callbacks.Callback):
    """Sees each batch, which forbids the trainer to run several in one dispatch."""

    def __init__(self):
        super().__init__()
        self.batches = []

    def on_train_batch_end(self, batch, logs=None):
        self.batches.append((batch, logs["loss"]))


@pytest.mark.parametrize("shuffle, weighted", [(True, True), (False, False), ("batch", True)])
def test_watched_steps_and_steps_in_one_dispatch_are_the_same(trainable_backend, shuffle, weighted):
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(300, 5)).astype("float32"), rng.integers(0, 3, 300)
    options = {"class_weight": {0: 1.0, 1: 2.0, 2: 0.5}} if weighted else {}
    results = []
    for callbacks in ([], [Watcher()]):
        keras.utils.set_random_seed(4)
        net = keras.Sequential([layers.Input((5,)), layers.Dense(7, "tanh"), layers.Dropout(0.3), layers.Dense(3)])
        net.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
        history = net.fit(
            x,
            y,
            batch_size=8,
            epochs=3,
            shuffle=shuffle,
            callbacks=callbacks,
            validation_split=0.1,
            verbose=0,
            **options,
        ).history
        results.append((net.get_weights(), history))
    assert [b for b, _ in callbacks[0].batches] == [*range(34)] * 3
    exact = trainable_backend != "torch"
    for a, b in zip(results[0][0], results[1][0], strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=0 if exact else 1e-6)
    for key, values in results[0][1].items():
        np.testing.assert_allclose(values, results[1][1][key], rtol=0 if exact else 1e-5)


def test_learning_rate_and_stop_in_batch_hooks_take_effect_at_once(trainable_backend):
    class Hook(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            self.model.optimizer.learning_rate = 0.1 if batch == 0 else 0.0

        def on_train_batch_end(self, batch, logs=None):
            self.model.stop_training = batch == 1

    built = model()
    built.fit(X, Y, batch_size=SIZE, epochs=5, shuffle=False, callbacks=[Hook()], verbose=0)
    x, error = X[:SIZE], X[:SIZE] @ np.ones((3, 1)) - Y[:SIZE]
    np.testing.assert_allclose(built.get_weights()[0], 1 - 0.2 * x.T @ error / SIZE, rtol=1e-4, atol=1e-5)


def test_steps_that_end_in_the_middle_of_the_data_go_on_there(trainable_backend):
    built = model()
    built.compile(keras.optimizers.SGD(0.0), "mse")
    values = np.arange(10, dtype="float32")[:, None] * np.ones((1, 3), "float32")
    with pytest.warns(UserWarning, match="ran out after 1 batches of 2"):
        history = built.fit(
            values, np.zeros((10, 1), "float32"), batch_size=2, steps_per_epoch=2, epochs=4, shuffle=False, verbose=0
        ).history
    seen = np.sqrt(np.array(history["loss"])) / 3
    wanted = [np.sqrt(np.mean(np.square(part))) for part in ([0, 1, 2, 3], [4, 5, 6, 7], [8, 9], [0, 1, 2, 3])]
    np.testing.assert_allclose(seen, wanted, rtol=1e-5)
