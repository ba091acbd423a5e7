"""Every layer refuses every wrong option and input by a ValueError or TypeError that names it.

Three tables: what options of a name have in common in all layers (`SHARED`), the options of each (`OPTIONS`), and what is wrong about
inputs (`CALLS`). `test_every_layer_is_here` sees to it that no layer is left out.
"""

from __future__ import annotations

import inspect
import json

import numpy as np
import pytest

from tricera import layers as L
from tricera.backend import use

NAN = float("nan")
SIZES = (0, -1, 2.5, "a", None, True)  # what a count can't be
RATES = (-0.1, 1.1, "a", None, NAN)
WINDOWS = (0, -1, 2.5, "a", (1, 2, 3, 4, 5))
FOREIGN = {"TorchModuleWrapper", "FlaxLayer", "JaxLayer", "TFSMLayer"}  # need their framework; tests of their own


def arr(*shape):
    return np.ones(shape, "float32")


def mask(*shape):
    return np.ones(shape, bool)


# Wrong values of options that mean the same wherever they occur.
SHARED = {
    "activation": ("nope", 5), "recurrent_activation": ("nope", 5), "data_format": ("nope", 5), "seed": ("nope", 1.5),
    "dtype": ("nope", 5), "name": ("a/b",), "epsilon": (-1, "a"), "dropout": (-0.1, 1.1, "a"), "recurrent_dropout": (-0.1, 1.1, "a"),
    "interpolation": ("nope", 5), "fill_mode": ("nope", 5), "bounding_box_format": ("nope", 5), "value_range": (5, (1, 2, 3), "a"),
    "lora_rank": (0, -1, "a", 1.5), "lora_alpha": ("a", NAN), "cell": (5,),
}  # fmt: skip
SHARED_ENDINGS = {"_initializer": ("nope",), "_regularizer": ("nope", 5), "_constraint": ("nope", 5)}

