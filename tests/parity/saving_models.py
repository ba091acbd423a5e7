"""Models that the saving parity tests write on one side and read on the other; works with `keras` and with Tricera.

Run as a script it is the Keras side: `saving_models.py write FOLDER` or `saving_models.py read FOLDER`.
"""

from __future__ import annotations

import json
import pathlib
import sys

import numpy as np


def inputs(*shapes, seed=0):
    rng = np.random.default_rng(seed)
    arrays = [rng.normal(size=(4, *shape)).astype("float32") for shape in shapes]
    return arrays[0] if len(arrays) == 1 else arrays


def train(model, x, optimizer, loss="mse", **compile_arguments):
    model.compile(optimizer=optimizer, loss=loss, **compile_arguments)
    y = model(x)
    y = {k: np.ones(v.shape, "float32") for k, v in y.items()} if isinstance(y, dict) else np.ones(y.shape, "float32")
    model.fit(x, y, batch_size=2, epochs=1, verbose=0)
    return model


def convnet(keras):
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            layers.Conv2D(4, 3, padding="same", activation="relu", kernel_regularizer="l2"),
            layers.BatchNormalization(),
            layers.MaxPooling2D(),
            layers.SeparableConv2D(4, 3),
            layers.GlobalAveragePooling2D(),
            layers.Dropout(0.3),
            layers.Dense(5, activation="softmax", name="out"),
        ]
    )
    x = inputs((8, 8, 3))
    loss = keras.losses.CategoricalCrossentropy(label_smoothing=0.1)
    return train(model, x, keras.optimizers.Adam(1e-2), loss, metrics=["accuracy", keras.metrics.AUC(name="auc")]), x


def graph(keras):
    layers, ops = keras.layers, keras.ops
    a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b")
    shared = layers.Dense(4, name="shared", kernel_initializer=keras.initializers.RandomNormal(stddev=0.2))
    inner = keras.Sequential([keras.Input((4,)), layers.Dense(6, activation="tanh"), layers.Dense(4)], name="inner")
    left, right = shared(a), shared(b)
    z = ops.relu(left) + inner(right) * 2.0 - 1.0
    z = ops.concatenate([z, left], axis=-1)
    part = ops.where(z[:, 1:3] > 0, z[:, 1:3], ops.zeros_like(z[:, 1:3]))
    joined = layers.Concatenate()([part, z])
    reduced = ops.mean(ops.reshape(joined, (-1, 5, 2)), axis=1)
    again = keras.Model(a, layers.Dense(2)(a), name="small")
    outputs = {"joined": layers.LayerNormalization()(joined), "sum": layers.Add()([reduced, again(right)])}
    model = keras.Model({"a": a, "b": b}, outputs)
    x1, x2 = inputs((4,), (4,))
    x = {"a": x1, "b": x2}
    losses = {"joined": "mse", "sum": "mae"}
    return train(model, x, keras.optimizers.SGD(0.1, momentum=0.9), losses, loss_weights={"joined": 1.0, "sum": 0.5}), x


def subclassed(keras):
    layers = keras.layers

    @keras.saving.register_keras_serializable("parity")
    class Block(layers.Layer):
        def __init__(self, units, **kwargs):
            super().__init__(**kwargs)
            self.units = units
            self.zeta = layers.Dense(units)
            self.alpha = self.zeta
            self.stack = [layers.Dense(units, activation="relu"), layers.Dropout(0.1), layers.Dense(units)]
            self.by_name = {"two": layers.Dense(units), "one": layers.LayerNormalization()}
            self.nested = [[layers.Dense(units)], {"k": layers.Dense(units)}, (layers.Dense(units), 3, None)]
            self._hidden = layers.Dense(units)

        @property
        def hidden(self):
            return self._hidden

        def build(self, shape):
            self.scale = self.add_weight(shape=(self.units,), initializer="ones", name="scale")
            self.count = self.add_weight(shape=(), initializer="zeros", trainable=False, name="count")
            self.zeta.build(shape)
            inside = (*shape[:-1], self.units)
            for layer in [
                *self.stack, *self.by_name.values(), self.nested[0][0], self.nested[1]["k"], self.nested[2][0], self._hidden,
            ]:  # fmt: skip
                layer.build(inside)

        def call(self, x, training=None):
            x = self.zeta(x) * self.scale
            for layer in [*self.stack, self.by_name["two"], self.by_name["one"]]:
                x = layer(x)
            return self._hidden(self.nested[2][0](self.nested[1]["k"](self.nested[0][0](x))))

        def get_config(self):
            return {**super().get_config(), "units": self.units}

    @keras.saving.register_keras_serializable("parity")
    class Net(keras.Model):
        def __init__(self, width=3, **kwargs):
            super().__init__(**kwargs)
            self.width = width
            self.block = Block(width)
            self.mix = [layers.Dense(2), layers.Dense(2)]
            self.head = keras.Sequential([layers.Dense(2), layers.Dense(1)])

        def call(self, x):
            x = self.block(x)
            return self.head(self.mix[0](x) + self.mix[1](x))

        def get_config(self):
            return {**super().get_config(), "width": self.width}

    x = inputs((5,))
    model = Net(4)
    model(x)
    return train(model, x, keras.optimizers.AdamW(1e-2)), x


