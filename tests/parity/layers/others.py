"""Rows of dense layers, activations, normalization, regularization, merging, attention and preprocessing."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.parity.layers.convolutions import FIRST, IMAGE, SEQUENCE, VOLUME, turned
from tests.parity.layers.mechanism import Row, sub

_RNG = np.random.default_rng(0)
ROW, PAIR = (2, 3, 4), [(2, 3, 4), (2, 3, 4)]
IDS = np.array([[1, 0, 2], [6, 3, 0]], "int32")
PICTURES = _RNG.uniform(0, 255, (2, 8, 10, 3)).astype("float32")
SIGNAL = (2, 150)
BITS = _RNG.uniform(size=(2, 3, 5)) < 0.6


def _core() -> list[Row]:
    every = {
        "kernel_regularizer": "l2",
        "bias_regularizer": "l1",
        "activity_regularizer": "l2",
        "kernel_constraint": "max_norm",
    }
    return [
        Row("Dense", {"units": 5}, ROW), Row("Dense", {"units": 5, "activation": "gelu", "use_bias": False}, (2, 4)),
        Row("Dense", {"units": 3, "bias_initializer": "ones", "name": "head", "activation": "softmax", **every}, ROW, masked=True),
        Row("Dense", {"units": 3, "activation": sub("LeakyReLU", negative_slope=0.3)}, ROW),
        Row("Dense", {"units": 3, "kernel_initializer": {"class_name": "HeNormal", "config": {"seed": 3}}}, (2, 2, 3, 4)),
        Row("EinsumDense", {"equation": "abc,cd->abd", "output_shape": (None, 6), "bias_axes": "d"}, ROW),
        Row("EinsumDense", {"equation": "...x,xy->...y", "output_shape": 6, "activation": "tanh"}, ROW),
        Row("EinsumDense", {"equation": "abc,cde->abde", "output_shape": (None, 2, 3), "bias_axes": "de", **every}, ROW),
        Row("EinsumDense", {"equation": "ab,b->a", "output_shape": ()}, (2, 4)),
        Row("EinsumDense", {"equation": "ab...,bc->ac...", "output_shape": 6, "bias_axes": "c"}, ROW),
        Row("Embedding", {"input_dim": 7, "output_dim": 4}, IDS), Row("Embedding", {"input_dim": 7, "output_dim": 2, "mask_zero": True}, IDS),
        Row("Embedding", {"input_dim": 7, "output_dim": 2, "embeddings_regularizer": "l2", "embeddings_constraint": "unit_norm",
                          "embeddings_initializer": "ones"}, np.array([1, 2, 1], "int64")),
        Row("Embedding", {"input_dim": 7, "output_dim": 2, "mask_zero": True}, IDS.astype("float32"), gradients=False),
        Row("ReversibleEmbedding", {"input_dim": 7, "output_dim": 4}, IDS),
        Row("ReversibleEmbedding", {"input_dim": 7, "output_dim": 4, "mask_zero": True, "logit_soft_cap": 5.0}, ROW, call={"reverse": True}),
        Row("ReversibleEmbedding", {"input_dim": 7, "output_dim": 4, "tie_weights": False, "reverse_dtype": "float32"}, ROW,
            call={"reverse": True}, half=True),
        Row("Masking", {}, np.array([[[0, 0], [1, 0], [0, 2]], [[0, 0], [0, 0], [0, 0]]], "float32")),
        Row("Masking", {"mask_value": 0.5}, np.array([[[0.5, 0.5], [1, 0.5]]], "float32"), half=True),
        Row("Identity", {}, ROW), Row("Identity", {}, PAIR), Row("Activation", {"activation": "swish"}, ROW),
        Row("Activation", {"activation": "log_softmax", "activity_regularizer": "l1"}, ROW),
        Row("ActivityRegularization", {"l1": 0.1, "l2": 0.2}, ROW),
    ]  # fmt: skip


def _activations() -> list[Row]:
    return [
        Row("ReLU", {}, ROW), Row("ReLU", {"max_value": 1.0, "negative_slope": 0.1, "threshold": 0.2}, ROW),
        Row("ReLU", {"max_value": 1.0}, ROW), Row("LeakyReLU", {}, ROW), Row("LeakyReLU", {"negative_slope": 0.2}, ROW),
        Row("ELU", {}, ROW), Row("ELU", {"alpha": 0.5}, ROW), Row("PReLU", {}, ROW),
        Row("PReLU", {"shared_axes": [1], "alpha_initializer": "ones", "alpha_regularizer": "l1", "alpha_constraint": "non_neg"}, ROW),
        Row("PReLU", {"shared_axes": [1, 2]}, IMAGE), Row("Softmax", {}, ROW), Row("Softmax", {"axis": (1, 2)}, ROW),
        Row("Softmax", {"axis": 1}, IMAGE), Row("Softmax", {}, ROW, call={"mask": BITS[:, :, :4]}, half=True),
        Row("Softmax", {"axis": (1, 2)}, ROW, call={"mask": BITS[:, :, :4]}),
    ]  # fmt: skip


def _normalization() -> list[Row]:
    rows: list[Row] = []
    every = {
        "beta_initializer": "ones",
        "gamma_regularizer": "l2",
        "beta_regularizer": "l1",
        "gamma_constraint": "non_neg",
    }
    for training in (False, True):
        for options, x in (
            ({}, IMAGE), ({"axis": 1, "center": False, "momentum": 0.5}, turned(IMAGE)), ({"scale": False, "epsilon": 0.01}, (6, 4)),
            ({"axis": 1}, ROW), ({"renorm": True, "renorm_clipping": {"rmin": 0.5, "rmax": 1.5, "dmax": 0.3}}, (6, 4)), (every, ROW),
            ({"renorm": True, "renorm_momentum": 0.7, "scale": False, "center": False}, IMAGE), ({"trainable": False}, ROW),
        ):  # fmt: skip
            rows.append(
                Row("BatchNormalization", options, x, training=training, half=x == ROW, masked=x in (ROW, IMAGE))
            )
    rows += [
        Row("LayerNormalization", {}, ROW), Row("LayerNormalization", {"axis": [1, 2], "center": False}, ROW),
        Row("LayerNormalization", {"axis": -2, "scale": False, "epsilon": 0.1}, ROW), Row("LayerNormalization", every, IMAGE),
        Row("LayerNormalization", {"axis": [-1, 1]}, IMAGE),
        Row("LayerNormalization", {"axis": [1, 2], "rms_scaling": True, "scale": False}, IMAGE),
        Row("GroupNormalization", {"groups": 2}, IMAGE),
        Row("GroupNormalization", {"groups": -1, "axis": 1}, turned(IMAGE)), Row("GroupNormalization", {"groups": 1, **every}, ROW),
        Row("GroupNormalization", {"groups": 4, "center": False, "scale": False}, (3, 8)), Row("GroupNormalization", {"groups": 2, "axis": 2}, VOLUME),
        Row("RMSNormalization", {}, ROW), Row("RMSNormalization", {"axis": (1, 2), "epsilon": 0.1}, ROW), Row("RMSNormalization", {"axis": 1}, IMAGE),
        Row("UnitNormalization", {}, ROW), Row("UnitNormalization", {"axis": 1}, ROW), Row("UnitNormalization", {"axis": [1, 2]}, IMAGE),
    ]  # fmt: skip
    for training in (False, True):
        rows += [
            Row("SpectralNormalization", {"layer": sub("Dense", units=3, name="inner")}, ROW, training=training),
            Row("SpectralNormalization", {"layer": sub("Conv2D", filters=3, kernel_size=2), "power_iterations": 3}, IMAGE, training=training),
            Row("SpectralNormalization", {"layer": sub("DepthwiseConv2D", kernel_size=2)}, IMAGE, training=training),
        ]  # fmt: skip
    return rows


def _merging() -> list[Row]:
    rows = [Row(kind, {}, PAIR) for kind in ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum")]
    for kind in ("Add", "Multiply", "Average", "Maximum", "Minimum"):
        rows += [
            Row(kind, {}, [(2, 3, 4), (2, 1, 4), (2, 3, 1)], masked=True),
            Row(kind, {}, [(2, 3, 4), (2, 4), (2, 3, 4)]),
        ]
    rows += [
        Row("Subtract", {}, [(2, 3, 4), (2, 4)]),
        Row("Concatenate", {"axis": 1}, [(2, 3, 4), (2, 5, 4)]), Row("Concatenate", {}, [(2, 3, 4), (2, 3, 1), (2, 3, 2)], masked=True),
        Row("Concatenate", {"axis": 2}, [(2, 3, 4, 2), (2, 3, 1, 2)], masked=True), Row("Concatenate", {"axis": -2}, [IMAGE, IMAGE], masked=True),
        Row("Dot", {"axes": (2, 1)}, [(2, 3, 4), (2, 4, 5)]), Row("Dot", {"axes": 1, "normalize": True}, [(2, 4), (2, 4)], half=True),
        Row("Dot", {"axes": -1}, [(2, 3, 4), (2, 5, 4)], masked=True), Row("Dot", {"axes": [1, 1]}, [(2, 3, 4), (2, 3)]),
        Row("Dot", {"axes": (3, 2)}, [(2, 3, 4, 5), (2, 4, 5, 3)]),
    ]  # fmt: skip
    return rows


def _regularization() -> list[Row]:
    rows = [
        Row(kind, {"rate": 0.3, "seed": 1}, x)
        for kind, x in (
            ("Dropout", ROW), ("AlphaDropout", ROW), ("GaussianDropout", ROW), ("SpatialDropout1D", SEQUENCE), ("SpatialDropout2D", IMAGE),
            ("SpatialDropout3D", VOLUME),
        )
    ]  # fmt: skip
    rows += [Row(kind, {"rate": 0.0}, ROW, training=True) for kind in ("Dropout", "AlphaDropout", "GaussianDropout")]
    rows += [
        Row("Dropout", {"rate": 0.5, "noise_shape": (None, 1, 4)}, ROW), Row("AlphaDropout", {"rate": 0.5, "noise_shape": (2, 1, 4)}, ROW),
        Row("SpatialDropout2D", {"rate": 0.2, **FIRST}, turned(IMAGE)), Row("SpatialDropout3D", {"rate": 0.2, **FIRST}, turned(VOLUME)),
        Row("GaussianNoise", {"stddev": 0.3, "seed": 1}, ROW), Row("GaussianNoise", {"stddev": 0.0}, ROW, training=True),
    ]  # fmt: skip
    return rows


def _attention() -> list[Row]:
    three, two = [(2, 3, 4), (2, 5, 6), (2, 5, 4)], [(2, 3, 4), (2, 5, 4)]
    masks = [np.array([[1, 1, 0], [1, 1, 1]], bool), np.array([[1, 1, 0, 0, 1], [1, 1, 1, 0, 0]], bool)]
    rows: list[Row] = []
    for kind, options in (
        ("Attention", {}), ("Attention", {"use_scale": True}), ("Attention", {"score_mode": "concat", "use_scale": True, "dropout": 0.2, "seed": 1}),
        ("AdditiveAttention", {}), ("AdditiveAttention", {"use_scale": False, "dropout": 0.1}),
    ):  # fmt: skip
        rows += [
            Row(kind, options, three, masked=False), Row(kind, options, two, masked=False, call={"use_causal_mask": True, "mask": masks}),
            Row(kind, options, three, masked=False, call={"return_attention_scores": True, "mask": [None, masks[1]]}),
        ]  # fmt: skip
    rows += [Row("Attention", {}, two, call={"mask": masks}, half=True), Row("AdditiveAttention", {}, two, call={"mask": masks}, half=True)]  # fmt: skip
    pairs = np.array([[1, 0, 1, 1, 1], [0, 1, 0, 0, 1], [1, 1, 0, 0, 1]], bool)[None].repeat(2, 0)
    query, value, key = (2, 3, 4), (2, 5, 6), (2, 5, 4)
    for kind, options, rest in (
        ("MultiHeadAttention", {"num_heads": 2, "key_dim": 3}, (value, key)),
        ("MultiHeadAttention", {"num_heads": 2, "key_dim": 3, "value_dim": 5, "use_bias": False, "use_gate": True, "seed": 3,
                                "kernel_regularizer": "l2", "activity_regularizer": "l1"}, (value, key)),
        ("MultiHeadAttention", {"num_heads": 1, "key_dim": 3, "output_shape": (3, 2), "dropout": 0.1, "flash_attention": False}, (key,)),
        ("MultiHeadAttention", {"num_heads": 2, "key_dim": 3, "sliding_window": 2, "bias_initializer": "ones"}, (query,)),
        ("GroupQueryAttention", {"head_dim": 3, "num_query_heads": 4, "num_key_value_heads": 2}, (key,)),
        ("GroupQueryAttention", {"head_dim": 2, "num_query_heads": 2, "num_key_value_heads": 1, "use_gate": True, "use_bias": False,
                                 "kernel_constraint": "max_norm"}, (key, key)),
        ("GroupQueryAttention", {"head_dim": 2, "num_query_heads": 2, "num_key_value_heads": 2, "sliding_window": 3}, (query,)),
    ):  # fmt: skip
        rows.append(Row(kind, options, query, rest, masked=False))
        mask = pairs[:, :, : rest[0][1]]
        rows.append(Row(kind, options, query, rest, {"attention_mask": mask}))
        rows.append(Row(kind, options, query, rest, {"return_attention_scores": True, "use_causal_mask": True}))
    rows.append(
        Row(
            "MultiHeadAttention",
            {"num_heads": 2, "key_dim": 3, "attention_axes": (2,)},
            (2, 3, 4, 5),
            ((2, 3, 6, 5),),
            masked=False,
        )
    )
    rows.append(Row("MultiHeadAttention", {"num_heads": 2, "key_dim": 3}, (2, 3, 4, 5), ((2, 3, 2, 5),), masked=False))
    return rows


def _preprocessing() -> list[Row]:
    """At inference, where images pass through; the numbers of training are in `preprocessing_run`."""
    rows = [
        Row(kind, options, PICTURES, call={"training": False}, gradients=False)
        for kind, options in (
            ("AugMix", {}), ("AutoContrast", {}), ("ContrastLimitedAdaptiveHistogramEqualization", {}), ("CutMix", {}), ("Equalization", {}),
            ("MixUp", {}), ("RandAugment", {}), ("RandomBrightness", {"factor": 0.2}), ("RandomColorDegeneration", {"factor": 0.2}),
            ("RandomColorJitter", {}), ("RandomContrast", {"factor": 0.2}), ("RandomCrop", {"height": 4, "width": 5, "seed": 1}),
            ("RandomElasticTransform", {}), ("RandomErasing", {}), ("RandomFlip", {}), ("RandomGaussianBlur", {}), ("RandomGrayscale", {}),
            ("RandomHue", {"factor": 0.2}), ("RandomInvert", {}), ("RandomPerspective", {}), ("RandomPosterization", {"factor": 3}),
            ("RandomRotation", {"factor": 0.2}), ("RandomSaturation", {"factor": 0.2}), ("RandomSharpness", {"factor": 0.2}),
            ("RandomShear", {"x_factor": 0.2}), ("RandomTranslation", {"height_factor": 0.2, "width_factor": 0.1}),
            ("RandomZoom", {"height_factor": 0.2}), ("Solarization", {}), ("CenterCrop", {"height": 4, "width": 5}),
            ("Resizing", {"height": 4, "width": 5}),
        )
    ]  # fmt: skip
    rows += [
        Row("Rescaling", {"scale": 0.5, "offset": 1}, ROW), Row("Rescaling", {"scale": [1.0, 2.0, 3.0, 4.0]}, ROW),
        Row("Normalization", {"mean": [1.0, 2.0, 3.0, 4.0], "variance": [1.0, 2.0, 3.0, 4.0]}, ROW),
        Row("Normalization", {"axis": None, "mean": 3.0, "variance": 2.0, "invert": True}, ROW),
        Row("Discretization", {"bin_boundaries": [-0.5, 0.0, 0.5]}, ROW, gradients=False),
        Row("CategoryEncoding", {"num_tokens": 7}, IDS, gradients=False), Row("Hashing", {"num_bins": 7, "dtype": "int32"}, IDS, gradients=False, half=False),
        Row("HashedCrossing", {"num_bins": 7, "dtype": "int32"}, [IDS[:, :1], IDS[:, 1:2]], gradients=False, half=False),
        Row("Pipeline", {"layers": [sub("Rescaling", scale=0.5), sub("CenterCrop", height=4, width=5)]}, PICTURES, gradients=False, half=False),
    ]  # fmt: skip
    stft: dict[str, Any] = {"frame_length": 32, "frame_step": 12, "fft_length": 64}
    rows += [
        Row("STFTSpectrogram", {**stft, "mode": mode}, (*SIGNAL, 2))
        for mode in ("psd", "log", "magnitude", "real", "imag")
    ]
    rows += [
        Row("STFTSpectrogram", {**stft, "mode": "stft", "expand_dims": True, "padding": "same"}, (*SIGNAL, 2)),
        Row("STFTSpectrogram", {**stft, "mode": "psd", "trainable": False, **FIRST}, (2, 2, 150)),
        Row("STFTSpectrogram", {"frame_length": 30, "frame_step": 7, "window": "hamming", "periodic": True, "scaling": "spectrum"}, (*SIGNAL, 1)),
        Row("MelSpectrogram", {"fft_length": 64, "sequence_stride": 32, "num_mel_bins": 8}, SIGNAL),
        Row("MelSpectrogram", {"fft_length": 64, "sequence_stride": 32, "num_mel_bins": 8, "power_to_db": False, "window": None}, SIGNAL),
    ]  # fmt: skip
    return rows


ROWS = [
    *_core(), *_activations(), *_normalization(), *_merging(), *_regularization(), *_attention(), *_preprocessing(),
]  # fmt: skip
