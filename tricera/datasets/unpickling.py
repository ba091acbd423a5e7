"""Reading pickled data without running what a pickle may hold: only arrays of NumPy, containers, numbers and texts."""

from __future__ import annotations

import io
import pickle
import zipfile
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy

_MAX_BYTES = 2 << 30
_RECONSTRUCT = np.ndarray(0).__reduce__()[0]  # NumPy has moved it about; older files name its older places


def _encode(text: str, encoding: str) -> bytes:
    """Bytes as Python 2 and protocol 2 wrote them."""
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"bytes in the encoding {encoding!r}")
    return text.encode("latin1")


_ALLOWED: dict[tuple[str, str], Any] = {
    **{(f"numpy.{core}.multiarray", "_reconstruct"): _RECONSTRUCT for core in ("core", "_core")},
    **{(f"numpy.{core}.multiarray", "scalar"): np.float64(0).__reduce__()[0] for core in ("core", "_core")},
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("_codecs", "encode"): _encode,
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        try:
            return _ALLOWED[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"it names {module}.{name}, which data has no need of") from None


def load(file: IO[bytes], source: str | Path, encoding: str = "ASCII") -> Any:
    """The value of a pickle that holds nothing but data.

    Args:
        file: an open file.
        source: its name, for messages.
        encoding: how the texts of Python 2 are decoded; `"bytes"` leaves them.

    Raises:
        ValueError: it is damaged, or names anything but NumPy's arrays.
    """
    try:
        return _Unpickler(file, encoding=encoding).load()
    except Exception as error:  # a damaged pickle may raise whatever its opcodes stumble over
        raise ValueError(f"{source} is not a plain pickle of data and was not read: {error}") from error


def object_arrays(path: Path, *names: str) -> list[np.ndarray]:
    """Some arrays of an `.npz` file that may hold Python lists (`allow_pickle`), read by the unpickler above.

    Args:
        path: the file.
        names: the arrays' names.

    Raises:
        ValueError: the file is damaged, too large, has no such arrays, or holds anything but data.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return [_array(archive, path, name) for name in names]
    except (KeyError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(
            f"{path} is not the data set that was expected (arrays {', '.join(names)}): {error}"
        ) from error


def _array(archive: zipfile.ZipFile, path: Path, name: str) -> np.ndarray:
    member = archive.getinfo(f"{name}.npy")
    if member.file_size > _MAX_BYTES:
        raise ValueError(f"{path} declares {member.file_size} bytes for {name!r}; at most {_MAX_BYTES} are read.")
    file = io.BytesIO(archive.read(member))
    version = npy.read_magic(file)
    read_header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, _, dtype = read_header(file)
    if not dtype.hasobject:
        file.seek(0)
        return npy.read_array(file, allow_pickle=False)
    array = load(file, f"{path}, array {name!r}")
    if not isinstance(array, np.ndarray) or array.shape != shape:
        raise ValueError(f"{path}: the array {name!r} is not of the shape {shape} that its header says.")
    return array
