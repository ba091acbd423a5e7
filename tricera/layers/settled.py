"""The short way of a call: a layer that has been through one goes straight to `call` for the next one like it.

A call does the same work each time before and after `call` itself: inputs become tensors of the compute dtype and are checked,
masks are looked for, `training` is resolved. A layer that was given one tensor, for which nothing of this had to be done,
remembers what the tensor was like; while the next ones are like it, and nothing that the work depends on has been replaced,
there is nothing to be done for them either. Whatever is not plain takes the long way (`Layer._call_layer`).
"""

from __future__ import annotations

from typing import Any

from tricera.core import dispatch
from tricera.core.masking import get_mask
from tricera.core.variable import autocast_dtype
from tricera.layers.call_info import CallContext, CallInfo, current_call
from tricera.layers.locate import locate

MISS = object()  # what `call_settled` gives where the long way must be taken


class Settled:
    """What the last call of a layer was like, and what it depended on.

    Args:
        layer: the layer, built and called.
        info: the signature of its `call`.
        x: the only tensor that it was given.
        reading: in which dtype `call` reads variables.
    """

    __slots__ = ("autocast", "default", "dtype", "kind", "policy", "reading", "shape", "spec", "takes_training")

    def __init__(self, layer: Any, info: CallInfo, x: Any, reading: str | None) -> None:
        self.kind, self.dtype, self.shape = type(x), x.dtype, x.shape
        self.spec, self.policy, self.autocast = layer._input_spec, layer._dtype_policy, layer.autocast
        self.reading, self.takes_training, self.default = reading, info.training, info.training_default


def settled(layer: Any, info: CallInfo, given: tuple[Any, ...], kwargs: dict[str, Any]) -> Settled | None:
    """What there is to remember after a call; None where the next one has work to do again."""
    if len(given) != 1 or kwargs.keys() - {"training"} or layer._remat is not None:
        return None
    if info.computes_mask or (info.has_kwargs and not info.training):
        return None
    x = given[0]
    if dispatch.of_type(type(x)) is not layer._backend or layer._cast_input(x, layer._backend) is not x:
        return None
    return Settled(layer, info, x, layer._dtype_of_reading())


def call_settled(layer: Any, seen: Settled, x: Any, given: Any) -> Any:
    """The layer's outputs for a tensor like the last one, or `MISS`.

    Args:
        layer: the layer.
        seen: what it remembers.
        x: what it is called on.
        given: the argument `training`, None where there was none.
    """
    if (
        type(x) is not seen.kind
        or x.dtype != seen.dtype
        or not x.shape == seen.shape  # TensorFlow's shapes refuse `!=` where a rank is unknown
        or layer._input_spec is not seen.spec
        or layer._dtype_policy is not seen.policy
        or layer.autocast is not seen.autocast
        or layer.activity_regularizer is not None
        or autocast_dtype.get() != seen.reading
        or dispatch.current() is not layer._backend
        or get_mask(x) is not None
    ):
        return MISS
    attributes = layer.__dict__
    outer, training = current_call.get(), given
    if training is None:
        training = outer.training if outer is not None else attributes.get("_training_mode")
        if training is None and seen.takes_training:
            training = seen.default
    if outer is not None and outer.training is training:
        attributes["_call_context"], token = outer.root, None
    else:
        context = CallContext(training, None if outer is None else outer.root)
        attributes["_call_context"], token = context.root, current_call.set(context)
    try:
        return layer.call(x, training=training) if seen.takes_training else layer.call(x)
    except Exception as error:
        locate(error, layer, {"args[0]": x} if given is None else {"args[0]": x, "training": given})
        raise
    finally:
        if token is not None:
            current_call.reset(token)
