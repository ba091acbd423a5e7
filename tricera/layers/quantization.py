"""Which layers can be quantized, and to what: as yet none."""

from __future__ import annotations

from typing import Any

from tricera.dtype_policies.quantized import MODES


def check_mode(mode: Any, config: Any = None) -> str:
    """The mode of a request to quantize.

    Args:
        mode: `"int8"`, `"int4"`, `"float8"`, `"gptq"` or `"awq"`; None for the configuration's.
        config: a configuration object, which has a `mode`.

    Returns:
        The mode.

    Raises:
        ValueError: it is none of these, neither is given, or the two differ.
    """
    wanted = getattr(config, "mode", None)
    if config is not None and wanted is None:
        raise ValueError(f"`config` must be a quantization config, which has a `mode`; got {config!r:.80}.")
    if mode is None and wanted is None:
        raise ValueError(f"Say how to quantize: `mode` must be one of {MODES}, or `config` a quantization config.")
    if mode is not None and wanted is not None and mode != wanted:
        raise ValueError(f"`mode` says {mode!r}, but `config` is for {wanted!r}.")
    mode = wanted if mode is None else mode
    if mode not in MODES:
        raise ValueError(f"`mode` must be one of {MODES}, not {mode!r}.")
    return str(mode)


def not_supported(mode: str, what: str) -> NotImplementedError:
    """The error for a mode that nothing here can do.

    Args:
        mode: the mode.
        what: the layer or model that was to be quantized.
    """
    return NotImplementedError(
        f"{what} can't be quantized to {mode!r}: Tricera has no quantized layers yet. Mixed precision halves memory "
        "(`dtype='mixed_bfloat16'`), LoRA makes training small (`layer.enable_lora(rank)`)."
    )


def unquantized(config: Any) -> None:
    """Refuse a `quantization_config` given to a constructor.

    Raises:
        NotImplementedError: one is given.
    """
    if config is not None:
        raise not_supported(check_mode(None, config), "A layer")
