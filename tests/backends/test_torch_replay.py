"""Steps by replay on torch: the same numbers to the bit as steps that are run one by one, and refusal of what can't be repeated."""

from __future__ import annotations

import numpy as np
import pytest

from tests.conftest import BACKENDS

if "torch" not in BACKENDS:
    pytest.skip("torch is not installed", allow_module_level=True)

import torch

import tricera
from tricera import callbacks, layers, ops, optimizers
from tricera.backend import clear_session, use
from tricera.backends.torch import replay

N, CLASSES = 160, 5
rng = np.random.default_rng(0)
TARGETS = rng.integers(0, CLASSES, N).astype("int32")
POINTS = rng.normal(size=(N, 12)).astype("float32")


class Watch(callbacks.Callback):
    """Watches batches, so that each step is run by itself."""

    def on_train_batch_end(self, batch, logs=None):
        """Nothing."""


@pytest.fixture(autouse=True)
def torch_backend():
    with use("torch"):
        yield


def mlp(*extra):
    return tricera.Sequential(
        [layers.Input((12,)), layers.Dense(8, activation="relu"), *extra, layers.Dense(CLASSES, activation="softmax")]
    )


def convnet():
    return tricera.Sequential(
        [
            layers.Input((6, 6, 1)),
            layers.Conv2D(3, 3, activation="relu"),
            layers.BatchNormalization(),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dropout(0.5),
            layers.Dense(CLASSES, activation="softmax", kernel_regularizer="l2"),
        ]
    )


def recurrent():
    return tricera.Sequential(
        [
            layers.Input((7,), dtype="int32"),
            layers.Embedding(9, 6, mask_zero=True),
            layers.LSTM(5, return_sequences=True),
            layers.GRU(4),
            layers.Dense(CLASSES, activation="softmax"),
        ]
    )


def transformer():
    inputs = layers.Input((6, 8))
    attended = layers.MultiHeadAttention(2, 4, dropout=0.1)(inputs, inputs, use_causal_mask=True)
    x = layers.LayerNormalization()(layers.Add()([inputs, attended]))
    x = layers.GlobalAveragePooling1D()(layers.Dense(8, activation="gelu")(x))
    return tricera.Model(inputs, layers.Dense(CLASSES, activation="softmax")(x))


DATA = {
    mlp: POINTS,
    convnet: rng.normal(size=(N, 6, 6, 1)).astype("float32"),
    recurrent: rng.integers(0, 9, (N, 7)).astype("int32"),
    transformer: rng.normal(size=(N, 6, 8)).astype("float32"),
}


def train(make, x, watch, optimizer="adam", y=TARGETS, extra=(), metrics=("accuracy",), **options):
    clear_session(free_memory=False)
    tricera.utils.set_random_seed(1)
    model = make()
    model.compile(
        optimizer() if callable(optimizer) else optimizer, "sparse_categorical_crossentropy", metrics=list(metrics)
    )
    watched = [*extra, *([Watch()] if watch else [])]
    history = model.fit(x, y, batch_size=4, epochs=2, verbose=0, callbacks=watched, **options).history
    return model.get_weights(), history, model._step_cache._steps["train"][1].recorded


def check(make, x=POINTS, replayed=True, **options):
    weights, history, recorded = train(make, x, watch=False, **options)
    plain, plain_history, unrecorded = train(make, x, watch=True, **options)
    assert bool(recorded) is replayed
    assert not unrecorded
    assert history == plain_history
    for a, b in zip(weights, plain, strict=True):
        np.testing.assert_array_equal(a, b)
    return history


@pytest.mark.parametrize("make", list(DATA), ids=lambda make: make.__name__)
def test_models(make):
    check(make, DATA[make])


@pytest.mark.parametrize("name", ["SGD", "RMSprop", "Adam", "AdamW", "Adamax", "Nadam", "Adagrad", "Adadelta", "Lion",
                                  "Lamb", "Ftrl", "Adafactor", "Muon", "ScheduleFreeAdamW"])  # fmt: skip
def test_optimizers(name):
    check(mlp, optimizer=lambda: getattr(optimizers, name)(0.01))


