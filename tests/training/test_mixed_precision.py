"""Mixed precision end to end: dynamic loss scaling in compiled steps, autocast, policies a layer, models that learn."""

from __future__ import annotations

import numpy as np
import pytest

import tricera
from tricera import dtype_policies, layers as L, ops, optimizers
from tricera.core.variable import Variable

RNG = np.random.default_rng(0)
X = RNG.normal(size=(64, 4)).astype("float32")
Y = (X @ np.array([[1.0], [-1.0], [0.5], [2.0]])).astype("float32")
EAGER = pytest.mark.parametrize("run_eagerly", [False, True], ids=["compiled", "eager"])


class Explosive(L.Layer):
    """The identity; the gradient overflows where the input is above 100, whatever the scale."""

    def call(self, x):
        return ops.where(x > 100, x * 1e4 * x, x)


def line(scale, growth, run_eagerly):
    """A model with one weight and a scaled optimizer."""
    x = L.Input((1,))
    model = tricera.Model(
        x, Explosive(dtype="mixed_float16")(L.Dense(1, dtype="mixed_float16", kernel_initializer="ones")(x))
    )
    optimizer = optimizers.LossScaleOptimizer(optimizers.SGD(1e-3), initial_scale=scale, dynamic_growth_steps=growth)
    model.compile(optimizer, "mse", run_eagerly=run_eagerly)
    return model, optimizer


@EAGER
def test_the_scale_follows_the_gradients(trainable_backend, run_eagerly):
    """It doubles after so many good steps; a bad one halves it, changes no weight and counts as no update."""
    model, optimizer = line(8.0, 3, run_eagerly)
    good, bad, y = np.ones((4, 1), "float32"), np.full((4, 1), 200.0, "float32"), np.zeros((4, 1), "float32")
    scales, counts = [], []
    for x in (good, good, good, good, bad, bad, good, good, good):
        before = model.get_weights()
        model.train_on_batch(x, y)
        scales.append(float(optimizer.dynamic_scale))
        counts.append(int(optimizer.step_counter))
        changed = any(not np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))
        assert changed == (x is good)
    assert scales == [8, 8, 16, 16, 8, 4, 4, 4, 8]
    assert counts == [1, 2, 0, 1, 0, 0, 1, 2, 0]
    assert int(optimizer.iterations) == 7


@EAGER
def test_the_scale_cancels(trainable_backend, run_eagerly):
    """A scaled step is the step: weights as without a scale; and one that is too large comes down until steps succeed."""
    ends = []
    for scale in (1.0, 1024.0):
        tricera.utils.set_random_seed(0)
        model, _ = line(scale, 1000, run_eagerly)
        model.fit(np.ones((8, 1), "float32"), np.zeros((8, 1), "float32"), batch_size=4, epochs=2, verbose=0)
        ends.append(model.get_weights())
    for a, b in zip(*ends, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3)
    model, optimizer = line(2.0**24, 1000, run_eagerly)  # the gradient of the loss alone is beyond float16's 65504
    start = model.get_weights()[0].item()
    model.fit(np.ones((48, 1), "float32"), np.zeros((48, 1), "float32"), batch_size=4, verbose=0)
    assert float(optimizer.dynamic_scale) < 2.0**17
    assert model.get_weights()[0].item() < start


def test_float16_needs_the_scale(trainable_backend):
    """A gradient below float16's smallest number is lost without a scale."""
    moved = []
    for auto in (False, True):
        model = tricera.Sequential([L.Input((1,)), L.Dense(1, use_bias=False, kernel_initializer="ones")])
        x = L.Input((1,))
        dense = L.Dense(1, use_bias=False, kernel_initializer="ones", dtype="mixed_float16")
        model = tricera.Model(x, L.Rescaling(1e-8, dtype="float32")(dense(x)))
        model._dtype_policy = dtype_policies.get("mixed_float16")
        model.compile(optimizers.SGD(1e8), lambda y, p: ops.mean(p), auto_scale_loss=auto)
        assert isinstance(model.optimizer, optimizers.LossScaleOptimizer) == auto
        model.train_on_batch(np.ones((4, 1), "float32"), np.zeros((4, 1), "float32"))
        moved.append(1 - model.get_weights()[0].item())
    assert moved[0] == 0
    assert moved[1] == pytest.approx(1, rel=0.01)


# ---------------------------------------------------------------------- models that learn


def convnet(policy):
    x = L.Input((6, 6, 1))
    y = L.Conv2D(8, 3, activation="relu", dtype=policy)(x)
    y = L.BatchNormalization(dtype=policy)(y)
    y = L.MaxPooling2D(dtype=policy)(y)
    y = L.SpatialDropout2D(0.1, dtype=policy)(y)
    return tricera.Model(x, L.Dense(3, activation="softmax", dtype="float32")(L.Flatten(dtype=policy)(y)))


