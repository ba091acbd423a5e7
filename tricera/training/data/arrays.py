"""Batches out of arrays in memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import numpy as np
import optree

from tricera.core import config, dtypes, rng, tree
from tricera.training.data import class_weight as weights
from tricera.training.data.adapter import Source
from tricera.training.data.leaves import gather, number_of_samples, standardize


class Window(NamedTuple):
    """Several full batches that follow each other in a pass, not gathered yet.

    Attributes:
        order: the samples in the order of the pass, cut to full batches: (batches, batch size); None if they are in
            the order of the arrays.
        size: samples a batch.
        first: number of the first batch in the pass.
        stop: number after the last one.
        rest: the smaller last batch of the pass, where it belongs to the same group.
    """

    order: np.ndarray | None
    size: int
    first: int
    stop: int
    rest: tuple[Any, ...] | None = None

    @property
    def steps(self) -> int:
        """How many batches there are in all."""
        return self.stop - self.first + (self.rest is not None)


class ArrayPass:
    """One pass over arrays: an iterator over its batches that can also give several of them at a time, or look ahead.

    Args:
        adapter: whose arrays.
        order: the samples in the order of this pass; None takes the slices that the adapter gives.
    """

    def __init__(self, adapter: ArrayAdapter, order: np.ndarray | None) -> None:
        self._slices = adapter._batch_slices()
        self._flat_order = order
        structure: Any = adapter.arrays
        leaves, spec = optree.tree_flatten(structure, none_is_leaf=True)
        self._leaves: list[Any] = leaves
        self._rebuild: Callable[..., Any] = spec.unflatten
        self._next = 0
        self._size, self._full = adapter.batch_size, adapter.num_samples // adapter.batch_size
        self._order: np.ndarray | None = None
        if order is not None:
            self._order = order[: self._full * self._size].reshape(self._full, self._size)
        elif adapter.shuffle == "batch":
            starts = np.array([part.start for part in self._slices[: self._full]], dtype=np.int64)
            self._order = starts[:, None] + np.arange(self._size)

    def __iter__(self) -> ArrayPass:
        return self

    def __next__(self) -> tuple[Any, ...]:
        batch = self.peek()
        if batch is None:
            raise StopIteration
        self._next += 1
        return batch

    def peek(self) -> tuple[Any, ...] | None:
        """The next batch, which stays the next one; None at the end."""
        if self._next == len(self._slices):
            return None
        part = self._slices[self._next]
        index = part if self._flat_order is None else self._flat_order[part]
        return self._rebuild([None if leaf is None else gather(leaf, index) for leaf in self._leaves])

    def skip(self, batches: int) -> None:
        """Go past the next batches."""
        self._next = min(self._next + batches, len(self._slices))

    def take(self, most: int) -> Window | None:
        """The next full batches, `most` of them at most; None where no full one is left."""
        first, stop = self._next, min(self._next + most, self._full)
        if first >= stop:
            return None
        self._next = stop
        return Window(self._order, self._size, first, stop)


class ArrayAdapter(Source):
    """Batches of arrays, lists of numbers, pandas objects or tensors that lie in memory whole.

    Without shuffling, batches of NumPy arrays are views. The order of shuffled samples comes from Tricera's own stream
    of random numbers, so it is the same on every backend.

    Args:
        x: inputs; a structure of arrays of n samples each.
        y: targets, or None.
        sample_weight: weights, or None; one array for several targets weighs them all.
        batch_size: samples a batch, 32 unless given.
        shuffle: True draws a new order of the samples for each pass, `"batch"` one of whole batches (a smaller last one
            stays last).
        class_weight: dict of class to weight, turned into sample weights.

    Attributes:
        arrays: `(x,)`, `(x, y)` or `(x, y, sample_weight)` with leaves that are NumPy arrays, or tensors where they lie
            on an accelerator; floats are of dtype floatx.
        num_samples: n.

    Raises:
        ValueError: the lengths differ, there is no sample, or an argument is out of range.
        TypeError: a leaf holds text or objects.
    """

    arrays: tuple[Any, ...]
    num_batches: int
    batch_size: int

    def __init__(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        *,
        batch_size: int | None = None,
        shuffle: bool | Literal["batch"] = False,
        class_weight: dict[int, float] | None = None,
    ) -> None:
        if not (isinstance(shuffle, (bool, np.bool_)) or shuffle == "batch"):
            raise ValueError(f"`shuffle` must be True, False or 'batch', not {shuffle!r}.")
        self.arrays = _standardize_parts(x, y, sample_weight, weights.check_class_weight(class_weight))
        names = ("x", "y", "sample_weight")
        self.num_samples = number_of_samples(dict(zip(names, self.arrays, strict=False)))
        self.batch_size = _check_batch_size(batch_size)
        self.num_batches = -(-self.num_samples // self.batch_size)
        self.partial_batch_size = self.num_samples % self.batch_size or None
        self.shuffle = shuffle
        # drawn only where it is used, so that evaluating between two epochs does not change what is trained on
        self._generator = rng.generator(rng.draw_seed()) if shuffle else None

    def indices_for_epoch(self) -> np.ndarray:
        """The order of the samples in the next pass: an int64 permutation. Each call draws a new one."""
        if self.shuffle == "batch":
            order = np.arange(self.num_samples)
            return np.concatenate([order[part] for part in self._batch_slices()])
        if self._generator is not None:
            return self._generator.permutation(self.num_samples)
        return np.arange(self.num_samples)

    def epoch(self) -> ArrayPass:
        """One pass over the data, in the order that `indices_for_epoch` would give now."""
        by_slices = self.shuffle is False or self.shuffle == "batch"
        return ArrayPass(self, None if by_slices else self.indices_for_epoch())

    def _batch_slices(self) -> list[slice]:
        size = self.batch_size
        slices = [slice(start, min(start + size, self.num_samples)) for start in range(0, self.num_samples, size)]
        if self.shuffle != "batch" or self._generator is None:
            return slices
        full = len(slices) - (self.partial_batch_size is not None)
        return [slices[i] for i in self._generator.permutation(full)] + slices[full:]


def _check_batch_size(batch_size: int | None) -> int:
    if batch_size is None:
        return 32
    if isinstance(batch_size, bool) or not isinstance(batch_size, (int, np.integer)) or batch_size < 1:
        raise ValueError(f"`batch_size` must be a positive integer, not {batch_size!r}.")
    return int(batch_size)


def _standardize_parts(x: Any, y: Any, sample_weight: Any, class_weight: dict[int, float] | None) -> tuple[Any, ...]:
    x, y = standardize(x, "x"), standardize(y, "y")
    if class_weight is not None:
        weights.refuse_both(sample_weight)
        return (x, y, weights.to_sample_weight(y, class_weight))
    if sample_weight is None:
        return (x,) if y is None else (x, y)
    floatx = dtypes.numpy_dtype(config.floatx())
    sample_weight = tree.map_structure(
        lambda w: w.astype(floatx, copy=False) if isinstance(w, np.ndarray) else w,
        standardize(sample_weight, "sample_weight"),
    )
    return (x, y, _match_weights(sample_weight, y))


def _match_weights(sample_weight: Any, y: Any) -> Any:
    """Weights in the structure of the targets: one array serves all of them, keys that a dict lacks are None."""
    if not tree.is_nested(y) or y is None:
        return sample_weight
    if not tree.is_nested(sample_weight):
        return tree.map_structure(lambda target: None if target is None else sample_weight, y)
    if isinstance(y, dict) and isinstance(sample_weight, dict) and sample_weight.keys() <= y.keys():
        return {key: sample_weight.get(key) for key in y}
    if isinstance(y, (list, tuple)) and isinstance(sample_weight, (list, tuple)) and len(y) == len(sample_weight):
        return sample_weight
    raise ValueError(
        "`sample_weight` must be one array or have the structure of `y`. "
        f"Got a {_describe(sample_weight)} of weights for a {_describe(y)} of targets."
    )


def _describe(structure: Any) -> str:
    keys = f" with keys {sorted(structure)}" if isinstance(structure, dict) else f" of {len(structure)}"
    return type(structure).__name__ + keys
