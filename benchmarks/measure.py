"""One measurement in one process: `python -m benchmarks.measure CASE tricera|keras|hand BACKEND` prints a number."""

from __future__ import annotations

import importlib
import json
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

CASES = {
    "import": "import in a fresh process, until a layer could be made (ms)",
    "import_over": "import, over the framework's own (ms)",
    "mlp_fit": "MLP 784-128-10, batch 32, Adam, accuracy: fit, a step (ms)",
    "convnet_fit": "the guide's convnet, batch 64: fit, a step (ms)",
    "predict_one": "predict, one sample (ms)",
    "predict_many": "predict, 500 batches of 32, a batch (ms)",
    "op_add": "eager ops.add of two small tensors (us)",
    "build": "build a functional model of 100 layers (ms)",
}
HAND = {
    ("mlp_fit", "jax"),
    ("mlp_fit", "torch"),
    ("mlp_fit", "tensorflow"),
    ("op_add", "jax"),
    ("op_add", "torch"),
    ("op_add", "tensorflow"),
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
        from benchmarks.hand import mlp_fit

        return mlp_fit(backend, *data(32 * 500, (784,))) * 1e3
    model = mlp(package(name))
    x, y = data(32 * 500, (784,))
    model.fit(x[:3200], y[:3200], batch_size=32, epochs=1, verbose=0)
    return timed(lambda: model.fit(x, y, batch_size=32, epochs=1, verbose=0), 3) / 500 * 1e3


def case_convnet_fit(name: str, backend: str) -> float:
    keras = package(name)
    layers = keras.layers
    model = keras.Sequential(
        [
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
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    x, y = data(64 * 6, (28, 28, 1))
    model.fit(x[:128], y[:128], batch_size=64, verbose=0)
    return timed(lambda: model.fit(x, y, batch_size=64, verbose=0), 2) / 6 * 1e3


def case_predict_one(name: str, backend: str) -> float:
    model = mlp(package(name))
    x, _ = data(1, (784,))
    for _ in range(3):
        model.predict(x, verbose=0)
    return timed(lambda: [model.predict(x, verbose=0) for _ in range(20)]) / 20 * 1e3


def case_predict_many(name: str, backend: str) -> float:
    model = mlp(package(name))
    x, _ = data(32 * 500, (784,))
    model.predict(x[:320], batch_size=32, verbose=0)
    return timed(lambda: model.predict(x, batch_size=32, verbose=0), 3) / 500 * 1e3


def case_op_add(name: str, backend: str) -> float:
    array = np.ones((4, 4), "float32")
    if name == "hand":
        from benchmarks.hand import op_add

        add, x = op_add(backend, array)
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
