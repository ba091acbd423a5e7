"""Further layers under Keras and Tricera: spectrograms in all modes, and spectral normalization over several calls."""

from __future__ import annotations

from typing import Any

import numpy as np

_RNG = np.random.default_rng(0)
SIGNAL = _RNG.normal(size=(2, 300, 3)).astype("float32")
TOKENS = np.array([[1, 0, 2], [6, 3, 3]])


def _plain(value: Any) -> Any:
    """Tuples as lists."""
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    return [_plain(v) for v in value] if isinstance(value, (list, tuple)) else value


def about(layer: Any) -> dict[str, Any]:
    """Names and shapes of the weights, and the config."""
    return {
        "names": [w.path for w in layer.weights],
        "shapes": [[int(n) for n in w.shape] for w in layer.weights],
        "trainable": [bool(w.trainable) for w in layer.weights],
        "config": _plain(layer.get_config()),
    }


def _simple(kind: str, options: dict[str, Any], inputs: np.ndarray) -> Any:
    def case(module: Any) -> dict[str, Any]:
        layer = getattr(module.layers, kind)(**{"name": "layer", **options})
        out = layer(inputs)
        unknown = layer.compute_output_shape((None, *inputs.shape[1:]))
        return {**about(layer), "out": out, "shape": _plain(tuple(unknown))}

    return case


def _spectral(inner: str, arguments: tuple[Any, ...], inputs: np.ndarray, iterations: int) -> Any:
    def case(module: Any) -> dict[str, Any]:
        layer = getattr(module.layers, inner)(*arguments, name="inner")
        outer = module.layers.SpectralNormalization(layer, power_iterations=iterations, name="outer")
        outer(inputs)
        rng = np.random.default_rng(1)
        outer.set_weights([rng.normal(size=w.shape).astype("float32") for w in outer.weights])
        outputs = {"before": outer(inputs), "training": outer(inputs, training=True), "after": outer(inputs)}
        if inner == "Embedding":  # whose outputs Keras casts to the integers of the inputs
            outputs = {}
        return {**about(outer), **outputs, **{f"weight {i}": w for i, w in enumerate(outer.get_weights())}}

    return case


def _no_kernel(module: Any) -> dict[str, Any]:
    return {"out": module.layers.SpectralNormalization(module.layers.ReLU())(SIGNAL)}


def _zero_kernel(module: Any) -> dict[str, Any]:
    outer = module.layers.SpectralNormalization(module.layers.Dense(2, kernel_initializer="zeros"))
    outer(SIGNAL, training=True)
    return {"kernel": outer.get_weights()[0]}


def _mel_matrix(module: Any) -> dict[str, Any]:
    layer = module.layers.MelSpectrogram(fft_length=64, num_mel_bins=8)
    return {
        "default": layer.linear_to_mel_weight_matrix(),
        "other": layer.linear_to_mel_weight_matrix(8, 33, 16000, 20.0, 8000.0),
    }


def _angle(module: Any) -> dict[str, Any]:
    """Without the first and last frequency, which are real, so that rounding decides between 0 and pi."""
    layer = module.layers.STFTSpectrogram(mode="angle", frame_length=32, frame_step=12, fft_length=64, name="layer")
    return {**about(layer), "out": layer(SIGNAL[..., :1])[..., 1:-1]}


def _input(options: dict[str, Any]) -> Any:
    def case(module: Any) -> dict[str, Any]:
        layer = module.layers.InputLayer(**options)
        out = layer.output
        return {
            "config": _plain(layer.get_config()), "again": _plain(type(layer).from_config(layer.get_config()).get_config()),
            "shape": _plain(tuple(out.shape)), "dtype": out.dtype, "sparse": bool(out.sparse), "named": layer.name,
        }  # fmt: skip

    return case


def _input_of_tensor(module: Any) -> dict[str, Any]:
    given = module.KerasTensor((None, 3), dtype="int32", name="given")
    layer = module.layers.InputLayer(input_tensor=given)
    return {"config": _plain(layer.get_config()), "same": layer.output is given}


def _lambda(**options: Any) -> Any:
    def case(module: Any) -> dict[str, Any]:
        def scaled(x: Any, by: float = 2.0) -> Any:
            return x * by

        layer = module.layers.Lambda(scaled, name="layer", **options)
        config = {
            k: _plain(v)
            for k, v in layer.get_config().items()
            if k not in ("function", "output_shape", "mask", "dtype")
        }
        mask = layer.compute_mask(TOKENS, np.array([True, False]))
        return {
            "out": layer(SIGNAL), "config": config, "mask": None if mask is None else np.asarray(mask),
            "shape": _plain(tuple(layer(module.KerasTensor((None, 300, 3))).shape)),
        }  # fmt: skip

    return case


def _given_weights(module: Any) -> dict[str, Any]:
    """Weights that the constructor takes."""
    table = np.arange(14, dtype="float32").reshape(7, 2)
    embedding = module.layers.Embedding(7, 2, weights=[table])
    return {"embedded": embedding(TOKENS)}


