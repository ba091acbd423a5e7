"""`LossScaleOptimizer`: float16 training whose gradients neither vanish nor overflow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from tricera import ops
from tricera.core import dispatch
from tricera.core.configurable import config_of
from tricera.core.dispatch import Backend
from tricera.core.variable import Variable
from tricera.optimizers import driver
from tricera.optimizers.optimizer import Optimizer

_ON_INNER = (
    "weight_decay", "clipnorm", "clipvalue", "global_clipnorm", "use_ema", "ema_momentum", "ema_overwrite_frequency",
    "loss_scale_factor", "gradient_accumulation_steps",
)  # fmt: skip


class LossScaleOptimizer(Optimizer):
    """Multiplies the loss by a scale that follows the gradients, and divides the gradients by it.

    A step with NaN or infinity in a gradient is skipped and halves the scale; `dynamic_growth_steps` good steps double it.

    Args:
        inner_optimizer: what updates the variables; its own `loss_scale_factor` has no effect.
        initial_scale: the first scale.
        dynamic_growth_steps: the number of good steps after which the scale doubles.
        name: default: made from the class's name.
        **kwargs: none; clipping and the like are arguments of `inner_optimizer`.

    Raises:
        TypeError: `inner_optimizer` is not an optimizer.
        ValueError: an argument that belongs to the inner optimizer.

    References:
        [Micikevicius et al., 2018](https://arxiv.org/abs/1710.03740)

    Example:
        >>> from tricera.optimizers import SGD
        >>> float(LossScaleOptimizer(SGD(), initial_scale=8.0).scale_loss(0.5))
        4.0
    """

    def __init__(
        self, inner_optimizer: Optimizer, initial_scale: float = 2.0**15, dynamic_growth_steps: int = 2000,
        name: str | None = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        if not isinstance(inner_optimizer, Optimizer):
            raise TypeError(f"`inner_optimizer` must be an optimizer object, not {inner_optimizer!r}.")
        for key in _ON_INNER:
            if kwargs.pop(key, None):
                raise ValueError(f"LossScaleOptimizer takes no `{key}`; give it to `inner_optimizer`.")
        super().__init__(learning_rate=0.0, name=name, **kwargs)
        self.inner_optimizer = inner_optimizer
        self.initial_scale, self.dynamic_growth_steps = initial_scale, dynamic_growth_steps
        self.step_counter = self.add_variable((), dtype="int32", name="step_counter")
        self.dynamic_scale = self.add_variable((), np.float32(initial_scale), "float32", name="dynamic_scale")

    @property
    def variables(self) -> list[Variable]:
        """Its own variables, then those of the inner optimizer; unused ones stand in no file of Keras's, other than alone."""
        return self._with_inner("variables")

    @property
    def _filed(self) -> list[Variable]:
        return self._with_inner("_filed")

    def _with_inner(self, kind: str) -> list[Variable]:
        inner = self.inner_optimizer._family() if "inner_optimizer" in self.__dict__ else []
        unused = {id(v) for optimizer in inner for v in optimizer._unused}
        return [*self._variables, *(v for v in (getattr(inner[0], kind) if inner else ()) if id(v) not in unused)]

    @property
    def iterations(self) -> Any:
        """The number of updates that the inner optimizer has made."""
        return self.inner_optimizer.iterations

    @property
    def learning_rate(self) -> Any:
        """That of the inner optimizer."""
        return self.inner_optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        self.inner_optimizer.learning_rate = value

    def _family(self) -> list[Any]:
        return [self, *self.inner_optimizer._family()]

    def build(self, variables: Iterable[Variable]) -> None:
        """Make the inner optimizer's state."""
        if self.built:
            return
        variables = list(variables)
        super().build(variables)
        self.inner_optimizer.build(variables)
        for optimizer in self._family()[1:]:
            optimizer._scaled = True

    def _step(self, backend: Backend, grads: list[Any], variables: list[Variable]) -> None:
        if not grads:
            return
        finite = driver.all_finite(grads)
        scale = self.dynamic_scale.value
        grads = [g / ops.cast(scale, g.dtype) for g in grads]
        inner = self.inner_optimizer

        def update() -> None:
            inner._step(backend, grads, variables)

        averaged = self._trainable_variables if inner.use_ema else variables  # means may overwrite any of them
        driver.when(backend, finite, update, [*averaged, *inner.variables])
        grown = self.step_counter.value + 1 >= self.dynamic_growth_steps
        better = ops.where(grown, scale * 2, scale)
        self.dynamic_scale.assign(ops.where(finite, better, scale / 2))
        counted = ops.logical_and(finite, ops.logical_not(grown))
        self.step_counter.assign((self.step_counter.value + 1) * ops.cast(counted, "int32"))

    def check_finite(self, grads: Iterable[Any]) -> Any:
        """Whether all gradients (None counts for nothing) are finite, as a scalar bool tensor."""
        return driver.all_finite([g for g in grads if g is not None])

    def scale_loss(self, loss: Any) -> Any:
        """The loss times the scale."""
        backend = dispatch.of(loss)
        if backend is None:
            return loss * self.dynamic_scale.value
        return loss * ops.cast(self.dynamic_scale.value, backend.dtype(loss))

    def finalize_variable_values(self, var_list: Iterable[Variable]) -> None:
        """Let the inner optimizer set the variables' final values."""
        self.inner_optimizer.finalize_variable_values(var_list)

    def _averaged(self) -> list[tuple[Variable, Variable]] | None:
        return self.inner_optimizer._averaged()

    def exclude_from_weight_decay(
        self, var_list: Iterable[Variable] | None = None, var_names: Iterable[str] | None = None
    ) -> None:
        """Spare variables from the inner optimizer's weight decay."""
        self.inner_optimizer.exclude_from_weight_decay(var_list, var_names)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {
            "name": self.name,
            "inner_optimizer": config_of(self.inner_optimizer),
            "initial_scale": self.initial_scale,
            "dynamic_growth_steps": self.dynamic_growth_steps,
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Any:
        """Make an optimizer from what `get_config` gave.

        Raises:
            ValueError: the config has no `inner_optimizer`.
        """
        from tricera.core.serialization import deserialize_keras_object  # it stands on this floor's tables

        config = dict(config)
        if "inner_optimizer" not in config:
            raise ValueError(
                "A LossScaleOptimizer's config must hold `inner_optimizer`; make one as LossScaleOptimizer(Adam())."
            )
        inner = deserialize_keras_object(config.pop("inner_optimizer"), custom_objects=custom_objects)
        return cls(inner, **config)
