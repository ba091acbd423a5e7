"""Normalization layers."""

from __future__ import annotations

from tricera.layers.normalization.batch import BatchNormalization as BatchNormalization
from tricera.layers.normalization.group import GroupNormalization as GroupNormalization
from tricera.layers.normalization.layer import (
    LayerNormalization as LayerNormalization,
    RMSNormalization as RMSNormalization,
    UnitNormalization as UnitNormalization,
)
from tricera.layers.normalization.spectral import SpectralNormalization as SpectralNormalization
