"""Where data sets lie on disk, and how missing ones are fetched: verified, whole, or with a word on what to put where."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

from tricera.core import config


def folders() -> list[Path]:
    """The folders that are searched, ours first, then Keras's."""
    keras = Path(os.environ.get("KERAS_HOME", Path.home() / ".keras"))
    return [config.home() / "datasets", keras / "datasets"]


def sha256(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


def find(name: str, url: str, expected: str | None = None) -> Path:
    """The path of a data file: from a cache folder, else downloaded, verified and moved into place whole.

    Args:
        name: the file's name.
        url: where it can be downloaded.
        expected: its SHA-256; None where only its content can be checked.

    Raises:
        OSError: it is in no folder and can't be downloaded; the message says which file to put where.
        ValueError: what was downloaded has another SHA-256.
    """
    for folder in folders():
        path = folder / name
        if path.is_file() and (expected is None or sha256(path) == expected):
            return path
    target = folders()[0] / name
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        try:
            with os.fdopen(handle, "wb") as out, urllib.request.urlopen(url, timeout=60) as source:
                shutil.copyfileobj(source, out)
        except (urllib.error.URLError, OSError) as error:
            raise OSError(
                f"The data file {name!r} is in none of {', '.join(map(str, folders()))} and can't be downloaded from {url}: {error}. "
                f"Download it elsewhere and put it to {target}."
            ) from error
        found = sha256(Path(temporary))
        if expected is not None and found != expected:
            raise ValueError(
                f"The file downloaded from {url} has the SHA-256 {found}, not {expected} as expected. It was not kept."
            )
        os.replace(temporary, target)
    finally:
        Path(temporary).unlink(missing_ok=True)
    return target
