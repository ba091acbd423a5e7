"""Layers: a folder a family, one mechanism (`layer.py`) below all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tricera.core.lazy import load

if TYPE_CHECKING:
    from tricera.layers.attention import (
        AdditiveAttention as AdditiveAttention,
        Attention as Attention,
        GroupedQueryAttention as GroupedQueryAttention,
        MultiHeadAttention as MultiHeadAttention,
    )
    from tricera.layers.convolution import (
        Conv1D as Conv1D,
        Conv1DTranspose as Conv1DTranspose,
        Conv2D as Conv2D,
        Conv2DTranspose as Conv2DTranspose,
        Conv3D as Conv3D,
        Conv3DTranspose as Conv3DTranspose,
        DepthwiseConv1D as DepthwiseConv1D,
        DepthwiseConv2D as DepthwiseConv2D,
        SeparableConv1D as SeparableConv1D,
        SeparableConv2D as SeparableConv2D,
    )
    from tricera.layers.core.dense import Dense as Dense
    from tricera.layers.core.einsum_dense import EinsumDense as EinsumDense
    from tricera.layers.core.embedding import Embedding as Embedding
    from tricera.layers.core.input_layer import Input as Input, InputLayer as InputLayer
    from tricera.layers.core.reversible_embedding import ReversibleEmbedding as ReversibleEmbedding
    from tricera.layers.core.simple import (
        ELU as ELU,
        Activation as Activation,
        Identity as Identity,
        Lambda as Lambda,
        LeakyReLU as LeakyReLU,
        Masking as Masking,
        PReLU as PReLU,
        ReLU as ReLU,
        Softmax as Softmax,
    )
    from tricera.layers.input_spec import InputSpec as InputSpec
    from tricera.layers.layer import Layer as Layer
    from tricera.layers.merging import (
        Add as Add,
        Average as Average,
        Concatenate as Concatenate,
        Dot as Dot,
        Maximum as Maximum,
        Minimum as Minimum,
        Multiply as Multiply,
        Subtract as Subtract,
        add as add,
        average as average,
        concatenate as concatenate,
        dot as dot,
        maximum as maximum,
        minimum as minimum,
        multiply as multiply,
        subtract as subtract,
    )
    from tricera.layers.normalization import (
        BatchNormalization as BatchNormalization,
        GroupNormalization as GroupNormalization,
        LayerNormalization as LayerNormalization,
        RMSNormalization as RMSNormalization,
        SpectralNormalization as SpectralNormalization,
        UnitNormalization as UnitNormalization,
    )
    from tricera.layers.pooling import (
        AdaptiveAveragePooling1D as AdaptiveAveragePooling1D,
        AdaptiveAveragePooling2D as AdaptiveAveragePooling2D,
        AdaptiveAveragePooling3D as AdaptiveAveragePooling3D,
        AdaptiveMaxPooling1D as AdaptiveMaxPooling1D,
        AdaptiveMaxPooling2D as AdaptiveMaxPooling2D,
        AdaptiveMaxPooling3D as AdaptiveMaxPooling3D,
        AveragePooling1D as AveragePooling1D,
        AveragePooling2D as AveragePooling2D,
        AveragePooling3D as AveragePooling3D,
        GlobalAveragePooling1D as GlobalAveragePooling1D,
        GlobalAveragePooling2D as GlobalAveragePooling2D,
        GlobalAveragePooling3D as GlobalAveragePooling3D,
        GlobalMaxPooling1D as GlobalMaxPooling1D,
        GlobalMaxPooling2D as GlobalMaxPooling2D,
        GlobalMaxPooling3D as GlobalMaxPooling3D,
        MaxPooling1D as MaxPooling1D,
        MaxPooling2D as MaxPooling2D,
        MaxPooling3D as MaxPooling3D,
    )
    from tricera.layers.preprocessing import (
        AugMix as AugMix,
        AutoContrast as AutoContrast,
        CategoryEncoding as CategoryEncoding,
        CenterCrop as CenterCrop,
        ContrastLimitedAdaptiveHistogramEqualization as ContrastLimitedAdaptiveHistogramEqualization,
        CutMix as CutMix,
        Discretization as Discretization,
        Equalization as Equalization,
        HashedCrossing as HashedCrossing,
        Hashing as Hashing,
        MaxNumBoundingBoxes as MaxNumBoundingBoxes,
        MixUp as MixUp,
        Normalization as Normalization,
        Pipeline as Pipeline,
        RandAugment as RandAugment,
        RandomBrightness as RandomBrightness,
        RandomColorDegeneration as RandomColorDegeneration,
        RandomColorJitter as RandomColorJitter,
        RandomContrast as RandomContrast,
        RandomCrop as RandomCrop,
        RandomElasticTransform as RandomElasticTransform,
        RandomErasing as RandomErasing,
        RandomFlip as RandomFlip,
        RandomGaussianBlur as RandomGaussianBlur,
        RandomGrayscale as RandomGrayscale,
        RandomHue as RandomHue,
        RandomInvert as RandomInvert,
        RandomPerspective as RandomPerspective,
        RandomPosterization as RandomPosterization,
        RandomRotation as RandomRotation,
        RandomSaturation as RandomSaturation,
        RandomSharpness as RandomSharpness,
        RandomShear as RandomShear,
        RandomTranslation as RandomTranslation,
        RandomZoom as RandomZoom,
        Rescaling as Rescaling,
        Resizing as Resizing,
        Solarization as Solarization,
    )
    from tricera.layers.preprocessing.audio import MelSpectrogram as MelSpectrogram, STFTSpectrogram as STFTSpectrogram
    from tricera.layers.recurrent import (
        GRU as GRU,
        LSTM as LSTM,
        RNN as RNN,
        Bidirectional as Bidirectional,
        ConvLSTM1D as ConvLSTM1D,
        ConvLSTM2D as ConvLSTM2D,
        ConvLSTM3D as ConvLSTM3D,
        GRUCell as GRUCell,
        LSTMCell as LSTMCell,
        SimpleRNN as SimpleRNN,
        SimpleRNNCell as SimpleRNNCell,
        StackedRNNCells as StackedRNNCells,
        TimeDistributed as TimeDistributed,
        Wrapper as Wrapper,
    )
    from tricera.layers.regularization import (
        ActivityRegularization as ActivityRegularization,
        AlphaDropout as AlphaDropout,
        Dropout as Dropout,
        GaussianDropout as GaussianDropout,
        GaussianNoise as GaussianNoise,
        SpatialDropout1D as SpatialDropout1D,
        SpatialDropout2D as SpatialDropout2D,
        SpatialDropout3D as SpatialDropout3D,
    )
    from tricera.layers.reshaping import (
        Cropping1D as Cropping1D,
        Cropping2D as Cropping2D,
        Cropping3D as Cropping3D,
        Flatten as Flatten,
        Permute as Permute,
        RepeatVector as RepeatVector,
        Reshape as Reshape,
        UpSampling1D as UpSampling1D,
        UpSampling2D as UpSampling2D,
        UpSampling3D as UpSampling3D,
        ZeroPadding1D as ZeroPadding1D,
        ZeroPadding2D as ZeroPadding2D,
        ZeroPadding3D as ZeroPadding3D,
    )
    from tricera.layers.wrappers import (
        FlaxLayer as FlaxLayer,
        JaxLayer as JaxLayer,
        TFSMLayer as TFSMLayer,
        TorchModuleWrapper as TorchModuleWrapper,
    )

    AvgPool1D, AvgPool2D, AvgPool3D = AveragePooling1D, AveragePooling2D, AveragePooling3D
    MaxPool1D, MaxPool2D, MaxPool3D = MaxPooling1D, MaxPooling2D, MaxPooling3D
    GlobalAvgPool1D, GlobalAvgPool2D, GlobalAvgPool3D = (
        GlobalAveragePooling1D,
        GlobalAveragePooling2D,
        GlobalAveragePooling3D,
    )
    GlobalMaxPool1D, GlobalMaxPool2D, GlobalMaxPool3D = GlobalMaxPooling1D, GlobalMaxPooling2D, GlobalMaxPooling3D
    Convolution1D, Convolution2D, Convolution3D = Conv1D, Conv2D, Conv3D
    Convolution1DTranspose, Convolution2DTranspose, Convolution3DTranspose = (
        Conv1DTranspose,
        Conv2DTranspose,
        Conv3DTranspose,
    )
    GroupQueryAttention = GroupedQueryAttention
    DepthwiseConvolution1D, DepthwiseConvolution2D = DepthwiseConv1D, DepthwiseConv2D
    SeparableConvolution1D, SeparableConvolution2D = SeparableConv1D, SeparableConv2D

# room -> what it holds; a room is loaded when something of it is touched
_ROOMS = {
    "attention": "AdditiveAttention Attention GroupedQueryAttention MultiHeadAttention",
    "convolution": (
        "Conv1D Conv1DTranspose Conv2D Conv2DTranspose Conv3D Conv3DTranspose DepthwiseConv1D DepthwiseConv2D "
        "SeparableConv1D SeparableConv2D"
    ),
    "core.dense": "Dense",
    "core.einsum_dense": "EinsumDense",
    "core.embedding": "Embedding",
    "core.input_layer": "Input InputLayer",
    "core.reversible_embedding": "ReversibleEmbedding",
    "core.simple": "ELU Activation Identity Lambda LeakyReLU Masking PReLU ReLU Softmax",
    "input_spec": "InputSpec",
    "layer": "Layer",
    "merging": (
        "Add Average Concatenate Dot Maximum Minimum Multiply Subtract add average concatenate dot maximum minimum "
        "multiply subtract"
    ),
    "normalization": (
        "BatchNormalization GroupNormalization LayerNormalization RMSNormalization SpectralNormalization "
        "UnitNormalization"
    ),
    "pooling": (
        "AdaptiveAveragePooling1D AdaptiveAveragePooling2D AdaptiveAveragePooling3D AdaptiveMaxPooling1D "
        "AdaptiveMaxPooling2D AdaptiveMaxPooling3D AveragePooling1D AveragePooling2D AveragePooling3D "
        "GlobalAveragePooling1D GlobalAveragePooling2D GlobalAveragePooling3D GlobalMaxPooling1D GlobalMaxPooling2D "
        "GlobalMaxPooling3D MaxPooling1D MaxPooling2D MaxPooling3D"
    ),
    "preprocessing": (
        "AugMix AutoContrast CategoryEncoding CenterCrop ContrastLimitedAdaptiveHistogramEqualization CutMix "
        "Discretization Equalization HashedCrossing Hashing MaxNumBoundingBoxes MixUp Normalization Pipeline "
        "RandAugment RandomBrightness RandomColorDegeneration RandomColorJitter RandomContrast RandomCrop "
        "RandomElasticTransform RandomErasing RandomFlip RandomGaussianBlur RandomGrayscale RandomHue RandomInvert "
        "RandomPerspective RandomPosterization RandomRotation RandomSaturation RandomSharpness RandomShear "
        "RandomTranslation RandomZoom Rescaling Resizing Solarization"
    ),
    "preprocessing.audio": "MelSpectrogram STFTSpectrogram",
    "recurrent": (
        "GRU LSTM RNN Bidirectional ConvLSTM1D ConvLSTM2D ConvLSTM3D GRUCell LSTMCell SimpleRNN SimpleRNNCell "
        "StackedRNNCells TimeDistributed Wrapper"
    ),
    "regularization": (
        "ActivityRegularization AlphaDropout Dropout GaussianDropout GaussianNoise SpatialDropout1D SpatialDropout2D "
        "SpatialDropout3D"
    ),
    "reshaping": (
        "Cropping1D Cropping2D Cropping3D Flatten Permute RepeatVector Reshape UpSampling1D UpSampling2D UpSampling3D "
        "ZeroPadding1D ZeroPadding2D ZeroPadding3D"
    ),
    "wrappers": "FlaxLayer JaxLayer TFSMLayer TorchModuleWrapper",
}
# further names of the same
_ALIASES = {
    "GroupQueryAttention": "GroupedQueryAttention",
    "AvgPool1D": "AveragePooling1D",
    "AvgPool2D": "AveragePooling2D",
    "AvgPool3D": "AveragePooling3D",
    "MaxPool1D": "MaxPooling1D",
    "MaxPool2D": "MaxPooling2D",
    "MaxPool3D": "MaxPooling3D",
    "GlobalAvgPool1D": "GlobalAveragePooling1D",
    "GlobalAvgPool2D": "GlobalAveragePooling2D",
    "GlobalAvgPool3D": "GlobalAveragePooling3D",
    "GlobalMaxPool1D": "GlobalMaxPooling1D",
    "GlobalMaxPool2D": "GlobalMaxPooling2D",
    "GlobalMaxPool3D": "GlobalMaxPooling3D",
    "Convolution1D": "Conv1D",
    "Convolution2D": "Conv2D",
    "Convolution3D": "Conv3D",
    "Convolution1DTranspose": "Conv1DTranspose",
    "Convolution2DTranspose": "Conv2DTranspose",
    "Convolution3DTranspose": "Conv3DTranspose",
    "DepthwiseConvolution1D": "DepthwiseConv1D",
    "DepthwiseConvolution2D": "DepthwiseConv2D",
    "SeparableConvolution1D": "SeparableConv1D",
    "SeparableConvolution2D": "SeparableConv2D",
}
_HOME = {name: room for room, names in _ROOMS.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    original = _ALIASES.get(name, name)
    room = _HOME.get(original)
    if room is None:
        raise AttributeError(f"module 'tricera.layers' has no attribute {name!r}")
    value = load(f"layers.{room}", original)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)


def deserialize(config: dict, custom_objects: dict | None = None) -> Layer:  # type: ignore[type-arg]
    """A layer from its config."""
    from tricera.core.serialization import deserialize_keras_object

    return deserialize_keras_object(config, custom_objects=custom_objects)


def serialize(layer: Layer) -> dict:  # type: ignore[type-arg]
    """A layer as a config."""
    from tricera.core.serialization import serialize_keras_object

    return serialize_keras_object(layer)


# The class's name in files is not among the public ones.
__all__ = sorted({*_HOME, *_ALIASES, "deserialize", "layer", "serialize"} - {"GroupedQueryAttention"})  # noqa: PLE0605
