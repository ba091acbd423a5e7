"""`SeedGenerator`: random state as a variable, so that compiled code carries it like any other state."""

from __future__ import annotations

from typing import Any

import numpy as np

from tricera.core import dispatch, naming, rng
from tricera.core.operators import OPS
from tricera.core.variable import Variable


class SeedGenerator:
    """A stream of seeds for random ops, one a call.

    Args:
        seed: an integer that fixes the stream; None draws one from the process-wide stream.
        name: default: `seed_generator`, numbered.

    Raises:
        ValueError: the seed isn't an integer.

    Example:
        >>> from tricera import ops, random
        >>> a, b = SeedGenerator(3), SeedGenerator(3)
        >>> x, y = random.normal((2,), seed=a), random.normal((2,), seed=b)
        >>> bool(ops.all(x == y))
        True
    """

    def __init__(self, seed: int | None = None, name: str | None = None, **kwargs: Any) -> None:
        kwargs.pop("backend", None)
        if kwargs:
            raise ValueError(f"Unknown argument of SeedGenerator: {', '.join(kwargs)}.")
        if seed is None:
            seed = rng.draw_seed()
        if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)):
            raise ValueError(f"`seed` must be an integer or None, not {seed!r}.")
        if seed < 0:
            raise ValueError(f"`seed` must not be negative; got {seed}.")
        self.name = name or naming.auto_name("seed_generator")
        self._seed = int(seed)
        backend = dispatch.current()
        self.state = Variable(
            np.array([self._seed & 0x7FFFFFFF, 0]),
            dtype=backend.traits.SEED_DTYPE,
            trainable=False,
            autocast=False,
            aggregation="none",
            name="seed_generator_state",
        )

    @property
    def seed(self) -> int:
        """The seed with which the stream began."""
        return self._seed

    def next(self, ordered: bool = True) -> Any:
        """The next seed, a tensor of two words; the state moves on.

        Args:
            ordered: accepted for compatibility; draws always come in order.
        """
        value = self.state.value
        if value is self.state._native:  # which may change in place
            value = OPS["copy"](value)
        self.state.accumulate(_STEPS[self.state.dtype])
        return value

    def move(self, backend: dispatch.Backend) -> None:
        """Go on with the stream on another backend, in the dtype that can be counted in there."""
        self.state.move(backend, backend.traits.SEED_DTYPE)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"seed": self._seed}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> SeedGenerator:
        """Make one from what `get_config` gave."""
        return cls(**config)


_STEPS = {dtype: np.array([0, 1], dtype) for dtype in ("int32", "uint32")}


_shared: dict[str, SeedGenerator] = {}


def shared_generator(backend: dispatch.Backend) -> SeedGenerator:
    """The stream from which draws without a seed come, one a backend."""
    if backend.name not in _shared:
        with dispatch.use(backend):
            _shared[backend.name] = SeedGenerator(name="shared_seed_generator")
    return _shared[backend.name]


def restart_shared() -> None:
    """Forget these streams; the next draw starts one from the process-wide stream."""
    _shared.clear()


def draw(seed: Any) -> Any:
    """The two words for one draw, from whatever a `seed` argument may be.

    Raises:
        ValueError: it is neither an integer, a SeedGenerator, nor None.
    """
    if isinstance(seed, SeedGenerator):
        return seed.next()
    if seed is None:
        return shared_generator(dispatch.current()).next()
    if isinstance(seed, (int, np.integer)) and not isinstance(seed, bool):
        return int(seed) & 0x7FFFFFFF, 0
    if hasattr(seed, "shape") and tuple(seed.shape) == (2,):
        return seed
    raise ValueError(f"`seed` must be an integer, a `random.SeedGenerator` or None, not {seed!r}.")
