"""Masks in compiled losses and metrics: models of Embedding or Masking, recurrent layers and a head a step, under fit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

N, STEPS, BATCH = 8, 5, 2


def _data(kind: str) -> tuple[np.ndarray, np.ndarray]:
    """Inputs and the steps that count: of every length, some gone in the midst, one batch without any."""
    rng = np.random.default_rng(3)
    lengths = np.array([5, 3, 1, 4, 0, 0, 2, 0])
    here = np.arange(STEPS) < lengths[:, None]
    here[0, 2] = False
    if kind == "ids":
        return np.where(here, rng.integers(1, 6, (N, STEPS)), 0).astype("int32"), here
    return (rng.uniform(0.1, 1.0, (N, STEPS, 3)) * here[..., None]).astype("float32"), here


def _first(k: Any, kind: str) -> list[Any]:
    if kind == "ids":
        return [k.Input((STEPS,), dtype="int32"), k.layers.Embedding(6, 3, mask_zero=True)]
    return [k.Input((STEPS, 3)), k.layers.Masking(0.0)]


RECURRENT: dict[str, Callable[[Any], Any]] = {
    "SimpleRNN": lambda layers: layers.SimpleRNN(3, return_sequences=True),
    "LSTM": lambda layers: layers.LSTM(3, return_sequences=True),
    "GRU": lambda layers: layers.GRU(3, return_sequences=True),
    "both": lambda layers: layers.Bidirectional(layers.LSTM(2, return_sequences=True)),
    "zeros": lambda layers: layers.LSTM(3, return_sequences=True, zero_output_for_mask=True),
}


def _fill(model: Any) -> None:
    rng = np.random.default_rng(5)
    model.set_weights([rng.normal(0.0, 0.6, [int(n) for n in w.shape]).astype("float32") for w in model.weights])


def _sequence(k: Any, kind: str, recurrent: str, activation: str | None) -> Any:
    layers = k.layers
    inputs, first = _first(k, kind)
    head = layers.TimeDistributed(layers.Dense(2, activation=activation))
    model = k.Sequential([inputs, first, RECURRENT[recurrent](layers), head])
    _fill(model)
    return model


def _weights(kind: str | None) -> np.ndarray | None:
    rng = np.random.default_rng(6)
    shapes = {"flat": (N,), "samples": (N, 1), "steps": (N, STEPS)}
    if kind == "zeros":
        return np.zeros((N, 1), "float32")
    return None if kind is None else rng.uniform(0.0, 2.0, shapes[kind]).astype("float32")


def _numbers(found: Any) -> dict[str, Any]:
    return {key: np.asarray(value, "float32") for key, value in found.items()}


def _ran(k: Any, model: Any, x: Any, y: Any, weight: Any) -> dict[str, Any]:
    """What evaluate, single batches (the fifth and sixth samples are without steps), and fit say; the weights in the end."""

    def cut(values: Any, part: slice) -> Any:
        return (
            {n: v[part] for n, v in values.items()}
            if isinstance(values, dict)
            else None
            if values is None
            else values[part]
        )

    found: dict[str, Any] = {}

    def note(name: str, values: Any) -> None:
        found.update({f"{name}/{key}": value for key, value in _numbers(values).items()})

    note("evaluate", model.evaluate(x, y, sample_weight=weight, batch_size=BATCH, verbose=0, return_dict=True))
    for label, part in (("whole", slice(0, 4)), ("none", slice(4, 6))):
        batch = (cut(x, part), cut(y, part))
        note(f"test {label}", model.test_on_batch(*batch, sample_weight=cut(weight, part), return_dict=True))
        note(f"train {label}", model.train_on_batch(*batch, sample_weight=cut(weight, part), return_dict=True))
    history = model.fit(x, y, sample_weight=weight, batch_size=BATCH, epochs=2, shuffle=False, verbose=0,
                        validation_data=(x, y) if weight is None else (x, y, weight)).history  # fmt: skip
    note("fit", history)
    return {**found, **{f"weight/{i}": w for i, w in enumerate(model.get_weights())}}


def _regression(kind: str, recurrent: str, weight: str | None, **options: Any) -> Callable[[Any], dict[str, Any]]:
    def case(k: Any) -> dict[str, Any]:
        x, _ = _data(kind)
        y = np.random.default_rng(7).normal(size=(N, STEPS, 2)).astype("float32")
        model = _sequence(k, kind, recurrent, None)
        loss = k.losses.MeanSquaredError(reduction=options.get("reduction", "sum_over_batch_size"))
        model.compile(
            k.optimizers.SGD(0.1), loss, metrics=["mae"],
            weighted_metrics=["mae", k.metrics.MeanSquaredError(name="own"), k.metrics.LogCoshError(name="cosh")],
        )  # fmt: skip
        return _ran(k, model, x, y, _weights(weight))

    return case


def _classes(kind: str, recurrent: str, weight: str | None, **options: Any) -> Callable[[Any], dict[str, Any]]:
    def case(k: Any) -> dict[str, Any]:
        x, _ = _data(kind)
        y = np.random.default_rng(8).integers(0, 2, (N, STEPS)).astype("int32")
        model = _sequence(k, kind, recurrent, options.get("activation", "softmax"))
        logits = options.get("activation", "softmax") is None
        loss = k.losses.SparseCategoricalCrossentropy(from_logits=logits, ignore_class=options.get("ignore_class"))
        model.compile(
            k.optimizers.SGD(0.1, momentum=0.5), loss, metrics=["accuracy"],
            weighted_metrics=["accuracy", k.metrics.SparseCategoricalCrossentropy(name="entropy", from_logits=logits)],
        )  # fmt: skip
        return _ran(k, model, x, y, _weights(weight))

    return case


def _two_outputs(k: Any) -> dict[str, Any]:
    """One output with a mask and one whose layer has used it up; weights for each."""
    layers = k.layers
    x, _ = _data("ids")
    inputs, embedding = _first(k, "ids")
    states = layers.GRU(3, return_sequences=True)(embedding(inputs))
    steps = layers.TimeDistributed(layers.Dense(2), name="steps")(states)
    last = layers.Dense(1, name="last")(layers.LSTM(2)(states))
    model = k.Model(inputs, {"steps": steps, "last": last})
    _fill(model)
    rng = np.random.default_rng(9)
    y = {"steps": rng.normal(size=(N, STEPS, 2)).astype("float32"), "last": rng.normal(size=(N, 1)).astype("float32")}
    model.compile(
        k.optimizers.SGD(0.05), {"steps": "mae", "last": "mse"}, loss_weights={"steps": 0.7, "last": 2.0},
        metrics={"steps": ["mse"], "last": ["mae"]}, weighted_metrics={"steps": ["mae"], "last": ["mse"]},
    )  # fmt: skip
    return _ran(k, model, x, y, {"steps": _weights("steps"), "last": _weights("samples")})


CASES: dict[str, Callable[[Any], dict[str, Any]]] = {
    "lstm": _regression("ids", "LSTM", None),
    "lstm-samples": _regression("ids", "LSTM", "samples"),
    "lstm-steps": _regression("ids", "LSTM", "steps"),
    "lstm-zeros": _regression("ids", "LSTM", "zeros"),
    "masking-rnn-steps": _regression("values", "SimpleRNN", "steps"),
    "masking-gru-sum": _regression("values", "GRU", "samples", reduction="sum"),
    "both-weighted-mean": _regression("values", "both", "steps", reduction="mean_with_sample_weight"),
    "weighted-mean": _regression("ids", "zeros", None, reduction="mean_with_sample_weight"),
    "classes": _classes("ids", "GRU", None),
    "classes-samples": _classes("values", "LSTM", "samples"),
    "classes-steps-logits": _classes("ids", "both", "steps", activation=None),
    "classes-ignored": _classes("ids", "SimpleRNN", None, ignore_class=1),
    "two outputs": _two_outputs,
}
