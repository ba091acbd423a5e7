"""Build on one framework, train on another, predict on a third: one live model, no files."""

import numpy as np

import tricera as keras

(x, y), (x_test, y_test) = keras.datasets.digits.load_data()
x, x_test = (a.reshape(len(a), -1).astype("float32") / 255 for a in (x, x_test))

with keras.backend.use("jax"):
    model = keras.Sequential(
        [
            keras.layers.Input((784,)),
            keras.layers.Dense(128, activation="relu"),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x, y, epochs=1)

for name in ("torch", "tensorflow"):
    before = model.predict(x_test, verbose=0)
    model.to_backend(name)
    difference = np.abs(model.predict(x_test, verbose=0) - before).max()
    print(
        f"moved to {name}: the predictions differ by {difference:.1e}; training goes on at step {int(model.optimizer.iterations)}"
    )
    model.fit(x, y, epochs=1)

model.to_backend("numpy")
print("on NumPy alone:", model.evaluate(x_test, y_test, verbose=0, return_dict=True))
