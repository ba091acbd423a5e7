"""fit, evaluate and predict on each framework: what they compute, log, and refuse."""

import numpy as np
import pytest

import tricera as keras
from tricera import layers, ops


def regression(n=64, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 3)).astype("float32")
    return x, (x @ np.array([[1.0], [-2.0], [0.5]], "float32") + 0.3)


def linear(**options):
    model = keras.Sequential([layers.Input((3,)), layers.Dense(1)])
    model.compile(**{"optimizer": keras.optimizers.SGD(0.1), "loss": "mse", **options})
    return model


def test_one_epoch_is_gradient_descent_by_hand(trainable_backend):
    x, y = regression()
    model = linear()
    w, b = (v.astype("float64") for v in model.get_weights())
    losses = []
    for i in range(0, 64, 16):
        xb, yb = x[i : i + 16], y[i : i + 16]
        error = xb @ w + b - yb
        losses.append(np.mean(error**2))
        w, b = w - 0.1 * 2 * xb.T @ error / 16, b - 0.1 * 2 * error.mean(0)
    history = model.fit(x, y, batch_size=16, epochs=1, shuffle=False, verbose=0)
    np.testing.assert_allclose(model.get_weights()[0], w, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(model.get_weights()[1], b, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(history.history["loss"], [np.mean(losses)], rtol=1e-4)


def test_same_seed_same_run_on_all_frameworks():
    from tests.conftest import TRAINABLE

    x, y = regression()
    found = {}
    for name in TRAINABLE:
        keras.utils.set_random_seed(5)
        with keras.backend.use(name):
            model = keras.Sequential([layers.Input((3,)), layers.Dense(8, activation="tanh"), layers.Dense(1)])
            start = model.get_weights()
            model.compile("adam", "mse", metrics=["mae"])
            history = model.fit(x, y, batch_size=16, epochs=3, validation_split=0.25, verbose=0).history
            found[name] = (start, history)
    first_start, first = found[TRAINABLE[0]]
    for start, history in found.values():
        for a, b in zip(first_start, start):
            np.testing.assert_array_equal(a, b)  # to the bit
        assert history.keys() == first.keys() == {"loss", "mae", "val_loss", "val_mae"}
        for key in first:
            np.testing.assert_allclose(history[key], first[key], rtol=1e-4)


@pytest.mark.parametrize("options", [{"run_eagerly": True}, {"steps_per_execution": 3}, {"jit_compile": False}])
def test_modes_give_the_same_numbers(trainable_backend, options):
    x, y = regression(70)  # the last batch is partial
    results = []
    for extra in ({}, options):
        keras.utils.set_random_seed(3)
        model = linear(metrics=["mae"], **extra)
        history = model.fit(x, y, batch_size=16, epochs=2, verbose=0).history
        results.append((history, model.get_weights(), model.predict(x, batch_size=16, verbose=0)))
    for key in results[0][0]:
        np.testing.assert_allclose(results[1][0][key], results[0][0][key], rtol=1e-5)
    np.testing.assert_allclose(results[1][2], results[0][2], rtol=1e-4, atol=1e-5)


def test_evaluate_predict_and_batches_agree(backend):
    x, y = regression()
    model = linear(metrics=["mae"])
    predicted = model.predict(x, batch_size=10, verbose=0)
    np.testing.assert_allclose(predicted, model.predict_on_batch(x), rtol=1e-5)
    loss, mae = model.evaluate(x, y, batch_size=10, verbose=0)
    np.testing.assert_allclose(loss, np.mean((predicted - y) ** 2), rtol=1e-4)
    np.testing.assert_allclose(mae, np.mean(np.abs(predicted - y)), rtol=1e-4)
    assert model.evaluate(x, y, verbose=0, return_dict=True).keys() == {"loss", "mae"}
    model.reset_metrics()
    result = model.test_on_batch(x, y, return_dict=True)
    np.testing.assert_allclose(result["loss"], loss, rtol=1e-4)


def test_train_on_batch_learns(trainable_backend):
    x, y = regression()
    model = linear()
    losses = []
    for _ in range(20):
        model.reset_metrics()
        losses.append(model.train_on_batch(x, y))
    assert losses[-1] < 0.1 * losses[0]


def test_sample_and_class_weights(trainable_backend):
    x = np.random.default_rng(0).normal(size=(32, 3)).astype("float32")
    y = np.arange(32) % 2
    model = keras.Sequential([layers.Input((3,)), layers.Dense(2, activation="softmax")])
    model.compile(keras.optimizers.SGD(0.0), "sparse_categorical_crossentropy")
    p = model.predict(x, verbose=0)
    each = -np.log(p[np.arange(32), y])
    weights = np.where(y == 1, 3.0, 0.5)
    expected = np.mean(each * weights)
    kwargs = {"batch_size": 32, "verbose": 0}
    by_class = model.fit(x, y, class_weight={0: 0.5, 1: 3.0}, **kwargs).history["loss"][0]
    by_sample = model.fit(x, y, sample_weight=weights, **kwargs).history["loss"][0]
    np.testing.assert_allclose([by_class, by_sample], expected, rtol=1e-4)


def test_outputs_in_a_dict_with_their_own_losses(trainable_backend):
    x, y = regression()
    inputs = layers.Input((3,))
    model = keras.Model(inputs, {"a": layers.Dense(1, name="a")(inputs), "b": layers.Dense(2, name="b")(inputs)})
    model.compile("sgd", {"a": "mse", "b": "mae"}, loss_weights={"a": 2.0, "b": 0.5}, metrics={"a": ["mae"]})
    targets = {"a": y, "b": np.repeat(y, 2, axis=1)}
    logs = model.evaluate(x, targets, batch_size=64, verbose=0, return_dict=True)
    assert logs.keys() == {"loss", "a_loss", "b_loss", "a_mae"}
    np.testing.assert_allclose(logs["loss"], 2 * logs["a_loss"] + 0.5 * logs["b_loss"], rtol=1e-5)
    history = model.fit(x, targets, epochs=3, verbose=0).history
    assert history["loss"][-1] < history["loss"][0]


def test_one_neutral_train_step(trainable_backend):
    class Custom(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(1)
            self.seen = keras.metrics.Sum(name="seen")

        def call(self, x):
            return self.dense(x)

        def train_step(self, data):
            x, y = data
            loss, grads = keras.value_and_grad(
                lambda: self.compute_loss(y=y, y_pred=self(x, training=True)), self.trainable_variables
            )()
            self.optimizer.apply(grads, self.trainable_variables)
            self.seen.update_state(ops.ones((x.shape[0],)))
            return {"loss": loss, "seen": self.seen.result()}

    x, y = regression()
    model = Custom()
    model.compile(keras.optimizers.SGD(0.1), "mse")
    history = model.fit(x, y, batch_size=16, epochs=3, verbose=0).history
    assert history["loss"][-1] < history["loss"][0]
    assert history["seen"] == [64.0, 64.0, 64.0]


def test_add_loss_regularizers_and_metrics_in_layers(trainable_backend):
    class Penalty(layers.Layer):
        def __init__(self):
            super().__init__()
            self.m = keras.metrics.Mean(name="activity")

        def call(self, x):
            self.add_loss(ops.mean(ops.square(x)))
            self.m.update_state(ops.mean(x))
            return x

    x, y = regression(16)
    model = keras.Sequential(
        [layers.Input((3,)), Penalty(), layers.Dense(1, kernel_regularizer=keras.regularizers.L2(0.1))]
    )
    model.compile(keras.optimizers.SGD(0.0), "mse")
    w, _ = model.get_weights()
    logs = model.evaluate(x, y, verbose=0, batch_size=16, return_dict=True)
    expected = np.mean((model.predict(x, verbose=0) - y) ** 2) + np.mean(x**2) + 0.1 * np.sum(w**2)
    np.testing.assert_allclose(logs["loss"], expected, rtol=1e-4)
    np.testing.assert_allclose(logs["activity"], np.mean(x), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(model.fit(x, y, verbose=0, batch_size=16).history["loss"][0], expected, rtol=1e-4)


def test_freezing_after_compile_counts(trainable_backend):
    x, y = regression()
    model = keras.Sequential([layers.Input((3,)), layers.Dense(4), layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(x, y, verbose=0)
    model.layers[0].trainable = False
    before = model.get_weights()
    model.fit(x, y, verbose=0)
    after = model.get_weights()
    np.testing.assert_array_equal(before[0], after[0])
    assert np.abs(before[2] - after[2]).max() > 0


def test_callbacks_that_edit_weights_work(trainable_backend):
    x, y = regression()

    class Zero(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.set_weights([np.zeros_like(w) for w in self.model.get_weights()])

    model = linear()
    model.fit(x, y, callbacks=[Zero()], verbose=0)
    assert all(np.all(w == 0) for w in model.get_weights())


def test_stop_training_in_a_batch(trainable_backend):
    seen = []

    class Stop(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.append(batch)
            self.model.stop_training = batch == 1

    x, y = regression()
    linear().fit(x, y, batch_size=16, epochs=3, callbacks=[Stop()], verbose=0)
    assert seen == [0, 1]


def test_weights_read_before_training_survive_it(trainable_backend):
    x, y = regression()
    model = linear()
    value = model.layers[0].kernel.value
    copy = np.array(ops.convert_to_numpy(value))
    view = model.layers[0].kernel.numpy()
    model.fit(x, y, epochs=2, verbose=0)
    np.testing.assert_array_equal(view, copy)
    if trainable_backend == "jax":  # torch and TensorFlow update in place, JAX must not delete what others hold
        np.testing.assert_array_equal(np.asarray(value), copy)


def test_training_goes_on_after_a_move():
    from tests.conftest import TRAINABLE

    x, y = regression()
    model = linear(optimizer="adam")
    model.fit(x, y, epochs=2, verbose=0)
    for name in TRAINABLE:
        before, steps = model.predict(x, verbose=0), int(model.optimizer.iterations)
        model.to_backend(name)
        assert model.backend == name
        np.testing.assert_allclose(model.predict(x, verbose=0), before, atol=1e-5)
        first = model.evaluate(x, y, verbose=0)
        model.fit(x, y, epochs=2, verbose=0)
        assert int(model.optimizer.iterations) == steps + 4
        assert model.evaluate(x, y, verbose=0) < first


def test_losses_for_nested_outputs(trainable_backend):
    """Each output finds its loss, target, factor and weight in structures like its own; one that lacks a target is named."""
    x = layers.Input((3,))
    a, b, c = (layers.Dense(1, name=name)(x) for name in "abc")
    model = keras.Model(x, {"u": {"v": a}, "w": [b, c]})
    data, y = regression(8)
    targets = {"u": {"v": y}, "w": [2 * y, 3 * y]}
    given = np.arange(8, dtype="float32")
    losses = {"u": {"v": "mse"}, "w": ["mae", None]}
    model.compile("sgd", losses, loss_weights={"u": {"v": 0.5}, "w": [2.0, 1.0]}, run_eagerly=True)
    weights = {"u": {"v": given}, "w": [given + 1, given]}
    found = model.evaluate(data, targets, sample_weight=weights, verbose=0, return_dict=True)
    out = model.predict(data, verbose=0)
    first = np.mean((out["u"]["v"] - y)[:, 0] ** 2 * given)
    second = np.mean(np.abs(out["w"][0] - 2 * y)[:, 0] * (given + 1))
    wanted = {"loss": 0.5 * first + 2 * second, "u/v_loss": first, "w/b_loss": second}
    assert found == pytest.approx(wanted, rel=1e-4)
    model.compile("sgd", "mse", run_eagerly=True)
    with pytest.raises(ValueError, match="'a' has a loss.*no(thing|t)"):
        model.fit(data, {"w": [y, y]}, verbose=0)


def test_activity_penalties_and_an_output_without_weights(trainable_backend):
    """In batches of several sizes, from arrays in memory; None among the weights means none for that output."""
    x, y = regression(12)
    inputs = layers.Input((3,))
    a, b = layers.Dense(1, activity_regularizer=keras.regularizers.L1(0.1))(inputs), layers.Dense(1)(inputs)
    model = keras.Model(inputs, [a, b])
    model.compile(keras.optimizers.SGD(0.0), ["mse", "mse"])
    given = np.arange(12, dtype="float32")
    model.fit(x, [y, y], sample_weight=[given, None], batch_size=5, epochs=2, verbose=0)
    first, second = model.predict(x, verbose=0)
    wanted = np.mean((first - y)[:, 0] ** 2 * given) + np.mean((second - y) ** 2) + 0.1 * np.abs(first).mean()
    for size in (12, 5, 4):
        found = model.evaluate(x, [y, y], sample_weight=[given, None], batch_size=size, verbose=0)[0]
        assert found == pytest.approx(wanted, rel=1e-3)


def test_a_model_that_names_its_metrics_itself(trainable_backend):
    """Those of `compile`, which it leaves out, are updated in its steps all the same."""

    class Own(keras.Model):
        def __init__(self, *args):
            super().__init__(*args)
            self.mine = keras.metrics.Mean(name="mine")

        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            loss = ops.mean(ops.square(y_pred - y))
            self.mine.update_state(loss)
            return loss

        @property
        def metrics(self):
            return [self.mine]

    x, y = regression(8)
    inputs = layers.Input((3,))
    model = Own(inputs, layers.Dense(1)(inputs))
    model.compile(keras.optimizers.SGD(0.0))
    wanted = np.mean((model.predict(x, verbose=0) - y) ** 2)
    found = model.fit(x, y, batch_size=4, epochs=2, verbose=0).history
    assert found == {"mine": pytest.approx([wanted, wanted], rel=1e-4)}


def test_validation_steps_take_the_same_samples_each_time(trainable_backend):
    x, y = regression(12)
    model = linear(optimizer=keras.optimizers.SGD(0.0), run_eagerly=True)
    fit = {"batch_size": 12, "epochs": 3, "verbose": 0, "validation_batch_size": 5, "validation_steps": 2}
    found = model.fit(x, y, validation_data=(x, y), **fit).history["val_loss"]
    assert found == pytest.approx([np.mean((model.predict(x[:10], verbose=0) - y[:10]) ** 2)] * 3, rel=1e-4)
    rows = ((x[i : i + 3], y[i : i + 3]) for i in range(0, 12, 3))  # what can be read only once goes on
    model.fit(x, y, validation_data=rows, **{**fit, "epochs": 4, "validation_steps": 1, "validation_batch_size": None})
    assert len(set(model.history.history["val_loss"])) == 4


@pytest.mark.parametrize(
    "act, error, says",
    [
        (lambda m, x, y: keras.Sequential([layers.Dense(1)]).fit(x, y), ValueError, "compile"),
        (lambda m, x, y: m.fit(x, y[:-1], verbose=0), ValueError, "63"),
        (
            lambda m, x, y: m.fit(x, (y > 0).astype(int)[:, 0], class_weight={0: float("nan"), 1: 1.0}, verbose=0),
            ValueError,
            "class_weight",
        ),
        (lambda m, x, y: m.fit(x[:, :2], y, verbose=0), ValueError, "shape"),
        (lambda m, x, y: m.fit(x, y, epochs=1.5, verbose=0), ValueError, "epochs.*1.5"),
        (lambda m, x, y: m.fit(x, y, initial_epoch=-1, verbose=0), ValueError, "initial_epoch.*-1"),
        (lambda m, x, y: m.fit(x, y, validation_freq=0, verbose=0), ValueError, "validation_freq.*0"),
        (lambda m, x, y: m.fit(x, y, validation_freq="2", verbose=0), ValueError, "validation_freq.*'2'"),
        (
            lambda m, x, y: m.compile("sgd", keras.losses.Huber(reduction=None)) or m.fit(x, y, verbose=0),
            ValueError,
            "reduction",
        ),
        (lambda m, x, y: m.compile("nonsense", "mse"), ValueError, "nonsense"),
        (lambda m, x, y: m.compile("sgd", "nonsense"), ValueError, "nonsense"),
        (lambda m, x, y: m.save(f"{__file__}/x.keras"), OSError, "x.keras"),
    ],
)
def test_wrong_input_is_refused_at_the_door(trainable_backend, act, error, says):
    x, y = regression()
    with pytest.raises(error, match=says):
        act(linear(), x, y)


def test_numpy_refuses_to_train_and_says_what_to_do():
    x, y = regression()
    with keras.backend.use("numpy"):
        model = linear()
        with pytest.raises(NotImplementedError, match="to_backend"):
            model.fit(x, y, verbose=0)
