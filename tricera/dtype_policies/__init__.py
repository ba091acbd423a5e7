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

__all__ = ["DTypePolicy", "DTypePolicyMap", "FloatDTypePolicy", "deserialize", "get", "serialize"]