# A layer -> (its least arguments, option -> further wrong values, one of its options' names).
_KERNEL = {
    "padding": ("nope", 5, None),
    "strides": (0, -1, "a", 1.5),
    "dilation_rate": (0, -2, "a"),
    "kernel_size": WINDOWS + (True,),
}
_POOL = {"pool_size": WINDOWS, "strides": (0, -1, "a"), "padding": ("nope", "causal", None)}
_IMAGE = {"data_format": ("nope",)}
OPTIONS: dict[str, tuple[dict, dict]] = {
    "Activation": ({"activation": "relu"}, {}), "ActivityRegularization": ({}, {"l1": (-1, "a"), "l2": (-1, "a")}),
    "Layer": ({}, {"nope": (1,)}), "Identity": ({}, {}), "Flatten": ({}, {}),
    "Add": ({}, {}), "Subtract": ({}, {}), "Multiply": ({}, {}), "Average": ({}, {}), "Maximum": ({}, {}), "Minimum": ({}, {}),
    "Concatenate": ({}, {"axis": ("a", 1.5, None)}), "Dot": ({"axes": 1}, {"axes": ("a", (1, 2, 3), (1, "a"), 1.5, None)}),
    "Attention": ({}, {"score_mode": ("nope", None)}), "AdditiveAttention": ({}, {}),
    "MultiHeadAttention": ({"num_heads": 2, "key_dim": 2}, {
        "num_heads": SIZES, "key_dim": SIZES, "value_dim": (0, -1, "a"), "output_shape": (0, "a"), "attention_axes": ("a",),
        "flash_attention": ("nope",)}),
    "GroupQueryAttention": ({"head_dim": 2, "num_query_heads": 2, "num_key_value_heads": 2}, {
        "head_dim": SIZES, "num_query_heads": (*SIZES, 3), "num_key_value_heads": (*SIZES, 3), "flash_attention": ("nope",)}),
    "Dense": ({"units": 2}, {"units": SIZES}),
    "EinsumDense": ({"equation": "ab,bc->ac", "output_shape": 3}, {"output_shape": (0, -1, "x", 2.5)}),
    "Embedding": ({"input_dim": 5, "output_dim": 2}, {"input_dim": SIZES, "output_dim": SIZES, "weights": (arr(3, 2),)}),
    "ReversibleEmbedding": ({"input_dim": 5, "output_dim": 2}, {
        "input_dim": SIZES, "output_dim": SIZES, "reverse_dtype": ("nope",), "logit_soft_cap": (-1, 0, "a")}),
    "Dropout": ({"rate": 0.5}, {"rate": (*RATES, True), "noise_shape": ("x", (1.5,))}),
    "AlphaDropout": ({"rate": 0.5}, {"rate": RATES}), "GaussianDropout": ({"rate": 0.5}, {"rate": (*RATES, 1.0)}),
    "GaussianNoise": ({"stddev": 0.5}, {"stddev": (-0.1, "a", None)}),
    "ReLU": ({}, {"max_value": (-1, "a"), "negative_slope": (-1, "a", None), "threshold": (-1, "a", None)}),
    "LeakyReLU": ({}, {"negative_slope": (-1, "a", None)}), "ELU": ({}, {"alpha": ("a", None)}),
    "PReLU": ({}, {"shared_axes": ("a", 1.5)}), "Softmax": ({}, {"axis": ("a", 1.5)}), "Masking": ({}, {"mask_value": ("a", None)}),
    "Lambda": ({"function": len}, {"function": (5, None)}),
    "Reshape": ({"target_shape": (3,)}, {"target_shape": ((-1, -1), "a", (2.5,), (-2,), None)}),
    "Permute": ({"dims": (1,)}, {"dims": ((0, 1), (1, 1), (2, 3), "a", 5, (1.5,), (1, 3), None)}),
    "RepeatVector": ({"n": 2}, {"n": SIZES}),
    "BatchNormalization": ({}, {"momentum": (-0.1, 1.1, "a"), "axis": ("a", 1.5, [1, 2]), "renorm_momentum": (2,),
                                "renorm_clipping": ({"x": 1}, {"rmin": 2.0, "rmax": 1.0})}),
    "LayerNormalization": ({}, {"axis": ("a", 1.5)}), "RMSNormalization": ({}, {"axis": ("a", 1.5)}),
    "UnitNormalization": ({}, {"axis": ("a", 1.5)}),
    "GroupNormalization": ({}, {"groups": ("a", 1.5, -2), "axis": ("a", 1.5)}),
    "SpectralNormalization": ({"layer": L.Dense(2)}, {"layer": (5, None), "power_iterations": (0, -1, "a", 1.5)}),
    "Normalization": ({}, {"axis": ("a",), "mean": (1.0,), "variance": (1.0,)}),
    "Wrapper": ({"layer": L.Dense(2)}, {"layer": (5, None)}), "TimeDistributed": ({"layer": L.Dense(2)}, {"layer": (5, None)}),
    "Bidirectional": ({"layer": L.LSTM(2)}, {
        "layer": (5, None, L.Dense(2)), "merge_mode": ("nope", 5), "backward_layer": (L.Dense(2), L.LSTM(2))}),
    "RNN": ({"cell": L.LSTMCell(2)}, {"cell": (5, None, [], L.Dense(2))}),
    "StackedRNNCells": ({"cells": [L.LSTMCell(2)]}, {"cells": ([], [5], 5, [L.Dense(2)])}),
    **{kind + end: ({"units": 2}, {"units": SIZES}) for kind in ("SimpleRNN", "GRU", "LSTM") for end in ("", "Cell")},
    "InputLayer": ({"shape": (3,)}, {"shape": (5.5, "a", (2.5,), (-3,), None), "batch_size": (-1, "a")}),
    "Rescaling": ({"scale": 1.0}, {"scale": ("a", None), "offset": ("a",)}),
    "Resizing": ({"height": 5, "width": 5}, {"height": SIZES, "width": SIZES}),
    "CenterCrop": ({"height": 5, "width": 5}, {"height": SIZES, "width": SIZES}),
    "RandomCrop": ({"height": 5, "width": 5}, {"height": SIZES, "width": SIZES}),
    "RandomFlip": ({}, {"mode": ("nope", None)}),
    "RandomRotation": ({"factor": 0.1}, {"factor": ("a", None, (1, 2, 3))}), "RandomShear": ({}, {"x_factor": ("a", -1, 2), "y_factor": ("a", -1)}),
    "RandomTranslation": ({"height_factor": 0.1, "width_factor": 0.1}, {"height_factor": ("a", None, 2, (-2, 0.1)), "width_factor": ("a", (1, 2, 3))}),
    "RandomZoom": ({"height_factor": 0.1}, {"height_factor": ("a", None, (1, 2, 3), -2)}),
    "RandomPerspective": ({}, {"factor": ("a", 2, -1), "scale": ("a",)}),
    **{kind: ({"factor": 0.1}, {"factor": (-5, "a", None, (1, 2, 3))}) for kind in (
        "RandomBrightness", "RandomContrast", "RandomSaturation", "RandomHue", "RandomSharpness", "RandomColorDegeneration")},
    **{kind: ({}, {"factor": (-5, "a", (1, 2, 3))}) for kind in ("RandomGrayscale", "RandomInvert", "RandomErasing", "RandomGaussianBlur")},
    "RandomPosterization": ({"factor": 4}, {"factor": (0, 9, "a", None)}),
    "RandomColorJitter": ({}, {"brightness_factor": (-5, "a"), "contrast_factor": (-5, "a"), "saturation_factor": (-5, "a"), "hue_factor": (-5, "a")}),
    "RandomElasticTransform": ({}, {"factor": ("a",), "scale": ("a",)}),
    "MixUp": ({}, {"alpha": (-1, "a")}), "CutMix": ({}, {"factor": (-1, "a", (1, 2, 3))}),
    "RandAugment": ({}, {"num_ops": (0, -1, "a", 1.5), "factor": (2, "a")}),
    "AugMix": ({}, {"num_chains": (0, "a"), "chain_depth": (-1,), "factor": (2,), "alpha": (-1, "a")}),
    "Solarization": ({}, {"addition_factor": ("a", (1, 2, 3)), "threshold_factor": ("a",)}),
    "AutoContrast": ({}, {}), "Equalization": ({}, {"bins": (0, -4, "a")}), "ContrastLimitedAdaptiveHistogramEqualization": ({}, {}),
    "MaxNumBoundingBoxes": ({"max_number": 2}, {"max_number": SIZES}), "Pipeline": ({"layers": []}, {"layers": (5, [5], None)}),
    "CategoryEncoding": ({"num_tokens": 4}, {"num_tokens": SIZES, "output_mode": ("nope", "int")}),
    "Discretization": ({"num_bins": 3}, {"num_bins": (None, -1, "a", 2.5), "bin_boundaries": ([1.0],), "output_mode": ("nope",), "epsilon": (-1, 0, "a")}),
    "Hashing": ({"num_bins": 4}, {"num_bins": SIZES, "output_mode": ("nope",), "salt": ("a", [1, 2, 3]), "sparse": (True,)}),
    "HashedCrossing": ({"num_bins": 4}, {"num_bins": SIZES, "output_mode": ("nope",), "sparse": (True,)}),
    "MelSpectrogram": ({}, {
        "fft_length": (0, 2.5), "sequence_stride": (0,), "num_mel_bins": (0,), "window": ("nope",), "sampling_rate": (0,),
        "sequence_length": (-1, 99999), "min_freq": (-1,), "mag_exp": ("a",), "min_power": (-1,), "top_db": (-1,)}),
    "STFTSpectrogram": ({}, {
        "mode": ("nope",), "frame_length": (0,), "frame_step": (0, 999), "fft_length": (0, 3), "window": ("nope",), "padding": ("nope",),
        "scaling": ("nope",)}),
}  # fmt: skip
for _rank in (1, 2, 3):
    for _kind in ("Conv{}D", "Conv{}DTranspose", "SeparableConv{}D")[: 3 if _rank < 3 else 2]:
        OPTIONS[_kind.format(_rank)] = ({"filters": 4, "kernel_size": 3}, {**_KERNEL, "filters": SIZES})
    OPTIONS[f"Conv{_rank}D"][1]["groups"] = (0, -1, 3, 1.5)
    OPTIONS[f"Conv{_rank}DTranspose"][1]["output_padding"] = (-1, 2, "a", (1, 2, 3, 4))
    if _rank < 3:
        OPTIONS[f"SeparableConv{_rank}D"][1]["depth_multiplier"] = SIZES
        OPTIONS[f"DepthwiseConv{_rank}D"] = ({"kernel_size": 3}, {**_KERNEL, "depth_multiplier": SIZES})
    OPTIONS[f"ConvLSTM{_rank}D"] = ({"filters": 2, "kernel_size": 3}, {**_KERNEL, "filters": SIZES})
    for _kind in ("Max", "Average"):
        OPTIONS[f"{_kind}Pooling{_rank}D"] = ({"pool_size": 2}, _POOL)
        OPTIONS[f"Global{_kind}Pooling{_rank}D"] = ({}, {})
        OPTIONS[f"Adaptive{_kind}Pooling{_rank}D"] = ({"output_size": 2}, {"output_size": WINDOWS})
    OPTIONS[f"SpatialDropout{_rank}D"] = ({"rate": 0.5}, {"rate": RATES})
    OPTIONS[f"UpSampling{_rank}D"] = ({}, {"size": WINDOWS})
    OPTIONS[f"ZeroPadding{_rank}D"] = ({}, {"padding": (-1, "a", 2.5, (1, 2, 3, 4))})
    OPTIONS[f"Cropping{_rank}D"] = ({}, {"cropping": (-1, "a", 2.5, (1, 2, 3, 4))})


