"""Training with several outputs, weights, own steps and callbacks, written once for `keras` and for Tricera: what is reported, under
which name, in which order, and where the weights end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

N = 12
RNG = np.random.default_rng(3)
X, A, B = (RNG.normal(size=(N, n)).astype("float32") for n in (4, 2, 1))
WEIGHTS = [RNG.uniform(size=N).astype("float32") for _ in range(2)]
CLASSES = RNG.integers(0, 3, N)
CASES: dict[str, Callable[[Any], dict[str, Any]]] = {}


def _fill(model: Any) -> Any:
    rng = np.random.default_rng(5)
    model.set_weights([rng.normal(0.0, 0.6, [int(n) for n in w.shape]).astype("float32") for w in model.weights])
    return model


def _ran(model: Any, y: Any, x: Any = X, **options: Any) -> dict[str, Any]:
    """History, evaluation as a dict and as a list, names of metrics, and weights."""
    options = {"batch_size": 4, "epochs": 2, "shuffle": False, "verbose": 0, **options}
    history = model.fit(x, y, **options).history
    found = model.evaluate(x, y, batch_size=5, verbose=0, return_dict=True)
    listed = model.evaluate(x, y, batch_size=5, verbose=0)
    return {
        "history names": list(history), "evaluate names": sorted(found), "metrics": [m.name for m in model.metrics],
        "evaluate": np.asarray(listed, "float64"),
        **{f"history/{name}": np.asarray(values, "float64") for name, values in history.items()},
        **{f"evaluate/{name}": np.asarray(value, "float64") for name, value in found.items()},
        **{f"weight/{i}": w for i, w in enumerate(model.get_weights())},
    }  # fmt: skip


def _several(
    name: str, outputs: Callable[[Any, Any], Any], y: Any, loss: Any, own: bool = False, **options: Any
) -> None:
    """A model of two heads under `compile` with these options; what is a function gets the module."""
    given = {key: options.pop(key) for key in ("sample_weight", "validation_split") if key in options}

    def case(k: Any) -> dict[str, Any]:
        if own:

            class Own(k.Model):  # type: ignore[misc, name-defined]
                def __init__(self) -> None:
                    super().__init__()
                    self.a, self.b = k.layers.Dense(2, name="a"), k.layers.Dense(1, name="b")

                def call(self, x: Any) -> Any:
                    return outputs(self.a(x), self.b(x))

            model = Own()
            model(X)
        else:
            x = k.Input((4,))
            hidden = k.layers.Dense(3, activation="tanh")(x)
            model = k.Model(x, outputs(k.layers.Dense(2, name="a")(hidden), k.layers.Dense(1, name="b")(hidden)))
        made = {key: value(k) if callable(value) else value for key, value in {"loss": loss, **options}.items()}
        _fill(model).compile(k.optimizers.SGD(0.1), **made)
        return _ran(model, y, **given)

    CASES[name] = case


def _pair(a: Any, b: Any) -> Any:
    return [a, b]


def _dict(a: Any, b: Any) -> Any:
    return {"q": a, "p": b}


def _nested(a: Any, b: Any) -> Any:
    return {"u": {"v": a}, "w": [b]}


_BY_KEY = {"q": A, "p": B}
_several("a list", _pair, [A, B], ["mse", "mae"], metrics=[["mae", "mse"], ["mse"]])
_several("one loss for all", _pair, [A, B], "mse", metrics=["mae", "mse"])
_several("one output without", _pair, [A, B], ["mse", None])
_several("by layer", _pair, {"a": A, "b": B}, {"b": "mae", "a": "mse"}, loss_weights={"a": 0.3, "b": 2.0})
_several("factors", _pair, [A, B], ["mse", "mae"], loss_weights=[0.3, 2.0])
_several("a dict", _dict, _BY_KEY, {"q": "mse", "p": "mae"}, metrics={"q": ["mae", "mse"], "p": "mse"})
_several("a dict's order", _dict, _BY_KEY, {"p": "mse", "q": "mae"}, loss_weights={"q": 0.3, "p": 2.0})
_several("one of a dict", _dict, _BY_KEY, {"q": "mse"}, metrics={"p": ["mae"]})
_several("nested", _nested, {"u": {"v": A}, "w": [B]}, {"u": {"v": "mse"}, "w": ["mae"]})
_several("nested, one loss", _nested, {"u": {"v": A}, "w": [B]}, "mse")
_several("lists in a list", lambda a, b: [[a], b], [[A], B], [["mse"], "mae"])
_several("a dict in a list", lambda a, b: [{"p": a}, b], [{"p": A}, B], [{"p": "mse"}, "mae"])
_several("own list", _pair, [A, B], ["mse", "mae"], own=True, metrics=[["mape", "mse"], ["mae"]])
_several("own dict", _dict, _BY_KEY, {"q": "mse", "p": "mae"}, own=True, metrics={"q": ["mae"]})
_several("own nested", _nested, {"u": {"v": A}, "w": [B]}, {"u": {"v": "mse"}, "w": ["mae"]}, own=True)
_several("weights", _dict, _BY_KEY, {"q": "mse", "p": "mae"}, sample_weight=dict(zip("qp", WEIGHTS, strict=True)),
         metrics={"q": "mae"}, weighted_metrics={"q": "mae", "p": "mse"})  # fmt: skip
_several("a list of weights", _pair, [A, B], ["mse", "mae"], sample_weight=WEIGHTS, weighted_metrics=["mae", "mae"])
_several("held out", _dict, _BY_KEY, "mse", weighted_metrics={"q": "mae", "p": "mse"}, validation_split=0.25)
_several("classes", _pair, [A, B], lambda k: [k.losses.MeanSquaredError(name="own"), k.losses.Huber()])


def _plain(k: Any, kind: Any = None, units: int = 2, activation: str | None = None) -> Any:
    x = k.Input((4,))
    y = k.layers.Dense(units, activation=activation)(k.layers.Dense(3, activation="tanh")(x))
    return _fill((kind or k.Model)(x, y))


def _case(function: Callable[[Any], dict[str, Any]]) -> None:
    CASES[function.__name__.replace("_", " ").strip()] = function


@_case
def names_of_callables(k: Any) -> dict[str, Any]:
    def CamelCase(y: Any, p: Any) -> Any:  # noqa: N802
        return k.ops.max(k.ops.abs(y - p))

    class Named:
        name = "hello"

        def __call__(self, y: Any, p: Any) -> Any:
            return k.ops.mean(p)

    model = _plain(k)
    model.compile(
        "sgd", "mse", metrics=[lambda y, p: k.ops.mean(y), CamelCase, Named(), k.losses.Huber(name="own"), "mae"]
    )
    return _ran(model, A)


@_case
def a_metric_of_several_values(k: Any) -> dict[str, Any]:
    class Both(k.metrics.Metric):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__(name="both")
            self.count = self.add_weight(name="count", shape=(), initializer="zeros")

        def update_state(self, y: Any, p: Any, sample_weight: Any = None) -> None:
            self.count.assign_add(1.0)

        def result(self) -> Any:
            return {"one": self.count + 10, "half": self.count / 2}

    x = k.Input((4,))
    model = _fill(k.Model(x, [k.layers.Dense(2, name="a")(x), k.layers.Dense(1, name="b")(x)]))
    model.compile("sgd", "mse", metrics=[[Both(), "mae"], ["mae"]])
    found = _ran(model, [A, B])
    found["history names"] = sorted(found["history names"])  # in Keras's they come where their metric stands
    return found


@_case
def an_own_loss(k: Any) -> dict[str, Any]:
    class Own(k.Model):  # type: ignore[misc, name-defined]
        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):  # type: ignore[no-untyped-def]
            return super().compute_loss(x, y, y_pred, sample_weight) + 0.1 * k.ops.sum(self.layers[-1].kernel ** 2)

        def compute_metrics(self, x, y, y_pred, sample_weight=None):  # type: ignore[no-untyped-def]
            found = super().compute_metrics(x, y, y_pred, sample_weight)
            return {**found, "twice": found["mae"] * 2}

    model = _plain(k, Own)
    model.compile(k.optimizers.SGD(0.1), "mse", metrics=["mae"])
    return _ran(model, A, validation_split=0.25)


@_case
def an_own_test_step(k: Any) -> dict[str, Any]:
    class Own(k.Model):  # type: ignore[misc, name-defined]
        def test_step(self, data: Any) -> Any:
            x, y = data
            return {"own": self.compute_loss(x=x, y=y, y_pred=self(x, training=False)), "mean": k.ops.mean(y)}

    model = _plain(k, Own)
    model.compile(k.optimizers.SGD(0.1), "mse", metrics=["mae"])
    return _ran(model, A, validation_split=0.25)


@_case
def added_losses_and_own_metrics(k: Any) -> dict[str, Any]:
    class Adds(k.layers.Layer):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.size = k.metrics.Mean(name="size")

        def call(self, x: Any) -> Any:
            self.add_loss(0.1 * k.ops.sum(k.ops.abs(x)))
            self.add_loss(k.ops.mean(x))
            self.size.update_state(k.ops.max(x))
            return x

    x = k.Input((4,))
    hidden = k.layers.Dense(3, kernel_regularizer="l2", activity_regularizer=k.regularizers.L1(0.02))(x)
    model = _fill(k.Model(x, k.layers.Dense(2)(Adds()(hidden))))
    model.compile(k.optimizers.SGD(0.1), "mse", metrics=["mae"])
    return _ran(model, A)


@_case
def weights_of_classes(k: Any) -> dict[str, Any]:
    model = _plain(k, units=3, activation="softmax")
    model.compile(
        k.optimizers.SGD(0.1), "sparse_categorical_crossentropy", metrics=["acc"], weighted_metrics=["accuracy"]
    )
    return _ran(model, CLASSES, class_weight={0: 1.0, 1: 2.0, 2: 0.5}, validation_split=0.25)


@_case
def the_same_samples_each_validation(k: Any) -> dict[str, Any]:
    model = _plain(k)
    model.compile(k.optimizers.SGD(0.1), "mse", weighted_metrics=["mae"])
    held = (X, A, np.arange(N).astype("float32"))
    options = {"validation_data": held, "validation_steps": 2, "validation_batch_size": 5, "validation_freq": 2}
    return _ran(model, A, epochs=4, **options)


@_case
def rates_of_callbacks(k: Any) -> dict[str, Any]:
    class Rate(k.callbacks.Callback):  # type: ignore[misc, name-defined]
        def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
            self.model.optimizer.learning_rate = 0.1 / (batch + 1)

    model = _plain(k)
    model.compile(k.optimizers.SGD(0.1, momentum=0.9), "mse")
    plateau = k.callbacks.ReduceLROnPlateau(monitor="loss", patience=0, min_delta=10.0)
    found = _ran(model, A, callbacks=[Rate()])
    halved = k.callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.5)
    return {
        **found,
        **{f"on/{key}": value for key, value in _ran(model, A, epochs=4, callbacks=[halved, plateau]).items()},
    }


@_case
def order_of_variables(k: Any) -> dict[str, Any]:
    class Holds(k.layers.Layer):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__(name="holds")
            self.size = k.metrics.Mean(name="size")
            self.seed = k.random.SeedGenerator(3)
            self.parts = [k.layers.Dense(2), k.layers.Dropout(0.1)]
            self.last = k.layers.Dense(3)

        def build(self, shape: Any) -> None:
            self.fixed = self.add_weight(shape=(2,), name="fixed", trainable=False)
            self.free = self.add_weight(shape=(3,), name="free")
            self.built = True

        def call(self, x: Any) -> Any:
            self.size.update_state(x)
            for part in self.parts:
                x = part(x)
            return self.last(x)

    x = k.Input((4, 4, 3))
    y = k.layers.Conv2D(2, 2)(k.layers.RandomFlip()(x))
    y = k.layers.Dense(4)(k.layers.Reshape((-1, 2))(k.layers.SpatialDropout2D(0.1)(y)))
    y = k.layers.Bidirectional(k.layers.GRU(2, dropout=0.1))(y)
    inner = [k.layers.GaussianNoise(0.1), k.layers.BatchNormalization(), k.layers.Dense(3), k.layers.Dropout(0.2)]
    y = k.Sequential(inner, name="inner")(y)
    model = k.Model(x, k.layers.Dense(2)(Holds()(y)))
    model.layers[2].trainable = False
    model.compile("adam", "mse", metrics=["mae"])
    model.train_on_batch(np.ones((2, 4, 4, 3), "float32"), np.ones((2, 2), "float32"))
    parts = (
        "variables",
        "trainable_variables",
        "non_trainable_variables",
        "weights",
        "non_trainable_weights",
        "metrics_variables",
    )
    found = {part: [v.path for v in getattr(model, part)] for part in parts}
    return {**found, **{layer.name: [v.path for v in layer.variables] for layer in model.layers}}
