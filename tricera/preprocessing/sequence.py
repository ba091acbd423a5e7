"""Older names of utilities for sequences."""

from __future__ import annotations

from tricera.utils.sequences import pad_sequences as pad_sequences

__all__ = ["pad_sequences"]
