"""Lowering the learning rate when nothing gets better."""

from __future__ import annotations

import warnings
from typing import Any

from tricera.callbacks import learning_rate
from tricera.callbacks.monitor import MonitorCallback
from tricera.utils.io_utils import print_msg


class ReduceLROnPlateau(MonitorCallback):
    """Multiplies the learning rate by `factor` when the monitored value has not improved for `patience` epochs.

    Args:
        monitor: name of the value in the logs.
        factor: below 1.
        patience: epochs to wait for an improvement.
        verbose: 1 prints when it acts.
        mode: `"min"`, `"max"` or `"auto"`: inferred from the name and the model's metrics.
        min_delta: a smaller improvement does not count.
        cooldown: epochs after a reduction that are not counted.
        min_lr: the rate never falls below this.

    Raises:
        ValueError: `factor` is 1 or more.

    Example:
        >>> plateau = ReduceLROnPlateau("loss", factor=0.2, patience=5, min_lr=0.001)
        >>> plateau.in_cooldown()
        False
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
        **kwargs: Any,
    ) -> None:
        if kwargs:
            raise TypeError(f"ReduceLROnPlateau has no argument {', '.join(kwargs)}.")
        super().__init__(monitor, mode, min_delta=min_delta)
        if factor >= 1.0:
            raise ValueError(f"`factor` must be below 1, or the learning rate would not fall; got {factor}.")
        self.factor = factor
        self.patience = patience
        self.verbose = verbose
        self.cooldown = cooldown
        self.min_lr = min_lr
        self._restart()

    def _restart(self) -> None:
        self.best = None
        self.wait = 0
        self.cooldown_counter = 0

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Forget an earlier training."""
        self._restart()

    def in_cooldown(self) -> bool:
        """Whether epochs are not counted because of a recent reduction."""
        return self.cooldown_counter > 0

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Look at the epoch's value; put the learning rate it was trained with into its logs."""
        self._direction()
        logs = {} if logs is None else logs
        logs["learning_rate"] = learning_rate.read(self)
        value = logs.get(self.monitor)
        if value is None:
            warnings.warn(
                f"ReduceLROnPlateau watches {self.monitor!r}, which is not among this epoch's results: "
                f"{', '.join(logs)}.",
                stacklevel=2,
            )
            return
        if self.in_cooldown():
            self.cooldown_counter -= 1
            self.wait = 0
        if self._improved(value, self.best):
            self.best = value
            self.wait = 0
        elif not self.in_cooldown():
            self.wait += 1
            if self.wait >= self.patience:
                self._reduce(epoch, logs["learning_rate"])

    def _reduce(self, epoch: int, old: float) -> None:
        # float32 rounding of the optimizer's variable must not count as being above the limit.
        if old - self.min_lr <= 1e-6 * self.min_lr:
            return
        new = max(old * self.factor, self.min_lr)
        learning_rate.write(self, new)
        if self.verbose:
            print_msg(f"\nEpoch {epoch + 1}: ReduceLROnPlateau reducing learning rate to {new}.")
        self.cooldown_counter = self.cooldown
        self.wait = 0
