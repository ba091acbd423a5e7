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


def _cases() -> dict[str, Any]:
    cases: dict[str, Any] = {
        "mel-matrix": _mel_matrix,
        "spectral-no-kernel": _no_kernel,
        "spectral-zeros": _zero_kernel,
    }
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