def layers():
    """The layers by their own names, without the aliases."""
    found = {name: getattr(L, name) for name in L.__all__}
    return {
        n: c
        for n, c in found.items()
        if inspect.isclass(c) and issubclass(c, L.Layer) and (c.__name__ == n or c.__name__ not in L.__all__)
    }


def test_every_layer_is_here():
    assert set(layers()) - FOREIGN == set(OPTIONS)


def wrong_options(name):
    """(what is passed, the wrong option)."""
    arguments, own = OPTIONS[name]
    parameters = inspect.signature(getattr(L, name).__init__).parameters
    table = {option: values for option, values in own.items()}
    for option in parameters:
        ending = next((v for end, v in SHARED_ENDINGS.items() if option.endswith(end)), ())
        table[option] = (*table.get(option, ()), *SHARED.get(option, ending))
    table["nope"] = (1,)
    for option, values in table.items():
        for value in values:
            yield {**arguments, option: value}, option


def refused(act, name):
    """None, or what is wrong about how it is refused."""
    with use("numpy"):
        try:
            act()
        except (ValueError, TypeError) as error:
            said = " ".join([str(error), *getattr(error, "__notes__", ())])
            named = any(given in said for given in ("'probe", "'a/b'", f"class {getattr(L, name).__name__}"))
            return None if named else f"doesn't name the layer: {said}"
        except Exception as error:
            return f"raises a {type(error).__name__}: {error}"
    return "is accepted"


