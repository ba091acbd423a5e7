"""Losses by their formulas in float64, weights, masks, reductions, gradients, configs (Keras's values: tests/parity/losses)."""

from __future__ import annotations

import numpy as np
import pytest

import tricera
from tests.conftest import BACKENDS
from tricera import activations, layers, losses, ops
from tricera.backend import use

rng = np.random.default_rng(3)
P = rng.uniform(0.05, 0.95, size=(4, 3))
B = rng.integers(0, 2, size=(4, 3)).astype("float64")
X, Y = rng.normal(size=(4, 3)), rng.normal(size=(4, 3))
S = P / P.sum(-1, keepdims=True)
H = np.eye(3)[[0, 2, 1, 1]]


def _entropy(t, p):
    return -(t * np.log(p) + (1 - t) * np.log(1 - p))


def _unit(x):
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


# function, targets, outputs, options, the values by the formula
FORMULAS = {
    "mean_squared_error": (X, Y, {}, ((X - Y) ** 2).mean(-1)),
    "mean_absolute_error": (X, Y, {}, abs(X - Y).mean(-1)),
    "mean_absolute_percentage_error": (X, Y, {}, 100 * abs((X - Y) / X).mean(-1)),
    "mean_squared_logarithmic_error": (P, S, {}, ((np.log1p(P) - np.log1p(S)) ** 2).mean(-1)),
    "huber": (X, Y, {"delta": 0.5}, np.where(abs(X - Y) < 0.5, (X - Y) ** 2 / 2, abs(X - Y) / 2 - 0.125).mean(-1)),
    "log_cosh": (X, Y, {}, np.log(np.cosh(X - Y)).mean(-1)),
    "hinge": (B, X, {}, np.maximum(1 - (2 * B - 1) * X, 0).mean(-1)),
    "squared_hinge": (2 * B - 1, X, {}, (np.maximum(1 - (2 * B - 1) * X, 0) ** 2).mean(-1)),
    "categorical_hinge": (H, X, {}, np.maximum(((1 - H) * X).max(-1) - (H * X).sum(-1) + 1, 0)),
    "kl_divergence": (S, S[::-1], {}, (S * np.log(S / S[::-1])).sum(-1)),
    "poisson": (B, P, {}, (P - B * np.log(P)).mean(-1)),
    "cosine_similarity": (X, Y, {}, -(_unit(X) * _unit(Y)).sum(-1)),
    "binary_crossentropy": (B, P, {"label_smoothing": 0.2}, _entropy(B * 0.8 + 0.1, P).mean(-1)),
    "binary_focal_crossentropy": (
        B, P, {"gamma": 3.0}, ((1 - (B * P + (1 - B) * (1 - P))) ** 3 * _entropy(B, P)).mean(-1)
    ),
    "categorical_crossentropy": (H, S, {"label_smoothing": 0.3}, -((H * 0.7 + 0.1) * np.log(S)).sum(-1)),
    "categorical_focal_crossentropy": (H, S, {}, (-0.25 * H * (1 - S) ** 2 * np.log(S)).sum(-1)),
    "sparse_categorical_crossentropy": (H.argmax(-1), S, {}, -np.log((H * S).sum(-1))),
    "categorical_generalized_cross_entropy": (
        H.argmax(-1)[:, None], S, {"q": 0.7}, (1 - (H * S).sum(-1) ** 0.7) / 0.7
    ),
    "dice": (B, P, {}, np.array(1 - 2 * (B * P).sum() / (B.sum() + P.sum()))),
    "tversky": (
        B, P, {"alpha": 0.2, "beta": 0.9},
        np.array(1 - (B * P).sum() / ((B * P).sum() + 0.2 * (B * (1 - P)).sum() + 0.9 * ((1 - B) * P).sum())),
    ),
}  # fmt: skip


def f(x):
    return x.astype("float32") if x.dtype.kind == "f" else x


def value(x):
    return np.asarray(ops.convert_to_numpy(x), "float64")


@pytest.mark.parametrize("name", list(FORMULAS))
def test_formula(backend, name):
    true, pred, options, wanted = FORMULAS[name]
    found = getattr(losses, name)(f(true), f(pred), **options)
    assert tuple(found.shape) == wanted.shape
    np.testing.assert_allclose(value(found), wanted, rtol=2e-4, atol=1e-5)


