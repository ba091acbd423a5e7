"""The kernel that makes a convolution a short-time Fourier transform."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tricera.core import dtypes
from tricera.initializers.initializer import Initializer

_WINDOWS: dict[str, Callable[[int], np.ndarray]] = {
    "hann": np.hanning, "hamming": np.hamming, "bartlett": np.bartlett, "blackman": np.blackman, "boxcar": np.ones,
}  # fmt: skip


def _window(name: str, size: int, periodic: bool) -> np.ndarray:
    if name in _WINDOWS:
        return _WINDOWS[name](size + 1)[:-1] if periodic else _WINDOWS[name](size)
    try:
        from scipy.signal import windows
    except ImportError:
        raise ImportError(
            f"The window {name!r} comes from SciPy, which is not installed: pip install scipy. Without it there are "
            f"{', '.join(map(repr, _WINDOWS))}, or an array of your own."
        ) from None
    return np.asarray(windows.get_window(name, size, fftbins=periodic))


class STFT(Initializer):
    """w(t) cos(2 pi t f / n), or -w(t) sin(2 pi t f / n): kernels (frame, 1, n / 2 + 1) of a Fourier transform.

    Args:
        side: `"real"` for the cosines, `"imag"` for the sines.
        window: the name of a window of SciPy's (`"hann"`, `"hamming"`, ...), its values, or None.
        scaling: what divides the window: `"density"` its L2 norm, `"spectrum"` its sum, None nothing.
        periodic: whether the window is periodic rather than symmetric.

    Raises:
        ValueError: an unknown side, scaling or window, or (when called) a shape or window that don't fit.

    Example:
        >>> STFT("real", window=None)((4, 1, 3)).shape
        (4, 1, 3)
    """

    _config = ("side", "window", "scaling", "periodic")

    def __init__(
        self, side: str = "real", window: Any = "hann", scaling: str | None = "density", periodic: bool = False
    ) -> None:
        if side not in ("real", "imag"):
            raise ValueError(f"`side` must be 'real' or 'imag', not {side!r}.")
        if scaling not in ("density", "spectrum", None):
            raise ValueError(f"`scaling` must be 'density', 'spectrum' or None, not {scaling!r}.")
        if isinstance(window, str):
            _window(window, 4, periodic)  # an unknown name is refused here
        self.side, self.window, self.scaling, self.periodic = side, window, scaling, periodic

    def on_host(self, shape: tuple[int, ...], dtype: str) -> np.ndarray:
        """The value as an array."""
        if len(shape) != 3 or shape[1] != 1:
            raise ValueError(f"An STFT kernel has the shape (frame, 1, frequencies); the shape given is {shape}.")
        frame, _, bins = shape
        n = 2 * (bins - 1)
        angles = 2 * np.pi * np.outer(np.arange(frame), np.arange(bins)) / max(n, 1)
        kernel = np.cos(angles) if self.side == "real" else -np.sin(angles)
        if self.window is not None:
            kernel *= self._scaled_window(frame)[:, None]
        return kernel.reshape(shape).astype(dtypes.numpy_dtype(dtype))

    def _scaled_window(self, frame: int) -> np.ndarray:
        if isinstance(self.window, str):
            window = _window(self.window, frame, self.periodic)
        else:
            window = np.asarray(self.window, "float64")
        if window.shape != (frame,):
            raise ValueError(f"The window has the shape {window.shape}, but the kernel's frame holds {frame} values.")
        if self.scaling == "density":
            return window / np.sqrt(np.sum(window**2))
        return window / np.sum(window) if self.scaling == "spectrum" else window

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        config = super().get_config()
        if not isinstance(self.window, (str, type(None))):
            config["window"] = np.asarray(self.window).tolist()
        return config
