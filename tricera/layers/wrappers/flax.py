"""`FlaxLayer`: a module of Flax."""

from __future__ import annotations

import inspect
from typing import Any

from tricera.layers.wrappers.jax_function import JaxLayer


class FlaxLayer(JaxLayer):
    """A `flax.linen.Module` as a layer. On the backend `"jax"`.

    Args:
        module: the module; anything with its `init` and `apply`.
        method: which of its methods to call, or a function of (module, inputs, ...); `__call__` for None. It takes `inputs`, and
            `training` if it wants.
        variables: what `module.init` returns; None: it is called when the layer is built.
        **kwargs: those of `JaxLayer`, such as `seed`.

    The collection `"params"` is trained; all others are state that the module may change.

    Raises:
        ValueError: the backend isn't jax, or the method takes no `inputs`.
    """

    def __init__(self, module: Any, method: Any = None, variables: Any = None, **kwargs: Any) -> None:
        self.module, self.method = module, method
        names = inspect.signature(_function_of(module, method)).parameters
        if "inputs" not in names:
            raise ValueError(f"The method of {type(module).__name__} must take `inputs`; it takes {tuple(names)}.")
        trains = "training" in names

        def extra(training: bool) -> dict[str, Any]:
            return {"training": training} if trains else {}

        def apply(params: Any, state: Any, rng: Any, inputs: Any, training: bool) -> Any:
            # Everything besides the parameters may change; a list of names says so without importing Flax.
            return module.apply(
                {**params, **state}, inputs, rngs=rng, method=method, mutable=list(state), **extra(training)
            )

        def init(rng: Any, inputs: Any, training: bool) -> Any:
            return _split(module.init(rng, inputs, method=method, **extra(training)))

        params, state = (None, None) if variables is None else _split(variables)
        super().__init__(apply, init, params=params, state=state, **kwargs)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments: the module by its class and fields."""
        from tricera.core.serialization import serialize_keras_object

        config = super().get_config()
        for name in ("call_fn", "init_fn", "native_serialization_platforms"):
            del config[name]
        method = self.method if isinstance(self.method, (str, type(None))) else serialize_keras_object(self.method)
        return {**config, "module": serialize_keras_object(self.module), "method": method}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Make a layer from what `get_config` gave."""
        from tricera.core.serialization import deserialize_keras_object

        read: dict[str, Any] = {
            name: deserialize_keras_object(config[name]) for name in ("module", "method") if name in config
        }
        return cls(**(config | read))


def _function_of(module: Any, method: Any) -> Any:
    if method is None:
        return type(module).__call__
    return getattr(module, method) if isinstance(method, str) else method


def _split(variables: Any) -> tuple[Any, Any]:
    """Flax's collections as (what is trained, the rest)."""
    return {k: v for k, v in variables.items() if k == "params"}, {k: v for k, v in variables.items() if k != "params"}
