"""Adam and its kin: AdamW, Adamax, Nadam."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from tricera import ops
from tricera.core import dispatch
from tricera.core.variable import Variable
from tricera.optimizers import rules
from tricera.optimizers.optimizer import Optimizer


class Adam(Optimizer):
    """Running means `m` of gradients and `v` of their squares: `w <- w - lr m_hat / (sqrt(v_hat) + eps)`.

    Args:
        learning_rate: see `Optimizer`.
        beta_1: the decay rate of the mean of gradients, in [0, 1).
        beta_2: the decay rate of the mean of squared gradients, in [0, 1).
        epsilon: a small number that keeps the denominator from zero.
        amsgrad: divide by the highest `v` so far; it costs one more variable.
        **kwargs: those that all optimizers have, see `Optimizer`.

    References:
        [Kingma and Ba, 2014](https://arxiv.org/abs/1412.6980); for `amsgrad` [Reddi et al., 2018](https://openreview.net/pdf?id=ryQu7f-RZ)

    Example:
        >>> Adam(learning_rate=0.5).get_config()["learning_rate"]
        0.5
    """

    _rule = rules.adam
    _config = ("beta_1", "beta_2", "epsilon", "amsgrad")
    fused_name = "adam"

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
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
        self.beta_1, self.beta_2, self.epsilon, self.amsgrad = beta_1, beta_2, epsilon, amsgrad
        super().__init__(
            learning_rate=learning_rate, weight_decay=weight_decay, clipnorm=clipnorm, clipvalue=clipvalue,
            global_clipnorm=global_clipnorm, use_ema=use_ema, ema_momentum=ema_momentum,
            ema_overwrite_frequency=ema_overwrite_frequency, loss_scale_factor=loss_scale_factor,
            gradient_accumulation_steps=gradient_accumulation_steps, name=name, **kwargs,
        )  # fmt: skip

    def _slot_groups(self) -> Sequence[Sequence[str]]:
        return (("momentum", "velocity"), *((("velocity_hat",),) if self.amsgrad else ()))


class AdamW(Adam):
    """Adam with decoupled weight decay: `w <- w - lr weight_decay w` beside the step.

    Args:
        learning_rate: see `Optimizer`.
        weight_decay: the share of the weights that is taken away at `lr` 1.
        beta_1: the decay rate of the mean of gradients, in [0, 1).
        beta_2: the decay rate of the mean of squared gradients, in [0, 1).
        epsilon: a small number that keeps the denominator from zero.
        amsgrad: divide by the highest `v` so far; it costs one more variable.
        **kwargs: those that all optimizers have, see `Optimizer`.

    Raises:
        ValueError: `weight_decay` is None.

    References:
        [Loshchilov and Hutter, 2019](https://arxiv.org/abs/1711.05101)

    Example:
        >>> AdamW(learning_rate=0.5).weight_decay
        0.004
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        weight_decay: float = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
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
        if weight_decay is None:
            raise ValueError("`weight_decay` of AdamW must be a number, not None; plain Adam has no weight decay.")
        super().__init__(
            learning_rate=learning_rate, beta_1=beta_1, beta_2=beta_2, epsilon=epsilon, amsgrad=amsgrad,
            weight_decay=weight_decay, clipnorm=clipnorm, clipvalue=clipvalue, global_clipnorm=global_clipnorm,
            use_ema=use_ema, ema_momentum=ema_momentum, ema_overwrite_frequency=ema_overwrite_frequency,
            loss_scale_factor=loss_scale_factor, gradient_accumulation_steps=gradient_accumulation_steps, name=name, **kwargs,
        )  # fmt: skip


class Adamax(Optimizer):
    """Adam with the infinity norm: `u <- max(beta_2 u, |g|)`, `w <- w - lr m_hat / (u + eps)`.

    Args:
        learning_rate: see `Optimizer`.
        beta_1: the decay rate of the mean of gradients, in [0, 1).
        beta_2: the decay rate of the norm, in [0, 1).
        epsilon: a small number that keeps the denominator from zero.
        **kwargs: those that all optimizers have, see `Optimizer`.

    References:
        [Kingma and Ba, 2014](https://arxiv.org/abs/1412.6980)

    Example:
        >>> Adamax(learning_rate=0.5).get_config()["learning_rate"]
        0.5
    """

    _rule = rules.adamax
    fused_name = "adamax"
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
        return (("momentum", "norm"),)


class Nadam(Optimizer):
    """Adam with Nesterov's momentum.

    Args:
        learning_rate: see `Optimizer`.
        beta_1: the decay rate of the mean of gradients, in [0, 1).
        beta_2: the decay rate of the mean of squared gradients, in [0, 1).
        epsilon: a small number that keeps the denominator from zero.
        **kwargs: those that all optimizers have, see `Optimizer`.

    References:
        [Dozat, 2015](http://cs229.stanford.edu/proj2015/054_report.pdf)

    Example:
        >>> Nadam(learning_rate=0.5).get_config()["learning_rate"]
        0.5
    """

    _rule = rules.nadam
    fused_name = "nadam"
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

    def build(self, variables: Iterable[Variable]) -> None:
        """Make the slots, and the product of the momentums so far."""
        if self.built:
            return
        super().build(variables)
        with dispatch.use(self._backend):
            self._product = Variable(np.ones((), "float32"), trainable=False)
        self._derived = [self._product]

    def _derive(self) -> None:
        product, steps, block = np.float32(1), int(ops.convert_to_numpy(self.iterations)), 4096
        for first in range(1, steps + 1, block):
            t = np.arange(first, min(first + block, steps + 1), dtype="float32")
            product *= np.prod(ops.convert_to_numpy(rules.nadam_momentum(t, self.beta_1)))
            if product == 0:
                break
        self._product.assign(product)

    def _before_update(self) -> None:
        t = ops.cast(self.iterations, "float32") + 1
        self._product.assign(self._product.value * rules.nadam_momentum(t, self.beta_1))

    def _hyper(self) -> dict[str, Any]:
        return {**super()._hyper(), "product": self._product.value}
