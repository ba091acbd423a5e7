"""HDF5 <-> {path: array}: the weights inside a `.keras` file, and `.weights.h5` files.

What was learned of Keras's layout: a layer's own variables are datasets `0`, `1`, ... in the group `<path>/vars`, whose
attribute `name` holds the layer's name (the group is there for layers without variables, too); the root model's group is
`vars`. bfloat16 and the 8-bit floats are stored as opaque bytes (`V2`, `V1`) with an attribute `dtype`.

Reading trusts nothing that the file declares: only plain groups and plain datasets whose bytes lie in this file are
accepted (no soft or external links, no external or virtual storage), and a dataset's declared size is compared with the
bytes that are stored for it before anything is allocated.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import IO, Any

import h5py
import numpy as np

from tricera.core import dtypes
from tricera.saving.archive import FileFormatError

MAX_DEPTH, MAX_OBJECTS = 100, 1_000_000
# A compressed dataset may be this many times as large as what is stored of it, and always this many bytes.
MAX_RATIO, FREE_BYTES = 1000, 2**20
_OPAQUE = {"bfloat16", "float8_e4m3fn", "float8_e5m2", "int4", "uint4"}


def write(file: IO[bytes] | str, arrays: Mapping[str, np.ndarray], names: Mapping[str, str]) -> None:
    """Write arrays under their paths.

    Args:
        file: an open binary file, or a path.
        arrays: path -> array, the path's parts separated by `/`.
        names: path of a group -> its attribute `name`; the group is made even if nothing is in it.
    """
    with h5py.File(file, "w") as h5:
        for path, name in names.items():
            h5.require_group(path).attrs["name"] = name
        for path, array in arrays.items():
            array = np.asarray(array)
            dtype = dtypes.standardize_dtype(array.dtype) if array.dtype.kind not in "SUO" else None
            if dtype is None:
                raise TypeError(
                    f"The value at {path!r} is an array of {array.dtype}; only numbers can be saved as weights."
                )
            if dtype in _OPAQUE:
                whole = np.ascontiguousarray(array).reshape(array.shape)
                dataset = h5.create_dataset(path, data=whole.view(f"V{array.dtype.itemsize}"))
                dataset.attrs["dtype"] = dtype
            else:
                h5.create_dataset(path, data=array)


class Weights:
    """The datasets of an HDF5 file, found and checked but not yet read: a mapping from path to array.

    Args:
        source: an open binary file, or a path.
        label: what to call the file in messages.

    Raises:
        FileFormatError: it is not HDF5, was cut short, or holds something that weights do not need.
    """

    def __init__(self, source: IO[bytes] | str, label: str) -> None:
        self.label = label
        try:
            self._file = h5py.File(source, "r")
        except (OSError, ValueError, RuntimeError, KeyError) as error:
            raise FileFormatError(f"{label} is not an HDF5 file, or was cut short: {_first_line(error)}") from error
        self._datasets: dict[str, h5py.Dataset] = {}
        try:
            self._length = self._file.id.get_filesize()
            self._seen = {_address(self._file)}
            self._collect(self._file, "", 0)
        except (OSError, RuntimeError, KeyError, UnicodeError) as error:
            self.close()
            raise FileFormatError(f"{label} is damaged: {_first_line(error)}") from error
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Weights:  # noqa: PYI034
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[str]:
        return iter(self._datasets)

    def __contains__(self, path: object) -> bool:
        return path in self._datasets

    def __len__(self) -> int:
        return len(self._datasets)

    @property
    def nbytes(self) -> int:
        """The bytes of all arrays together."""
        return sum(int(np.prod(d.shape, dtype=object)) * d.dtype.itemsize for d in self._datasets.values())

    def shape(self, path: str) -> tuple[int, ...]:
        """The shape of the array at `path`."""
        return tuple(self._datasets[path].shape)

    def below(self, path: str) -> list[str]:
        """The names of the datasets in the group `path`."""
        start = f"{path}/"
        return [key[len(start) :] for key in self._datasets if key.startswith(start) and "/" not in key[len(start) :]]

    def __getitem__(self, path: str) -> np.ndarray:
        """Read the array at `path`."""
        dataset = self._datasets[path]
        try:
            array = dataset[()]
        except (OSError, RuntimeError, MemoryError, ValueError) as error:
            raise FileFormatError(f"{path!r} in {self.label} can't be read: {_first_line(error)}") from error
        array = np.asarray(array)
        if array.dtype.kind == "V":
            array = array.view(dtypes.numpy_dtype(self._declared_dtype(dataset, path)))
        return array

    def _collect(self, group: h5py.Group, path: str, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise FileFormatError(f"{self.label} is refused: its groups are nested more than {MAX_DEPTH} deep.")
        for name in group:
            inside = f"{path}/{name}" if path else name
            link = group.get(name, getlink=True)
            if not isinstance(link, h5py.HardLink):
                raise FileFormatError(
                    f"{self.label} is refused: {inside!r} is a link ({type(link).__name__}) to another place or file."
                )
            item = group[name]
            if len(self._seen) > MAX_OBJECTS:
                raise FileFormatError(f"{self.label} is refused: it holds more than {MAX_OBJECTS:,} objects.")
            address = _address(item)
            if address in self._seen:
                raise FileFormatError(f"{self.label} is refused: {inside!r} is the same object as another one in it.")
            self._seen.add(address)
            if isinstance(item, h5py.Group):
                self._collect(item, inside, depth + 1)
            elif isinstance(item, h5py.Dataset):
                self._check(item, inside)
                self._datasets[inside] = item
            else:
                raise FileFormatError(f"{self.label} is refused: {inside!r} is a {type(item).__name__}, not an array.")

    def _check(self, dataset: h5py.Dataset, path: str) -> None:
        fault = None
        layout = dataset.id.get_create_plist().get_layout()
        if layout == h5py.h5d.VIRTUAL or dataset.is_virtual:
            fault = "is a virtual dataset, whose bytes lie in other files"
        elif dataset.external:
            fault = "has external storage: its bytes lie in other files"
        elif dataset.shape is None:
            fault = "is empty (it has no shape)"
        elif dataset.dtype.kind not in "biufcV" or dataset.dtype.names or dataset.dtype.subdtype:
            fault = f"is an array of {dataset.dtype}, not of numbers"
        elif dataset.dtype.kind == "V":
            self._declared_dtype(dataset, path)
        if fault is not None:
            raise FileFormatError(f"{self.label} is refused: {path!r} {fault}.")
        declared = int(np.prod(dataset.shape, dtype=object)) * dataset.dtype.itemsize
        stored = dataset.id.get_storage_size()
        allowed = stored if layout == h5py.h5d.CONTIGUOUS and stored else FREE_BYTES + MAX_RATIO * stored
        if declared > allowed or stored > self._length:
            raise FileFormatError(
                f"{self.label} is refused: {path!r} declares the shape {tuple(dataset.shape)} ({declared:,} bytes), of which "
                f"{stored:,} bytes are stored, in a file of {self._length:,}."
            )

    def _declared_dtype(self, dataset: h5py.Dataset, path: str) -> str:
        if "dtype" in dataset.attrs and dataset.attrs.get_id("dtype").shape == ():
            name: Any = dataset.attrs["dtype"]
            name = name.decode("ascii", "replace") if isinstance(name, bytes) else name
            if name in _OPAQUE and dtypes.numpy_dtype(name).itemsize == dataset.dtype.itemsize:
                return name
        raise FileFormatError(f"{self.label} is refused: {path!r} is an array of opaque bytes of no known dtype.")


def _address(item: Any) -> tuple[int, int]:
    info = h5py.h5o.get_info(item.id)
    return info.fileno, info.addr


def _first_line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
