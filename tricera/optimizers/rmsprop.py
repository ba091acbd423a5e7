"""RMSprop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tricera.optimizers import rules
from tricera.optimizers.optimizer import Optimizer


class RMSprop(Optimizer):
    """The gradient divided by the root of a running mean of its square: `w <- w - lr g / sqrt(v + eps)`.

    Args:
        learning_rate: see `Optimizer`.
        rho: the decay rate of the running mean.
        momentum: the share of the last step in the next.
        epsilon: a small number that keeps the denominator from zero.
        centered: divide by the standard deviation instead; it costs one more variable.
        **kwargs: those that all optimizers have, see `Optimizer`.

    References:
        [Hinton, 2012](https://www.cs.toronto.edu/~tijmen/csc321/slides/lecture_slides_lec6.pdf)

    Example:
        >>> RMSprop(learning_rate=0.5).get_config()["learning_rate"]
        0.5
    """

    _rule = rules.rmsprop
    _config = ("rho", "momentum", "epsilon", "centered")
    fused_name = "rmsprop"

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
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
        self.rho, self.momentum, self.epsilon, self.centered = rho, momentum, epsilon, centered
        super().__init__(
            learning_rate=learning_rate, weight_decay=weight_decay, clipnorm=clipnorm, clipvalue=clipvalue,
            global_clipnorm=global_clipnorm, use_ema=use_ema, ema_momentum=ema_momentum,
            ema_overwrite_frequency=ema_overwrite_frequency, loss_scale_factor=loss_scale_factor,
            gradient_accumulation_steps=gradient_accumulation_steps, name=name, **kwargs,
        )  # fmt: skip

    def _slot_groups(self) -> Sequence[Sequence[str]]:
        return (
            ("velocity",),
            *((("momentum",),) if self.momentum > 0 else ()),
            *((("average_gradient",),) if self.centered else ()),
        )
