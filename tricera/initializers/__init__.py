"""Initializers: the first values of variables, the same bits on every backend."""

from __future__ import annotations

from typing import Any

from tricera.core.configurable import config_of
from tricera.core.registry import lookup
from tricera.initializers.initializer import (
    Constant as Constant,
    Identity as Identity,
    Initializer as Initializer,
    Ones as Ones,
    Zeros as Zeros,
)
from tricera.initializers.random import (
    GlorotNormal as GlorotNormal,
    GlorotUniform as GlorotUniform,
    HeNormal as HeNormal,
    HeUniform as HeUniform,
    LecunNormal as LecunNormal,
    LecunUniform as LecunUniform,
    Orthogonal as Orthogonal,
    RandomNormal as RandomNormal,
    RandomUniform as RandomUniform,
    TruncatedNormal as TruncatedNormal,
    VarianceScaling as VarianceScaling,
    compute_fans as compute_fans,
)
from tricera.initializers.stft import STFT as STFT

STFTInitializer = stft = STFT
IdentityInitializer = identity = Identity
OrthogonalInitializer = orthogonal = Orthogonal
constant, ones, zeros = Constant, Ones, Zeros
glorot_normal, glorot_uniform = GlorotNormal, GlorotUniform
he_normal, he_uniform = HeNormal, HeUniform
lecun_normal, lecun_uniform = LecunNormal, LecunUniform
random_normal, random_uniform, truncated_normal = RandomNormal, RandomUniform, TruncatedNormal
variance_scaling = VarianceScaling

_TABLE: dict[str, Any] = {
    name: value for name, value in list(globals().items()) if isinstance(value, type) and issubclass(value, Initializer)
} | {"one": Ones, "zero": Zeros, "uniform": RandomUniform, "normal": RandomNormal, "eye": Identity}


def get(identifier: Any) -> Any:
    """The initializer that `identifier` (a name, config, class, object, array or function) means; None for None.

    Raises:
        ValueError: it means none.

    Example:
        >>> get("he_normal").scale
        2.0
    """
    if isinstance(identifier, (int, float)) and not isinstance(identifier, bool):
        raise ValueError(f"{identifier!r} is no initializer. For a constant, pass `Constant({identifier!r})`.")
    return lookup("initializer", identifier, _TABLE)


def serialize(initializer: Any) -> Any:
    """An initializer as a config."""
    return config_of(initializer)


def deserialize(config: Any, custom_objects: Any = None) -> Any:
    """An initializer from a config."""
    return lookup("initializer", config, _TABLE, custom_objects)


__all__ = [
    "Constant",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "Identity",
    "IdentityInitializer",
    "Initializer",
    "LecunNormal",
    "LecunUniform",
    "Ones",
    "Orthogonal",
    "OrthogonalInitializer",
    "RandomNormal",
    "RandomUniform",
    "STFT",
    "STFTInitializer",
    "TruncatedNormal",
    "VarianceScaling",
    "Zeros",
    "deserialize",
    "get",
    "serialize",
]
