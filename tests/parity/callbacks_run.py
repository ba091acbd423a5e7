"""Runs callbacks and progress bars of the library named on the command line; prints the results as JSON.

Both libraries get the same fake model, the same logs and the same clock.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import math
import sys
import time
import warnings
from pathlib import Path
from typing import Any

SERIES = {
    "falling": [3.0, 2.5, 2.6, 2.4, 2.4, 2.45, 1.0],
    "flat": [1.0] * 7,
    "rising": [1.0, 2.0, 3.0, 2.5, 2.5, 2.5, 4.0],
    "small steps": [1.0, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7],
    "nan": [math.nan, 1.0, math.nan, math.nan, 0.5, 0.6, 0.7],
}
EARLY = [
    {},
    {"patience": 2},
    {"patience": 2, "restore_best_weights": True},
    {"patience": 1, "baseline": 2.45},
    {"patience": 2, "baseline": 0.1, "restore_best_weights": True},
    {"min_delta": 0.1, "patience": 1},
    {"min_delta": -0.1, "patience": 1},
    {"start_from_epoch": 3},
]
PLATEAU = [
    {"patience": 1},
    {"patience": 2, "factor": 0.5},
    {"patience": 1, "cooldown": 2},
    {"patience": 1, "min_lr": 0.04},
    {"patience": 2, "min_delta": 0.1},
]
CLOCKS = [
    ([10, 20, 30], 3),
    ([10, 20, 30], 30),
    ([100, 200, 300], 30),
    ([1000, 2000, 90000], 30),
    ([0.5, 1.0, 1.5], 3),
    ([0.0005, 0.001, 0.0015], 3),
    ([59.4, 59.6, 3600.4], 3),
    ([10, 20, 3000], None),
    ([0.9994e-3, 1, 2], 100),
]
VALUES = [0.5, 1e-3, -5e-4, 0.0, 2.0, math.nan, math.inf, 12345.678]


class Optimizer:
    """Has a learning rate."""

    learning_rate: float = 1.0


class Model:
    """As much of a model as the callbacks use."""

    def __init__(self) -> None:
        self.stop_training = False
        self.optimizer = Optimizer()
        self.metrics: list[Any] = []
        self.weights: list[Any] = [-1]
        self.saved: list[tuple[str, int]] = []

    def get_weights(self) -> list[Any]:
        return list(self.weights)

    def set_weights(self, weights: list[Any]) -> None:
        self.weights = list(weights)

    def save(self, path: str, overwrite: bool = True) -> None:
        self.saved.append((Path(path).name, self.weights[0]))


def drive(callback: Any, series: list[float]) -> tuple[Any, ...]:
    """Run the hooks of a fit; the epochs run, the weights, the rates, the files and the text."""
    model, rates, out = Model(), [], io.StringIO()
    callback.set_model(model)
    callback.set_params({"epochs": len(series), "verbose": 1, "steps": 2})
    epochs = 0
    with contextlib.redirect_stdout(out):
        callback.on_train_begin()
        for epoch, value in enumerate(series):
            callback.on_epoch_begin(epoch)
            model.weights = [epoch]
            for batch in range(2):
                callback.on_train_batch_end(batch, {"v": value})
            callback.on_epoch_end(epoch, {"v": value})
            rates.append(round(float(model.optimizer.learning_rate), 9))
            epochs += 1
            if model.stop_training:
                break
        callback.on_train_end()
    return epochs, model.weights, rates, model.saved, out.getvalue()


def callbacks(module: Any, folder: str) -> dict[str, Any]:
    """Every case of the callbacks that watch a value."""
    results: dict[str, Any] = {}
    for name, series in SERIES.items():
        for mode in ("min", "max"):
            for options in EARLY:
                stopping = module.EarlyStopping("v", mode=mode, verbose=1, **options)
                results[f"early {name} {mode} {options}"] = drive(stopping, series)
            for options in PLATEAU:
                plateau = module.ReduceLROnPlateau("v", mode=mode, verbose=1, **options)
                results[f"plateau {name} {mode} {options}"] = drive(plateau, series)
            for options in (
                {},
                {"save_best_only": True},
                {"save_freq": 3},
                {"save_best_only": True, "initial_value_threshold": 2.0},
            ):
                path = f"{folder}/{{epoch:02d}}.keras"
                checkpoint = module.ModelCheckpoint(path, "v", mode=mode, verbose=1, **options)
                results[f"checkpoint {name} {mode} {options}"] = drive(checkpoint, series)
    scheduler = module.LearningRateScheduler(lambda epoch, rate: rate * 0.5, verbose=1)
    results["scheduler"] = drive(scheduler, SERIES["flat"])
    drive(module.CSVLogger(f"{folder}/log.csv"), SERIES["falling"])
    results["csv"] = Path(folder, "log.csv").read_text()
    return results


def bars(progbar: Any) -> dict[str, str]:
    """The text that progress bars show after each update."""
    results: dict[str, str] = {}
    now = [0.0]
    time.time = time.monotonic = lambda: 1000 + now[0]  # type: ignore[assignment]
    if hasattr(sys.modules[progbar.__module__], "_clock"):
        sys.modules[progbar.__module__]._clock = time.monotonic  # type: ignore[attr-defined]

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    for verbose in (1, 2):
        for times, target in CLOCKS:
            for options in (
                {},
                {"stateful_metrics": ["v"]},
                {"stateless_metrics": ["w"]},
                {"unit_name": "sample", "width": 7},
            ):
                out = Terminal()
                now[0] = 0.0
                with contextlib.redirect_stdout(out):
                    bar = progbar(target, verbose=verbose, interval=0, **options)
                    for step, seconds in enumerate(times):
                        now[0] = seconds
                        bar.update(step + 1, [("v", VALUES[step]), ("w", VALUES[-step])])
                results[f"{verbose} {times} {target} {options}"] = out.getvalue().replace("\b", "")
    return results


def main() -> None:
    """Print everything."""
    library = importlib.import_module(sys.argv[1] + ".callbacks")
    warnings.simplefilter("ignore")
    results = callbacks(library, sys.argv[2])
    results["bars"] = bars(importlib.import_module(sys.argv[3]).Progbar)
    Path(sys.argv[2], "results.json").write_text(json.dumps(results))


main()
