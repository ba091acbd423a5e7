"""Training, saving in the midst of it, and training on: works with `keras` and with Tricera.

Run as a script it is the Keras side: `cases.py write FOLDER` or `cases.py read FOLDER`.
"""

from __future__ import annotations

import json
import pathlib
import sys
from typing import Any

import numpy as np

if __name__ == "__main__":  # the tests' folder, without an installed package
    sys.path.insert(0, str(pathlib.Path(__file__).parents[3]))
from tests.parity import optimizers_run

BATCH = 4
STEPS = 5  # before the file and after it: no multiple of what gradients are accumulated over
# On every framework; the others on one. Keras on JAX cannot go on after `fit` with running means, moved or not.
ON_ALL = ("Adam-scaled", "Adam-schedule-accumulation")

# Cases of the thirty steps whose state is of another kind than that of the plain optimizer.
_NAMES = [
    *optimizers_run._ALL, *(f"{name}-together" for name in optimizers_run._ALL), "Adam-ema", "Adam-ema_overwrite", "Adam-loss_scale",
    "SGD-nesterov", "SGD-accumulation", "Adam-accumulation_ema", "RMSprop-momentum", "RMSprop-centered", "Adam-amsgrad",
    "Ftrl-penalties", "Muon-plain", "ScheduleFreeAdamW-warmup", "Adam-scaled", "SGD-scaled", "Lion-scaled", "Adafactor-scaled", "Adam-scaled-together", "SGD-cosine",
    "SGD-restarts", "SGD-piecewise", "Adam-schedule-accumulation", "Adafactor-absolute",
]  # fmt: skip
CASES = list(dict.fromkeys(_NAMES))
# On torch and TensorFlow Keras averages with the `z` from before the step's change, other than on JAX, than the paper, and than here.
ON_JAX = ["ScheduleFreeAdamW", "ScheduleFreeAdamW-warmup"]
CASES.remove("ScheduleFreeAdamW-together")  # with running means, see above


def _by_variable(k: Any) -> Any:
    """A function from variables to optimizers that a file can name."""

    @k.saving.register_keras_serializable(package="training_on")
    def by_variable(variable: Any) -> Any:
        return k.optimizers.Adam(0.05) if "kernel" in variable.path else k.optimizers.SGD(0.05, momentum=0.9)

    return by_variable


def _mapped(k: Any) -> Any:
    o = k.optimizers
    chosen = {".*bias": o.Nadam(0.05), ".*kernel": o.Adam(0.05, use_ema=True, ema_momentum=0.8)}
    return o.MultiOptimizer(o.OptimizerMap(o.SGD(0.05, momentum=0.9), chosen), loss_scale_factor=4.0, name="mine")


def _scaled(optimizer: Any, k: Any) -> Any:
    return k.optimizers.LossScaleOptimizer(optimizer, initial_scale=4.0, dynamic_growth_steps=3)


# Optimizers around others.
WRAPPED: dict[str, Any] = {
    "Nadam-scaled": lambda k: _scaled(k.optimizers.Nadam(0.05), k),
    "Muon-scaled": lambda k: _scaled(k.optimizers.Muon(0.05, gradient_accumulation_steps=2), k),
    "Multi-map": _mapped,
    "Multi-function": lambda k: k.optimizers.MultiOptimizer(_by_variable(k)),
    "Multi-scaled": lambda k: _scaled(_mapped(k), k),
}
CASES += list(WRAPPED)
# Keras forgets the running product of a Nadam that is inside of another optimizer, and starts with 1 again.
NOT_BACK = ["Nadam-scaled", "Multi-scaled"]
MADE_BY_NAME = "adam"  # the optimizer's variables are made when the model is compiled with a string
CASES.append(MADE_BY_NAME)


def cases_on(framework: str) -> list[str]:
    """Which cases run on a framework: on torch, where nothing is compiled, all cost as much as two elsewhere."""
    if framework == "torch":
        return [name for name in CASES if name not in ON_JAX]
    return [*ON_ALL, *(ON_JAX if framework == "jax" else [])]


