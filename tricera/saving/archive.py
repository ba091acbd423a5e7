"""Archives: the bytes of a `.keras` file on one side, its members as plain values on the other.

A `.keras` file is a zip of `config.json`, `metadata.json`, `model.weights.h5` and perhaps `assets/...`; the same four as
files in a folder are a model saved with `zipped=False`. This module knows nothing of models. It is where every limit
against hostile files stands that has to do with zip: names, links, duplicates, sizes. `hdf5.py` guards the weights,
`config.py` the JSON.

Writing goes to a file beside the target, which is renamed when it is whole; so a crash, a full disk or an object that
cannot be saved leaves what was there before.
"""

from __future__ import annotations

import contextlib
import io
import os
import secrets
import shutil
import stat
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any, NamedTuple

CONFIG, METADATA, WEIGHTS, ASSETS = "config.json", "metadata.json", "model.weights.h5", "assets/"
MAX_MEMBERS = 20_000
MAX_JSON = 128 * 2**20
# An archive may hold this many times its own size once unpacked, and always this many bytes.
MAX_RATIO, FREE_BYTES = 100, 64 * 2**20


class FileFormatError(ValueError):
    """A file that is not what it should be: cut short, of another kind, or made to do harm."""


class Member(NamedTuple):
    """Something to be written: its name and its bytes, or a function that writes them to an open file."""

    name: str
    content: bytes | Callable[[IO[bytes]], None]


def local_path(filepath: Any, what: str = "filepath") -> Path:
    """The path as a `Path`, if it can mean a local file.

    Raises:
        TypeError: not a path.
        ValueError: an address such as `gs://...`, an empty path, or one with a null character.
    """
    if isinstance(filepath, bytes) or not isinstance(filepath, (str, os.PathLike)):
        raise TypeError(f"`{what}` must be a string or a pathlib.Path, not {filepath!r}.")
    text = os.fspath(filepath)
    if "://" in text or (text.split(":", 1)[0] in ("gs", "s3", "hf", "http", "https", "hdfs") and ":/" in text):
        raise ValueError(f"{text!r} is an address, not a local path. Copy the file to or from this machine yourself.")
    if not text or "\0" in text:
        raise ValueError(f"`{what}`={text!r} is not a path of a file.")
    return Path(text)


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """Open a new file that takes the place of `path` if the block ends well, and leaves no trace if it does not.

    Raises:
        OSError: the folder does not exist or cannot be written, naming the path.
    """
    target = Path(os.path.realpath(path))
    if target.is_dir():
        raise IsADirectoryError(f"{path} is a folder; give the name of a file in it.")
    beside = target.with_name(f".{target.name[:100]}.{secrets.token_hex(8)}.tmp")
    try:
        file = open(os.open(beside, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666), "w+b")
    except OSError as error:
        reason = "its folder does not exist" if not target.parent.is_dir() else error.strerror
        raise type(error)(error.errno, f"Cannot write {path}: {reason}") from error
    try:
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, target)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def may_write(path: Path, overwrite: bool) -> bool:
    """Whether to go on writing: asks the user if the file exists and `overwrite` is false.

    Raises:
        FileExistsError: there is nobody to ask.
    """
    if overwrite or not path.exists():
        return True
    try:
        answer = input(f"{path} already exists. Overwrite it? [y/n] ")
    except (EOFError, OSError):
        raise FileExistsError(
            f"{path} already exists. Pass overwrite=True to replace it, or choose another name."
        ) from None
    return answer.strip().lower() in ("y", "yes")


