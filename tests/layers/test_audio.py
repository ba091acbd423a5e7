"""Spectrograms: from NumPy's Fourier transform, in models, and trained; parity/ compares them with Keras."""

from __future__ import annotations

import numpy as np
import pytest

import tricera
from tricera import layers as L, ops
from tricera.backend import use
from tricera.models import Model

RNG = np.random.default_rng(0)
SIGNAL = RNG.normal(size=(2, 128, 2)).astype("float32")


def host(x):
    return ops.convert_to_numpy(x)


def spectrum(mode, **options):
    return host(L.STFTSpectrogram(mode, frame_length=32, frame_step=16, window=None, scaling=None, **options)(SIGNAL))


def test_modes_are_those_of_a_fourier_transform(backend):
    frames = np.stack([SIGNAL[:, i : i + 32] for i in range(0, 97, 16)], 1)  # batch, frame, time, channel
    wanted = np.fft.rfft(frames, axis=2).transpose(0, 1, 3, 2)  # batch, frame, channel, frequency
    flat = (*wanted.shape[:2], -1)
    np.testing.assert_allclose(spectrum("real"), wanted.real.reshape(flat), atol=1e-4)
    np.testing.assert_allclose(spectrum("imag"), wanted.imag.reshape(flat), atol=1e-4)
    np.testing.assert_allclose(spectrum("magnitude"), abs(wanted).reshape(flat), atol=1e-3)
    np.testing.assert_allclose(
        spectrum("stft", expand_dims=True),
        np.concatenate([wanted.real, wanted.imag], 3).transpose(0, 1, 3, 2),
        atol=1e-4,
    )
    inner = spectrum("angle", expand_dims=True)[:, :, 1:-1]
    np.testing.assert_allclose(np.exp(1j * inner), np.exp(1j * np.angle(wanted[..., 1:-1].swapaxes(2, 3))), atol=1e-3)


def test_a_tone_is_in_its_bin(backend):
    """A pure tone shows where the mel scale says it is."""
    time = np.arange(8000) / 8000
    layer = L.MelSpectrogram(1024, 256, sampling_rate=8000, num_mel_bins=40, max_freq=4000.0)
    for frequency in (300.0, 1000.0, 2500.0):
        loudest = host(layer(np.sin(2 * np.pi * frequency * time).astype("float32"))).mean(1).argmax()
        mel = 2595 * np.log10(1 + np.array([20.0, 4000.0, frequency]) / 700)
        assert abs(loudest - ((mel[2] - mel[0]) / (mel[1] - mel[0]) * 41 - 1)) <= 1


def test_shapes_with_unknown_dimensions():
    with use("numpy"):
        x = L.Input((None, 2))
        assert L.STFTSpectrogram(frame_length=32)(x).shape == (None, None, 34)
        assert L.STFTSpectrogram("stft", frame_length=32, expand_dims=True)(x).shape == (None, None, 34, 2)
        assert L.MelSpectrogram(64, num_mel_bins=8)(L.Input((None,))).shape == (None, 8, None)
        assert L.MelSpectrogram(64, 32, num_mel_bins=8)(L.Input((320,))).shape == (None, 8, 11)


def test_in_a_model(trainable_backend, tmp_path):
    """Kernels are trained or not, and the model is saved and loaded."""
    x = L.Input((128, 2))
    free, fixed = (L.STFTSpectrogram("magnitude", frame_length=32, trainable=t) for t in (True, False))
    mel = L.MelSpectrogram(32, 16, num_mel_bins=4)(L.Permute((2, 1))(x))
    both = L.Concatenate()([L.GlobalAveragePooling1D()(layer(x)) for layer in (free, fixed)])
    model = Model(x, L.Dense(1)(L.Concatenate()([both, L.Flatten()(mel)])))
    model.compile("sgd", "mse")
    before = [w.numpy() for w in (free.real_kernel, fixed.real_kernel)]
    model.fit(SIGNAL, np.ones((2, 1)), epochs=2, verbose=0)
    assert np.abs(free.real_kernel.numpy() - before[0]).max() > 0
    np.testing.assert_array_equal(fixed.real_kernel.numpy(), before[1])
    wanted = model.predict(SIGNAL, verbose=0)
    model.save(tmp_path / "m.keras")
    loaded = tricera.saving.load_model(tmp_path / "m.keras")
    np.testing.assert_allclose(loaded.predict(SIGNAL, verbose=0), wanted, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(host(model.to_backend("numpy")(SIGNAL)), wanted, rtol=1e-3, atol=1e-3)


def test_windows_given_as_values(backend):
    values = np.hanning(33)[:-1]
    named, given = (L.MelSpectrogram(32, 16, num_mel_bins=4, window=w) for w in ("hann", values))
    np.testing.assert_allclose(host(given(SIGNAL[..., 0])), host(named(SIGNAL[..., 0])), rtol=1e-4, atol=1e-4)
    for layer in (given, L.STFTSpectrogram(frame_length=32, window=values)):
        twin = type(layer).from_config(layer.get_config())
        x = SIGNAL[..., 0] if isinstance(layer, L.MelSpectrogram) else SIGNAL
        np.testing.assert_allclose(host(twin(x)), host(layer(x)), rtol=1e-5, atol=1e-5)


WRONG = [
    (lambda: L.STFTSpectrogram("loud"), "mode"),
    (lambda: L.STFTSpectrogram(scaling="x"), "scaling"),
    (lambda: L.STFTSpectrogram(padding="causal"), "padding"),
    (lambda: L.STFTSpectrogram(frame_length=0), "frame_length"),
    (lambda: L.STFTSpectrogram(frame_length=8, frame_step=9), "frame_step"),
    (lambda: L.STFTSpectrogram(frame_length=8, fft_length=4), "fft_length"),
    (lambda: L.STFTSpectrogram(window="x"), "window"),
    (lambda: L.STFTSpectrogram()(SIGNAL[0]), "3"),
    (lambda: L.MelSpectrogram(32, sequence_length=64), "sequence_length"),
    (lambda: L.MelSpectrogram(32, window="x"), "window"),
    (lambda: L.MelSpectrogram(32, min_freq=100.0, max_freq=50.0), "lowest"),
    (lambda: L.MelSpectrogram(32, num_mel_bins=0), "num_mel_bins"),
]


@pytest.mark.parametrize(("make", "said"), WRONG)
def test_wrong_use(make, said):
    with use("numpy"), pytest.raises(ValueError, match=said):
        make()
    with use("numpy"), pytest.raises(TypeError, match="floats"):
        L.STFTSpectrogram()(np.ones((1, 300, 1), "int32"))
