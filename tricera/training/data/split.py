"""Validation data: a part of the training data, or what the caller handed in."""

from __future__ import annotations

import math
from typing import Any

from tricera.core import tree
from tricera.training.data.batch import unpack_x_y_sample_weight
from tricera.training.data.leaves import number_of_samples, part_of, standardize


def train_validation_split(arrays: Any, validation_split: float) -> tuple[Any, Any]:
    """Cut arrays in two: the last fraction of the samples, without shuffling, is for validation.

    Args:
        arrays: a structure (such as `(x, y, sample_weight)`) of arrays of n samples each; None stays None.
        validation_split: fraction for validation, between 0 and 1. The first floor(n * (1 - fraction)) samples remain.

    Returns:
        `(train, validation)`, each in the structure of `arrays`; NumPy leaves are views.

    Raises:
        ValueError: the fraction is out of range, one of the parts would be empty, or a leaf is no array.

    Example:
        >>> import numpy as np
        >>> train_validation_split((np.arange(5), None), 0.4)
        ((array([0, 1, 2]), None), (array([3, 4]), None))
    """
    if isinstance(validation_split, bool) or not 0 < validation_split < 1:
        raise ValueError(f"`validation_split` must lie between 0 and 1, not {validation_split!r}.")
    parts = dict(zip(("x", "y", "sample_weight"), arrays, strict=False)) if isinstance(arrays, tuple) else {"x": arrays}
    if isinstance(arrays, tuple) and len(arrays) > 3:
        parts = {str(i): part for i, part in enumerate(arrays)}
    try:
        parts = {name: standardize(part, name) for name, part in parts.items()}
    except ValueError as error:
        error.add_note("`validation_split` works with arrays only; give `validation_data` beside any other source.")
        raise
    n = number_of_samples(parts)
    cut = math.floor(n * (1.0 - validation_split))
    if cut in (0, n):
        raise ValueError(
            f"`validation_split={validation_split}` of {n} samples leaves none to "
            f"{'train' if cut == 0 else 'validate'} on. Give more data or another fraction."
        )

    def take(rows: slice) -> Any:
        taken = tuple(
            tree.map_structure(lambda leaf: None if leaf is None else part_of(leaf, rows), part)
            for part in parts.values()
        )
        return taken if isinstance(arrays, tuple) else taken[0]

    return take(slice(0, cut)), take(slice(cut, n))


def unpack_validation_data(validation_data: Any) -> tuple[Any, Any, Any]:
    """`validation_data` as `(x, y, sample_weight)`; a data source comes out as `x`.

    Raises:
        ValueError: a tuple that has not one to three parts.
    """
    return unpack_x_y_sample_weight(validation_data)
