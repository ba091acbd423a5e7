"""Mixed precision: `keras.mixed_precision` by name. Policies live in `dtype_policies`, loss scaling in `optimizers`."""

from __future__ import annotations

from tricera.dtype_policies.policy import (
    DTypePolicy as DTypePolicy,
    dtype_policy as dtype_policy,
    set_dtype_policy as set_dtype_policy,
)
from tricera.optimizers.loss_scale import LossScaleOptimizer as LossScaleOptimizer

# The names of Keras 2, which Keras keeps.
Policy = DTypePolicy
global_policy = dtype_policy
set_global_policy = set_dtype_policy

__all__ = [
    "DTypePolicy",
    "LossScaleOptimizer",
    "Policy",
    "dtype_policy",
    "global_policy",
    "set_dtype_policy",
    "set_global_policy",
]
