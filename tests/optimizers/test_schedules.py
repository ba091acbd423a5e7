"""Learning-rate schedules against their formulas."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tricera import ops
from tricera.optimizers import schedules


def value(schedule, step):
    return float(np.asarray(schedule(step)))


@pytest.mark.parametrize("step", [0, 3, 10, 11, 25])
def test_formulas(backend, step):
    def near(schedule, want):
        got = float(ops.convert_to_numpy(schedule(step)))
        assert got == pytest.approx(want, rel=1e-5, abs=1e-7)

    near(schedules.ExponentialDecay(0.1, 10, 0.5), 0.1 * 0.5 ** (step / 10))
    near(schedules.ExponentialDecay(0.1, 10, 0.5, staircase=True), 0.1 * 0.5 ** (step // 10))
    near(schedules.InverseTimeDecay(0.1, 10, 0.5), 0.1 / (1 + 0.5 * step / 10))
    near(schedules.PiecewiseConstantDecay([3, 10], [1.0, 0.5, 0.1]), 1.0 if step <= 3 else 0.5 if step <= 10 else 0.1)
    near(schedules.PolynomialDecay(0.1, 10, 0.01, power=2.0), 0.09 * (1 - min(step, 10) / 10) ** 2 + 0.01)
    near(
        schedules.CosineDecay(0.1, 10, alpha=0.1),
        0.1 * (0.9 * 0.5 * (1 + math.cos(math.pi * min(step, 10) / 10)) + 0.1),
    )
    rate = 0.1 * step / 5 if step < 5 else 0.1 * 0.5 * (1 + math.cos(math.pi * min(step - 5, 10) / 10))
    near(schedules.CosineDecay(0.0, 10, warmup_target=0.1, warmup_steps=5), rate)


def test_restarts():
    schedule = schedules.CosineDecayRestarts(1.0, 10, t_mul=2.0, m_mul=0.5)
    assert [round(value(schedule, step), 4) for step in (0, 5, 10, 20, 30)] == [1.0, 0.5, 0.5, 0.25, 0.25]


@pytest.mark.parametrize(
    "schedule",
    [
        schedules.ExponentialDecay(0.1, 10, 0.5),
        schedules.PiecewiseConstantDecay([1], [0.1, 0.2]),
        schedules.CosineDecay(0.1, 10, warmup_target=0.5, warmup_steps=3),
        schedules.CosineDecayRestarts(0.1, 10),
        schedules.PolynomialDecay(0.1, 10),
        schedules.InverseTimeDecay(0.1, 10, 0.5),
    ],
    ids=lambda s: type(s).__name__,
)
def test_round_trip(schedule):
    again = schedules.deserialize(schedules.serialize(schedule))
    assert type(again) is type(schedule)
    assert again.get_config() == schedule.get_config()


def test_wrong():
    with pytest.raises(ValueError, match="decay_steps"):
        schedules.CosineDecay(0.1, 0)
    with pytest.raises(ValueError, match="one element more"):
        schedules.PiecewiseConstantDecay([1, 2], [0.1, 0.2])
    with pytest.raises(NotImplementedError, match="__call__"):
        schedules.LearningRateSchedule()(1)