def _sparse(kind: str, mode: str, options: dict[str, Any], inputs: np.ndarray) -> Any:
    def case(module: Any) -> dict[str, Any]:
        layer = getattr(module.layers, kind)(**options, output_mode=mode, sparse=True, name="layer")
        out = layer(inputs)
        symbolic = layer(module.KerasTensor((None, *inputs.shape[1:]), dtype=str(inputs.dtype)))
        return {"out": out, "shape": _plain(tuple(symbolic.shape))}

    return case


def _discretized(module: Any) -> dict[str, Any]:
    """Bins that are learned with a coarser summary of the data."""
    layer = module.layers.Discretization(num_bins=4, epsilon=0.1, name="layer")
    layer.adapt(SIGNAL[0, :, 0])
    config = layer.get_config()
    edges = np.array(config.pop("bin_boundaries"), "float32")
    return {"config": _plain(config), "count": len(edges), "edges": np.round(edges)}


def _synchronized(module: Any) -> dict[str, Any]:
    """On one device, as without."""
    joined = getattr(module, "__name__", "") != "keras"  # which joins replicas on TensorFlow alone
    layer = module.layers.BatchNormalization(synchronized=joined, name="layer")
    return {"out": layer(SIGNAL, training=True)}


def _cases() -> dict[str, Any]:
    cases: dict[str, Any] = {
        "mel-matrix": _mel_matrix,
        "spectral-no-kernel": _no_kernel,
        "spectral-zeros": _zero_kernel,
        "stft-angle": _angle,
        "input-tensor": _input_of_tensor,
        "given-weights": _given_weights,
        "synchronized": _synchronized,
        "lambda": _lambda(),
        "lambda-arguments": _lambda(arguments={"by": 3.0}),
        "lambda-shape": _lambda(output_shape=(300, 3)),
        "lambda-mask": _lambda(mask=lambda inputs, mask: mask),
        "epsilon": _discretized,
    }
    for i, options in enumerate((
        {"shape": (3,)}, {"shape": (None, 2), "batch_size": 4, "dtype": "int32", "name": "given"}, {"batch_shape": (2, None), "optional": True},
        {"shape": (3,), "sparse": True}, {"shape": ()},
    )):  # fmt: skip
        cases[f"input-{i}"] = _input(options)
    for mode in ("one_hot", "multi_hot", "count"):
        cases[f"sparse-codes-{mode}"] = _sparse("CategoryEncoding", mode, {"num_tokens": 7}, TOKENS)
        boundaries = {"bin_boundaries": [-0.5, 0.5]}
        cases[f"sparse-bins-{mode}"] = _sparse("Discretization", mode, boundaries, SIGNAL[:, :4, 0])
    base: dict[str, Any] = {"frame_length": 32, "frame_step": 12, "fft_length": 64}
    for mode in ("log", "magnitude", "psd", "real", "imag", "stft"):
        cases[f"stft-{mode}"] = _simple("STFTSpectrogram", {**base, "mode": mode}, SIGNAL)
        cases[f"stft-{mode}-image"] = _simple(
            "STFTSpectrogram", {**base, "mode": mode, "expand_dims": True, "padding": "same"}, SIGNAL
        )
    # Where a frequency is real but for rounding, its angle is 0 or pi by chance.
    for i, options in enumerate((
        {"frame_length": 32}, {"frame_length": 30, "frame_step": 7, "window": "hamming", "periodic": True},
        {**base, "scaling": "spectrum"}, {**base, "scaling": None, "window": None, "mode": "psd"}, {**base, "trainable": False},
        {**base, "fft_length": 63, "mode": "psd"},
    )):  # fmt: skip
        cases[f"stft-options-{i}"] = _simple("STFTSpectrogram", options, SIGNAL)
    for image in (False, True):
        options = {**base, "data_format": "channels_first", "expand_dims": image, "mode": "stft"}
        cases[f"stft-first-{image}"] = _simple("STFTSpectrogram", options, np.moveaxis(SIGNAL, -1, 1))
    mel: dict[str, Any] = {"fft_length": 64, "sequence_stride": 32, "num_mel_bins": 8}
    for i, options in enumerate((
        {}, {"power_to_db": False}, {"power_to_db": False, "mag_exp": 1.0}, {"top_db": 10.0}, {"ref_power": 2.0, "min_power": 1e-3},
        {"window": "hamming", "sequence_length": 48}, {"window": None, "max_freq": 4000.0, "min_freq": 100.0}, {"sampling_rate": 8000},
    )):  # fmt: skip
        cases[f"mel-{i}"] = _simple("MelSpectrogram", {**mel, **options}, SIGNAL[..., 0])
    cases["mel-one"] = _simple("MelSpectrogram", mel, SIGNAL[0, :, 0])
    for i, (inner, arguments, inputs) in enumerate((
        ("Dense", (4,), SIGNAL), ("Conv1D", (4, 3), SIGNAL), ("Embedding", (7, 4), TOKENS), ("Conv1DTranspose", (4, 3), SIGNAL),
        ("EinsumDense", ("abc,cd->abd", (None, 4)), SIGNAL),
    )):  # fmt: skip
        cases[f"spectral-{i}"] = _spectral(inner, arguments, inputs, i + 1)
    return cases


CASES = _cases()
