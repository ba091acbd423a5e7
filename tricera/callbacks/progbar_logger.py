"""Progress on standard output."""

from __future__ import annotations

from typing import Any

from tricera.callbacks.callback import Callback
from tricera.utils.io_utils import print_msg
from tricera.utils.progbar import Progbar, is_live, resolve_verbose


class ProgbarLogger(Callback):
    """Shows the progress of `fit`, `evaluate` and `predict`; see `tricera.utils.Progbar`.

    `verbose`, `epochs` and `steps` come from the run's parameters. The values of a step are read only when the bar is
    drawn, at most twenty times a second and after the last step; they are those of the epoch so far, as the metrics
    hold them. Where only the last line of an epoch is written (verbose 2, a file) steps are not watched at all.
    """

    def __init__(self) -> None:
        super().__init__()
        self.progbar: Progbar | None = None
        self.target: int | None = None
        self.verbose = 1
        self.epochs = 1
        self.seen = 0
        self._in_fit = False

    def set_params(self, params: dict[str, Any]) -> None:
        """Take `verbose`, `epochs` and `steps`."""
        super().set_params(params)
        self.verbose = resolve_verbose(params.get("verbose", 1))
        self.epochs = params.get("epochs", 1)
        self.target = params.get("steps")

    def _watches_batches(self, kind: str) -> bool:
        """Steps matter if a bar grows, or if only counting them tells how many there are."""
        if self.verbose == 0 or (kind == "test" and self._in_fit):
            return False
        return not self.target or (self.verbose == 1 and is_live())

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """From now on evaluations are validations, which have no bar of their own."""
        self._in_fit = True

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Training is over."""
        self._in_fit = False

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Print `Epoch 1/20` and begin a bar."""
        self._begin()
        if self.verbose and self.epochs > 1:
            print_msg(f"Epoch {epoch + 1}/{self.epochs}")

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Move the bar."""
        self._advance(batch, logs)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """End the line with the results of the epoch."""
        self._finish(logs)

    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Begin a bar, unless this is a validation."""
        if not self._in_fit:
            self._begin()

    def on_test_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Move the bar, unless this is a validation."""
        if not self._in_fit:
            self._advance(batch, logs)

    def on_test_end(self, logs: dict[str, Any] | None = None) -> None:
        """End the line, unless this is a validation."""
        if not self._in_fit:
            self._finish(logs)

    def on_predict_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Begin a bar."""
        self._begin()

    def on_predict_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Move the bar; the outputs are not looked at."""
        self._advance(batch, None)

    def on_predict_end(self, logs: dict[str, Any] | None = None) -> None:
        """End the line."""
        self._finish(None)

    def _begin(self) -> None:
        self.seen = 0
        self.progbar = Progbar(self.target, verbose=self.verbose, stateless_metrics=())

    def _advance(self, batch: int, logs: dict[str, Any] | None) -> None:
        if self.progbar is None:
            self._begin()
        assert self.progbar is not None
        self.seen = batch + 1
        values = sorted(logs.items()) if logs and self.progbar.due(self.seen) else None
        self.progbar.update(self.seen, values, finalize=False)

    def _finish(self, logs: dict[str, Any] | None) -> None:
        if self.progbar is None:
            self._begin()
        assert self.progbar is not None
        if not self.target:
            self.target = self.progbar.target = self.seen or None  # the next epoch knows how long it is
        self.progbar.update(self.seen or self.target or 0, logs, finalize=True)
        self.progbar = None
