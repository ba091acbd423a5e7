"""Batches out of a Python generator or iterator."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tricera.training.data import class_weight as weights
from tricera.training.data.adapter import Source
from tricera.training.data.batch import as_batch


class GeneratorAdapter(Source):
    """Batches of an iterator, which can be run through once: each pass goes on where the last one stopped.

    Args:
        iterator: gives tuples `(x,)`, `(x, y)` or `(x, y, sample_weight)`; anything but a tuple or a list is taken as
            `x`.
        class_weight: dict of class to weight, turned into sample weights batch by batch.
    """

    resumes = reuses = True

    def __init__(self, iterator: Iterator[Any], *, class_weight: dict[int, float] | None = None) -> None:
        self._iterator = iterator
        self._class_weight = weights.check_class_weight(class_weight)

    def epoch(self) -> Iterator[tuple[Any, ...]]:
        """What the iterator still holds. Leaving early loses nothing."""
        for element in self._iterator:
            if isinstance(element, list):
                raise ValueError(
                    f"The generator gave a list of {len(element)}, which may mean several inputs or inputs and "
                    "targets. Give a tuple: `(x,)`, `(x, y)` or `(x, y, sample_weight)`, where `x` and `y` may be "
                    "lists."
                )
            yield weights.weighted_batch(as_batch(element, "The generator"), self._class_weight)
