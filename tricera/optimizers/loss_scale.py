"""`LossScaleOptimizer`: dynamic loss scaling for float16."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tricera import ops
from tricera.core.state import functionalize
from tricera.core.variable import Variable
from tricera.optimizers.optimizer import Optimizer


class LossScaleOptimizer(Optimizer):
    """Scales the loss so that small gradients survive in float16; skips steps whose gradients overflow (Micikevicius et al. 2018).

    Args:
        inner_optimizer: the optimizer that makes the steps.
        initial_scale: the first scale.
        dynamic_growth_steps: after so many finite steps in a row the scale doubles; after an overflow it halves.
        name: default: `loss_scale_optimizer`, numbered.
        **kwargs: none are accepted.
    """

    def __init__(
        self, inner_optimizer: Optimizer, initial_scale: float = 2.0**15, dynamic_growth_steps: int = 2000,
        name: str | None = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        if not isinstance(inner_optimizer, Optimizer):
            raise TypeError(f"`inner_optimizer` must be an Optimizer, not {inner_optimizer!r}.")
        super().__init__(learning_rate=0.0, name=name, **kwargs)
        self.inner_optimizer = inner_optimizer
        self.initial_scale, self.dynamic_growth_steps = float(initial_scale), dynamic_growth_steps
        self._variables = [v for v in self._variables if v is not self._learning_rate]
        self.step_counter = self._make("step_counter", np.zeros((), "int32"), "int32")
        self.dynamic_scale = self._make("dynamic_scale", np.asarray(self.initial_scale), "float32")

    @property
    def variables(self) -> list[Variable]:
        """Its own variables, then those of the inner optimizer."""
        return [*self._variables, *self.inner_optimizer.variables]

    @property
    def learning_rate(self) -> Any:
        """That of the inner optimizer."""
        return self.inner_optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        self.inner_optimizer.learning_rate = value

    def build(self, variables: Sequence[Variable]) -> None:
        """Build the inner optimizer."""
        if not self.built:
            super().build(variables)
            self.inner_optimizer.build(variables)

    def _apply(self, grads: list[Any], variables: list[Variable]) -> None:
        grads, variables = self._present(grads, variables)
        finite = ops.all(ops.stack([ops.all(ops.isfinite(g)) for g in grads]))
        safe = [ops.where(finite, ops.divide(ops.cast(g, "float32"), self.dynamic_scale), 0.0) for g in grads]
        touched = list({id(v): v for v in (*variables, *self.inner_optimizer.variables)}.values())
        before = [v.value for v in touched]
        _, after = functionalize(lambda: self.inner_optimizer.apply(safe, variables), touched)(before)
        for variable, old, new in zip(touched, before, after, strict=True):
            variable.assign(ops.where(finite, new, old))
        grown = ops.greater_equal(ops.add(self.step_counter, 1), self.dynamic_growth_steps)
        doubled = ops.where(grown, ops.multiply(self.dynamic_scale, 2.0), self.dynamic_scale)
        self.dynamic_scale.assign(ops.where(finite, doubled, ops.divide(self.dynamic_scale, 2.0)))
        keep = ops.logical_and(finite, ops.logical_not(grown))
        self.step_counter.assign(ops.where(keep, ops.add(self.step_counter, 1), 0))
        self.iterations.assign_add(1)

    def scale_loss(self, loss: Any) -> Any:
        """The loss times the current scale."""
        return ops.multiply(loss, ops.cast(self.dynamic_scale, ops.dtype(loss)))

    def finalize_variable_values(self, var_list: Sequence[Variable]) -> None:
        """Finalize the inner optimizer."""
        self.inner_optimizer.finalize_variable_values(var_list)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        from tricera.core.configurable import config_of

        return {
            "name": self.name, "inner_optimizer": config_of(self.inner_optimizer), "initial_scale": self.initial_scale,
            "dynamic_growth_steps": self.dynamic_growth_steps,
        }  # fmt: skip

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """Make an optimizer from what `get_config` gave."""
        from tricera.optimizers import deserialize

        inner = deserialize(config["inner_optimizer"], custom_objects)
        return cls(inner, **{k: v for k, v in config.items() if k != "inner_optimizer"})
