"""Schedule-free AdamW."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from tricera import ops
from tricera.core import dispatch
from tricera.core.variable import Variable
from tricera.optimizers import rules
from tricera.optimizers.optimizer import Optimizer


class ScheduleFreeAdamW(Optimizer):
    """AdamW whose averaged weights make a learning-rate schedule unnecessary.

    Three sequences of weights: `z` takes Adam's steps without momentum, `x` is the mean of all `z`, and gradients are taken at
    `y = beta_1 x + (1 - beta_1) z`:

        z <- z - lr g(y) / (sqrt(v / (1 - beta_2^t)) + epsilon)
        x <- x + (z - x) / t

    Variables hold `y` while they are trained and `x` when they are used. `fit` sees to it: it validates, calls `on_epoch_end` and
    ends with `x` in place, and goes on from `y` when it is called again. In a loop of one's own, `eval()` before evaluation and
    `train()` before the next step do the same; `finalize_variable_values` is `eval()` for the end of training.

    As in Keras, the mean weighs all steps alike, those of the warm-up too, and weight decay pulls at `y` (the paper weighs by the
    square of the rate and decays `z`); `z` is the slot `momentum`, and `x` is not stored but follows from `y` and `z`. A
    BatchNormalization has gathered its moving statistics at `y`.

    Args:
        learning_rate: see `Optimizer`.
        beta_1: how far the weights lie towards the average, in (0, 1).
        beta_2: the decay rate of the mean of squared gradients, in [0, 1).
        epsilon: a small number that keeps the denominator from zero.
        warmup_steps: how long the rate climbs from 0.
        **kwargs: those that all optimizers have, see `Optimizer`.

    Raises:
        ValueError: an argument is out of its range.

    References:
        [Defazio et al., 2024](https://arxiv.org/abs/2405.15682)

    Example:
        >>> import numpy as np
        >>> w, optimizer = Variable([1.0]), ScheduleFreeAdamW(learning_rate=0.5)
        >>> for _ in range(2):  # z: 0.5, 0.0; x: 0.5, 0.25; y = 0.9 x + 0.1 z
        ...     optimizer.apply([np.ones(1, "float32")], [w])
        >>> round(float(w.numpy()[0]), 3)
        0.225
        >>> optimizer.eval()
        >>> round(float(w.numpy()[0]), 3)
        0.25
    """

    _rule = rules.schedule_free_adamw
    fused_name = "schedule_free"
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
        if not 0 < beta_1 < 1:
            raise ValueError(f"`beta_1` of ScheduleFreeAdamW must lie in (0, 1), not {beta_1!r}.")
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

    def train(self) -> None:
        """Put the weights in place at which gradients are taken; nothing happens where they are."""
        if self._evaluating:
            self._replace(lambda x, z: z + (x - z) * self.beta_1)
            self._evaluating = False

    def eval(self) -> None:
        """Put the averaged weights in place, with which the model is to be used; nothing happens where they are."""
        if self.built and not self._evaluating:
            self._replace(lambda y, z: y + (y - z) * ((1 - self.beta_1) / self.beta_1))
            self._evaluating = True

    def _replace(self, mix: Callable[[Any, Any], Any]) -> None:
        backend = self._trainable_variables[0]._backend
        self._follow(self._trainable_variables)
        with dispatch.use(backend), backend.optimizer.scope():
            for v, (z, _) in zip(self._trainable_variables, self._slots, strict=True):
                if v.overwrite_with_gradient:
                    continue
                mixed = mix(ops.cast(v.value, "float32"), ops.cast(z.value, "float32"))
                v.assign(ops.cast(mixed, v._dtype))

    def _to_training(self) -> None:
        self.train()

    def _to_evaluation(self) -> None:
        self.eval()

    def finalize_variable_values(self, var_list: Iterable[Variable]) -> None:
        """At the end of training: the variables take their averages, or with `use_ema` their running means."""
        self.eval()
        super().finalize_variable_values(var_list)

    def _before_update(self) -> None:
        if self._evaluating:
            raise RuntimeError(
                f"The variables of {self.name!r} hold the averaged weights, at which no gradient may be taken. Call "
                "`optimizer.train()` before the step."
            )
