"""Quantizing layers and models: the requests are checked, and refused, as there are no quantized layers yet."""

from __future__ import annotations

import re
from typing import Any

from tricera.core.graph import public_class
from tricera.dtype_policies.quantized import MODES

_INSTEAD = (
    "Tricera has no quantized layers yet. What makes models smaller: `dtype='mixed_bfloat16'` halves the memory of activations, and "
    "`layer.enable_lora(rank)` trains few weights."
)


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


def check_filters(filters: Any) -> None:
    """Check what says which layers of a model to quantize: a regular expression, a list of them, or a function of a layer.

    Raises:
        ValueError: it is none of these, or a regular expression is malformed.
    """
    if filters is None or callable(filters):
        return
    for pattern in filters if isinstance(filters, (list, tuple)) else (filters,):
        if not isinstance(pattern, str):
            raise ValueError(
                f"`filters` must be a regular expression, a list of them, or a function of a layer; got {filters!r:.80}."
            )
        try:
            re.compile(pattern)
        except re.error as error:
            raise ValueError(f"`filters` holds {pattern!r}, which is no regular expression: {error}.") from None


def refuse(layer: Any, mode: Any, config: Any, filters: Any = None) -> None:
    """What `quantize` does: check the request, and say that it can't be met; nothing changes.

    Args:
        layer: the layer or model.
        mode: how to quantize it.
        config: in the place of `mode`.
        filters: which layers of a model.

    Raises:
        ValueError: the request is malformed, or the layer isn't built.
        NotImplementedError: otherwise.
    """
    mode = check_mode(mode, config)
    check_filters(filters)
    what = f"{layer.name!r} ({public_class(layer).__name__})"
    if not layer.built:
        raise ValueError(f"{what} isn't built: call it, or `build` it, before `quantize`.")
    raise NotImplementedError(f"{what} can't be quantized to {mode!r}. {_INSTEAD}")


def refuse_quantized(layer: Any, config: Any) -> None:
    """Refuse a constructor's `quantization_config`, and a dtype policy that means a quantized kernel.

    Args:
        layer: the layer, after its dtype policy was set.
        config: what was given.

    Raises:
        NotImplementedError: either is given.
    """
    if config is not None or layer.quantization_mode is not None:
        given = f"quantization_config={config!r:.80}" if config is not None else f"dtype={layer.dtype_policy.name!r}"
        raise NotImplementedError(f"The layer {layer.name!r} can't be made with {given}. {_INSTEAD}")
