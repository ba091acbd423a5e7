"""Tricera: the Keras 3 API over JAX, PyTorch, TensorFlow and NumPy, side by side in one process."""

from __future__ import annotations

__version__ = "0.1.0"
