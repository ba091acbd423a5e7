"""Learning-rate schedules: functions of the step count, with a config."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from tricera import ops
from tricera.core import checks
from tricera.core.configurable import Configurable


class LearningRateSchedule(Configurable, checks.Checked):
    """A learning rate that depends on the number of steps taken; the base class of all schedules.

    A subclass defines `__call__(step)`, where `step` is an integer tensor (or number), and `get_config`. It is traced in compiled
    steps, so it decides by `ops.where` and not by `if`.

    Example:
        >>> class Halved(LearningRateSchedule):
        ...     def __call__(self, step):
        ...         return 0.5 ** ops.cast(step, "float32")
        >>> float(Halved()(2))
        0.25
    """

    _checks: ClassVar[Mapping[str, checks.Check]] = {
        "initial_learning_rate": checks.number(0), "decay_steps": checks.number(above=0), "first_decay_steps": checks.number(above=0),
        "decay_rate": checks.number(0), "end_learning_rate": checks.number(0), "power": checks.number(0), "alpha": checks.number(0),
        "warmup_target": checks.number(0, optional=True), "warmup_steps": checks.number(0), "t_mul": checks.number(above=0),
        "m_mul": checks.number(0), "boundaries": checks.several(checks.number(), alone=False, optional=False),
        "values": checks.several(checks.number(0), alone=False, optional=False), "staircase": checks.flag, "cycle": checks.flag,
    }  # fmt: skip
    _config: ClassVar[tuple[str, ...]] = ()

    def __call__(self, step: Any) -> Any:
        """The learning rate at a step."""
        raise NotImplementedError(f"{type(self).__name__} must define `__call__(step)`.")

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        if type(self).__init__ is not object.__init__ and not self._config:
            raise NotImplementedError(f"{type(self).__name__} must define `get_config()` to be saved.")
        return super().get_config()


class ExponentialDecay(LearningRateSchedule):
    """`initial * decay_rate^(step / decay_steps)`.

    Args:
        initial_learning_rate: the first value.
        decay_steps: after so many steps it has been multiplied by `decay_rate` once.
        decay_rate: the factor.
        staircase: change at whole multiples of `decay_steps` only.
        name: its name.

    Example:
        >>> float(ExponentialDecay(0.5, decay_steps=10, decay_rate=0.5)(10))
        0.25
    """

    _config = ("initial_learning_rate", "decay_steps", "decay_rate", "staircase", "name")

    def __init__(
        self, initial_learning_rate: float, decay_steps: int, decay_rate: float, staircase: bool = False,
        name: str = "ExponentialDecay",
    ) -> None:  # fmt: skip
        self.initial_learning_rate, self.decay_steps = initial_learning_rate, decay_steps
        self.decay_rate, self.staircase, self.name = decay_rate, staircase, name

    def __call__(self, step: Any) -> Any:
        """The learning rate at a step."""
        p = _float(step) / self.decay_steps
        if self.staircase:
            p = ops.floor(p)
        return ops.power(_float(self.decay_rate), p) * self.initial_learning_rate


class InverseTimeDecay(LearningRateSchedule):
    """`initial / (1 + decay_rate * step / decay_steps)`.

    Args:
        initial_learning_rate: the first value.
        decay_steps: the unit of time, in steps.
        decay_rate: how quickly it falls.
        staircase: change at whole multiples of `decay_steps` only.
        name: its name.

    Example:
        >>> float(InverseTimeDecay(1.0, decay_steps=1, decay_rate=1.0)(3))
        0.25
    """

    _config = ("initial_learning_rate", "decay_steps", "decay_rate", "staircase", "name")

    def __init__(
        self, initial_learning_rate: float, decay_steps: int, decay_rate: float, staircase: bool = False,
        name: str = "InverseTimeDecay",
    ) -> None:  # fmt: skip
        self.initial_learning_rate, self.decay_steps = initial_learning_rate, decay_steps
        self.decay_rate, self.staircase, self.name = decay_rate, staircase, name

    def __call__(self, step: Any) -> Any:
        """The learning rate at a step."""
        p = _float(step) / self.decay_steps
        if self.staircase:
            p = ops.floor(p)
        return self.initial_learning_rate / (p * self.decay_rate + 1)


class PiecewiseConstantDecay(LearningRateSchedule):
    """`values[i]` from `boundaries[i - 1]` (exclusive) to `boundaries[i]` (inclusive).

    Args:
        boundaries: step counts in ascending order.
        values: one more than boundaries.
        name: its name.

    Raises:
        ValueError: the numbers of boundaries and values do not fit, or there are no boundaries.

    Example:
        >>> schedule = PiecewiseConstantDecay([10, 20], [1.0, 0.5, 0.25])
        >>> [float(schedule(step)) for step in (10, 11, 21)]
        [1.0, 0.5, 0.25]
    """

    _config = ("boundaries", "values", "name")

    def __init__(self, boundaries: Sequence[float], values: Sequence[float], name: str = "PiecewiseConstant") -> None:
        if len(boundaries) == 0:
            raise ValueError("`boundaries` of PiecewiseConstantDecay must not be empty.")
        if len(boundaries) != len(values) - 1:
            raise ValueError(
                f"`values` must have one element more than `boundaries`; got {len(values)} and {len(boundaries)}."
            )
        if any(b <= a for a, b in itertools.pairwise(boundaries)):
            raise ValueError(f"`boundaries` must ascend; got {list(boundaries)}.")
        self.boundaries, self.values, self.name = boundaries, values, name

    def __call__(self, step: Any) -> Any:
        """The learning rate at a step."""
        step = _float(step)
        rate = _float(self.values[0])
        for boundary, value in zip(self.boundaries, self.values[1:], strict=True):
            rate = ops.where(step > boundary, _float(value), rate)
        return rate


class PolynomialDecay(LearningRateSchedule):
    """`(initial - end) * (1 - step / decay_steps)^power + end`, then `end`.

    Args:
        initial_learning_rate: the first value.
        decay_steps: when `end_learning_rate` is reached.
        end_learning_rate: the last value.
        power: 1 for a straight line.
        cycle: instead of staying at the end, go on with the next larger multiple of `decay_steps`.
        name: its name.

    Example:
        >>> float(PolynomialDecay(1.0, decay_steps=4, end_learning_rate=0.0)(3))
        0.25
    """

    _config = ("initial_learning_rate", "decay_steps", "end_learning_rate", "power", "cycle", "name")

    def __init__(
        self, initial_learning_rate: float, decay_steps: int, end_learning_rate: float = 0.0001, power: float = 1.0,
        cycle: bool = False, name: str = "PolynomialDecay",
    ) -> None:  # fmt: skip
        self.initial_learning_rate, self.decay_steps = initial_learning_rate, decay_steps
        self.end_learning_rate, self.power, self.cycle, self.name = end_learning_rate, power, cycle, name

    def __call__(self, step: Any) -> Any:
        """The learning rate at a step."""
        step, total = _float(step), _float(self.decay_steps)
        if self.cycle:
            rounds = ops.where(step == 0, ops.ones_like(step), ops.ceil(step / total))
            total = total * rounds
        else:
            step = ops.minimum(step, total)
        share = ops.power(1 - step / total, _float(self.power))
        return share * (self.initial_learning_rate - self.end_learning_rate) + self.end_learning_rate


class CosineDecay(LearningRateSchedule):
    """Half a cosine wave from the initial value down to `alpha` times it, after an optional straight climb.

    `((1 - alpha) (1 + cos(pi step / decay_steps)) / 2 + alpha) * initial`

    Args:
        initial_learning_rate: where the cosine (or the climb, with `warmup_target`) begins.
        decay_steps: how long the cosine lasts, after the climb.
        alpha: the last value, as a share of the highest.
        name: its name.
        warmup_target: the value to climb to before the cosine; None for no climb.
        warmup_steps: how long the climb lasts.

    References:
        [Loshchilov and Hutter, 2016](https://arxiv.org/abs/1608.03983)

    Example:
        >>> round(float(CosineDecay(1.0, decay_steps=10)(5)), 3)
        0.5
    """

    _config = ("initial_learning_rate", "decay_steps", "alpha", "name", "warmup_target", "warmup_steps")

    def __init__(
        self, initial_learning_rate: float, decay_steps: int, alpha: float = 0.0, name: str = "CosineDecay",
        warmup_target: float | None = None, warmup_steps: int = 0,
    ) -> None:  # fmt: skip
        self.initial_learning_rate, self.decay_steps = initial_learning_rate, decay_steps
        self.alpha, self.name = alpha, name
        self.warmup_target, self.warmup_steps = warmup_target, warmup_steps

    def __call__(self, step: Any) -> Any:
        """The learning rate at a step."""
        step = _float(step)
        if self.warmup_target is None:
            return self._cosine(ops.minimum(step, _float(self.decay_steps)), self.initial_learning_rate)
        if not self.warmup_steps:
            return self._cosine(ops.minimum(step, _float(self.decay_steps)), self.warmup_target)
        climb = (
            step / self.warmup_steps * (self.warmup_target - self.initial_learning_rate) + self.initial_learning_rate
        )
        after = ops.minimum(step, _float(self.decay_steps + self.warmup_steps)) - self.warmup_steps
        return ops.where(step < self.warmup_steps, climb, self._cosine(after, self.warmup_target))

    def _cosine(self, step: Any, height: float) -> Any:
        wave = (ops.cos(step * (math.pi / self.decay_steps)) + 1) * 0.5
        return (wave * (1 - self.alpha) + self.alpha) * height


class CosineDecayRestarts(LearningRateSchedule):
    """Cosine decay that begins anew after `first_decay_steps`, each period `t_mul` times longer and `m_mul` times as high.

    Args:
        initial_learning_rate: the first value.
        first_decay_steps: the length of the first period.
        t_mul: how much longer each period is than the one before.
        m_mul: how high each period begins, as a share of the one before.
        alpha: the lowest value, as a share of the initial one.
        name: its name.

    References:
        [Loshchilov and Hutter, 2016](https://arxiv.org/abs/1608.03983)

    Example:
        >>> float(CosineDecayRestarts(1.0, first_decay_steps=10)(10))
        1.0
    """

    _config = ("initial_learning_rate", "first_decay_steps", "t_mul", "m_mul", "alpha", "name")

    def __init__(
        self, initial_learning_rate: float, first_decay_steps: int, t_mul: float = 2.0, m_mul: float = 1.0,
        alpha: float = 0.0, name: str = "SGDRDecay",
    ) -> None:  # fmt: skip
        self.initial_learning_rate = initial_learning_rate
        self.first_decay_steps = first_decay_steps
        self.t_mul, self.m_mul, self.alpha, self.name = t_mul, m_mul, alpha, name

    def __call__(self, step: Any) -> Any:
        """The learning rate at a step."""
        done = _float(step) / self.first_decay_steps
        if self.t_mul == 1.0:
            period = ops.floor(done)
            done = done - period
        else:
            period = ops.floor(ops.log(1 - done * (1 - self.t_mul)) / math.log(self.t_mul))
            growth = ops.power(_float(self.t_mul), period)
            done = (done - (1 - growth) / (1 - self.t_mul)) / growth
        wave = (ops.cos(done * math.pi) + 1) * ops.power(_float(self.m_mul), period) * 0.5
        return (wave * (1 - self.alpha) + self.alpha) * self.initial_learning_rate


def _float(x: Any) -> Any:
    return ops.cast(x, "float32")


__all__ = [
    "CosineDecay",
    "CosineDecayRestarts",
    "ExponentialDecay",
    "InverseTimeDecay",
    "LearningRateSchedule",
    "PiecewiseConstantDecay",
    "PolynomialDecay",
]