def test_sparse_crossentropy_along_another_axis(backend):
    logits, ids = rng.normal(size=(2, 3, 5)), rng.integers(0, 3, size=(2, 5))
    logs = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    wanted = -np.take_along_axis(logs, ids[:, None], axis=1)[:, 0]
    found = losses.sparse_categorical_crossentropy(ids, f(logits), from_logits=True, axis=1)
    np.testing.assert_allclose(value(found), wanted, rtol=1e-4)


def test_ignored_class_counts_neither_above_nor_below(backend):
    ids = np.array([0, 1, 1, 2])
    found = losses.SparseCategoricalCrossentropy(ignore_class=1)(ids, f(S))
    np.testing.assert_allclose(value(found), -np.log(S[[0, 3], [0, 2]]).mean(), rtol=1e-4)


WEIGHTED = {
    "sum_over_batch_size": lambda v, w: (v * w).mean(),
    "mean": lambda v, w: (v * w).mean(),
    "sum": lambda v, w: (v * w).sum(),
    "mean_with_sample_weight": lambda v, w: (v * w).sum() / w.sum(),
    "none": lambda v, w: v * w,
    None: lambda v, w: v * w,
}


@pytest.mark.parametrize("reduction", list(WEIGHTED))
def test_reductions(backend, reduction):
    values, weights = ((X - Y) ** 2).mean(-1), np.array([0.5, 0.0, 2.0, 1.0])
    loss = losses.MeanSquaredError(reduction=reduction)
    np.testing.assert_allclose(value(loss(f(X), f(Y), f(weights))), WEIGHTED[reduction](values, weights), rtol=1e-5)
    np.testing.assert_allclose(value(loss(f(X), f(Y))), WEIGHTED[reduction](values, np.ones(4)), rtol=1e-5)


def test_one_weight_a_sample_holds_for_all_its_values(backend):
    true, pred, weights = (f(rng.normal(size=s)) for s in ((2, 3, 4), (2, 3, 4), (2,)))
    wanted = ((true - pred) ** 2).mean(-1) * weights[:, None]
    np.testing.assert_allclose(value(losses.MeanSquaredError()(true, pred, weights)), wanted.mean(), rtol=1e-5)


@pytest.mark.parametrize("shape", [(3,), (1, 3), (3, 4), (1, 1, 4)])
def test_weights_of_the_last_axes(backend, shape):
    """What fits no first axis broadcasts as in NumPy."""
    values, weights = (f(rng.uniform(size=s)) for s in ((2, 3, 4) if 4 in shape else (2, 3), shape))
    true = values[..., None]
    found = losses.MeanAbsoluteError()(true, 0 * true, weights)
    np.testing.assert_allclose(value(found), (values * weights).mean(), rtol=1e-5)


@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum", "mean", "mean_with_sample_weight"])
def test_an_empty_batch_gives_a_scalar(backend, reduction):
    found = losses.MeanSquaredError(reduction=reduction)(np.zeros((0, 3), "float32"), np.zeros((0, 3), "float32"))
    assert tuple(found.shape) == () and float(value(found)) == 0.0


def test_a_mask_leaves_steps_out_of_the_mean(backend):
    pred = f(rng.normal(size=(2, 3, 4)))
    pred[0, 1:] = 0.0
    true = f(rng.normal(size=(2, 3, 4)))
    outputs = layers.Masking()(ops.convert_to_tensor(pred))
    values = ((true - pred) ** 2).mean(-1)
    np.testing.assert_allclose(
        value(losses.MeanSquaredError()(true, outputs)), np.append(values[0, :1], values[1]).mean(), rtol=1e-5
    )
    hidden = layers.Masking()(ops.convert_to_tensor(np.zeros((2, 3, 4), "float32")))
    assert float(value(losses.MeanSquaredError()(true, hidden))) == 0.0


def _ctc(labels, logits):
    """The probability of a label sequence, by trying all alignments."""
    import itertools

    probabilities = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    total = 0.0
    for path in itertools.product(range(logits.shape[-1]), repeat=len(logits)):
        merged = [c for i, c in enumerate(path) if c and (not i or path[i - 1] != c)]
        if merged == labels:
            total += np.prod(probabilities[range(len(path)), path])
    return -np.log(total)


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_ctc_sums_over_all_alignments(backend, dtype):
    logits = rng.normal(size=(3, 5, 3))
    labels = [[1, 2], [2, 2], [1]]
    wanted = [_ctc(line, logits[i]) for i, line in enumerate(labels)]
    padded = np.array([line + [0] * (2 - len(line)) for line in labels])
    found = losses.CTC(reduction="none", dtype=dtype)(padded, f(logits))
    assert ops.dtype(found) == dtype
    np.testing.assert_allclose(value(found), wanted, rtol=1e-4 if dtype == "float32" else 1e-2)
    with pytest.raises(ValueError, match="batch, labels"):
        losses.ctc(np.array([1, 2]), f(logits))


