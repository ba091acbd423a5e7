"""What a layer's `call` and `build` ask for, found out once a class; and the context of a call."""

from __future__ import annotations

import inspect
from typing import Any

from tricera.core.scoped import Scoped


class CallContext:
    """What the layers of one outermost call share.

    Attributes:
        training: the `training` argument that inner layers inherit.
    """

    __slots__ = ("__weakref__", "root", "training")

    def __init__(self, training: bool | None, root: CallContext | None = None) -> None:
        self.training = training
        self.root = root or self


current_call: Scoped[CallContext | None] = Scoped("call", default=None)


class CallInfo:
    """The signature of a class's `call`.

    Attributes:
        names: its arguments in order.
        training: whether it takes `training`; `training_default` is that argument's default.
        masks: tensor argument -> the mask argument that goes with it.
        computes_mask: whether the class makes masks of its own.
        shape_names: the arguments of its `compute_output_shape`, once they were asked for.
    """

    shape_names: list[str] | None = None

    def __init__(self, cls: type) -> None:
        parameters = list(inspect.signature(cls.call).parameters.values())[1:]  # type: ignore[attr-defined]
        plain = (
            inspect.Parameter.POSITIONAL_OR_KEYWORD,
            inspect.Parameter.KEYWORD_ONLY,
            inspect.Parameter.POSITIONAL_ONLY,
        )
        self.names = [p.name for p in parameters if p.kind in plain]
        self.has_kwargs = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters)
        self.has_args = any(p.kind is inspect.Parameter.VAR_POSITIONAL for p in parameters)
        self.defaults = {p.name: p.default for p in parameters if p.default is not inspect.Parameter.empty}
        self.training = "training" in self.names
        default = self.defaults.get("training")
        self.training_default = default
        self.masks: dict[str, str] = {}
        for index, name in enumerate(self.names):
            if f"{name}_mask" in self.names:
                self.masks[name] = f"{name}_mask"
            elif index == 0 and "mask" in self.names and name != "mask":
                self.masks[name] = "mask"
        self.computes_mask = not getattr(cls.compute_mask, "passes_on", False)  # type: ignore[attr-defined]
        build = inspect.signature(cls.build).parameters.values()  # type: ignore[attr-defined]
        self.build_names = [p.name for p in list(build)[1:] if p.kind in plain]

    def tensors_of(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        """Argument name -> value, positional ones by their place."""
        named = dict(zip(self.names, args, strict=False))
        if len(args) > len(self.names):
            named.update({f"*{i}": value for i, value in enumerate(args[len(self.names) :])})
        named.update(kwargs)
        return named


_known: dict[type, CallInfo] = {}  # not `functools.cache`, which torch.compile warns about


def info_of(cls: type) -> CallInfo:
    """The `CallInfo` of a layer class."""
    info = _known.get(cls)
    if info is None:
        info = _known[cls] = CallInfo(cls)
    return info
