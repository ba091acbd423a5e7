"""Random numbers: `keras.random` by name, from explicit seeds.

The numbers come from the framework's own generators (they differ between frameworks, and are the same for the same seed on
one of them); initial weights and the order of data come from the host's generator instead and agree everywhere.
"""

from __future__ import annotations

from tricera.random.draws import (
    beta as beta,
    binomial as binomial,
    categorical as categorical,
    dropout as dropout,
    gamma as gamma,
    normal as normal,
    randint as randint,
    shuffle as shuffle,
    truncated_normal as truncated_normal,
    uniform as uniform,
)
from tricera.random.seed_generator import SeedGenerator as SeedGenerator

__all__ = [
    "SeedGenerator",
    "beta",
    "binomial",
    "categorical",
    "dropout",
    "gamma",
    "normal",
    "randint",
    "shuffle",
    "truncated_normal",
    "uniform",
]
