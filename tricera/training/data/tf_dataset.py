"""Batches out of `tf.data` datasets and TensorFlow's distributed datasets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tricera.core import tree
from tricera.training.data import class_weight as weights
from tricera.training.data.adapter import Source
from tricera.training.data.batch import as_batch

_INFINITE, _UNKNOWN = -1, -2  # what `tf.data.Dataset.cardinality` answers


class TFDatasetAdapter(Source):
    """Batches of a dataset that is batched already; leaves stay TensorFlow tensors.

    Args:
        dataset: a `tf.data.Dataset`, or one that a `tf.distribute` strategy made.
        class_weight: dict of class to weight, turned into sample weights batch by batch.
    """

    def __init__(self, dataset: Any, *, class_weight: dict[int, float] | None = None) -> None:
        self._dataset = dataset
        self._class_weight = weights.check_class_weight(class_weight)
        cardinality = _cardinality(dataset)
        self.is_infinite = cardinality == _INFINITE
        self.num_batches = cardinality if cardinality >= 0 else None
        self.batch_size = _static_batch_size(dataset)

    def epoch(self) -> Iterator[tuple[Any, ...]]:
        """One pass over the dataset."""
        for element in self._dataset:
            # a list cannot be told from a tuple here: TensorFlow stacks lists, so only tuples come out as containers
            yield weights.weighted_batch(as_batch(element, "The tf.data dataset"), self._class_weight)


def _cardinality(dataset: Any) -> int:
    cardinality = getattr(dataset, "cardinality", None)  # a method of datasets, a property of distributed ones
    cardinality = cardinality() if callable(cardinality) else cardinality
    return _UNKNOWN if cardinality is None else int(cardinality)


def _static_batch_size(dataset: Any) -> int | None:
    for spec in tree.flatten(getattr(dataset, "element_spec", None)):
        shape = getattr(spec, "shape", None)
        if shape is not None and shape.rank:
            return shape[0]
    return None
