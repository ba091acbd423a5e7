"""Sequences of different lengths as one array."""

from __future__ import annotations

from typing import Any

import numpy as np


def pad_sequences(
    sequences: Any,
    maxlen: int | None = None,
    dtype: Any = "int32",
    padding: str = "pre",
    truncating: str = "pre",
    value: Any = 0.0,
) -> np.ndarray:
    """Lists of numbers as the rows of an array, padded or cut to one length.

    Args:
        sequences: the lists.
        maxlen: the length; default: that of the longest.
        dtype: of the array.
        padding: pad `"pre"` (before) or `"post"` (after).
        truncating: cut at the beginning (`"pre"`) or the end (`"post"`).
        value: what to pad with.

    Returns:
        An array (sequences, maxlen, ...).

    Raises:
        ValueError: something that isn't a list of sequences, or an unknown option.

    Example:
        >>> pad_sequences([[1], [2, 3]]).tolist()
        [[0, 1], [2, 3]]
    """
    for name, option in (("padding", padding), ("truncating", truncating)):
        if option not in ("pre", "post"):
            raise ValueError(f"`{name}` must be 'pre' or 'post', not {option!r}.")
    if not hasattr(sequences, "__len__") or any(not hasattr(s, "__len__") for s in sequences):
        raise ValueError("`sequences` must be a list of sequences.")
    length = max((len(s) for s in sequences), default=0) if maxlen is None else maxlen
    sample = next((np.asarray(s).shape[1:] for s in sequences if len(s)), ())
    out = np.full((len(sequences), length, *sample), value, dtype=object if isinstance(value, str) else dtype)
    for row, sequence in zip(out, sequences, strict=True):
        if not len(sequence) or not length:
            continue
        kept = np.asarray(sequence[-length:] if truncating == "pre" else sequence[:length], dtype=dtype)
        if kept.shape[1:] != sample:
            raise ValueError(f"The sequences hold elements of different shapes: {sample} and {kept.shape[1:]}.")
        if padding == "post":
            row[: len(kept)] = kept
        else:
            row[-len(kept) :] = kept
    return out
