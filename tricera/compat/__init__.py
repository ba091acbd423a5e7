"""Tricera under the name `keras`: inside a session (`as_keras`) and for a whole script (`script`)."""

from __future__ import annotations

from tricera.compat.as_keras import install_as_keras as install_as_keras

__all__ = ["install_as_keras"]
