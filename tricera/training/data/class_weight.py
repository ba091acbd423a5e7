"""Weights of classes as weights of samples."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from tricera.core import config, dtypes, tree
from tricera.training.data.sparse_rows import SparseRows


def check_class_weight(class_weight: Any) -> dict[int, float] | None:
    """A clean copy with integer classes and float weights; None for None or an empty dict.

    Raises:
        TypeError: not a dict.
        ValueError: a key is no integer, or a weight is NaN, infinite, negative or no number.
    """
    if class_weight is None:
        return None
    if not isinstance(class_weight, Mapping):
        raise TypeError(f"`class_weight` must be a dict of class to weight, not {type(class_weight).__name__}.")
    clean: dict[int, float] = {}
    for key, weight in class_weight.items():
        try:
            label, value = int(key), float(weight)
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"`class_weight` must map class numbers to numbers, but has {key!r}: {weight!r}."
            ) from error
        if not math.isfinite(value) or value < 0:
            raise ValueError(f"`class_weight[{key!r}]` is {weight!r}. Weights must be finite and not negative.")
        clean[label] = value
    return clean or None


def to_sample_weight(y: Any, class_weight: dict[int, float]) -> Any:
    """Look up the weight of each sample's class.

    Args:
        y: targets (one array, or a structure that holds just one): classes of shape (n,) or (n, 1), or one-hot or
            probability rows of shape (n, classes), whose largest entry counts. Framework tensors are read as NumPy.
        class_weight: as `check_class_weight` returns it.

    Returns:
        Weights of shape (n,) in floatx, in the structure of `y`.

    Raises:
        ValueError: no target, or several targets.

    Example:
        >>> to_sample_weight(np.array([0, 1, 1]), {0: 1.0, 1: 3.0})
        array([1., 3., 3.], dtype=float32)
    """
    targets = [leaf for leaf in tree.flatten(y) if leaf is not None]
    if len(targets) != 1:
        raise ValueError(
            f"`class_weight` needs exactly one target, but the data has {len(targets)}. Use `sample_weight` instead."
        )
    classes = _classes(_numpy(targets[0]))
    present, where = np.unique(classes, return_inverse=True)
    table = np.array([class_weight.get(c, 1.0) for c in present.tolist()], dtype=dtypes.numpy_dtype(config.floatx()))
    weights = table[where.reshape(classes.shape)]
    return tree.map_structure(lambda leaf: None if leaf is None else weights, y)


def weighted_batch(batch: tuple[Any, ...], class_weight: dict[int, float] | None) -> tuple[Any, ...]:
    """A batch of a data source with the weights of its classes added.

    Raises:
        ValueError: the batch has no targets, or has sample weights already.
    """
    if class_weight is None:
        return batch
    refuse_both(batch[2] if len(batch) > 2 else None)
    x, y = (*batch, None)[:2]
    return (x, y, to_sample_weight(y, class_weight))


def refuse_both(sample_weight: Any) -> None:
    """Raise ValueError if there are sample weights, for the use beside class weights."""
    if sample_weight is not None:
        raise ValueError(
            "`class_weight` and `sample_weight` cannot be used together. Multiply the class weights into "
            "`sample_weight`."
        )


def _numpy(y: Any) -> np.ndarray:
    if hasattr(y, "detach"):  # a torch tensor that needs gradients or lives on an accelerator refuses `__array__`
        y = y.detach().cpu()
    return y[:] if isinstance(y, SparseRows) else np.asarray(y)


def _classes(y: np.ndarray) -> np.ndarray:
    if y.ndim == 0:
        raise ValueError("`class_weight` needs targets with a batch dimension, but got a scalar.")
    if y.ndim > 1:
        y = y[..., 0] if y.shape[-1] == 1 else np.argmax(y, axis=-1)
    if y.dtype.kind not in "biu":
        y = np.asarray(y, dtype="float64")
        if not np.isfinite(y).all():
            raise ValueError("`class_weight` needs targets that name classes, but some are NaN or infinite.")
        y = np.round(y)
    return y.astype("int64")
