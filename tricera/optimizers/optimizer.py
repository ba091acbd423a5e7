"""`Optimizer`: from gradients to new values; one driver, one rule a class."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

import numpy as np

from tricera import ops
from tricera.core import dispatch, naming
from tricera.core.state import functionalize
from tricera.core.variable import Variable, name_scope
from tricera.optimizers.gradients import clip_by_global_norm, clip_by_norm
from tricera.optimizers.schedules import LearningRateSchedule


class Optimizer:
    """The base of optimizers.

    A subclass names its slots in `slots()` and defines `rule`, a pure function of a gradient, the slots' values and the
    variable's value; this class clips, accumulates and decays, keeps averages, and assigns.

    Args:
        learning_rate: a number, a schedule, or a function without arguments.
        weight_decay: after each step a variable loses this fraction of itself, times the learning rate.
        clipnorm: limit each gradient's norm.
        clipvalue: limit each gradient's elements.
        global_clipnorm: limit the norm of all gradients together.
        use_ema: keep exponential moving averages of the variables, put in their place at the end of training.
        ema_momentum: how slowly the averages move.
        ema_overwrite_frequency: put them in place every so many steps, too.
        loss_scale_factor: multiply the loss, and divide the gradients.
        gradient_accumulation_steps: update once every so many steps, with the mean gradient.
        name: default: the class's name in snake case.

    Raises:
        ValueError: an option is out of range, or two that exclude each other are given.
    """

    _config: ClassVar[tuple[str, ...]] = ()
    fused_name: ClassVar[str | None] = None

    def __init__(
        self,
        learning_rate: Any,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        if kwargs:
            raise ValueError(f"Unknown argument of {type(self).__name__}: {', '.join(kwargs)}.")
        given = [n for n, v in (("clipnorm", clipnorm), ("clipvalue", clipvalue), ("global_clipnorm", global_clipnorm)) if v is not None]
        if len(given) > 1:
            raise ValueError(f"Only one of `clipnorm`, `clipvalue` and `global_clipnorm` can be set; got {' and '.join(given)}.")
        if use_ema and not 0 <= ema_momentum <= 1:
            raise ValueError(f"`ema_momentum` must be in [0, 1]; got {ema_momentum}.")
        if ema_overwrite_frequency is not None and (not isinstance(ema_overwrite_frequency, int) or ema_overwrite_frequency < 1):
            raise ValueError(f"`ema_overwrite_frequency` must be a positive integer or None, not {ema_overwrite_frequency!r}.")
        if gradient_accumulation_steps is not None and gradient_accumulation_steps < 2:
            raise ValueError(f"`gradient_accumulation_steps` must be at least 2; got {gradient_accumulation_steps}.")
        self.name = name or naming.auto_name(type(self).__name__)
        self.weight_decay, self.clipnorm, self.clipvalue, self.global_clipnorm = weight_decay, clipnorm, clipvalue, global_clipnorm
        self.use_ema, self.ema_momentum, self.ema_overwrite_frequency = use_ema, ema_momentum, ema_overwrite_frequency
        self.loss_scale_factor, self.gradient_accumulation_steps = loss_scale_factor, gradient_accumulation_steps
        self._backend = dispatch.current()
        self.built = False
        self._variables: list[Variable] = []
        self._trainable: list[Variable] = []
        self._index: dict[int, int] = {}
        self._slots: dict[str, list[Variable]] = {}
        self._averages: list[Variable] = []
        self._accumulators: list[Variable] = []
        self._no_decay: set[int] = set()
        self._no_decay_names: list[str] = []
        self.iterations = self._make("iteration", np.zeros((), "int32"), "int32")
        self._schedule: Any = None
        if isinstance(learning_rate, LearningRateSchedule) or (callable(learning_rate) and not isinstance(learning_rate, Variable)):
            self._schedule = learning_rate
            self._learning_rate: Variable | None = None
        else:
            self._learning_rate = self._make("learning_rate", np.asarray(float(learning_rate)), "float32")

    # ------------------------------------------------------------------ variables

    def _make(self, name: str, value: Any, dtype: str) -> Variable:
        with dispatch.use(self._backend), name_scope(self.name):
            variable = Variable(value, dtype=dtype, trainable=False, autocast=False, name=name, aggregation="only_first_replica")
        self._variables.append(variable)
        return variable

    @property
    def variables(self) -> list[Variable]:
        """Iteration, learning rate, and the slots."""
        return list(self._variables)

    def add_variable(
        self, shape: Any, initializer: Any = "zeros", dtype: Any = None, aggregation: str = "none", layout: Any = None, name: str | None = None
    ) -> Variable:
        """Make a variable of the optimizer."""
        from tricera import initializers

        with dispatch.use(self._backend), name_scope(self.name):
            variable = Variable(
                initializers.get(initializer), shape=shape, dtype=dtype, trainable=False, autocast=False,
                aggregation=aggregation, layout=layout, name=name,
            )  # fmt: skip
        self._variables.append(variable)
        return variable

    def add_variable_from_reference(self, reference_variable: Any, name: str | None = None, initializer: Any = "zeros") -> Variable:
        """Make a variable of the shape and dtype of another, named after it."""
        return self.add_variable(
            reference_variable.shape, initializer, reference_variable.dtype, name=f"{reference_variable.name}_{name or 'slot'}"
        )

    def add_optimizer_variables(self, trainable_variables: Sequence[Variable], name: Any, initializer: Any = "zeros") -> list[Any]:
        """Make a variable (or one for each of several names) for each of the trainable ones."""
        names = (name,) if isinstance(name, str) else tuple(name)
        firsts = (initializer,) * len(names) if not isinstance(initializer, (list, tuple)) else tuple(initializer)
        made: list[list[Variable]] = [[] for _ in names]
        for variable in trainable_variables:
            for group, n, first in zip(made, names, firsts, strict=True):
                group.append(self.add_variable_from_reference(variable, n, first))
        return made[0] if isinstance(name, str) else made

    def slots(self) -> list[tuple[tuple[str, Any], ...]]:
        """The slots in groups; the slots of a group stand together, variable by variable (as Keras's files have them)."""
        return []

    def build(self, variables: Sequence[Variable]) -> None:
        """Make the slots for these variables.

        Args:
            variables: the trainable variables, in the order in which gradients will come.
        """
        if self.built:
            return
        variables = list(variables)
        if variables:
            owner = variables[0]._backend
            if owner is not self._backend:
                for variable in self._variables:
                    variable.move(owner)
                self._backend = owner
        self._trainable = variables
        self._index = {id(v): i for i, v in enumerate(variables)}
        if self.use_ema:
            self._averages = self.add_optimizer_variables(variables, "average")
            for average, variable in zip(self._averages, variables, strict=True):
                average._host = variable.numpy()
        if self.gradient_accumulation_steps:
            self._accumulators = self.add_optimizer_variables(variables, "gradient_accumulator")
        for group in self.slots():
            names = tuple(name for name, _ in group)
            made = self.add_optimizer_variables(variables, names, tuple(first for _, first in group))
            self._slots.update(zip(names, made, strict=True))
        self.build_more(variables)
        self._no_decay.update(id(v) for v in variables if any(n in v.name for n in self._no_decay_names))
        self.built = True

    def build_more(self, variables: Sequence[Variable]) -> None:
        """Make variables that aren't slots; for subclasses."""

    def __getattr__(self, name: str) -> Any:
        slots = self.__dict__.get("_slots", {})
        if name.lstrip("_").removesuffix("s") in slots:
            return slots[name.lstrip("_").removesuffix("s")]
        raise AttributeError(f"{type(self).__name__!r} has no attribute {name!r}")

    # ------------------------------------------------------------------ learning rate

    @property
    def learning_rate(self) -> Any:
        """The learning rate now: a Variable, or a schedule's value at the current iteration."""
        return self._current_learning_rate() if self._learning_rate is None else self._learning_rate

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        if isinstance(value, LearningRateSchedule) or (callable(value) and not isinstance(value, Variable)):
            if self._learning_rate is not None:
                self._variables = [v for v in self._variables if v is not self._learning_rate]
                self._learning_rate = None
            self._schedule = value
            return
        if self._learning_rate is None:
            raise TypeError(
                f"The learning rate of {self.name!r} follows a schedule, so a number can't be assigned to it. Make the optimizer "
                "with a number as `learning_rate` if a callback or your code changes it."
            )
        self._learning_rate.assign(value)

    def _current_learning_rate(self) -> Any:
        if self._schedule is not None:
            return self._schedule(self.iterations) if isinstance(self._schedule, LearningRateSchedule) else self._schedule()
        return ops.convert_to_tensor(self._learning_rate)

    # ------------------------------------------------------------------ the step

    def apply_gradients(self, grads_and_vars: Iterable[tuple[Any, Variable]]) -> None:
        """Update variables with gradients, given as pairs."""
        gradients, variables = zip(*grads_and_vars, strict=True)
        self.apply(list(gradients), list(variables))

    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[Variable] | None = None) -> None:
        """Update variables with gradients.

        Args:
            grads: one a variable; None leaves the variable as it is.
            trainable_variables: which, in the same order; those of `build` for None.

        Raises:
            ValueError: the numbers differ, a variable is unknown, or all gradients are None.
        """
        grads = list(grads)
        if trainable_variables is None:
            if not self.built:
                raise ValueError(f"The optimizer {self.name!r} isn't built: pass `trainable_variables`, or call `build` first.")
            variables = self._trainable
        else:
            variables = list(trainable_variables)
            if not self.built:
                self.build(variables)
            unknown = [v.path for v in variables if id(v) not in self._index]
            if unknown:
                raise ValueError(
                    f"The optimizer {self.name!r} was built for other variables; it does not know {unknown[:3]}. "
                    "Make a new optimizer (compile again) after adding or unfreezing layers."
                )
        if len(grads) != len(variables):
            raise ValueError(f"{len(grads)} gradients were given for {len(variables)} variables.")
        with dispatch.use(self._backend), self._backend.state.without_gradients():
            self._apply(grads, variables)

    def _apply(self, grads: list[Any], variables: list[Variable]) -> None:
        grads, variables = self._present(grads, variables)
        if self.loss_scale_factor is not None:
            grads = [ops.divide(g, self.loss_scale_factor) for g in grads]
        grads, variables = self._overwritten(grads, variables)
        if self.gradient_accumulation_steps:
            self._accumulate(grads, variables)
        else:
            self._update(grads, variables)
        self.iterations.assign_add(1)

    def _present(self, grads: list[Any], variables: list[Variable]) -> tuple[list[Any], list[Variable]]:
        if all(g is not None for g in grads):
            return grads, variables
        kept = [(g, v) for g, v in zip(grads, variables, strict=True) if g is not None]
        missing = [v.path for g, v in zip(grads, variables, strict=True) if g is None]
        if not kept:
            raise ValueError(f"No variable has a gradient: {', '.join(missing[:5])}. Does the loss depend on them?")
        warnings.warn(f"No gradient reaches the variables {', '.join(missing[:5])}; they stay as they are.", stacklevel=5)
        return [g for g, _ in kept], [v for _, v in kept]

    def _overwritten(self, grads: list[Any], variables: list[Variable]) -> tuple[list[Any], list[Variable]]:
        """Variables whose gradient is their new value are assigned and taken out."""
        if not any(v.overwrite_with_gradient for v in variables):
            return grads, variables
        rest = []
        for g, v in zip(grads, variables, strict=True):
            if v.overwrite_with_gradient:
                v.assign(g)
            else:
                rest.append((g, v))
        return [g for g, _ in rest], [v for _, v in rest]

    def _accumulate(self, grads: list[Any], variables: list[Variable]) -> None:
        """Add to the accumulators; on every n-th step update with the mean and empty them.

        Both outcomes are computed and one is selected, so that it works in compiled code without control flow.
        """
        steps = self.gradient_accumulation_steps
        due = ops.equal(ops.mod(ops.add(self.iterations, 1), steps), 0)
        accumulators = [self._accumulators[self._index[id(v)]] for v in variables]
        totals = [ops.add(a, g) for a, g in zip(accumulators, grads, strict=True)]
        touched = [*variables, *(v for group in self._slots.values() for v in group), *self._averages, *self.more_state()]
        touched = list({id(v): v for v in touched}.values())
        before = [v.value for v in touched]
        count = self.iterations.value
        update = functionalize(self._update_from_mean(totals, variables), [*touched, self.iterations])
        updates = ops.floor_divide(count, steps)
        _, after = update([*before, updates])
        for variable, old, new in zip(touched, before, after[:-1], strict=True):
            variable.assign(ops.where(due, new, old))
        for accumulator, total in zip(accumulators, totals, strict=True):
            accumulator.assign(ops.where(due, ops.zeros_like(total), total))

    def _update_from_mean(self, totals: list[Any], variables: list[Variable]) -> Any:
        return lambda: self._update([ops.divide(t, self.gradient_accumulation_steps) for t in totals], variables)

    def more_state(self) -> list[Variable]:
        """Variables besides the slots that an update assigns; for subclasses."""
        return []

    def _update(self, grads: list[Any], variables: list[Variable]) -> None:
        """Clip, decay, apply the rule, constrain, average."""
        grads = self._clipped(grads)
        rate = self._current_learning_rate()
        self._decay(variables, rate)
        self.update_all(grads, variables, rate)
        for variable in variables:
            if variable.constraint is not None:
                variable.assign(variable.constraint(variable.value))
        if self.use_ema:
            self._average(variables)

    def _clipped(self, grads: list[Any]) -> list[Any]:
        if self.clipnorm:
            return [clip_by_norm(g, self.clipnorm) for g in grads]
        if self.clipvalue:
            return [ops.clip(g, -self.clipvalue, self.clipvalue) for g in grads]
        return clip_by_global_norm(grads, self.global_clipnorm) if self.global_clipnorm else grads

    def _decay(self, variables: list[Variable], rate: Any) -> None:
        if self.weight_decay is None:
            return
        for variable in variables:
            if id(variable) not in self._no_decay:
                factor = ops.multiply(ops.cast(rate, variable.dtype), self.weight_decay)
                variable.assign(ops.subtract(variable, ops.multiply(variable, factor)))

    def update_all(self, grads: list[Any], variables: list[Variable], rate: Any) -> None:
        """Update all variables: by the backend's fused kernel if it has one for this rule, else one by one."""
        fused = self._backend.optimizer.get(self.fused_name) if self.fused_name else None
        if fused is not None and fused(self, grads, variables, rate):
            return
        for gradient, variable in zip(grads, variables, strict=True):
            self.update_step(gradient, variable, rate)

    def slots_of(self, variable: Variable) -> dict[str, Variable]:
        """The slots of a variable by name."""
        index = self._index[id(variable)]
        return {name: group[index] for name, group in self._slots.items()}

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        """Update one variable.

        Args:
            gradient: its gradient.
            variable: the variable.
            learning_rate: the learning rate now.
        """
        slots = self.slots_of(variable)
        value = variable.value
        dtype = variable.dtype
        gradient = ops.cast(gradient, dtype)
        step = ops.cast(ops.add(self.iterations, 1), dtype)
        new, new_slots = self.rule(gradient, {n: s.value for n, s in slots.items()}, value, ops.cast(learning_rate, dtype), step)
        for name, slot in new_slots.items():
            slots[name].assign(slot)
        variable.assign(new)

    def rule(self, gradient: Any, slots: dict[str, Any], value: Any, rate: Any, step: Any) -> tuple[Any, dict[str, Any]]:
        """The mathematics: the new value and the new slots, from the old ones.

        Args:
            gradient: the gradient.
            slots: the slots' values by name.
            value: the variable's value.
            rate: the learning rate.
            step: the number of this update, from 1.
        """
        raise NotImplementedError(f"{type(self).__name__} must define `update_step` or `rule`.")

    def _average(self, variables: list[Variable]) -> None:
        done = ops.add(self.iterations, 1)
        first = ops.cast(ops.equal(self.iterations, 0), "float32")
        for variable in variables:
            average = self._averages[self._index[id(variable)]]
            momentum = ops.cast(ops.multiply(ops.subtract(1.0, first), self.ema_momentum), variable.dtype)
            new = ops.add(ops.multiply(momentum, average), ops.multiply(ops.subtract(1.0, momentum), variable))
            average.assign(new)
            if self.ema_overwrite_frequency:
                due = ops.equal(ops.mod(done, self.ema_overwrite_frequency), 0)
                variable.assign(ops.where(due, new, variable.value))

    def finalize_variable_values(self, var_list: Sequence[Variable]) -> None:
        """At the end of training: put the moving averages in the variables' places, if any are kept."""
        if not self.use_ema:
            return
        for variable in var_list:
            if id(variable) in self._index:
                variable.assign(self._averages[self._index[id(variable)]].value)

    def stateless_apply(self, optimizer_variables: Sequence[Any], grads: Sequence[Any], trainable_variables: Sequence[Any]) -> Any:
        """`apply` as a pure function.

        Args:
            optimizer_variables: values for `optimizer.variables`.
            grads: the gradients.
            trainable_variables: the values of the trainable variables.

        Returns:
            `(new trainable values, new optimizer values)`.

        Raises:
            ValueError: the optimizer isn't built, or the numbers of values are wrong.
        """
        if not self.built:
            raise ValueError(f"The optimizer {self.name!r} must be built before `stateless_apply`: `optimizer.build(model.trainable_variables)`.")
        if len(optimizer_variables) != len(self._variables) or len(trainable_variables) != len(self._trainable):
            raise ValueError(
                f"The optimizer {self.name!r} has {len(self._variables)} variables and was built for {len(self._trainable)} trainable "
                f"ones; values for {len(optimizer_variables)} and {len(trainable_variables)} were given."
            )
        pure = functionalize(lambda: self.apply(grads), [*self._trainable, *self._variables])
        _, new = pure([*trainable_variables, *optimizer_variables])
        n = len(self._trainable)
        return new[:n], new[n:]

    def scale_loss(self, loss: Any) -> Any:
        """The loss times `loss_scale_factor`."""
        return loss if self.loss_scale_factor is None else ops.multiply(loss, self.loss_scale_factor)

    def exclude_from_weight_decay(self, var_list: Sequence[Variable] | None = None, var_names: Sequence[str] | None = None) -> None:
        """Leave variables out of weight decay.

        Args:
            var_list: these variables.
            var_names: those whose name contains one of these.

        Raises:
            ValueError: the optimizer is built already.
        """
        if self.built:
            raise ValueError("`exclude_from_weight_decay` must be called before the optimizer is built.")
        self._no_decay.update(id(v) for v in var_list or ())
        self._no_decay_names += list(var_names or ())

    def assign(self, variable: Variable, value: Any) -> None:
        """Assign a variable."""
        variable.assign(value)

    def assign_add(self, variable: Variable, value: Any) -> None:
        """Add to a variable."""
        variable.assign_add(value)

    def assign_sub(self, variable: Variable, value: Any) -> None:
        """Subtract from a variable."""
        variable.assign_sub(value)

    # ------------------------------------------------------------------ saving

    def save_own_variables(self, store: dict[str, Any]) -> None:
        """Put the variables into a store, by number."""
        for i, variable in enumerate(self.variables):
            store[str(i)] = variable.numpy()

    def load_own_variables(self, store: Any) -> None:
        """Assign the variables from a store; a store of another number of variables is left alone, with a warning."""
        if len(store.keys()) != len(self.variables):
            warnings.warn(
                f"The optimizer {self.name!r} has {len(self.variables)} variables, the file {len(store.keys())}; its state isn't loaded.",
                stacklevel=2,
            )
            return
        for i, variable in enumerate(self.variables):
            variable.assign(store[str(i)])

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Assign values to all variables, in order.

        Raises:
            ValueError: the optimizer isn't built, or the number of values is wrong.
        """
        if not self.built:
            raise ValueError(f"The optimizer {self.name!r} isn't built yet.")
        if len(weights) != len(self.variables):
            raise ValueError(f"The optimizer {self.name!r} has {len(self.variables)} variables; {len(weights)} values were given.")
        for variable, value in zip(self.variables, weights, strict=True):
            variable.assign(value)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        from tricera.core.configurable import config_of

        rate = float(self._learning_rate.numpy()) if self._learning_rate is not None else config_of(self._schedule)
        names = (
            "weight_decay", "clipnorm", "global_clipnorm", "clipvalue", "use_ema", "ema_momentum", "ema_overwrite_frequency",
            "loss_scale_factor", "gradient_accumulation_steps", *self._config,
        )  # fmt: skip
        return {"name": self.name, "learning_rate": rate, **{n: getattr(self, n) for n in names}}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """Make an optimizer from what `get_config` gave."""
        rate = config.get("learning_rate")
        if isinstance(rate, dict):
            from tricera.core.serialization import deserialize_keras_object

            config = {**config, "learning_rate": deserialize_keras_object(rate, custom_objects=custom_objects)}
        return cls(**config)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"