def transformer(policy):
    x = L.Input((6,), dtype="int32")
    y = L.Embedding(5, 8, dtype=policy)(x)
    a = L.MultiHeadAttention(2, 4, dropout=0.1, dtype=policy)(L.LayerNormalization(dtype=policy)(y), y)
    y = L.Add(dtype=policy)([y, a])
    y = L.Add(dtype=policy)([y, L.Dense(8, activation="gelu", dtype=policy)(L.LayerNormalization(dtype=policy)(y))])
    return tricera.Model(
        x, L.Dense(3, activation="softmax", dtype="float32")(L.GlobalAveragePooling1D(dtype=policy)(y))
    )


LABELS = RNG.integers(0, 3, 96)
IMAGES = (RNG.normal(size=(96, 6, 6, 1)) * 0.3 + (LABELS - 1)[:, None, None, None]).astype("float32")
TOKENS = np.where(RNG.random((96, 6)) < 0.6, LABELS[:, None], RNG.integers(0, 5, (96, 6))).astype("int32")


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("make", [convnet, transformer])
def test_models_learn(trainable_backend, make, policy):
    """The loss falls, variables and their updates stay float32, and what passes between layers is of the compute dtype."""
    tricera.mixed_precision.set_global_policy(policy)
    try:
        model = make(None)
        model.compile(optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    finally:
        tricera.mixed_precision.set_global_policy("float32")
    scaled = isinstance(model.optimizer, optimizers.LossScaleOptimizer)
    assert scaled == (policy == "mixed_float16")
    losses = model.fit(IMAGES if make is convnet else TOKENS, LABELS, batch_size=16, epochs=6, verbose=0).history[
        "loss"
    ]
    assert losses[-1] < 0.7 * losses[0]
    assert {v.dtype for v in model.weights} == {"float32"}
    assert {v.dtype for v in model.optimizer.variables} <= {"float32", "int32"}
    inner = [layer.output.dtype for layer in model.layers[1:-1]]
    assert set(inner) == {policy.removeprefix("mixed_")}
    assert model.output.dtype == "float32"


# ---------------------------------------------------------------------- policies and autocast


class Seen(L.Layer):
    """Notes the dtypes in which it gets its input and reads its weights."""

    def build(self, input_shape):
        self.cast = self.add_weight(shape=(), name="cast")
        self.kept = self.add_weight(shape=(), name="kept", autocast=False)
        self.count = self.add_weight(shape=(), name="count", dtype="int32", initializer="zeros", trainable=False)

    def call(self, x, ids=None):
        read = [ops.convert_to_tensor(v) for v in (self.cast, self.kept, self.count)]
        self.seen = [tricera.backend.standardize_dtype(t.dtype) for t in (x, *read, *([] if ids is None else [ids]))]
        return x


def test_autocast(backend):
    """Floats are cast at the door, weights where they are read; integers, weights that refuse and `autocast=False` are not."""
    x, ids = ops.ones((2, 3)), ops.ones((2,), dtype="int32")
    for policy, options, wanted in (
        ("mixed_float16", {}, ["float16", "float16", "float32", "int32", "int32"]),
        ("mixed_bfloat16", {}, ["bfloat16", "bfloat16", "float32", "int32", "int32"]),
        ("mixed_float16", {"autocast": False}, ["float32", "float16", "float32", "int32", "int32"]),
        ("float16", {}, ["float16", "float16", "float16", "int32", "int32"]),
        ("float32", {}, ["float32", "float32", "float32", "int32", "int32"]),
    ):
        layer = Seen(dtype=policy, **options)
        layer(x, ids=ids)
        assert layer.seen == wanted, policy
    variable = Variable(1.0)
    assert variable.dtype == "float32"


def test_a_policy_for_each_layer(trainable_backend):
    """Layers of several policies in one model, by argument and by a map of paths; their dtypes meet at the doors."""
    policies = dtype_policies.DTypePolicyMap("float32", {"m/half": "mixed_float16", "m/brain": "mixed_bfloat16"})
    inner = [Seen(name="half", dtype=policies), Seen(name="brain", dtype=policies), Seen(name="full", dtype=policies)]
    model = tricera.Sequential([L.Input((4,)), *inner, L.Dense(1, dtype="bfloat16")], name="m")
    model.compile(optimizers.SGD(0.01), "mse")
    losses = model.fit(X, Y, batch_size=16, epochs=4, verbose=0).history["loss"]
    assert [layer.seen[0] for layer in inner] == ["float16", "bfloat16", "float32"]
    assert model.layers[-1].kernel.dtype == "bfloat16" and model.output.dtype == "bfloat16"
    assert losses[-1] < losses[0]


def test_the_scale_moves_along(trainable_backend):
    """A half-trained model takes its scale to another framework and goes on."""
    model, optimizer = line(8.0, 2, False)
    x, y = np.ones((4, 1), "float32"), np.zeros((4, 1), "float32")
    for _ in range(3):
        model.train_on_batch(x, y)
    model.to_backend("torch" if trainable_backend != "torch" else "jax")
    model.train_on_batch(x, y)
    assert float(optimizer.dynamic_scale) == 32 and int(optimizer.step_counter) == 0
