"""Saving a model while it trains."""

from __future__ import annotations

import os
import warnings
from typing import Any

from tricera.callbacks.monitor import MonitorCallback
from tricera.callbacks.paths import make_folder, unwritable
from tricera.utils.io_utils import print_msg


class ModelCheckpoint(MonitorCallback):
    """Saves the model, or its weights, after each epoch or every so many steps.

    Args:
        filepath: where to. Fields in braces are filled with `epoch` and `batch` (both from 1) and the values of the
            logs: `"{epoch:02d}-{val_loss:.2f}.keras"`. Folders are made as needed. Ends in `.keras` (or `.h5`), or in
            `.weights.h5` with `save_weights_only`.
        monitor: name of the value that says which model is best.
        verbose: 1 prints when it saves.
        save_best_only: save only when the monitored value is better than ever before.
        save_weights_only: save with `save_weights` (weights and optimizer state) instead of `save`.
        mode: `"min"`, `"max"` or `"auto"`: inferred from the name and the model's metrics.
        save_freq: `"epoch"`, or a number of steps.
        initial_value_threshold: a model is best only if it is better than this.

    Raises:
        ValueError: the file's ending does not fit, or `save_freq` is neither `"epoch"` nor a positive integer.
        KeyError: (when saving) the path names a value that is not in the logs.
        OSError: (when training begins or when saving) the path cannot be written.

    Example:
        >>> checkpoint = ModelCheckpoint("runs/{epoch:02d}.keras", monitor="val_accuracy", save_best_only=True)
        >>> checkpoint.filepath
        'runs/{epoch:02d}.keras'
    """

    def __init__(
        self,
        filepath: str | os.PathLike[str],
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: int | str = "epoch",
        initial_value_threshold: float | None = None,
    ) -> None:
        super().__init__(monitor, mode, initial_value_threshold)
        self.filepath = os.fspath(filepath)
        self.verbose = verbose
        self.save_best_only = save_best_only
        self.save_weights_only = save_weights_only
        if save_freq != "epoch" and (isinstance(save_freq, bool) or not isinstance(save_freq, int) or save_freq < 1):
            raise ValueError(f"`save_freq` is 'epoch' or a positive number of steps; got {save_freq!r}.")
        self.save_freq = save_freq
        endings = (".weights.h5",) if save_weights_only else (".keras", ".h5")
        if not self.filepath.endswith(endings):
            raise ValueError(
                f"With save_weights_only={save_weights_only} the checkpoint's `filepath` must end in "
                f"{' or '.join(endings)}; got {self.filepath!r}."
            )
        self._epoch = 0
        self._last_batch = 0
        self._since_saved = 0

    def _watches_batches(self, kind: str) -> bool:
        return self.save_freq != "epoch"

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Check that the folder can be written, before hours are spent on training."""
        folder = os.path.dirname(self.filepath)
        if "{" not in folder:
            self._make_folder(self.filepath)

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Note the epoch."""
        self._epoch, self._last_batch = epoch, 0

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Save if enough steps have passed."""
        if not isinstance(self.save_freq, int):
            return
        self._since_saved += batch + 1 - self._last_batch
        self._last_batch = batch + 1
        if self._since_saved >= self.save_freq:
            self._since_saved = 0
            self._save(self._epoch, batch, logs or {})

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Save if that is done every epoch."""
        if self.save_freq == "epoch":
            self._save(epoch, None, logs or {})

    def _save(self, epoch: int, batch: int | None, logs: dict[str, Any]) -> None:
        path = self._path(epoch, batch, logs)
        say = f"\nEpoch {epoch + 1}:"
        if self.save_best_only:
            value = logs.get(self.monitor)
            self._direction()
            if value is None:
                warnings.warn(
                    f"ModelCheckpoint cannot find the best model by {self.monitor!r}, which is not among the results: "
                    f"{', '.join(logs)}. Nothing is saved.",
                    stacklevel=3,
                )
                return
            if not self._improved(value, self.best):
                self._print(f"{say} {self.monitor} did not improve from {self.best:.5f}")
                return
            before = "None" if self.best is None else f"{self.best:.5f}"
            self._print(f"{say} {self.monitor} improved from {before} to {value:.5f}, saving model to {path}")
            self._write(path)
            self.best = value  # after the file is there: a failed save must not raise the bar
        else:
            self._print(f"{say} saving model to {path}")
            self._write(path)
        self._print(f"{say} finished saving model to {path}")

    def _path(self, epoch: int, batch: int | None, logs: dict[str, Any]) -> str:
        fields = dict(logs)
        fields["epoch"] = epoch + 1
        if batch is not None:
            fields["batch"] = batch + 1
        try:
            return self.filepath.format(**fields)
        except KeyError as error:
            raise KeyError(
                f"The checkpoint's path {self.filepath!r} names {error}, which is not known here. Known: "
                f"{', '.join(fields)}."
            ) from error

    def _write(self, path: str) -> None:
        self._make_folder(path)
        save = self.model.save_weights if self.save_weights_only else self.model.save
        try:
            save(path, overwrite=True)
        except OSError as error:
            raise unwritable(path, error, type(self).__name__) from error

    def _make_folder(self, path: str) -> None:
        make_folder(os.path.dirname(path) or ".", path, type(self).__name__)
        if os.path.isdir(path):
            raise unwritable(path, IsADirectoryError("it is a folder"), type(self).__name__)

    def _print(self, message: str) -> None:
        if self.verbose:
            print_msg(message)
