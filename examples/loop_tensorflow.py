"""A hand-written training loop in TensorFlow over a Tricera model and optimizer."""

import numpy as np
import tensorflow as tf

import tricera as keras

keras.backend.set_backend("tensorflow")
rng = np.random.default_rng(0)
x = tf.constant(rng.normal(size=(256, 3)).astype("float32"))
y = x @ tf.constant([[1.0], [-2.0], [0.5]])

model = keras.Sequential([keras.layers.Input((3,)), keras.layers.Dense(1)])
optimizer = keras.optimizers.Adam(0.05)
optimizer.build(model.trainable_variables)


@tf.function(autograph=False)
def step(x, y):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((model(x, training=True) - y) ** 2)
    optimizer.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)
    return loss


for _ in range(100):
    loss = step(x, y)
print(f"loss {float(loss):.6f}")
