"""Convolutions."""

from __future__ import annotations

from tricera.layers.convolution.conv import Conv1D as Conv1D, Conv2D as Conv2D, Conv3D as Conv3D
from tricera.layers.convolution.depthwise import (
    DepthwiseConv1D as DepthwiseConv1D,
    DepthwiseConv2D as DepthwiseConv2D,
    SeparableConv1D as SeparableConv1D,
    SeparableConv2D as SeparableConv2D,
)
from tricera.layers.convolution.transpose import (
    Conv1DTranspose as Conv1DTranspose,
    Conv2DTranspose as Conv2DTranspose,
    Conv3DTranspose as Conv3DTranspose,
)
