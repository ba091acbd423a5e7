"""The state of an optimizer: its variables, the learning rate among them, and how they are saved."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tricera import initializers, ops
from tricera.core import checks, dispatch
from tricera.core.dispatch import Backend
from tricera.core.variable import Variable, name_scope
from tricera.optimizers.schedules.schedule import LearningRateSchedule


def _rate(value: Any) -> np.ndarray:
    """A learning rate as an array, checked."""
    try:
        rate = np.asarray(value.numpy() if isinstance(value, Variable) else value)
        # V: bfloat16
        number = None if rate.dtype.kind not in "iufV" else rate.astype("float32")
    except (TypeError, ValueError):
        number = None
    if number is None or number.shape != ():
        raise ValueError(
            f"`learning_rate` must be a number, a LearningRateSchedule or a function without arguments, not {value!r}."
        )
    checks.number(0)("learning_rate", float(number))
    return number


class OptimizerState:
    """The variables of an optimizer; `Optimizer` adds what is done with them."""

    name: str
    built: bool
    gradient_accumulation_steps: int | None
    _evaluating: bool = False  # whether the variables hold the values to be used, where training has others
    _unused: Sequence[Variable] = ()  # variables that only keep a place in Keras's files
    _derived: Sequence[Variable] = ()  # variables whose values follow from the step count, see `_derive`
    _scaled: bool = (
        False  # whether a LossScaleOptimizer is around it; Keras's files then lack what is derived or unused
    )
    _variables: list[Variable]
    _iterations: Variable
    _learning_rate: Any
    _trainable_variables: list[Variable]
    _indices: dict[int, int]

    def __setattr__(self, name: str, value: Any) -> None:
        # As in Keras, a variable that becomes an attribute is part of the state.
        if isinstance(value, Variable) and "_variables" in self.__dict__:
            self._track(value)
        object.__setattr__(self, name, value)

    def _track(self, variable: Variable) -> None:
        if all(v is not variable for v in self._variables):
            self._variables.append(variable)

    @property
    def variables(self) -> list[Variable]:
        """All state, in Keras's order: step count, learning rate, running means, accumulated gradients, slots."""
        return list(self._variables)

    @property
    def iterations(self) -> Any:
        """The number of updates made; under gradient accumulation fewer than the steps seen."""
        if self.gradient_accumulation_steps:
            return ops.floor_divide(self._iterations.value, self.gradient_accumulation_steps)
        return self._iterations

    @property
    def _backend(self) -> Backend:
        return self._iterations._backend

    @_backend.setter
    def _backend(self, backend: Backend) -> None:
        for variable in self.variables:
            variable.move(backend)

    def _follow(self, variables: Sequence[Variable]) -> None:
        """Go to the backend of the variables, if the state is elsewhere."""
        if variables and variables[0]._backend is not self._backend:
            for own in self.variables:
                own.move(variables[0]._backend)

    def add_variable(
        self,
        shape: Sequence[int],
        initializer: Any = "zeros",
        dtype: Any = None,
        aggregation: str = "none",
        layout: Any = None,
        name: str | None = None,
    ) -> Variable:
        """Make a state variable.

        Args:
            shape: its shape.
            initializer: an initializer, its name, or an array.
            dtype: default: floatx.
            aggregation: how replicas are joined.
            layout: how it is laid out over devices.
            name: its name; the optimizer's name comes before it in the path.
        """
        if isinstance(initializer, (str, Mapping)):
            initializer = initializers.get(initializer)
        with dispatch.use(self._backend), name_scope(self.name):
            variable = Variable(initializer, shape=tuple(shape), dtype=dtype, trainable=False, aggregation=aggregation,
                                layout=layout, name=None if name is None else name.replace("/", "_"))  # fmt: skip
        self._track(variable)
        return variable

    def add_variable_from_reference(
        self, reference_variable: Variable, name: str | None = None, initializer: Any = "zeros"
    ) -> Variable:
        """Make a state variable of a model variable's shape and dtype, named `<its path>_<name>`.

        Args:
            reference_variable: the model's variable.
            name: default: `"var"`.
            initializer: an initializer, its name, or an array.
        """
        if isinstance(initializer, Variable):
            with initializer._backend.concrete():
                initializer = initializer.numpy()
        path = getattr(reference_variable, "path", None) or reference_variable.name
        return self.add_variable(
            reference_variable.shape,
            initializer,
            getattr(reference_variable, "_dtype", reference_variable.dtype),
            name=f"{path}_{name or 'var'}",
        )

    def add_optimizer_variables(
        self, trainable_variables: Sequence[Variable], name: Any, initializer: Any = "zeros"
    ) -> Any:
        """Make one state variable, or one for each of several names, for each model variable.

        Args:
            trainable_variables: the model's variables.
            name: a name, or a list or tuple of names.
            initializer: one for all, or a list with one a name.

        Returns:
            A list of variables, or a tuple with such a list for each name.
        """
        if isinstance(name, str):
            return [self.add_variable_from_reference(v, name, initializer) for v in trainable_variables]
        starts = list(initializer) if isinstance(initializer, (list, tuple)) else [initializer] * len(name)
        if len(starts) != len(name):
            raise ValueError(f"{len(name)} names but {len(starts)} initializers were given.")
        rows = [
            [self.add_variable_from_reference(v, n, start) for n, start in zip(name, starts, strict=True)]
            for v in trainable_variables
        ]
        return tuple([row[i] for row in rows] for i in range(len(name)))

    def _get_variable_index(self, variable: Variable) -> int:
        index = self._indices.get(id(variable))
        if index is None or self._trainable_variables[index] is not variable:
            self._indices = {id(v): i for i, v in enumerate(self._trainable_variables)}  # after a copy ids are new
            index = self._indices.get(id(variable))
        if index is None:
            raise ValueError(
                f"The optimizer {self.name!r} was not built with the variable {variable.path!r}. It updates only the variables it "
                "was built with; make a new optimizer for others."
            )
        return index

    def assign(self, variable: Variable, value: Any) -> None:
        """Set a variable."""
        variable.assign(value)

    def assign_add(self, variable: Variable, value: Any) -> None:
        """Add to a variable."""
        variable.assign_add(value)

    def assign_sub(self, variable: Variable, value: Any) -> None:
        """Subtract from a variable."""
        variable.assign_sub(value)

    # ------------------------------------------------------------------ learning rate

    def _set_learning_rate(self, value: Any) -> None:
        self._variables = [v for v in self._variables if v is not self.__dict__.get("_learning_rate")]
        if isinstance(value, LearningRateSchedule) or (callable(value) and not isinstance(value, Variable)):
            self._learning_rate = value
            return
        self._learning_rate = Variable(
            _rate(value), name="learning_rate", trainable=False, aggregation="only_first_replica"
        )

    @property
    def learning_rate(self) -> Any:
        """The learning rate: a variable, or the schedule's value now. A number set here takes effect at once.

        Raises:
            TypeError: (when set) it is given by a schedule.
            ValueError: (when set) it is no finite number of at least 0.
        """
        return self._current_learning_rate()

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        if isinstance(self._learning_rate, Variable) and not callable(value):
            tensor = hasattr(value, "shape") and not isinstance(value, (np.generic, np.ndarray))
            self._learning_rate.assign(value if tensor else _rate(value))
        elif isinstance(self._learning_rate, LearningRateSchedule) and not isinstance(value, LearningRateSchedule):
            raise TypeError(
                f"The learning rate of {self.name!r} is given by a {type(self._learning_rate).__name__} and can't be set to "
                f"{value!r}. Make the optimizer with a number to be able to change it."
            )
        else:
            with dispatch.use(self._backend), name_scope(self.name):
                self._set_learning_rate(value)

    def _current_learning_rate(self) -> Any:
        rate = self._learning_rate
        if isinstance(rate, LearningRateSchedule):
            with dispatch.use(self._backend):
                return rate(self._iterations.value)
        return rate if isinstance(rate, Variable) else rate()

    # ------------------------------------------------------------------ weights to train and weights to use

    def _family(self) -> list[Any]:
        """This optimizer and those inside it."""
        return [self]

    def _to_training(self) -> None:
        """Before steps: the variables take the values at which gradients are taken, where these are not what a model is used with."""
        for optimizer in self._family()[1:]:
            optimizer._to_training()

    def _to_evaluation(self) -> None:
        """After steps: the variables take the values that a model is used with; the opposite of `_to_training`."""
        for optimizer in self._family()[1:]:
            optimizer._to_evaluation()

    # ------------------------------------------------------------------ saving

    @property
    def _filed(self) -> list[Variable]:
        """The variables that stand in a file, in Keras's order."""
        left_out = {id(v) for v in (*self._derived, *self._unused)} if self._scaled else ()
        return [v for v in self.variables if id(v) not in left_out]

    def _derive(self) -> None:
        """Compute what `_derived` holds."""

    def save_own_variables(self, store: Any) -> None:
        """Put the values of `variables` into a mapping under "0", "1", ..."""
        # A file has no place to say which of an optimizer's two sets of weights the variables hold. The step count says it: as
        # int64 where they hold those to be used. Keras reads either.
        wide = {id(o._iterations) for o in self._family() if o._evaluating}
        for i, variable in enumerate(self._filed):
            value = variable.numpy()
            store[str(i)] = value.astype("int64") if id(variable) in wide else value

    def load_own_variables(self, store: Any) -> None:
        """Take the values of `variables` from what `save_own_variables` filled; one of another length is left, with a warning."""
        if len(store.keys()) != len(self._filed):
            warnings.warn(
                f"The optimizer {self.name!r} has {len(self._filed)} variables, the saved one had {len(store.keys())}; its state "
                "was not loaded.",
                stacklevel=2,
            )
            return
        counts = {id(o._iterations): o for o in self._family()}
        for i, variable in enumerate(self._filed):
            value = store[str(i)]
            variable.assign(value)
            if id(variable) in counts:
                counts[id(variable)]._evaluating = np.asarray(value).dtype == np.int64
        for optimizer in self._family():
            if optimizer._scaled:
                optimizer._derive()

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Set all of `variables`.

        Args:
            weights: one array a variable.

        Raises:
            ValueError: the optimizer is not built, or numbers or shapes differ.
        """
        if not self.built:
            raise ValueError(
                f"The optimizer {self.name!r} must be built (`optimizer.build(trainable_variables)`) before `set_weights`."
            )
        if len(weights) != len(self.variables):
            raise ValueError(
                f"The optimizer {self.name!r} has {len(self.variables)} variables, but {len(weights)} weights were given."
            )
        for variable, weight in zip(self.variables, weights, strict=True):
            variable.assign(weight)
