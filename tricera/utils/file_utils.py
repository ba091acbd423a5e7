"""Files from the network: downloaded once, verified, moved into place whole."""

from __future__ import annotations

import hashlib
import http.client
import os
import re
import shutil
import tempfile
import urllib.error
import urllib.parse
import urllib.request
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from tricera.core import config
from tricera.utils.archive_utils import extract as unpack, formats_of
from tricera.utils.io_utils import print_msg

_SCHEMES = ("http", "https", "ftp", "file")
_BLOCK = 1 << 20


def get_file(
    fname: str | os.PathLike[str] | None = None,
    origin: str | None = None,
    untar: bool = False,
    md5_hash: str | None = None,
    file_hash: str | None = None,
    cache_subdir: str = "datasets",
    hash_algorithm: str = "auto",
    extract: bool = False,
    archive_format: str | Sequence[str] | None = "auto",
    cache_dir: str | os.PathLike[str] | None = None,
    force_download: bool = False,
) -> str:
    """The path of a file: from the cache, else downloaded, verified, and unpacked if so asked.

    A file is moved into the cache when it is whole and its hash is right; what is unpacked stays inside its folder (no links,
    no `..`), and its size is limited. Without a hash, whatever the server sends is kept: give one if you know it.

    Args:
        fname: the file's name in the cache, not a path; by default the last part of `origin`.
        origin: the URL.
        untar: the older way to say `extract=True, archive_format="tar"`.
        md5_hash: the older way to say `file_hash` with MD5.
        file_hash: the expected hash, in hexadecimal.
        cache_subdir: the folder below `cache_dir`; an absolute path stands for itself.
        hash_algorithm: `"md5"`, `"sha256"`, or `"auto"`: by the length of `file_hash`.
        extract: whether to unpack the file.
        archive_format: `"auto"` (tar, then zip), `"tar"`, `"zip"`, a list of these, or None.
        cache_dir: the folder of caches; by default a file in Tricera's (`~/.tricera`) or Keras's (`$KERAS_HOME`, `~/.keras`)
            is taken, and a new one goes to Tricera's.
        force_download: whether to download even if the file is in the cache.

    Returns:
        The path of the file. With `extract`, of the folder with its content: `fname` where that has no extension (the archive
        is beside it as `<fname>_archive`), else `<stem>_extracted`.

    Raises:
        ValueError: no `origin`, a path as `fname`, an unknown scheme, algorithm or format, another hash than expected, or an
            archive that can't be unpacked safely.
        OSError: the download failed; the message says which file to put where.

    Example:
        >>> import pathlib, tempfile
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> _ = (folder / "a.txt").write_text("words")
        >>> path = get_file("b.txt", (folder / "a.txt").as_uri(), cache_dir=folder)  # doctest: +ELLIPSIS
        Downloading data from file://...
        >>> pathlib.Path(path).read_text()
        'words'
    """
    if not origin:
        raise ValueError("`get_file` needs `origin`, the URL of the file.")
    if untar:
        warnings.warn(
            "`untar` is deprecated: use `extract=True, archive_format='tar'`.", DeprecationWarning, stacklevel=2
        )
        extract, archive_format = True, "tar"
    if md5_hash is not None and file_hash is None:
        warnings.warn("`md5_hash` is deprecated: use `file_hash`.", DeprecationWarning, stacklevel=2)
        file_hash, hash_algorithm = md5_hash, "md5"
    formats = formats_of(archive_format)
    algorithm = algorithm_of(file_hash, hash_algorithm)
    name = os.fspath(fname) if fname else ""
    stored, unpacked = _names(name, origin, extract)
    folders = _folders(cache_dir, cache_subdir)
    path = fetch(stored, origin, folders, file_hash, algorithm, force_download)
    if unpacked is None:
        return str(path)
    target = path.parent / unpacked
    # A folder older than its archive is left of another one.
    if force_download or not target.is_dir() or target.stat().st_mtime < path.stat().st_ctime:
        if not unpack(path, target, formats):
            raise ValueError(
                f"{path} (from {origin}) can't be unpacked: it is no archive of the format {list(formats)}. "
                "Pass extract=False, or another archive_format."
            )
        os.utime(target)
    return str(target)


def fetch(
    name: str,
    url: str,
    folders: Sequence[Path],
    expected: str | None = None,
    algorithm: str = "sha256",
    force: bool = False,
) -> Path:
    """The path of a file in the first of some folders that holds it; else it is downloaded into the first folder.

    Args:
        name: the file's name, relative to the folders.
        url: where it can be downloaded.
        folders: where to look.
        expected: its hash, in hexadecimal; a file with another one is passed over.
        algorithm: `"md5"` or `"sha256"`.
        force: whether to download in any case.

    Raises:
        OSError: it is in none of the folders and can't be downloaded; the message says which file to put where.
        ValueError: what was downloaded has another hash.
    """
    others = []
    for path in (folder / name for folder in folders):
        if path.is_file() and not force:
            if expected is None or digest(path, algorithm) == expected.lower():
                return path
            others.append(path)
    target = folders[0] / name
    try:
        download(url, target, expected, algorithm)
    except OSError as error:
        held = f" ({', '.join(map(str, others))} is there, but with another hash)" if others else ""
        raise OSError(
            f"The file {name!r} is in none of the folders {', '.join(map(str, folders))}{held} and can't be downloaded from {url}: "
            f"{error}. Download it elsewhere and put it to {target}."
        ) from error
    return target


