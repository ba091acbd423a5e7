"""Steps on single batches look nothing up anew while a model is what it was, and everything as soon as it is not."""

from __future__ import annotations

import numpy as np
import pytest

import tricera
from tests.conftest import TRAINABLE
from tricera import layers, losses, optimizers, regularizers
from tricera.backend import clear_session, use
from tricera.training.unchanged import Fingerprint

rng = np.random.default_rng(0)
STEPS = 40
POINTS = rng.normal(size=(STEPS, 8, 6)).astype("float32")
TARGETS = rng.integers(0, 3, (STEPS, 8)).astype("int32")


def model(**options):
    clear_session(free_memory=False)
    tricera.utils.set_random_seed(1)
    made = tricera.Sequential(
        [
            layers.Input((6,)),
            layers.Dense(5, activation="tanh", kernel_regularizer=regularizers.L2(0.01)),
            layers.BatchNormalization(),
            layers.Dropout(0.2),
            layers.Dense(3, activation="softmax"),
        ]
    )
    loss = losses.SparseCategoricalCrossentropy()
    made.compile(optimizers.Adam(0.02), loss, metrics=["accuracy"], **options)
    return made


def rate(m):
    m.layers[2].rate = 0.7


def activation(m):
    m.layers[0].activation = tricera.activations.relu


def regularizer(m):
    m.layers[0].kernel_regularizer.l2 = np.float32(0.5)


def from_logits(m):
    m.loss.from_logits = True


def learning_rate(m):
    m.optimizer.learning_rate = 0.2


def freeze(m):
    m.layers[0].trainable = False


def freeze_a_variable(m):
    m.layers[3].bias.trainable = False


def momentum(m):
    m.layers[1].momentum = 0.5


def weights(m):
    m.set_weights([0.5 * w for w in m.get_weights()])


def clip(m):
    m.optimizer.clipnorm = 1e-3


def evaluation(m):
    m.evaluate(POINTS[0], TARGETS[0], verbose=0)
    m.predict(POINTS[0], verbose=0)


def hook(m):
    m.layers[0].register_forward_hook(lambda layer, args, out: out * 0.5)


def nothing(m):
    pass


STRUCTURE = [learning_rate, freeze, freeze_a_variable, weights, evaluation, nothing]
SETTINGS = [rate, activation, regularizer, from_logits, momentum, clip, hook]


