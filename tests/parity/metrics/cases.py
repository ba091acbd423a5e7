"""Metrics beside Keras: several updates, weights, options, results after each update, names, configs, variables."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

rng = np.random.default_rng(11)


def _f(*shape: int) -> np.ndarray:
    return rng.normal(size=shape).astype("float32")


def _p(*shape: int) -> np.ndarray:
    return rng.uniform(0.02, 0.98, size=shape).astype("float32")


def _soft(*shape: int) -> np.ndarray:
    x = np.exp(_f(*shape))
    return (x / x.sum(-1, keepdims=True)).astype("float32")


def _ids(n: int, *shape: int) -> np.ndarray:
    return rng.integers(0, n, size=shape).astype("int32")


def _hot(n: int, *shape: int) -> np.ndarray:
    return np.eye(n, dtype="float32")[_ids(n, *shape)]


def _bits(*shape: int) -> np.ndarray:
    return rng.integers(0, 2, size=shape).astype("float32")


Batches = list[tuple[Any, ...]]


def _pairs(true: Callable[..., Any], pred: Callable[..., Any], *shapes: tuple[int, ...]) -> Batches:
    return [(true(*shape), pred(*shape)) for shape in shapes]


_REAL = _pairs(_f, _f, (4, 3), (2, 3), (5, 3))
_BINARY = _pairs(_bits, _p, (6, 1), (5, 1), (8, 1))
_LABELS = _pairs(_bits, _p, (6, 3), (5, 3))
_ONE_HOT = [(_hot(4, 6), _soft(6, 4)), (_hot(4, 3), _soft(3, 4))]
_SPARSE = [(_ids(4, 6), _soft(6, 4)), (_ids(4, 3)[:, None], _soft(3, 4))]
_GRID = [(np.array([0, 0, 1, 1, 1, 0]), np.array([0.0, 0.25, 0.5, 0.75, 1.0, 0.5], "float32"))]
_MAPS = [(_ids(3, 2, 4, 4), _ids(3, 2, 4, 4)), (_ids(3, 1, 4, 4), _ids(3, 1, 4, 4))]
_VOID = [(np.where(_bits(8) > 0, 255, _ids(3, 8)), _ids(3, 8))]
_TWO = [(np.array([0, 1, 1]), np.array([0, 1, 1])), (np.array([0, 0]), np.array([1, 0]))]
_TIES = [(_hot(3, 4), np.array([[0, 0, 0], [0.5, 0.5, 0], [0.2, 0.7, 0.1], [1e-13, 0, 0]], "float32"))]

Row = tuple[Batches, dict[str, Any]]
ROWS: dict[str, list[Row]] = {
    name: [(_REAL, {}), ([(_f(4), _f(4, 1)), (_f(2, 3, 4), _f(2, 3, 4))], {})]
    for name in (
        "MeanSquaredError", "MeanAbsoluteError", "MeanAbsolutePercentageError", "LogCoshError", "CosineSimilarity",
        "RootMeanSquaredError",
    )
}  # fmt: skip
ROWS["CosineSimilarity"].append((_pairs(_f, _f, (4, 3), (2, 3)), {"axis": 0}))
ROWS["MeanSquaredLogarithmicError"] = [(_pairs(_p, _p, (4, 3), (2, 3)), {})]
ROWS["Poisson"] = [(_pairs(_p, _p, (4, 3), (2, 3)), {})]
ROWS["KLDivergence"] = [(_pairs(_soft, _soft, (4, 3), (2, 3)), {})]
ROWS["Hinge"] = ROWS["SquaredHinge"] = [(_pairs(_bits, _f, (4, 3), (2, 3)), {})]
ROWS["CategoricalHinge"] = [(_ONE_HOT, {})]
ROWS["BinaryCrossentropy"] = [
    (_BINARY, {}), (_pairs(_bits, _f, (4, 3), (2, 3)), {"from_logits": True}), (_LABELS, {"label_smoothing": 0.2}),
]  # fmt: skip
ROWS["CategoricalCrossentropy"] = [
    (_ONE_HOT, {}), ([(_hot(4, 5), _f(5, 4))], {"from_logits": True, "label_smoothing": 0.1}),
    ([(np.moveaxis(_hot(3, 2, 5), -1, 1), np.moveaxis(_soft(2, 5, 3), -1, 1))], {"axis": 1}),
]  # fmt: skip
ROWS["SparseCategoricalCrossentropy"] = [
    (_SPARSE, {}), ([(_ids(4, 5), _f(5, 4))], {"from_logits": True}), ([(_ids(4, 5), _soft(5, 4))] * 2, {"ignore_class": 2}),
    ([(_ids(4, 5), _soft(5, 4))], {"axis": 1}),
]  # fmt: skip
ROWS["Accuracy"] = [
    ([(_ids(3, 6), _ids(3, 6)), (_ids(3, 4, 1), _ids(3, 4, 1))], {}),
    ([(_ids(2, 2, 3), _ids(2, 2, 3))], {}),
]
ROWS["BinaryAccuracy"] = [(_BINARY, {}), (_LABELS, {"threshold": 0.3}), (_GRID, {})]
ROWS["CategoricalAccuracy"] = [(_ONE_HOT, {}), ([(_hot(3, 2, 5), _soft(2, 5, 3))], {})]
ROWS["SparseCategoricalAccuracy"] = [(_SPARSE, {}), ([(_ids(3, 2, 5), _soft(2, 5, 3))], {})]
ROWS["TopKCategoricalAccuracy"] = [(_ONE_HOT, {"k": 2}), (_ONE_HOT, {}), ([(_hot(3, 2, 5), _soft(2, 5, 3))], {"k": 1})]
ROWS["SparseTopKCategoricalAccuracy"] = [
    ([_SPARSE[0]], {"k": 2}), ([(_ids(3, 2, 5), _soft(2, 5, 3))], {"k": 2}),
    ([(_ids(4, 5), np.argsort(-_p(5, 4), axis=-1))], {"k": 2, "from_sorted_ids": True}),
]  # fmt: skip
for _name in ("TruePositives", "FalsePositives", "TrueNegatives", "FalseNegatives"):
    ROWS[_name] = [(_BINARY, {}), (_LABELS, {"thresholds": [0.2, 0.5, 0.8]}), (_GRID, {"thresholds": 0.5})]
for _name in ("Precision", "Recall"):
    ROWS[_name] = [
        (_BINARY, {}), (_LABELS, {"thresholds": [0.0, 0.3, 0.9]}), (_LABELS, {"top_k": 2}), (_LABELS, {"class_id": 1}),
        (_LABELS, {"class_id": 1, "top_k": 2}), (_LABELS, {"thresholds": 0.7, "top_k": 2}), (_GRID, {}),
        ([(np.zeros((3, 2), "float32"), np.zeros((3, 2), "float32"))], {}),
        (_pairs(_bits, _p, (2, 4, 3)), {"top_k": 1}), ([(_bits(6, 4), _f(6, 4) - 2)], {"top_k": 2}),
        ([(_bits(6, 4), np.round(_p(6, 4)))], {"top_k": 2}), ([(_bits(6, 4), _f(6, 4) - 2)], {"top_k": 2, "class_id": 1}),
    ]  # fmt: skip
ROWS["AUC"] = [
    (_BINARY, {}), (_LABELS, {}), (_BINARY, {"num_thresholds": 3}), (_GRID, {"num_thresholds": 5}),
    *[
        (_LABELS, {"curve": curve, "summation_method": method, "num_thresholds": 20})
        for curve in ("ROC", "PR")
        for method in ("interpolation", "minoring", "majoring")
    ],
    (_LABELS, {"thresholds": [0.1, 0.4, 0.45, 0.9]}), (_LABELS, {"multi_label": True}),
    (_LABELS, {"multi_label": True, "num_labels": 3, "curve": "PR", "label_weights": [0.2, 0.5, 0.3]}),
    ([(_bits(6, 2), _f(6, 2))], {"from_logits": True}),
]  # fmt: skip
for _name, _bound in (
    ("SensitivityAtSpecificity", "specificity"), ("SpecificityAtSensitivity", "sensitivity"),
    ("PrecisionAtRecall", "recall"), ("RecallAtPrecision", "precision"),
):  # fmt: skip
    ROWS[_name] = [
        (_BINARY, {_bound: 0.5}), (_BINARY, {_bound: 0.9}), (_LABELS, {_bound: 0.7, "num_thresholds": 10}),
        (_LABELS, {_bound: 0.4, "class_id": 2}), (_BINARY, {_bound: 0.5, "num_thresholds": 1}),
        (_GRID, {_bound: 0.6, "num_thresholds": 5}), (_GRID, {_bound: 0.0, "num_thresholds": 3}),
        ([([0, 0, 0, 0], [0.2, 0.3, 0.4, 0.6])], {_bound: 1.0}),
    ]  # fmt: skip
ROWS["IoU"] = [
    (_MAPS, {"num_classes": 3, "target_class_ids": [0, 2]}), (_TWO, {"num_classes": 2, "target_class_ids": (0,)}),
    (_VOID, {"num_classes": 3, "target_class_ids": [0, 1], "ignore_class": 255}),
    (_VOID, {"num_classes": 3, "target_class_ids": [0], "ignore_class": 255, "name": "mine"}),
    ([(_hot(3, 5), _soft(5, 3))], {"num_classes": 3, "target_class_ids": [1], "sparse_y_true": False, "sparse_y_pred": False}),
    (_TWO, {"num_classes": 4, "target_class_ids": [0, 1, 3]}),
    (_TWO, {"num_classes": 2, "target_class_ids": [0], "dtype": "float32"}),
]  # fmt: skip
ROWS["MeanIoU"] = [
    (_MAPS, {"num_classes": 3}),
    (_VOID, {"num_classes": 3, "ignore_class": 255}),
    (_TWO, {"num_classes": 5}),
    ([(_hot(3, 5), _soft(5, 3))], {"num_classes": 3, "sparse_y_true": False, "sparse_y_pred": False}),
]
ROWS["BinaryIoU"] = [
    (_BINARY, {}),
    (_LABELS, {"threshold": 0.3, "target_class_ids": [1]}),
    (_GRID, {"target_class_ids": (0, 1)}),
]
_HOTS = [(_hot(3, 6), _soft(6, 3)), (_hot(3, 4), _soft(4, 3))]
ROWS["OneHotIoU"] = [
    (_HOTS, {"num_classes": 3, "target_class_ids": [0, 2]}),
    ([(_hot(3, 6), _ids(3, 6))], {"num_classes": 3, "target_class_ids": [1], "sparse_y_pred": True}),
    (_HOTS, {"num_classes": 3, "target_class_ids": [0, 1], "ignore_class": 0}),
]  # fmt: skip
ROWS["OneHotMeanIoU"] = [
    (_HOTS, {"num_classes": 3, "ignore_class": 1}),
    (_HOTS, {"num_classes": 3}),
    ([(_hot(3, 6), _ids(3, 6))], {"num_classes": 3, "sparse_y_pred": True}),
]
for _name in ("F1Score", "FBetaScore"):
    _beta = {"beta": 2.0} if _name == "FBetaScore" else {}
    ROWS[_name] = [
        *[(_LABELS, {"average": a, "threshold": t, **_beta}) for a in (None, "micro", "macro", "weighted") for t in (None, 0.4)],
        (_ONE_HOT, {}), (_TIES, {}), (_TIES, {"average": "weighted"}),
    ]  # fmt: skip
_CONSTANT = [(np.ones((3, 2), "float32"), _f(3, 2))]
ROWS["R2Score"] = [
    *[(_REAL, {"class_aggregation": a, "num_regressors": n}) for a in (None, "uniform_average", "variance_weighted_average") for n in (0, 2)],
    (_REAL, {"num_regressors": 40}), (_REAL[:1], {"num_regressors": 11}), (_CONSTANT, {}),
    ([(_f(4, 1), _f(4, 1))], {}), ([(_f(4, 1), _f(4, 1))], {"num_regressors": 3}),
]  # fmt: skip
for _name in ("PearsonCorrelation", "ConcordanceCorrelation"):
    ROWS[_name] = [
        (_REAL, {}), (_pairs(_f, _f, (6, 2), (4, 2)), {"axis": 0}), (_pairs(_f, _f, (2, 3, 4)), {"axis": (1, 2)}),
        (_CONSTANT, {"axis": 0}), ([(1e-3 * _f(4, 3), 1e-3 * _f(4, 3))], {}),
    ]  # fmt: skip

# A weight for each sample makes no sense where every value is a statistic of the batch, and Keras has no such weight for
# correlations along the batch.
_UNWEIGHTED = {
    "PearsonCorrelation": (1, 3),
    "ConcordanceCorrelation": (1, 3),
    "CosineSimilarity": (2,),
    "CategoricalCrossentropy": (2,),
}


def _state(k: Any, metric: Any) -> dict[str, Any]:
    # Copies: on torch the values of variables are overwritten in place.
    return {f"variable{i}": np.array(k.ops.convert_to_numpy(v.value)) for i, v in enumerate(metric.variables)}


def _case(name: str, row: Row, weighted: str) -> Callable[[Any], dict[str, Any]]:
    batches, options = row

    def weight(true: Any) -> Any:
        shape = np.asarray(true).shape
        if weighted == "elements":
            return np.linspace(0, 2, int(np.prod(shape))).reshape(shape).astype("float32")
        if name.startswith(("F1", "FBeta", "OneHot")):
            return np.linspace(0, 3, shape[0]).round().astype("float32")
        return np.linspace(0, 3, shape[0]).round().astype("float32").reshape((-1,) + (1,) * (len(shape) - 1))

    def case(k: Any) -> dict[str, Any]:
        metric = getattr(k.metrics, name)(**options)
        found: dict[str, Any] = {}
        for i, (true, pred) in enumerate(batches):
            metric.update_state(true, pred, **({"sample_weight": weight(true)} if weighted else {}))
            found[f"after{i}"] = metric.result()
        found.update(_state(k, metric))
        found["paths"] = [v.path for v in metric.variables]
        metric.reset_state()
        found["reset"] = [float(np.abs(np.asarray(k.ops.convert_to_numpy(v.value))).sum()) for v in metric.variables]
        metric.update_state(*batches[0])
        found["again"] = metric.result()
        return found

    return case


def _config_case(name: str, options: dict[str, Any]) -> Callable[[Any], dict[str, Any]]:
    def case(k: Any) -> dict[str, Any]:
        metric = getattr(k.metrics, name)(**{"name": "mine", **options})
        again = k.metrics.deserialize(k.metrics.serialize(metric))
        plain = getattr(k.metrics, name)(**options)
        return {
            "config": metric.get_config(), "again": again.get_config(), "type": type(again).__name__, "name": plain.name,
            "dtype": metric.dtype, "variables": [[v.path, list(v.shape), v.dtype] for v in metric.variables],
        }  # fmt: skip

    return case


def _reduction_case(name: str, batches: list[tuple[Any, Any]]) -> Callable[[Any], dict[str, Any]]:
    def case(k: Any) -> dict[str, Any]:
        metric = getattr(k.metrics, name)()
        found = {}
        for i, (values, weights) in enumerate(batches):
            metric.update_state(values, sample_weight=weights)
            found[f"after{i}"] = metric.result()
        return {**found, **_state(k, metric), "config": metric.get_config()}

    return case


def _function_case(name: str, true: Any, pred: Any, options: dict[str, Any]) -> Callable[[Any], dict[str, Any]]:
    return lambda k: {"value": getattr(k.metrics, name)(true, pred, **options)}


def _masked_case(name: str, weighted: bool) -> Callable[[Any], dict[str, Any]]:
    pred = _p(2, 3, 4)
    true = _bits(2, 3, 4)
    pred[0, 1:] = -9.0
    weights = _p(2, 3) if weighted else None

    def case(k: Any) -> dict[str, Any]:
        outputs = k.layers.Masking(mask_value=-9.0)(k.ops.convert_to_tensor(pred))
        metric = getattr(k.metrics, name)()
        metric.update_state(true, outputs, sample_weight=weights)
        return {"value": metric.result()}

    return case


def _stateless_case(k: Any) -> dict[str, Any]:
    metric = k.metrics.Precision(thresholds=[0.3, 0.6])
    start = [v.value for v in metric.variables]
    new = metric.stateless_update_state(start, *_LABELS[0])
    newer = metric.stateless_update_state(new, *_LABELS[1])
    found = {"result": metric.stateless_result(newer), "kept": metric.result()}
    return {**found, "reset": metric.stateless_reset_state()[0]}


def _alias(name: str) -> Callable[[Any], dict[str, Any]]:
    def case(k: Any) -> dict[str, Any]:
        found = k.metrics.get(name)
        return {"name": getattr(found, "name", None) or found.__name__, "has_config": hasattr(found, "get_config")}

    return case


def _wrapper_case(k: Any) -> dict[str, Any]:
    metric = k.metrics.MeanMetricWrapper(k.losses.huber, name="h", delta=0.5)
    for true, pred in _REAL:
        metric.update_state(true, pred)
    return {"value": metric.result(), "name": metric.name, "unnamed": k.metrics.MeanMetricWrapper(k.losses.huber).name}


def _cases() -> dict[str, Callable[[Any], dict[str, Any]]]:
    cases: dict[str, Callable[[Any], dict[str, Any]]] = {"stateless": _stateless_case, "wrapper": _wrapper_case}
    for name, rows in ROWS.items():
        for i, row in enumerate(rows):
            cases[f"{name}-{i}"] = _case(name, row, "")
            if i not in _UNWEIGHTED.get(name, ()):
                cases[f"{name}-{i}-weighted"] = _case(name, row, "samples")
            if "label_weights" not in row[1]:  # Keras cannot read its config
                cases[f"{name}-{i}-config"] = _config_case(name, row[1])
    for name in ("Mean", "Sum"):
        cases[f"{name}-config"] = _config_case(name, {"dtype": "float16"})
    cases["wrapper-config"] = lambda k: {
        "config": k.metrics.MeanMetricWrapper(k.losses.huber, name="h", dtype="float16", delta=0.5).get_config()[
            "dtype"
        ]
    }
    for name in ("BinaryIoU", "Precision", "AUC", "TruePositives", "Accuracy", "BinaryAccuracy"):
        cases[f"{name}-elements"] = _case(name, ROWS[name][0], "elements")
    for name in (
        "MeanSquaredError",
        "BinaryAccuracy",
        "CategoricalAccuracy",
        "CosineSimilarity",
        "RootMeanSquaredError",
    ):
        for weighted in (False, True):
            cases[f"{name}-masked-{weighted}"] = _masked_case(name, weighted)
    for name in ("Mean", "Sum"):
        for label, batches in {
            "plain": [(3.0, None), ([1.0, 2.0], None), (_f(2, 3), None), (np.arange(4), None)],
            "weights": [
                ([1.0, 2.0], [0.5, 0.0]),
                (_f(2, 3), _p(2)),
                (_f(2, 3), _p(2, 3)),
                (_f(2, 3), 0.3),
                (_f(2, 3), _p(2, 1)),
            ],
            "zero": [([1.0, 2.0], [0.0, 0.0])],
            "empty": [(np.zeros((0,), "float32"), None), ([1.0], None)],
        }.items():
            cases[f"{name}-{label}"] = _reduction_case(name, batches)
    for name, (true, pred), options in (
        ("binary_accuracy", _LABELS[0], {"threshold": 0.4}), ("binary_accuracy", _BINARY[0], {}),
        ("categorical_accuracy", _ONE_HOT[0], {}), ("sparse_categorical_accuracy", _SPARSE[1], {}),
        ("top_k_categorical_accuracy", _ONE_HOT[0], {"k": 2}), ("sparse_top_k_categorical_accuracy", _SPARSE[0], {"k": 2}),
        ("pearson_correlation", _REAL[0], {}), ("concordance_correlation", _REAL[0], {"axis": 0}),
        ("mean_squared_error", _REAL[0], {}), ("huber", _REAL[0], {"delta": 0.3}),
    ):  # fmt: skip
        cases[f"{name}-{options}"] = _function_case(name, true, pred, options)
    for name in (
        "bce", "BCE", "mse", "MSE", "mae", "MAE", "mape", "MAPE", "msle", "MSLE", "rmse", "RMSE", "kld", "KLD", "logcosh",
        "cosine_similarity", "CosineSimilarity", "AUC", "auc", "accuracy", "Accuracy", "BinaryAccuracy", "binary_accuracy",
        "categorical_crossentropy", "Precision", "F1Score", "R2Score", "nonsense", "hinge", "poisson", "log_cosh",
        "sparse_top_k_categorical_accuracy", "PearsonCorrelation", "pearson_correlation", "concordance_correlation",
    ):  # fmt: skip
        cases[f"get-{name}"] = _alias(name)
    for name, options in (
        ("IoU", {"num_classes": 2, "target_class_ids": [2]}), ("F1Score", {"average": "mean"}), ("F1Score", {"threshold": 2.0}),
        ("F1Score", {"threshold": 1}), ("FBetaScore", {"beta": 1}), ("FBetaScore", {"beta": -1.0}),
        ("R2Score", {"class_aggregation": "sum"}), ("R2Score", {"num_regressors": -1}), ("AUC", {"curve": "PRC"}),
        ("AUC", {"num_thresholds": 1}), ("Precision", {"thresholds": [1.5]}), ("PrecisionAtRecall", {"recall": 1.1}),
        ("RecallAtPrecision", {"precision": 0.5, "num_thresholds": 0}), ("BinaryAccuracy", {"threshold": 1.5}),
        ("AUC", {"thresholds": [-0.1, 0.5]}), ("AUC", {"summation_method": "middle"}), ("F1Score", {"threshold": 0.0}),
    ):  # fmt: skip
        cases[f"wrong-{name}-{options}"] = _config_case(name, options)
    return cases


CASES = _cases()

# Where Keras raises and ours do more: weights that broadcast to images, weights of correlations over several axes, more aliases.
for _name in (
    "IoU-0-weighted", "MeanIoU-0-weighted", "BinaryIoU-1-weighted", "PearsonCorrelation-2-weighted",
    "ConcordanceCorrelation-2-weighted", "get-rmse", "get-RMSE", "get-kld", "get-KLD", "get-logcosh", "get-log_cosh",
):  # fmt: skip
    del CASES[_name]