def model_of(k: Any, case: str) -> Any:
    """A model of weights with one, two and three axes, compiled with the optimizer of a case."""
    k.utils.clear_session(free_memory=False)
    layers = k.layers
    # On TensorFlow Keras moves only the rows of a table that a batch has touched, other than on JAX and torch, and than here.
    table = (
        layers.CategoryEncoding(7, output_mode="one_hot")
        if k.backend.backend() == "tensorflow"
        else layers.Embedding(7, 4)
    )
    model = k.Sequential(
        [
            k.Input((5,), dtype="int32"),
            table,
            layers.Conv1D(3, 2, activation="tanh"),
            layers.Flatten(),
            layers.Dense(2),
        ]
    )
    rng = np.random.default_rng(5)
    model.set_weights([rng.normal(0.0, 0.7, [int(n) for n in w.shape]).astype("float32") for w in model.weights])
    if case in WRAPPED:
        optimizer = WRAPPED[case](k)
    else:
        optimizer = case if case == MADE_BY_NAME else optimizers_run.make(k.optimizers, case, excluding=False)
    model.compile(optimizer, "mse")
    return model


def train(model: Any, part: int) -> None:
    """The steps before the file, or those after it; one loss overflows where the loss is scaled."""
    rng = np.random.default_rng(part)
    x = rng.integers(0, 7, (STEPS * BATCH, 5)).astype("int32")
    y = rng.normal(size=(STEPS * BATCH, 2)).astype("float32")
    if "Scale" in type(model.optimizer).__name__:
        y[2 * BATCH] = np.inf
    model.fit(x, y, batch_size=BATCH, epochs=1, shuffle=False, verbose=0)


def to_training(model: Any) -> None:
    """Schedule-free weights as Keras leaves them, where gradients are taken: `fit` ends with the averages here."""
    if hasattr(model.optimizer, "train"):  # in Keras it has no such method
        model.optimizer.train()


def facts(model: Any) -> dict[str, Any]:
    """Weights, the optimizer's state, and the rate of learning, as the next step finds them."""
    optimizer = model.optimizer
    to_training(model)
    filed: dict[str, Any] = {}
    optimizer.save_own_variables(filed)
    rate = 0.0 if "Multi" in str(optimizer.get_config()) + type(optimizer).__name__ else float(optimizer.learning_rate)
    return {
        **{f"weight/{i}": np.asarray(w.numpy(), "float32") for i, w in enumerate(model.weights)},
        **{f"own/{key}": np.asarray(getattr(v, "value", v), "float64") for key, v in filed.items()},
        "rate": np.asarray(rate),
        "iterations": np.asarray(int(optimizer.iterations)),
    }


def write(k: Any, folder: pathlib.Path, names: list[str]) -> None:
    """Train, save, train on; what is there at the end goes beside the file."""
    for case in names:
        model = model_of(k, case)
        train(model, 1)
        to_training(model)
        model.save(folder / f"{case}.keras")
        train(model, 2)
        np.savez(folder / f"{case}.written.npz", **facts(model))


def read(k: Any, folder: pathlib.Path, names: list[str]) -> None:
    """Load each file and train on; errors by name."""
    errors = {}
    for case in names:
        k.utils.clear_session(free_memory=False)
        _by_variable(k)
        try:
            model = k.saving.load_model(folder / f"{case}.keras")
            train(model, 2)
            np.savez(folder / f"{case}.read.npz", **facts(model))
        except Exception as error:  # noqa: BLE001 - told to the test that started this
            errors[case] = f"{type(error).__name__}: {error}"[:500]
    (folder / "errors.json").write_text(json.dumps(errors))


if __name__ == "__main__":
    import keras

    {"write": write, "read": read}[sys.argv[1]](keras, pathlib.Path(sys.argv[2]), sys.argv[3].split(","))
