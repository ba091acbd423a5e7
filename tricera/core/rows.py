"""Outputs of a batch that was filled up to a size for which a step is compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from tricera.core import tree


class Rows(NamedTuple):
    """Outputs of which the first rows alone are of samples.

    Attributes:
        outputs: a tree of tensors.
        rows: how many rows count.

    Example:
        >>> Rows(np.arange(4), 3).numpy(np.asarray).tolist()
        [0, 1, 2]
    """

    outputs: Any
    rows: int

    def numpy(self, to_numpy: Callable[[Any], np.ndarray]) -> Any:
        """The outputs of the samples as arrays; they are cut on the host, since on the device each length is compiled."""
        return tree.map_structure(lambda x: None if x is None else to_numpy(x)[: self.rows], self.outputs)

    def last(self) -> Any:
        """The outputs of the samples as tensors."""
        return tree.map_structure(lambda x: None if x is None else x[: self.rows], self.outputs)
