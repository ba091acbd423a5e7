"""`Layer`: state and a computation, the unit of models."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

from tricera import regularizers
from tricera.core import dispatch, state
from tricera.core.graph import public_class
from tricera.core.remat import current_remat
from tricera.core.tensor import Spec
from tricera.core.variable import Variable
from tricera.layers import tracking
from tricera.layers.base.build import symbolic_inputs, wrapped_build
from tricera.layers.base.call import IsCalled
from tricera.layers.call_info import info_of
from tricera.layers.input_spec import InputSpec
from tricera.layers.locate import locating

_FLEETING = {"_call_context", "_losses_context", "_losses", "_seen"}  # what belongs to the last call


@functools.cache
def native_class(cls: type, backend: dispatch.Backend) -> type:
    """The class of instances on a backend: `cls` itself, or `cls` with the framework's base behind it."""
    native = backend.state.native_class(cls)
    if native is not cls:
        native._public_class = cls
        native.__module__, native.__qualname__, native.__doc__ = cls.__module__, cls.__qualname__, cls.__doc__
    return native


def _restore(cls: type, backend: str) -> Any:
    handle = dispatch.get(backend)
    native = native_class(cls, handle)
    layer: Any = object.__new__(native)
    if native is not cls:
        layer._init_native()
    return layer


class Layer(IsCalled):
    """A computation that owns its state.

    Args:
        activity_regularizer: a regularizer of the outputs.
        trainable: whether training changes the weights.
        dtype: a dtype or a dtype policy, the global one for None.
        autocast: whether floating-point inputs are cast to the compute dtype.
        name: default: the class's name in snake case, numbered.

    Subclasses make weights in `build(input_shape)` (or in the constructor) with `add_weight`, and compute in `call`.

    Example:
        >>> from tricera import ops
        >>> class Scale(Layer):
        ...     def build(self, input_shape):
        ...         self.factor = self.add_weight(shape=(input_shape[-1],), initializer="ones")
        ...     def call(self, x):
        ...         return ops.multiply(x, self.factor)
        >>> Scale()(ops.ones((2, 3))).shape[-1]
        3
    """

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        """An instance for the current backend, which remembers the constructor's arguments."""
        backend = dispatch.current()
        public: Any = getattr(cls, "_public_class", cls)
        native = native_class(public, backend)
        layer: Any = object.__new__(native)
        if native is not public:
            layer._init_native()
        layer.__dict__["_init_arguments"] = (args, kwargs)
        layer.__dict__["_backend"] = backend
        if not issubclass(
            native, cls
        ):  # `type(layer)(...)` on another backend: Python initializes instances of `cls` only
            layer.__init__(*args, **kwargs)
        return layer

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "__init__" in cls.__dict__:
            cls.__init__ = locating(cls.__dict__["__init__"])  # type: ignore[method-assign]
        if "build" in cls.__dict__:
            cls.build = wrapped_build(cls.__dict__["build"])  # type: ignore[method-assign]

    @locating
    def __init__(
        self,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name)
        input_shape = kwargs.pop("input_shape", None)
        input_dim = kwargs.pop("input_dim", None)
        batch_shape = kwargs.pop("batch_shape", None) or kwargs.pop("batch_input_shape", None)
        if kwargs:
            raise ValueError(f"Unknown argument of the layer {self.name!r}: {', '.join(kwargs)}.")
        if input_dim is not None:
            input_shape = (input_dim,)
        if input_shape is not None:
            batch_shape = (None, *input_shape)
        if batch_shape is not None:
            self._declared_batch_shape = tuple(batch_shape)
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self.dtype_policy = dtype
        self.autocast = autocast
        self._trainable = bool(trainable)
        self._input_spec: Any = None
        self._tracked_variables: list[Variable] = []
        self._losses: list[Any] = []
        self._losses_context: Any = None
        self._call_context: Any = None
        self.built = False
        self._locked = False  # whether it is too late for `add_weight`
        self._remat = current_remat.get()  # the scope of rematerialisation in which it was made
        self._settled = False  # whether a call has been through, so that nothing inside is still to be built
        self.supports_masking = info_of(public_class(self)).computes_mask
        self._build_shapes_dict: dict[str, Any] | None = None
        self._convert_input_args = True
        self._allow_non_tensor_positional_args = False
        self.supports_jit = True

    def to_backend(self, name: str) -> Layer:
        """Move the live layer, with all that it holds, to another backend.

        Args:
            name: `"jax"`, `"torch"`, `"tensorflow"` or `"numpy"`.

        Returns:
            The layer itself.
        """
        backend = dispatch.get(name)
        layers = self._flatten_layers()
        variables = [*self.variables, *self.metrics_variables]
        values = [(v, v.numpy()) for v in variables]  # fetched before anything moves
        for seed in (s for layer in layers for s in tracking.seeds_of(layer)):
            seed.move(backend)
        for variable, _ in values:
            variable.move(backend)
        for layer in layers:
            layer._move(backend)
        return self

    def _move(self, backend: dispatch.Backend) -> None:
        cls = public_class(self)
        native = native_class(cls, backend)
        self.__class__ = native
        if native is not cls and "_hooked" not in self.__dict__:
            kept = dict(self.__dict__)
            self._init_native()  # type: ignore[attr-defined]
            self.__dict__.update(kept)
        self._backend = backend

    def stateless_call(
        self,
        trainable_variables: Sequence[Any],
        non_trainable_variables: Sequence[Any],
        *args: Any,
        return_losses: bool = False,
        **kwargs: Any,
    ) -> Any:
        """Call the layer as a pure function of its variables' values.

        Args:
            trainable_variables: values for `layer.trainable_variables`.
            non_trainable_variables: values for `layer.non_trainable_variables`.
            *args: the inputs.
            return_losses: also return the losses.
            **kwargs: further arguments of the call.

        Returns:
            `(outputs, new non-trainable values)`, or `(outputs, new non-trainable values, losses)`.

        Raises:
            ValueError: the layer isn't built, or the numbers of values are wrong.
        """
        if not self.built:
            raise ValueError(f"The layer {self.name!r} must be built before `stateless_call`: call it on data once.")
        tv, ntv = self.trainable_variables, self.non_trainable_variables
        for what, variables, values in (
            ("trainable", tv, trainable_variables),
            ("non-trainable", ntv, non_trainable_variables),
        ):
            if len(variables) != len(values):
                raise ValueError(
                    f"The layer {self.name!r} has {len(variables)} {what} variables; {len(values)} values were given."
                )

        def run() -> Any:
            outputs = self(*args, **kwargs)
            return (outputs, self.losses) if return_losses else (outputs, None)

        # Metrics that layers update have no place in the result: as in Keras, these updates are dropped.
        metrics = self.metrics_variables
        pure = state.functionalize(run, [*tv, *ntv, *metrics])
        given = [*trainable_variables, *non_trainable_variables, *(v.value for v in metrics)]
        (outputs, losses), new = pure(given)
        rest = new[len(tv) : len(tv) + len(ntv)]
        return (outputs, rest, losses) if return_losses else (outputs, rest)

    # ------------------------------------------------------------------ copies

    def __reduce__(self) -> Any:
        return _restore, (public_class(self), self._backend.name), self.__getstate__()

    def __getstate__(self) -> dict[str, Any]:
        return {k: v for k, v in self.__dict__.items() if k not in _FLEETING}

    def __setstate__(self, values: dict[str, Any]) -> None:
        self.__dict__.update(values)
        self._losses, self._losses_context, self._call_context = [], None, None


__all__ = ["InputSpec", "Layer", "Spec", "native_class", "symbolic_inputs"]
