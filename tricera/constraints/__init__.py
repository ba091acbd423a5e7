"""Constraints: projections applied to variables after each update."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from tricera import ops
from tricera.core import checks, config
from tricera.core.configurable import Configurable, config_of
from tricera.core.registry import lookup


class Constraint(Configurable, checks.Checked):
    """A projection: called with a variable's value, returns the value to keep."""

    _checks: ClassVar[Mapping[str, checks.Check]] = {
        "max_value": checks.number(0), "min_value": checks.number(0), "rate": checks.number(0, 1), "axis": checks.axes,
    }  # fmt: skip

    def __call__(self, w: Any) -> Any:
        """The value to keep."""
        return w


def _norms(w: Any, axis: Any) -> Any:
    return ops.sqrt(ops.sum(ops.square(w), axis=axis, keepdims=True))


class MaxNorm(Constraint):
    """Norms along an axis limited to a value (Srivastava et al. 2014).

    Args:
        max_value: the largest norm.
        axis: along which the norm is taken; 0 takes that of each unit's inputs in a dense kernel.

    Example:
        >>> float(MaxNorm(1.0)(ops.convert_to_tensor([[3.0], [4.0]]))[0, 0])
        0.6000000238418579
    """

    _config = ("max_value", "axis")

    def __init__(self, max_value: float = 2, axis: Any = 0) -> None:
        self.max_value, self.axis = max_value, axis

    def __call__(self, w: Any) -> Any:
        """The value to keep."""
        norms = _norms(w, self.axis)
        return ops.multiply(w, ops.divide(ops.clip(norms, 0, self.max_value), ops.add(config.epsilon(), norms)))


class NonNeg(Constraint):
    """Negative elements become 0."""

    def __call__(self, w: Any) -> Any:
        """The value to keep."""
        return ops.maximum(w, 0)


class UnitNorm(Constraint):
    """Norms along an axis made 1.

    Args:
        axis: along which the norm is taken.
    """

    _config = ("axis",)

    def __init__(self, axis: Any = 0) -> None:
        self.axis = axis

    def __call__(self, w: Any) -> Any:
        """The value to keep."""
        return ops.divide(w, ops.add(config.epsilon(), _norms(w, self.axis)))


class MinMaxNorm(Constraint):
    """Norms along an axis moved toward a range.

    Args:
        min_value: the smallest norm.
        max_value: the largest norm.
        rate: how far to move, from 0 (not at all) to 1 (all the way).
        axis: along which the norm is taken.
    """

    _config = ("min_value", "max_value", "rate", "axis")

    def __init__(self, min_value: float = 0.0, max_value: float = 1.0, rate: float = 1.0, axis: Any = 0) -> None:
        if min_value > max_value:
            raise ValueError(f"`min_value` {min_value!r} must not be above `max_value` {max_value!r}.")
        self.min_value, self.max_value, self.rate, self.axis = min_value, max_value, rate, axis

    def __call__(self, w: Any) -> Any:
        """The value to keep."""
        norms = _norms(w, self.axis)
        wanted = ops.add(
            ops.multiply(self.rate, ops.clip(norms, self.min_value, self.max_value)), ops.multiply(1 - self.rate, norms)
        )
        return ops.multiply(w, ops.divide(wanted, ops.add(config.epsilon(), norms)))


max_norm, min_max_norm, non_neg, unit_norm = MaxNorm, MinMaxNorm, NonNeg, UnitNorm
_TABLE: dict[str, Any] = {"MaxNorm": MaxNorm, "MinMaxNorm": MinMaxNorm, "NonNeg": NonNeg, "UnitNorm": UnitNorm}


def get(identifier: Any) -> Any:
    """The constraint that `identifier` (a name, config, class, object or function) means; None for None.

    Raises:
        ValueError: it means none.
    """
    return lookup("constraint", identifier, _TABLE)


def serialize(constraint: Any) -> Any:
    """A constraint as a config."""
    return config_of(constraint)


def deserialize(config: Any, custom_objects: Any = None) -> Any:
    """A constraint from a config."""
    return lookup("constraint", config, _TABLE, custom_objects)


__all__ = ["Constraint", "MaxNorm", "MinMaxNorm", "NonNeg", "UnitNorm", "deserialize", "get", "serialize"]
