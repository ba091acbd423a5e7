"""Stopping when nothing gets better."""

from __future__ import annotations

import warnings
from typing import Any

from tricera.callbacks.monitor import MonitorCallback
from tricera.utils.io_utils import print_msg


class EarlyStopping(MonitorCallback):
    """Stops a training whose monitored value has not improved for `patience` epochs.

    Args:
        monitor: name of the value in the logs.
        min_delta: a smaller improvement does not count.
        patience: epochs to wait for an improvement.
        verbose: 1 prints when it acts.
        mode: `"min"`, `"max"` or `"auto"`: inferred from the name and the model's metrics.
        baseline: epochs that are no better than this count as waiting too.
        restore_best_weights: whether the model gets the weights of its best epoch at the end of the training, also of
            one that ran to its last epoch or never beat the baseline.
        start_from_epoch: epochs at the start that are not looked at.

    Attributes:
        best: the best value. best_epoch: its epoch, from 0. best_weights: its weights, if they are to be restored.
        stopped_epoch: the epoch that ended the training, 0 if none did. wait: epochs without an improvement.

    Raises:
        ValueError: (at the end of the first epoch) `mode="auto"` cannot tell which way is better.

    Example:
        >>> stopping = EarlyStopping("loss", patience=3, restore_best_weights=True)
        >>> stopping.patience
        3
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ) -> None:
        super().__init__(monitor, mode, min_delta=min_delta)
        self.patience = patience
        self.verbose = verbose
        self.baseline = baseline
        self.restore_best_weights = restore_best_weights
        self.start_from_epoch = start_from_epoch
        self._restart()

    def _restart(self) -> None:
        self.wait = 0
        self.stopped_epoch = 0
        self.best = None
        self.best_epoch = 0
        self.best_weights: Any = None

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Forget an earlier training."""
        self._restart()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Look at the epoch's value."""
        self._direction()
        value = self.get_monitor_value(logs)
        if value is None or epoch < self.start_from_epoch:
            return
        if self.restore_best_weights and self.best_weights is None:
            self._keep(epoch)  # something to restore even if no value is ever an improvement (NaN)
        self.wait += 1
        if self._improved(value, self.best):
            self.best = value
            self._keep(epoch)
            if self._improved(value, self.baseline):
                self.wait = 0
            return
        if self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Restore the best weights."""
        if self.stopped_epoch > 0 and self.verbose:
            print_msg(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.restore_best_weights and self.best_weights is not None:
            if self.verbose:
                print_msg(f"Restoring model weights from the end of the best epoch: {self.best_epoch + 1}.")
            self.model.set_weights(self.best_weights)

    def get_monitor_value(self, logs: dict[str, Any] | None) -> Any:
        """The monitored value among an epoch's logs; None, with a warning, if it is not there."""
        logs = logs or {}
        value = logs.get(self.monitor)
        if value is None:
            warnings.warn(
                f"EarlyStopping watches {self.monitor!r}, which is not among this epoch's results: {', '.join(logs)}.",
                stacklevel=2,
            )
        return value

    def _keep(self, epoch: int) -> None:
        self.best_epoch = epoch
        if self.restore_best_weights:
            self.best_weights = self.model.get_weights()
