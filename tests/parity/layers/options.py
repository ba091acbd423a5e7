"""Rows of options that no other row has: what weights are given, rare settings of recurrent layers, layers inside of others."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.parity.layers.convolutions import FIRST, IMAGE, INPUT, turned
from tests.parity.layers.mechanism import Row, sub
from tests.parity.layers.others import PICTURES
from tests.parity.layers.recurrent import BOTH, GLOROT, HOLES, SHAPE, states

FIRST_PICTURES = np.moveaxis(PICTURES, -1, 1).copy()

INITIALIZERS = (
    "ones",
    "glorot_uniform",
    {"class_name": "RandomNormal", "config": {"mean": 0.1, "stddev": 0.2, "seed": 3}},
)
REGULARIZERS = ("l2", {"class_name": "L1L2", "config": {"l1": 0.1, "l2": 0.2}}, "l1")
CONSTRAINTS = (
    "max_norm",
    {"class_name": "MinMaxNorm", "config": {"min_value": 0.1, "max_value": 0.9, "rate": 0.5, "axis": 0}},
    "non_neg",
)


def given(*weights: str) -> dict[str, Any]:
    """All that can be said of weights, something else of each."""
    options: dict[str, Any] = {"activity_regularizer": "l2"}
    for i, weight in enumerate(weights):
        options |= {
            f"{weight}_initializer": INITIALIZERS[i],
            f"{weight}_regularizer": REGULARIZERS[i],
            f"{weight}_constraint": CONSTRAINTS[i],
        }
    return options


def _convolutions() -> list[Row]:
    rows: list[Row] = []
    for rank, shape in INPUT.items():
        both = {"filters": 4, "kernel_size": 2, "activation": "swish", **given("kernel", "bias")}
        strides = {"filters": 4, "kernel_size": (3, 2, 4)[:rank], "strides": (2, 3, 1)[:rank]}
        rows += [
            Row(f"Conv{rank}D", both, shape), Row(f"Conv{rank}DTranspose", both, shape),
            Row(f"Conv{rank}D", {"filters": 4, "kernel_size": 2, "dilation_rate": (2, 1, 3)[:rank], "groups": 2, **FIRST}, turned(shape)),
            Row(f"Conv{rank}DTranspose", strides, shape), Row(f"Conv{rank}DTranspose", {**strides, "padding": "same", **FIRST}, turned(shape)),
        ]  # fmt: skip
        if rank < 3:
            options = {"kernel_size": 2, "activation": "swish", "depth_multiplier": 2}
            rows.append(Row(f"DepthwiseConv{rank}D", {**options, **given("depthwise", "bias")}, shape))
            rows.append(
                Row(
                    f"SeparableConv{rank}D", {"filters": 3, **options, **given("depthwise", "pointwise", "bias")}, shape
                )
            )
    return rows


def _recurrent() -> list[Row]:
    rows: list[Row] = []
    weights = {"units": 3, **given("kernel", "recurrent", "bias")}
    for kind in ("SimpleRNN", "GRU", "LSTM"):
        gate = {} if kind == "SimpleRNN" else {"recurrent_activation": "hard_sigmoid"}
        state = [states(*((3, 3),) * (2 if kind == "LSTM" else 1))]
        in_cell = {k: v for k, v in weights.items() if k != "activity_regularizer"}
        rows += [
            Row(f"{kind}Cell", {**in_cell, **gate, "recurrent_dropout": 0.2, "seed": 4}, (3, 4), (state if kind != "LSTM" else state[0],)),
            Row(kind, {"units": 3, "stateful": True, "go_backwards": True, **BOTH}, SHAPE, gradients=False),
            Row(kind, {"units": 3, "unroll": True, "zero_output_for_mask": True, **BOTH}, SHAPE, call={"mask": HOLES}),
        ]  # fmt: skip
        if kind != "SimpleRNN":  # where Keras forgets the activity regularizer
            rows.append(Row(kind, {**weights, **gate, "recurrent_dropout": 0.2, "seed": 4, **BOTH}, SHAPE))
    for rank, x in ((1, (2, 3, 5, 2)), (2, (2, 3, 4, 3, 2)), (3, (2, 2, 3, 3, 3, 2))):
        base = {"filters": 3, "kernel_size": 2}
        options = {
            **base,
            **given("kernel", "recurrent", "bias"),
            "activation": "relu",
            "recurrent_activation": "hard_sigmoid",
        }
        mask = np.array([[1, 0, 1], [0, 1, 1]], bool)[:, : x[1]]
        rows += [
            Row(f"ConvLSTM{rank}D", {**options, "unit_forget_bias": False, "dropout": 0.2, "recurrent_dropout": 0.1, "seed": 3}, x),
            Row(f"ConvLSTM{rank}D", {**base, "stateful": True, "padding": "same", **BOTH}, x, gradients=False),
            Row(f"ConvLSTM{rank}D", {**base, "go_backwards": True, "dilation_rate": (2, 1, 2)[:rank], **BOTH}, x, call={"mask": mask}),
        ]  # fmt: skip
    two = [sub("GRUCell", units=3), sub("LSTMCell", units=2)]
    rows += [
        Row("RNN", {"cell": sub("GRUCell", units=3), "stateful": True, **BOTH}, SHAPE, gradients=False),
        Row("RNN", {"cell": two, "unroll": True, **BOTH}, SHAPE, call={"mask": HOLES}),
        Row("RNN", {"cell": two, **BOTH}, SHAPE, call={"initial_state": [states((3, 3)), states((3, 2), (3, 2))]}),
        Row("RNN", {"cell": sub("GRUCell", units=3, kernel_regularizer="l2"), "activity_regularizer": "l2"}, SHAPE),
        Row("Bidirectional", {"layer": sub("GRU", units=3, stateful=True, **BOTH), "merge_mode": "ave"}, SHAPE, gradients=False),
        Row("Bidirectional", {"layer": sub("GRU", units=3, kernel_regularizer="l2", activity_regularizer="l1", dropout=0.2)}, SHAPE),
        Row("Bidirectional", {"layer": sub("ConvLSTM2D", filters=3, kernel_size=2, return_sequences=True)}, (2, 3, 4, 3, 2)),
        Row("Bidirectional", {"layer": sub("RNN", cell=two, return_state=True), "merge_mode": "mul"}, SHAPE),
        Row("Bidirectional", {"layer": sub("Bidirectional", layer=sub("GRU", units=2, return_sequences=True))}, SHAPE),
        Row("Bidirectional", {"layer": sub("LSTM", units=3, go_backwards=True, **BOTH), "merge_mode": "sum"}, SHAPE, call={"mask": HOLES}),
    ]  # fmt: skip
    return rows


def _inside() -> list[Row]:
    steps, images = (2, 3, 4, 2), (2, 3, 4, 4, 2)
    return [
        Row("TimeDistributed", {"layer": sub(kind, **options)}, x, masked=True)
        for kind, options, x in (
            ("Flatten", {}, steps), ("LayerNormalization", {}, SHAPE), ("Conv1D", {"filters": 2, "kernel_size": 2}, steps),
            ("GlobalAveragePooling2D", {}, images), ("Bidirectional", {"layer": sub("GRU", units=2)}, steps), ("Masking", {}, SHAPE),
            ("TimeDistributed", {"layer": sub("Dense", units=2)}, steps), ("Reshape", {"target_shape": (2, 4)}, (2, 3, 8)),
            ("RepeatVector", {"n": 2}, SHAPE), ("Conv2DTranspose", {"filters": 2, "kernel_size": 2, "strides": 2}, images),
            ("Dense", {"units": 2, "activity_regularizer": "l2"}, SHAPE),
        )
    ]  # fmt: skip


def _others() -> list[Row]:
    row = (2, 3, 4)
    statistics = {
        "gamma_initializer": "zeros",
        "moving_mean_initializer": "ones",
        "moving_variance_initializer": "zeros",
    }
    return [
        Row("BatchNormalization", {**statistics, "beta_constraint": "max_norm", "axis": -2, "synchronized": False}, IMAGE, training=True),
        Row("GroupNormalization", {"groups": 2, "epsilon": 0.1, "gamma_initializer": "zeros", "beta_constraint": "max_norm", "axis": -2}, (2, 8, 4)),
        Row("LayerNormalization", {"gamma_initializer": "zeros", "beta_constraint": "max_norm", "axis": [1, 2, 3]}, IMAGE),
        Row("EinsumDense", {"equation": "abcd,bde->abce", "output_shape": (3, 2, 6), "bias_axes": "be", **given("kernel", "bias")}, (2, 3, 2, 4)),
        Row("MultiHeadAttention", {"num_heads": 2, "key_dim": 3, **given("kernel", "bias")}, row, ((2, 5, 6),), masked=False),
        Row("GroupQueryAttention", {"head_dim": 2, "num_query_heads": 4, "num_key_value_heads": 2, **given("kernel", "bias")}, row, (row,), masked=False),
        Row("ReversibleEmbedding", {"input_dim": 7, "output_dim": 4, **{k: v for k, v in given("embeddings").items() if k != "activity_regularizer"}}, np.array([[1, 2], [0, 3]])),
        Row("Hashing", {"num_bins": 7, "mask_value": 0, "salt": [1, 2], "dtype": "int32"}, np.array([[1, 0], [2, 3]]), gradients=False),
        Row("HashedCrossing", {"num_bins": 7, "output_mode": "one_hot"}, [np.array([[1], [2]]), np.array([[1], [3]])], gradients=False),
        Row("MelSpectrogram", {
            "sequence_length": 200, "fft_length": 256, "sequence_stride": 100, "sampling_rate": 8000, "min_freq": 30.0, "max_freq": 3000.0,
            "top_db": 50.0, "mag_exp": 1.5, "min_power": 1e-6, "ref_power": 2.0, "num_mel_bins": 12}, (2, 1000)),
    ]  # fmt: skip


def _pictures() -> list[Row]:
    """Settings of augmentation whose results are up to chance: configs, shapes and seeds."""
    unit = {"value_range": (0, 1), "seed": 3}
    return [
        Row(kind, {**options, **FIRST}, FIRST_PICTURES, call={"training": False}, gradients=False)
        for kind, options in (
            ("AugMix", {**unit, "num_chains": 2, "chain_depth": 2, "factor": 0.5, "alpha": 0.5, "all_ops": False, "interpolation": "nearest"}),
            ("RandAugment", {**unit, "num_ops": 3, "factor": (0.2, 0.4), "interpolation": "nearest"}),
            ("CutMix", {"factor": 0.5, "seed": 3}), ("MixUp", {"alpha": 0.4, "seed": 3}),
            ("RandomElasticTransform", {**unit, "factor": 0.4, "scale": 2.0, "interpolation": "nearest", "fill_mode": "constant", "fill_value": 2.0}),
            ("RandomElasticTransform", {"fill_mode": "nearest"}), ("RandomElasticTransform", {"fill_mode": "wrap"}),
            ("RandomErasing", {**unit, "factor": 0.3, "scale": (0.1, 0.2), "fill_value": 1.0}),
            ("RandomCrop", {"height": 5, "width": 6, "seed": 3}), ("RandomFlip", {"mode": "horizontal", "seed": 3}), ("RandomFlip", {"mode": "vertical"}),
            ("RandomColorJitter", {"contrast_factor": 0.2}), ("Solarization", {"addition_factor": 0.3, "threshold_factor": 0.6, "seed": 3}),
            ("AutoContrast", {}), ("RandomGrayscale", {"factor": 0.3, "seed": 3}), ("RandomHue", {"factor": 0.2, **unit}), ("RandomContrast", {"factor": 0.2, **unit}),
            ("RandomRotation", {"factor": 0.2, "seed": 3, "fill_mode": "wrap", "fill_value": 1.0, "interpolation": "nearest"}),
            ("RandomTranslation", {"height_factor": 0.2, "width_factor": 0.1, "seed": 3}), ("RandomSharpness", {"factor": 0.2, **unit}),
        )
    ]  # fmt: skip


def _rest() -> list[Row]:
    """What no other row says of a layer."""
    factors = {"lora_rank": 2, "lora_alpha": 4}
    row, ids = (2, 3, 4), np.array([[1, 2], [0, 3]])
    rows = [
        *(Row("RandomShear", {"x_factor": 0.1, "y_factor": (0.1, 0.2), "fill_mode": mode, "fill_value": 7.0, "interpolation": "nearest", "seed": 1},
              PICTURES, call={"training": False}, gradients=False, half=False) for mode in ("constant", "nearest", "wrap")),
        Row("RandomShear", {"x_factor": 0.2, **FIRST}, FIRST_PICTURES, call={"training": False}, gradients=False),
        Row("Dense", {"units": 3, "bias_constraint": "max_norm"}, row), Row("Dense", {"units": 3, **factors}, row),
        Row("EinsumDense", {"equation": "abc,cd->abd", "output_shape": (None, 6), **factors}, row),
        Row("Embedding", {"input_dim": 7, "output_dim": 2, **factors}, ids),
        Row("GRU", {"units": 3, "use_cudnn": False}, SHAPE), Row("LSTM", {"units": 3, "use_cudnn": False}, SHAPE),
        Row("LSTMCell", {"units": 3, "unit_forget_bias": False, **GLOROT}, (3, 4), (states((3, 3), (3, 3)),)),
        Row("SimpleRNN", {"units": 3, "kernel_initializer": "ones", "kernel_constraint": "max_norm", "recurrent_constraint": "non_neg", "seed": 3}, SHAPE),
        Row("ConvLSTM1D", {"filters": 3, "kernel_size": 2, "use_bias": False, **GLOROT}, (2, 3, 5, 2)),
        Row("ConvLSTM3D", {"filters": 3, "kernel_size": 2, "strides": 2, "padding": "same", "use_bias": False, **GLOROT}, (1, 2, 3, 3, 3, 2)),
        Row("GroupQueryAttention", {"head_dim": 2, "num_query_heads": 2, "num_key_value_heads": 1, "flash_attention": False, "seed": 3}, row, (row,), masked=False),
        Row("STFTSpectrogram", {"mode": "log", "frame_length": 30, "frame_step": 7, "window": None, "scaling": None}, (2, 150, 1)),
        Row("MelSpectrogram", {"fft_length": 64, "sequence_stride": 32, "num_mel_bins": 8, "window": "hamming"}, (2, 150)),
    ]  # fmt: skip
    for rank, shape in ((1, (2, 9, 4)), (2, IMAGE)):
        rows.append(
            Row(f"SeparableConv{rank}D", {"filters": 3, "kernel_size": 2, "pointwise_initializer": "ones"}, shape)
        )
    return rows


ROWS = [*_convolutions(), *_recurrent(), *_inside(), *_others(), *_pictures(), *_rest()]
