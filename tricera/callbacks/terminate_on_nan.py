"""Stopping at a loss that is no number."""

from __future__ import annotations

from typing import Any

from tricera.callbacks.callback import Callback
from tricera.callbacks.monitor import is_finite
from tricera.utils.io_utils import print_msg


class TerminateOnNaN(Callback):
    """Ends the training when the loss becomes NaN or infinite.

    It reads the loss after every step, which makes the host wait for the device each time.

    Args:
        raise_error: raise instead of ending the training the ordinary way; no callback's `on_train_end` runs.

    Raises:
        RuntimeError: with `raise_error`, (at the end of the step) the loss is not finite.

    Example:
        >>> TerminateOnNaN(raise_error=True).on_train_batch_end(3, {"loss": float("nan")})
        Traceback (most recent call last):
        RuntimeError: The loss is nan at batch 3; training ends here.
    """

    def __init__(self, raise_error: bool = False) -> None:
        super().__init__()
        self.raise_error = raise_error

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Look at the loss."""
        loss = (logs or {}).get("loss")
        if loss is None or is_finite(loss):
            return
        if self.raise_error:
            raise RuntimeError(f"The loss is {loss} at batch {batch}; training ends here.")
        print_msg(f"Batch {batch}: Invalid loss, terminating training")
        self.model.stop_training = True
