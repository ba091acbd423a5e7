"""A callback that asks for numbers while a model trains, so that each batch is a dispatch of its own."""

from __future__ import annotations

from typing import Any

from tricera.callbacks import Callback


class Reader(Callback):
    """Reads the loss after each batch.

    Attributes:
        found: what was read.
    """

    def __init__(self) -> None:
        super().__init__()
        self.found: list[Any] = []

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.found.append(logs["loss"])
