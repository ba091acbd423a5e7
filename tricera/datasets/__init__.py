"""Data sets, from the cache folders or downloaded; `digits` comes with the package.

One module a data set, each with `load_data`. Files lie in `~/.tricera/datasets` (`$TRICERA_HOME`), else Keras's folder; what is
missing is downloaded, verified and moved there whole. Pickles inside them are read by an unpickler that knows only data.
"""

from __future__ import annotations

from tricera.datasets import (
    boston_housing as boston_housing,
    california_housing as california_housing,
    cifar10 as cifar10,
    cifar100 as cifar100,
    digits as digits,
    fashion_mnist as fashion_mnist,
    imdb as imdb,
    mnist as mnist,
    reuters as reuters,
)

__all__ = [
    "boston_housing",
    "california_housing",
    "cifar10",
    "cifar100",
    "digits",
    "fashion_mnist",
    "imdb",
    "mnist",
    "reuters",
]
