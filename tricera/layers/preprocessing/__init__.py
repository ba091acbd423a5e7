"""Preprocessing: scaling, encoding, hashing and looking up features, and changing images at random.

A file a kind of change; `data_layer.py` is what all share (they run where their inputs are), `augmentation.py` what those of
images share (labels, boxes and masks change along).
"""

from __future__ import annotations

from tricera.layers.preprocessing.color import (
    AutoContrast as AutoContrast,
    RandomBrightness as RandomBrightness,
    RandomColorDegeneration as RandomColorDegeneration,
    RandomColorJitter as RandomColorJitter,
    RandomContrast as RandomContrast,
    RandomGrayscale as RandomGrayscale,
    RandomHue as RandomHue,
    RandomInvert as RandomInvert,
    RandomPosterization as RandomPosterization,
    RandomSaturation as RandomSaturation,
    Solarization as Solarization,
)
from tricera.layers.preprocessing.discretization import Discretization as Discretization
from tricera.layers.preprocessing.encoding import CategoryEncoding as CategoryEncoding
from tricera.layers.preprocessing.filters import (
    RandomElasticTransform as RandomElasticTransform,
    RandomGaussianBlur as RandomGaussianBlur,
    RandomSharpness as RandomSharpness,
)
from tricera.layers.preprocessing.geometry import (
    RandomFlip as RandomFlip,
    RandomPerspective as RandomPerspective,
    RandomRotation as RandomRotation,
    RandomShear as RandomShear,
    RandomTranslation as RandomTranslation,
    RandomZoom as RandomZoom,
)
from tricera.layers.preprocessing.hashing import HashedCrossing as HashedCrossing, Hashing as Hashing
from tricera.layers.preprocessing.histogram import (
    ContrastLimitedAdaptiveHistogramEqualization as ContrastLimitedAdaptiveHistogramEqualization,
    Equalization as Equalization,
)
from tricera.layers.preprocessing.mixing import (
    CutMix as CutMix,
    MaxNumBoundingBoxes as MaxNumBoundingBoxes,
    MixUp as MixUp,
    RandomErasing as RandomErasing,
)
from tricera.layers.preprocessing.normalization import Normalization as Normalization
from tricera.layers.preprocessing.policies import AugMix as AugMix, Pipeline as Pipeline, RandAugment as RandAugment
from tricera.layers.preprocessing.rescaling import Rescaling as Rescaling
from tricera.layers.preprocessing.sizes import CenterCrop as CenterCrop, RandomCrop as RandomCrop, Resizing as Resizing
