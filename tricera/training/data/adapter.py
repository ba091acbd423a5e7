"""What a data source looks like to the training loop."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol, runtime_checkable

import numpy as np

from tricera.core import rng


@runtime_checkable
class DataAdapter(Protocol):
    """A source of batches that can be passed over again and again.

    A batch is `(x,)`, `(x, y)` or `(x, y, sample_weight)`; each part is a structure whose leaves are NumPy arrays or
    the source's own tensors.
    """

    @property
    def num_batches(self) -> int | None:
        """Batches of one pass; None where nobody knows."""

    @property
    def batch_size(self) -> int | None:
        """Samples of a full batch; None where nobody knows."""

    @property
    def partial_batch_size(self) -> int | None:
        """Samples of a smaller last batch; None where there is no such batch, or nobody knows."""

    def epoch(self) -> Iterator[tuple[Any, ...]]:
        """One pass over the data. Closing the iterator early releases what it holds."""

    def on_epoch_begin(self) -> None:
        """Called before each epoch."""

    def on_epoch_end(self) -> None:
        """Called after each epoch."""

    def order_state(self) -> Any:
        """What decides the order of the passes to come, in JSON's types; None where that is not the adapter's own choice."""

    def set_order_state(self, value: Any) -> None:
        """Go back to a state of the order."""

    def close(self) -> None:
        """Release workers that outlive a pass."""


class Source:
    """The defaults of an adapter: nothing is known, nothing happens between epochs."""

    num_batches: int | None = None
    batch_size: int | None = None
    partial_batch_size: int | None = None
    ahead: bool = True  # whether batches may be read in another thread than the caller's
    reuses: bool = False  # whether a batch may lie in arrays that the next one will lie in
    resumes: bool = False  # whether a new pass goes on where the last one was left

    def on_epoch_begin(self) -> None:
        """Do nothing."""

    def on_epoch_end(self) -> None:
        """Do nothing."""

    _generator: np.random.Generator | None = None

    def order_state(self) -> Any:
        """The state of the generator that shuffles, if there is one."""
        return None if self._generator is None else rng.state_of(self._generator)

    def set_order_state(self, value: Any) -> None:
        """Set the state of the generator that shuffles."""
        if self._generator is not None and value is not None:
            rng.set_state(self._generator, value)

    def close(self) -> None:
        """Do nothing."""
