"""What a layer holds: weights, sublayers, metrics, and in which dtypes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tricera import constraints, dtype_policies, initializers, regularizers
from tricera.core import dispatch, dtypes, state, tree
from tricera.core.graph import Operation
from tricera.core.variable import Variable, standardize_shape
from tricera.layers import tracking
from tricera.layers.call_info import current_call
from tricera.layers.input_spec import InputSpec
from tricera.metrics.metric import Metric

if TYPE_CHECKING:
    from tricera.layers.layer import Layer


def _within(layer: Any) -> list[Any]:
    """The layers that a layer holds at any depth, each before those that it holds itself."""
    found: dict[int, Any] = {id(layer): layer}

    def visit(outer: Any) -> None:
        for inner in outer._layers:
            if id(inner) not in found:
                found[id(inner)] = inner
                visit(inner)

    visit(layer)
    return list(found.values())[1:]


class HoldsState(Operation):
    """An operation that owns variables and other layers."""

    _backend: dispatch.Backend
    _dtype_policy: dtype_policies.DTypePolicy
    _policy_map: dtype_policies.DTypePolicyMap | None
    _trainable: bool
    _tracked_variables: list[Variable]
    _input_spec: Any
    _locked: bool  # whether it is too late for `add_weight`
    _losses: list[Any]
    _losses_context: Any  # the outermost call in which they were added
    _call_context: Any
    built: bool

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
        variable.constraint = constraints.get(constraint)
        variable.overwrite_with_gradient = overwrite_with_gradient
        if not self._trainable:
            variable.trainable = False
        self._tracked_variables.append(variable)
        return variable

    add_variable = add_weight

    @property
    def _layers(self) -> list[Layer]:
        """The direct sublayers, in the order of the attributes that hold them."""
        return tracking.owned(self, HoldsState)

    @property
    def _carried_variables(self) -> list[Variable]:
        """What is carried from batch to batch without being weights: the states of stateful layers."""
        return []

    @property
    def _own_variables(self) -> list[Variable]:
        return tracking.own_variables(self)

    @property
    def _own_variables_and_seeds(self) -> list[Variable]:
        return [*self._own_variables, *(seed.state for seed in tracking.seeds_of(self))]

    def _flatten_layers(self, include_self: bool = True, recursive: bool = True) -> list[Layer]:
        found = tracking.once(_within, self) if recursive else tracking.unique(iter(self._layers))
        return [self, *found] if include_self else list(found)  # type: ignore[list-item]

    @property
    def weights(self) -> list[Variable]:
        """All variables but those of seeds and metrics."""
        return tracking.unique(v for layer in self._flatten_layers() for v in layer._own_variables)

    @property
    @tracking.remembered
    def variables(self) -> list[Variable]:
        """All variables: layer by layer its weights and the states of its seeds; then what stateful layers carry."""
        layers = self._flatten_layers()
        found = {id(v): v for layer in layers for v in layer._own_variables_and_seeds}
        found.update((id(v), v) for layer in layers for v in layer._carried_variables)
        return list(found.values())

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
    def _layers_metrics(self) -> list[Metric]:
        return tracking.unique(m for layer in self._flatten_layers() for m in tracking.metrics_of(layer))

    @property
    def metrics(self) -> list[Metric]:
        """The metrics that the layer and its sublayers hold."""
        return self._layers_metrics

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

    # ------------------------------------------------------------------ dtype, backend, specs

    @property
    def dtype_policy(self) -> dtype_policies.DTypePolicy:
        """In which dtypes the layer computes and keeps its variables; the whole map, where it was given one."""
        return self._dtype_policy if self._policy_map is None else self._policy_map

    @dtype_policy.setter
    def dtype_policy(self, value: Any) -> None:
        policy = dtype_policies.get(value)
        self._policy_map = policy if isinstance(policy, dtype_policies.DTypePolicyMap) else None
        if self._policy_map is None:
            self._dtype_policy = policy
        else:
            self._policy_of_path(self.__dict__.get("_path"))

    def _policy_of_path(self, path: str | None) -> None:
        """Take the policy that the map has for a path, which is known from the first call or `build` on; for None the default."""
        assert self._policy_map is not None
        self._dtype_policy = self._policy_map.default_policy if path is None else self._policy_map[path]

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

    def _check_initialized(self) -> None:
        if "_tracked_variables" not in self.__dict__:
            raise RuntimeError(f"In {type(self).__name__}.__init__(), call `super().__init__()` before anything else.")


tracking.look_for(HoldsState)
