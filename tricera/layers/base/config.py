"""A layer as plain data: its config, and the arrays of a file."""

from __future__ import annotations

import inspect
from typing import Any

from tricera import dtype_policies, regularizers
from tricera.core.graph import auto_config, public_class
from tricera.core.variable import Variable
from tricera.layers.base.state import HoldsState
from tricera.layers.quantization import refuse


class HasConfig(HoldsState):
    """State that can be written down and read back."""

    activity_regularizer: Any

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values.

        Raises:
            NotImplementedError: the class takes arguments that aren't plain values and doesn't override this.
        """
        base = {"name": self.name, "trainable": self._trainable, "dtype": dtype_policies.serialize(self.dtype_policy)}
        now = dict(base)
        if self.activity_regularizer is not None:
            base["activity_regularizer"] = regularizers.serialize(self.activity_regularizer)
        if not self._overrides_get_config_only_here():
            return base
        accepted = _accepted(public_class(self))
        # The name, dtype and `trainable` are those of now; the rest is what the constructor was given.
        config = {**base, **auto_config(self), **now}
        return {k: v for k, v in config.items() if k in accepted or k not in base}

    def _overrides_get_config_only_here(self) -> bool:
        """Whether no class between `Layer` and this one has a `get_config` of its own."""
        cls = public_class(self)
        from tricera.layers.layer import Layer

        plain = cls.get_config is HasConfig.get_config or cls.get_config.__qualname__ == "Functional.get_config"
        return plain and cls.__init__ is not Layer.__init__

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Make a layer from what `get_config` gave."""
        return super().from_config(config)

    @property
    def _stored_variables(self) -> list[Variable]:
        """Which of its own variables a file holds."""
        return self._own_variables

    def save_own_variables(self, store: dict[str, Any]) -> None:
        """Put the layer's own variables into a store, by number."""
        for i, variable in enumerate(self._stored_variables):
            store[str(i)] = variable.numpy()

    def load_own_variables(self, store: Any) -> None:
        """Assign the layer's own variables from a store.

        Raises:
            ValueError: the number of variables differs.
        """
        variables = self._stored_variables
        if len(store.keys()) != len(variables):
            hint = "" if self.built else " The layer isn't built: build or call it before loading."
            raise ValueError(
                f"The layer {self.name!r} has {len(variables)} variables; the file holds {len(store.keys())}.{hint}"
            )
        for i, variable in enumerate(variables):
            variable.assign(store[str(i)])

    load_own_variables.by_number = True  # type: ignore[attr-defined]

    def quantize(self, mode: str | None = None, type_check: bool = True, config: Any = None) -> None:
        """Refuse: no layer can be quantized yet. The request is checked, and nothing changes.

        Args:
            mode: `"int8"`, `"int4"`, `"float8"`, `"gptq"` or `"awq"`.
            type_check: whether subclasses of a layer that can be quantized are refused.
            config: a quantization config, in the place of `mode`.

        Raises:
            ValueError: an unknown mode, neither mode nor config, or the layer isn't built.
            NotImplementedError: otherwise, saying what can be done instead.
        """
        refuse(self, mode, config)

    def quantized_build(self, *args: Any, **kwargs: Any) -> None:
        """Refuse: this layer can't be quantized.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError(f"The layer class {public_class(self).__name__} can't be quantized.")

    def __repr__(self) -> str:
        return f"<{public_class(self).__name__} name={self.name}, built={self.built}>"


def _accepted(cls: type) -> set[str]:
    parameters = inspect.signature(cls.__init__).parameters  # type: ignore[misc]
    names = set(parameters)
    if any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters.values()):
        names |= {"name", "trainable", "dtype", "activity_regularizer"}
    return names
