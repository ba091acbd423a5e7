"""Layers with LoRA under Keras and Tricera: weights, values, gradients of training, configs; and files, written and read.

Run as a script it is Keras's side of the files: `low_rank_run.py write FOLDER` or `low_rank_run.py read FOLDER`.
"""

from __future__ import annotations

import pathlib
import sys
from typing import Any

import numpy as np

_RNG = np.random.default_rng(0)
TOKENS = np.array([[1, 0, 2], [6, 3, 3]])
LAYERS: dict[str, tuple[str, dict[str, Any], np.ndarray]] = {
    "dense": ("Dense", {"units": 4}, _RNG.normal(size=(2, 3))),
    "dense-3d": ("Dense", {"units": 4, "use_bias": False, "activation": "relu"}, _RNG.normal(size=(2, 5, 3))),
    "einsum": ("EinsumDense", {"equation": "abc,cde->abde", "output_shape": (None, 2, 4), "bias_axes": "de"}, _RNG.normal(size=(2, 5, 3))),
    "embedding": ("Embedding", {"input_dim": 7, "output_dim": 4}, TOKENS),
    "reversible": ("ReversibleEmbedding", {"input_dim": 7, "output_dim": 4}, TOKENS),
    "untied": ("ReversibleEmbedding", {"input_dim": 7, "output_dim": 4, "tie_weights": False}, TOKENS),
    "conv1d": ("Conv1D", {"filters": 4, "kernel_size": 2, "padding": "causal"}, _RNG.normal(size=(2, 6, 3))),
    "conv2d": ("Conv2D", {"filters": 4, "kernel_size": (2, 3), "groups": 2}, _RNG.normal(size=(2, 5, 5, 4))),
    "conv3d": ("Conv3D", {"filters": 2, "kernel_size": 2, "strides": 2}, _RNG.normal(size=(2, 4, 4, 4, 3))),
}  # fmt: skip


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    return [_plain(v) for v in value] if isinstance(value, (list, tuple)) else value


def _input(x: np.ndarray) -> np.ndarray:
    return x if x.dtype.kind == "i" else x.astype("float32")


def _fill(layer: Any, seed: int = 1) -> None:
    rng = np.random.default_rng(seed)
    layer.set_weights([rng.normal(0, 0.5, w.shape).astype("float32") for w in layer.weights])


def _about(layer: Any) -> dict[str, Any]:
    return {
        "names": [w.path for w in layer.weights],
        "shapes": [[int(n) for n in w.shape] for w in layer.weights],
        "trainable": [bool(w.trainable) for w in layer.weights],
        "order": [w.name for w in layer.trainable_weights] + [w.name for w in layer.non_trainable_weights],
        "config": _plain(layer.get_config()),
        "losses": len(layer.losses),
    }


def _enabled(name: str, dtype: str, alpha: float | None) -> Any:
    def case(module: Any) -> dict[str, Any]:
        kind, options, x = LAYERS[name]
        layer = getattr(module.layers, kind)(name="layer", dtype=dtype, **options)
        layer(_input(x))
        layer.enable_lora(2, lora_alpha=alpha)
        _fill(layer)
        tensors = {
            "out": layer(_input(x)),
            "weight": layer.embeddings if hasattr(layer, "embeddings") else layer.kernel,
        }
        if kind == "ReversibleEmbedding":
            tensors["scores"] = layer(tensors["out"], reverse=True)
        dtypes = {f"dtype of {key}": module.backend.standardize_dtype(t.dtype) for key, t in tensors.items()}
        return {**_about(layer), **dtypes, **{key: module.ops.cast(t, "float32") for key, t in tensors.items()}}

    return case


def _constructed(name: str) -> Any:
    def case(module: Any) -> dict[str, Any]:
        kind, options, x = LAYERS[name]
        layer = getattr(module.layers, kind)(name="layer", lora_rank=3, **options)
        before = {"enabled": layer.lora_enabled, "rank": layer.lora_rank, "alpha": layer.lora_alpha}
        layer(_input(x))
        return {**before, **_about(layer), "now": layer.lora_enabled}

    return case


def _regularized(module: Any) -> dict[str, Any]:
    layer = module.layers.Dense(4, kernel_regularizer="l2", name="layer")
    layer.build((None, 3))
    layer.enable_lora(2)
    _fill(layer)
    return {**_about(layer), "loss": sum(layer.losses)}


def _initializers(module: Any) -> dict[str, Any]:
    layer = module.layers.Conv1D(4, 2, name="layer")
    layer.build((None, 6, 3))
    layer.enable_lora(2, 4, "ones", b_initializer=module.initializers.Constant(0.5))
    return {"a": layer.lora_kernel_a, "b": layer.lora_kernel_b}


