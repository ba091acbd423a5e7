"""Regularizers: penalties on values, added to the loss."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar

from tricera import ops
from tricera.core import checks
from tricera.core.configurable import Configurable, config_of
from tricera.core.registry import lookup


class Regularizer(Configurable, checks.Checked):
    """A penalty: called with a tensor, returns a scalar."""

    _checks: ClassVar[Mapping[str, checks.Check]] = {
        "l1": checks.number(0, optional=True), "l2": checks.number(0, optional=True), "factor": checks.number(0),
    }  # fmt: skip

    def __call__(self, x: Any) -> Any:
        """The penalty of a value."""
        return 0.0


def _factor(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or math.isinf(value) or math.isnan(value):
        raise ValueError(f"A regularizer's `{name}` must be a finite number, not {value!r}.")
    return float(value)


class L1L2(Regularizer):
    """l1 * sum(|x|) + l2 * sum(x^2).

    Args:
        l1: the factor of the absolute values.
        l2: the factor of the squares.

    Example:
        >>> float(L1L2(l1=1.0, l2=2.0)(ops.convert_to_tensor([1.0, -1.0])))
        6.0
    """

    _config = ("l1", "l2")

    def __init__(self, l1: float = 0.0, l2: float = 0.0) -> None:
        self.l1, self.l2 = _factor("l1", l1 or 0.0), _factor("l2", l2 or 0.0)

    def __call__(self, x: Any) -> Any:
        """The penalty of a value."""
        total: Any = None
        if self.l1:
            total = ops.multiply(self.l1, ops.sum(ops.absolute(x)))
        if self.l2:
            squares = ops.multiply(self.l2, ops.sum(ops.square(x)))
            total = squares if total is None else ops.add(total, squares)
        return ops.convert_to_tensor(0.0) if total is None else total


class L1(Regularizer):
    """l1 * sum(|x|).

    Args:
        l1: the factor.
    """

    _config = ("l1",)

    def __init__(self, l1: float = 0.01) -> None:
        self.l1 = _factor("l1", 0.01 if l1 is None else l1)

    def __call__(self, x: Any) -> Any:
        """The penalty of a value."""
        return ops.multiply(self.l1, ops.sum(ops.absolute(x)))


class L2(Regularizer):
    """l2 * sum(x^2).

    Args:
        l2: the factor.
    """

    _config = ("l2",)

    def __init__(self, l2: float = 0.01) -> None:
        self.l2 = _factor("l2", 0.01 if l2 is None else l2)

    def __call__(self, x: Any) -> Any:
        """The penalty of a value."""
        return ops.multiply(self.l2, ops.sum(ops.square(x)))


class OrthogonalRegularizer(Regularizer):
    """factor * the mean of |cosine| between different rows (or columns) of a matrix, counted once a pair.

    Args:
        factor: the factor.
        mode: `"rows"` or `"columns"`.

    Raises:
        ValueError: another mode, or (when called) a tensor that isn't a matrix.
    """

    _config = ("factor", "mode")

    def __init__(self, factor: float = 0.01, mode: str = "rows") -> None:
        self.factor = _factor("factor", factor)
        if mode not in ("rows", "columns"):
            raise ValueError(f"`mode` must be 'rows' or 'columns', not {mode!r}.")
        self.mode = mode

    def __call__(self, x: Any) -> Any:
        """The penalty of a value."""
        if len(x.shape) != 2:
            raise ValueError(f"The orthogonal regularizer takes matrices; got a tensor of shape {tuple(x.shape)}.")
        axis = 1 if self.mode == "rows" else 0
        norms = ops.sqrt(ops.maximum(ops.sum(ops.square(x), axis=axis, keepdims=True), 1e-12))
        unit = ops.divide(x, norms)
        product = ops.matmul(unit, ops.transpose(unit)) if axis else ops.matmul(ops.transpose(unit), unit)
        size = x.shape[1 - axis]
        off_diagonal = ops.multiply(product, ops.subtract(1.0, ops.eye(size, dtype=ops.dtype(product))))
        pairs = size * (size - 1.0) / 2.0
        return ops.divide(ops.multiply(self.factor * 0.5, ops.sum(ops.absolute(off_diagonal))), pairs)


l1, l2, l1_l2, orthogonal_regularizer = L1, L2, L1L2, OrthogonalRegularizer
_TABLE: dict[str, Any] = {
    "L1": L1, "L2": L2, "L1L2": L1L2, "OrthogonalRegularizer": OrthogonalRegularizer, "l1_l2": L1L2, "l1l2": L1L2,
}  # fmt: skip


def get(identifier: Any) -> Any:
    """The regularizer that `identifier` (a name, config, class, object or function) means; None for None.

    Raises:
        ValueError: it means none.
    """
    return lookup("regularizer", identifier, _TABLE)


def serialize(regularizer: Any) -> Any:
    """A regularizer as a config."""
    return config_of(regularizer)


def deserialize(config: Any, custom_objects: Any = None) -> Any:
    """A regularizer from a config."""
    return lookup("regularizer", config, _TABLE, custom_objects)


__all__ = ["L1", "L1L2", "L2", "OrthogonalRegularizer", "Regularizer", "deserialize", "get", "serialize"]
