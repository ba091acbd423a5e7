"""Every layer class as a branch of a functional model, grouped by what goes in; `tests/layers/test_every_layer.py` runs them.

A row is a name and a function that makes the branch: it gets the symbolic input and returns the symbolic output. All branches
of a group stand side by side in one model, so that a group is compiled once; each has a head and a loss of its own, so that
one that fails is seen by its name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import tricera
from tricera import layers as L, ops

Branch = Callable[[Any], Any]
BATCH = 4


def _plain(*kinds: Any) -> dict[str, Branch]:
    """Branches that only call a layer: its class, or its name and the arguments of the constructor."""
    rows: dict[str, Branch] = {}
    for kind in kinds:
        name, options = (kind, {}) if isinstance(kind, str) else kind
        rows[name] = lambda x, name=name, options=options: getattr(L, name)(**options)(x)
    return rows


VECTOR = {
    **_plain(
        ("Dense", {"units": 3, "activation": "relu"}), ("Activation", {"activation": "tanh"}), "ReLU", "LeakyReLU", "ELU", "PReLU",
        "Softmax", "Identity", ("Dropout", {"rate": 0.3}), ("AlphaDropout", {"rate": 0.3}), ("GaussianDropout", {"rate": 0.3}),
        ("GaussianNoise", {"stddev": 0.3}), ("ActivityRegularization", {"l1": 0.1, "l2": 0.1}), "BatchNormalization",
        "LayerNormalization", "RMSNormalization", "UnitNormalization", ("GroupNormalization", {"groups": 2}),
        ("RepeatVector", {"n": 2}), "Flatten", ("Reshape", {"target_shape": (2, -1)}),
        ("Normalization", {"mean": [0.1] * 6, "variance": [2.0] * 6}), ("Rescaling", {"scale": 2.0, "offset": 1.0}),
        ("Discretization", {"bin_boundaries": [-0.5, 0.5]}),
    ),
    "Lambda": lambda x: L.Lambda(lambda x: ops.sin(x))(x),
    "SpectralNormalization": lambda x: L.SpectralNormalization(L.Dense(3))(x),
    "Dot": lambda x: L.Dot(axes=1)([x, L.Dense(6)(x)]),
    "MelSpectrogram": lambda x: L.MelSpectrogram(
        fft_length=8, sequence_stride=2, num_mel_bins=3, sampling_rate=100, max_freq=50
    )(x),
    **{
        name: lambda x, name=name: getattr(L, name)()([x, L.Dense(6)(x)])
        for name in ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate")
    },
}  # fmt: skip

SEQUENCE = {
    **_plain(
        ("EinsumDense", {"equation": "abc,cd->abd", "output_shape": (None, 3), "bias_axes": "d"}),
        ("Conv1D", {"filters": 2, "kernel_size": 2}), ("Conv1DTranspose", {"filters": 2, "kernel_size": 2}),
        ("DepthwiseConv1D", {"kernel_size": 2}), ("SeparableConv1D", {"filters": 2, "kernel_size": 2}),
        "MaxPooling1D", "AveragePooling1D", "GlobalMaxPooling1D", "GlobalAveragePooling1D",
        ("AdaptiveMaxPooling1D", {"output_size": 2}), ("AdaptiveAveragePooling1D", {"output_size": 2}),
        "ZeroPadding1D", "Cropping1D", "UpSampling1D", ("Permute", {"dims": (2, 1)}), ("SpatialDropout1D", {"rate": 0.3}),
    ),
    "STFTSpectrogram": lambda x: L.STFTSpectrogram(frame_length=4, frame_step=2, fft_length=8)(x),
    "Attention": lambda x: L.Attention(dropout=0.1)([x, x]),
    "AdditiveAttention": lambda x: L.AdditiveAttention()([x, x]),
    "MultiHeadAttention": lambda x: L.MultiHeadAttention(2, 2)(x, x),
    "GroupQueryAttention": lambda x: L.GroupQueryAttention(2, 2, 1)(x, x),
    "TimeDistributed": lambda x: L.TimeDistributed(L.Dense(2))(x),
}  # fmt: skip

RECURRENT = {
    **_plain(("LSTM", {"units": 2}), ("GRU", {"units": 2, "return_sequences": True}), ("SimpleRNN", {"units": 2})),
    "Bidirectional": lambda x: L.Bidirectional(L.LSTM(2, dropout=0.2, recurrent_dropout=0.2))(x),
    "StackedRNNCells": lambda x: L.RNN([L.LSTMCell(2), L.GRUCell(2), L.SimpleRNNCell(2)], return_sequences=True)(x),
    "Masking": lambda x: L.LSTM(2)(L.Masking()(x)),
    "ConvLSTM1D": lambda x: L.ConvLSTM1D(2, 2)(L.Reshape((2, 3, 4))(x)),
    "ConvLSTM2D": lambda x: L.ConvLSTM2D(2, 2)(L.Reshape((2, 3, 2, 2))(x)),
    "ConvLSTM3D": lambda x: L.ConvLSTM3D(2, 1)(L.Reshape((2, 3, 2, 1, 2))(x)),
}

IMAGE = {
    **_plain(
        ("Conv2D", {"filters": 2, "kernel_size": 2}), ("Conv2DTranspose", {"filters": 2, "kernel_size": 2}),
        ("DepthwiseConv2D", {"kernel_size": 2}), ("SeparableConv2D", {"filters": 2, "kernel_size": 2}),
        "MaxPooling2D", "AveragePooling2D", "GlobalMaxPooling2D", "GlobalAveragePooling2D",
        ("AdaptiveMaxPooling2D", {"output_size": 2}), ("AdaptiveAveragePooling2D", {"output_size": 2}),
        "ZeroPadding2D", ("Cropping2D", {"cropping": 1}), "UpSampling2D", ("SpatialDropout2D", {"rate": 0.3}),
    ),
}  # fmt: skip

VOLUME = {
    **_plain(
        ("Conv3D", {"filters": 2, "kernel_size": 2}), ("Conv3DTranspose", {"filters": 2, "kernel_size": 2}),
        "MaxPooling3D", "AveragePooling3D", "GlobalMaxPooling3D", "GlobalAveragePooling3D",
        ("AdaptiveMaxPooling3D", {"output_size": 2}), ("AdaptiveAveragePooling3D", {"output_size": 2}),
        "ZeroPadding3D", "Cropping3D", "UpSampling3D", ("SpatialDropout3D", {"rate": 0.3}),
    ),
}  # fmt: skip


def _there_and_back(x: Any) -> Any:
    layer = L.ReversibleEmbedding(7, 3)
    return layer(layer(x), reverse=True)


TOKENS = {
    **_plain(
        ("Embedding", {"input_dim": 7, "output_dim": 3, "mask_zero": True}), ("CategoryEncoding", {"num_tokens": 7}),
        ("Hashing", {"num_bins": 5}),
    ),
    "ReversibleEmbedding": _there_and_back,
    "HashedCrossing": lambda x: L.HashedCrossing(5)((x[:, :1], x[:, 1:2])),
}  # fmt: skip


def _boxes(x: Any) -> Any:
    """Images with four boxes each, of which two are kept."""
    boxes = ops.reshape(x[:, :4, :4, 0], (-1, 4, 4))
    data = {"images": x, "bounding_boxes": {"boxes": boxes, "labels": boxes[:, :, 0]}}
    return L.MaxNumBoundingBoxes(2, bounding_box_format="xyxy")(data)["bounding_boxes"]["boxes"]


def _mixed(name: str) -> Branch:
    """A layer that mixes images with each other and their labels likewise."""

    def branch(x: Any) -> Any:
        return getattr(L, name)()({"images": x, "labels": ops.mean(x, axis=(1, 2))})["images"]

    return branch


GEOMETRY = {
    **_plain(
        ("CenterCrop", {"height": 4, "width": 3}), ("Resizing", {"height": 4, "width": 5}),
        ("RandomCrop", {"height": 4, "width": 3}), "RandomElasticTransform", "RandomErasing", "RandomFlip", "RandomPerspective",
        ("RandomRotation", {"factor": 0.1}), ("RandomShear", {"x_factor": 0.1, "y_factor": 0.1}),
        ("RandomTranslation", {"height_factor": 0.1, "width_factor": 0.1}), ("RandomZoom", {"height_factor": 0.1}),
        "RandomGaussianBlur",
    ),
    "MaxNumBoundingBoxes": _boxes,
    "Pipeline": lambda x: L.Pipeline([L.Rescaling(0.5), L.RandomFlip()])(x),
    "MixUp": _mixed("MixUp"),
    "CutMix": _mixed("CutMix"),
}  # fmt: skip

COLOUR = _plain(
    "AutoContrast", ("ContrastLimitedAdaptiveHistogramEqualization", {"tile_grid_size": (2, 2)}), "Equalization",
    ("RandomBrightness", {"factor": 0.2}), ("RandomColorDegeneration", {"factor": 0.5}),
    ("RandomColorJitter", {"brightness_factor": 0.2, "contrast_factor": 0.2, "saturation_factor": 0.2, "hue_factor": 0.2}),
    ("RandomContrast", {"factor": 0.2}), "RandomGrayscale", ("RandomHue", {"factor": 0.2}), "RandomInvert",
    ("RandomPosterization", {"factor": 4}), ("RandomSaturation", {"factor": 0.3}), ("RandomSharpness", {"factor": 0.3}),
    ("Solarization", {"threshold_factor": 0.5}),
)  # fmt: skip

POLICIES = _plain("AugMix", "RandAugment")

_RNG = np.random.default_rng(0)


def _normal(*shape: int) -> np.ndarray:
    return _RNG.normal(size=(BATCH, *shape)).astype("float32")


_PIXELS = _RNG.uniform(0, 255, (BATCH, 6, 6, 3)).astype("float32")
GROUPS: dict[str, tuple[dict[str, Branch], np.ndarray]] = {
    "vector": (VECTOR, _normal(6)),
    "sequence": (SEQUENCE, _normal(6, 4)),
    "recurrent": (RECURRENT, _normal(6, 4)),
    "image": (IMAGE, _normal(4, 4, 2)),
    "volume": (VOLUME, _normal(4, 4, 4, 1)),
    "tokens": (TOKENS, _RNG.integers(0, 7, (BATCH, 4)).astype("int32")),
    "geometry": (GEOMETRY, _PIXELS),
    "colour": (COLOUR, _PIXELS),
    "policies": (POLICIES, _PIXELS),
}

# What a training step draws at random; everything else gives the same loss compiled and not.
RANDOM = {
    "Dropout", "AlphaDropout", "GaussianDropout", "GaussianNoise", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D",
    "Attention", "Bidirectional", "Pipeline", "MixUp", "CutMix", "Solarization", *(n for n in dir(L) if n.startswith("Random")), *POLICIES,
}  # fmt: skip

# As in Keras it leaves images as they are outside of training, so that its shape is that of training alone.
CROPS_IN_TRAINING = "RandomCrop"

# Classes that no branch holds, and why.
EXCUSED = {
    "Layer": "the base class",
    "Wrapper": "the base class of wrappers",
    "TorchModuleWrapper": "runs on torch alone; tests/layers/test_wrappers.py trains it there",
    "JaxLayer": "runs on JAX alone; tests/layers/test_wrappers.py trains it there",
    "FlaxLayer": "runs on JAX alone; tests/layers/test_wrappers.py trains it there",
    "TFSMLayer": "runs on TensorFlow alone, and holds what was trained already",
}


class Gain(L.Layer):
    """One weight before each branch, so that gradients go through layers that have none themselves."""

    def build(self, input_shape: Any) -> None:
        self.gain = self.add_weight(shape=(), initializer="ones", name="gain")

    def call(self, x: Any) -> Any:
        return x * self.gain


def model_of(group: str) -> tuple[Any, Any, np.ndarray]:
    """The model of a group with a head for each branch, the model of the branches' own outputs, and data."""
    branches, data = GROUPS[group]
    x = L.Input(data.shape[1:], dtype=str(data.dtype), name="input")
    source = Gain(name="gain")(x) if data.dtype.kind == "f" else x
    raw = {name: branch(source) for name, branch in branches.items()}
    heads = {}
    for name, out in raw.items():
        flat = out if len(out.shape) == 2 else L.Flatten()(out)
        heads[name] = L.Dense(1, kernel_initializer=tricera.initializers.Constant(0.01), name=name)(
            ops.cast(flat, "float32")
        )
    return tricera.Model(x, heads, name=group), tricera.Model(x, raw, name=f"{group}_raw"), data
