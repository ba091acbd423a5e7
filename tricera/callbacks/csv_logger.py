"""A table of the epochs in a file."""

from __future__ import annotations

import csv
import os
import warnings
from collections.abc import Iterable
from typing import IO, Any

import numpy as np

from tricera.callbacks.callback import Callback


class CSVLogger(Callback):
    """Writes the results of each epoch as a row of a CSV file, as soon as they are there.

    The columns are `epoch`, the results of the first epoch, and the `val_` results whether or not that epoch was
    validated; what an epoch does not have is `NA`.

    Args:
        filename: the file.
        separator: what stands between two columns.
        append: go on with the file if it exists (in the columns that it has) instead of replacing it.

    Raises:
        OSError: (when training begins) the file cannot be opened.
        ValueError: the separator is not a single character.

    Example:
        >>> logger = CSVLogger("log.csv", separator=";")
    """

    def __init__(self, filename: str | os.PathLike[str], separator: str = ",", append: bool = False) -> None:
        super().__init__()
        if not isinstance(separator, str) or len(separator) != 1:
            raise ValueError(f"`separator` is one character; got {separator!r}.")
        self.filename = os.fspath(filename)
        self.separator = separator
        self.append = append
        self.keys: list[str] | None = None
        self._file: IO[str] | None = None
        self._header_due = True

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Open the file."""
        self.keys, self._header_due = None, True
        try:
            if self.append and os.path.exists(self.filename):
                self._read_header()
            mode = "a" if self.append else "w"
            self._file = open(self.filename, mode, newline="", encoding="utf-8")  # noqa: SIM115 (open all training)
        except OSError as error:
            raise type(error)(
                f"CSVLogger cannot write to {self.filename!r}: {error}. Give it a file in a folder that exists and "
                "that you may write to."
            ) from error

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Write a row."""
        logs = logs or {}
        if self._file is None:
            self.on_train_begin()
        assert self._file is not None
        if self.keys is None:
            self.keys = sorted(logs)
            if not any(name.startswith("val_") for name in self.keys):
                # A validation may come in a later epoch only, and a table cannot grow columns.
                self.keys += [f"val_{name}" for name in self.keys]
        unknown = [name for name in logs if name not in self.keys]
        if unknown:
            warnings.warn(
                f"CSVLogger leaves out {', '.join(unknown)}: {self.filename!r} has no such column.", stacklevel=2
            )
        writer = csv.writer(self._file, delimiter=self.separator, lineterminator="\n")
        if self._header_due:
            writer.writerow(["epoch", *self.keys])
            self._header_due = False
        writer.writerow([epoch, *(_cell(logs[name]) if name in logs else "NA" for name in self.keys)])
        self._file.flush()

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _read_header(self) -> None:
        with open(self.filename, newline="", encoding="utf-8") as file:
            header = next(csv.reader(file, delimiter=self.separator), None)
        self._header_due = header is None
        if header and header[0] == "epoch":
            self.keys = header[1:]


def _cell(value: Any) -> Any:
    """A cell: text and scalars as they are, one-dimensional values as `[1, 2]`."""
    if isinstance(value, str) or (isinstance(value, np.ndarray) and value.ndim == 0) or not isinstance(value, Iterable):
        return value
    return f"[{', '.join(map(str, value))}]"
