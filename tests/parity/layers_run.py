"""A table of layers with inputs, the same for Keras and for Tricera; run as a script it writes Keras's results."""

from __future__ import annotations

import json
import sys
from typing import Any

import numpy as np

Shapes = Any  # one shape with the batch axis, or a list of shapes

_FIRST = {"data_format": "channels_first"}
_L, _I, _V = (2, 9, 4), (2, 8, 7, 4), (2, 6, 5, 6, 4)
_FI, _FV = (2, 4, 8, 7), (2, 4, 6, 5, 6)
_INPUT = {1: _L, 2: _I, 3: _V}


def _convolutions() -> list[tuple[str, dict[str, Any], Shapes]]:
    rows: list[tuple[str, dict[str, Any], Shapes]] = []
    for rank, shape in _INPUT.items():
        base = {"filters": 6, "kernel_size": 3}
        for extra in (
            {},
            {"padding": "same", "strides": 2, "activation": "relu"},
            {"dilation_rate": 2, "padding": "same", "use_bias": False},
            {"groups": 2, "bias_initializer": "ones"},
        ):
            rows.append((f"Conv{rank}D", {**base, **extra}, shape))
        for extra in ({}, {"padding": "same", "strides": 2}, {"strides": 2}, {"padding": "same", "strides": 3}):
            rows.append((f"Conv{rank}DTranspose", {**base, **extra}, shape))
    rows += [
        ("Conv1D", {"filters": 3, "kernel_size": 3, "padding": "causal", "dilation_rate": 2}, _L),
        ("Conv1D", {"filters": 3, "kernel_size": 3, **_FIRST}, (2, 4, 9)),
        ("Conv2D", {"filters": 6, "kernel_size": (3, 2), "strides": (2, 1), "padding": "same", **_FIRST}, _FI),
        ("Conv2D", {"filters": 6, "kernel_size": 3, "groups": 2, **_FIRST}, _FI),
        ("Conv3D", {"filters": 2, "kernel_size": 2, **_FIRST}, _FV),
        ("Conv2DTranspose", {"filters": 3, "kernel_size": 3, "strides": 2, "padding": "same", **_FIRST}, _FI),
        ("Conv2DTranspose", {"filters": 3, "kernel_size": 3, "strides": 2, "output_padding": 1}, _I),
    ]
    for rank, shape in ((1, _L), (2, _I)):
        for extra in ({}, {"padding": "same", "strides": 2, "depth_multiplier": 2}, {"dilation_rate": 2}):
            rows.append((f"DepthwiseConv{rank}D", {"kernel_size": 3, **extra}, shape))
            rows.append((f"SeparableConv{rank}D", {"filters": 5, "kernel_size": 3, **extra}, shape))
    rows += [
        ("DepthwiseConv2D", {"kernel_size": 3, "depth_multiplier": 2, **_FIRST}, _FI),
        ("SeparableConv2D", {"filters": 5, "kernel_size": 3, **_FIRST}, _FI),
    ]
    return rows


def _pooling() -> list[tuple[str, dict[str, Any], Shapes]]:
    rows: list[tuple[str, dict[str, Any], Shapes]] = []
    for rank, shape in _INPUT.items():
        first = (shape[0], shape[-1], *shape[1:-1])
        for kind in ("Max", "Average"):
            # Keras on torch counts padding in some means, on JAX and TensorFlow it does not; tests/ops hold the latter.
            padding = "same" if kind == "Max" else "valid"
            rows += [
                (f"{kind}Pooling{rank}D", {"pool_size": 2}, shape),
                (f"{kind}Pooling{rank}D", {"pool_size": 3, "strides": 2, "padding": padding}, shape),
                (f"{kind}Pooling{rank}D", {"pool_size": 2, "strides": 1, **_FIRST}, first),
                (f"Global{kind}Pooling{rank}D", {}, shape),
                (f"Global{kind}Pooling{rank}D", {"keepdims": True, **_FIRST}, first),
            ]
    return rows


def _reshaping() -> list[tuple[str, dict[str, Any], Shapes]]:
    return [
        ("Flatten", {}, _I),
        ("Flatten", _FIRST, _FI),
        ("Reshape", {"target_shape": (4, -1)}, _I),
        ("Permute", {"dims": (3, 1, 2)}, _I),
        ("RepeatVector", {"n": 3}, (2, 5)),
        ("ZeroPadding1D", {"padding": (1, 2)}, _L),
        ("ZeroPadding2D", {"padding": ((1, 2), (3, 0))}, _I),
        ("ZeroPadding2D", {"padding": 2, **_FIRST}, _FI),
        ("ZeroPadding3D", {"padding": (1, 2, 0)}, _V),
        ("Cropping1D", {"cropping": (1, 2)}, _L),
        ("Cropping2D", {"cropping": ((1, 2), (1, 0))}, _I),
        ("Cropping2D", {"cropping": 1, **_FIRST}, _FI),
        ("Cropping3D", {"cropping": 1}, _V),
        ("UpSampling1D", {"size": 3}, _L),
        ("UpSampling2D", {"size": (2, 3)}, _I),
        ("UpSampling2D", {"size": 2, "interpolation": "bilinear"}, _I),
        ("UpSampling2D", {"size": 2, **_FIRST}, _FI),
        ("UpSampling3D", {"size": 2}, _V),
    ]


