"""The "Introduction to Keras for engineers" in short: a convnet on handwritten digits.

    TRICERA_BACKEND=jax python examples/guide.py

The digits come with Tricera, so nothing is downloaded.
"""

import tempfile
import time
from pathlib import Path

import numpy as np

import tricera as keras

keras.utils.set_random_seed(1)
(x_train, y_train), (x_test, y_test) = keras.datasets.digits.load_data()
x_train = np.expand_dims(x_train.astype("float32") / 255, -1)
x_test = np.expand_dims(x_test.astype("float32") / 255, -1)
print(f"backend: {keras.backend.backend()}, {len(x_train)} training images, {len(x_test)} test images")

model = keras.Sequential(
    [
        keras.layers.Input((28, 28, 1)),
        keras.layers.Conv2D(64, kernel_size=(3, 3), activation="relu"),
        keras.layers.Conv2D(64, kernel_size=(3, 3), activation="relu"),
        keras.layers.MaxPooling2D(pool_size=(2, 2)),
        keras.layers.Conv2D(128, kernel_size=(3, 3), activation="relu"),
        keras.layers.Conv2D(128, kernel_size=(3, 3), activation="relu"),
        keras.layers.GlobalAveragePooling2D(),
        keras.layers.Dropout(0.5),
        keras.layers.Dense(10, activation="softmax"),
    ]
)
model.summary()
batch_size, epochs = 16, 4
steps = epochs * -(-len(x_train) // batch_size)
schedule = keras.optimizers.schedules.CosineDecay(1e-4, steps, warmup_target=3e-3, warmup_steps=steps // 10)
model.compile(
    loss=keras.losses.SparseCategoricalCrossentropy(),
    optimizer=keras.optimizers.Adam(schedule),
    metrics=[keras.metrics.SparseCategoricalAccuracy(name="acc")],
)

start = time.time()
model.fit(x_train, y_train, batch_size=batch_size, epochs=epochs)
loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
print(f"test accuracy: {accuracy:.4f} after {time.time() - start:.0f} s")

with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "digits.keras"
    model.save(path)
    restored = keras.saving.load_model(path)
    difference = np.abs(restored.predict(x_test[:100], verbose=0) - model.predict(x_test[:100], verbose=0)).max()
    print(f"saved to {path.name} and loaded again: largest difference of the predictions {difference:.1e}")
