"""The one stream of host randomness: initial weights, data order and default seeds come from here, on every backend.

Philox is counter-based (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"), and NumPy promises its bits.
"""

from __future__ import annotations

import secrets

import numpy as np

_process = np.random.Generator(np.random.Philox(secrets.randbits(64)))


def set_seed(seed: int) -> None:
    """Restart the process-wide stream at `seed`."""
    global _process
    _process = np.random.Generator(np.random.Philox(int(seed)))


def draw_seed() -> int:
    """The next seed of the process-wide stream, below 2**31."""
    return int(_process.integers(0, 2**31 - 1))


def generator(seed: int) -> np.random.Generator:
    """A generator of its own, whose numbers depend on `seed` alone."""
    return np.random.Generator(np.random.Philox(int(seed)))