@pytest.mark.parametrize("name", list(OPTIONS))
def test_wrong_options(name):
    cls, faults = getattr(L, name), []
    for options, option in wrong_options(name):
        given = options if option == "name" else {"name": "probe", **options}
        fault = refused(lambda given=given: cls(**given), name)
        if fault:
            faults.append(f"{name}({options}) {fault}")
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("name", list(OPTIONS))
def test_the_least_arguments_are_right(name):
    with use("numpy"):
        assert getattr(L, name)(**OPTIONS[name][0], name="probe").name == "probe"


def numbers(value, integer, real):
    """A number, or numbers, of other types."""
    if isinstance(value, (list, tuple)):
        return type(value)(numbers(v, integer, real) for v in value)
    return integer(value) if type(value) is int else real(value) if type(value) is float else value


@pytest.mark.parametrize("name", list(OPTIONS))
def test_numpys_scalars_are_numbers(name):
    """They make the same config as Python's numbers, which is JSON."""
    cls, given = getattr(L, name), {**OPTIONS[name][0], "name": "probe"}
    for option, parameter in inspect.signature(cls.__init__).parameters.items():
        if type(parameter.default) in (int, float, tuple):
            given.setdefault(option, parameter.default)
        elif option in ("seed", "dropout", "recurrent_dropout"):
            given[option] = 3 if option == "seed" else 0.25
    with use("numpy"):
        wanted = cls(**{k: numbers(v, int, lambda x: float(np.float32(x))) for k, v in given.items()}).get_config()
        config = cls(**{k: numbers(v, np.int64, np.float32) for k, v in given.items()}).get_config()
    if name != "Lambda":  # whose function's code is in it
        json.dumps(config)
    assert config == wanted


