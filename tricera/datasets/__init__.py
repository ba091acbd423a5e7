"""Data sets, from the cache folders or downloaded; `digits` comes with the package."""

from __future__ import annotations

from tricera.datasets import digits as digits, fashion_mnist as fashion_mnist, mnist as mnist

__all__ = ["digits", "fashion_mnist", "mnist"]