def test_circle_leaves_out_samples_without_a_partner(backend):
    embeddings = f(_unit(rng.normal(size=(5, 4))))
    ids = np.array([0, 0, 1, 1, 2])
    each = value(losses.Circle(reduction="none", gamma=2.0)(ids, embeddings))
    assert each[4] == 0
    np.testing.assert_allclose(value(losses.Circle(gamma=2.0)(ids, embeddings)), each[:4].mean(), rtol=1e-5)


@pytest.mark.parametrize("cls", [losses.BinaryCrossentropy, losses.MeanSquaredError, losses.CTC, losses.Dice])
def test_gradients_are_finite(trainable_backend, cls):
    from tricera.autodiff import value_and_grad
    from tricera.core.variable import Variable

    logits = f(rng.normal(size=(2, 5, 3))) if cls is losses.CTC else f(P)
    true = np.array([[1, 2], [1, 0]]) if cls is losses.CTC else f(B)
    variable = Variable(logits)
    found = value_and_grad(lambda: cls()(true, variable), [variable])()
    assert np.isfinite(value(found[1][0])).all()


ALIASES = {
    "bce": losses.binary_crossentropy, "BCE": losses.binary_crossentropy, "mse": losses.mean_squared_error,
    "MSE": losses.mean_squared_error, "mae": losses.mean_absolute_error, "MAE": losses.mean_absolute_error,
    "mape": losses.mean_absolute_percentage_error, "MAPE": losses.mean_absolute_percentage_error,
    "msle": losses.mean_squared_logarithmic_error, "MSLE": losses.mean_squared_logarithmic_error,
    "kld": losses.kl_divergence, "KLD": losses.kl_divergence, "logcosh": losses.log_cosh, "ctc": losses.ctc,
}  # fmt: skip


def test_get():
    for name, function in ALIASES.items():
        assert losses.get(name) is function
    assert losses.get(None) is None
    assert isinstance(losses.get("CTC"), losses.CTC)
    assert isinstance(losses.get(losses.Huber), losses.Huber)
    own = losses.Huber(delta=2.0)
    assert losses.get(own) is own
    for wrong in ("mean_sqared_error", 3):
        with pytest.raises(ValueError):
            losses.get(wrong)


CLASSES = sorted(
    n for n in dir(losses) if isinstance(c := getattr(losses, n), type) and c.__module__.endswith("classes")
)


@pytest.mark.parametrize("name", CLASSES)
def test_config_round_trip(name):
    cls = getattr(losses, name)
    special = {
        "Huber": {"delta": 2.0},
        "CosineSimilarity": {"axis": 1},
        "Tversky": {"alpha": 0.3},
        "Circle": {"gamma": 2.0},
    }
    options = {"name": "mine", "reduction": "sum", "dtype": "float64", **special.get(name, {})}
    loss = cls(**options)
    again = losses.deserialize(losses.serialize(loss))
    assert type(again) is cls
    for key, wanted in options.items():
        assert getattr(again, key) == wanted
    assert again.get_config() == loss.get_config()


def test_what_is_wrong_is_said():
    with pytest.raises(ValueError, match="reduction"):
        losses.MeanSquaredError(reduction="average")
    with pytest.raises(ValueError, match="above 0 and below 1"):
        losses.CategoricalGeneralizedCrossEntropy(q=1.0)
    with pytest.raises(ValueError, match="axis"):
        losses.categorical_crossentropy(H, S, axis="last")
    with pytest.raises(NotImplementedError, match="call"):
        losses.Loss()(X, Y)


