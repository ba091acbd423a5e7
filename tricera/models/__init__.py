"""Models: stacks, graphs and subclasses of layers that can be trained and saved."""

from __future__ import annotations

from tricera.models.functional import Functional as Functional
from tricera.models.model import Model as Model
from tricera.models.sequential import Sequential as Sequential

__all__ = ["Functional", "Model", "Sequential"]
