"""Older names of utilities: `keras.preprocessing` by name."""

from __future__ import annotations

from tricera.preprocessing import sequence as sequence

__all__ = ["sequence"]