def _others() -> list[tuple[str, dict[str, Any], Shapes]]:
    pair, row = [(2, 3, 4), (2, 3, 4)], (2, 3, 4)
    rows: list[tuple[str, dict[str, Any], Shapes]] = [
        ("Dense", {"units": 5}, (2, 4)),
        ("Dense", {"units": 5, "activation": "gelu", "use_bias": False, "kernel_regularizer": "l2"}, row),
        ("Dense", {"units": 5, "kernel_constraint": "max_norm", "bias_initializer": "ones", "name": "head"}, row),
        ("EinsumDense", {"equation": "abc,cd->abd", "output_shape": (None, 6), "bias_axes": "d"}, row),
        ("EinsumDense", {"equation": "...x,xy->...y", "output_shape": 6, "activation": "tanh"}, row),
        ("Embedding", {"input_dim": 10, "output_dim": 4, "mask_zero": True}, (2, 6)),
        ("Activation", {"activation": "swish"}, row),
        ("ReLU", {"max_value": 1.0, "negative_slope": 0.1, "threshold": 0.2}, row),
        ("LeakyReLU", {"negative_slope": 0.2}, row),
        ("ELU", {"alpha": 0.5}, row),
        ("PReLU", {"shared_axes": [1], "alpha_initializer": "ones"}, row),
        ("Softmax", {}, row),
        ("Softmax", {"axis": (1, 2)}, row),
        ("Identity", {}, row),
        ("Masking", {"mask_value": 0.5}, row),
        ("BatchNormalization", {}, _I),
        ("BatchNormalization", {"axis": 1, "center": False, "momentum": 0.5}, _FI),
        ("BatchNormalization", {"scale": False, "epsilon": 0.01}, (6, 4)),
        ("BatchNormalization", {"renorm": True, "renorm_clipping": {"rmin": 0.5, "rmax": 1.5, "dmax": 0.3}}, (6, 4)),
        ("BatchNormalization", {"renorm": True, "renorm_momentum": 0.7, "scale": False, "center": False}, _I),
        ("LayerNormalization", {}, row),
        ("LayerNormalization", {"axis": [1, 2], "center": False}, row),
        ("GroupNormalization", {"groups": 2}, _I),
        ("GroupNormalization", {"groups": -1, "axis": 1}, _FI),
        ("RMSNormalization", {}, row),
        ("UnitNormalization", {"axis": 1}, row),
        ("Concatenate", {"axis": 1}, [(2, 3, 4), (2, 5, 4)]),
        ("Dot", {"axes": (2, 1)}, [(2, 3, 4), (2, 4, 5)]),
        ("Dot", {"axes": 1, "normalize": True}, [(2, 4), (2, 4)]),
        ("Add", {}, [(2, 3, 4), (2, 1, 4), (2, 4)]),
        ("Dropout", {"rate": 0.3, "seed": 1}, row),
        ("AlphaDropout", {"rate": 0.3, "seed": 1}, row),
        ("GaussianDropout", {"rate": 0.3, "seed": 1}, row),
        ("GaussianNoise", {"stddev": 0.3, "seed": 1}, row),
        ("SpatialDropout1D", {"rate": 0.3, "seed": 1}, _L),
        ("SpatialDropout2D", {"rate": 0.3, "seed": 1}, _I),
        ("SpatialDropout3D", {"rate": 0.3, "seed": 1}, _V),
        ("ActivityRegularization", {"l1": 0.1, "l2": 0.2}, row),
    ]
    return rows + [(kind, {}, pair) for kind in ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum")]


ROWS = [*_convolutions(), *_pooling(), *_reshaping(), *_others()]
CASES = {f"{i:03d}-{kind}": (kind, options, shapes) for i, (kind, options, shapes) in enumerate(ROWS)}
TRAINING = [case for case, (kind, _, _) in CASES.items() if kind == "BatchNormalization"]


def values(case: str) -> Any:
    """The inputs of a case: whole numbers for an embedding."""
    kind, _, shapes = CASES[case]
    rng = np.random.default_rng(int(case[:3]))
    if kind == "Embedding":
        return rng.integers(0, 10, shapes).astype("int32")
    if isinstance(shapes, list):
        return [rng.normal(size=s).astype("float32") for s in shapes]
    return rng.normal(size=shapes).astype("float32")


def open_shapes(case: str) -> Any:
    """The shapes with an unknown batch axis."""
    shapes = CASES[case][2]
    return [(None, *s[1:]) for s in shapes] if isinstance(shapes, list) else (None, *shapes[1:])


def build(library: Any, case: str) -> Any:
    """The layer in a library, built."""
    kind, options, shapes = CASES[case]
    layer = getattr(library.layers, kind)(**{"name": "layer", **options})
    layer.build(shapes)
    return layer


def plain(config: Any) -> str:
    """A config as text with sorted keys; tuples become lists."""
    return json.dumps(config, sort_keys=True)


def main(path: str) -> None:
    """Write Keras's weights, names, configs, outputs and shapes."""
    import keras

    keras.utils.set_random_seed(0)
    results: dict[str, Any] = {}
    for case in CASES:
        layer = build(keras, case)
        inputs = values(case)
        for i, weight in enumerate(layer.get_weights()):
            results[f"{case}/weight/{i}"] = weight
        results[f"{case}/names"] = plain([w.path for w in layer.weights])
        results[f"{case}/config"] = plain(layer.get_config())
        results[f"{case}/shape"] = plain(layer.compute_output_shape(open_shapes(case)))
        results[f"{case}/out"] = keras.ops.convert_to_numpy(layer(inputs))
        if case in TRAINING:
            results[f"{case}/training"] = keras.ops.convert_to_numpy(layer(inputs, training=True))
            for i, weight in enumerate(layer.get_weights()):
                results[f"{case}/after/{i}"] = weight
    np.savez(path, **results)


if __name__ == "__main__":
    main(sys.argv[1])
