"""The protocol of callbacks."""

from __future__ import annotations

from typing import Any

BATCH_HOOKS = {f"on_{kind}_batch_{edge}": kind for kind in ("train", "test", "predict") for edge in ("begin", "end")}
HOOKS = (
    *(f"on_{kind}_{edge}" for kind in ("train", "test", "predict", "epoch", "batch") for edge in ("begin", "end")),
    *BATCH_HOOKS,
)


class Callback:
    """Base class of objects that are told what happens during `fit`, `evaluate` and `predict`.

    Subclass it and override the hooks you need. Only overridden batch hooks are ever called, so a callback without
    them costs nothing per step. A hook's `logs` is a dict of floats, made of device values when it is first read.

    Attributes:
        model: the model that is trained; None before `set_model`.
        params: a dict with `verbose`, `epochs` and `steps`; None before `set_params`.

    Example:
        >>> class Shout(Callback):
        ...     def on_train_end(self, logs=None):
        ...         print("DONE")
        >>> Shout().on_train_end()
        DONE
    """

    def __init__(self) -> None:
        self.params: dict[str, Any] | None = None
        self._model: Any = None

    def set_params(self, params: dict[str, Any]) -> None:
        """Take the run's parameters."""
        self.params = params

    def set_model(self, model: Any) -> None:
        """Take the model."""
        self._model = model

    @property
    def model(self) -> Any:
        """The model that is trained."""
        return getattr(self, "_model", None)  # subclasses may not call super().__init__()

    def _watches_batches(self, kind: str) -> bool:
        """Whether overridden batch hooks of a `kind` (train, test or predict) have anything to do in this run.

        A callback whose batch hooks only matter with some settings overrides this, so that the trainer may run
        several steps at once with the others.
        """
        return True

    def on_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Older name of `on_train_batch_begin`."""

    def on_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Older name of `on_train_batch_end`."""

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """An epoch of training begins.

        Args:
            epoch: its index, from 0.
            logs: empty.
        """

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """An epoch of training ended, with its validation.

        Args:
            epoch: its index, from 0.
            logs: the results of the epoch; those of the validation begin with `val_`.
        """

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """A training step begins.

        Args:
            batch: its index in the epoch, from 0.
            logs: empty.
        """
        self.on_batch_begin(batch, logs=logs)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """A training step ended; with `steps_per_execution=N`, N of them.

        Args:
            batch: index in the epoch of the last step.
            logs: the results of the epoch so far.
        """
        self.on_batch_end(batch, logs=logs)

    def on_test_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """A step of `evaluate`, or of a validation, begins."""

    def on_test_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """A step of `evaluate`, or of a validation, ended; `logs` holds the results so far."""

    def on_predict_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """A step of `predict` begins."""

    def on_predict_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """A step of `predict` ended; `logs` holds its `outputs`."""

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Training begins."""

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Training ended; `logs` are those of the last epoch."""

    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
        """An evaluation or a validation begins."""

    def on_test_end(self, logs: dict[str, Any] | None = None) -> None:
        """An evaluation or a validation ended; `logs` holds its results."""

    def on_predict_begin(self, logs: dict[str, Any] | None = None) -> None:
        """A prediction begins."""

    def on_predict_end(self, logs: dict[str, Any] | None = None) -> None:
        """A prediction ended."""


_ALIASES = {"on_train_batch_begin": "on_batch_begin", "on_train_batch_end": "on_batch_end"}


def overrides(callback: Any, hook: str) -> bool:
    """Whether a callback has its own version of a hook (or of the older name of it), on its class or on itself."""
    if not isinstance(callback, Callback):
        return callable(getattr(callback, hook, None))
    for name in (hook, _ALIASES.get(hook)):
        if name is None:
            continue
        if name in vars(callback) or getattr(type(callback), name) is not getattr(Callback, name):
            return True
    return False
