"""The three forms of a batch: `(x,)`, `(x, y)` and `(x, y, sample_weight)`."""

from __future__ import annotations

from typing import Any

import numpy as np

from tricera.core import tree
from tricera.training.data import foreign


def pack_x_y_sample_weight(x: Any, y: Any = None, sample_weight: Any = None) -> Any:
    """Put data into the form that `Model.fit` hands to `train_step`.

    Args:
        x: inputs: a tensor or a structure of tensors.
        y: targets, or None.
        sample_weight: weights of the samples, or None; without targets there is nothing to weigh, and it is left out.

    Returns:
        `x` itself where it stands alone (in a tuple of one if it is a list or a tuple, which would look like a batch),
        otherwise `(x, y)` or `(x, y, sample_weight)`.

    Example:
        >>> pack_x_y_sample_weight(1), pack_x_y_sample_weight(1, 2), pack_x_y_sample_weight([1, 2])
        (1, (1, 2), ([1, 2],))
    """
    if y is not None:
        return (x, y) if sample_weight is None else (x, y, sample_weight)
    return (x,) if isinstance(x, (list, tuple)) else x


def unpack_x_y_sample_weight(data: Any) -> tuple[Any, Any, Any]:
    """Take a batch apart, with None for what it lacks.

    Args:
        data: `x`, `(x,)`, `(x, y)` or `(x, y, sample_weight)`; a list counts as a tuple.

    Returns:
        The triple `(x, y, sample_weight)`.

    Raises:
        ValueError: a tuple of another length.

    Example:
        >>> unpack_x_y_sample_weight((1, 2))
        (1, 2, None)
    """
    if not isinstance(data, (list, tuple)):
        return (data, None, None)
    if not 1 <= len(data) <= 3:
        raise ValueError(
            f"A batch must be `x`, `(x,)`, `(x, y)` or `(x, y, sample_weight)`, not a {type(data).__name__} of "
            f"{len(data)}. Several inputs or targets belong into one structure: `((x1, x2), y)`."
        )
    x, y, sample_weight = (*data, None, None)[:3]
    return (x, y, sample_weight)


def as_batch(element: Any, source: str) -> tuple[Any, ...]:
    """One element of a data source as a tuple of one to three parts; matrices of SciPy become dense.

    Raises:
        ValueError: the element is empty or has more than three parts.
    """
    if not isinstance(element, (list, tuple)) or hasattr(element, "_fields"):
        return (_dense(element),)
    if not 1 <= len(element) <= 3:
        raise ValueError(
            f"{source} gave a batch of {len(element)} parts. Expected `(x,)`, `(x, y)` or `(x, y, sample_weight)`; "
            "several inputs or targets belong into one structure: `((x1, x2), y)`."
        )
    return tuple([part if type(part) is np.ndarray else _dense(part) for part in element])


def _dense(part: Any) -> Any:
    # what is sparse in a framework stays, its backend knows what to do with it
    if not any(foreign.kind(leaf) == "sparse" and hasattr(leaf, "toarray") for leaf in tree.flatten(part)):
        return part
    return tree.map_structure(lambda leaf: leaf.toarray() if hasattr(leaf, "toarray") else leaf, part)
