"""Adafactor."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tricera.core.variable import Variable
from tricera.optimizers import rules
from tricera.optimizers.optimizer import Optimizer


class Adafactor(Optimizer):
    """Adam's memory made small: second moments of matrices are kept as means of rows and columns.

    Args:
        learning_rate: see `Optimizer`.
        beta_2_decay: the power of the step count by which `beta_2` nears 1.
        epsilon_1: added to squared gradients.
        epsilon_2: the least size of a variable that scales its step.
        clip_threshold: the largest root mean square of a step.
        relative_step: let the rate fall as `1 / sqrt(t)` at most.
        **kwargs: those that all optimizers have, see `Optimizer`.

    References:
        [Shazeer and Stern, 2018](https://arxiv.org/abs/1804.04235)

    Example:
        >>> Adafactor(learning_rate=0.5).get_config()["learning_rate"]
        0.5
    """

    _rule = rules.adafactor
    _config = ("beta_2_decay", "epsilon_1", "epsilon_2", "clip_threshold", "relative_step")

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_2_decay: float = -0.8,
        epsilon_1: float = 1e-30,
        epsilon_2: float = 1e-3,
        clip_threshold: float = 1.0,
        relative_step: bool = True,
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
        self.beta_2_decay, self.epsilon_1, self.epsilon_2, self.clip_threshold, self.relative_step = (
            beta_2_decay,
            epsilon_1,
            epsilon_2,
            clip_threshold,
            relative_step,
        )
        super().__init__(
            learning_rate=learning_rate, weight_decay=weight_decay, clipnorm=clipnorm, clipvalue=clipvalue,
            global_clipnorm=global_clipnorm, use_ema=use_ema, ema_momentum=ema_momentum,
            ema_overwrite_frequency=ema_overwrite_frequency, loss_scale_factor=loss_scale_factor,
            gradient_accumulation_steps=gradient_accumulation_steps, name=name, **kwargs,
        )  # fmt: skip

    def build(self, variables: Iterable[Variable]) -> None:
        """Make the slots: means of rows and of columns where there are at least two axes, and a velocity."""
        if self.built:
            return
        super().build(variables)
        self._unused = []
        for v, slots in zip(self._trainable_variables, self._slots, strict=True):
            if len(v.shape) >= 2:
                slots.append(self.add_variable(v.shape[:-1], dtype=v._dtype, name=v.name))
                slots.append(self.add_variable((*v.shape[:-2], v.shape[-1]), dtype=v._dtype, name=v.name))
            else:
                places = [self.add_variable((), dtype="int32", name=v.name) for _ in range(2)]
                slots += places
                self._unused += places
            slots.append(self.add_variable_from_reference(v, "velocity"))