def write_zip(file: IO[bytes], members: list[Member], folder: Path | None = None) -> None:
    """Write the members uncompressed, in order; large ones pass through a temporary file in `folder`."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        for name, content in members:
            if isinstance(content, bytes):
                archive.writestr(name, content)
            else:
                with tempfile.TemporaryFile(dir=folder) as whole:
                    content(whole)
                    whole.seek(0)
                    with archive.open(name, "w", force_zip64=True) as member:
                        shutil.copyfileobj(whole, member, 2**20)


def write_folder(path: Path, members: list[Member]) -> None:
    """Write the members as files of the folder `path`, which is replaced as a whole."""
    if path.exists() and not (path.is_dir() and (path / CONFIG).is_file()):
        raise FileExistsError(f"{path} exists and is not a model's folder, so it is not replaced. Choose another name.")
    beside = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    try:
        beside.mkdir()
    except OSError as error:
        raise type(error)(error.errno, f"Cannot write {path}: {error.strerror}") from error
    try:
        for name, content in members:
            target = beside / name
            target.parent.mkdir(parents=True, exist_ok=True)
            with open(target, "w+b") as file:
                file.write(content) if isinstance(content, bytes) else content(file)
        (beside / ASSETS).mkdir(exist_ok=True)
        if path.exists():
            old = path.with_name(f".{path.name}.{secrets.token_hex(8)}.old")
            path.rename(old)
            beside.rename(path)
            shutil.rmtree(old)
        else:
            beside.rename(path)
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise


class Archive:
    """An archive open for reading: `read(name)`, `section(name)`, `names`.

    Args:
        source: a path of a `.keras` file or of a folder saved with `zipped=False`, or the bytes of a `.keras` file.

    Raises:
        FileNotFoundError: nothing is there.
        FileFormatError: it is not such an archive, or is made to do harm.
    """

    def __init__(self, source: Path | bytes) -> None:
        self._folder: Path | None = None
        self._zip: zipfile.ZipFile | None = None
        self._open: list[IO[bytes]] = []
        if isinstance(source, Path) and source.is_dir():
            self.label = str(source)
            self._folder = source
            self._sizes = _folder_members(source)
        else:
            self.label = "the given bytes" if isinstance(source, bytes) else str(source)
            self._file = io.BytesIO(source) if isinstance(source, bytes) else _open_file(source)
            self._open.append(self._file)
            try:
                self._sizes = self._read_directory()
            except BaseException:
                self.close()
                raise

    @property
    def names(self) -> list[str]:
        """The members' names."""
        return list(self._sizes)

    def close(self) -> None:
        """Close every file that was opened for the archive."""
        for file in reversed(self._open):
            file.close()
        self._open.clear()

    def __enter__(self) -> Archive:  # noqa: PYI034
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def size(self, name: str) -> int:
        """The member's length in bytes.

        Raises:
            FileFormatError: there is no such member.
        """
        try:
            return self._sizes[name]
        except KeyError:
            raise FileFormatError(
                f"{self.label} holds no {name!r}, so it is not a saved model. It holds {', '.join(self.names[:10]) or 'nothing'}."
            ) from None

    def read(self, name: str, limit: int = MAX_JSON) -> bytes:
        """The member's bytes.

        Raises:
            FileFormatError: there is none, it is longer than `limit`, or damaged.
        """
        size = self.size(name)
        if size > limit:
            raise FileFormatError(f"{name!r} in {self.label} is {size:,} bytes long; at most {limit:,} are read.")
        with self._member(name) as file:
            try:
                data = file.read(limit + 1)
            except (zipfile.BadZipFile, zlib.error, EOFError, OSError) as error:
                raise FileFormatError(f"{name!r} in {self.label} is damaged: {error}") from error
        if len(data) != size:
            raise FileFormatError(f"{name!r} in {self.label} is {len(data):,} bytes long, not {size:,} as declared.")
        return data

    def section(self, name: str) -> IO[bytes]:
        """The member as a file that can be read and searched; it lives as long as the archive.

        Raises:
            FileFormatError: there is none, or it is damaged.
        """
        self.size(name)
        if self._folder is not None:
            file: IO[bytes] = open(self._folder / name, "rb")
        elif self._info(name).compress_type == zipfile.ZIP_STORED:
            file = self._stored(self._info(name))
        else:
            file = tempfile.TemporaryFile()
            with self._member(name) as member:
                try:
                    shutil.copyfileobj(member, file, 2**20)
                except (zipfile.BadZipFile, zlib.error, EOFError) as error:
                    raise FileFormatError(f"{name!r} in {self.label} is damaged: {error}") from error
            file.seek(0)
        self._open.append(file)
        return file

    def _info(self, name: str) -> zipfile.ZipInfo:
        assert self._zip is not None
        return self._zip.getinfo(name)

    def _member(self, name: str) -> IO[bytes]:
        if self._folder is not None:
            return open(self._folder / name, "rb")
        assert self._zip is not None
        try:
            return self._zip.open(name)
        except (zipfile.BadZipFile, RuntimeError, NotImplementedError, OSError) as error:
            raise FileFormatError(f"{name!r} in {self.label} is damaged: {error}") from error

    def _stored(self, info: zipfile.ZipInfo) -> IO[bytes]:
        """A view of the member inside the zip file, after its checksum was compared."""
        self._member(info.filename).close()  # compares the two headers
        self._file.seek(info.header_offset + 26)
        lengths = struct.unpack("<2H", self._file.read(4))
        section = io.BufferedReader(_Section(self._file, info.header_offset + 30 + sum(lengths), info.file_size), 2**16)
        checksum = 0
        while block := section.read(2**20):
            checksum = zlib.crc32(block, checksum)
        if checksum != info.CRC or section.tell() != info.file_size:
            raise FileFormatError(f"{info.filename!r} in {self.label} is damaged: its checksum does not match.")
        section.seek(0)
        return section

    def _read_directory(self) -> dict[str, int]:
        size = self._file.seek(0, os.SEEK_END)
        try:
            self._zip = zipfile.ZipFile(self._file)
        except (zipfile.BadZipFile, ValueError, EOFError, struct.error, NotImplementedError, OSError) as error:
            raise FileFormatError(
                f"{self.label} is not a .keras file, or was cut short: {error}. A .keras file is a zip archive."
            ) from error
        members = self._zip.infolist()
        if len(members) > MAX_MEMBERS:
            raise FileFormatError(f"{self.label} has {len(members):,} members; at most {MAX_MEMBERS:,} are read.")
        sizes: dict[str, int] = {}
        for info in members:
            check_member(info, self.label)
            if info.filename in sizes:
                raise FileFormatError(f"{self.label} holds {info.filename!r} twice.")
            sizes[info.filename] = info.file_size
        total, allowed = sum(sizes.values()), max(FREE_BYTES, MAX_RATIO * size)
        if total > allowed:
            raise FileFormatError(
                f"{self.label} would unpack to {total:,} bytes from {size:,}, more than a model file does ({allowed:,})."
            )
        return {name: length for name, length in sizes.items() if not name.endswith("/")}


