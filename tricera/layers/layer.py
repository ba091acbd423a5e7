"""`Layer`: state and a computation, the unit of models."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tricera import dtype_policies, initializers, regularizers
from tricera.core import dispatch, dtypes, state, tree
from tricera.core.graph import Operation, auto_config, public_class, record
from tricera.core.masking import get_mask, set_mask
from tricera.core.remat import RematScope, current_remat, remat
from tricera.core.tensor import KerasTensor, Spec, not_recording, recording
from tricera.core.variable import Variable, autocast, autocast_dtype, name_scope, standardize_shape
from tricera.layers import tracking
from tricera.layers.call_info import CallContext, current_call, info_of
from tricera.layers.infer import infer_outputs
from tricera.layers.input_spec import InputSpec, check
from tricera.layers.locate import locate, locating
from tricera.metrics.metric import Metric


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


class Layer(Operation):
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

    _backend: dispatch.Backend
    supports_masking: bool = False

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
            cls.build = _wrapped_build(cls.__dict__["build"])  # type: ignore[method-assign]

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
        self._dtype_policy = dtype_policies.get(dtype)
        if isinstance(self._dtype_policy, dtype_policies.DTypePolicyMap):
            self._dtype_policy = self._dtype_policy[self.name]
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

    # ------------------------------------------------------------------ state

    def add_weight(
        self,
        shape: Any = None,
        initializer: Any = None,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        aggregation: str = "none",
        overwrite_with_gradient: bool = False,
        name: str | None = None,
        **kwargs: Any,
    ) -> Variable:
        """Make a variable of the layer.

        Args:
            shape: its shape, () for None.
            initializer: default: Glorot uniform for floats, zeros for the rest.
            dtype: default: the policy's variable dtype.
            trainable: whether gradients change it.
            autocast: whether mixed precision reads it in the compute dtype.
            regularizer: of its value.
            constraint: applied after each update.
            aggregation: how replicas are joined.
            overwrite_with_gradient: the optimizer replaces the value by the gradient.
            name: its name.

        Returns:
            The variable.

        Raises:
            RuntimeError: `super().__init__()` has not been called.
            ValueError: the layer is built already, so that nobody would train or save the weight.
        """
        self._check_initialized()
        if self._locked:
            raise ValueError(
                f"The layer {self.name!r} is built, so it can't get another weight ({name or 'without a name'}, shape {shape}). "
                "Make all weights in `__init__` or `build`, and build it once."
            )
        kwargs.pop("layout", None)
        shape = () if shape is None else standardize_shape(shape)
        dtype = self.variable_dtype if dtype is None else dtypes.standardize_dtype(dtype)
        if initializer is None:
            initializer = "glorot_uniform" if dtypes.is_float(dtype) else "zeros"
        with dispatch.use(self._backend):
            variable = Variable(
                initializers.get(initializer) if not hasattr(initializer, "shape") else initializer,
                shape=shape,
                dtype=dtype,
                trainable=trainable,
                autocast=autocast,
                aggregation=aggregation,
                name=name,
                **kwargs,
            )
        variable.regularizer = regularizers.get(regularizer)
        variable.constraint = _constraint(constraint)
        variable.overwrite_with_gradient = overwrite_with_gradient
        if not self._trainable:
            variable.trainable = False
        self._tracked_variables.append(variable)
        return variable

    add_variable = add_weight

    @property
    def _layers(self) -> list[Layer]:
        """The direct sublayers, in the order of the attributes that hold them."""
        return tracking.owned(self, Layer)

    @property
    def _carried_variables(self) -> list[Variable]:
        """What is carried from batch to batch without being weights: the states of stateful layers."""
        return []

    @property
    def _own_variables(self) -> list[Variable]:
        return tracking.own_variables(self)

    def _flatten_layers(self, include_self: bool = True, recursive: bool = True) -> list[Layer]:
        found: dict[int, Layer] = {id(self): self} if include_self else {}

        def visit(layer: Layer) -> None:
            for inner in layer._layers:
                if id(inner) not in found:
                    found[id(inner)] = inner
                    if recursive:
                        visit(inner)

        visit(self)
        return list(found.values())

    @property
    def weights(self) -> list[Variable]:
        """All variables but those of seeds and metrics."""
        return tracking.unique(v for layer in self._flatten_layers() for v in layer._own_variables)

    @property
    @tracking.remembered
    def variables(self) -> list[Variable]:
        """All variables: weights and the states of seeds."""
        layers = self._flatten_layers()
        weights = (v for layer in layers for v in layer._own_variables)
        seeds = (g.state for layer in layers for g in tracking.seeds_of(layer))
        carried = (v for layer in layers for v in layer._carried_variables)
        return tracking.unique(v for part in (weights, seeds, carried) for v in part)

    @property
    def trainable_variables(self) -> list[Variable]:
        """The variables that training changes."""
        return [v for v in self.variables if v.trainable] if self._trainable else []

    @property
    def non_trainable_variables(self) -> list[Variable]:
        """The variables that training leaves to the layer itself."""
        return [v for v in self.variables if not v.trainable] if self._trainable else self.variables

    @property
    def trainable_weights(self) -> list[Variable]:
        """The weights that training changes."""
        return [v for v in self.weights if v.trainable] if self._trainable else []

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """The weights that training leaves to the layer itself."""
        return [v for v in self.weights if not v.trainable] if self._trainable else self.weights

    @property
    @tracking.remembered
    def metrics(self) -> list[Metric]:
        """The metrics that the layer and its sublayers hold."""
        return tracking.unique(m for layer in self._flatten_layers() for m in tracking.metrics_of(layer))

    @property
    def metrics_variables(self) -> list[Variable]:
        """The variables of these metrics."""
        return tracking.unique(v for m in self.metrics for v in m.variables)

    @property
    def trainable(self) -> bool:
        """Whether training changes the weights; setting it reaches all sublayers."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        for layer in self._flatten_layers():
            layer._trainable = bool(value)
            for variable in layer._own_variables:
                if variable.learnable:
                    variable.trainable = bool(value)

    def get_weights(self) -> list[np.ndarray]:
        """The values of `weights` as arrays."""
        return [v.numpy() for v in self.weights]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Assign values to `weights`, in order; all are checked before any is assigned.

        Raises:
            ValueError: the number of values or a shape differs.
        """
        own = self.weights
        if len(own) != len(weights):
            raise ValueError(f"The layer {self.name!r} has {len(own)} weights, but {len(weights)} values were given.")
        for variable, value in zip(own, weights, strict=True):
            if tuple(np.shape(value)) != variable.shape:
                raise ValueError(
                    f"The weight {variable.path!r} of the layer {self.name!r} has shape {variable.shape}; "
                    f"the value given has shape {np.shape(value)}."
                )
        for variable, value in zip(own, weights, strict=True):
            variable.assign(value)

    def count_params(self) -> int:
        """The number of elements of all weights.

        Raises:
            ValueError: the layer isn't built yet.
        """
        if not self.built:
            raise ValueError(
                f"The layer {self.name!r} isn't built, so its weights can't be counted. Call it on data, or `build` it with an input shape."
            )
        return sum(v.numel() for v in self.weights)

    # ------------------------------------------------------------------ dtype, backend, specs

    @property
    def dtype_policy(self) -> dtype_policies.DTypePolicy:
        """In which dtypes the layer computes and keeps its variables."""
        return self._dtype_policy

    @dtype_policy.setter
    def dtype_policy(self, value: Any) -> None:
        self._dtype_policy = dtype_policies.get(value)

    @property
    def dtype(self) -> str:
        """The dtype of the variables."""
        return self._dtype_policy.variable_dtype

    @property
    def variable_dtype(self) -> str:
        """The dtype of the variables."""
        return self._dtype_policy.variable_dtype

    @property
    def compute_dtype(self) -> str:
        """The dtype of the computation."""
        return self._dtype_policy.compute_dtype

    @property
    def input_dtype(self) -> str:
        """The dtype to which floating-point inputs are cast."""
        return self._dtype_policy.compute_dtype

    @property
    def quantization_mode(self) -> str | None:
        """How the layer is quantized, or None."""
        return self._dtype_policy.quantization_mode

    @property
    def input_spec(self) -> Any:
        """What the layer expects of its inputs."""
        return self._input_spec

    @input_spec.setter
    def input_spec(self, value: Any) -> None:
        if any(s is not None and not isinstance(s, InputSpec) for s in tree.flatten(value)):
            raise ValueError(f"`input_spec` must be made of InputSpec objects, not {value!r}.")
        self._input_spec = value

    @property
    def path(self) -> str:
        """The scopes in which the layer was built, then its name."""
        return self.__dict__.get("_path", self.name)

    @property
    def backend(self) -> str:
        """The name of the backend to which the layer belongs."""
        return self._backend.name

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

    # ------------------------------------------------------------------ building

    def build(self, input_shape: Any = None) -> None:
        """Make the weights; to be overridden by layers whose weights depend on the inputs' shapes."""
        self.built = True

    def get_build_config(self) -> dict[str, Any] | None:
        """The shapes with which the layer was built, for saving."""
        shapes = self._build_shapes_dict
        if shapes is None:
            return None
        return {"input_shape": next(iter(shapes.values()))} if len(shapes) == 1 else {"shapes_dict": shapes}

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Build again from what `get_build_config` gave."""
        if not config or self._locked:
            return
        config = tree.map_shape_structure(lambda s: tuple(s) if isinstance(s, list) else s, config)
        named = config.get("shapes_dict") or {}
        if "input_shape" not in config and not named:
            return
        if not self._has_default_build():
            self.build(config["input_shape"]) if "input_shape" in config else self.build(**named)
            return
        with dispatch.use(self._backend):
            if "input_shape" in config:
                self._build_on(symbolic_inputs(config["input_shape"]), {})
            else:
                self._build_on(None, {k.removesuffix("_shape"): symbolic_inputs(v) for k, v in named.items()})

    def _has_default_build(self) -> bool:
        """Whether building means calling: the class doesn't define `build`, its sublayers have the weights."""
        return public_class(self).build is Layer.build

    def _build_on(self, inputs: Any, kwargs: dict[str, Any]) -> None:
        with not_recording():
            self(*(() if inputs is None else (inputs,)), **kwargs)

    def _build_for(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Build from the shapes of the arguments of a call."""
        info = info_of(public_class(self))
        shapes: dict[str, Any] = {}
        for name, value in info.tensors_of(args, kwargs).items():
            leaves = tree.flatten(value)
            if leaves and any(hasattr(leaf, "shape") for leaf in leaves):
                shapes[f"{name}_shape"] = tree.map_structure(_shape_of, value)
        if self._has_default_build():
            self._build_by_calling(args, kwargs)
            self._build_shapes_dict = shapes or None
            return
        named = {n: s for n, s in shapes.items() if n in info.build_names}
        if len(info.build_names) == 1:
            self.build(next(iter(shapes.values()), None))
        elif named:
            self.build(**named)
        else:
            self.build(*list(shapes.values())[: len(info.build_names)])

    def _build_by_calling(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Layers that only hold others: running `call` on shapes builds these."""
        if any(not layer.built for layer in self._flatten_layers(include_self=False)):
            symbolic = tree.map_structure(_symbolic_of, (args, kwargs))
            try:
                with name_scope(self.name):
                    infer_outputs(self, *symbolic[0], **symbolic[1])
            except Exception:
                # Not fatal: code that needs real values builds its sublayers when it runs, and its own errors show then.
                unbuilt = [x.name for x in self._flatten_layers(include_self=False) if not x.built]
                if any(isinstance(x, KerasTensor) for x in tree.flatten((args, kwargs))) and unbuilt:
                    raise
        self.build(None)

    def _check_initialized(self) -> None:
        if "_tracked_variables" not in self.__dict__:
            raise RuntimeError(f"In {type(self).__name__}.__init__(), call `super().__init__()` before anything else.")

    # ------------------------------------------------------------------ calling

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the outputs; to be overridden."""
        raise NotImplementedError(f"The layer class {public_class(self).__name__} must define `call`.")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the layer: convert and check the inputs, build if need be, compute, pass masks on."""
        self._check_initialized()
        if dispatch.current() is not self._backend:
            with dispatch.use(self._backend):
                return self._call_layer(args, kwargs)
        return self._call_layer(args, kwargs)

    def _call_layer(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        try:
            args, kwargs, symbolic = self._convert_inputs(args, kwargs)
            if self._input_spec is not None:
                check(self._input_spec, args[0] if args else next(iter(kwargs.values()), None), self.name)
            if not self.built:
                self._build_for(args, {k: v for k, v in kwargs.items() if k != "training"})
            if self._settled:
                return self._run(args, kwargs, symbolic)
            self._locked = True
            with name_scope(self.name):  # of the sublayers that are built by their first call
                outputs = self._run(args, kwargs, symbolic)
            self._settled = not symbolic or all(x.built for x in self._flatten_layers(include_self=False))
            return outputs
        except Exception as error:
            locate(error, self, {**{f"args[{i}]": a for i, a in enumerate(args)}, **kwargs})
            raise

    def _run(self, args: tuple[Any, ...], kwargs: dict[str, Any], symbolic: bool) -> Any:
        info = info_of(public_class(self))
        outer = current_call.get()
        training = self._resolve_training(info, kwargs, outer)
        if info.masks:
            kwargs = self._with_masks(info, args, kwargs)
        if outer is None or outer.training is not training:
            context = CallContext(training, None if outer is None else outer.root)
            token = current_call.set(context)
        else:
            context, token = outer, None
        self._call_context = context.root
        try:
            if symbolic:
                outputs = self.compute_output_spec(*args, **kwargs)
                outputs = record(self, args, kwargs, outputs)
            else:
                outputs = self._compute(args, kwargs)
            self._finish(args[0] if args else kwargs.get(info.names[0]) if info.names else None, outputs, kwargs)
        finally:
            if token is not None:
                current_call.reset(token)
        return outputs

    def _compute(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        wanted = self._dtype_of_reading()
        call = self.call if self._remat is None else self._remat_call(self._remat, args, kwargs)
        if wanted == autocast_dtype.get():
            return call(*args, **kwargs)
        with autocast(wanted):
            return call(*args, **kwargs)

    def _remat_call(self, scope: RematScope, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Callable[..., Any]:
        """`call`, rematerialised where the scope in which the layer was made says so."""
        shapes: list[Any] = []
        if scope.mode == "larger_than":

            def symbolic(x: Any) -> Any:
                return KerasTensor(x.shape, self._backend.dtype(x)) if dispatch.of(x) is self._backend else x

            outputs = self.compute_output_spec(
                *tree.map_structure(symbolic, args), **tree.map_structure(symbolic, kwargs)
            )
            shapes = [tuple(x.shape) for x in tree.flatten(outputs) if x is not None]
        return (
            remat(self.call)
            if scope.wants(self.name, callable(getattr(self, "activation", None)), shapes)
            else self.call
        )

    def _dtype_of_reading(self) -> str | None:
        """In which dtype `call` reads the variables, None for their own. `autocast=False` is about the inputs alone."""
        compute = self._dtype_policy.compute_dtype
        return compute if compute != self._dtype_policy.variable_dtype else None

    def _convert_inputs(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any], bool]:
        """Arrays become tensors, floats get the compute dtype; say whether anything is symbolic."""
        backend = self._backend
        if len(args) == 1 and not kwargs:
            x = args[0]
            if dispatch.of_type(type(x)) is backend:
                return (self._cast_input(x, backend),), kwargs, False
        symbolic = False

        def convert(x: Any) -> Any:
            nonlocal symbolic
            if isinstance(x, KerasTensor):
                symbolic = True
                if self.autocast and dtypes.is_float(x.dtype) and x.dtype != self.input_dtype:
                    return _symbolic_cast(x, self.input_dtype)
                return x
            if dispatch.of_type(type(x)) is not None or isinstance(x, Variable):
                return self._cast_input(x.value if isinstance(x, Variable) else x, backend)
            if hasattr(x, "__array__") and self._convert_input_args:
                return self._cast_input(backend.convert(x), backend)
            return x

        if self._convert_input_args:
            args = tree.map_structure(convert, args)
            kwargs = tree.map_structure(convert, kwargs)
        else:
            symbolic = any(isinstance(x, KerasTensor) for x in tree.flatten((args, kwargs)))
        if not self._allow_non_tensor_positional_args:
            self._refuse_non_tensors(args)
        return args, kwargs, symbolic

    def _refuse_non_tensors(self, args: tuple[Any, ...]) -> None:
        for x in tree.flatten(args):
            if x is not None and not hasattr(x, "shape"):
                raise ValueError(
                    f"Only tensors may be passed to the layer {self.name!r} as positional arguments; got {x!r} "
                    f"(of type {type(x).__name__}). Pass it as a keyword argument, or make an array of it first."
                )

    def _cast_input(self, x: Any, backend: dispatch.Backend) -> Any:
        if not self.autocast:
            return x
        owner = dispatch.of_type(type(x)) or backend
        dtype = owner.dtype(x)
        wanted = self._dtype_policy.compute_dtype
        if dtype == wanted or "float" not in dtype or dtype.startswith("float8"):
            return x
        cast, mask = owner.cast(x, wanted), get_mask(x)
        if mask is not None:
            set_mask(cast, mask)
        return cast

    def _resolve_training(self, info: Any, kwargs: dict[str, Any], outer: CallContext | None) -> bool | None:
        """The explicit argument, else the outer call's, else the default; put into `kwargs` if `call` takes it."""
        training = kwargs.get("training")
        if training is None:
            training = outer.training if outer is not None else self.__dict__.get("_training_mode")
            if training is None and info.training:
                training = info.training_default
        if info.training:
            kwargs["training"] = training
        elif "training" in kwargs and not info.has_kwargs:
            kwargs.pop("training")
        return training

    def _with_masks(self, info: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        for index, name in enumerate(info.names):
            mask_name = info.masks.get(name)
            if mask_name is None or kwargs.get(mask_name) is not None or info.names.index(mask_name) < len(args):
                continue
            value = args[index] if index < len(args) else kwargs.get(name)
            if value is None:
                continue
            masks = _masks_of(value)
            if masks is not None:
                kwargs[mask_name] = masks
        return kwargs

    def _finish(self, first: Any, outputs: Any, kwargs: dict[str, Any]) -> None:
        """Masks, which go by the first argument or the one given as `mask`, and activity losses."""
        if self.supports_masking and first is not None:
            masks = kwargs.get("mask")
            masks = _masks_of(first) if masks is None else masks
            if masks is not None or info_of(public_class(self)).computes_mask:
                self._set_output_mask(first, masks, outputs)
        if self.activity_regularizer is not None and not isinstance(outputs, KerasTensor):
            for output in tree.flatten(outputs):
                if output is not None and not isinstance(output, KerasTensor):
                    penalty = self.activity_regularizer(output)
                    shape = self._backend.shape(output)
                    self.add_loss(penalty / self._batch_size(output, penalty) if len(shape) else penalty)

    def _batch_size(self, output: Any, like: Any) -> Any:
        """The length of the first axis as a number of the dtype of `like`; activity penalties are means over the batch."""
        length = self._backend.shape(output)[0]
        return length if isinstance(length, int) else self._backend.cast(length, self._backend.dtype(like))

    def _set_output_mask(self, inputs: Any, masks: Any, outputs: Any) -> None:
        computed = self.compute_mask(inputs, masks)
        leaves = tree.flatten(outputs)
        # A mask alone is the first output's, be there others.
        flat = [computed] if not isinstance(computed, (list, tuple)) else tree.flatten(computed)
        for output, mask in zip(leaves, flat, strict=False):
            if output is not None and mask is not None and get_mask(output) is None:
                set_mask(output, mask)

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """The mask of the outputs; the inputs' own unless overridden."""
        return previous_mask

    compute_mask.passes_on = True  # type: ignore[attr-defined]

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """The outputs as symbolic tensors."""
        if public_class(self).compute_output_shape is not Layer.compute_output_shape:
            return self._spec_from_shape(args, kwargs)
        with autocast(self._dtype_of_reading()):
            return infer_outputs(self, *args, **kwargs)

    def _spec_from_shape(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """From an overridden `compute_output_shape`, which takes one shape, or one a tensor argument."""
        info = info_of(public_class(self))
        tensors = {
            n: v for n, v in info.tensors_of(args, kwargs).items()
            if any(isinstance(leaf, KerasTensor) for leaf in tree.flatten(v))
        }  # fmt: skip
        shapes = {f"{n}_shape": tree.map_structure(_shape_of, v) for n, v in tensors.items()}
        import inspect

        names = list(inspect.signature(self.compute_output_shape).parameters)
        if len(names) > 1 and all(n in shapes for n in names):
            shape = self.compute_output_shape(**{n: shapes[n] for n in names})
        else:
            shape = self.compute_output_shape(next(iter(shapes.values())))
        dtype = self.compute_dtype
        return tree.map_shape_structure(lambda s: KerasTensor(s, dtype), shape)

    def compute_output_shape(self, *args: Any, **kwargs: Any) -> Any:
        """The shapes of the outputs for given shapes of the inputs.

        Args:
            *args: shapes, in the structure of `call`'s arguments.
            **kwargs: shapes as `<argument>_shape`.
        """
        symbolic = tree.map_shape_structure(lambda s: KerasTensor(s, self.input_dtype, record_history=False), args)
        keywords = {
            key.removesuffix("_shape"): tree.map_shape_structure(lambda s: KerasTensor(s, self.input_dtype), value)
            for key, value in kwargs.items()
        }
        layer = self if self.built else self._throwaway_copy()
        with not_recording(), dispatch.use(self._backend):
            outputs = layer(*symbolic, **keywords)
        return tree.map_structure(lambda t: t.shape, outputs)

    def _throwaway_copy(self) -> Layer:
        with dispatch.use(self._backend):
            return public_class(self).from_config(self.get_config())

    def symbolic_call(self, *args: Any, **kwargs: Any) -> Any:
        """Infer the outputs and record a node."""
        outputs = self.compute_output_spec(*args, **kwargs)
        return record(self, args, kwargs, outputs)

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

        pure = state.functionalize(run, [*tv, *ntv])
        (outputs, losses), new = pure([*trainable_variables, *non_trainable_variables])
        rest = new[len(tv) :]
        return (outputs, rest, losses) if return_losses else (outputs, rest)

    # ------------------------------------------------------------------ losses

    def add_loss(self, loss: Any) -> None:
        """Add a scalar to the training loss; meant for use inside `call`.

        Args:
            loss: a scalar tensor, or a list of them.
        """
        context = None if (outer := current_call.get()) is None else outer.root
        if context is not self._losses_context:
            self._losses, self._losses_context = [], context
        for one in tree.flatten(loss):
            self._losses.append(one)
        scope = state.current_stateless.get()
        if scope is not None and scope.collect_losses:
            for one in tree.flatten(loss):
                scope.add_loss(one)

    def add_metric(self, *args: Any, **kwargs: Any) -> None:
        """Refuse: metrics are attributes.

        Raises:
            NotImplementedError: always, with what to do.
        """
        raise NotImplementedError(
            "Keep a metric as an attribute (`self.m = metrics.Mean(name=...)` in `__init__`) and call "
            "`self.m.update_state(value)` in `call`; it is reported and reset with the model's own."
        )

    @property
    def losses(self) -> list[Any]:
        """The losses of the last call and the penalties of the regularizers."""
        layers = self._all_layers
        context = self._call_context
        found = [
            x for layer in layers if layer._losses and layer._losses_context in (context, None) for x in layer._losses
        ]
        return [*found, *(v.regularizer(v) for v in self._regularized if v.trainable)]

    @property
    @tracking.remembered
    def _regularized(self) -> list[Variable]:
        return [v for v in self.weights if v.regularizer is not None]

    @property
    @tracking.remembered
    def _all_layers(self) -> list[Layer]:
        return self._flatten_layers()

    def _clear_losses(self) -> None:
        for layer in self._all_layers:
            layer._losses = []

    # ------------------------------------------------------------------ saving

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values.

        Raises:
            NotImplementedError: the class takes arguments that aren't plain values and doesn't override this.
        """
        base = {"name": self.name, "trainable": self._trainable, "dtype": dtype_policies.serialize(self._dtype_policy)}
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
        plain = cls.get_config.__qualname__ in ("Layer.get_config", "Functional.get_config")
        return plain and cls.__init__ is not Layer.__init__

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Make a layer from what `get_config` gave."""
        return super().from_config(config)

    def save_own_variables(self, store: dict[str, Any]) -> None:
        """Put the layer's own variables into a store, by number."""
        for i, variable in enumerate(self._own_variables):
            store[str(i)] = variable.numpy()

    def load_own_variables(self, store: Any) -> None:
        """Assign the layer's own variables from a store.

        Raises:
            ValueError: the number of variables differs.
        """
        variables = self._own_variables
        if len(store.keys()) != len(variables):
            hint = "" if self.built else " The layer isn't built: build or call it before loading."
            raise ValueError(
                f"The layer {self.name!r} has {len(variables)} variables; the file holds {len(store.keys())}.{hint}"
            )
        for i, variable in enumerate(variables):
            variable.assign(store[str(i)])

    def quantize(self, mode: Any, **kwargs: Any) -> None:
        """Refuse: this layer can't be quantized.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError(f"The layer class {public_class(self).__name__} can't be quantized.")

    def quantized_build(self, *args: Any, **kwargs: Any) -> None:
        """Refuse: this layer can't be quantized.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError(f"The layer class {public_class(self).__name__} can't be quantized.")

    def __repr__(self) -> str:
        return f"<{public_class(self).__name__} name={self.name}, built={self.built}>"

    def __reduce__(self) -> Any:
        return _restore, (public_class(self), self._backend.name), self.__getstate__()

    def __getstate__(self) -> dict[str, Any]:
        return {k: v for k, v in self.__dict__.items() if k not in ("_call_context", "_losses_context", "_losses")}

    def __setstate__(self, values: dict[str, Any]) -> None:
        self.__dict__.update(values)
        self._losses, self._losses_context, self._call_context = [], None, None


def _constraint(identifier: Any) -> Any:
    from tricera import constraints

    return constraints.get(identifier)


def _accepted(cls: type) -> set[str]:
    import inspect

    parameters = inspect.signature(cls.__init__).parameters  # type: ignore[misc]
    names = set(parameters)
    if any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters.values()):
        names |= {"name", "trainable", "dtype", "activity_regularizer"}
    return names


def _shape_of(x: Any) -> Any:
    return tuple(x.shape) if hasattr(x, "shape") else None


def _symbolic_of(x: Any) -> Any:
    """A symbolic tensor of the shape of a real one."""
    if isinstance(x, KerasTensor) or not hasattr(x, "shape") or not hasattr(x, "dtype"):
        return x
    return KerasTensor(tuple(x.shape), dtypes.standardize_dtype(x.dtype), record_history=False)


def _symbolic_cast(x: KerasTensor, dtype: str) -> KerasTensor:
    """As Keras, the cast at a layer's door is not a node of the graph."""
    cast = KerasTensor(x.shape, dtype, x.sparse, x.ragged)
    for name in ("_keras_history", "_keras_mask"):
        if hasattr(x, name):
            setattr(cast, name, getattr(x, name))
    return cast


def _masks_of(value: Any) -> Any:
    if isinstance(value, (list, tuple, dict)):
        masks = tree.map_structure(get_mask, value)
        return masks if any(m is not None for m in tree.flatten(masks)) else None
    return get_mask(value)


def _wrapped_build(build: Callable[..., None]) -> Callable[..., None]:
    """`build` inside the layer's backend and name scope; afterwards the layer counts as built."""

    @functools.wraps(build)
    def wrapped(self: Any, *args: Any, **kwargs: Any) -> None:
        if self.__dict__.get("_building"):
            build(self, *args, **kwargs)
            return
        self.__dict__["_building"] = True
        try:
            with dispatch.use(self._backend), name_scope(self.name), contextlib.ExitStack() as stack:
                stack.enter_context(autocast(None))
                token = recording.set(False)
                stack.callback(recording.reset, token)
                from tricera.core.variable import name_scopes

                self.__dict__["_path"] = "/".join(name_scopes.get())
                build(self, *args, **kwargs)
        except Exception as error:
            locate(error, self)
            raise
        finally:
            del self.__dict__["_building"]
        import inspect

        bound = inspect.signature(build).bind(self, *args, **kwargs).arguments
        self._build_shapes_dict = {k: v for k, v in list(bound.items())[1:]}
        self.built = self._locked = True

    return wrapped


def symbolic_inputs(shapes: Any) -> Any:
    """Symbolic tensors of the shapes in a structure."""
    return tree.map_shape_structure(lambda s: KerasTensor(s), shapes)


__all__ = ["InputSpec", "Layer", "Spec", "native_class"]