def embedding(keras):
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((6,), dtype="int32"),
            layers.Embedding(10, 4),
            layers.Conv1D(3, 2, padding="causal"),
            layers.GroupNormalization(3),
            layers.UpSampling1D(2),
            layers.Flatten(),
            layers.RepeatVector(2),
            layers.Permute((2, 1)),
            layers.Dense(3, activation="gelu"),
            layers.EinsumDense("abc,cd->abd", output_shape=(None, 2)),
        ]
    )
    x = np.arange(24).reshape(4, 6).astype("int32") % 10
    return train(model, x, keras.optimizers.RMSprop(1e-2, momentum=0.5)), x


def schedule(keras):
    layers = keras.layers
    i = keras.Input((3,))
    h = layers.Dense(4, activation=keras.activations.silu)(i)
    model = keras.Model(i, [layers.Activation("softplus")(h), layers.Dense(1, use_bias=False)(h)])
    rate = keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9)
    model.compile(
        keras.optimizers.Adam(rate, amsgrad=True), loss=["mse", keras.losses.MeanAbsoluteError()], metrics=[["mae"], []]
    )
    x = inputs((3,))
    model.fit(x, [np.ones((4, 4), "float32"), np.ones((4, 1), "float32")], verbose=0)
    return model, x


def half_precision(keras):
    layers = keras.layers
    model = keras.Sequential(
        [keras.Input((4,)), layers.Dense(8, dtype="mixed_bfloat16"), layers.Dense(2, dtype="bfloat16")]
    )
    return model, inputs((4,))


MAKERS = [convnet, graph, subclassed, embedding, schedule, half_precision]


def flat(outputs):
    if isinstance(outputs, dict):
        return [np.asarray(outputs[key], "float32") for key in sorted(outputs)]
    return [np.asarray(o, "float32") for o in (outputs if isinstance(outputs, (list, tuple)) else [outputs])]


def facts(model, x):
    """What must be the same on both sides."""
    optimizer = getattr(model, "optimizer", None)
    return {
        "predictions": flat(model.predict(x, verbose=0)),
        "weights": [np.asarray(w, "float32") for w in model.get_weights()],
        "optimizer": [] if optimizer is None else [np.asarray(v.numpy(), "float32") for v in optimizer.variables],
    }


def save_facts(path, found):
    arrays = {f"{kind}/{i}": array for kind, values in found.items() for i, array in enumerate(values)}
    np.savez(path, **arrays)


def load_facts(path):
    found = {"predictions": [], "weights": [], "optimizer": []}
    with np.load(path) as arrays:
        for key in arrays:
            found[key.split("/")[0]].append(arrays[key])
    return found


def write(keras, folder):
    """Write every model and what it computes."""
    for make in MAKERS:
        model, x = make(keras)
        model.save(folder / f"{make.__name__}.keras")
        model.save_weights(folder / f"{make.__name__}.weights.h5")
        save_facts(folder / f"{make.__name__}.npz", facts(model, x))


def read(keras, folder):
    """Read every model; the errors, by name, and what each computes."""
    errors = {}
    for make in MAKERS:
        try:
            fresh, x = make(keras)  # registers its classes, too
            model = keras.saving.load_model(folder / f"{make.__name__}.keras")
            save_facts(folder / f"{make.__name__}.read.npz", facts(model, x))
            fresh.load_weights(folder / f"{make.__name__}.weights.h5")
            save_facts(folder / f"{make.__name__}.weights.npz", facts(fresh, x))
        except Exception as error:  # noqa: BLE001 - told to the test that started this
            errors[make.__name__] = f"{type(error).__name__}: {error}"
    (folder / "errors.json").write_text(json.dumps(errors))


if __name__ == "__main__":
    import keras

    {"write": write, "read": read}[sys.argv[1]](keras, pathlib.Path(sys.argv[2]))
