"""Going on after an interruption."""

from __future__ import annotations

import contextlib
import json
import os
import re
import warnings
from typing import Any

from tricera.callbacks.callback import Callback
from tricera.callbacks.paths import make_folder, unwritable

_METADATA = "training_metadata.json"
_PREVIOUS = _METADATA + ".bkp"
_WEIGHTS = re.compile(r"\d+-\d+\.weights\.h5")


class BackupAndRestore(Callback):
    """Backs up a training, and goes on from the backup when `fit` is called again after an interruption.

    A backup holds the weights, the states of the optimizer and of the seed generators, and where the training stands. The
    next `fit` with the same model and data goes on there, in the middle of an epoch too: the metrics go on from their values,
    and arrays and `PyDataset`s from the next batch of the same order, so that the result is that of a training without an
    interruption. Of a source with an order of its own (a generator, a `DataLoader`, a `tf.data` dataset) as many batches are
    left out as the epoch had seen. (Keras goes on with the weights, too, but begins an interrupted epoch anew.)

    Whenever it is interrupted, a whole backup is there: each is written beside the last one, which is then removed.

    Args:
        backup_dir: a folder for the backup, made as needed; to be shared with nothing else.
        save_freq: `"epoch"`, or a number of steps; False never backs up and only restores.
        double_checkpoint: keep the backup before the last one, too, and restore it if the last one can't be read.
        delete_checkpoint: remove the backup at the end of the training.

    Raises:
        ValueError: `backup_dir` is empty or `save_freq` out of range; (when training begins) the backup doesn't fit.
        OSError: (when training begins or when saving) the folder cannot be written.

    Example:
        >>> callback = BackupAndRestore("runs/backup", save_freq=100)
        >>> callback.save_freq
        100
    """

    def __init__(
        self,
        backup_dir: str | os.PathLike[str],
        save_freq: int | str | bool = "epoch",
        double_checkpoint: bool = False,
        delete_checkpoint: bool = True,
    ) -> None:
        super().__init__()
        if not backup_dir:
            raise ValueError(f"`backup_dir` must be a folder for the backup, not {backup_dir!r}.")
        if save_freq != "epoch" and save_freq is not False:
            if isinstance(save_freq, bool) or not isinstance(save_freq, int) or save_freq < 1:
                raise ValueError(f"`save_freq` is 'epoch', a positive number of steps or False; got {save_freq!r}.")
        self.backup_dir = os.fspath(backup_dir)
        self.save_freq = save_freq
        self.double_checkpoint = double_checkpoint
        self.delete_checkpoint = delete_checkpoint
        self._epoch = self._last_batch = self._since_saved = 0

    def _watches_batches(self, kind: str) -> bool:
        return self.save_freq != "epoch" and self.save_freq is not False

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Restore a backup, if there is one."""
        make_folder(self.backup_dir, self.backup_dir, type(self).__name__)
        self._since_saved = 0
        errors: list[str] = []
        for name in (_METADATA, _PREVIOUS):
            if not os.path.exists(self._path(name)):
                continue
            try:
                self._restore(name)
            except (OSError, ValueError, KeyError, TypeError) as error:
                errors.append(f"{name}: {type(error).__name__}: {error}")
                continue
            if errors:
                warnings.warn(
                    f"The last backup in {self.backup_dir!r} can't be restored ({errors[0]}); the one before it was.",
                    stacklevel=2,
                )
            return
        if errors:
            raise ValueError(
                f"The backup in {self.backup_dir!r} can't be restored. Train with the model, the compile arguments and the data of "
                "the interrupted run, or remove the folder to begin anew.\n" + "\n".join(errors)
            )

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Note the epoch."""
        self._last_batch = self.model._fitting.initial_step if epoch == self.model._fitting.initial_epoch else 0
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Back up if enough steps have passed."""
        if not self._watches_batches("train"):
            return
        self._since_saved += batch + 1 - self._last_batch
        self._last_batch = batch + 1
        if self._since_saved >= self.save_freq:  # type: ignore[operator]
            self._since_saved = 0
            self._save(self._epoch, batch + 1)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Back up if that is done every epoch."""
        if self.save_freq == "epoch":
            self._save(epoch + 1, 0)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Remove the backup, and the folder if nothing else is in it."""
        if not self.delete_checkpoint:
            return
        for name in (_METADATA, _PREVIOUS, *self._weights_files()):
            with contextlib.suppress(FileNotFoundError):
                os.remove(self._path(name))
        with contextlib.suppress(OSError):  # something else is in it, or somebody has removed it
            os.rmdir(self.backup_dir)

    def _path(self, name: str) -> str:
        return os.path.join(self.backup_dir, name)

    def _weights_files(self) -> list[str]:
        return [name for name in os.listdir(self.backup_dir) if _WEIGHTS.fullmatch(name)]

    def _restore(self, metadata: str) -> None:
        with open(self._path(metadata), encoding="utf-8") as file:
            note = json.load(file)
        if not isinstance(note, dict) or not _WEIGHTS.fullmatch(str(note.get("weights"))):
            raise ValueError("it is not the description of a backup")
        for name in ("epoch", "batch"):
            if isinstance(note[name], bool) or not isinstance(note[name], int) or note[name] < 0:
                raise ValueError(f"{name} is {note[name]!r}")
        self.model.load_weights(self._path(note["weights"]))
        self.model._fitting.resume(note)

    def _save(self, epoch: int, batch: int) -> None:
        weights, metadata = f"{epoch}-{batch}.weights.h5", self._path(_METADATA)
        note = {"weights": weights, **self.model._fitting.note(epoch, batch)}
        kept = {weights}
        try:
            self.model.save_weights(self._path(weights), overwrite=True)
            with open(metadata + ".new", "w", encoding="utf-8") as file:
                json.dump(note, file)
                file.flush()
                os.fsync(file.fileno())
            if self.double_checkpoint and os.path.exists(metadata):
                with open(metadata, encoding="utf-8") as file:
                    kept.add(json.load(file)["weights"])
                os.replace(metadata, self._path(_PREVIOUS))
            os.replace(metadata + ".new", metadata)
            for name in self._weights_files():
                if name not in kept:
                    os.remove(self._path(name))
        except OSError as error:
            raise unwritable(self.backup_dir, error, type(self).__name__) from error
