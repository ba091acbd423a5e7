"""A hand-written training loop that runs unchanged on JAX, PyTorch and TensorFlow."""

import numpy as np

import tricera as keras
from tricera import ops

rng = np.random.default_rng(0)
x = rng.normal(size=(256, 3)).astype("float32")
y = x @ np.array([[1.0], [-2.0], [0.5]], "float32")

for name in ("jax", "torch", "tensorflow"):
    if name not in keras.backend.installed():
        continue
    with keras.backend.use(name):
        model = keras.Sequential([keras.layers.Input((3,)), keras.layers.Dense(1)])
        optimizer, loss_of = keras.optimizers.Adam(0.05), keras.losses.MeanSquaredError()
        inputs, targets = ops.convert_to_tensor(x), ops.convert_to_tensor(y)
        step = keras.value_and_grad(lambda: loss_of(targets, model(inputs)), model.trainable_variables)  # noqa: B023
        for _ in range(100):
            loss, gradients = step()
            optimizer.apply(gradients, model.trainable_variables)
        print(f"{name:12} loss {float(loss):.6f}")
