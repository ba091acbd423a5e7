"""Lion and Lamb."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tricera.optimizers import rules
from tricera.optimizers.optimizer import Optimizer


class Lion(Optimizer):
    """The sign of a mean of gradients: `w <- w - lr sign(beta_1 m + (1 - beta_1) g)`.

    Args:
        learning_rate: see `Optimizer`.
        beta_1: the share of the mean in the step, in (0, 1].
        beta_2: the decay rate of the mean of gradients.
        **kwargs: those that all optimizers have, see `Optimizer`.

    Raises:
        ValueError: an argument is out of its range.

    References:
        [Chen et al., 2023](https://arxiv.org/abs/2302.06675)

    Example:
        >>> Lion(learning_rate=0.5).get_config()["learning_rate"]
        0.5
    """

    _rule = rules.lion
    fused_name = "lion"
    _config = ("beta_1", "beta_2")

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.99,
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
        if not 0 < beta_1 <= 1:
            raise ValueError(f"`beta_1` of Lion must lie in (0, 1], not {beta_1!r}.")
        self.beta_1, self.beta_2 = beta_1, beta_2
        super().__init__(
            learning_rate=learning_rate, weight_decay=weight_decay, clipnorm=clipnorm, clipvalue=clipvalue,
            global_clipnorm=global_clipnorm, use_ema=use_ema, ema_momentum=ema_momentum,
            ema_overwrite_frequency=ema_overwrite_frequency, loss_scale_factor=loss_scale_factor,
            gradient_accumulation_steps=gradient_accumulation_steps, name=name, **kwargs,
        )  # fmt: skip

    def _slot_groups(self) -> Sequence[Sequence[str]]:
        return (("momentum",),)


class Lamb(Optimizer):
    """Adam, with the step of each variable scaled by the variable's own norm; for large batches.

    Args:
        learning_rate: see `Optimizer`.
        beta_1: the decay rate of the mean of gradients, in [0, 1).
        beta_2: the decay rate of the mean of squared gradients, in [0, 1).
        epsilon: a small number that keeps the denominator from zero.
        **kwargs: those that all optimizers have, see `Optimizer`.

    References:
        [You et al., 2019](https://arxiv.org/abs/1904.00962)

    Example:
        >>> Lamb(learning_rate=0.5).get_config()["learning_rate"]
        0.5
    """

    _rule = rules.lamb
    fused_name = "lamb"
    _config = ("beta_1", "beta_2", "epsilon")

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
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
        self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, epsilon
        super().__init__(
            learning_rate=learning_rate, weight_decay=weight_decay, clipnorm=clipnorm, clipvalue=clipvalue,
            global_clipnorm=global_clipnorm, use_ema=use_ema, ema_momentum=ema_momentum,
            ema_overwrite_frequency=ema_overwrite_frequency, loss_scale_factor=loss_scale_factor,
            gradient_accumulation_steps=gradient_accumulation_steps, name=name, **kwargs,
        )  # fmt: skip

    def _slot_groups(self) -> Sequence[Sequence[str]]:
        return (("momentum", "velocity"),)
