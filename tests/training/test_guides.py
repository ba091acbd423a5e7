"""Loops and training steps as Keras's guides have them, down to what they pass around."""

import numpy as np
import pytest

import tricera as keras
from tests.conftest import BACKENDS
from tricera import layers

X = np.random.default_rng(0).normal(size=(128, 6)).astype("float32")
Y = X[:, :3].argmax(1).astype("int32")


def needs(name):
    return pytest.mark.skipif(name not in BACKENDS, reason=f"needs {name}")


def classifier():
    inputs = keras.Input((6,))
    x = layers.Dropout(0.1)(layers.BatchNormalization()(layers.Dense(16, activation="relu")(inputs)))
    return keras.Model(inputs, layers.Dense(3)(x))


def batches(size=32):
    return [(X[i : i + size], Y[i : i + size]) for i in range(0, len(X), size)]


def test_every_metric_in_the_logs_of_a_step(trainable_backend):
    """`{m.name: m.result() for m in self.metrics}`, where those of `compile` are one whose result is a dict."""

    class Custom(keras.Model):
        def _tracked(self, loss, y, y_pred):
            for metric in self.metrics:
                if metric.name == "loss":
                    metric.update_state(loss)
                else:
                    metric.update_state(y, y_pred)
            return {m.name: m.result() for m in self.metrics}

        def train_step(self, data):
            x, y = data

            def forward():
                y_pred = self(x, training=True)
                return self.compute_loss(y=y, y_pred=y_pred), y_pred

            (loss, y_pred), grads = keras.value_and_grad(forward, self.trainable_variables, has_aux=True)()
            self.optimizer.apply(grads, self.trainable_variables)
            return self._tracked(loss, y, y_pred)

        def test_step(self, data):
            x, y = data
            y_pred = self(x, training=False)
            return self._tracked(self.compute_loss(y=y, y_pred=y_pred), y, y_pred)

    inputs = keras.Input((6,))
    model = Custom(inputs, layers.Dense(1)(inputs))
    model.compile("adam", "mse", metrics=["mae"])
    target = X.sum(1, keepdims=True)
    history = model.fit(X, target, epochs=2, batch_size=32, verbose=0, validation_split=0.25).history
    assert history.keys() == {"loss", "mae", "val_loss", "val_mae"}
    logs = model.evaluate(X, target, verbose=0, return_dict=True)
    error = model.predict(X, verbose=0) - target
    np.testing.assert_allclose([logs["loss"], logs["mae"]], [(error**2).mean(), np.abs(error).mean()], rtol=1e-4)


@needs("jax")
def test_a_jax_loop_that_passes_variables():
    import jax

    with keras.backend.use("jax"):
        model, optimizer = classifier(), keras.optimizers.Adam(1e-2)
        loss_fn = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        metric = keras.metrics.SparseCategoricalAccuracy()

        def loss_and_updates(tv, ntv, mv, x, y):
            y_pred, ntv = model.stateless_call(tv, ntv, x, training=True)
            return loss_fn(y, y_pred), (ntv, metric.stateless_update_state(mv, y, y_pred))

        grad_fn = jax.value_and_grad(loss_and_updates, has_aux=True)

        @jax.jit
        def train_step(state, data):
            tv, ntv, ov, mv = state
            (loss, (ntv, mv)), grads = grad_fn(tv, ntv, mv, *data)
            tv, ov = optimizer.stateless_apply(ov, grads, tv)
            return loss, (tv, ntv, ov, mv)

        optimizer.build(model.trainable_variables)
        state = (
            model.trainable_variables,
            model.non_trainable_variables,
            optimizer.variables,
            metric.variables,
        )
        before = model.get_weights()
        losses = []
        for _ in range(5):
            for data in batches():
                loss, state = train_step(state, data)
                losses.append(float(loss))
        assert losses[-1] < 0.7 * losses[0]
        assert 0.4 < float(metric.stateless_result(state[3])) <= 1
        for a, b in zip(model.get_weights(), before):
            np.testing.assert_array_equal(a, b)  # nothing was assigned on the way
        for variable, value in zip(model.trainable_variables + model.non_trainable_variables, state[0] + state[1]):
            variable.assign(value)
        assert (model.predict(X, verbose=0).argmax(1) == Y).mean() > 0.7