def download(url: str, target: Path, expected: str | None = None, algorithm: str = "sha256") -> None:
    """Download a file, verify it, and move it into place; nothing is left behind if anything fails.

    Args:
        url: an http, https, ftp or file URL.
        target: where it goes; missing folders are made.
        expected: its hash, in hexadecimal.
        algorithm: `"md5"` or `"sha256"`.

    Raises:
        OSError: it can't be downloaded or written, or came incomplete.
        ValueError: another scheme, or another hash than expected.
    """
    scheme = urllib.parse.urlsplit(url).scheme
    if scheme not in _SCHEMES:
        raise ValueError(f"Can't download {url!r}: the scheme must be one of {', '.join(_SCHEMES)}.")
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        print_msg(f"Downloading data from {url}")
        with os.fdopen(handle, "wb") as out:
            _copy(url, out)
        found = digest(Path(temporary), algorithm)
        if expected is not None and found != expected.lower():
            raise ValueError(
                f"The file downloaded from {url} has the {algorithm} hash {found}, not {expected} as expected. It was not kept."
            )
        # mkstemp makes files that only their owner reads; a cache may be shared.
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)
        os.replace(temporary, target)
    finally:
        Path(temporary).unlink(missing_ok=True)


def digest(path: Path, algorithm: str = "sha256") -> str:
    """The hash of a file, in hexadecimal.

    Args:
        path: the file.
        algorithm: `"md5"` or `"sha256"`.

    Returns:
        32 (MD5) or 64 (SHA-256) hexadecimal digits.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.new(algorithm, usedforsecurity=False)).hexdigest()


def algorithm_of(file_hash: str | None, algorithm: str = "auto") -> str:
    """The algorithm that made a hash.

    Args:
        file_hash: the hash, in hexadecimal.
        algorithm: `"md5"`, `"sha256"`, or `"auto"`: by the number of digits.

    Raises:
        ValueError: another algorithm, or something that is no hash by it.

    Example:
        >>> algorithm_of("d41d8cd98f00b204e9800998ecf8427e")
        'md5'
    """
    digits = {"md5": 32, "sha256": 64}
    if algorithm not in ("auto", *digits):
        raise ValueError(f"`hash_algorithm` must be 'md5', 'sha256' or 'auto'. Received: {algorithm!r}.")
    if file_hash is None:
        return "sha256"
    for name, count in digits.items():
        if algorithm in (name, "auto") and re.fullmatch(rf"[0-9a-fA-F]{{{count}}}", file_hash):
            return name
    raise ValueError(f"`file_hash` is no {'MD5 or SHA-256' if algorithm == 'auto' else algorithm} hash: {file_hash!r}.")


def _copy(url: str, out: IO[bytes]) -> None:
    try:
        with urllib.request.urlopen(url, timeout=60) as source:
            shutil.copyfileobj(source, out, _BLOCK)
            length, written = source.headers.get("Content-Length"), out.tell()
    except http.client.HTTPException as error:
        raise OSError(f"the server broke off: {error!r}") from error
    if length is not None and written != int(length):
        raise OSError(f"only {written} of {length} bytes arrived")


def _names(name: str, origin: str, extract: bool) -> tuple[str, str | None]:
    """The name of the file in the cache, and that of the folder with its content (None where it isn't unpacked)."""
    given = bool(name)
    name = name or urllib.parse.unquote(os.path.basename(urllib.parse.urlsplit(origin).path))
    if not name:
        raise ValueError(f"The URL {origin!r} does not end in a file's name: pass `fname`.")
    if name in (".", "..") or re.search(r"[/\\\0]", name):
        raise ValueError(
            f"`fname` must be a file's name, not a path; use `cache_dir` for the folder. Received: {name!r}."
        )
    if not extract:
        return name, None
    if given and "." in name[1:]:
        return name, name[: name.index(".", 1)] + "_extracted"
    return f"{name}_archive", name


def _folders(cache_dir: str | os.PathLike[str] | None, subdir: str) -> list[Path]:
    if cache_dir is not None:
        return [Path(cache_dir).expanduser() / subdir]
    keras = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")
    # An absolute `subdir` stands for itself, both times.
    return list(dict.fromkeys([config.home() / subdir, keras / subdir]))