_TOKENS = np.array([[1, 2, 3]])
_PAIR = [arr(2, 3, 4), arr(2, 5, 4)]
# (layer, options, the inputs of its calls, the last of which is wrong, keywords)
CALLS: list[tuple[str, dict, tuple, dict]] = [
    ("Dense", {}, (arr(3),), {}), ("Dense", {}, (arr(2, 3), arr(2, 4)), {}), ("Dense", {}, ("text",), {}), ("Dense", {}, (None,), {}),
    ("Dense", {}, (L.Input((None,)),), {}), ("EinsumDense", {}, (arr(2, 3, 4),), {}), ("EinsumDense", {}, (arr(2, 3), arr(2, 4)), {}),
    ("EinsumDense", {"output_shape": (3, 4)}, (arr(2, 3),), {}), ("EinsumDense", {"equation": "abbc"}, (arr(2, 4),), {}),
    ("EinsumDense", {"bias_axes": "z"}, (arr(2, 4),), {}),
    ("PReLU", {"shared_axes": [5]}, (arr(2, 3),), {}), ("PReLU", {"shared_axes": [0]}, (arr(2, 3),), {}), ("PReLU", {}, (arr(2, 3), arr(2, 4)), {}),
    ("PReLU", {}, (L.Input((None, 3)),), {}), ("Softmax", {"axis": 5}, (arr(2, 3),), {}), ("Softmax", {}, (arr(2, 3),), {"mask": mask(2, 7)}),
    *((kind, {"axis": axis}, (arr(2, 3),), {}) for kind in ("BatchNormalization", "LayerNormalization", "RMSNormalization", "UnitNormalization",
                                                           "GroupNormalization", "Normalization") for axis in (5, -7)),
    *((kind, {}, (arr(2, 32), arr(2, 4)), {}) for kind in ("BatchNormalization", "LayerNormalization", "RMSNormalization", "GroupNormalization")),
    *((kind, {}, (L.Input((None,)),), {}) for kind in ("BatchNormalization", "LayerNormalization", "RMSNormalization", "GroupNormalization")),
    ("GroupNormalization", {"groups": 3}, (arr(2, 4),), {}), ("GroupNormalization", {"groups": 8}, (arr(2, 4),), {}), ("GroupNormalization", {"groups": 0}, (arr(2, 4),), {}),
    ("Normalization", {"mean": arr(2), "variance": arr(2)}, (arr(2, 3),), {}), ("Normalization", {"mean": 0.0, "variance": -1.0}, (arr(2, 3),), {}),
    ("SpectralNormalization", {"layer": L.ReLU()}, (arr(2, 3),), {}),
    *((kind, {}, (x,), {}) for kind in ("Add", "Multiply", "Average", "Maximum", "Minimum", "Subtract") for x in (
        arr(2, 3), None, [], [arr(2, 3), arr(2, 4)], [arr(2, 3), None], [L.Input((3,)), L.Input((4,))])),
    ("Subtract", {}, ([arr(2, 3)] * 3,), {}), ("Concatenate", {}, ([arr(2, 3), arr(3, 3)],), {}), ("Concatenate", {}, ([arr(2, 3), arr(2, 3, 4)],), {}),
    ("Concatenate", {"axis": 5}, ([arr(2, 3), arr(2, 3)],), {}), ("Concatenate", {}, (arr(2, 3),), {}), ("Concatenate", {"axis": 1}, ([L.Input((3, 4)), L.Input((3, 5))],), {}),
    *(("Dot", {"axes": axes}, (x,), {}) for axes, x in (
        (5, [arr(2, 3)] * 2), (0, [arr(2, 3)] * 2), ((1, 2), [arr(2, 3)] * 2), (1, [arr(2, 3)] * 3), (1, arr(2, 3)), (1, [arr(2, 3), arr(2, 4)]), (1, [arr(2, 3), arr(4, 3)]))),
    *(("Reshape", {"target_shape": shape}, (arr(2, 3),), {}) for shape in ((5,), (2, -1), (0,))), ("Reshape", {"target_shape": (5,)}, (L.Input((3,)),), {}),
    ("Permute", {"dims": (2, 1)}, (arr(2, 3),), {}), ("RepeatVector", {}, (arr(2, 3, 4),), {}),
    ("Dropout", {"noise_shape": (2, 5)}, (arr(2, 3),), {"training": True}), ("Embedding", {}, ("text",), {}),
    *((kind, {}, (x,), {}) for kind in ("SimpleRNN", "GRU", "LSTM") for x in (arr(2, 3), arr(2, 3, 4, 5))),
    *((kind, {}, (arr(2, 3, 4), arr(2, 3, 5)), {}) for kind in ("SimpleRNN", "GRU", "LSTM")),
    *((kind, {}, (arr(2, 3, 4),), {"mask": mask(2, 9)}) for kind in ("SimpleRNN", "GRU", "LSTM")),
    *((kind, {}, (arr(2, 3, 4),), {"initial_state": arr(2, 5)}) for kind in ("SimpleRNN", "GRU", "LSTM")),
    *((kind, {"stateful": True}, (L.Input((3, 4)),), {}) for kind in ("SimpleRNN", "GRU", "LSTM")),
    ("Bidirectional", {}, (arr(2, 3),), {}), ("TimeDistributed", {}, (arr(2),), {}), ("TimeDistributed", {}, (arr(2, 3, 4),), {"mask": mask(2, 7)}),
    ("MultiHeadAttention", {}, (arr(2, 3, 4),), {}), ("MultiHeadAttention", {}, (arr(2, 3, 4),), {"value": arr(2, 5)}),
    ("MultiHeadAttention", {}, (arr(2, 3, 4),), {"value": arr(2, 5, 4), "attention_mask": mask(2, 7, 9)}),
    ("MultiHeadAttention", {}, (arr(2, 3, 4),), {"value": arr(2, 5, 4), "key": arr(2, 6, 4)}), ("MultiHeadAttention", {}, (arr(2, 3, 4),), {"value": arr(3, 5, 4)}),
    ("MultiHeadAttention", {"attention_axes": (5,)}, (arr(2, 3, 4),), {"value": arr(2, 5, 4)}), ("GroupQueryAttention", {}, (arr(2, 3, 4),), {}),
    ("GroupQueryAttention", {}, (arr(2, 3, 4),), {"value": arr(2, 5, 4), "attention_mask": mask(2, 7, 9)}),
    *((kind, {}, (x,), {}) for kind in ("Attention", "AdditiveAttention") for x in (arr(2, 3, 4), [arr(2, 3, 4)], [arr(2, 3, 4), arr(2, 5, 6)], [arr(2, 3, 4)] * 4)),
    *((kind, {}, (_PAIR,), {"mask": m}) for kind in ("Attention", "AdditiveAttention") for m in (mask(2, 3), [None], [None, mask(2, 9)])),
    ("Resizing", {}, (arr(2, 3),), {}), ("CenterCrop", {}, (arr(2, 3),), {}), ("RandomFlip", {}, (arr(2, 3),), {}), ("RandomRotation", {}, (arr(2, 3),), {}),
    ("HashedCrossing", {}, (np.array([1]),), {}), ("HashedCrossing", {}, ((np.array([1]), np.array([1, 2])),), {}), ("Discretization", {}, (arr(2),), {}),
    ("CategoryEncoding", {"output_mode": "multi_hot"}, (_TOKENS,), {"count_weights": arr(1, 3)}),
    ("STFTSpectrogram", {}, (arr(2, 3),), {}), ("STFTSpectrogram", {}, (arr(2, 3, 1),), {}),
]  # fmt: skip
for _rank in (1, 2, 3):
    _image = (8,) * _rank
    for _kind in ("Conv{}D", "Conv{}DTranspose", "SeparableConv{}D", "DepthwiseConv{}D")[: 4 if _rank < 3 else 2]:
        _name = _kind.format(_rank)
        CALLS += [
            (_name, {}, (arr(2, 3),), {}),
            (_name, {}, (arr(1, *_image, 3), arr(1, *_image, 2)), {}),
            (_name, {}, (L.Input((*_image, None)),), {}),
        ]
        if "Transpose" not in _name:
            CALLS += [
                (_name, {"kernel_size": 9}, (arr(1, *_image, 3),), {}),
                (_name, {"kernel_size": 9}, (L.Input((*_image, 3)),), {}),
            ]
            CALLS += [
                (_name, {"kernel_size": 9, "data_format": "channels_first"}, (arr(1, 3, *_image),), {}),
                (_name, {}, (arr(1, *_image, 3), arr(1, *(2,) * _rank, 3)), {}),
            ]
        CALLS.append((_name, {"strides": 2, "dilation_rate": 2}, (), {}))
    CALLS += [
        (f"Conv{_rank}D", {"groups": 2}, (arr(1, *_image, 3),), {}),
        (f"ConvLSTM{_rank}D", {}, (arr(1, 2, 3),), {}),
        (f"ConvLSTM{_rank}D", {"kernel_size": 9}, (arr(1, 2, *_image, 3),), {}),
    ]
    for _kind in ("Max", "Average"):
        CALLS += [
            (f"{_kind}Pooling{_rank}D", {}, (arr(2, 3),), {}),
            (f"{_kind}Pooling{_rank}D", {"pool_size": 9}, (arr(1, *_image, 3),), {}),
        ]
        CALLS += [
            (f"{_kind}Pooling{_rank}D", {"pool_size": 9}, (L.Input((*_image, 3)),), {}),
            (f"Global{_kind}Pooling{_rank}D", {}, (arr(2, 3),), {}),
        ]
        CALLS.append((f"Adaptive{_kind}Pooling{_rank}D", {}, (arr(2, 3),), {}))
    CALLS += [(f"{_kind}{_rank}D", {}, (arr(2, 3),), {}) for _kind in ("UpSampling", "ZeroPadding", "Cropping")]
    CALLS += [
        (f"Cropping{_rank}D", {"cropping": 5}, (arr(1, *_image, 3),), {}),
        (f"SpatialDropout{_rank}D", {}, (arr(2, 3),), {"training": True}),
    ]


@pytest.mark.parametrize("name", sorted({name for name, _, _, _ in CALLS}))
def test_wrong_inputs(name):
    faults = []
    for _, options, inputs, keywords in (call for call in CALLS if call[0] == name):
        given = {"name": "probe", **OPTIONS[name][0], **options}

        def act(given=given, inputs=inputs, keywords=keywords):
            layer = getattr(L, name)(**given)
            for x in inputs[:-1]:
                layer(x)
            layer(inputs[-1], **keywords)

        fault = refused(act, name)
        if fault:
            shown = [getattr(x, "shape", x) for x in inputs]
            faults.append(f"{name}({options}) on {shown} {list(keywords)} {fault}")
    assert not faults, "\n".join(faults)
