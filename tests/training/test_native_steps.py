"""Custom steps and loops written for one framework, as Keras's guides have them."""

import numpy as np
import pytest

import tricera as keras
from tests.conftest import BACKENDS
from tricera import layers

x = np.random.default_rng(0).normal(size=(64, 3)).astype("float32")
y = x.sum(axis=1, keepdims=True)


def build(cls=None):
    if cls is None:
        model = keras.Sequential([layers.Input((3,)), layers.Dense(1)])
    else:
        inputs = layers.Input((3,))
        model = cls(inputs, layers.Dense(1)(inputs))
    return model


def check(model):
    model.compile(keras.optimizers.SGD(0.1), "mse")
    history = model.fit(x, y, batch_size=16, epochs=4, verbose=0).history
    assert history["loss"][-1] < 0.2 * history["loss"][0]


@pytest.mark.skipif("jax" not in BACKENDS, reason="needs jax")
def test_jax_stateless_train_step():
    import jax

    class Custom(keras.Model):
        def compute_loss_and_updates(self, tv, ntv, x, y, training=False):
            y_pred, ntv = self.stateless_call(tv, ntv, x, training=training)
            return self.compute_loss(x, y, y_pred), (y_pred, ntv)

        def train_step(self, state, data):
            tv, ntv, ov, mv = state
            x, y = data
            grad_fn = jax.value_and_grad(self.compute_loss_and_updates, has_aux=True)
            (loss, (y_pred, ntv)), grads = grad_fn(tv, ntv, x, y, training=True)
            tv, ov = self.optimizer.stateless_apply(ov, grads, tv)
            new_mv, logs, i = [], {}, 0
            for metric in self.metrics:
                values = mv[i : i + len(metric.variables)]
                i += len(metric.variables)
                if metric.name == "loss":
                    values = metric.stateless_update_state(values, loss)
                    logs["loss"] = metric.stateless_result(values)
                new_mv += values
            return logs, (tv, ntv, ov, new_mv)

    with keras.backend.use("jax"):
        check(build(Custom))


@pytest.mark.skipif("torch" not in BACKENDS, reason="needs torch")
def test_torch_train_step_with_backward():
    import torch

    class Custom(keras.Model):
        def train_step(self, data):
            x, y = data
            self.zero_grad()
            loss = self.compute_loss(y=y, y_pred=self(x, training=True))
            loss.backward()
            weights = list(self.trainable_weights)
            gradients = [v.value.grad for v in weights]
            with torch.no_grad():
                self.optimizer.apply(gradients, weights)
            return {"loss": loss}

    with keras.backend.use("torch"):
        check(build(Custom))


@pytest.mark.skipif("tensorflow" not in BACKENDS, reason="needs tensorflow")
def test_tensorflow_train_step_with_a_tape():
    import tensorflow as tf

    class Custom(keras.Model):
        def train_step(self, data):
            x, y = data
            with tf.GradientTape() as tape:
                loss = self.compute_loss(y=y, y_pred=self(x, training=True))
            gradients = tape.gradient(loss, self.trainable_variables)
            self.optimizer.apply(gradients, self.trainable_variables)
            return {"loss": loss}

    with keras.backend.use("tensorflow"):
        check(build(Custom))


@pytest.mark.skipif("torch" not in BACKENDS, reason="needs torch")
def test_hand_written_torch_loop_with_a_torch_optimizer():
    import torch

    with keras.backend.use("torch"):
        model = build()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        inputs, targets = torch.from_numpy(x), torch.from_numpy(y)
        losses = []
        for _ in range(20):
            loss = torch.nn.functional.mse_loss(model(inputs), targets)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        assert losses[-1] < 0.2 * losses[0]


@pytest.mark.skipif("jax" not in BACKENDS, reason="needs jax")
def test_hand_written_jax_loop():
    import jax

    with keras.backend.use("jax"):
        model, optimizer = build(), keras.optimizers.SGD(0.1)
        optimizer.build(model.trainable_variables)

        def loss_fn(tv, ntv, x, y):
            y_pred, ntv = model.stateless_call(tv, ntv, x)
            return ((y_pred - y) ** 2).mean(), ntv

        @jax.jit
        def step(state, x, y):
            tv, ntv, ov = state
            (loss, ntv), grads = jax.value_and_grad(loss_fn, has_aux=True)(tv, ntv, x, y)
            tv, ov = optimizer.stateless_apply(ov, grads, tv)
            return loss, (tv, ntv, ov)

        state = tuple(
            [v.value for v in g]
            for g in (model.trainable_variables, model.non_trainable_variables, optimizer.variables)
        )
        losses = []
        for _ in range(20):
            loss, state = step(state, x, y)
            losses.append(float(loss))
        assert losses[-1] < 0.2 * losses[0]


def test_one_neutral_loop(trainable_backend):
    model, optimizer = build(), keras.optimizers.Adam(0.05)
    inputs, targets = (keras.ops.convert_to_tensor(a) for a in (x, y))
    step = keras.value_and_grad(
        lambda: keras.losses.MeanSquaredError()(targets, model(inputs)), model.trainable_variables
    )
    losses = []
    for _ in range(60):
        loss, gradients = step()
        optimizer.apply(gradients, model.trainable_variables)
        losses.append(float(loss))
    assert losses[-1] < 0.2 * losses[0]
