"""One measurement in one process: `python -m benchmarks.measure CASE tricera|keras|hand BACKEND` prints a number."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from benchmarks import hand

CASES = {
    "mlp_fit": "MLP 784-128-10, batch 32, Adam, accuracy: fit, a step (ms)",
    "mlp_fit_bar": "the same with the progress bar (ms)",
    "dropout_fit": "MLP 32-64-10 with dropout, batch 32: fit, a step (ms)",
    "watched_fit": "the same, a callback reads the loss after each batch (ms)",
    "resnet_fit": "residual convnet, 16 and 32 channels on (32, 32, 3), batch 64: fit, a step (ms)",
    "convnet_fit": "the guide's convnet, batch 128: fit, a step (ms)",
    "lstm_fit": "LSTM(128) on (28, 28), batch 64: fit, a step (ms)",
    "gru_fit": "GRU(128) on (28, 28), batch 64: fit, a step (ms)",
    "generator_fit": "the same LSTM, batches from a generator that waits 5 ms for each: fit, a step (ms)",
    "transformer_fit": "transformer, 2 blocks, d 128, seq 64, batch 32: fit, a step (ms)",
    "predict_one": "predict, one sample (ms)",
    "predict_many": "predict, 1,000 batches of 32, a batch (ms)",
    "call_one": "model(x), one sample, eager (ms)",
    "train_on_batch": "train_on_batch of 32 (ms)",
    "first_fit": "first fit of 20 steps, compilation included (ms)",
    "op_add": "eager ops.add of two small tensors (us)",
    "build": "build a functional model of 100 layers (ms)",
    "import": "import in a fresh process, until a layer could be made (ms)",
    "import_over": "import, over the framework's own (ms)",
}


def package(name: str) -> Any:
    return importlib.import_module(name)


def timed(run: Callable[[], Any], repeat: int = 5) -> float:
    """The shortest of several runs, in seconds."""
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times)


def mlp(keras: Any) -> Any:
    model = keras.Sequential(
        [
            keras.layers.Input((784,)),
            keras.layers.Dense(128, activation="relu"),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def data(n: int, shape: tuple[int, ...]) -> Any:
    rng = np.random.default_rng(0)
    return rng.normal(size=(n, *shape)).astype("float32"), rng.integers(0, 10, n).astype("int32")


def case_import(name: str, backend: str) -> float:
    start = time.perf_counter()
    keras = package(name)
    keras.layers.Dense  # noqa: B018 - the face is lazy; count what a user touches first
    keras.Sequential  # noqa: B018
    keras.ops.add  # noqa: B018
    return (time.perf_counter() - start) * 1e3


def case_import_over(name: str, backend: str) -> float:
    """TensorFlow imports Keras itself, so that Keras costs nothing over it."""
    if backend != "numpy":
        importlib.import_module(backend)
    return case_import(name, backend)


def case_mlp_fit(name: str, backend: str) -> float:
    if name == "hand":
        return hand.fit(backend, "mlp", *data(32 * 500, (784,)), 32, 3, 5) * 1e3
    return _mlp_fit(name, verbose=0)


def case_mlp_fit_bar(name: str, backend: str) -> float:
    if name == "hand":
        return case_mlp_fit(name, backend)  # nobody writes a bar by hand
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
        return _mlp_fit(name, verbose=1)


def _mlp_fit(name: str, verbose: int) -> float:
    """Milliseconds a step of three epochs of 500 steps."""
    model = mlp(package(name))
    x, y = data(32 * 500, (784,))
    model.fit(x[:3200], y[:3200], batch_size=32, epochs=1, verbose=verbose)
    return timed(lambda: model.fit(x, y, batch_size=32, epochs=3, verbose=verbose), 5) / 1500 * 1e3


def _small(keras: Any) -> Any:
    layers = keras.layers
    stack = [layers.Dense(64, activation="relu"), layers.Dropout(0.2), layers.Dense(10, activation="softmax")]
    return keras.Sequential([layers.Input((32,)), *stack])


def case_dropout_fit(name: str, backend: str) -> float:
    return fit_step(_small(package(name)), *data(32 * 100, (32,)), 32)


def case_watched_fit(name: str, backend: str) -> float:
    keras = package(name)

    class Reader(keras.callbacks.Callback):  # type: ignore[misc, name-defined]
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            assert logs["loss"] >= 0

    return fit_step(_small(keras), *data(32 * 100, (32,)), 32, callbacks=[Reader()])


def case_resnet_fit(name: str, backend: str) -> float:
    keras = package(name)
    layers = keras.layers

    def part(h: Any, filters: int, strides: int) -> Any:
        h = layers.ReLU()(layers.BatchNormalization()(h))
        return layers.Conv2D(filters, 3, padding="same", strides=strides, use_bias=False)(h)

    inputs = keras.Input((32, 32, 3))
    h = layers.Conv2D(16, 3, padding="same", use_bias=False)(inputs)
    for filters, strides in ((16, 1), (16, 1), (32, 2), (32, 1)):
        short = h if strides == 1 else layers.Conv2D(filters, 1, strides=strides)(h)
        h = layers.Add()([short, part(part(h, filters, strides), filters, 1)])
    outputs = layers.Dense(10, activation="softmax")(layers.GlobalAveragePooling2D()(h))
    return fit_step(keras.Model(inputs, outputs), *data(64 * 4, (32, 32, 3)), 64)


def fit_step(model: Any, x: Any, y: Any, batch: int, **options: Any) -> float:
    """Milliseconds a step of `fit`, once everything is compiled."""
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x, y, batch_size=batch, verbose=0, **options)
    return timed(lambda: model.fit(x, y, batch_size=batch, verbose=0, **options), 8) / (len(y) // batch) * 1e3


def case_convnet_fit(name: str, backend: str) -> float:
    x, y = data(128 * 4, (28, 28, 1))
    if name == "hand":
        return hand.fit(backend, "convnet", x, y, 128, 1, 8) * 1e3
    layers = package(name).layers
    stack = [
        layers.Input((28, 28, 1)),
        layers.Conv2D(64, 3, activation="relu"),
        layers.Conv2D(64, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Conv2D(128, 3, activation="relu"),
        layers.Conv2D(128, 3, activation="relu"),
        layers.GlobalAveragePooling2D(),
        layers.Dropout(0.5),
        layers.Dense(10, activation="softmax"),
    ]
    return fit_step(package(name).Sequential(stack), x, y, 128)


def _recurrent(kind: str, name: str, backend: str) -> float:
    x, y = data(64 * 20, (28, 28))
    if name == "hand":
        return hand.fit(backend, kind.lower(), x, y, 64, 1, 8) * 1e3
    return fit_step(_recurrent_model(package(name), kind), x, y, 64)


def _recurrent_model(keras: Any, kind: str) -> Any:
    layers = keras.layers
    stack = [layers.Input((28, 28)), getattr(layers, kind)(128), layers.Dense(10, activation="softmax")]
    return keras.Sequential(stack)


def case_lstm_fit(name: str, backend: str) -> float:
    return _recurrent("LSTM", name, backend)


def case_gru_fit(name: str, backend: str) -> float:
    return _recurrent("GRU", name, backend)


def case_generator_fit(name: str, backend: str) -> float:
    """What waits for a disk or a network should do so while a step runs."""
    x, y = data(64 * 20, (28, 28))

    def batches() -> Iterator[Any]:
        while True:
            for i in range(0, len(x), 64):
                time.sleep(5e-3)
                yield x[i : i + 64], y[i : i + 64]

    model, source = _recurrent_model(package(name), "LSTM"), batches()
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(source, steps_per_epoch=20, verbose=0)
    return timed(lambda: model.fit(source, steps_per_epoch=20, verbose=0), 5) / 20 * 1e3


def case_transformer_fit(name: str, backend: str) -> float:
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 1000, (32 * 10, 64)).astype("int32"), rng.integers(0, 10, 32 * 10).astype("int32")
    if name == "hand":
        return hand.fit(backend, "transformer", x, y, 32, 1, 8) * 1e3
    keras = package(name)
    layers = keras.layers
    inputs = keras.Input((64,), dtype="int32")
    h = layers.Embedding(1000, 128)(inputs)
    for _ in range(2):
        a = layers.LayerNormalization(epsilon=1e-5)(h)
        h = layers.Add()([h, layers.MultiHeadAttention(4, 32)(a, a)])
        a = layers.LayerNormalization(epsilon=1e-5)(h)
        h = layers.Add()([h, layers.Dense(128)(layers.Dense(512, activation="gelu")(a))])
    outputs = layers.Dense(10, activation="softmax")(layers.GlobalAveragePooling1D()(h))
    return fit_step(keras.Model(inputs, outputs), x, y, 32)


def case_call_one(name: str, backend: str) -> float:
    x, _ = data(1, (784,))
    if name == "hand":
        return hand.call_one(backend, x) * 1e3
    keras = package(name)
    model, tensor = mlp(keras), keras.ops.convert_to_tensor(x)
    model(tensor)
    return timed(lambda: [model(tensor) for _ in range(50)], 20) / 50 * 1e3


def case_train_on_batch(name: str, backend: str) -> float:
    model = mlp(package(name))
    x, y = data(32, (784,))
    for _ in range(3):
        model.train_on_batch(x, y)
    return timed(lambda: [model.train_on_batch(x, y) for _ in range(20)], 10) / 20 * 1e3


def case_first_fit(name: str, backend: str) -> float:
    keras = package(name)
    keras.ops.add(keras.ops.ones((2,)), 1.0)  # the framework itself has started
    x, y = data(32 * 20, (784,))
    start = time.perf_counter()
    mlp(keras).fit(x, y, batch_size=32, verbose=0)
    return (time.perf_counter() - start) * 1e3


def case_predict_one(name: str, backend: str) -> float:
    model = mlp(package(name))
    x, _ = data(1, (784,))
    for _ in range(3):
        model.predict(x, verbose=0)
    return timed(lambda: [model.predict(x, verbose=0) for _ in range(20)]) / 20 * 1e3


def case_predict_many(name: str, backend: str) -> float:
    model = mlp(package(name))
    x, _ = data(32 * 1000, (784,))
    model.predict(x[:320], batch_size=32, verbose=0)
    return timed(lambda: model.predict(x, batch_size=32, verbose=0), 3) / 1000 * 1e3


def case_op_add(name: str, backend: str) -> float:
    array = np.ones((4, 4), "float32")
    if name == "hand":
        add, x = hand.op_add(backend, array)
    else:
        ops = package(name).ops
        add, x = ops.add, ops.convert_to_tensor(array)

    def run() -> None:
        for _ in range(5000):
            add(x, x)

    run()
    return timed(run, 5) / 5000 * 1e6


def case_build(name: str, backend: str) -> float:
    keras = package(name)

    def build() -> Any:
        x = inputs = keras.Input((16,))
        for _ in range(100):
            x = keras.layers.Dense(16, activation="relu")(x)
        return keras.Model(inputs, x)

    build()
    return timed(build, 3) * 1e3


if __name__ == "__main__":
    case, which, backend = sys.argv[1:]
    print(json.dumps(globals()[f"case_{case}"](which, backend)))