def _toggled(module: Any) -> dict[str, Any]:
    found = {}
    for name, trainable in (("first", False), ("later", True)):
        layer = module.layers.Dense(4, trainable=trainable)
        layer.build((None, 3))
        layer.enable_lora(2)
        layer.trainable = not trainable
        found[name] = [bool(w.trainable) for w in layer.weights]
    return found


def _trained(module: Any) -> dict[str, Any]:
    rng = np.random.default_rng(2)
    x, y = rng.integers(0, 7, (16, 3)), rng.normal(size=(16, 2)).astype("float32")
    layers = module.layers
    model = module.Sequential([
        module.Input((3,), dtype="int32"), layers.Embedding(7, 4), layers.Conv1D(4, 2), layers.EinsumDense("abc,cd->abd", (2, 3)),
        layers.Flatten(), layers.Dense(2),
    ])  # fmt: skip
    for layer in model.layers:
        if hasattr(layer, "enable_lora"):
            layer.enable_lora(2, lora_alpha=3)
    _fill(model)
    model.compile(module.optimizers.SGD(0.02), "mse")
    losses = model.fit(x, y, batch_size=8, epochs=2, shuffle=False, verbose=0).history["loss"]
    return {
        "losses": losses,
        "paths": [w.path for w in model.weights],
        **{f"w{i}": w for i, w in enumerate(model.get_weights())},
    }


def _wrong(act: Any) -> Any:
    def case(module: Any) -> dict[str, Any]:
        act(module.layers)
        return {}

    return case


def _twice(layers: Any) -> None:
    layer = layers.Dense(2, lora_rank=1)
    layer.build((None, 3))
    layer.enable_lora(1)


def _constrained(layers: Any) -> None:
    layer = layers.Embedding(5, 2, embeddings_constraint="max_norm")
    layer.build(None)
    layer.enable_lora(1)


CASES: dict[str, Any] = {
    **{f"{name}-{dtype}": _enabled(name, dtype, 3.0) for name in LAYERS for dtype in ("float32", "mixed_bfloat16")},
    "dense-alpha": _enabled("dense", "float32", None), "dense-bfloat16": _enabled("dense", "bfloat16", 3.0),
    "dense-float16": _enabled("dense", "mixed_float16", 3.0),
    # Untied reversible embeddings with `lora_rank` raise in Keras.
    **{f"{name}-constructed": _constructed(name) for name in LAYERS if name != "untied"},
    "regularized": _regularized, "initializers": _initializers, "toggled": _toggled, "trained": _trained,
    "twice": _wrong(_twice), "constrained": _wrong(_constrained), "unbuilt": _wrong(lambda layers: layers.Dense(2).enable_lora(1)),
    "negative": _wrong(lambda layers: layers.Dense(2, lora_rank=-1).build((None, 3))),
}  # fmt: skip


# ---------------------------------------------------------------------- files


def model_with(module: Any, lora: bool) -> Any:
    """A model with all kinds of layers that can be adapted."""
    layers = module.layers
    model = module.Sequential([
        module.Input((6,), dtype="int32"), layers.Embedding(7, 4), layers.Conv1D(4, 2, activation="tanh"),
        layers.EinsumDense("abc,cd->abd", (5, 3), bias_axes="d"), layers.Flatten(), layers.Dense(2),
    ])  # fmt: skip
    if lora:
        for layer in model.layers:
            if hasattr(layer, "enable_lora"):
                layer.enable_lora(2, lora_alpha=3)
    return model


def write(module: Any, folder: pathlib.Path) -> None:
    """Files of a model with LoRA, and what it predicts."""
    model = model_with(module, lora=True)
    _fill(model)
    model.compile("adam", "mse")
    model.fit(_tokens(), np.ones((4, 2)), verbose=0)
    model.save(folder / "m.keras")
    model.save_weights(folder / "m.weights.h5")
    np.save(folder / "out.npy", model.predict(_tokens(), verbose=0))


def read(module: Any, folder: pathlib.Path) -> dict[str, np.ndarray]:
    """What models that were read predict: the whole model, and weights into models with LoRA and without."""
    loaded = module.saving.load_model(folder / "m.keras")
    models = {"whole": loaded}
    for name, lora in (("plain", False), ("adapted", True)):
        models[name] = model_with(module, lora)
        if lora:
            _fill(models[name], 5)
        models[name].load_weights(folder / "m.weights.h5")
    return {name: model.predict(_tokens(), verbose=0) for name, model in models.items()}


def _tokens() -> np.ndarray:
    return np.random.default_rng(3).integers(0, 7, (4, 6)).astype("int32")


if __name__ == "__main__":
    import keras

    place = pathlib.Path(sys.argv[2])
    if sys.argv[1] == "write":
        write(keras, place)
    else:
        np.savez(place / "read.npz", **read(keras, place))
