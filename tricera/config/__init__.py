"""Settings of the process: `keras.config` by name."""

from __future__ import annotations

from typing import Any

from tricera.backend import backend as backend, set_backend as set_backend
from tricera.core import config as _config
from tricera.core.config import (
    epsilon as epsilon,
    floatx as floatx,
    image_data_format as image_data_format,
    set_epsilon as set_epsilon,
    set_floatx as set_floatx,
    set_image_data_format as set_image_data_format,
)
from tricera.dtype_policies.policy import dtype_policy as dtype_policy, set_dtype_policy as set_dtype_policy
from tricera.utils.io_utils import (
    disable_interactive_logging as disable_interactive_logging,
    enable_interactive_logging as enable_interactive_logging,
    is_interactive_logging_enabled as is_interactive_logging_enabled,
)


def enable_unsafe_deserialization() -> None:
    """Let files run code when they are loaded (Lambda layers); only for files that you trust."""
    _config.put("unsafe_deserialization", True)


def disable_flash_attention() -> None:
    """Never use fused attention kernels."""
    _config.put("flash_attention", False)


def enable_flash_attention() -> None:
    """Use fused attention kernels where they fit (the default)."""
    _config.put("flash_attention", None)


def is_flash_attention_enabled() -> bool | None:
    """Whether fused attention kernels may be used; None leaves it to the backend."""
    return _config.get("flash_attention")


def disable_traceback_filtering() -> None:
    """Accepted for compatibility: tracebacks are never filtered."""
    _config.put("traceback_filtering", False)


def enable_traceback_filtering() -> None:
    """Accepted for compatibility: tracebacks are never filtered."""
    _config.put("traceback_filtering", True)


def is_traceback_filtering_enabled() -> bool:
    """What was last asked for."""
    return _config.get("traceback_filtering")


def is_nnx_enabled() -> bool:
    """Whether layers are Flax NNX modules: never."""
    return False


def max_epochs() -> int | None:
    """The most epochs that any `fit` runs, None for no limit."""
    return _config.get("max_epochs")


def set_max_epochs(max_epochs: int | None) -> None:
    """Limit the epochs of every `fit`."""
    _config.put("max_epochs", _limit("max_epochs", max_epochs))


def max_steps_per_epoch() -> int | None:
    """The most steps that any epoch has, None for no limit."""
    return _config.get("max_steps_per_epoch")


def set_max_steps_per_epoch(max_steps_per_epoch: int | None) -> None:
    """Limit the steps of every epoch, evaluation and prediction."""
    _config.put("max_steps_per_epoch", _limit("max_steps_per_epoch", max_steps_per_epoch))


def _limit(name: str, value: Any) -> int | None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 0):
        raise ValueError(f"`{name}` must be an integer that isn't negative, or None; got {value!r}.")
    return value


__all__ = [
    "backend",
    "disable_flash_attention",
    "disable_interactive_logging",
    "disable_traceback_filtering",
    "dtype_policy",
    "enable_flash_attention",
    "enable_interactive_logging",
    "enable_traceback_filtering",
    "enable_unsafe_deserialization",
    "epsilon",
    "floatx",
    "image_data_format",
    "is_flash_attention_enabled",
    "is_interactive_logging_enabled",
    "is_nnx_enabled",
    "is_traceback_filtering_enabled",
    "max_epochs",
    "max_steps_per_epoch",
    "set_backend",
    "set_dtype_policy",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
    "set_max_epochs",
    "set_max_steps_per_epoch",
]
