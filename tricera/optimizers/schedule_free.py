"""Schedule-free AdamW."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tricera.core.variable import Variable
from tricera.optimizers import rules
from tricera.optimizers.optimizer import Optimizer


class ScheduleFreeAdamW(Optimizer):
    """AdamW whose averaged weights make a learning-rate schedule unnecessary.

    Args:
        learning_rate: see `Optimizer`.
        beta_1: how far the weights lie towards the average, in (0, 1).
        beta_2: the decay rate of the mean of squared gradients, in [0, 1).
        epsilon: a small number that keeps the denominator from zero.
        warmup_steps: how long the rate climbs from 0.
        **kwargs: those that all optimizers have, see `Optimizer`.

    References:
        [Defazio et al., 2024](https://arxiv.org/abs/2405.15682)

    Example:
        >>> ScheduleFreeAdamW(learning_rate=0.5).get_config()["learning_rate"]
        0.5
    """

    _rule = rules.schedule_free_adamw
    _config = ("beta_1", "beta_2", "epsilon", "warmup_steps")

    def __init__(
        self,
        learning_rate: Any = 0.0025,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        warmup_steps: int = 0,
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
        self.beta_1, self.beta_2, self.epsilon, self.warmup_steps = beta_1, beta_2, epsilon, warmup_steps
        super().__init__(
            learning_rate=learning_rate, weight_decay=weight_decay, clipnorm=clipnorm, clipvalue=clipvalue,
            global_clipnorm=global_clipnorm, use_ema=use_ema, ema_momentum=ema_momentum,
            ema_overwrite_frequency=ema_overwrite_frequency, loss_scale_factor=loss_scale_factor,
            gradient_accumulation_steps=gradient_accumulation_steps, name=name, **kwargs,
        )  # fmt: skip

    def _slot_groups(self) -> Sequence[Sequence[str]]:
        return (("momentum", "velocity"),)

    def _slot_start(self, name: str, variable: Variable) -> Any:
        return variable if name == "momentum" else "zeros"
