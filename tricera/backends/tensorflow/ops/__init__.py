"""The ops of this backend: a table of the framework's own functions."""

from __future__ import annotations

from tricera.backends.table import collect, with_eight_bits
from tricera.backends.tensorflow.ops import (
    convolution,
    creation,
    elementwise,
    image,
    linalg,
    linear,
    nn,
    pooling,
    recurrent,
    reduce,
    select,
    shape,
    signal,
)

TABLE = collect(
    convolution, creation, elementwise, image, linalg, linear, nn, pooling, recurrent, reduce, select, shape, signal
)

# Kernels that take a Python number as it is, second.
WITH_NUMBERS = {"power": (None, elementwise._power_of_number)}

# TensorFlow's CPU kernels leave out dtypes here and there.
_UNSIGNED = {"uint8": "int32", "uint16": "int32", "uint32": "int64"}
_BITS = {"bool": "uint8"}
DETOURS: dict[str, dict[str, str]] = {
    **dict.fromkeys(("power", "gcd", "lcm", "mod", "negative"), _UNSIGNED),
    **dict.fromkeys(("bitwise_and", "bitwise_or", "bitwise_xor"), _BITS),
}
DETOURS = with_eight_bits({name: kinds for name, kinds in DETOURS.items() if name in TABLE}, TABLE)
