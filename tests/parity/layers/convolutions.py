"""Rows of convolutions, pooling and layers that change the shape of images and sequences."""

from __future__ import annotations

from typing import Any

from tests.parity.layers.mechanism import Row

FIRST = {"data_format": "channels_first"}
SEQUENCE, IMAGE, VOLUME = (2, 9, 4), (2, 8, 7, 4), (2, 5, 4, 5, 4)
INPUT = {1: SEQUENCE, 2: IMAGE, 3: VOLUME}


def turned(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape with the channels first."""
    return (shape[0], shape[-1], *shape[1:-1])


def either(kind: str, shape: tuple[int, ...], *options: dict[str, Any]) -> list[Row]:
    """Each row in both data formats."""
    return [
        Row(kind, {**given, **more}, turned(shape) if more else shape, masked=False if more else None)
        for given in options
        for more in ({}, FIRST)
    ]


def _convolutions() -> list[Row]:
    rows: list[Row] = []
    for rank, shape in INPUT.items():
        size = (3, 2, 3)[:rank]
        strides = (2, 1, 2)[:rank]
        rows += either(
            f"Conv{rank}D", shape,
            {"filters": 6, "kernel_size": 3},
            {"filters": 4, "kernel_size": size, "padding": "same", "strides": 2, "activation": "relu"},
            {"filters": 4, "kernel_size": size, "strides": strides, "groups": 2, "use_bias": False},
            {"filters": 2, "kernel_size": size, "dilation_rate": 2, "padding": "same", "kernel_regularizer": "l2", "activity_regularizer": "l1"},
        )  # fmt: skip
        rows += either(
            f"Conv{rank}DTranspose", shape,
            {"filters": 3, "kernel_size": 3},
            {"filters": 3, "kernel_size": size, "padding": "same", "strides": 2, "activation": "tanh"},
            {"filters": 3, "kernel_size": 2, "strides": 3, "padding": "same"},
            {"filters": 3, "kernel_size": 3, "strides": 2, "output_padding": 1, "use_bias": False},
            {"filters": 3, "kernel_size": size, "strides": 2, "padding": "same", "output_padding": 1},
            {"filters": 2, "kernel_size": 3, "dilation_rate": 2},
        )  # fmt: skip
    rows += [
        Row("Conv1D", {"filters": 3, "kernel_size": 3, "padding": "causal", "dilation_rate": 2}, SEQUENCE),
        Row("Conv1D", {"filters": 3, "kernel_size": 3, "padding": "causal", "strides": 2}, SEQUENCE),
        Row("Conv1D", {"filters": 3, "kernel_size": 3, "padding": "causal", **FIRST}, turned(SEQUENCE)),
        Row("Conv2D", {"filters": 8, "kernel_size": 1, "groups": 4}, IMAGE),
        Row("Conv2D", {"filters": 2, "kernel_size": 3, "kernel_constraint": "unit_norm", "bias_regularizer": "l1",
                       "kernel_initializer": "he_normal", "bias_constraint": "non_neg", "trainable": False, "name": "mine"}, IMAGE),
    ]  # fmt: skip
    for rank, shape in ((1, SEQUENCE), (2, IMAGE)):
        size = (3, 2)[:rank]
        options = (
            {}, {"padding": "same", "strides": 2, "depth_multiplier": 2}, {"dilation_rate": 2, "activation": "relu"},
            {"strides": 3, "use_bias": False},
        )  # fmt: skip
        rows += either(f"DepthwiseConv{rank}D", shape, *({"kernel_size": size, **more} for more in options))
        rows += either(
            f"SeparableConv{rank}D", shape, *({"filters": 5, "kernel_size": size, **more} for more in options)
        )
        rows.append(
            Row(f"SeparableConv{rank}D", {"filters": 5, "kernel_size": size, "depthwise_regularizer": "l2", "pointwise_regularizer": "l1",
                                          "pointwise_constraint": "max_norm", "padding": "same", "dilation_rate": 2}, shape)
        )  # fmt: skip
    rows.append(
        Row("SeparableConv1D", {"filters": 5, "kernel_size": 3, "padding": "causal", "dilation_rate": 2}, SEQUENCE)
    )
    rows.append(Row("DepthwiseConv1D", {"kernel_size": 3, "padding": "causal"}, SEQUENCE))
    return rows


def _pooling() -> list[Row]:
    rows: list[Row] = []
    for rank, shape in INPUT.items():
        for kind in ("Max", "Average"):
            rows += either(
                f"{kind}Pooling{rank}D", shape,
                {"pool_size": 2}, {"pool_size": 3, "strides": 2, "padding": "same"}, {"pool_size": (2, 3, 1)[:rank], "strides": 1},
                {"pool_size": 2, "strides": 1, "padding": "same"},
            )  # fmt: skip
            rows += either(f"Global{kind}Pooling{rank}D", shape, {}, {"keepdims": True})
            rows += either(
                f"Adaptive{kind}Pooling{rank}D", shape, {"output_size": 2}, {"output_size": (4, 3, 2)[:rank]}
            )
    return rows


def _reshaping() -> list[Row]:
    rows: list[Row] = []
    for rank, shape in INPUT.items():
        pairs = ((1, 2), (3, 0), (0, 1))[:rank] if rank > 1 else (1, 2)
        cuts = ((1, 2), (2, 0), (0, 1))[:rank] if rank > 1 else (1, 2)
        formats = either if rank > 1 else lambda kind, shape, *options: [Row(kind, o, shape) for o in options]
        rows += either(f"ZeroPadding{rank}D", shape, {}, {"padding": 2}, {"padding": pairs})
        rows += formats(f"Cropping{rank}D", shape, {"cropping": 1}, {"cropping": cuts})
        rows += formats(f"UpSampling{rank}D", shape, {}, {"size": (3, 1, 2)[:rank] if rank > 1 else 3})
    rows += either(
        "UpSampling2D", IMAGE, *({"size": (2, 3), "interpolation": i} for i in ("bilinear", "bicubic", "lanczos3", "lanczos5"))
    )  # fmt: skip
    rows += either("Flatten", IMAGE, {})
    rows += [
        Row("Cropping2D", {}, IMAGE),
        Row("Cropping3D", {}, VOLUME),
        Row("Flatten", {}, (3, 4)), Row("Flatten", {}, (4,)), Row("Flatten", FIRST, (2, 3, 4)),
        Row("Reshape", {"target_shape": (4, -1)}, IMAGE), Row("Reshape", {"target_shape": (2, 2, 9)}, SEQUENCE),
        Row("Reshape", {"target_shape": (-1,)}, SEQUENCE), Row("Reshape", {"target_shape": (36,)}, SEQUENCE),
        Row("Permute", {"dims": (3, 1, 2)}, IMAGE), Row("Permute", {"dims": (2, 1)}, SEQUENCE),
        Row("RepeatVector", {"n": 3}, (2, 5)),
    ]  # fmt: skip
    return rows


ROWS = [*_convolutions(), *_pooling(), *_reshaping()]