class Changing(tricera.callbacks.Callback):
    """Changes the model after two of the batches, and keeps all logs."""

    def __init__(self, change, steps):
        super().__init__()
        self.change, self.at, self.all = change, (steps // 2 - 1, steps // 2 + 1), []

    def on_train_batch_end(self, batch, logs=None):
        self.all.append(dict(logs))
        if batch in self.at:
            self.change(self.model)


def run(m, change, kind="train"):
    steps = STEPS if m._backend.name == "torch" else 6  # torch's are recorded after some
    if kind in ("arrays", "generator"):
        x, y, watcher = POINTS[:steps], TARGETS[:steps], Changing(change, steps)
        if kind == "arrays":
            data = {"x": x.reshape(-1, 6), "y": y.reshape(-1), "batch_size": 8, "shuffle": False}
        else:
            data = {"x": zip(x, y, strict=True), "steps_per_epoch": steps}
        m.fit(**data, callbacks=[watcher], verbose=0)
        return watcher.all, m.get_weights()
    logs = []
    for step in range(steps):
        if step in (steps // 2, steps // 2 + 2):
            change(m)
        logs.append(getattr(m, f"{kind}_on_batch")(POINTS[step], TARGETS[step], return_dict=True))
    return logs, m.get_weights()


def check(change, run_plainly, kind="train"):
    logs, values = run(model(), change, kind)
    plain_logs, plain_values = run_plainly(change)
    assert logs == plain_logs
    for ours, plain in zip(values, plain_values, strict=True):
        np.testing.assert_array_equal(ours, plain)
    if change not in (nothing, evaluation):
        unchanged_logs, unchanged_values = run(model(), nothing, kind)
        assert unchanged_logs != logs or any(
            np.abs(a - b).max() > 0 for a, b in zip(values, unchanged_values, strict=True)
        )


@pytest.mark.parametrize("kind", ["train", "arrays"])
@pytest.mark.parametrize("change", STRUCTURE, ids=lambda f: f.__name__)
@pytest.mark.parametrize("backend", TRAINABLE)
def test_what_is_changed_between_steps_holds(backend, change, kind, monkeypatch):
    def without(change):
        with monkeypatch.context() as patch:
            patch.setattr(Fingerprint, "holds", lambda self: False)
            return run(model(), change, kind)

    with use(backend):
        check(change, without, kind)


@pytest.mark.skipif("torch" not in TRAINABLE, reason="torch is not installed")
@pytest.mark.parametrize("kind", ["train", "arrays", "generator"])
@pytest.mark.parametrize("change", [*STRUCTURE, *SETTINGS], ids=lambda f: f.__name__)
def test_repeated_steps_are_the_same_to_the_bit_on_torch(change, kind):
    with use("torch"):
        check(change, lambda change: run(model(run_eagerly=True), change, kind), kind)


@pytest.mark.skipif("torch" not in TRAINABLE, reason="torch is not installed")
@pytest.mark.parametrize("kind", ["train", "test"])
def test_steps_are_repeated_on_torch(kind):
    with use("torch"):
        m = model()
        run(m, nothing, kind)
        step = m._step_cache._single[kind].step
        assert [type(found) for found in step._replays.values()] == [tuple]
        # Other shapes are recorded beside it, and what a scope changes is not repeated.
        getattr(m, f"{kind}_on_batch")(POINTS[0][:5], TARGETS[0][:5])
        assert len(step._replays) == 2
        with tricera.RematScope("full"):
            getattr(m, f"{kind}_on_batch")(POINTS[0], TARGETS[0])
        assert not step._replays


@pytest.mark.parametrize("backend", TRAINABLE)
def test_layers_and_metrics_that_are_added(backend):
    """A layer in a list, and a variable, that were not there at the last step."""

    class Grows(tricera.Model):
        def __init__(self):
            super().__init__()
            self.blocks = [layers.Dense(3)]

        def call(self, x):
            for block in self.blocks:
                x = block(x)
            return x

    with use(backend):
        m = Grows()
        m.compile(optimizers.SGD(0.1), "mse", run_eagerly=True)
        x, y = POINTS[0], np.zeros((8, 3), "float32")
        for _ in range(3):
            m.train_on_batch(x, y)
        assert len(m.trainable_variables) == 2
        m.blocks.append(layers.Dense(3))
        m.blocks[1].build((None, 3))
        m.compile(optimizers.SGD(0.1), "mse", run_eagerly=True)
        before = m.blocks[1].kernel.numpy()
        m.train_on_batch(x, y)
        assert np.abs(m.blocks[1].kernel.numpy() - before).max() > 0
        m.blocks[1].trainable = False
        before = m.blocks[1].kernel.numpy()
        m.train_on_batch(x, y)
        np.testing.assert_array_equal(m.blocks[1].kernel.numpy(), before)


@pytest.mark.parametrize("backend", TRAINABLE)
def test_a_fingerprint_tells_changes_and_no_step_is_one(backend):
    def attribute(m):
        m.layers[0].note = 1

    def deleted(m):
        del m.layers[0].note

    def container(m):
        m.notes.append(1)

    def nested(m):
        m.notes[0]["a"] = 2

    def emptied(m):
        m.notes.clear()

    with use(backend):
        m = model()
        m.notes = [{"a": 1}]
        m.train_on_batch(POINTS[0], TARGETS[0])
        taken = Fingerprint(m, m.variables, None)
        for step in range(3):
            m.train_on_batch(POINTS[step], TARGETS[step])
        assert taken.usable and taken.whole and taken.holds() and taken.settled()
        for change in (attribute, deleted, nested, container, emptied, freeze, activation, clip):
            change(m)
            assert not taken.holds(), change
            taken = Fingerprint(m, m.variables, None)
            assert taken.holds()
        m.table = list(range(5000))
        assert not Fingerprint(m, m.variables, None).usable
        m.table = np.zeros(3)
        assert not Fingerprint(m, m.variables, None).whole


@pytest.mark.parametrize("backend", TRAINABLE)
def test_a_model_that_is_another_at_each_step_is_not_remembered_for_ever(backend):
    with use(backend):
        m = model()
        for step in range(30):
            m.step = object()
            m.train_on_batch(POINTS[step], TARGETS[step])
        assert not m._step_cache._single
