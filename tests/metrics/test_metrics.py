"""Metrics by their formulas, resets, pure functions, places of results (Keras's values: tests/parity/metrics)."""

from __future__ import annotations

import numpy as np
import pytest

from tricera import backend as backends, metrics, ops

rng = np.random.default_rng(2)


def value(x):
    return np.asarray(ops.convert_to_numpy(x), "float64")


def fed(metric, *batches):
    for batch in batches:
        metric.update_state(*batch)
    return value(metric.result())


def f(*shape):
    return rng.normal(size=shape).astype("float32")


def test_r2(backend):
    true, pred = f(9, 2), f(9, 2)
    wanted = 1 - ((true - pred) ** 2).sum(0) / ((true - true.mean(0)) ** 2).sum(0)
    halves = ((true[:4], pred[:4]), (true[4:], pred[4:]))
    np.testing.assert_allclose(fed(metrics.R2Score(class_aggregation=None), *halves), wanted, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(fed(metrics.R2Score(), *halves), wanted.mean(), rtol=1e-4, atol=1e-5)


def test_correlations(backend):
    true, pred = f(5, 7), f(5, 7)
    pearson = [np.corrcoef(t, p)[0, 1] for t, p in zip(true, pred)]
    np.testing.assert_allclose(value(metrics.pearson_correlation(true, pred)), pearson, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(fed(metrics.PearsonCorrelation(), (true, pred)), np.mean(pearson), rtol=1e-4, atol=1e-6)
    lin = [
        2 * np.cov(t, p, bias=True)[0, 1] / (t.var() + p.var() + (t.mean() - p.mean()) ** 2) for t, p in zip(true, pred)
    ]
    np.testing.assert_allclose(value(metrics.concordance_correlation(true, pred)), lin, rtol=1e-4, atol=1e-6)
    assert np.isnan(value(metrics.pearson_correlation(np.ones((1, 3), "float32"), f(1, 3)))).all()


@pytest.mark.parametrize("weighted", [False, True])
def test_iou(backend, weighted):
    true, pred = rng.integers(0, 3, size=(2, 4, 4)), rng.integers(0, 3, size=(2, 4, 4))
    weights = np.array([1.0, 3.0]) if weighted else np.ones(2)
    each = np.broadcast_to(weights[:, None, None], true.shape)
    wanted = [(each * ((true == c) & (pred == c))).sum() / (each * ((true == c) | (pred == c))).sum() for c in range(3)]
    extra = (weights.astype("float32"),) if weighted else ()
    np.testing.assert_allclose(fed(metrics.MeanIoU(3), (true, pred, *extra)), np.mean(wanted), rtol=1e-5)
    np.testing.assert_allclose(fed(metrics.IoU(3, [1]), (true, pred, *extra)), wanted[1], rtol=1e-5)
    moved = np.moveaxis(np.eye(3)[pred], -1, 1)
    along = metrics.MeanIoU(3, sparse_y_pred=False, axis=1)
    np.testing.assert_allclose(fed(along, (true, moved, *extra)), np.mean(wanted), rtol=1e-5)


def test_classes_that_do_not_occur_are_left_out_of_the_mean(backend):
    assert fed(metrics.MeanIoU(5), ([0, 1], [0, 1])) == 1.0
    ignoring = metrics.MeanIoU(2, ignore_class=255)
    assert fed(ignoring, ([0, 1, 255], [0, 1, 0])) == 1.0


def test_f_scores(backend):
    true, pred = rng.integers(0, 2, size=(12, 3)), rng.uniform(size=(12, 3)).astype("float32")
    chosen, weights = pred > 0.5, rng.uniform(size=12).astype("float32")
    w = weights[:, None]
    tp, fp, fn = ((w * x).sum(0) for x in (chosen & (true == 1), chosen & (true == 0), ~chosen & (true == 1)))
    scores = 5 * tp / (5 * tp + 4 * fn + fp)
    for average, wanted in (
        (None, scores),
        ("macro", scores.mean()),
        ("weighted", (scores * (tp + fn)).sum() / (tp + fn).sum()),
        ("micro", 5 * tp.sum() / (5 * tp + 4 * fn + fp).sum()),
    ):
        for shaped in (weights, w):
            metric = metrics.FBetaScore(average=average, beta=2.0, threshold=0.5)
            np.testing.assert_allclose(fed(metric, (true, pred, shaped)), wanted, rtol=1e-4)


@pytest.mark.parametrize(
    ("cls", "wanted", "bound"),
    [
        (metrics.SensitivityAtSpecificity, "sensitivity", "specificity"),
        (metrics.SpecificityAtSensitivity, "specificity", "sensitivity"),
        (metrics.PrecisionAtRecall, "precision", "recall"),
        (metrics.RecallAtPrecision, "recall", "precision"),
    ],
)
def test_best_rate_where_another_is_high_enough(backend, cls, wanted, bound):
    true, pred = rng.integers(0, 2, size=60), rng.uniform(0.01, 0.99, size=60).astype("float32")
    best = 0.0
    for threshold in np.linspace(0, 1, 50):
        chosen = pred > threshold
        tp, fp = (chosen & (true == 1)).sum(), (chosen & (true == 0)).sum()
        tn, fn = (~chosen & (true == 0)).sum(), (~chosen & (true == 1)).sum()
        rate = {"precision": tp / max(tp + fp, 1), "specificity": tn / (tn + fp)}
        rate["recall"] = rate["sensitivity"] = tp / (tp + fn)
        best = max(best, rate[wanted] if rate[bound] >= 0.6 else 0.0)
    np.testing.assert_allclose(fed(cls(0.6, num_thresholds=50), (true, pred)), best, rtol=1e-5)


def test_auc_is_the_probability_of_the_right_order(backend):
    true, pred = np.arange(40) % 2, rng.uniform(size=40).astype("float32")
    right = (pred[true == 1][:, None] > pred[true == 0]).mean()
    np.testing.assert_allclose(fed(metrics.AUC(num_thresholds=2000), (true, pred)), right, atol=2e-3)


CLASSES = {
    name: cls
    for name in dir(metrics)
    if isinstance(cls := getattr(metrics, name), type)
    and name not in ("Any", "Metric", "MeanMetricWrapper", "Mean", "Sum")
}
REQUIRED = {
    "IoU": {"num_classes": 3, "target_class_ids": [1]}, "OneHotIoU": {"num_classes": 3, "target_class_ids": [1]},
    "MeanIoU": {"num_classes": 3}, "OneHotMeanIoU": {"num_classes": 3}, "RecallAtPrecision": {"precision": 0.5},
    "PrecisionAtRecall": {"recall": 0.5}, "SensitivityAtSpecificity": {"specificity": 0.5},
    "SpecificityAtSensitivity": {"sensitivity": 0.5}, "SparseTopKCategoricalAccuracy": {"from_sorted_ids": True},
}  # fmt: skip


@pytest.mark.parametrize("name", list(CLASSES))
def test_config_round_trip(name):
    metric = CLASSES[name](name="mine", **REQUIRED.get(name, {}))
    again = metrics.deserialize(metrics.serialize(metric))
    assert type(again) is type(metric) and again.name == "mine" and again.get_config() == metric.get_config()


def test_pure_functions_leave_the_variables_alone(backend):
    metric, batch = metrics.BinaryIoU(), ([0, 1, 1], [0.2, 0.9, 0.1])
    new = metric.stateless_update_state([v.value for v in metric.variables], *batch)
    assert float(value(metric.total_confusion_matrix).sum()) == 0
    assert float(value(new[0]).sum()) == 3
    assert float(value(metric.stateless_result(new))) == pytest.approx(fed(metric, batch))


def test_results_stay_with_the_framework(backend):
    for metric, batch in (
        (metrics.MeanIoU(2), ([0, 1], [0, 1])),
        (metrics.F1Score(average="macro"), (np.eye(2), np.eye(2))),
        (metrics.R2Score(), (f(3, 1), f(3, 1))),
        (metrics.PrecisionAtRecall(0.5), ([0, 1], [0.2, 0.8])),
    ):
        metric.update_state(*batch)
        assert ops.is_tensor(metric.result()) and all(v.backend == backends.backend() for v in metric.variables)


def test_what_is_wrong_is_said():
    for make, said in (
        (lambda: metrics.IoU(2, [2]), "num_classes"),
        (lambda: metrics.F1Score(average="mean"), "average"),
        (lambda: metrics.FBetaScore(beta=-1.0), "beta"),
        (lambda: metrics.R2Score(class_aggregation="sum"), "class_aggregation"),
        (lambda: metrics.PrecisionAtRecall(1.5), "recall"),
        (lambda: metrics.F1Score().update_state([1.0], [1.0]), "batch, classes"),
    ):
        with pytest.raises(ValueError, match=said):
            make()


@pytest.mark.parametrize("cls", [metrics.Sum, metrics.Mean, metrics.TruePositives, metrics.FalsePositives])
def test_a_result_does_not_change_with_later_updates(backend, cls):
    metric, batch = (
        cls(),
        ([1, 0], [0.9, 0.8]) if issubclass(cls, (metrics.TruePositives, metrics.FalsePositives)) else (3.0,),
    )
    metric.update_state(*batch)
    first = metric.result()
    kept = float(value(first))
    metric.update_state(*batch)
    metric.reset_state()
    assert float(value(first)) == kept > 0


def test_shapes_that_do_not_fit(backend):
    """The error says of which metric it is and which shapes it got."""
    true, pred = np.ones((4, 3), "float32"), np.ones((4, 2), "float32")
    for name, options in (
        ("MeanSquaredError", {}), ("BinaryAccuracy", {}), ("AUC", {}), ("Precision", {}), ("MeanIoU", {"num_classes": 2}),
        ("F1Score", {}), ("R2Score", {}), ("PearsonCorrelation", {}), ("TruePositives", {}),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=rf"^{name}: `y_true` has the shape \(4, 3\), and `y_pred` \(4, 2\)"):
            getattr(metrics, name)(**options).update_state(true, pred)


@pytest.mark.parametrize(
    ("make", "true", "pred"),
    [
        (metrics.CategoricalAccuracy, (4, 3), (4, 2)),
        (metrics.CategoricalAccuracy, (4,), ()),
        (metrics.TopKCategoricalAccuracy, (4, 2), (4, 3)),
        (metrics.SparseCategoricalAccuracy, (3, 3), (3, 3)),
        (metrics.SparseTopKCategoricalAccuracy, (3, 3), (3, 3)),
        (lambda: metrics.OneHotIoU(3, [0]), (4, 3), (4, 2)),
        (metrics.F1Score, (4, 1), (4, 3)),
        (metrics.R2Score, (4, 3), (4, 1)),
        (lambda: metrics.AUC(multi_label=True), (4, 3), (4, 2)),
        (lambda: metrics.Precision(class_id=3), (4, 3), (4, 3)),
        (lambda: metrics.RecallAtPrecision(0.5, class_id=1), (4,), (4,)),
        (lambda: metrics.OneHotMeanIoU(3), (4, 4), (4, 4)),
    ],
)
def test_numbers_of_classes_that_differ(backend, make, true, pred):
    """argmax would hide that there are other classes on one side, or one-hot targets where integers belong."""
    metric = make()
    with pytest.raises(ValueError, match=f"^{type(metric).__name__}: `y_true` has the shape"):
        metric.update_state(np.zeros(true, "float32"), np.zeros(pred, "float32"))
    assert all(np.all(v.numpy() == 0) for v in metric.variables)
    assert len(metric.variables) < 4 or not isinstance(
        metric, (metrics.F1Score, metrics.R2Score)
    )  # not built for a wrong number


def test_one_weight_in_a_list_is_that_of_all(backend):
    for weight in (2.0, [2.0], [[2.0]]):
        metric = metrics.MeanSquaredError()
        metric.update_state(f(4, 3) * 0, np.ones((4, 3), "float32"), sample_weight=weight)
        assert float(value(metric.result())) == 1.0


@pytest.mark.parametrize(
    ("values", "weights"),
    [((4,), (1, 4)), ((4, 1), (1, 3)), ((2, 3), (3,)), ((2, 3), (2, 3, 4)), ((1, 3), (2,)), ((4,), (5,))],
)
def test_weights_that_would_make_more_values(backend, values, weights):
    for cls in (metrics.Mean, metrics.Sum):
        metric = cls()
        with pytest.raises(ValueError):
            metric.update_state(f(*values), sample_weight=f(*weights))
        assert all(float(v.numpy()) == 0 for v in metric.variables)
    with pytest.raises(ValueError, match="^BinaryAccuracy: .*`sample_weight` "):
        metrics.BinaryAccuracy().update_state(f(*values), f(*values), sample_weight=f(*weights))


def test_classes_along_the_first_axis(backend):
    """For which Keras fails."""
    true, pred = np.eye(3, dtype="float32")[[[0, 1, 2, 1, 0], [2, 2, 1, 0, 0]]], f(2, 5, 3)
    for make in (
        lambda axis: metrics.IoU(3, [0, 2], sparse_y_true=False, sparse_y_pred=False, axis=axis),
        lambda axis: metrics.MeanIoU(3, sparse_y_true=False, sparse_y_pred=False, axis=axis),
        lambda axis: metrics.OneHotIoU(3, [1], axis=axis),
        lambda axis: metrics.OneHotMeanIoU(3, axis=axis),
    ):
        last, first = make(-1), make(1)
        last.update_state(true, pred)
        first.update_state(np.moveaxis(true, -1, 1), np.moveaxis(pred, -1, 1))
        np.testing.assert_array_equal(*(value(m.total_confusion_matrix) for m in (first, last)))
        assert value(last.total_confusion_matrix).sum() == 10


@pytest.mark.parametrize("kind", ["float16", "bfloat16"])
def test_counts_of_half_precision_go_on(kind, backend):
    """They are float32, as sums of ones stand still at 2048 or 256 otherwise."""
    ones = np.ones(3000, "float32")
    found, right = metrics.TruePositives(dtype=kind), metrics.Precision(dtype=kind)
    for metric in (found, right):
        metric.update_state(ones, ones)
        metric.update_state(np.zeros_like(ones), ones)
    assert float(found.result()) == 3000 and float(right.result()) == 0.5
    assert found.get_config()["dtype"] == kind
