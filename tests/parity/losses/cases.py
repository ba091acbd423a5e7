"""Losses beside Keras: every class and function, with weights, masks, reductions, options and odd shapes.

Left out, since ours do more than Keras (tests/losses holds them to formulas): weights a sample for losses of several values a
sample, the mean of an empty batch (a scalar, not an empty tensor), sparse crossentropy along another axis than the last,
column targets of the generalized crossentropy, configs that keep `dtype`, `delta` and `axis`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

rng = np.random.default_rng(7)
REDUCTIONS = ("sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none", None)


def _f(*shape: int) -> np.ndarray:
    return rng.normal(size=shape).astype("float32")


def _p(*shape: int) -> np.ndarray:
    return rng.uniform(0.02, 0.98, size=shape).astype("float32")


def _soft(*shape: int) -> np.ndarray:
    x = np.exp(_f(*shape))
    return (x / x.sum(-1, keepdims=True)).astype("float32")


def _hot(n: int, *shape: int) -> np.ndarray:
    return np.eye(n, dtype="float32")[rng.integers(0, n, size=shape)]


def _bits(*shape: int) -> np.ndarray:
    return rng.integers(0, 2, size=shape).astype("float32")


def _unit(*shape: int) -> np.ndarray:
    x = _f(*shape)
    return (x / np.linalg.norm(x, axis=-1, keepdims=True)).astype("float32")


# Name of the class -> (targets, outputs, options).
Row = tuple[Any, Any, dict[str, Any]]
ROWS: dict[str, list[Row]] = {
    name: [(_f(4, 3), _f(4, 3), {}), (_f(2, 3, 4), _f(2, 3, 4), {}), (_f(4), _f(4, 1), {}), (_f(4, 1), _f(4), {})]
    for name in ("MeanSquaredError", "MeanAbsoluteError", "MeanAbsolutePercentageError", "LogCosh", "CosineSimilarity")
}
ROWS["MeanAbsolutePercentageError"].append((np.zeros((2, 3), "float32"), _f(2, 3), {}))
ROWS["MeanSquaredError"] += [
    ([[0.0, 1.0], [0.0, 0.0]], [[1.0, 1.0], [1.0, 0.0]], {}),
    (_bits(3, 2).astype("int32"), _f(3, 2), {}),
]
ROWS["LogCosh"].append((np.array([[300.0, -400.0]], "float32"), np.array([[-50.0, 90.0]], "float32"), {}))
ROWS["CosineSimilarity"] += [(_f(2, 3, 4), _f(2, 3, 4), {"axis": 1}), (np.zeros((2, 3), "float32"), _f(2, 3), {})]
ROWS["MeanSquaredLogarithmicError"] = [(_p(4, 3), _p(4, 3), {}), (_f(4, 3), _f(4, 3), {})]
ROWS["Huber"] = [
    (_f(4, 3), 3 * _f(4, 3), {}),
    (_f(4, 3), 3 * _f(4, 3), {"delta": 0.3}),
    (_f(4, 3), _f(4, 3), {"delta": 2}),
]
for _name in ("Hinge", "SquaredHinge"):
    ROWS[_name] = [(_bits(4, 3), _f(4, 3), {}), (2 * _bits(4, 3) - 1, _f(4, 3), {}), (_f(4, 3), _f(4, 3), {})]
ROWS["CategoricalHinge"] = [(_hot(3, 4), _f(4, 3), {}), (_hot(3, 2, 5), _p(2, 5, 3), {})]
ROWS["KLDivergence"] = [
    (_soft(4, 3), _soft(4, 3), {}),
    (_hot(3, 4), _soft(4, 3), {}),
    (_soft(2, 2, 3), _soft(2, 2, 3), {}),
]
ROWS["Poisson"] = [(_p(4, 3), _p(4, 3), {}), (np.round(5 * _p(4, 3)), 5 * _p(4, 3), {})]
ROWS["BinaryCrossentropy"] = [
    (_bits(4, 3), _p(4, 3), {}),
    (_bits(4, 3), 4 * _f(4, 3), {"from_logits": True}),
    (_bits(4, 3), _p(4, 3), {"label_smoothing": 0.2}),
    (_bits(4, 3), _f(4, 3), {"label_smoothing": 0.1, "from_logits": True}),
    (_bits(2, 3, 4), _p(2, 3, 4), {"axis": 1}),
    (_bits(4, 1), _p(4, 1), {}),
    (np.array([[0.0, 1.0, 0.0, 1.0]], "float32"), np.array([[0.0, 1.0, 1.0, 0.0]], "float32"), {}),
    (np.array([[0.0, 1.0]], "float32"), np.array([[90.0, -90.0]], "float32"), {"from_logits": True}),
]
ROWS["BinaryFocalCrossentropy"] = [
    (_bits(4, 3), _p(4, 3), {}),
    (_bits(4, 3), _f(4, 3), {"from_logits": True}),
    (_bits(4, 3), _p(4, 3), {"apply_class_balancing": True, "alpha": 0.7, "gamma": 1.5}),
    (_bits(4, 3), _p(4, 3), {"label_smoothing": 0.2}),
    (_bits(2, 3, 4), _p(2, 3, 4), {"axis": 1, "gamma": 0.0}),
]
ROWS["CategoricalCrossentropy"] = [
    (_hot(3, 4), _soft(4, 3), {}),
    (_hot(3, 4), 4 * _f(4, 3), {"from_logits": True}),
    (_hot(3, 4), _soft(4, 3), {"label_smoothing": 0.2}),
    (_hot(3, 4), _p(4, 3), {}),  # not normalised
    (_soft(4, 3), _soft(4, 3), {}),
    (_hot(3, 2, 5), _soft(2, 5, 3), {}),
    (np.moveaxis(_hot(3, 2, 5), -1, 1), np.moveaxis(_soft(2, 5, 3), -1, 1), {"axis": 1}),
    (np.moveaxis(_hot(3, 2, 5), -1, 1), _f(2, 3, 5), {"axis": 1, "from_logits": True}),
    (np.moveaxis(_hot(3, 2, 5), -1, 1), _f(2, 3, 5), {"axis": 1, "from_logits": True, "label_smoothing": 0.3}),
    (np.array([[0.0, 1.0]], "float32"), np.array([[1.0, 0.0]], "float32"), {}),
]
ROWS["CategoricalFocalCrossentropy"] = [
    (_hot(3, 4), _soft(4, 3), {}),
    (_hot(3, 4), _f(4, 3), {"from_logits": True}),
    (_hot(3, 4), _soft(4, 3), {"alpha": 0.6, "gamma": 1.0, "label_smoothing": 0.1}),
    (_hot(3, 4), _soft(4, 3), {"alpha": [0.1, 0.2, 0.7]}),
    (np.moveaxis(_hot(3, 2, 5), -1, 1), np.moveaxis(_soft(2, 5, 3), -1, 1), {"axis": 1}),
]
_ids = rng.integers(0, 3, size=(2, 5))
ROWS["SparseCategoricalCrossentropy"] = [
    (_ids[0][:4], _soft(4, 3), {}),
    (_ids[0][:4, None], _soft(4, 3), {}),
    (_ids[0][:4].astype("float32"), 4 * _f(4, 3), {"from_logits": True}),
    (_ids, _soft(2, 5, 3), {"ignore_class": 1}),
    (_ids[0][:4], _soft(4, 3), {"axis": 1}),
    (_ids, _f(2, 5, 3), {"ignore_class": 0, "from_logits": True}),
    (np.where(_ids == 2, -1, _ids), _f(2, 5, 3), {"ignore_class": -1, "from_logits": True}),
    (np.full((2, 5), 1), _soft(2, 5, 3), {"ignore_class": 1}),
]
ROWS["CategoricalGeneralizedCrossEntropy"] = [
    (_ids[0][:4], _soft(4, 3), {}),
    (_ids[0][:4], _soft(4, 3), {"q": 0.8}),
]
ROWS["Dice"] = [
    (_bits(2, 4, 3), _p(2, 4, 3), {}),
    (_bits(2, 4, 3), _p(2, 4, 3), {"axis": (1, 2)}),
    (_bits(3, 4), _p(3, 4), {"axis": 1}),
    (np.array([[1.0, 0.0, 1.0], [0.0, 0.0, 1.0]], "float32"), np.array([[0.3], [0.9]], "float32"), {}),
]
ROWS["Tversky"] = [
    (_bits(2, 4, 3), _p(2, 4, 3), {}),
    (_bits(2, 4, 3), _p(2, 4, 3), {"alpha": 0.2, "beta": 0.9}),
    (_bits(2, 4, 3), _p(2, 4, 3), {"axis": (1, 2), "alpha": 0.3}),
    (np.zeros((2, 2), "float32"), np.zeros((2, 2), "float32"), {}),
]
ROWS["Circle"] = [
    (rng.integers(0, 3, size=(6,)), _unit(6, 4), {}),
    (rng.integers(0, 3, size=(6, 1)), _unit(6, 4), {"gamma": 10.0, "margin": 0.2}),
    (rng.integers(0, 2, size=(6,)), _unit(6, 4), {"gamma": 5.0, "remove_diagonal": False}),
]
ROWS["CTC"] = [
    (np.array([[1, 2, 1, 0], [2, 2, 0, 0], [1, 0, 0, 0]]), _f(3, 9, 3), {}),
    (np.array([[1.0, 2.0], [2.0, 1.0]], "float32"), _f(2, 5, 3), {}),
]

FUNCTIONS = {
    "CategoricalGeneralizedCrossEntropy": "categorical_generalized_cross_entropy", "CTC": "ctc", "Dice": "dice",
    "KLDivergence": "kl_divergence", "LogCosh": "log_cosh", "Circle": "circle", "Tversky": "tversky",
    "MeanSquaredError": "mean_squared_error", "MeanAbsoluteError": "mean_absolute_error", "Huber": "huber",
    "MeanAbsolutePercentageError": "mean_absolute_percentage_error", "Poisson": "poisson", "Hinge": "hinge",
    "MeanSquaredLogarithmicError": "mean_squared_logarithmic_error", "CosineSimilarity": "cosine_similarity",
    "SquaredHinge": "squared_hinge", "CategoricalHinge": "categorical_hinge",
    "BinaryCrossentropy": "binary_crossentropy", "BinaryFocalCrossentropy": "binary_focal_crossentropy",
    "CategoricalCrossentropy": "categorical_crossentropy",
    "CategoricalFocalCrossentropy": "categorical_focal_crossentropy",
    "SparseCategoricalCrossentropy": "sparse_categorical_crossentropy",
}  # fmt: skip


def _class_case(name: str, row: Row, weight: Any, **more: Any) -> Callable[[Any], dict[str, Any]]:
    true, pred, options = row

    def case(k: Any) -> dict[str, Any]:
        return {"value": getattr(k.losses, name)(**options, **more)(true, pred, sample_weight=weight)}

    return case


def _array(x: Any) -> np.ndarray:
    return np.asarray(x, "float32") if isinstance(x, list) else x


def _function_case(name: str, row: Row) -> Callable[[Any], dict[str, Any]]:
    true, pred, options = row
    options = {"q": 0.5, **options} if name == "CategoricalGeneralizedCrossEntropy" else options

    def case(k: Any) -> dict[str, Any]:
        # Lists go to Keras's functions as arrays: some of them look at shapes before they convert.
        return {"value": getattr(k.losses, FUNCTIONS[name])(_array(true), _array(pred), **options)}

    return case


def _config_case(name: str, options: dict[str, Any]) -> Callable[[Any], dict[str, Any]]:
    def case(k: Any) -> dict[str, Any]:
        loss = getattr(k.losses, name)(**options)
        again = k.losses.deserialize(k.losses.serialize(loss))
        return {
            "config": loss.get_config(), "name": loss.name, "dtype": loss.dtype, "reduction": loss.reduction,
            "again": again.get_config(), "again_type": type(again).__name__,
            "serialized": {key: value for key, value in k.losses.serialize(loss).items() if key != "module"},
        }  # fmt: skip

    return case


def _masked(values: np.ndarray, hidden: Any, reduction: str | None, weight: Any) -> Callable[[Any], dict[str, Any]]:
    """A mask that comes with the outputs: steps that hold the mask's value alone do not count."""
    true = _f(*values.shape)
    values = values.copy()
    values[hidden] = -9.0

    def case(k: Any) -> dict[str, Any]:
        outputs = k.layers.Masking(mask_value=-9.0)(k.ops.convert_to_tensor(values))
        return {"value": k.losses.MeanSquaredError(reduction=reduction)(true, outputs, sample_weight=weight)}

    return case


