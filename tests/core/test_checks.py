"""Options are checked at the door, and what the constructors of losses, metrics, optimizers and the rest raise names the class."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

from tricera import constraints, initializers, losses, metrics, optimizers, regularizers
from tricera.backend import use
from tricera.core import checks
from tricera.optimizers import schedules

NAN = float("nan")
POSITIVE, SHARE, COUNT, AXIS = (-1, 0, "a", NAN), (-0.1, 1.1, "a", NAN), (0, -1, "a", 1.5, True), ("a", 1.5)
AT_LEAST_0, FLAG, DECAY = (-1, "a", NAN), ("a", None, 2), (-0.1, 1.0, 1.1, "a", NAN)

# room -> (its base class, option -> wrong values, wherever a class has it)
ROOMS = {
    losses: (losses.Loss, {
        "reduction": ("nope", 5, ""), "dtype": ("nope", [], 0), "nope": (1,), "name": (5, []), "q": (0, 1, "a", None), "remove_diagonal": FLAG,
        "apply_class_balancing": FLAG, "label_smoothing": SHARE, "from_logits": ("a", None), "axis": AXIS,
        "delta": POSITIVE, "gamma": AT_LEAST_0, "margin": ("a", NAN), "ignore_class": ("a", 1.5), "alpha": AT_LEAST_0, "beta": AT_LEAST_0,
    }),
    metrics: (metrics.Metric, {
        "dtype": ("nope", [], 0), "name": (5, []), "label_smoothing": SHARE, "from_logits": FLAG, "sparse_y_true": FLAG, "sparse_y_pred": FLAG,
        "from_sorted_ids": FLAG, "num_regressors": (-1, "a", 1.5, None), "label_weights": (5, "a", [-1]), "axis": AXIS, "ignore_class": ("a", 1.5), "num_classes": COUNT,
        "k": COUNT, "top_k": (0, -1, "a", 1.5), "class_id": (-1, "a", 1.5), "num_thresholds": COUNT, "threshold": ("a", NAN),
        "thresholds": ("a", ["a"]), "curve": ("x", 5), "summation_method": ("x", 5), "num_labels": (-1, "a"), "average": ("x", 5),
        "beta": (-1.0, "a", NAN), **dict.fromkeys(("recall", "precision", "specificity", "sensitivity"), (*SHARE, None)),
        "target_class_ids": ([5], [-1], "a", 5, None), "class_aggregation": ("x",), "fn": (5,),
    }),
    optimizers: (optimizers.Optimizer, {
        "learning_rate": (-0.1, "a", NAN, None, [1, 2]), "weight_decay": AT_LEAST_0, "clipnorm": POSITIVE, "clipvalue": POSITIVE,
        "global_clipnorm": POSITIVE, "loss_scale_factor": POSITIVE, "gradient_accumulation_steps": (1, -1, "a", 1.5), "momentum": SHARE,
        "rho": SHARE, **dict.fromkeys(("beta_1", "beta_2", "adam_beta_1", "adam_beta_2"), DECAY), "epsilon": AT_LEAST_0, "epsilon_1": AT_LEAST_0, "epsilon_2": AT_LEAST_0,
        "initial_accumulator_value": AT_LEAST_0, "initial_scale": POSITIVE, "dynamic_growth_steps": COUNT, "clip_threshold": POSITIVE,
        "ns_steps": (0, "a"), "adam_lr_ratio": AT_LEAST_0, "l1_regularization_strength": AT_LEAST_0, "beta_2_decay": ("a", 0.5), "nope": (1,),
        "learning_rate_power": (0.5, "a", NAN), "beta": AT_LEAST_0, "adam_weight_decay": AT_LEAST_0, "rms_rate": AT_LEAST_0, "muon_a": ("a", NAN),
        "exclude_layers": ("dense", 3, [3], ["("]), "ema_overwrite_frequency": COUNT, "name": (5, []),
        **dict.fromkeys(("use_ema", "nesterov", "amsgrad", "centered", "relative_step", "exclude_embeddings"), FLAG),
    }),
    schedules: (schedules.LearningRateSchedule, {
        "initial_learning_rate": AT_LEAST_0, "decay_steps": POSITIVE, "first_decay_steps": POSITIVE, "decay_rate": AT_LEAST_0,
        "end_learning_rate": AT_LEAST_0, "power": AT_LEAST_0, "alpha": AT_LEAST_0, "warmup_target": AT_LEAST_0, "warmup_steps": AT_LEAST_0,
        "t_mul": POSITIVE, "m_mul": AT_LEAST_0, "staircase": FLAG, "cycle": FLAG, "boundaries": (5, None, ["a"], [], [2, 1]), "values": (5, None, ["a", 1.0, 1.0], [-1, 1.0, 1.0], [1.0]),
    }),
    initializers: (initializers.Initializer, {
        "mean": ("a", NAN), "stddev": AT_LEAST_0, "minval": ("a", 2.0), "maxval": ("a", -2.0), "gain": ("a",), "scale": POSITIVE, "seed": ("a", 1.5),
        "mode": ("x", 5), "distribution": ("x", 5), "input_axes": AXIS, "output_axes": AXIS, "periodic": FLAG, "side": ("x",), "window": ("x",), "scaling": ("x",), "value": ("a",), "nope": (1,),
    }),
    regularizers: (regularizers.Regularizer, {"l1": AT_LEAST_0, "l2": AT_LEAST_0, "factor": AT_LEAST_0, "mode": ("x",), "nope": (1,)}),
    constraints: (constraints.Constraint, {
        "max_value": AT_LEAST_0, "min_value": (*AT_LEAST_0, 3.0), "rate": SHARE, "axis": AXIS, "nope": (1,)}),
}  # fmt: skip
# Arguments that a class can't be without.
NEEDED = {
    "IoU": {"num_classes": 2, "target_class_ids": [0]}, "OneHotIoU": {"num_classes": 2, "target_class_ids": [0]}, "MeanIoU": {"num_classes": 2},
    "OneHotMeanIoU": {"num_classes": 2}, "PrecisionAtRecall": {"recall": 0.5}, "RecallAtPrecision": {"precision": 0.5},
    "SensitivityAtSpecificity": {"specificity": 0.5}, "SpecificityAtSensitivity": {"sensitivity": 0.5}, "MeanMetricWrapper": {"fn": len},
    "MeanRelativeError": {"normalizer": [1.0]}, "LossFunctionWrapper": {"fn": len}, "AUC": {"multi_label": True},
    "ExponentialDecay": {"initial_learning_rate": 0.1, "decay_steps": 10, "decay_rate": 0.5}, "PolynomialDecay": {"initial_learning_rate": 0.1, "decay_steps": 10},
    "InverseTimeDecay": {"initial_learning_rate": 0.1, "decay_steps": 10, "decay_rate": 0.5}, "CosineDecay": {"initial_learning_rate": 0.1, "decay_steps": 10},
    "CosineDecayRestarts": {"initial_learning_rate": 0.1, "first_decay_steps": 10}, "PiecewiseConstantDecay": {"boundaries": [1, 2], "values": [1.0, 0.5, 0.1]},
    "LossScaleOptimizer": {"inner_optimizer": optimizers.SGD()}, "MultiOptimizer": {"optimizer_map": lambda variable: optimizers.SGD()},
}  # fmt: skip
# What means something else, or nothing, in one class.
OTHERWISE = {
    ("CategoricalFocalCrossentropy", "alpha"), ("LossScaleOptimizer", "learning_rate"), ("Optimizer", "learning_rate"),
    ("MeanMetricWrapper", "nope"), ("LossFunctionWrapper", "nope"), ("LearningRateSchedule", "nope"), ("BinaryIoU", "num_classes"),
}  # fmt: skip


def classes():
    for room, (base, _) in ROOMS.items():
        names = {getattr(room, n).__name__: getattr(room, n) for n in dir(room) if inspect.isclass(getattr(room, n))}
        yield from (
            (room, name)
            for name, cls in sorted(names.items())
            if issubclass(cls, base) and cls is not base and name[0] != "_"
        )


def by_name(room, name):
    return next(c for n in dir(room) if inspect.isclass(c := getattr(room, n)) and c.__name__ == name)


@pytest.mark.parametrize(
    ("room", "name"), list(classes()), ids=lambda x: x if isinstance(x, str) else x.__name__.rpartition(".")[2]
)
def test_wrong_options_are_refused_by_name(room, name):
    cls, faults = by_name(room, name), []
    takes = set(inspect.signature(cls.__init__).parameters)
    shared = (
        set(inspect.signature(optimizers.Optimizer.__init__).parameters)
        if room is optimizers and "kwargs" in takes
        else set()
    )
    needed = NEEDED.get(name, {})
    for option, values in ROOMS[room][1].items():
        if (
            (option not in takes | shared | {"nope"})
            or (name, option) in OTHERWISE
            or (option == "nope" and "kwargs" in takes and room is metrics)
        ):
            continue
        for value in values:
            fault = _refused(lambda option=option, value=value: cls(**{**needed, option: value}), name)
            if fault:
                faults.append(f"{name}({option}={value!r}) {fault}")
    assert not faults, "\n".join(faults)
    with use("numpy"):
        cls(**needed)


def _refused(act, name):
    with use("numpy"):
        try:
            act()
        except (ValueError, TypeError) as error:
            said = " ".join([str(error), *getattr(error, "__notes__", ())])
            return None if name in said else f"doesn't name the class: {said}"
        except Exception as error:
            return f"raises a {type(error).__name__}: {error}"
    return "is accepted"


def test_values_at_the_edge_are_fine():
    (
        losses.BinaryCrossentropy(label_smoothing=1),
        losses.Huber(delta=np.float32(0.5)),
        losses.BinaryCrossentropy(from_logits=1),
    )
    optimizers.SGD(0.0, momentum=0), optimizers.SGD(np.float32(0.1), momentum=1.0), optimizers.Adam(lambda: 0.1)
    optimizers.SGD(np.array(0.1)), optimizers.AdamW(weight_decay=0), optimizers.Adam(schedules.CosineDecay(0.1, 10.0))
    regularizers.L1(0), regularizers.L1L2(l1=1), constraints.MaxNorm(axis=[0, 1]), constraints.MinMaxNorm(1, 1)
    (
        initializers.RandomNormal(stddev=0),
        initializers.Constant([1.0, 2.0]),
        initializers.Constant(np.ones(3)),
        initializers.Constant(True),
    )
    metrics.AUC(thresholds=[0.0, 0.5, 1.0]), metrics.Precision(thresholds=0.5), metrics.BinaryAccuracy(threshold=0.0)


def test_an_array_of_a_constant_survives_its_config():
    constant = initializers.Constant(np.array([1.0, 2.0]))
    again = initializers.deserialize(initializers.serialize(constant))
    assert np.array_equal(again((3, 2), dtype="float32"), np.tile([1.0, 2.0], (3, 1)))


def test_a_users_class_gives_its_arguments_its_own_meaning():
    class Mine(losses.MeanSquaredError):
        def __init__(self, label_smoothing="strong", axis="time"):
            super().__init__()
            if label_smoothing == "wrong":
                raise ValueError("can't be")

    Mine()
    with pytest.raises(ValueError, match="^Mine: can't be$"):
        Mine("wrong")


def test_the_innermost_class_is_named_once():
    with pytest.raises(ValueError) as caught:
        regularizers.L1L2(l1=-1)
    assert str(caught.value) == "L1L2: `l1` must be a number of at least 0 or None, not -1."

    class Outer(losses.Loss):
        def __init__(self):
            super().__init__()
            self.inner = losses.Huber(delta=-1)

    with pytest.raises(ValueError, match="^Huber: "):
        Outer()


def test_an_error_of_another_kind_gets_a_note():
    class Broken(losses.Loss):
        def __init__(self):
            raise KeyError("x")

    with pytest.raises(KeyError) as caught:
        Broken()
    assert caught.value.args == ("x",) and caught.value.__notes__ == ["In a constructor of Broken."]


@pytest.mark.parametrize(("check", "good", "bad"), [
    (checks.number(0, 1), (0, 1, 0.5, np.float32(0.5), np.zeros(3)), (-1, 2, "a", None, NAN, True, np.True_, 1j)),
    (checks.number(above=0, optional=True), (None, 1e-9, 5), (0, -1, float("inf"))),
    (checks.integer(2), (2, np.int64(3)), (1, 2.0, True, None)), (checks.axes, (0, [0, 1], (-1,), None), ("a", 1.5, [True])),
    (checks.several(checks.integer(0)), (0, [0, 1], range(3), None), (-1, [0, -1], "ab")),
    (checks.several(checks.number(), alone=False), ([], [1.0]), (1.0, "a")), (checks.flag, (True, False, 0, 1, np.True_), ("a", None, 2)),
    (checks.function, (len,), (5, None)), (checks.number(0, below=1), (0, 0.5), (1, -1)), (checks.number(most=0), (0, -1), (1,)),
    (checks.text, ("a", None), (1, [])), (checks.several(checks.number(), optional=False), (1, [1]), (None, {})),
    (checks.words, (None, [], ["bias", "a.*"]), ("bias", 5, [5], ["("])),
])  # fmt: skip
def test_checks(check, good, bad):
    for value in good:
        check("x", value)
    for value in bad:
        with pytest.raises(ValueError, match="`x` must "):
            check("x", value)
