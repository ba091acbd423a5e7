"""`SeedGenerator`: random state as a variable, so that compiled code carries it like any other state."""

from __future__ import annotations

from typing import Any

import numpy as np

from tricera.core import dispatch, naming, rng
from tricera.core.operators import OPS
from tricera.core.shortcut import memory
from tricera.core.variable import Variable, name_scope


class SeedGenerator:
    """A stream of seeds for random ops, one a call.

    Args:
        seed: an integer that fixes the stream, not negative; None draws one from the process-wide stream.
        name: default: `seed_generator`, numbered.

    Raises:
        ValueError: the seed isn't an integer, or is negative.

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
        with name_scope(self.name):
            self.state = Variable(
                np.array([self._seed & 0x7FFFFFFF, 0]),
                dtype=backend.traits.SEED_DTYPE,
                trainable=False,
                autocast=False,
                aggregation="none",
                name="seed_generator_state",
            )
        if backend.traits.SEEDS_AT_ONCE and backend.loaded:
            self.state.native  # noqa: B018

    @property
    def seed(self) -> int:
        """The seed with which the stream began.

        Example:
            >>> SeedGenerator(3).seed
            3
        """
        return self._seed

    def next(self, ordered: bool = True) -> Any:
        """The next seed, a tensor of two words; the state moves on.

        Args:
            ordered: accepted for compatibility; draws always come in order.

        Returns:
            A tensor (2,) of uint32 or int32 (what the framework can count in): the seed and the number of the draw.

        Example:
            >>> from tricera import ops
            >>> generator = SeedGenerator(3)
            >>> [ops.convert_to_numpy(generator.next()).tolist() for _ in range(2)]
            [[3, 0], [3, 1]]
        """
        value = self.state.value
        if value is self.state._native:  # which may change in place
            value = OPS["copy"](value)
        if memory.closed():  # a compiler that takes arrays for tensors
            self.state.assign(OPS["add"](value, [0, 1]))
        else:
            self.state.accumulate(_STEPS[self.state.dtype])
        return value

    def move(self, backend: dispatch.Backend) -> None:
        """Go on with the stream on another backend, in the dtype that can be counted in there.

        Args:
            backend: where to.
        """
        self.state.move(backend, backend.traits.SEED_DTYPE)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments.

        Returns:
            A dictionary that `from_config` takes.

        Example:
            >>> SeedGenerator(3, name="noise").get_config()
            {'seed': 3, 'name': 'noise'}
        """
        return {"seed": self._seed, "name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> SeedGenerator:
        """Make one from what `get_config` gave.

        Args:
            config: a dictionary of the constructor's arguments.

        Returns:
            A `SeedGenerator` at the start of its stream.

        Example:
            >>> SeedGenerator.from_config({"seed": 3}).seed
            3
        """
        return cls(**config)


_STEPS = {dtype: np.array([0, 1], dtype) for dtype in ("int32", "uint32")}


_shared: dict[str, SeedGenerator] = {}


def shared_generator(backend: dispatch.Backend) -> SeedGenerator:
    """The stream from which draws without a seed come, one a backend.

    Args:
        backend: the backend.

    Returns:
        Its `SeedGenerator`, made at the first call.

    Example:
        >>> shared_generator(dispatch.current()) is shared_generator(dispatch.current())
        True
    """
    if backend.name not in _shared:
        with dispatch.use(backend):
            _shared[backend.name] = SeedGenerator(name="shared_seed_generator")
    return _shared[backend.name]


def restart_shared() -> None:
    """Forget these streams; the next draw starts one from the process-wide stream.

    Example:
        >>> before = shared_generator(dispatch.current())
        >>> restart_shared()
        >>> shared_generator(dispatch.current()) is before
        False
    """
    _shared.clear()


def draw(seed: Any) -> Any:
    """The two words for one draw, from whatever a `seed` argument may be.

    Args:
        seed: an integer, a `SeedGenerator`, a tensor of two words, or None, which stands for the shared stream.

    Returns:
        A pair of integers, or a tensor (2,).

    Raises:
        ValueError: it is none of these.

    Example:
        >>> draw(3)
        (3, 0)
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
