"""Load small data sets with Keras or Tricera and print what came: `python datasets_run.py keras|tricera FOLDER`."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

import numpy as np

TEXTS = [
    {},
    {"num_words": 20, "skip_top": 4},
    {"maxlen": 5},
    {"num_words": 20, "oov_char": None},
    {"start_char": None, "index_from": 0, "seed": 3},
    {"start_char": None},
    {"start_char": 7, "index_from": 5, "oov_char": 9, "num_words": 15, "skip_top": 2},
]
CALLS = {
    "imdb": TEXTS,
    "reuters": [*TEXTS, {"test_split": 0.35}],
    "boston_housing": [{}, {"test_split": 0.33, "seed": 1}],
    "california_housing": [{}, {"version": "small"}, {"test_split": 0.5, "seed": 2}],
}


def plain(array: np.ndarray) -> list:
    return [list(map(float, np.atleast_1d(row))) for row in array]


def load(library: str, name: str, path: Path, arguments: dict) -> list:
    if library == "tricera":
        (a, b), (c, d) = importlib.import_module(f"tricera.datasets.{name}").load_data(path=str(path), **arguments)
    else:
        import keras

        function = getattr(keras.datasets, name).load_data
        # Keras would hash and download: it is handed our file instead.
        sys.modules[function.__module__].get_file = lambda *_, **__: str(path)
        (a, b), (c, d) = function(**arguments)
    return [plain(array) for array in (a, b, c, d)]


if __name__ == "__main__":
    library, folder = sys.argv[1], Path(sys.argv[2])
    results = {
        f"{name} {arguments}": load(library, name, folder / f"{name}.npz", arguments)
        for name, calls in CALLS.items()
        for arguments in calls
    }
    print(json.dumps(results))
