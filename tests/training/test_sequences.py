"""Whatever is done to a model in whatever order, its compiled and repeated steps do what plain Python code does.

Each sequence is drawn at random: fits of every kind, single batches, layers frozen, weights and rates set, another `compile`. After
each act, outputs, weights and the optimizer's state of two models are compared, of which one runs eagerly.
"""

import random

import numpy as np
import pytest

import tricera as keras
from tests.reading import Reader
from tricera import layers

X = np.random.default_rng(0).normal(size=(70, 6)).astype("float32")
Y = np.random.default_rng(1).integers(0, 3, 70)
SIZES = [70, 64, 33, 8, 5]


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.a, self.norm, self.b = layers.Dense(8, activation="relu"), layers.BatchNormalization(), layers.Dense(3)

    def call(self, x, training=False):
        return self.b(self.norm(self.a(x), training=training))


def functional():
    inputs = layers.Input((6,))
    h = layers.Dense(8, activation="relu")(inputs)
    return keras.Model(inputs, layers.Dense(3)(layers.Add()([h, layers.Dense(8)(h)])))


MODELS = {
    "sequential": lambda: keras.Sequential(
        [layers.Input((6,)), layers.Dense(8, activation="relu"), layers.BatchNormalization(), layers.Dense(3)]
    ),
    "unbuilt": lambda: keras.Sequential([layers.Dense(8, activation="relu"), layers.Dense(3)]),
    "subclassed": Subclassed,
    "functional": functional,
    "regularized": lambda: keras.Sequential(
        [
            layers.Dense(8, "relu", kernel_regularizer="l2", activity_regularizer="l1"),
            layers.LayerNormalization(),
            layers.Dense(3, kernel_constraint="max_norm"),
        ]
    ),
    "images": lambda: keras.Sequential(
        [
            layers.Reshape((3, 2, 1)),
            layers.Conv2D(4, 2, padding="same", activation="relu"),
            layers.MaxPooling2D(2, padding="same"),
            layers.Flatten(),
            layers.Dense(3),
        ]
    ),
    "recurrent": lambda: keras.Sequential(
        [layers.Reshape((6, 1)), layers.LSTM(4, return_sequences=True), layers.GRU(4), layers.Dense(3)]
    ),
}
OPTIMIZERS = [
    lambda: keras.optimizers.Adam(0.01),
    lambda: keras.optimizers.SGD(0.05, momentum=0.9),
    lambda: keras.optimizers.AdamW(0.01, use_ema=True, ema_overwrite_frequency=5),
    lambda: keras.optimizers.RMSprop(keras.optimizers.schedules.ExponentialDecay(0.01, 5, 0.9)),
    lambda: keras.optimizers.Adam(0.01, gradient_accumulation_steps=2),
    lambda: keras.optimizers.SGD(0.05, clipnorm=1.0),
]


class Weights(Reader):
    def on_train_batch_end(self, batch, logs=None):
        self.found += self.model.get_weights()


class Rate(Reader):
    def on_train_batch_begin(self, batch, logs=None):
        if batch == 3 and isinstance(self.model.optimizer._learning_rate, keras.Variable):
            self.model.optimizer.learning_rate = 0.02


class Freeze(Reader):
    """For two batches, the first layer that has weights."""

    was = None

    def on_train_batch_begin(self, batch, logs=None):
        layer = next((layer for layer in self.model.layers if layer.weights), None)
        if batch == 2:
            self.was, layer.trainable = layer.trainable, False
        elif batch == 4 and self.was is not None:
            layer.trainable = self.was


class Stop(Reader):
    def on_train_batch_end(self, batch, logs=None):
        self.model.stop_training = batch == 4


class Assign(Reader):
    def on_train_batch_begin(self, batch, logs=None):
        if batch == 2:
            bias = self.model.layers[-1].bias
            bias.assign(bias.value * 0.5)


CALLBACKS = [Reader, Weights, Rate, Freeze, Stop, Assign]


