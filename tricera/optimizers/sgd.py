"""SGD, with momentum."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tricera.optimizers import rules
from tricera.optimizers.optimizer import Optimizer


class SGD(Optimizer):
    """Gradient descent: `w <- w - lr g`; with momentum `v <- momentum v - lr g`, `w <- w + v`.

    Args:
        learning_rate: see `Optimizer`.
        momentum: the share of the last step in the next, in [0, 1].
        nesterov: take the gradient's step after the momentum's: `w <- w + momentum v - lr g`.
        **kwargs: those that all optimizers have, see `Optimizer`.

    Raises:
        ValueError: `momentum` is not in [0, 1].

    References:
        For `nesterov`: [Sutskever et al., 2013](https://proceedings.mlr.press/v28/sutskever13.html)

    Example:
        >>> SGD(learning_rate=0.1, momentum=0.9).momentum
        0.9
    """

    _rule = rules.sgd
    _config = ("momentum", "nesterov")
    fused_name = "sgd"

    def __init__(
        self,
        learning_rate: Any = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
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
        if not isinstance(momentum, (int, float)) or not 0 <= momentum <= 1:
            raise ValueError(f"`momentum` of SGD must be a number in [0, 1], not {momentum!r}.")
        self.momentum, self.nesterov = momentum, nesterov
        super().__init__(
            learning_rate=learning_rate, weight_decay=weight_decay, clipnorm=clipnorm, clipvalue=clipvalue,
            global_clipnorm=global_clipnorm, use_ema=use_ema, ema_momentum=ema_momentum,
            ema_overwrite_frequency=ema_overwrite_frequency, loss_scale_factor=loss_scale_factor,
            gradient_accumulation_steps=gradient_accumulation_steps, name=name, **kwargs,
        )  # fmt: skip

    def _slot_groups(self) -> Sequence[Sequence[str]]:
        return (("momentum",),) if self.momentum else ()
