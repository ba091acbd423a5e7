"""The schedules."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from tricera import ops
from tricera.core.configurable import Configurable


class LearningRateSchedule(Configurable):
    """The base of schedules: called with the step, returns the rate."""

    def __call__(self, step: Any) -> Any:
        """The rate at a step; to be overridden."""
        raise NotImplementedError(f"{type(self).__name__} must define `__call__(step)`.")


def _float(step: Any) -> Any:
    return ops.cast(step, "float32")


def _positive(name: str, value: Any) -> Any:
    if value <= 0:
        raise ValueError(f"`{name}` must be positive; got {value}.")
    return value


class ExponentialDecay(LearningRateSchedule):
    """initial * rate^(step / steps).

    Args:
        initial_learning_rate: the rate at step 0.
        decay_steps: after how many steps it is multiplied by `decay_rate`.
        decay_rate: the factor.
        staircase: decay in jumps.
        name: a name.

    Example:
        >>> round(float(ExponentialDecay(1.0, 10, 0.5)(10)), 4)
        0.5
    """

    _config = ("initial_learning_rate", "decay_steps", "decay_rate", "staircase", "name")

    def __init__(
        self, initial_learning_rate: float, decay_steps: int, decay_rate: float, staircase: bool = False, name: str = "ExponentialDecay"
    ) -> None:
        self.initial_learning_rate, self.decay_steps, self.decay_rate = initial_learning_rate, _positive("decay_steps", decay_steps), decay_rate
        self.staircase, self.name = staircase, name

    def __call__(self, step: Any) -> Any:
        """The rate at a step."""
        p = ops.divide(_float(step), self.decay_steps)
        p = ops.floor(p) if self.staircase else p
        return ops.multiply(self.initial_learning_rate, ops.power(ops.cast(self.decay_rate, "float32"), p))


class InverseTimeDecay(LearningRateSchedule):
    """initial / (1 + rate * step / steps).

    Args:
        initial_learning_rate: the rate at step 0.
        decay_steps: the unit of time.
        decay_rate: the factor.
        staircase: decay in jumps.
        name: a name.
    """

    _config = ("initial_learning_rate", "decay_steps", "decay_rate", "staircase", "name")

    def __init__(
        self, initial_learning_rate: float, decay_steps: int, decay_rate: float, staircase: bool = False, name: str = "InverseTimeDecay"
    ) -> None:
        self.initial_learning_rate, self.decay_steps, self.decay_rate = initial_learning_rate, _positive("decay_steps", decay_steps), decay_rate
        self.staircase, self.name = staircase, name

    def __call__(self, step: Any) -> Any:
        """The rate at a step."""
        p = ops.divide(_float(step), self.decay_steps)
        p = ops.floor(p) if self.staircase else p
        return ops.divide(self.initial_learning_rate, ops.add(1.0, ops.multiply(self.decay_rate, p)))


class PiecewiseConstantDecay(LearningRateSchedule):
    """One value up to the first boundary (included), the next up to the second, and so on.

    Args:
        boundaries: increasing steps.
        values: one more than there are boundaries.
        name: a name.

    Raises:
        ValueError: the numbers don't fit.
    """

    _config = ("boundaries", "values", "name")

    def __init__(self, boundaries: Sequence[float], values: Sequence[float], name: str = "PiecewiseConstant") -> None:
        if len(boundaries) != len(values) - 1:
            raise ValueError(f"There must be one more value than boundaries; got {len(boundaries)} boundaries and {len(values)} values.")
        self.boundaries, self.values, self.name = list(boundaries), list(values), name

    def __call__(self, step: Any) -> Any:
        """The rate at a step."""
        step = _float(step)
        rate = ops.cast(self.values[0], "float32")
        for boundary, value in zip(self.boundaries, self.values[1:], strict=True):
            rate = ops.where(ops.greater(step, float(boundary)), value, rate)
        return rate


class PolynomialDecay(LearningRateSchedule):
    """(initial - end) * (1 - step / steps)^power + end.

    Args:
        initial_learning_rate: the rate at step 0.
        decay_steps: when the end is reached.
        end_learning_rate: the rate from then on.
        power: the exponent.
        cycle: begin anew, each time with `decay_steps` more.
        name: a name.
    """

    _config = ("initial_learning_rate", "decay_steps", "end_learning_rate", "power", "cycle", "name")

    def __init__(
        self, initial_learning_rate: float, decay_steps: int, end_learning_rate: float = 0.0001, power: float = 1.0,
        cycle: bool = False, name: str = "PolynomialDecay",
    ) -> None:  # fmt: skip
        self.initial_learning_rate, self.decay_steps = initial_learning_rate, _positive("decay_steps", decay_steps)
        self.end_learning_rate, self.power, self.cycle, self.name = end_learning_rate, power, cycle, name

    def __call__(self, step: Any) -> Any:
        """The rate at a step."""
        step, steps = _float(step), ops.cast(self.decay_steps, "float32")
        if self.cycle:
            steps = ops.multiply(steps, ops.maximum(1.0, ops.ceil(ops.divide(step, steps))))
        else:
            step = ops.minimum(step, steps)
        left = ops.power(ops.subtract(1.0, ops.divide(step, steps)), self.power)
        return ops.add(ops.multiply(self.initial_learning_rate - self.end_learning_rate, left), self.end_learning_rate)


class CosineDecay(LearningRateSchedule):
    """A half cosine from the initial rate to alpha times it, after an optional linear warm-up (Loshchilov & Hutter 2016).

    Args:
        initial_learning_rate: the rate at step 0.
        decay_steps: how many steps the decay takes.
        alpha: the fraction that is left at the end.
        name: a name.
        warmup_target: the rate at the end of the warm-up, None for no warm-up.
        warmup_steps: how many steps the warm-up takes.
    """

    _config = ("initial_learning_rate", "decay_steps", "alpha", "name", "warmup_target", "warmup_steps")

    def __init__(
        self, initial_learning_rate: float, decay_steps: int, alpha: float = 0.0, name: str = "CosineDecay",
        warmup_target: float | None = None, warmup_steps: int = 0,
    ) -> None:  # fmt: skip
        self.initial_learning_rate, self.decay_steps = initial_learning_rate, _positive("decay_steps", decay_steps)
        self.alpha, self.name, self.warmup_target, self.warmup_steps = alpha, name, warmup_target, warmup_steps

    def _decayed(self, step: Any, top: float) -> Any:
        done = ops.divide(ops.minimum(ops.maximum(step, 0.0), float(self.decay_steps)), float(self.decay_steps))
        cosine = ops.multiply(0.5, ops.add(1.0, ops.cos(ops.multiply(math.pi, done))))
        return ops.multiply(top, ops.add(ops.multiply(1.0 - self.alpha, cosine), self.alpha))

    def __call__(self, step: Any) -> Any:
        """The rate at a step."""
        step = _float(step)
        if self.warmup_target is None:
            return self._decayed(step, self.initial_learning_rate)
        rising = ops.divide(step, float(max(self.warmup_steps, 1)))
        warm = ops.add(self.initial_learning_rate, ops.multiply(self.warmup_target - self.initial_learning_rate, rising))
        later = self._decayed(ops.subtract(step, float(self.warmup_steps)), self.warmup_target)
        return ops.where(ops.less(step, float(self.warmup_steps)), warm, later)


class CosineDecayRestarts(LearningRateSchedule):
    """Half cosines one after the other, each longer and lower (Loshchilov & Hutter 2016).

    Args:
        initial_learning_rate: the rate at step 0.
        first_decay_steps: how long the first one is.
        t_mul: by how much each is longer than the one before.
        m_mul: by how much each begins lower.
        alpha: the fraction that is left at the end of each.
        name: a name.
    """

    _config = ("initial_learning_rate", "first_decay_steps", "t_mul", "m_mul", "alpha", "name")

    def __init__(
        self, initial_learning_rate: float, first_decay_steps: int, t_mul: float = 2.0, m_mul: float = 1.0, alpha: float = 0.0,
        name: str = "SGDRDecay",
    ) -> None:  # fmt: skip
        self.initial_learning_rate, self.first_decay_steps = initial_learning_rate, _positive("first_decay_steps", first_decay_steps)
        self.t_mul, self.m_mul, self.alpha, self.name = t_mul, m_mul, alpha, name

    def __call__(self, step: Any) -> Any:
        """The rate at a step."""
        done = ops.divide(_float(step), float(self.first_decay_steps))
        if self.t_mul == 1.0:
            restart = ops.floor(done)
            done = ops.subtract(done, restart)
        else:
            # The n-th period begins at (1 - t^n) / (1 - t).
            inside = ops.subtract(1.0, ops.multiply(done, 1.0 - self.t_mul))
            restart = ops.floor(ops.divide(ops.log(inside), math.log(self.t_mul)))
            power = ops.power(ops.cast(self.t_mul, "float32"), restart)
            begin = ops.divide(ops.subtract(1.0, power), 1.0 - self.t_mul)
            done = ops.divide(ops.subtract(done, begin), power)
        top = ops.power(ops.cast(self.m_mul, "float32"), restart)
        cosine = ops.multiply(ops.multiply(0.5, top), ops.add(1.0, ops.cos(ops.multiply(math.pi, done))))
        return ops.multiply(self.initial_learning_rate, ops.add(ops.multiply(1.0 - self.alpha, cosine), self.alpha))
