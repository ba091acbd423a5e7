"""`Optimizer`: the variables and the one driver of all optimizers; what a class adds is hyperparameters, slots and a rule."""

from __future__ import annotations

import operator
import re
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from tricera import ops
from tricera.core import checks, dispatch, naming
from tricera.core.configurable import config_of
from tricera.core.dispatch import Backend
from tricera.core.state import cells, current_cells
from tricera.core.variable import Variable, name_scope
from tricera.optimizers import driver
from tricera.optimizers.state import OptimizerState

_BASE_CONFIG = (
    "weight_decay", "clipnorm", "global_clipnorm", "clipvalue", "use_ema", "ema_momentum", "ema_overwrite_frequency",
    "loss_scale_factor", "gradient_accumulation_steps",
)  # fmt: skip


_SHARE = checks.number(0, 1)
_DECAY = checks.number(0, below=1)  # of a mean whose bias is corrected by a division by 1 - decay^t
_LIMIT = checks.number(above=0, optional=True)


class Optimizer(OptimizerState, checks.Checked):
    """Changes trainable variables by their gradients; the base class of all optimizers.

    A subclass either names a rule (see `tricera.optimizers.rules`) and its slots, or overrides `build`, where it makes its
    variables with `add_variable_from_reference`, and `update_step`, which changes one variable.

    Args:
        learning_rate: a number, a `LearningRateSchedule`, or a function without arguments that returns a number.
        weight_decay: before each update, `w <- w - learning_rate * weight_decay * w`. None for no decay.
        clipnorm: the largest norm that a single gradient keeps.
        clipvalue: the largest absolute value that an entry of a gradient keeps.
        global_clipnorm: the largest norm that all gradients together keep.
        use_ema: keep running means of the variables.
        ema_momentum: the share of the old mean in the new one.
        ema_overwrite_frequency: replace the variables by their means after so many updates; None: at the end of training only.
        loss_scale_factor: the loss is multiplied and the gradients are divided by this.
        gradient_accumulation_steps: update once in so many steps, by the mean of their gradients.
        name: default: made from the class's name.

    Raises:
        ValueError: an unknown argument, or a value out of its range.

    Example:
        >>> from tricera.optimizers import SGD
        >>> w = Variable([1.0, 2.0])
        >>> SGD(learning_rate=0.5).apply([ops.ones(2)], [w])
        >>> w.numpy().tolist()
        [0.5, 1.5]
    """

    _rule: ClassVar[Callable[..., Any] | None] = None  # a function of `rules`
    _config: ClassVar[tuple[str, ...]] = ()  # a class's own arguments
    fused_name: ClassVar[str | None] = None  # what the backend's fused update of the rule is called
    built: bool
    _checks: ClassVar[Mapping[str, checks.Check]] = {
        "weight_decay": checks.number(0, optional=True), "clipnorm": _LIMIT,
        "clipvalue": _LIMIT, "global_clipnorm": _LIMIT, "ema_momentum": _SHARE, "loss_scale_factor": _LIMIT,
        "momentum": _SHARE, "rho": _SHARE, "beta_1": _DECAY, "beta_2": _DECAY, "epsilon": checks.number(0),
        "epsilon_1": checks.number(0), "epsilon_2": checks.number(0), "clip_threshold": checks.number(above=0),
        "initial_accumulator_value": checks.number(0), "beta_2_decay": checks.number(most=0), "ns_steps": checks.integer(1),
        "adam_lr_ratio": checks.number(0), "warmup_steps": checks.integer(0), "initial_scale": checks.number(above=0),
        "dynamic_growth_steps": checks.integer(1),
        "l1_regularization_strength": checks.number(0), "l2_regularization_strength": checks.number(0),
        "l2_shrinkage_regularization_strength": checks.number(0), "learning_rate_power": checks.number(most=0), "beta": checks.number(0),
        "adam_beta_1": _DECAY, "adam_beta_2": _DECAY, "adam_weight_decay": checks.number(0, optional=True), "muon_a": checks.number(),
        "muon_b": checks.number(), "muon_c": checks.number(), "rms_rate": checks.number(0, optional=True), "exclude_layers": checks.words,
        "ema_overwrite_frequency": checks.integer(1, optional=True), "gradient_accumulation_steps": checks.integer(2, optional=True),
        "name": checks.text, **dict.fromkeys(("use_ema", "nesterov", "amsgrad", "centered", "relative_step", "exclude_embeddings"), checks.flag),
    }  # fmt: skip

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
        if kwargs.pop("decay", None) is not None:
            warnings.warn("The argument `decay` has no effect. Use a learning-rate schedule.", stacklevel=5)
        kwargs.pop("is_legacy_optimizer", None)  # stands in the configs of old files
        if kwargs:
            raise ValueError(f"{type(self).__name__} has no argument {', '.join(map(repr, kwargs))}.")
        limits = {"clipnorm": clipnorm, "clipvalue": clipvalue, "global_clipnorm": global_clipnorm}
        given = [f"{name}={value!r}" for name, value in limits.items() if value is not None]
        if len(given) > 1:
            raise ValueError(f"Gradients can be clipped in one way only, but {', '.join(given)} were given.")
        self._variables: list[Variable] = []
        self.name = name or naming.auto_name(type(self).__name__)
        self.weight_decay, self.clipnorm, self.clipvalue, self.global_clipnorm = (
            weight_decay,
            clipnorm,
            clipvalue,
            global_clipnorm,
        )
        self.use_ema, self.ema_momentum = use_ema, ema_momentum
        self.ema_overwrite_frequency = ema_overwrite_frequency
        self.loss_scale_factor, self.gradient_accumulation_steps = loss_scale_factor, gradient_accumulation_steps
        self.built = False
        self._trainable_variables: list[Variable] = []
        self._indices: dict[int, int] = {}
        self._slots: list[list[Variable]] = []  # one list a trainable variable
        self._averages: list[Variable] = []
        self._accumulated: list[Variable] = []
        self._undecayed: tuple[tuple[Variable, ...], tuple[str, ...]] = ((), ())
        with name_scope(self.name):
            self._iterations = Variable(
                np.zeros((), "int32"), name="iteration", trainable=False, aggregation="only_first_replica"
            )
            self._set_learning_rate(learning_rate)

    def build(self, variables: Iterable[Variable]) -> None:
        """Make the state for these trainable variables, on their backend; a second call changes nothing.

        Raises:
            ValueError: they belong to different backends.
            TypeError: something is not a Variable.
        """
        if self.built:
            return
        variables = self._acceptable(variables)
        self._trainable_variables = variables
        self._indices = {id(v): i for i, v in enumerate(variables)}
        for word in self._undecayed[1]:
            if not any(re.search(word, v.name) for v in variables):
                warnings.warn(
                    f"The optimizer {self.name!r} was to spare variables named {word!r} from weight decay, but there are none. Names are "
                    f"{', '.join(sorted({v.name for v in variables}))}; the variables of a layer are given as `var_list`.",
                    stacklevel=2,
                )
        self._follow(variables)
        if self.use_ema:
            self._averages = self.add_optimizer_variables(variables, "average")  # type: ignore[assignment]
        if self.gradient_accumulation_steps:
            self._accumulated = self.add_optimizer_variables(variables, "gradient_accumulator")  # type: ignore[assignment]
        self._slots = [[] for _ in variables]
        for group in self._slot_groups():
            for v, slots in zip(variables, self._slots, strict=True):
                slots += [self.add_variable_from_reference(v, name, self._slot_start(name, v)) for name in group]
        self.built = True

    def _acceptable(self, variables: Iterable[Variable]) -> list[Variable]:
        """The variables as a list, checked."""
        variables = list(variables)
        for v in variables:
            if not isinstance(v, Variable):
                raise TypeError(f"The optimizer {self.name!r} is built with Variables; got a {type(v).__name__}.")
        if len(names := sorted({v.backend for v in variables})) > 1:
            raise ValueError(
                f"The optimizer {self.name!r} was given variables of different backends: {', '.join(names)}."
            )
        return variables

    def _slot_groups(self) -> Sequence[Sequence[str]]:
        """The names of the slots. Groups come one after the other; within one, variable by variable."""
        return ()

    def _slot_start(self, name: str, variable: Variable) -> Any:
        """The initial value of a slot."""
        return "zeros"

    def apply(self, grads: Iterable[Any], trainable_variables: Iterable[Variable] | None = None) -> None:
        """Update variables by their gradients.

        Args:
            grads: one a variable, of its shape; None where there is none (with a warning).
            trainable_variables: the variables; default: those it was built with. The first call builds the optimizer.

        Raises:
            ValueError: numbers of gradients and variables differ, or the shapes of a pair; all gradients are None; or a variable is
                unknown.
        """
        grads = list(grads)
        trainable_variables = None if trainable_variables is None else list(trainable_variables)
        if not grads and trainable_variables == []:  # everything is frozen
            return
        variables = self._chosen(grads, trainable_variables)
        backend = self._backend
        if dispatch.current() is backend:
            self._apply_on(backend, grads, variables)
        else:
            with dispatch.use(backend):
                self._apply_on(backend, grads, variables)

    def _apply_on(self, backend: Backend, grads: list[Any], variables: list[Variable]) -> None:
        with backend.optimizer.scope():
            if self._steady(backend, variables):
                self._apply(backend, *self._present(backend, grads, variables))
            else:
                backend.step.opaque(self._apply_present, backend, grads, variables)

    def _apply_present(self, backend: Backend, grads: list[Any], variables: list[Variable]) -> None:
        self._apply(backend, *self._present(backend, grads, variables))

    def _steady(self, backend: Backend, variables: list[Variable]) -> bool:
        """Whether all updates are made of the same calls: nothing depends on their number, and no code of a user takes part."""
        rate = self._learning_rate
        plain = (
            type(self).__module__.startswith(__name__.partition(".")[0] + ".")
            and self._fused(backend, variables) is not None
        )
        settled = isinstance(rate, Variable) or type(rate).__module__.startswith(__name__.partition(".")[0] + ".")
        varied = self.gradient_accumulation_steps or self.use_ema
        return plain and settled and not varied and all([v.constraint is None for v in variables])

    def _chosen(self, grads: list[Any], variables: Iterable[Variable] | None) -> list[Variable]:
        if variables is None:
            if not self.built:
                raise ValueError(
                    f"The optimizer {self.name!r} does not know its variables yet. Pass them as `trainable_variables`, or call "
                    "`optimizer.build(model.trainable_variables)` before."
                )
            chosen = self._trainable_variables
        else:
            chosen = list(variables)
        if len(grads) != len(chosen):
            raise ValueError(
                f"{self.name}: {len(grads)} gradients were given for {len(chosen)} variables; there must be one each."
            )
        if not self.built:
            self.build(chosen)
        if variables is not None and not self._are_all(chosen):
            for v in chosen:
                self._get_variable_index(v)
        self._follow(chosen)
        return chosen

    def _are_all(self, variables: list[Variable]) -> bool:
        """Whether these are the variables that it was built with, in order."""
        own = self._trainable_variables
        return len(own) == len(variables) and all(map(operator.is_, own, variables))

    def _present(
        self, backend: Backend, grads: list[Any], variables: list[Variable]
    ) -> tuple[list[Any], list[Variable]]:
        """The gradients that there are, as the backend's tensors of the variables' dtypes, and their variables."""
        missing = [v.path for g, v in zip(grads, variables, strict=True) if g is None]
        if missing and len(missing) == len(grads):
            raise ValueError("No gradients: every gradient is None. Does the loss depend on the variables?")
        if missing:
            warnings.warn(
                f"There are no gradients for {', '.join(missing)}; these variables stay as they are.", stacklevel=4
            )
        out, kept = [], []
        dense, dtype_of = backend.optimizer.dense, backend.dtype
        for g, v in zip(grads, variables, strict=True):
            if g is None:
                continue
            owner = dispatch.of_type(type(g))
            if owner is backend:
                g = dense(g)
                if dtype_of(g) != v._dtype:
                    g = backend.cast(g, v._dtype)
            else:
                g = backend.convert(g if owner is None else owner.to_numpy(g), v._dtype)
            if g.shape != v.shape and driver.differ(g.shape, v.shape):
                raise ValueError(
                    f"{self.name}: the gradient for {v.path!r} must have its shape {v.shape}, but has {tuple(g.shape)}."
                )
            if v.overwrite_with_gradient:
                v.assign(g)
            else:
                out.append(g)
                kept.append(v)
        return out, kept

    def _apply(self, backend: Backend, grads: list[Any], variables: list[Variable]) -> None:
        if grads and self.loss_scale_factor:
            grads = [g / self.loss_scale_factor for g in grads]
        self._step(backend, grads, variables)

    def _step(self, backend: Backend, grads: list[Any], variables: list[Variable]) -> None:
        """`apply` with gradients of the loss as it is, no longer scaled."""
        if grads:
            if self.gradient_accumulation_steps:
                self._accumulate(backend, grads, variables)
            else:
                self._update(backend, grads, variables)
            if self.use_ema:
                self._average(backend)
            for v in variables:
                if v.constraint is not None:
                    v.assign(v.constraint(v.value))
        self._iterations.accumulate(1)

    def _accumulate(self, backend: Backend, grads: list[Any], variables: list[Variable]) -> None:
        """Add the gradients up; with the last of a round, update by their mean and begin anew."""
        steps = self.gradient_accumulation_steps
        sums = [self._accumulated[self._get_variable_index(v)] for v in variables]
        driver.accumulate(backend, sums, grads)

        def update() -> None:
            self._update(backend, [total.value / steps for total in sums], variables)
            for total in sums:
                total.assign(ops.zeros_like(total.value))

        due = (self._iterations.value + 1) % steps == 0
        state = [v for v in self.variables if v is not self._iterations]
        driver.when(backend, due, update, [*variables, *state])

    def _update(self, backend: Backend, grads: list[Any], variables: list[Variable]) -> None:
        if self.clipnorm and self.clipnorm > 0:
            grads = driver.clip_each(grads, self.clipnorm)
        elif self.global_clipnorm and self.global_clipnorm > 0:
            grads = driver.clip_together(grads, self.global_clipnorm)
        elif self.clipvalue and self.clipvalue > 0:
            grads = [ops.clip(g, -self.clipvalue, self.clipvalue) for g in grads]
        rate = self._current_learning_rate()
        rate = rate.value if isinstance(rate, Variable) else backend.convert(rate, "float32")
        self._before_update()
        fused = self._fused(backend, variables)
        if fused is not None:
            self._update_fused(backend, fused, grads, variables, rate)
            return
        self._decay(variables, rate)
        for g, v in zip(grads, variables, strict=True):
            self.update_step(g, v, rate)

    def _before_update(self) -> None:
        """What changes once an update, not once a variable."""

    def _fused(self, backend: Backend, variables: list[Variable]) -> Callable[..., None] | None:
        if (
            self.fused_name is None
            or current_cells.get() is not None
            or type(self).update_step is not Optimizer.update_step
        ):
            return None
        return backend.optimizer.fused(self.fused_name, (v._dtype for v in variables))

    def _update_fused(
        self, backend: Backend, fused: Callable[..., None], grads: list[Any], variables: list[Variable], rate: Any
    ) -> None:
        """All variables at once, in place on the native tensors."""
        steps = self.iterations
        lr, t = backend.optimizer.scalars(rate, steps.value if isinstance(steps, Variable) else steps)
        if self.weight_decay:
            decayed = [v.native for v in variables if self._decay_rate(v)]
            if decayed:
                backend.optimizer.decay(decayed, self.weight_decay, lr)
        rows = (
            self._slots if self._are_all(variables) else [self._slots[self._get_variable_index(v)] for v in variables]
        )
        slots = [[slot.native for slot in column] for column in zip(*rows, strict=True)]
        fused(grads, [v.native for v in variables], slots, self._hyper(), lr, t)

    def _decay(self, variables: list[Variable], rate: Any) -> None:
        for v in variables:
            share = self._decay_rate(v)
            if share:
                value = v.value
                v.assign(value - value * (ops.cast(rate, v._dtype) * share))

    def _decay_rate(self, variable: Variable) -> float | None:
        """The weight decay of a variable."""
        return self.weight_decay if self.weight_decay and self._decays(variable) else None

    def _decays(self, variable: Variable) -> bool:
        chosen, words = self._undecayed
        if not chosen and not words:
            return True
        return not any(re.search(word, variable.name) for word in words) and all(variable is not v for v in chosen)

    def _hyper(self) -> dict[str, Any]:
        """The rule's keyword arguments."""
        return {name: getattr(self, name) for name in self._config}

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        """Update one variable; what a subclass without a rule overrides.

        Args:
            gradient: a tensor of the variable's shape.
            variable: the variable.
            learning_rate: a scalar tensor.
        """
        rule = type(self)._rule
        if rule is None:
            raise NotImplementedError(
                f"{type(self).__name__} must define `update_step(gradient, variable, learning_rate)`."
            )
        self._run_rule(rule, gradient, variable, learning_rate, self._hyper())

    def _run_rule(
        self, rule: Callable[..., Any], g: Any, variable: Variable, learning_rate: Any, hyper: dict[str, Any]
    ) -> None:
        dtype, value = variable._dtype, variable.value
        slots = self._slots[self._get_variable_index(variable)]
        old = [slot.value for slot in slots]
        if dtype in ("float16", "bfloat16"):  # 1 - 0.999 is 0 there: the rule runs in float32, the results are rounded
            dtype = "float32"
            g, value = ops.cast(g, dtype), ops.cast(value, dtype)
            old = [o if slot.dtype == "int32" else ops.cast(o, dtype) for o, slot in zip(old, slots, strict=True)]
        t = ops.cast(self.iterations, dtype) + 1
        value, new = rule(g, value, old, ops.cast(learning_rate, dtype), t, **hyper)
        for slot, before, after in zip(slots, old, new, strict=True):
            if after is not before:
                slot.assign(after)
        variable.assign(value)

    def _average(self, backend: Backend) -> None:
        """Running means of all variables; the first is the variable itself."""
        steps = self.iterations
        steps = steps.value if isinstance(steps, Variable) else steps
        for v, average in zip(self._trainable_variables, self._averages, strict=True):
            momentum = ops.cast(steps != 0, v._dtype) * self.ema_momentum
            average.assign(average.value * momentum + v.value * (1 - momentum))
        if self.ema_overwrite_frequency:
            due = (steps + 1) % self.ema_overwrite_frequency == 0
            driver.when(backend, due, self._overwrite, self._trainable_variables)

    def _overwrite(self) -> None:
        for v, average in zip(self._trainable_variables, self._averages, strict=True):
            v.assign(average.value)

    def apply_gradients(self, grads_and_vars: Iterable[tuple[Any, Variable]]) -> Any:
        """As `apply`, with pairs of gradient and variable.

        Returns:
            The number of updates made.
        """
        pairs = list(grads_and_vars)
        self.apply([g for g, _ in pairs], [v for _, v in pairs])
        return self._iterations

    def stateless_apply(
        self, optimizer_variables: Sequence[Any], grads: Sequence[Any], trainable_variables: Sequence[Any]
    ) -> tuple[list[Any], list[Any]]:
        """`apply` as a pure function of values.

        Args:
            optimizer_variables: the values of `variables`.
            grads: the gradients.
            trainable_variables: the values of the trainable variables.

        Returns:
            `(new trainable values, new optimizer values)`.

        Raises:
            ValueError: the optimizer is not built, or numbers do not fit.
        """
        if not self.built:
            raise ValueError(
                f"`stateless_apply` needs a built optimizer: call `{self.name}.build(model.trainable_variables)` before."
            )
        own, trained = self.variables, self._trainable_variables
        if len(own) != len(optimizer_variables) or len(trained) != len(trainable_variables):
            raise ValueError(
                f"Expected {len(own)} optimizer and {len(trained)} trainable values, got {len(optimizer_variables)} and "
                f"{len(trainable_variables)}."
            )
        pairs = [*zip(trained, trainable_variables, strict=True), *zip(own, optimizer_variables, strict=True)]
        with cells(pairs) as scope:
            self.apply(grads)
            return [scope.values[id(v)] for v in trained], [scope.values[id(v)] for v in own]

    def scale_loss(self, loss: Any) -> Any:
        """The loss times `loss_scale_factor`; `apply` divides the gradients by it."""
        return loss if self.loss_scale_factor is None else loss * self.loss_scale_factor

    def finalize_variable_values(self, var_list: Iterable[Variable]) -> None:
        """At the end of training: with `use_ema` the variables take their running means."""
        wanted = {id(v) for v in var_list}
        for v, average in self._averaged() or ():
            if id(v) in wanted:
                v.assign(average.value)

    def _averaged(self) -> list[tuple[Variable, Variable]] | None:
        """The variables with their running means; None where none are kept."""
        return list(zip(self._trainable_variables, self._averages, strict=True)) if self.use_ema else None

    def exclude_from_weight_decay(
        self, var_list: Iterable[Variable] | None = None, var_names: Iterable[str] | None = None
    ) -> None:
        """Spare variables from weight decay; to be called before the optimizer is built.

        Args:
            var_list: these variables.
            var_names: those whose own names (`"bias"`, without the layer's) match one of these words (or regular expressions); a
                word that matches none is told of when the optimizer is built.

        Raises:
            ValueError: the optimizer is built already, or something is no list of variables, or of words.
        """
        if self.built:
            raise ValueError(
                "`exclude_from_weight_decay` must be called before the optimizer is built or first applied."
            )
        checks.words("var_names", var_names)
        var_list = None if var_list is None else [var_list] if isinstance(var_list, Variable) else list(var_list)
        for variable in var_list or ():
            if not isinstance(variable, Variable):
                raise ValueError(f"`var_list` must hold Variables, not {variable!r}; names are given as `var_names`.")
        self._undecayed = (tuple(var_list or ()), tuple(var_names or ()))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        rate = self._learning_rate
        config = {
            "name": self.name,
            "learning_rate": float(rate.numpy()) if isinstance(rate, Variable) else config_of(rate),
        }
        return {**config, **{name: getattr(self, name) for name in (*_BASE_CONFIG, *self._config)}}

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Any:
        """Make an optimizer from what `get_config` gave."""
        config = dict(config)
        if isinstance(config.get("learning_rate"), Mapping):
            from tricera.core.serialization import deserialize_keras_object  # it stands on this floor's tables

            config["learning_rate"] = deserialize_keras_object(config["learning_rate"], custom_objects=custom_objects)
        return cls(**config)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name!r}>"
