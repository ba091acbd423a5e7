"""The one stream of host randomness: initial weights, data order and default seeds come from here, on every backend.

Philox is counter-based (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"), and NumPy promises its bits.
"""

from __future__ import annotations

from typing import Any

import numpy as np

_process: np.random.Generator | None = None  # made, as NumPy's random room is loaded, when it is first drawn from


def set_seed(seed: int) -> None:
    """Restart the process-wide stream at `seed`."""
    global _process
    _process = np.random.Generator(np.random.Philox(int(seed)))


def draw_seed() -> int:
    """The next seed of the process-wide stream, below 2**31."""
    global _process
    if _process is None:
        _process = np.random.Generator(np.random.Philox())  # seeded by the system
    return int(_process.integers(0, 2**31 - 1))


def state_of(generator: np.random.Generator) -> list[Any]:
    """Where a generator stands, in JSON's types."""
    state: Any = generator.bit_generator.state
    words = [int(x) for part in (state["state"]["counter"], state["state"]["key"], state["buffer"]) for x in part]
    return [*words, int(state["buffer_pos"]), int(state["has_uint32"]), int(state["uinteger"])]


def set_state(generator: np.random.Generator, value: list[Any]) -> None:
    """Let a generator go on from what `state_of` gave.

    Raises:
        ValueError: it is something else.
    """
    if not isinstance(value, list) or len(value) != 13 or not all(isinstance(x, int) and 0 <= x < 2**64 for x in value):
        raise ValueError(f"{value!r} is not the state of a generator.")
    words = np.array(value[:10], "uint64")
    generator.bit_generator.state = {
        "bit_generator": "Philox", "state": {"counter": words[:4], "key": words[4:6]}, "buffer": words[6:10],
        "buffer_pos": value[10], "has_uint32": value[11], "uinteger": value[12],
    }  # fmt: skip


def generator(seed: int) -> np.random.Generator:
    """A generator of its own, whose numbers depend on `seed` alone."""
    return np.random.Generator(np.random.Philox(int(seed)))