@pytest.mark.parametrize(
    ("loss", "activation", "target"),
    [
        ("sparse_categorical_crossentropy", "softmax", [1]),
        ("categorical_crossentropy", "softmax", [[0.0, 1.0]]),
        ("binary_crossentropy", "sigmoid", [[0.0, 1.0]]),
    ],
)
def test_crossentropy_of_an_activation_goes_by_its_logits(backend, loss, activation, target):
    logits = ops.convert_to_tensor(np.array([[300.0, 0.0]], "float32"))
    probabilities = activations.get(activation)(logits)
    for found in (losses.LossFunctionWrapper(losses.get(loss)), losses.deserialize({"class_name": _class(loss)})):
        wanted = 300.0 if activation == "softmax" else (300.0 + np.log(2)) / 2
        if backend == "numpy":  # whose arrays may be changed in place without anybody's noticing
            assert float(found(np.array(target), probabilities)) < 20
        else:
            assert float(found(np.array(target), probabilities)) == pytest.approx(wanted, rel=1e-5)
        # The same numbers from somewhere else are taken as they are, kept off 0 and 1.
        copied = ops.convert_to_tensor(ops.convert_to_numpy(probabilities).copy())
        assert float(found(np.array(target), copied)) < 20


def _class(name):
    return "".join(part.capitalize() for part in name.split("_"))


@pytest.mark.skipif("torch" not in BACKENDS, reason="needs torch")
@pytest.mark.parametrize("changed", ["probabilities", "logits"])
def test_what_was_changed_in_place_has_no_logits(changed):
    with use("torch"):
        logits = ops.convert_to_tensor(np.array([[300.0, 0.0]], "float32"))
        probabilities = activations.softmax(logits)
        loss = losses.SparseCategoricalCrossentropy()
        assert float(loss(np.array([1]), probabilities)) == pytest.approx(300.0)
        {"probabilities": probabilities, "logits": logits}[changed].mul_(0.5)
        assert float(loss(np.array([1]), probabilities)) < 20


def test_shapes_that_do_not_fit(backend):
    """The error says of which loss it is and which shapes it got."""
    true, pred = np.ones((4, 3), "float32"), np.ones((4, 2), "float32")
    for name in (
        "MeanSquaredError",
        "CosineSimilarity",
        "BinaryCrossentropy",
        "CategoricalCrossentropy",
        "KLDivergence",
    ):
        with pytest.raises(ValueError, match=rf"^{name}: `y_true` has the shape \(4, 3\), and `y_pred` \(4, 2\)"):
            getattr(losses, name)()(true, pred)
    with pytest.raises(ValueError, match=r"^MeanSquaredError: .* and `sample_weight` \(5,\)"):
        losses.MeanSquaredError()(true, true, np.ones(5, "float32"))
    for name in ("SparseCategoricalCrossentropy", "CategoricalCrossentropy", "CategoricalGeneralizedCrossEntropy"):
        with pytest.raises(ValueError, match=rf"^{name}: `y_true` has the shape \(\), and `y_pred` \(\)"):
            getattr(losses, name)()(1, 1.0)
    with pytest.raises(ValueError, match=r"^Circle: .*\(n, d\)"):
        losses.Circle()([0, 1], [0.5, 0.5])


@pytest.mark.parametrize("name", ["BinaryCrossentropy", "BinaryFocalCrossentropy", "CategoricalCrossentropy"])
def test_nan_is_no_error(backend, name):
    """What went wrong in training is seen in the loss, as TerminateOnNaN wants it."""
    pred = f(np.where(P == P[1, 1], np.nan, P))
    values = value(getattr(losses, name)(reduction="none")(H, pred))
    assert np.isnan(values).tolist() == [False, True, False, False]


@pytest.mark.parametrize(
    "room",
    ["losses", "metrics", "regularizers", "constraints", "activations", "optimizers", "initializers", "dtype_policies"],
)
@pytest.mark.parametrize("wrong", [5, 5.5, True, [], {}, object(), "nonsense"], ids=lambda x: type(x).__name__)
def test_what_means_nothing_is_refused(room, wrong):
    """Every `get` refuses what is no name, config, class, object or function."""
    with pytest.raises(ValueError):
        getattr(tricera, room).get(wrong)


def test_the_weighted_mean_of_one_number(backend):
    """A loss that is a scalar already, times its weight."""
    loss = losses.Dice(reduction="mean_with_sample_weight")
    a, b = np.ones((2, 3), "float32"), np.full((2, 3), 0.5, "float32")
    np.testing.assert_allclose(float(loss(a, b, sample_weight=3.0)), 3 * float(loss(a, b)), rtol=1e-6)