def _alias(name: str) -> Callable[[Any], dict[str, Any]]:
    def case(k: Any) -> dict[str, Any]:
        found = k.losses.get(name)
        return {"name": getattr(found, "name", None) or found.__name__, "is_class": hasattr(found, "get_config")}

    return case


def _cases() -> dict[str, Callable[[Any], dict[str, Any]]]:
    cases: dict[str, Callable[[Any], dict[str, Any]]] = {}
    for name, rows in ROWS.items():
        for i, row in enumerate(rows):
            cases[f"{name}-{i}"] = _class_case(name, row, None)
            if name != "Circle" or i < 2:
                cases[f"{FUNCTIONS[name]}-{i}"] = _function_case(name, row)
            if name != "CategoricalGeneralizedCrossEntropy" and (
                name not in ("Huber", "CosineSimilarity") or not row[2]
            ):
                cases[f"{name}-{i}-config"] = _config_case(name, row[2])
        true, pred, _ = rows[0]
        batch = len(pred)
        for reduction in REDUCTIONS:
            cases[f"{name}-{reduction}"] = _class_case(name, rows[0], None, reduction=reduction)
            if name not in ("Dice", "Tversky"):
                weight = np.linspace(0, 2, batch).astype("float32")
                cases[f"{name}-{reduction}-weighted"] = _class_case(name, rows[0], weight, reduction=reduction)
        cases[f"{name}-zero"] = _class_case(name, rows[0], 0.0, reduction="mean_with_sample_weight")
        cases[f"{name}-scalar"] = _class_case(name, rows[0], 0.7)
        cases[f"{name}-float16"] = _class_case(name, rows[0], None, dtype="float16", reduction="none")
        if name != "CategoricalGeneralizedCrossEntropy":  # Keras cannot read its config
            cases[f"{name}-named"] = _config_case(name, {"name": "mine", "reduction": "sum"})
        if name not in ("Circle", "CTC", "CategoricalGeneralizedCrossEntropy"):
            row = (np.asarray(true)[:0], np.asarray(pred)[:0], {})
            cases[f"{name}-empty"] = _class_case(name, row, None, reduction="none")
    long = (_f(2, 3, 4), _f(2, 3, 4), {})
    for reduction in REDUCTIONS:
        for label, weight in (
            ("column", _p(2, 1)), ("steps", _p(2, 3)), ("wide", _p(2, 3, 1)), ("list", [[0.5], [2.0]]), ("last", _p(3)), ("row", _p(1, 3)),
            ("one", _p(1)),
        ):  # fmt: skip
            cases[f"weights-{label}-{reduction}"] = _class_case("MeanSquaredError", long, weight, reduction=reduction)
        hidden = np.array([[True, False, False], [False, True, True]])
        for label, weight in (("none", None), ("column", _p(2, 1)), ("steps", _p(2, 3))):
            cases[f"masked-{label}-{reduction}"] = _masked(_f(2, 3, 4), hidden, reduction, weight)
            cases[f"all-masked-{label}-{reduction}"] = _masked(_f(2, 3, 4), np.full((2, 3), True), reduction, weight)
    cases["circle-references"] = lambda k: {
        "value": k.losses.circle(
            np.array([0, 1, 1]), _unit_a, ref_labels=np.array([0, 1, 0, 2]), ref_embeddings=_unit_b, remove_diagonal=False,
            gamma=3.0,
        )
    }  # fmt: skip
    for name in (
        "bce", "BCE", "binary_crossentropy", "mse", "MSE", "mae", "MAE", "mape", "MAPE", "msle", "MSLE", "kld", "KLD",
        "log_cosh", "BinaryCrossentropy", "Huber", "huber", "CTC", "ctc",
        "dice", "Tversky", "circle", "cosine_similarity", "CosineSimilarity", "nonsense", "hinge", "SquaredHinge",
        "sparse_categorical_crossentropy", "mean_squared_error",
    ):  # fmt: skip
        cases[f"get-{name}"] = _alias(name)
    for name, options in (
        ("MeanSquaredError", {"reduction": "average"}), ("CategoricalCrossentropy", {"axis": "last"}),
        ("CategoricalGeneralizedCrossEntropy", {"q": 0.0}), ("CategoricalGeneralizedCrossEntropy", {"q": 1.0}),
        ("CategoricalGeneralizedCrossEntropy", {"q": 1.5}), ("Huber", {"delta": -1.0}),
    ):  # fmt: skip
        cases[f"wrong-{name}-{options}"] = _class_case(name, ROWS[name][0], None, **options)
    return cases


_unit_a, _unit_b = _unit(3, 4), _unit(4, 4)
CASES = _cases()
# What Keras takes, and we refuse at the door, with the reason.
REFUSED_HERE = {"wrong-Huber-{'delta': -1.0}": "a negative distance makes the loss negative, without a bound below"}
