"""Errors of callbacks that write files: told before hours are spent on training."""

from __future__ import annotations

import os


def make_folder(folder: str, path: str, who: str) -> None:
    """Make a folder, if it is not there, in which `path` can be written.

    Raises:
        OSError: it can't be made, or nothing can be written in it.
    """
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        raise unwritable(path, error, who) from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise unwritable(path, PermissionError(f"no permission to write in the folder {folder!r}"), who)


def unwritable(path: str, error: OSError, who: str) -> OSError:
    """An error of the same class that says what could not be written, and by which callback."""
    return type(error)(f"{who} cannot save to {path!r}: {error}. Give it a path in a folder that you may write to.")
