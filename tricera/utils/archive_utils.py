"""Unpacking tar and zip files that nobody vouches for: only plain files and folders, only inside the target, of bounded size."""

from __future__ import annotations

import os
import shutil
import tarfile
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath, PureWindowsPath

# No data set that Keras knows is larger; an archive that unpacks to more is taken for a bomb.
MAX_BYTES = 64 << 30
MAX_MEMBERS = 2_000_000
_FORMATS = ("tar", "zip")


def formats_of(archive_format: str | Sequence[str] | None) -> tuple[str, ...]:
    """The formats to try.

    Args:
        archive_format: `"auto"` (tar, then zip), `"tar"`, `"zip"`, a sequence of these, or None (none at all).

    Raises:
        ValueError: any other format.

    Example:
        >>> formats_of("auto")
        ('tar', 'zip')
    """
    if archive_format is None:
        return ()
    if archive_format == "auto":
        return _FORMATS
    wanted = (archive_format,) if isinstance(archive_format, str) else tuple(archive_format)
    unknown = [name for name in wanted if name not in _FORMATS]
    if unknown:
        raise ValueError(
            f"`archive_format` must be 'auto', 'tar', 'zip', a list of these, or None. Received: {archive_format!r}."
        )
    return wanted


def extract(
    path: str | os.PathLike[str],
    target: str | os.PathLike[str],
    archive_format: str | Sequence[str] | None = "auto",
    max_bytes: int = MAX_BYTES,
) -> bool:
    """Unpack an archive into a new folder, which appears whole or not at all.

    All members are checked before the first is written. Links, devices, absolute names and names with `..` are refused.

    Args:
        path: the archive.
        target: the folder to make; one that is there already is replaced when all has been unpacked.
        archive_format: `"auto"`, `"tar"` (plain or compressed), `"zip"`, a sequence of these, or None.
        max_bytes: the most bytes that the members may hold together.

    Returns:
        Whether the file was an archive of one of these formats.

    Raises:
        ValueError: the archive is damaged, too large, or holds something other than plain files and folders.
    """
    path, target = Path(path), Path(target)
    for name in formats_of(archive_format):
        is_format, unpack = (tarfile.is_tarfile, _untar) if name == "tar" else (zipfile.is_zipfile, _unzip)
        if not is_format(path):
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}."))
        try:
            unpack(path, fresh / "new", max_bytes)
            if target.is_dir() and not target.is_symlink():
                os.replace(target, fresh / "old")
            os.replace(fresh / "new", target)
        except (tarfile.TarError, zipfile.BadZipFile, EOFError) as error:
            raise ValueError(f"The archive {path} is damaged or unsafe and was not unpacked: {error}") from error
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
        return True
    return False


def check_member(archive: Path, name: str) -> None:
    """Refuse a member's name that could lie outside the folder into which it is unpacked.

    Raises:
        ValueError: the name is empty, absolute, has a drive, a NUL, or a part `..`.
    """
    posix, windows = PurePosixPath(name), PureWindowsPath(name)
    if not name or "\0" in name or posix.is_absolute() or windows.drive or windows.root or ".." in windows.parts:
        raise ValueError(
            f"The archive {archive} holds a member named {name!r}, which lies outside of it. Nothing was unpacked."
        )


def _check_size(archive: Path, count: int, size: int, max_bytes: int) -> None:
    if count > MAX_MEMBERS or size > max_bytes:
        raise ValueError(
            f"The archive {archive} declares {count} members of {size} bytes together; "
            f"at most {MAX_MEMBERS} and {max_bytes} are unpacked. Nothing was unpacked."
        )


def _untar(path: Path, folder: Path, max_bytes: int) -> None:
    with tarfile.open(path) as archive:
        count = size = 0
        # One by one: reading the list of a bomb must stop at the limit, too.
        for member in archive:
            check_member(path, member.name)
            if not (member.isreg() or member.isdir()):
                raise ValueError(f"The archive {path} holds {member.name!r}, a link or device. Nothing was unpacked.")
            count, size = count + 1, size + member.size
            _check_size(path, count, size, max_bytes)
        folder.mkdir()
        archive.extractall(folder, filter="data")


def _unzip(path: Path, folder: Path, max_bytes: int) -> None:
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        for member in members:
            check_member(path, member.filename)
            kind = member.external_attr >> 28
            if kind not in (0, 0o10, 0o04):  # the type bits of a Unix mode: none, plain file, folder
                raise ValueError(
                    f"The archive {path} holds {member.filename!r}, a link or device. Nothing was unpacked."
                )
        _check_size(path, len(members), sum(member.file_size for member in members), max_bytes)
        folder.mkdir()
        # zipfile stops each member at its declared size, so the sum above holds.
        archive.extractall(folder)
