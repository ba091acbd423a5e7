"""Keras's side of SavedModels: `saved_model_run.py FOLDER` exports a model and saves another that holds it as a TFSMLayer."""

from __future__ import annotations

import pathlib
import sys

import numpy as np

X = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")


def main(folder: pathlib.Path) -> None:
    import keras

    layers = keras.layers
    model = keras.Sequential(
        [layers.Input((3,)), layers.Dense(4, activation="relu"), layers.BatchNormalization(), layers.Dense(2)]
    )
    model.export(folder / "exported", verbose=False)
    np.savez(folder / "out.npz", out=model.predict(X, verbose=0))
    layer = layers.TFSMLayer(str(folder / "exported"))
    np.savez(folder / "weights.npz", *layer.get_weights())
    outer = keras.Sequential([layers.Input((3,)), layer, layers.Dense(1)])
    np.save(folder / "outer.npy", outer.predict(X, verbose=0))
    outer.save(folder / "outer.keras")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
