"""Spectrograms of audio signals: on the mel scale, and short-time Fourier transforms with kernels that can be trained."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tricera import initializers, ops
from tricera.core import checks, config
from tricera.core.checks import positive
from tricera.layers.input_spec import InputSpec
from tricera.layers.layer import Layer
from tricera.layers.preprocessing.data_layer import DataLayer


def _mel(hertz: Any) -> Any:
    """The mel scale, as the Hidden Markov Model Toolkit has it: 2595 log10(1 + f / 700)."""
    return 2595.0 * np.log10(1.0 + np.asarray(hertz, "float64") / 700.0)


def mel_filters(bins: int, frequencies: int, sampling_rate: float, lowest: float, highest: float) -> np.ndarray:
    """Triangles on the mel scale, each with a peak of 1: an array (frequencies, bins).

    Args:
        bins: how many triangles, equally wide on the mel scale.
        frequencies: how many frequencies there are from 0 to half the sampling rate.
        sampling_rate: samples per second.
        lowest: where the first triangle begins, in hertz.
        highest: where the last one ends.

    Raises:
        ValueError: the frequencies are no ascending range.
    """
    if not 0 <= lowest < highest:
        raise ValueError(f"The mel filters need frequencies 0 <= lowest < highest; got {lowest} and {highest}.")
    # The frequency 0, whose mel is 0, belongs to no triangle.
    at = _mel(np.linspace(0.0, sampling_rate / 2.0, frequencies)[1:, None])
    edges = np.linspace(_mel(lowest), _mel(highest), bins + 2)
    left, peak, right = edges[:-2], edges[1:-1], edges[2:]
    sides = np.minimum((at - left) / (peak - left), (right - at) / (right - peak))
    return np.concatenate([np.zeros((1, bins)), np.maximum(sides, 0.0)])


class MelSpectrogram(DataLayer):
    """The power of the frequencies of a signal over time, in bins of the mel scale.

    Args:
        fft_length: the length of the Fourier transforms.
        sequence_stride: how many samples lie between two of them.
        sequence_length: the length of the window, `fft_length` for None.
        window: `"hann"`, `"hamming"`, the window's values, or None.
        sampling_rate: samples per second.
        num_mel_bins: how many bins.
        min_freq: where the first bin begins, in hertz.
        max_freq: where the last one ends, half the sampling rate for None.
        power_to_db: give decibels, 10 log10(power / ref_power).
        top_db: values that lie this far below the largest one of the batch are raised to that limit.
        mag_exp: to which power the magnitudes are raised, 2 for power.
        min_power: smaller powers count as this one.
        ref_power: what counts as 0 decibels.
        **kwargs: those of `Layer`.

    Input: (..., samples). Output: (..., num_mel_bins, samples // sequence_stride + 1).

    Raises:
        ValueError: an option is out of range, or two contradict each other.

    Example:
        >>> MelSpectrogram(64, 32, num_mel_bins=8)(ops.ones((2, 320))).shape[1:]
        (8, 11)
    """

    def __init__(
        self, fft_length: int = 2048, sequence_stride: int = 512, sequence_length: int | None = None, window: Any = "hann",
        sampling_rate: int = 16000, num_mel_bins: int = 128, min_freq: float = 20.0, max_freq: float | None = None,
        power_to_db: bool = True, top_db: float = 80.0, mag_exp: float = 2.0, min_power: float = 1e-10, ref_power: float = 1.0,
        **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(**kwargs)
        self.fft_length = positive("fft_length", fft_length)
        self.sequence_stride = positive("sequence_stride", sequence_stride)
        self.sequence_length = fft_length if sequence_length is None else positive("sequence_length", sequence_length)
        if self.sequence_length > self.fft_length:
            raise ValueError(
                f"`sequence_length` ({sequence_length}) of the layer {self.name!r} must not be above `fft_length` ({fft_length})."
            )
        if isinstance(window, str) and window not in ("hann", "hamming"):
            raise ValueError(
                f"`window` of the layer {self.name!r} must be 'hann', 'hamming', values or None, not {window!r}."
            )
        self.window = window if window is None or isinstance(window, str) else np.asarray(window, "float32")
        self.sampling_rate, self.num_mel_bins = (
            positive("sampling_rate", sampling_rate),
            positive("num_mel_bins", num_mel_bins),
        )
        self.min_freq, self.max_freq = min_freq, int(sampling_rate / 2) if max_freq is None else max_freq
        numbers = {"top_db": top_db, "mag_exp": mag_exp, "min_power": min_power}
        for name, value in numbers.items():
            checks.number(0)(name, value)
        self.power_to_db, self.top_db, self.mag_exp = power_to_db, top_db, mag_exp
        self.min_power, self.ref_power = min_power, ref_power
        self._filters = mel_filters(num_mel_bins, fft_length // 2 + 1, sampling_rate, self.min_freq, self.max_freq)
        self.built = True

    def call(self, inputs: Any) -> Any:
        """Compute the spectrogram."""
        kind = self.compute_dtype
        x = ops.cast(inputs, kind)
        real, imaginary = ops.stft(
            x, self.sequence_length, self.sequence_stride, self.fft_length,
            None if self.window is None else self.window if isinstance(self.window, str) else ops.convert_to_tensor(self.window),
        )  # fmt: skip
        power = ops.add(ops.square(real), ops.square(imaginary))
        if self.mag_exp != 2:
            power = ops.power(power, self.mag_exp / 2.0)
        mel = ops.swapaxes(ops.matmul(power, ops.convert_to_tensor(self._filters, ops.dtype(power))), -1, -2)
        return ops.cast(self._decibels(mel) if self.power_to_db else mel, kind)

    def _decibels(self, x: Any) -> Any:
        reference = 10.0 * math.log10(max(abs(self.ref_power), self.min_power))
        level = ops.subtract(ops.multiply(10.0, ops.log10(ops.maximum(x, self.min_power))), reference)
        return ops.maximum(level, ops.subtract(ops.max(level), self.top_db))

    def linear_to_mel_weight_matrix(
        self, num_mel_bins: int = 20, num_spectrogram_bins: int = 129, sampling_rate: int = 8000,
        lower_edge_hertz: float = 125.0, upper_edge_hertz: float = 3800.0, dtype: str = "float32",
    ) -> Any:  # fmt: skip
        """The matrix that turns magnitudes of frequencies into bins of the mel scale.

        Args:
            num_mel_bins: how many bins.
            num_spectrogram_bins: how many frequencies, from 0 to half the sampling rate.
            sampling_rate: samples per second.
            lower_edge_hertz: where the first bin begins.
            upper_edge_hertz: where the last one ends.
            dtype: of the matrix.

        Returns:
            A tensor (num_spectrogram_bins, num_mel_bins).

        Raises:
            ValueError: the edges are no ascending range.
        """
        filters = mel_filters(num_mel_bins, num_spectrogram_bins, sampling_rate, lower_edge_hertz, upper_edge_hertz)
        return ops.convert_to_tensor(filters, dtype)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """(..., num_mel_bins, frames)."""
        *lead, samples = tuple(input_shape)
        padded = None if samples is None else samples + 2 * (self.fft_length // 2)
        frames = None if padded is None else (padded - self.fft_length) // self.sequence_stride + 1
        return (*lead, self.num_mel_bins, frames)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        names = (
            "fft_length", "sequence_stride", "sequence_length", "window", "sampling_rate", "num_mel_bins", "min_freq", "max_freq",
            "power_to_db", "top_db", "mag_exp", "min_power", "ref_power",
        )  # fmt: skip
        config_ = {**super().get_config(), **{name: getattr(self, name) for name in names}}
        if isinstance(self.window, np.ndarray):
            config_["window"] = self.window.tolist()
        return config_


_MODES = ("log", "magnitude", "psd", "real", "imag", "angle", "stft")


class STFTSpectrogram(Layer):
    """The short-time Fourier transform of each channel of a signal, as a convolution whose kernels can be trained.

    Args:
        mode: `"real"`, `"imag"`; `"stft"`: both, one after the other; `"magnitude"`, its logarithm `"log"`, `"angle"`; `"psd"`: the
            squared magnitude, doubled where the frequency has a negative twin.
        frame_length: the length of a frame.
        frame_step: how far apart frames begin, half a frame for None.
        fft_length: the length of the Fourier transform, the next power of two for None.
        window: the name of a window, its values, or None.
        periodic: whether the window is periodic rather than symmetric.
        scaling: `"density"`, `"spectrum"` or None: by what the window is divided.
        padding: `"valid"`, or `"same"` for zeros at both ends.
        expand_dims: channels get an axis of their own, as images have it.
        data_format: `"channels_last"` or `"channels_first"`.
        **kwargs: those of `Layer`; `trainable` is about the kernels.

    Input: (batch, samples, channels). Output: (batch, frames, channels * frequencies), or with `expand_dims` (batch, frames,
    frequencies, channels); with channels first (batch, channels * frequencies, frames) or (batch, channels, frames, frequencies).

    Raises:
        ValueError: an option is out of range, or two contradict each other.
        TypeError: the signal isn't of floats.

    Example:
        >>> STFTSpectrogram(frame_length=64)(ops.ones((2, 320, 1))).shape[1:]
        (9, 33)
    """

    def __init__(
        self, mode: str = "log", frame_length: int = 256, frame_step: int | None = None, fft_length: int | None = None,
        window: Any = "hann", periodic: bool = False, scaling: str | None = "density", padding: str = "valid",
        expand_dims: bool = False, data_format: str | None = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(**kwargs)
        for name, value, allowed in (
            ("mode", mode, _MODES), ("scaling", scaling, ("density", "spectrum", None)), ("padding", padding, ("valid", "same"))
        ):  # fmt: skip
            if value not in allowed:
                raise ValueError(f"`{name}` of the layer {self.name!r} must be one of {allowed}, not {value!r}.")
        positive("frame_length", frame_length)
        if frame_step is not None and positive("frame_step", frame_step) > frame_length:
            raise ValueError(
                f"`frame_step` ({frame_step}) of the layer {self.name!r} must not be above `frame_length` ({frame_length})."
            )
        if fft_length is not None and positive("fft_length", fft_length) < frame_length:
            raise ValueError(
                f"`fft_length` ({fft_length}) of the layer {self.name!r} must not be below `frame_length` ({frame_length})."
            )
        self.mode, self.frame_length, self.frame_step, self.fft_length = mode, frame_length, frame_step, fft_length
        self.window = window if window is None or isinstance(window, str) else np.asarray(window)
        self.periodic, self.scaling, self.padding = periodic, scaling, padding
        self.expand_dims, self.data_format = expand_dims, config.standardize_data_format(data_format)
        self._step = frame_step or max(frame_length // 2, 1)
        self._transform = fft_length or 1 << (frame_length - 1).bit_length()
        self.input_spec = InputSpec(ndim=3)
        self._kernel_initializers = {
            side: initializers.STFT(side, self.window, scaling, periodic) for side in ("real", "imag")
        }

    def build(self, input_shape: Any) -> None:
        """Make the kernels."""
        self.real_kernel = self.imag_kernel = None
        shape = (self.frame_length, 1, self._transform // 2 + 1)
        if self.mode != "imag":
            self.real_kernel = self.add_weight(
                name="real_kernel", shape=shape, initializer=self._kernel_initializers["real"]
            )
        if self.mode != "real":
            self.imag_kernel = self.add_weight(
                name="imag_kernel", shape=shape, initializer=self._kernel_initializers["imag"]
            )

    def call(self, inputs: Any) -> Any:
        """Compute the spectrogram."""
        if "float" not in ops.dtype(inputs):
            raise TypeError(f"The layer {self.name!r} takes signals of floats, not of {ops.dtype(inputs)}.")
        x = inputs if self.data_format == "channels_first" else ops.swapaxes(inputs, 1, 2)
        channels, samples = x.shape[1], ops.shape(x)[2]
        out = self._of_mode(ops.reshape(x, (-1, samples, 1)))  # (batch * channels, frames, frequencies)
        frames, bins = ops.shape(out)[1], out.shape[2]
        out = ops.reshape(out, (-1, channels, frames, bins))
        if self.data_format == "channels_first":
            return out if self.expand_dims else ops.reshape(ops.swapaxes(out, 2, 3), (-1, channels * bins, frames))
        if self.expand_dims:
            return ops.transpose(out, (0, 2, 3, 1))
        return ops.reshape(ops.swapaxes(out, 1, 2), (-1, frames, channels * bins))

    def _of_mode(self, x: Any) -> Any:
        def convolved(kernel: Any) -> Any:
            return ops.conv(x, kernel, strides=self._step, padding=self.padding, data_format="channels_last")

        if self.mode == "real":
            return convolved(self.real_kernel)
        if self.mode == "imag":
            return convolved(self.imag_kernel)
        real, imaginary = convolved(self.real_kernel), convolved(self.imag_kernel)
        if self.mode == "stft":
            return ops.concatenate([real, imaginary], axis=-1)
        if self.mode == "angle":
            return ops.arctan2(imaginary, real)
        power = ops.add(ops.square(real), ops.square(imaginary))
        if self.mode == "psd":
            twins = np.full(power.shape[-1], 2.0)
            twins[[0, -1]] = 1.0
            return ops.multiply(power, ops.convert_to_tensor(twins, ops.dtype(power)))
        magnitude = ops.sqrt(ops.maximum(power, config.epsilon()))
        return magnitude if self.mode == "magnitude" else ops.log(magnitude)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """As described for the class."""
        batch, *rest = tuple(input_shape)
        channels, samples = rest if self.data_format == "channels_first" else rest[::-1]
        frames = None
        if samples is not None:
            frames = (
                -(-samples // self._step) if self.padding == "same" else (samples - self.frame_length) // self._step + 1
            )
        bins = (self._transform // 2 + 1) * (2 if self.mode == "stft" else 1)
        together = None if channels is None else channels * bins
        if self.data_format == "channels_first":
            return (batch, channels, frames, bins) if self.expand_dims else (batch, together, frames)
        return (batch, frames, bins, channels) if self.expand_dims else (batch, frames, together)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        names = (
            "mode", "frame_length", "frame_step", "fft_length", "window", "periodic", "scaling", "padding", "data_format",
            "expand_dims",
        )  # fmt: skip
        config_ = {**super().get_config(), **{name: getattr(self, name) for name in names}}
        if isinstance(self.window, np.ndarray):
            config_["window"] = self.window.tolist()
        return config_
