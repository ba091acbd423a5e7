"""Batches out of a torch `DataLoader`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tricera.training.data import class_weight as weights
from tricera.training.data.adapter import Source
from tricera.training.data.batch import as_batch


class TorchLoaderAdapter(Source):
    """Batches of a `torch.utils.data.DataLoader`; leaves stay torch tensors.

    Args:
        loader: the loader, with its own order and its own workers.
        class_weight: dict of class to weight, turned into sample weights batch by batch.
    """

    def __init__(self, loader: Any, *, class_weight: dict[int, float] | None = None) -> None:
        self._loader = loader
        self._class_weight = weights.check_class_weight(class_weight)
        self.num_batches = _length(loader)
        self.batch_size = getattr(loader, "batch_size", None)
        if self.batch_size and not loader.drop_last:
            samples = _length(loader.sampler)
            self.partial_batch_size = samples % self.batch_size or None if samples is not None else None

    def epoch(self) -> Iterator[tuple[Any, ...]]:
        """One pass over the loader."""
        for element in self._loader:
            yield weights.weighted_batch(as_batch(element, "The torch DataLoader"), self._class_weight)


def _length(sized: Any) -> int | None:
    try:
        return len(sized)
    except TypeError:  # an iterable dataset has no length, and its loader says so in this way
        return None