@pytest.mark.parametrize(
    "options",
    [
        {"clipnorm": 0.1},
        {"global_clipnorm": 0.1},
        {"clipvalue": 0.01},
        {"weight_decay": 0.1},
        {"use_ema": True, "ema_overwrite_frequency": 3},
        {"gradient_accumulation_steps": 3},
        {"learning_rate": optimizers.schedules.CosineDecay(0.1, 30)},
        {"loss_scale_factor": 8.0},
        {"amsgrad": True},
    ],
    ids=lambda options: next(iter(options)),
)
def test_options_of_optimizers(options):
    check(mlp, optimizer=lambda: optimizers.Adam(**options))


def test_a_learning_rate_that_a_function_gives_is_asked_for_each_time():
    def make():
        count = iter(range(1000))
        return optimizers.SGD(lambda: 0.1 / (1 + next(count)))

    check(mlp, optimizer=make)


def test_weights_of_samples_and_classes():
    check(mlp, sample_weight=np.linspace(0, 2, N, dtype="float32"))
    check(mlp, class_weight={0: 3.0, 1: 0.5, 2: 1.0, 3: 1.0, 4: 0.0})


def test_classes_out_of_range_in_a_later_batch():
    y = TARGETS.copy()
    y[100:104] = (-1, 9, -1, 9)
    assert np.isfinite(check(mlp, y=y, shuffle=False)["loss"]).all()


class Own(layers.Layer):
    """A layer of a user's, which counts its calls."""

    calls = 0

    def call(self, x):
        """Count."""
        Own.calls += 1
        return x


def test_code_of_a_user_runs_for_each_batch():
    Own.calls = 0
    check(lambda: mlp(Own()), replayed=False)
    assert Own.calls >= 2 * 2 * N // 4
    check(lambda: mlp(layers.Activation(lambda x: ops.tanh(x))), replayed=False)
    check(lambda: mlp(layers.Lambda(lambda x: x)), replayed=False)
    check(mlp, metrics=[lambda y, p: ops.mean(p)], replayed=False)


def test_hooks_run_for_each_batch():
    seen = []

    def make():
        layer = layers.Dense(4)
        layer.register_forward_hook(lambda *_: seen.append(1))
        return mlp(layer)

    check(make, replayed=False)
    assert len(seen) >= 2 * 2 * N // 4


def test_what_is_changed_between_epochs_holds():
    class Change(callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            self.model.layers[1].rate = 0.9 if epoch else 0.1

    plain = check(lambda: mlp(layers.Dropout(0.1)), extra=[])["loss"]
    changed = check(lambda: mlp(layers.Dropout(0.1)), extra=[Change()])["loss"]
    assert plain[0] == changed[0]
    assert plain[1] != changed[1]


def test_evaluate_agrees():
    model = mlp()
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    whole = model.evaluate(POINTS, TARGETS, batch_size=4, verbose=0)
    assert model._step_cache._steps["test"][1].recorded
    loss = model.compute_loss(y=torch.from_numpy(TARGETS), y_pred=model(POINTS), training=False)
    assert whole[0] == pytest.approx(float(loss.detach()), rel=1e-5)
    assert whole[1] == pytest.approx((model.predict(POINTS, verbose=0).argmax(-1) == TARGETS).mean())


STATE = torch.zeros(3)


@pytest.mark.parametrize(
    "step",
    [
        lambda x: STATE.add_(x.sum().item()),
        lambda x: STATE.add_(1) if x.sum() > 0 else STATE.add_(2),
        lambda x: STATE.add_(torch.nonzero(x).shape[0]),
        lambda x: STATE.add_(x[x > 0].numel()),
        lambda x: STATE.add_(torch.from_numpy(np.ones(3, "float32")).to(torch.float64)),
        lambda x: STATE.add_(float(x.numpy()[0])),
        lambda x: x.to_sparse(),
        lambda x: STATE.add_(x.tolist()[0]),
    ],
)
def test_refused(step):
    x = torch.tensor([1.0, -2.0, 3.0])
    assert replay.record(step, x, [x], [STATE])[1] is None


def test_numbers_are_read_again_and_what_follows_from_them_is_computed_again():
    total, rate = torch.zeros(()), torch.tensor(0.5)

    def step(x):
        lr = replay.numbers(torch.Tensor.item, rate)
        with torch.no_grad():
            total.add_(x.sum() * (1 - 2 * lr**2 / 4) - lr, alpha=-lr)

    first = torch.ones(2)
    out, run = replay.record(step, first, [first], [total, rate])
    assert out is None
    rate.fill_(3.0)
    total.zero_()
    assert run(torch.tensor([1.0, 4.0])) is None
    assert total.item() == -3 * (5 * (1 - 2 * 9 / 4) - 3)
