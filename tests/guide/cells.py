"""The cells of the guide "Introduction to Keras for engineers", cut to a few hundred images; run under `python -m tricera run`."""

import os
import sys

import numpy as np

os.environ["KERAS_BACKEND"] = "jax"

import keras

(x_train, y_train), (x_test, y_test) = keras.datasets.digits.load_data()
x_train, y_train, x_test, y_test = x_train[:300], y_train[:300], x_test[:100], y_test[:100]
x_train = np.expand_dims(x_train.astype("float32") / 255, -1)
x_test = np.expand_dims(x_test.astype("float32") / 255, -1)

num_classes = 10
model = keras.Sequential(
    [
        keras.layers.Input(shape=(28, 28, 1)),
        keras.layers.Conv2D(8, kernel_size=(3, 3), activation="relu"),
        keras.layers.MaxPooling2D(pool_size=(2, 2)),
        keras.layers.Conv2D(8, kernel_size=(3, 3), activation="relu"),
        keras.layers.GlobalAveragePooling2D(),
        keras.layers.Dropout(0.5),
        keras.layers.Dense(num_classes, activation="softmax"),
    ]
)
model.summary()


def compile_it(model):
    model.compile(
        loss=keras.losses.SparseCategoricalCrossentropy(),
        optimizer=keras.optimizers.Adam(learning_rate=1e-3),
        metrics=[keras.metrics.SparseCategoricalAccuracy(name="acc")],
    )


compile_it(model)
callbacks = [
    keras.callbacks.ModelCheckpoint(filepath="model_at_epoch_{epoch}.keras"),
    keras.callbacks.EarlyStopping(monitor="val_loss", patience=2),
]
model.fit(x_train, y_train, batch_size=128, epochs=2, validation_split=0.15, callbacks=callbacks)
score = model.evaluate(x_test, y_test, verbose=0)
model.save("final_model.keras")
before = model.predict(x_test, verbose=0)
model = keras.saving.load_model("final_model.keras")
predictions = model.predict(x_test)
np.testing.assert_allclose(predictions, before, atol=1e-6)
np.testing.assert_allclose(model.evaluate(x_test, y_test, verbose=0), score, rtol=1e-5)


class MyDense(keras.layers.Layer):
    def __init__(self, units, activation=None, name=None):
        super().__init__(name=name)
        self.units = units
        self.activation = keras.activations.get(activation)

    def build(self, input_shape):
        self.w = self.add_weight(
            shape=(input_shape[-1], self.units),
            initializer=keras.initializers.GlorotNormal(),
            name="kernel",
            trainable=True,
        )
        self.b = self.add_weight(
            shape=(self.units,), initializer=keras.initializers.Zeros(), name="bias", trainable=True
        )

    def call(self, inputs):
        return self.activation(keras.ops.matmul(inputs, self.w) + self.b)


class MyDropout(keras.layers.Layer):
    def __init__(self, rate, name=None):
        super().__init__(name=name)
        self.rate = rate
        self.seed_generator = keras.random.SeedGenerator(1337)

    def call(self, inputs):
        return keras.random.dropout(inputs, self.rate, seed=self.seed_generator)


class MyModel(keras.Model):
    def __init__(self, num_classes):
        super().__init__()
        self.conv_base = keras.Sequential(
            [
                keras.layers.Conv2D(8, kernel_size=(3, 3), activation="relu"),
                keras.layers.MaxPooling2D(pool_size=(2, 2)),
                keras.layers.GlobalAveragePooling2D(),
            ]
        )
        self.dp = MyDropout(0.5)
        self.dense = MyDense(num_classes, activation="softmax")

    def call(self, x):
        return self.dense(self.dp(self.conv_base(x)))


model = MyModel(num_classes=10)
compile_it(model)
model.fit(x_train, y_train, batch_size=128, epochs=1, validation_split=0.15)

if "torch" in sys.argv:
    import torch

    train, test = (
        torch.utils.data.TensorDataset(torch.from_numpy(x), torch.from_numpy(y))
        for x, y in ((x_train, y_train), (x_test, y_test))
    )
    model = MyModel(num_classes=10)
    compile_it(model)
    model.fit(
        torch.utils.data.DataLoader(train, batch_size=128, shuffle=True),
        epochs=1,
        validation_data=torch.utils.data.DataLoader(test, batch_size=128),
    )

if "tensorflow" in sys.argv:
    import tensorflow as tf

    train, test = (
        tf.data.Dataset.from_tensor_slices(d).batch(128).prefetch(2) for d in ((x_train, y_train), (x_test, y_test))
    )
    model = MyModel(num_classes=10)
    compile_it(model)
    model.fit(train, epochs=1, validation_data=test)

print("backend", keras.backend.backend())
