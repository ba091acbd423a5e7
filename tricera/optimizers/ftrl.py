"""FTRL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tricera.core.variable import Variable
from tricera.initializers import Constant
from tricera.optimizers import rules
from tricera.optimizers.optimizer import Optimizer


class Ftrl(Optimizer):
    """Follow the regularised leader: sparse weights by L1 and L2 terms inside the optimizer.

    Args:
        learning_rate: see `Optimizer`.
        learning_rate_power: how the rate falls with the sum of squares; 0 for a constant rate. Not positive.
        initial_accumulator_value: where the sum of squares begins. Not negative.
        l1_regularization_strength: of the L1 penalty.
        l2_regularization_strength: of the L2 penalty that makes weights stable.
        l2_shrinkage_regularization_strength: of the L2 penalty that pulls weights to zero.
        beta: added to the root of the sum of squares.
        **kwargs: those that all optimizers have, see `Optimizer`.

    Raises:
        ValueError: an argument is out of its range.

    References:
        [McMahan et al., 2013](https://research.google.com/pubs/archive/41159.pdf)

    Example:
        >>> Ftrl(learning_rate=0.5).get_config()["learning_rate"]
        0.5
    """

    _rule = rules.ftrl
    fused_name = "ftrl"
    _config = (
        "learning_rate_power", "initial_accumulator_value", "l1_regularization_strength", "l2_regularization_strength",
        "l2_shrinkage_regularization_strength", "beta",
    )  # fmt: skip

    def __init__(
        self,
        learning_rate: Any = 0.001,
        learning_rate_power: float = -0.5,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        l2_shrinkage_regularization_strength: float = 0.0,
        beta: float = 0.0,
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
        self.learning_rate_power, self.initial_accumulator_value = learning_rate_power, initial_accumulator_value
        self.l1_regularization_strength, self.l2_regularization_strength = (
            l1_regularization_strength,
            l2_regularization_strength,
        )
        self.l2_shrinkage_regularization_strength, self.beta = l2_shrinkage_regularization_strength, beta
        super().__init__(
            learning_rate=learning_rate, weight_decay=weight_decay, clipnorm=clipnorm, clipvalue=clipvalue,
            global_clipnorm=global_clipnorm, use_ema=use_ema, ema_momentum=ema_momentum,
            ema_overwrite_frequency=ema_overwrite_frequency, loss_scale_factor=loss_scale_factor,
            gradient_accumulation_steps=gradient_accumulation_steps, name=name, **kwargs,
        )  # fmt: skip

    def _slot_groups(self) -> Sequence[Sequence[str]]:
        return (("accumulator", "linear"),)

    def _slot_start(self, name: str, variable: Variable) -> Any:
        return Constant(self.initial_accumulator_value) if name == "accumulator" else "zeros"

    def _hyper(self) -> dict[str, Any]:
        return {
            "learning_rate_power": self.learning_rate_power,
            "l1": self.l1_regularization_strength,
            "l2": self.l2_regularization_strength,
            "l2_shrinkage": self.l2_shrinkage_regularization_strength,
            "beta": self.beta,
        }
