"""Thirty steps of each optimizer, the same for Keras and for Tricera; run as a script it writes Keras's results."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

STEPS = 30
SHAPES = {
    "dense/kernel": (4, 3),
    "dense/bias": (3,),
    "conv/kernel": (3, 3, 2, 2),
    "embedding/embeddings": (5, 2),
    "scale/gain": (),
}

_ALL = (
    "SGD", "RMSprop", "Adam", "AdamW", "Adadelta", "Adafactor", "Adagrad", "Adamax", "Ftrl", "Lamb", "Lion", "Muon", "Nadam",
    "ScheduleFreeAdamW",
)  # fmt: skip
_COMMON: dict[str, dict[str, Any]] = {
    "weight_decay": {"weight_decay": 0.1},
    "clipnorm": {"clipnorm": 0.5},
    "clipvalue": {"clipvalue": 0.3},
    "global_clipnorm": {"global_clipnorm": 0.7},
    "ema": {"use_ema": True, "ema_momentum": 0.8},
    "ema_overwrite": {"use_ema": True, "ema_momentum": 0.8, "ema_overwrite_frequency": 4},
    "accumulation": {"gradient_accumulation_steps": 3},
    "accumulation_ema": {
        "gradient_accumulation_steps": 3,
        "use_ema": True,
        "ema_momentum": 0.8,
        "ema_overwrite_frequency": 2,
    },
    "accumulation_clip_decay": {"gradient_accumulation_steps": 2, "clipnorm": 0.5, "weight_decay": 0.1},
    "loss_scale": {"loss_scale_factor": 4.0},
}
_SCHEDULES: dict[str, tuple[str, dict[str, Any]]] = {
    "exponential": ("ExponentialDecay", {"decay_steps": 7, "decay_rate": 0.5}),
    "staircase": ("ExponentialDecay", {"decay_steps": 7, "decay_rate": 0.5, "staircase": True}),
    "inverse": ("InverseTimeDecay", {"decay_steps": 7, "decay_rate": 0.5}),
    "polynomial": ("PolynomialDecay", {"decay_steps": 9, "power": 2.0, "cycle": True}),
    "cosine": ("CosineDecay", {"decay_steps": 15, "alpha": 0.1, "warmup_target": 0.1, "warmup_steps": 5}),
    "exponential-1": ("ExponentialDecay", {"decay_steps": 4, "decay_rate": 1.5, "name": "mine"}),
    "inverse-staircase": ("InverseTimeDecay", {"decay_steps": 4, "decay_rate": 0.9, "staircase": True, "name": "mine"}),
    "polynomial-once": ("PolynomialDecay", {"decay_steps": 9, "end_learning_rate": 0.01, "name": "mine"}),
    "cosine-plain": ("CosineDecay", {"decay_steps": 15, "name": "mine"}),
    "cosine-warm": ("CosineDecay", {"decay_steps": 10, "warmup_steps": 7, "warmup_target": 0.2}),
    "restarts-longer": ("CosineDecayRestarts", {"first_decay_steps": 4, "t_mul": 1.5, "name": "mine"}),
    "restarts": ("CosineDecayRestarts", {"first_decay_steps": 5, "m_mul": 0.8, "alpha": 0.1}),
}


_BETAS = {"beta_1": 0.7, "beta_2": 0.9, "epsilon": 1e-3}
# Each optimizer's own numbers, and its name.
_TUNED: dict[str, dict[str, Any]] = {
    "SGD": {"momentum": 0.5}, "RMSprop": {"epsilon": 1e-3}, "Adadelta": {"rho": 0.8, "epsilon": 1e-3},
    "Adafactor": {"beta_2_decay": -0.6, "epsilon_1": 1e-6, "epsilon_2": 0.1},
    "Adagrad": {"initial_accumulator_value": 0.5, "epsilon": 1e-3}, "Ftrl": {"initial_accumulator_value": 0.5},
    "Lion": {"beta_1": 0.7, "beta_2": 0.8},
    "Muon": {
        "adam_beta_1": 0.7, "adam_beta_2": 0.9, "epsilon": 1e-3, "muon_a": 3.0, "muon_b": -4.0, "muon_c": 2.0, "momentum": 0.8,
        "ns_steps": 3,
    },
    **dict.fromkeys(("Adam", "AdamW", "Adamax", "Lamb", "Nadam", "ScheduleFreeAdamW"), _BETAS),
}  # fmt: skip


def _cases() -> dict[str, tuple[str, dict[str, Any]]]:
    rows = {name: (name, {"learning_rate": 0.05}) for name in _ALL}
    for kind in ("SGD", "Adam"):
        rows |= {f"{kind}-{key}": (kind, {"learning_rate": 0.05, **options}) for key, options in _COMMON.items()}
    own: list[tuple[str, str, dict[str, Any]]] = [
        ("SGD", "momentum", {"momentum": 0.9}),
        ("SGD", "nesterov", {"momentum": 0.9, "nesterov": True}),
        ("RMSprop", "momentum", {"momentum": 0.9}),
        ("RMSprop", "centered", {"momentum": 0.5, "centered": True, "rho": 0.8}),
        ("RMSprop", "centered_only", {"centered": True}),
        ("Adam", "amsgrad", {"amsgrad": True}),
        ("AdamW", "amsgrad", {"amsgrad": True, "weight_decay": 0.05}),
        ("Adafactor", "absolute", {"relative_step": False, "clip_threshold": 0.5}),
        ("Ftrl", "penalties", {
            "l1_regularization_strength": 0.01, "l2_regularization_strength": 0.02,
            "l2_shrinkage_regularization_strength": 0.03, "beta": 0.1,
        }),
        ("Ftrl", "power", {"learning_rate_power": -0.3}),
        ("Muon", "plain", {"nesterov": False, "exclude_embeddings": False, "rms_rate": None, "adam_lr_ratio": 0.5}),
        ("Muon", "excluded", {"exclude_layers": ["dense"], "weight_decay": 0.1, "adam_weight_decay": 0.2}),
        ("ScheduleFreeAdamW", "warmup", {"warmup_steps": 5, "weight_decay": 0.1}),
        ("Nadam", "accumulation", {"gradient_accumulation_steps": 2}),
        ("Adafactor", "decay", {"weight_decay": 0.1}),
        ("Lion", "decay", {"weight_decay": 0.1}),
        ("Lamb", "decay", {"weight_decay": 0.1}),
    ]  # fmt: skip
    rows |= {f"{kind}-{key}": (kind, {"learning_rate": 0.05, **options}) for kind, key, options in own}
    for kind, options in _TUNED.items():
        rows[f"{kind}-tuned"] = (kind, {"learning_rate": 0.03, "clipvalue": 0.4, "name": "mine", **options})
    for kind in _ALL:  # the common options, several at once
        common = {"learning_rate": 0.02, "weight_decay": 0.1}
        rows |= {
            f"{kind}-together": (kind, {**common, "clipnorm": 0.6, "gradient_accumulation_steps": 2, "excluded": ["gain", "bias"],
                                        "use_ema": True, "ema_momentum": 0.8, "ema_overwrite_frequency": 3}),
            f"{kind}-scheduled": (kind, {"weight_decay": 0.1, "global_clipnorm": 0.8, "use_ema": True, "loss_scale_factor": 2.0,
                                         "schedule": _SCHEDULES["cosine"]}),
        }  # fmt: skip
    # Not Nadam: the state of Keras's loss scaling lacks its running product.
    for kind, options in (
        ("Adam", {}),
        ("SGD", {"momentum": 0.9, "use_ema": True}),
        ("Lion", {"gradient_accumulation_steps": 2}),
    ):
        inner = {"learning_rate": 0.05, **options}
        rows[f"{kind}-scaled"] = (kind, {**inner, "scaled": {"initial_scale": 4.0, "dynamic_growth_steps": 3}})
        rows[f"{kind}-scaled-default"] = (kind, {**inner, "scaled": {"name": "mine"}})
    # Of two loss scales the outer one counts.
    several = {
        "clipnorm": 0.5,
        "gradient_accumulation_steps": 3,
        "use_ema": True,
        "ema_momentum": 0.8,
        "ema_overwrite_frequency": 2,
    }
    scaled = {"initial_scale": 2.0, "dynamic_growth_steps": 1}
    rows["Adam-scaled-together"] = (
        "Adam",
        {"learning_rate": 0.05, "weight_decay": 0.1, "loss_scale_factor": 4.0, "scaled": scaled, **several},
    )
    rows["Adafactor-scaled"] = ("Adafactor", {"learning_rate": 0.05, "global_clipnorm": 0.6, "scaled": scaled})
    rows |= {f"SGD-{key}": ("SGD", {"schedule": schedule}) for key, schedule in _SCHEDULES.items()}
    rows["SGD-piecewise"] = (
        "SGD",
        {"schedule": ("PiecewiseConstantDecay", {"boundaries": [5, 9], "values": [0.1, 0.02, 0.5], "name": "mine"})},
    )
    rows["Adam-schedule-accumulation"] = (
        "Adam",
        {"schedule": _SCHEDULES["exponential"], "gradient_accumulation_steps": 3},
    )
    return rows


CASES = _cases()


def start() -> list[np.ndarray]:
    """The initial weights."""
    rng = np.random.default_rng(1)
    return [rng.normal(1.0, 0.3, shape).astype("float32") for shape in SHAPES.values()]


def gradients() -> list[list[np.ndarray]]:
    """The gradients of each step; some are zero."""
    rng = np.random.default_rng(2)
    rows = [[np.asarray(rng.normal(0.1, 0.5, shape), "float32") for shape in SHAPES.values()] for _ in range(STEPS)]
    rows[3] = [np.zeros_like(g) for g in rows[3]]
    return rows


def overflowing(case: str) -> list[list[np.ndarray]]:
    """The gradients of a case; where the loss is scaled, some steps have infinities and NaN among them."""
    rows = gradients()
    if "scaled" in CASES[case][1]:
        for step, wrong in ((5, np.inf), (6, np.nan), (17, -np.inf)):
            rows[step][1] = np.full_like(rows[step][1], wrong)
    return rows


def make(optimizers: Any, case: str, excluding: bool = True) -> Any:
    """The optimizer of a case, from either package's namespace; what it excludes from decay isn't part of a config."""
    kind, arguments = CASES[case]
    arguments = dict(arguments)
    if "schedule" in arguments:
        name, options = arguments.pop("schedule")
        if name != "PiecewiseConstantDecay":
            options = {"initial_learning_rate": 0.05, **options}
        arguments["learning_rate"] = getattr(optimizers.schedules, name)(**options)
    scaled, excluded = arguments.pop("scaled", None), arguments.pop("excluded", None)
    optimizer = getattr(optimizers, kind)(**arguments)
    if excluded and excluding:
        optimizer.exclude_from_weight_decay(var_names=excluded)
    return optimizer if scaled is None else optimizers.LossScaleOptimizer(optimizer, **scaled)


def _keras(path: str) -> None:
    import jax
    import keras

    out: dict[str, np.ndarray] = {}
    for case in CASES:
        variables = []
        for name, value in zip(SHAPES, start(), strict=True):
            layer, leaf = name.split("/")
            with keras.name_scope("m"), keras.name_scope(layer):
                variables.append(keras.Variable(value, name=leaf))
        optimizer = make(keras.optimizers, case)
        optimizer.build(variables)
        step = jax.jit(optimizer.stateless_apply)
        trained, own = [v.value for v in variables], [v.value for v in optimizer.variables]
        for grads in overflowing(case):
            trained, own = step(own, grads, trained)
        for i, value in enumerate(trained):
            out[f"{case}/weight/{i}"] = np.asarray(value)
        for i, value in enumerate(own):
            out[f"{case}/own/{i}"] = np.asarray(value)
        out[f"{case}/names"] = np.array([v.path.split("/", 1)[-1] for v in optimizer.variables])
        config = {k: v for k, v in optimizer.get_config().items() if k != "name"}
        out[f"{case}/config"] = np.array(repr(sorted(config)))
    np.savez(path, **out)


if __name__ == "__main__":
    _keras(sys.argv[1])
