"""Adagrad and Adadelta."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tricera.core.variable import Variable
from tricera.initializers import Constant
from tricera.optimizers import rules
from tricera.optimizers.optimizer import Optimizer


class Adagrad(Optimizer):
    """Each entry has a rate of its own: `a <- a + g²`, `w <- w - lr g / sqrt(a + eps)`.

    Args:
        learning_rate: see `Optimizer`.
        initial_accumulator_value: where the sum of squares begins.
        epsilon: a small number that keeps the denominator from zero.
        **kwargs: those that all optimizers have, see `Optimizer`.

    References:
        [Duchi et al., 2011](http://www.jmlr.org/papers/volume12/duchi11a/duchi11a.pdf)

    Example:
        >>> Adagrad(learning_rate=0.5).get_config()["learning_rate"]
        0.5
    """

    _rule = rules.adagrad
    fused_name = "adagrad"
    _config = ("initial_accumulator_value", "epsilon")

    def __init__(
        self,
        learning_rate: Any = 0.001,
        initial_accumulator_value: float = 0.1,
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
        self.initial_accumulator_value, self.epsilon = initial_accumulator_value, epsilon
        super().__init__(
            learning_rate=learning_rate, weight_decay=weight_decay, clipnorm=clipnorm, clipvalue=clipvalue,
            global_clipnorm=global_clipnorm, use_ema=use_ema, ema_momentum=ema_momentum,
            ema_overwrite_frequency=ema_overwrite_frequency, loss_scale_factor=loss_scale_factor,
            gradient_accumulation_steps=gradient_accumulation_steps, name=name, **kwargs,
        )  # fmt: skip

    def _slot_groups(self) -> Sequence[Sequence[str]]:
        return (("accumulator",),)

    def _slot_start(self, name: str, variable: Variable) -> Any:
        return Constant(self.initial_accumulator_value)

    def _hyper(self) -> dict[str, Any]:
        return {"epsilon": self.epsilon}


class Adadelta(Optimizer):
    """Steps sized by the running mean of former steps: `d = -rms(d) / rms(g) g`, `w <- w + lr d`.

    Args:
        learning_rate: see `Optimizer`.
        rho: the decay rate of the running means.
        epsilon: a small number that keeps the denominator from zero.
        **kwargs: those that all optimizers have, see `Optimizer`.

    References:
        [Zeiler, 2012](https://arxiv.org/abs/1212.5701)

    Example:
        >>> Adadelta(learning_rate=0.5).get_config()["learning_rate"]
        0.5
    """

    _rule = rules.adadelta
    fused_name = "adadelta"
    _config = ("rho", "epsilon")

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.95,
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
        self.rho, self.epsilon = rho, epsilon
        super().__init__(
            learning_rate=learning_rate, weight_decay=weight_decay, clipnorm=clipnorm, clipvalue=clipvalue,
            global_clipnorm=global_clipnorm, use_ema=use_ema, ema_momentum=ema_momentum,
            ema_overwrite_frequency=ema_overwrite_frequency, loss_scale_factor=loss_scale_factor,
            gradient_accumulation_steps=gradient_accumulation_steps, name=name, **kwargs,
        )  # fmt: skip

    def _slot_groups(self) -> Sequence[Sequence[str]]:
        return (("accumulated_grad", "accumulated_delta_var"),)
