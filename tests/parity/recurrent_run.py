"""Recurrent layers with inputs, masks and first states, the same for Keras and for Tricera; run as a script it writes Keras's results."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np


class Row(NamedTuple):
    """How a layer is made from a library, the shape of its input, and what else it is called with."""

    make: Callable[[Any], Any]
    shape: tuple[int, ...] = (3, 5, 4)
    mask: str = ""  # "", "padded" on the right or with "holes"
    states: tuple[tuple[int, ...], ...] = ()  # shapes of the first states
    gradients: bool = True


KINDS = ("SimpleRNN", "GRU", "LSTM")
_STATES = {"SimpleRNN": 1, "GRU": 1, "LSTM": 2}
_OPTIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "sequences": {"return_sequences": True, "return_state": True},
    "backwards": {"go_backwards": True, "return_sequences": True},
    "unrolled": {"unroll": True, "return_state": True, "use_bias": False},
    "relu": {"activation": "relu", "return_sequences": True},
    "zeros": {"return_sequences": True, "return_state": True, "zero_output_for_mask": True},
    "regularized": {
        "kernel_regularizer": "l2", "bias_constraint": "max_norm", "recurrent_initializer": "glorot_normal", "name": "named",
        "bias_initializer": "ones", "dropout": 0.2, "recurrent_dropout": 0.1,
    },
}  # fmt: skip


def _with(kind: str, **options: Any) -> Callable[[Any], Any]:
    return lambda k: getattr(k.layers, kind)(3, **options)


def _dense() -> dict[str, Row]:
    rows: dict[str, Row] = {}
    for kind in KINDS:
        states = ((3, 3),) * _STATES[kind]
        for name, options in _OPTIONS.items():
            rows[f"{kind}-{name}"] = Row(_with(kind, **options))
            if name in ("plain", "sequences", "zeros", "relu"):
                rows[f"{kind}-{name}-padded"] = Row(_with(kind, **options), mask="padded")
                rows[f"{kind}-{name}-holes"] = Row(_with(kind, **options), mask="holes", states=states)
        rows[f"{kind}-states"] = Row(_with(kind, return_state=True), states=states)
    rows["GRU-before"] = Row(_with("GRU", reset_after=False, return_sequences=True), mask="holes")
    rows["GRU-before-bare"] = Row(_with("GRU", reset_after=False, use_bias=False))
    rows["LSTM-hard"] = Row(_with("LSTM", recurrent_activation="hard_sigmoid", unit_forget_bias=False))
    rows["LSTM-one-step"] = Row(_with("LSTM"), shape=(2, 1, 4))
    return rows


def _cells(k: Any) -> list[Any]:
    return [k.layers.LSTMCell(3), k.layers.GRUCell(4), k.layers.SimpleRNNCell(2)]


def _around() -> dict[str, Row]:
    both = {"return_sequences": True, "return_state": True}
    rows = {
        "RNN": Row(lambda k: k.layers.RNN(k.layers.LSTMCell(3, name="inner"), **both), mask="holes"),
        "RNN-list": Row(lambda k: k.layers.RNN(_cells(k), name="stack")),
        "RNN-list-masked": Row(lambda k: k.layers.RNN(_cells(k), return_sequences=True, zero_output_for_mask=True), mask="holes"),
        "RNN-list-sequences": Row(lambda k: k.layers.RNN(_cells(k), return_sequences=True), mask="padded"),
        "TimeDistributed": Row(lambda k: k.layers.TimeDistributed(k.layers.Dense(3, name="inner"))),
        "TimeDistributed-conv": Row(lambda k: k.layers.TimeDistributed(k.layers.Conv2D(3, 2)), shape=(2, 3, 4, 4, 2)),
        "TimeDistributed-LSTM": Row(lambda k: k.layers.TimeDistributed(k.layers.LSTM(3)), shape=(2, 3, 4, 2)),
    }  # fmt: skip
    for mode in ("concat", "sum", "mul", "ave", None):
        for mask in ("", "holes"):
            rows[f"Bidirectional-{mode}-{mask}"] = Row(
                lambda k, mode=mode: k.layers.Bidirectional(k.layers.GRU(3, return_sequences=True), merge_mode=mode), mask=mask
            )  # fmt: skip
    rows["Bidirectional-last"] = Row(lambda k: k.layers.Bidirectional(k.layers.LSTM(3, name="inner")), mask="padded")
    rows["Bidirectional-states"] = Row(
        lambda k: k.layers.Bidirectional(k.layers.LSTM(3, **both)), states=((3, 3),) * 4, mask="holes"
    )
    rows["Bidirectional-none-states"] = Row(
        lambda k: k.layers.Bidirectional(k.layers.LSTM(3, return_state=True), merge_mode=None)
    )
    rows["Bidirectional-pair"] = Row(
        lambda k: k.layers.Bidirectional(k.layers.GRU(3), backward_layer=k.layers.LSTM(2, go_backwards=True), name="pair")
    )  # fmt: skip
    return rows


def _convolutional() -> dict[str, Row]:
    def conv(rank: int, **options: Any) -> Callable[[Any], Any]:
        return lambda k: getattr(k.layers, f"ConvLSTM{rank}D")(3, 2, **options)

    both = {"return_sequences": True, "return_state": True}
    image = (2, 3, 5, 4, 2)
    return {
        "ConvLSTM1D": Row(conv(1), shape=(2, 3, 5, 2)),
        "ConvLSTM2D": Row(conv(2, padding="same", **both), shape=image),
        "ConvLSTM2D-strides": Row(conv(2, strides=2, padding="same", recurrent_activation="hard_sigmoid"), shape=image),
        "ConvLSTM2D-dilated": Row(conv(2, dilation_rate=2, use_bias=False, return_sequences=True), shape=image),
        "ConvLSTM2D-states": Row(
            conv(2, go_backwards=True, unit_forget_bias=False, return_state=True), shape=image, states=((2, 4, 3, 3),) * 2
        ),
        "ConvLSTM2D-masked": Row(conv(2, name="named", **both), shape=(3, 5, 3, 3, 2), mask="holes"),
        "ConvLSTM2D-first": Row(conv(2, data_format="channels_first", **both), shape=(2, 3, 2, 5, 4)),
        "ConvLSTM3D": Row(conv(3, dropout=0.1), shape=(1, 2, 3, 4, 3, 2)),
    }  # fmt: skip


CASES: dict[str, Row] = {**_dense(), **_around(), **_convolutional()}
_MASKS = {
    "padded": [[1, 1, 1, 1, 1], [1, 1, 1, 0, 0], [1, 0, 0, 0, 0]],
    "holes": [[1, 1, 0, 1, 0], [0, 1, 0, 1, 1], [0, 0, 0, 0, 0]],
}


def build(library: Any, case: str) -> Any:
    """The layer in a library, built."""
    layer = CASES[case].make(library)
    layer.build(CASES[case].shape)
    return layer


def weights_of(layer: Any) -> list[np.ndarray]:
    """Values for the weights, so that biases, too, are others than zero."""
    rng = np.random.default_rng(1)
    return [rng.normal(size=w.shape).astype("float32") / 2 for w in layer.weights]


def inputs_of(case: str) -> tuple[np.ndarray, dict[str, Any]]:
    """The sequences, and the further arguments of the call."""
    row, rng = CASES[case], np.random.default_rng(2)
    x = rng.normal(size=row.shape).astype("float32")
    options: dict[str, Any] = {}
    if row.mask:
        options["mask"] = np.array(_MASKS[row.mask], bool)
    if row.states:
        states = [rng.normal(size=s).astype("float32") for s in row.states]
        options["initial_state"] = states if len(states) > 1 else states[0]
    return x, options


def flat(outputs: Any) -> list[Any]:
    """The outputs one after the other."""
    if isinstance(outputs, (list, tuple)):
        return [leaf for one in outputs for leaf in flat(one)]
    return [outputs]


def factors(shapes: list[tuple[int, ...]]) -> list[np.ndarray]:
    """By what the outputs are multiplied before they are summed up to be differentiated."""
    rng = np.random.default_rng(3)
    return [rng.normal(size=s).astype("float32") for s in shapes]


def plain(config: Any) -> str:
    """A config as text with sorted keys; tuples become lists."""
    return json.dumps(config, sort_keys=True)


def main(path: str) -> None:
    """Write Keras's outputs, gradients, names, configs and shapes."""
    import keras
    import torch

    results: dict[str, Any] = {}
    for case, row in CASES.items():
        keras.utils.clear_session(free_memory=False)
        layer = build(keras, case)
        layer.set_weights(weights_of(layer))
        results[f"{case}/names"] = plain([[w.path, w.shape] for w in layer.weights])
        results[f"{case}/config"] = plain(layer.get_config())
        results[f"{case}/shape"] = plain(layer.compute_output_shape((None, *row.shape[1:])))
        array, options = inputs_of(case)
        x = torch.tensor(array, requires_grad=True)
        outputs = flat(layer(x, **options))
        for i, output in enumerate(outputs):
            results[f"{case}/out/{i}"] = output.detach().numpy()
        weights = [torch.tensor(f) for f in factors([tuple(y.shape) for y in outputs])]
        sum((y * w).sum() for y, w in zip(outputs, weights, strict=True)).backward()
        results[f"{case}/gradient"] = x.grad.numpy()
        for i, variable in enumerate(layer.trainable_weights):
            results[f"{case}/gradients/{i}"] = variable.value.grad.numpy()
    np.savez(path, **results)


if __name__ == "__main__":
    main(sys.argv[1])
