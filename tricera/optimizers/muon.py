"""Muon."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from tricera import ops
from tricera.core.variable import Variable
from tricera.optimizers import rules
from tricera.optimizers.optimizer import Optimizer


class Muon(Optimizer):
    """The momentum of each matrix, made orthogonal by a Newton-Schulz iteration; other variables take AdamW's steps.

    AdamW serves variables that are not matrices, embeddings, and those that `exclude_layers` names; the last layer of a
    classifier should be among these.

    Args:
        learning_rate: see `Optimizer`.
        adam_beta_1: Adam's decay rate of the mean of gradients.
        adam_beta_2: Adam's decay rate of the mean of squared gradients.
        adam_weight_decay: the weight decay of the variables that Adam updates.
        epsilon: Adam's small number in the denominator.
        weight_decay: the weight decay of the matrices.
        exclude_layers: words (or regular expressions); Adam updates the variables whose paths match one.
        exclude_embeddings: whether Adam updates embeddings.
        muon_a: the first coefficient of the Newton-Schulz iteration.
        muon_b: the second.
        muon_c: the third.
        adam_lr_ratio: Adam's learning rate as a share of `learning_rate`.
        momentum: the decay rate of the matrices' momentum.
        ns_steps: the number of Newton-Schulz iterations.
        nesterov: look ahead with the momentum.
        rms_rate: the size of the steps, `rms_rate * sqrt(max(rows, columns))`, so that Adam's learning rates serve.
        **kwargs: those that all optimizers have, see `Optimizer`.

    References:
        [Jordan et al., 2024](https://github.com/KellerJordan/Muon); [Liu et al., 2025](https://arxiv.org/abs/2502.16982)

    Example:
        >>> Muon(exclude_layers=["output"]).exclude_layers
        ['output']
    """

    _config = (
        "adam_beta_1", "adam_beta_2", "epsilon", "exclude_layers", "muon_a", "muon_b", "muon_c", "adam_lr_ratio", "momentum",
        "ns_steps", "nesterov", "exclude_embeddings", "adam_weight_decay", "rms_rate",
    )  # fmt: skip

    def __init__(
        self,
        learning_rate: Any = 0.001,
        adam_beta_1: float = 0.9,
        adam_beta_2: float = 0.999,
        adam_weight_decay: float | None = 0.004,
        epsilon: float = 1e-7,
        weight_decay: float | None = 0.004,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        exclude_layers: Sequence[str] | None = None,
        exclude_embeddings: bool = True,
        muon_a: float = 3.4445,
        muon_b: float = -4.775,
        muon_c: float = 2.0315,
        adam_lr_ratio: float = 1,
        momentum: float = 0.95,
        ns_steps: int = 5,
        nesterov: bool = True,
        rms_rate: float | None = 0.2,
        **kwargs: Any,
    ) -> None:
        self.adam_beta_1, self.adam_beta_2, self.epsilon = adam_beta_1, adam_beta_2, epsilon
        self.adam_weight_decay, self.adam_lr_ratio = adam_weight_decay, adam_lr_ratio
        self.exclude_layers, self.exclude_embeddings = list(exclude_layers or ()), exclude_embeddings
        self.muon_a, self.muon_b, self.muon_c = muon_a, muon_b, muon_c
        self.momentum, self.ns_steps, self.nesterov, self.rms_rate = momentum, ns_steps, nesterov, rms_rate
        super().__init__(
            learning_rate=learning_rate, weight_decay=weight_decay, clipnorm=clipnorm, clipvalue=clipvalue,
            global_clipnorm=global_clipnorm, use_ema=use_ema, ema_momentum=ema_momentum,
            ema_overwrite_frequency=ema_overwrite_frequency, loss_scale_factor=loss_scale_factor,
            gradient_accumulation_steps=gradient_accumulation_steps, name=name, **kwargs,
        )  # fmt: skip

    def _by_adam(self, variable: Variable) -> bool:
        path = variable.path or variable.name
        if len(variable.shape) != 2 or (self.exclude_embeddings and "embedding" in path.lower()):
            return True
        return any(re.search(word, path) for word in self.exclude_layers)

    def build(self, variables: Iterable[Variable]) -> None:
        """Make a momentum for each variable, and a velocity for those that Adam updates."""
        if self.built:
            return
        super().build(variables)
        for v, slots in zip(self._trainable_variables, self._slots, strict=True):
            slots.append(self.add_variable_from_reference(v, "momentum"))
            if self._by_adam(v):
                slots.append(self.add_variable_from_reference(v, "velocity"))

    def _decay_rate(self, variable: Variable) -> float | None:
        if not self._by_adam(variable):
            return super()._decay_rate(variable)
        return self.adam_weight_decay if self._decays(variable) else None

    def lr_adjust(self, x: Any) -> Any:
        """A matrix times `rms_rate * sqrt(max(rows, columns))`; itself where `rms_rate` is None."""
        return x * rules.muon_size(x.shape, self.rms_rate)

    def transpose_last_axis(self, X: Any) -> Any:
        """The last two axes swapped."""
        return ops.swapaxes(X, -1, -2)

    def zeropower_via_newtonschulz5(self, x: Any, steps: int) -> Any:
        """Roughly the orthogonal factor of a matrix, by `steps` Newton-Schulz iterations."""
        return rules.newton_schulz(x, steps, self.muon_a, self.muon_b, self.muon_c)

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        """Update one variable."""
        if self._by_adam(variable):
            hyper = {"beta_1": self.adam_beta_1, "beta_2": self.adam_beta_2, "epsilon": self.epsilon, "amsgrad": False}
            self._run_rule(rules.adam, gradient, variable, learning_rate * self.adam_lr_ratio, hyper)
        else:
            names = ("momentum", "nesterov", "ns_steps", "rms_rate", "muon_a", "muon_b", "muon_c")
            self._run_rule(rules.muon, gradient, variable, learning_rate, {name: getattr(self, name) for name in names})
