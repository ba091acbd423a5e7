"""`JaxLayer`: a JAX function with its parameters."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

from tricera import random
from tricera.core import tree
from tricera.layers.layer import Layer
from tricera.layers.wrappers.room import Bound, room_of

_CALL, _INIT = ("params", "state", "rng", "inputs", "training"), ("rng", "inputs", "training")


def names_of(fn: Any, name: str, allowed: Sequence[str], needed: Sequence[str]) -> tuple[str, ...]:
    """The arguments that a function takes.

    Args:
        fn: the function.
        name: what it is, for the error.
        allowed: the names that it may have.
        needed: those that it must have.

    Raises:
        ValueError: it lacks one, or has another that has no default.
    """
    if not callable(fn):
        raise ValueError(f"`{name}` must be a function, not {fn!r:.80}.")
    parameters = inspect.signature(fn).parameters.values()
    named = [p for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    found = tuple(p.name for p in named)
    lacking = [n for n in needed if n not in found]
    other = [p.name for p in named if p.name not in allowed and p.default is p.empty]
    if lacking or other:
        raise ValueError(
            f"`{name}` takes the arguments {found}; it must take {tuple(needed)}, and besides them only {tuple(allowed)}."
        )
    return tuple(n for n in found if n in allowed)


class JaxLayer(Bound, Layer):
    """A function of JAX, with its parameters, as a layer. On the backend `"jax"`.

    Args:
        call_fn: the model: takes `params` and `inputs`, and if it wants `state`, `rng` and `training`, by these names; returns the
            outputs, with `state` the pair (outputs, new state).
        init_fn: makes the parameters: takes `rng` and `inputs` (placeholders), and if it wants `training`; returns the parameters,
            with `state` the pair (parameters, state). It may be None if `params` are given.
        params: the parameters, a pytree.
        state: the state that isn't trained, a pytree.
        seed: of the random keys.
        native_serialization_platforms: accepted; of use in Keras for TensorFlow.
        **kwargs: those of `Layer`.

    Raises:
        ValueError: the backend isn't jax, or a function takes other arguments.
    """

    def __init__(
        self, call_fn: Callable[..., Any], init_fn: Callable[..., Any] | None = None, params: Any = None, state: Any = None,
        seed: int | None = None, native_serialization_platforms: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(**kwargs)
        room_of(self, "pytrees", "jax")
        self.call_fn, self.init_fn = call_fn, init_fn
        self.native_serialization_platforms = native_serialization_platforms
        self._takes = names_of(call_fn, "call_fn", _CALL, ("params", "inputs"))
        self._init_takes = () if init_fn is None else names_of(init_fn, "init_fn", _INIT, ("rng", "inputs"))
        self._has_state = "state" in self._takes
        if state is not None and not self._has_state:
            raise ValueError(f"The layer {self.name!r} was given a `state`, which its `call_fn` does not take.")
        if init_fn is None and params is None and state is None:
            raise ValueError(f"The layer {self.name!r} needs `init_fn`, or `params` and `state` themselves.")
        if self._has_state and params is not None and state is None and init_fn is None:
            raise ValueError(f"The `call_fn` of the layer {self.name!r} takes a `state`; give one beside `params`.")
        if "rng" in self._takes or init_fn is not None:
            self.seed_generator = random.SeedGenerator(seed)
        self.params = self.state = None
        if params is not None or state is not None:
            self._keep(params, state)
            self.built = True

    def _keep(self, params: Any, state: Any) -> None:
        """Make variables of the leaves of both."""
        room = room_of(self, "pytrees", "jax")

        def variables(pytree: Any, trainable: bool) -> tuple[Any, list[Any]]:
            arrays, pack = room.flatten(pytree)
            made = []
            for array in arrays:
                learned = trainable and array.dtype.kind in "fV"
                made.append(self.add_weight(array.shape, _given(array), str(array.dtype), trainable=learned))
            return pack(made), made

        self.params, _ = variables(params, True)
        self.state, self._state_leaves = variables(state, False) if self._has_state else (None, [])

    def build(self, input_shape: Any = None) -> None:
        """Make the parameters."""
        if self.params is not None:
            return
        room = room_of(self, "pytrees", "jax")
        given = {
            "rng": room.key(self.seed_generator.next()),
            "inputs": tree.map_shape_structure(
                lambda s: room.zeros([1 if d is None else d for d in s], self.compute_dtype), input_shape
            ),
            "training": True,
        }
        made = self.init_fn(**{name: given[name] for name in self._init_takes})  # type: ignore[misc]
        self._keep(*(made if self._has_state else (made, None)))

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Call the function."""
        room = room_of(self, "pytrees", "jax")
        given: dict[str, Any] = {"inputs": inputs, "training": bool(training), "params": self._values(self.params)}
        if self._has_state:
            given["state"] = self._values(self.state)
        if "rng" in self._takes:
            given["rng"] = room.key(self.seed_generator.next())
        out = self.call_fn(**{name: given[name] for name in self._takes})
        if not self._has_state:
            return out
        out, state = out
        for variable, value in zip(self._state_leaves, room.leaves(state), strict=True):
            variable.assign(value)
        return out

    def _values(self, variables: Any) -> Any:
        # In a pytree a Variable is a node with its value for a leaf, in whose place the value comes back.
        leaves, pack = room_of(self, "pytrees", "jax").flatten_as_is(variables)
        return pack(leaves)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments; the functions by reference. Parameters that were given are weights, not part of it."""
        from tricera.core.serialization import serialize_keras_object

        return {
            **super().get_config(), "call_fn": serialize_keras_object(self.call_fn),
            "init_fn": serialize_keras_object(self.init_fn),
            "native_serialization_platforms": self.native_serialization_platforms,
        }  # fmt: skip

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Make a layer from what `get_config` gave."""
        from tricera.core.serialization import deserialize_keras_object

        functions: dict[str, Any] = {
            name: deserialize_keras_object(config[name]) for name in ("call_fn", "init_fn") if name in config
        }
        return cls(**(config | functions))


def _given(array: Any) -> Callable[..., Any]:
    def initializer(shape: Any, dtype: Any = None) -> Any:
        return array

    return initializer
