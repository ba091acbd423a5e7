"""Dtype policies: in which dtype a layer computes and in which it keeps its variables."""

from __future__ import annotations

from tricera.dtype_policies.policy import (
    DTypePolicy as DTypePolicy,
    DTypePolicyMap as DTypePolicyMap,
    FloatDTypePolicy as FloatDTypePolicy,
    deserialize as deserialize,
    dtype_policy as dtype_policy,
    get as get,
    serialize as serialize,
    set_dtype_policy as set_dtype_policy,
)
from tricera.dtype_policies.quantized import (
    AWQDTypePolicy as AWQDTypePolicy,
    GPTQDTypePolicy as GPTQDTypePolicy,
    Int4DTypePolicy as Int4DTypePolicy,
    QuantizedDTypePolicy as QuantizedDTypePolicy,
    QuantizedFloat8DTypePolicy as QuantizedFloat8DTypePolicy,
)

__all__ = [
    "AWQDTypePolicy",
    "GPTQDTypePolicy",
    "Int4DTypePolicy",
    "QuantizedDTypePolicy",
    "QuantizedFloat8DTypePolicy",
    "DTypePolicy",
    "DTypePolicyMap",
    "FloatDTypePolicy",
    "deserialize",
    "get",
    "serialize",
]
