"""A hand-written training loop in JAX over a Tricera model and optimizer: state goes in and comes out as values."""

import jax
import numpy as np

import tricera as keras

keras.backend.set_backend("jax")
rng = np.random.default_rng(0)
x = rng.normal(size=(256, 3)).astype("float32")
y = x @ np.array([[1.0], [-2.0], [0.5]], "float32")

model = keras.Sequential([keras.layers.Input((3,)), keras.layers.Dense(1)])
optimizer = keras.optimizers.Adam(0.05)
optimizer.build(model.trainable_variables)


def loss_fn(trainable, non_trainable, x, y):
    y_pred, non_trainable = model.stateless_call(trainable, non_trainable, x)
    return ((y_pred - y) ** 2).mean(), non_trainable


@jax.jit
def step(state, x, y):
    trainable, non_trainable, slots = state
    (loss, non_trainable), grads = jax.value_and_grad(loss_fn, has_aux=True)(trainable, non_trainable, x, y)
    trainable, slots = optimizer.stateless_apply(slots, grads, trainable)
    return loss, (trainable, non_trainable, slots)


groups = (model.trainable_variables, model.non_trainable_variables, optimizer.variables)
state = tuple([v.value for v in group] for group in groups)
for _ in range(100):
    loss, state = step(state, x, y)
for group, values in zip(groups, state, strict=True):
    for variable, value in zip(group, values, strict=True):
        variable.assign(value)
print(f"loss {float(loss):.6f}, evaluated {float(np.mean((model.predict(x, verbose=0) - y) ** 2)):.6f}")