ACTS = ["fit", "generator", "train", "test", "predict", "evaluate", *["watched", "change"] * 3]


def compiled(model, eager, optimizer, steps):
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(OPTIMIZERS[optimizer](), loss, metrics=["accuracy"], run_eagerly=eager, steps_per_execution=steps)


def forever(x, y, size):
    while True:
        for i in range(0, len(x), size):
            yield x[i : i + size], y[i : i + size]


def act(model, eager, what, draw):
    """Do one thing that `draw` chooses; what there is to see of it."""
    n, size, epochs = draw.choice(SIZES), draw.choice([8, 16, 32]), draw.choice([1, 2])
    x, y, flag, number = X[:n], Y[:n], draw.random() < 0.5, draw.randrange(6)
    options = {"verbose": 0, "epochs": epochs}
    weights = draw.choice([{}, {"class_weight": {0: 1.0, 1: 2.0, 2: 0.5}}, {"sample_weight": np.linspace(0.5, 1.5, n)}])
    if what == "fit":
        split = 0.2 if n > 32 and flag else 0.0
        return model.fit(x, y, batch_size=size, shuffle=flag, validation_split=split, **weights, **options).history
    if what == "watched":
        size = draw.choice([8, size])  # often small, so that the callbacks have batches to act at
        callbacks = [kind() for kind in draw.sample(CALLBACKS, 2)]
        history = model.fit(x, y, batch_size=size, shuffle=flag, callbacks=callbacks, **weights, **options).history
        return history, [c.found for c in callbacks]
    if what == "generator":
        callbacks = [Reader()] if flag else []
        return model.fit(forever(x, y, size), steps_per_epoch=5, callbacks=callbacks, **options).history
    if what == "train":
        return [model.train_on_batch(x[:size], y[:size]) for _ in range(3)]
    if what == "test":
        return model.test_on_batch(x, y)
    if what == "predict":
        return model.predict(x, batch_size=size, verbose=0), model.predict_on_batch(x)
    if what == "evaluate":
        return model.evaluate(x, y, batch_size=size, verbose=0)
    steps = draw.choice([1, 4, "auto"])
    change = draw.choice(["compile", "freeze", "rate", "weights", "reset"])
    if change == "compile":
        compiled(model, eager, number, steps)
    elif not model.built:
        pass
    elif change == "freeze":
        layer = model.layers[number % len(model.layers)]
        layer.trainable = not layer.trainable
        compiled(model, eager, number, steps)  # an optimizer knows the variables that it was built with
    elif change == "rate" and isinstance(model.optimizer._learning_rate, keras.Variable):
        model.optimizer.learning_rate = 0.003
    elif change == "weights":
        model.set_weights([w * 1.01 for w in model.get_weights()])
    elif change == "reset":
        model.reset_metrics()
    return None


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(14))
def test_as_plain_code(trainable_backend, seed):
    draw = random.Random(seed)
    kind = list(MODELS)[seed % len(MODELS)]
    optimizer, steps = draw.randrange(len(OPTIMIZERS)), draw.choice([1, 1, 3, "auto"])
    acts = draw.sample(ACTS, len(ACTS))
    models = []
    for eager in (False, True):
        keras.utils.set_random_seed(7)
        models.append(MODELS[kind]())
        compiled(models[-1], eager, optimizer, steps)
    for turn, what in enumerate(acts):
        found = []
        for model, eager in zip(models, (False, True), strict=True):
            keras.utils.set_random_seed(100 + turn)
            outputs = act(model, eager, what, random.Random(f"{seed} {turn}"))
            state = [v.numpy() for v in model.optimizer.variables] if model.optimizer.built else []
            found.append((outputs, model.get_weights(), state))
        for ours, plain in zip(*map(keras.tree.flatten, found), strict=True):
            if plain is not None:
                np.testing.assert_allclose(ours, plain, rtol=2e-3, atol=2e-4, err_msg=f"{kind}: {acts[: turn + 1]}")
