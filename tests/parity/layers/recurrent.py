"""Rows of recurrent layers, cells and their wrappers."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.parity.layers.mechanism import Row, sub

KINDS = ("SimpleRNN", "GRU", "LSTM")
SHAPE = (3, 5, 4)
BOTH = {"return_sequences": True, "return_state": True}
HOLES = np.array([[1, 1, 0, 1, 0], [0, 1, 0, 1, 1], [0, 0, 0, 0, 0]], bool)
PADDED = np.array([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0], [1, 0, 0, 0, 0]], bool)
STATES = {"SimpleRNN": 1, "GRU": 1, "LSTM": 2}
# Keras on torch has no orthogonal matrices of float16; the first row of each class has variants in half precision.
GLOROT = {"recurrent_initializer": "glorot_uniform"}
OPTIONS: tuple[dict[str, Any], ...] = (
    GLOROT, BOTH, {"go_backwards": True, "return_sequences": True}, {"unroll": True, "return_state": True, "use_bias": False},
    {"activation": "relu", "return_sequences": True}, {**BOTH, "zero_output_for_mask": True},
    {
        "kernel_regularizer": "l2", "recurrent_regularizer": "l1", "bias_regularizer": "l1", "activity_regularizer": "l2",
        "bias_constraint": "max_norm", "recurrent_initializer": "glorot_normal", "name": "named", "bias_initializer": "ones",
        "dropout": 0.2, "recurrent_dropout": 0.1,
    },
)  # fmt: skip
_RNG = np.random.default_rng(2)


def states(*shapes: tuple[int, ...]) -> Any:
    """First states."""
    found = [_RNG.normal(size=s).astype("float32") for s in shapes]
    return found if len(found) > 1 else found[0]


def _dense() -> list[Row]:
    rows: list[Row] = []
    for kind in KINDS:
        first = states(*((3, 3),) * STATES[kind])
        rows += [Row(kind, {"units": 3, **options}, SHAPE) for options in OPTIONS]
        for options in (OPTIONS[0], OPTIONS[1], OPTIONS[4], OPTIONS[5], OPTIONS[3]):
            rows.append(Row(kind, {"units": 3, **options}, SHAPE, call={"mask": PADDED}))
            rows.append(Row(kind, {"units": 3, **options}, SHAPE, call={"mask": HOLES, "initial_state": first}))
        rows.append(Row(kind, {"units": 3, "return_state": True}, SHAPE, call={"initial_state": first}))
        rows.append(
            Row(kind, {"units": 3, "go_backwards": True, **BOTH, **GLOROT}, SHAPE, call={"mask": HOLES}, half=True)
        )
        rows.append(Row(kind, {"units": 3}, (2, 1, 4)))
        cell = f"{kind}Cell"
        given = [first] if not isinstance(first, list) else first
        rows += [
            Row(cell, {"units": 3, **GLOROT}, (3, 4), (given,)),
            Row(cell, {"units": 3, "use_bias": False, "activation": "relu", "dropout": 0.3, "kernel_regularizer": "l2"}, (3, 4), (given,)),
        ]  # fmt: skip
    rows += [
        Row("GRU", {"units": 3, "reset_after": False, "return_sequences": True}, SHAPE, call={"mask": HOLES}),
        Row("GRU", {"units": 3, "reset_after": False, "use_bias": False}, SHAPE),
        Row("GRU", {"units": 3, "reset_after": False, "bias_initializer": "ones", **GLOROT}, SHAPE, half=True),
        Row("GRUCell", {"units": 3, "reset_after": False}, (3, 4), (states((3, 3)),)),
        Row("LSTM", {"units": 3, "recurrent_activation": "hard_sigmoid", "unit_forget_bias": False}, SHAPE),
        Row("LSTM", {"units": 3, "stateful": True, **BOTH}, SHAPE, gradients=False),
        Row("GRU", {"units": 3, "stateful": True, "return_sequences": True}, SHAPE, gradients=False),
    ]  # fmt: skip
    return rows


def _around() -> list[Row]:
    cells = [
        sub("LSTMCell", units=3, **GLOROT),
        sub("GRUCell", units=4, **GLOROT),
        sub("SimpleRNNCell", units=2, **GLOROT),
    ]
    rows = [
        Row("RNN", {"cell": sub("LSTMCell", units=3, name="inner", **GLOROT), **BOTH}, SHAPE),
        Row("RNN", {"cell": sub("LSTMCell", units=3, name="inner"), **BOTH}, SHAPE, call={"mask": HOLES}),
        Row("RNN", {"cell": cells, "name": "stack"}, SHAPE), Row("RNN", {"cell": cells, **BOTH}, SHAPE),
        Row("RNN", {"cell": cells, "return_sequences": True, "zero_output_for_mask": True}, SHAPE, call={"mask": HOLES}),
        Row("RNN", {"cell": sub("StackedRNNCells", cells=cells[:2]), "return_sequences": True, "unroll": True}, SHAPE, call={"mask": PADDED}),
        Row("RNN", {"cell": sub("SimpleRNNCell", units=3, kernel_regularizer="l2"), "go_backwards": True}, SHAPE),
        Row("StackedRNNCells", {"cells": cells}, (3, 4), ([[states((3, 3)), states((3, 3))], states((3, 4)), states((3, 2))],)),
        Row("TimeDistributed", {"layer": sub("Dense", units=3, name="inner")}, SHAPE),
        Row("TimeDistributed", {"layer": sub("Conv2D", filters=3, kernel_size=2, kernel_regularizer="l2")}, (2, 3, 4, 4, 2)),
        Row("TimeDistributed", {"layer": sub("LSTM", units=3)}, (2, 3, 4, 2), masked=True),
        Row("TimeDistributed", {"layer": sub("BatchNormalization")}, SHAPE, training=True),
        Row("TimeDistributed", {"layer": sub("Embedding", input_dim=7, output_dim=2, mask_zero=True)}, np.array([[[1, 0], [2, 3]], [[0, 0], [6, 5]]])),
    ]  # fmt: skip
    for mode in ("concat", "sum", "mul", "ave", None):
        options = {"layer": sub("GRU", units=3, return_sequences=True, **GLOROT), "merge_mode": mode}
        rows += [
            Row("Bidirectional", options, SHAPE, masked=True),
            Row("Bidirectional", options, SHAPE, call={"mask": HOLES}),
        ]
    one = states(*((3, 3),) * 4)
    rows += [
        Row("Bidirectional", {"layer": sub("LSTM", units=3, name="inner")}, SHAPE, call={"mask": PADDED}),
        Row("Bidirectional", {"layer": sub("LSTM", units=3, **BOTH)}, SHAPE, call={"mask": HOLES, "initial_state": one}),
        Row("Bidirectional", {"layer": sub("LSTM", units=3, return_state=True), "merge_mode": None}, SHAPE),
        Row("Bidirectional", {"layer": sub("GRU", units=3), "name": "pair",
                              "backward_layer": sub("LSTM", units=2, go_backwards=True)}, SHAPE),
        Row("Bidirectional", {"layer": sub("SimpleRNN", units=3, kernel_regularizer="l2", return_sequences=True)}, SHAPE),
        Row("Bidirectional", {"layer": sub("RNN", cell=sub("GRUCell", units=3), return_sequences=True)}, SHAPE, call={"mask": HOLES}),
    ]  # fmt: skip
    return rows


def _convolutional() -> list[Row]:
    image = (2, 3, 4, 3, 2)
    base = {"filters": 3, "kernel_size": 2, **GLOROT}
    two = states((2, 3, 2, 3), (2, 3, 2, 3))
    return [
        Row("ConvLSTM1D", base, (2, 3, 5, 2)), Row("ConvLSTM1D", {**base, **BOTH, "padding": "same", "strides": 2}, (2, 3, 5, 2)),
        Row("ConvLSTM1D", {**base, "data_format": "channels_first", **BOTH}, (2, 3, 2, 5)),
        Row("ConvLSTM2D", {**base, "padding": "same", **BOTH}, image),
        Row("ConvLSTM2D", {**base, "strides": 2, "padding": "same", "recurrent_activation": "hard_sigmoid"}, image),
        Row("ConvLSTM2D", {**base, "dilation_rate": 2, "use_bias": False, "return_sequences": True}, image),
        Row("ConvLSTM2D", {**base, "go_backwards": True, "unit_forget_bias": False, "return_state": True}, image, call={"initial_state": two}),
        Row("ConvLSTM2D", {**base, "name": "named", "kernel_regularizer": "l2", **BOTH}, (3, 5, 3, 3, 2), call={"mask": HOLES}),
        Row("ConvLSTM2D", {**base, "data_format": "channels_first", **BOTH}, (2, 3, 2, 4, 3)),
        Row("ConvLSTM3D", {**base, "dropout": 0.1}, (1, 2, 3, 3, 3, 2)),
        Row("ConvLSTM3D", {**base, "data_format": "channels_first", "return_sequences": True}, (1, 2, 2, 3, 3, 3)),
    ]  # fmt: skip


ROWS = [*_dense(), *_around(), *_convolutional()]
