"""The record of a training."""

from __future__ import annotations

from typing import Any

from tricera.callbacks.callback import Callback


class History(Callback):
    """Keeps the results of each epoch; `fit` makes one and returns it.

    Attributes:
        history: name -> list of its values, one an epoch in which it was there.
        epoch: indices of the epochs.
        data_wait: the seconds, one number an epoch, for which its steps waited for data: to be read and placed, or to arrive from the
            thread that does so while steps run. Near the epoch's own time, the source is what is slow; 0.0 where arrays stay on
            the device. Validation does not count.

    Example:
        >>> history = History()
        >>> history.on_train_begin(); history.on_epoch_end(0, {"loss": 0.5}); history.on_epoch_end(1, {"loss": 0.25})
        >>> history.history, history.epoch
        ({'loss': [0.5, 0.25]}, [0, 1])
    """

    def __init__(self) -> None:
        super().__init__()
        self.history: dict[str, list[Any]] = {}
        self.epoch: list[int] = []
        self.data_wait: list[float] = []

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Start a new list of epochs; values of an earlier `fit` with the same object stay."""
        self.epoch = []

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Record an epoch."""
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)
        if self.model is not None:
            self.model.history = self