@needs("torch")
def test_a_torch_loop_with_our_optimizer():
    import torch

    with keras.backend.use("torch"):
        model, optimizer = classifier(), keras.optimizers.Adam(1e-2)
        loss_fn = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        data = torch.utils.data.TensorDataset(torch.from_numpy(X), torch.from_numpy(Y))
        for _ in range(5):
            for inputs, targets in torch.utils.data.DataLoader(data, batch_size=32, shuffle=True):
                loss = loss_fn(targets, model(inputs, training=True))
                model.zero_grad()
                weights = list(model.trainable_weights)
                loss.backward()
                with torch.no_grad():
                    optimizer.apply([v.value.grad for v in weights], weights)
        assert (model.predict(X, verbose=0).argmax(1) == Y).mean() > 0.7


@needs("tensorflow")
def test_a_tensorflow_loop_in_a_graph(capfd):
    """The optimizer is built while the graph is traced, and AutoGraph doesn't complain."""
    import tensorflow as tf

    with keras.backend.use("tensorflow"):
        model, optimizer = classifier(), keras.optimizers.Adam(1e-2)
        loss_fn = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        metric = keras.metrics.SparseCategoricalAccuracy()

        @tf.function
        def train_step(x, y):
            with tf.GradientTape() as tape:
                logits = model(x, training=True)
                loss = loss_fn(y, logits) + sum(model.losses)
            gradients = tape.gradient(loss, model.trainable_weights)
            optimizer.apply(gradients, model.trainable_weights)
            metric.update_state(y, logits)
            return loss

        for _ in range(5):
            metric.reset_state()
            for x, y in tf.data.Dataset.from_tensor_slices((X, Y)).batch(32):
                train_step(x, y)
        assert float(metric.result()) > 0.7 and int(optimizer.iterations) == 20
        assert "AutoGraph" not in capfd.readouterr().err


@needs("tensorflow")
def test_shapes_that_are_tensors():
    import tensorflow as tf

    @tf.function(input_signature=[tf.TensorSpec((None, 3))])
    def draw(x):
        return keras.random.uniform(tf.shape(x)), keras.ops.zeros(tf.shape(x)), keras.ops.ones(tf.shape(x)[0])

    with keras.backend.use("tensorflow"):
        assert [tuple(t.shape) for t in draw(tf.zeros((2, 3)))] == [(2, 3), (2, 3), (2,)]


@pytest.mark.parametrize("name", [n for n in ("jax", "tensorflow") if n in BACKENDS])
def test_a_model_that_is_built_inside_a_traced_function(name):
    class Custom(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(
                2, bias_initializer=lambda shape, dtype=None: keras.ops.ones(shape, dtype) * 2, name="dense"
            )

        def call(self, x):
            return self.dense(x)

    with keras.backend.use(name):
        model = Custom()
        if name == "jax":
            import jax

            outputs = jax.jit(model.__call__)(X)
        else:
            import tensorflow as tf

            outputs = tf.function(lambda x: model(x))(X)
        kernel, bias = model.get_weights()
        np.testing.assert_array_equal(bias, [2, 2])
        np.testing.assert_allclose(outputs, X @ kernel + bias, rtol=1e-4, atol=1e-5)


def test_stateless_call_drops_the_updates_of_metrics_in_layers(trainable_backend):
    class Watching(layers.Layer):
        def __init__(self):
            super().__init__()
            self.mean = keras.metrics.Mean(name="seen")

        def call(self, x):
            self.mean.update_state(x)
            return x

    model = keras.Sequential([keras.Input((6,)), Watching(), layers.Dense(1)])
    outputs, rest = model.stateless_call([v.value for v in model.trainable_variables], [], X)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(outputs), keras.ops.convert_to_numpy(model(X)), rtol=1e-5)
    assert rest == []
