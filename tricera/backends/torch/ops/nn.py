"""Fused and structured neural-network kernels."""

from __future__ import annotations
