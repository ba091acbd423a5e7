"""Code of one framework as a layer: it runs on that framework's backend alone, whose extra room does what needs the framework."""

from __future__ import annotations

from tricera.layers.wrappers.flax import FlaxLayer as FlaxLayer
from tricera.layers.wrappers.jax_function import JaxLayer as JaxLayer
from tricera.layers.wrappers.saved_model import TFSMLayer as TFSMLayer
from tricera.layers.wrappers.torch_module import TorchModuleWrapper as TorchModuleWrapper