class _Section(io.RawIOBase):
    """A stretch of an open file as a file of its own."""

    def __init__(self, file: IO[bytes], start: int, length: int) -> None:
        self._file, self._start, self._length, self._at = file, start, length, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._length}[whence]
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        count = max(0, min(len(buffer), self._length - self._at))
        self._file.seek(self._start + self._at)
        done = self._file.readinto(memoryview(buffer)[:count])  # type: ignore[attr-defined]
        self._at += done
        return int(done)


def check_member(info: zipfile.ZipInfo, label: str) -> None:
    """Refuse a zip member with a name, a type or a compression that no model file has.

    Raises:
        FileFormatError: saying what is wrong with it.
    """
    name = info.orig_filename
    wrong = name_fault(name)
    kind = stat.S_IFMT(info.external_attr >> 16)
    if wrong is None and kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        wrong = "is a link or a device, not a plain file"
    if wrong is None and info.flag_bits & 0x1:
        wrong = "is encrypted"
    if wrong is None and info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        wrong = f"is compressed by a method (number {info.compress_type}) that model files do not use"
    if wrong is not None:
        raise FileFormatError(f"{label} is refused: its member {name!r} {wrong}.")


def name_fault(name: str) -> str | None:
    """What is wrong with the name of a member, or None: it must stay inside the archive on every system."""
    if not name or "\0" in name or any(ord(c) < 32 for c in name):
        return "has a control character in its name"
    if "\\" in name or ":" in name:
        return "has a backslash or a colon in its name"
    if name.startswith("/"):
        return "has an absolute path"
    parts = name.removesuffix("/").split("/")
    if any(part in ("", ".", "..") or part != part.strip(" ") or part.endswith(".") for part in parts):
        return "has a path that leaves its folder or means different files on different systems"
    return None


def read_assets(archive: Archive, prefix: str, folder: Path) -> bool:
    """Write the members below `assets/<prefix>` into `folder`; whether there were any."""
    start = f"{ASSETS}{prefix}/" if prefix else ASSETS
    found = [name for name in archive.names if name.startswith(start)]
    for name in found:
        target = folder / name.removeprefix(start)
        if not Path(os.path.realpath(target)).is_relative_to(os.path.realpath(folder)):
            raise FileFormatError(f"{archive.label} is refused: its member {name!r} leaves its folder.")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(archive.read(name, max(MAX_JSON, archive.size(name))))
    return bool(found)


def asset_members(assets: Mapping[str, Path]) -> list[Member]:
    """The files below each folder, as members under `assets/<path>/`."""
    members = []
    for prefix, folder in assets.items():
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not path.is_symlink():
                inside = path.relative_to(folder).as_posix()
                name = f"{ASSETS}{prefix}/{inside}" if prefix else f"{ASSETS}{inside}"
                fault = name_fault(name)
                if fault is not None:
                    raise ValueError(f"The asset {name!r} can't be saved: it {fault}.")
                members.append(Member(name, path.read_bytes()))
    return members


def _open_file(path: Path) -> IO[bytes]:
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            raise FileFormatError(f"{path} is not a plain file.")
        return open(path, "rb")
    except FileNotFoundError:
        raise FileNotFoundError(f"There is no file {path}.") from None


def _folder_members(folder: Path) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            raise FileFormatError(f"{folder} is refused: {name!r} in it is a link.")
        if path.is_file():
            sizes[name] = path.stat().st_size
        if len(sizes) > MAX_MEMBERS:
            raise FileFormatError(f"{folder} holds more than {MAX_MEMBERS:,} files.")
    if CONFIG not in sizes:
        raise FileFormatError(f"{folder} is a folder without a {CONFIG}, so it is not a model saved with zipped=False.")
    return sizes
