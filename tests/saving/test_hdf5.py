"""Weights in HDF5: round trip, and files made to do harm."""

from __future__ import annotations

import io

import h5py
import ml_dtypes
import numpy as np
import pytest

from tricera.saving import hdf5
from tricera.saving.archive import FileFormatError


def made(fill):
    file = io.BytesIO()
    with h5py.File(file, "w") as h5:
        fill(h5)
    file.seek(0)
    return file


def test_round_trip_of_every_dtype():
    dtypes = ["float32", "float64", "float16", "int8", "uint8", "int64", "uint32", "bool", "complex64"]
    arrays = {f"layers/{d}/vars/0": np.arange(6).reshape(2, 3).astype(d) for d in dtypes}
    for d in ("bfloat16", "float8_e4m3fn", "float8_e5m2"):
        arrays[f"layers/{d}/vars/0"] = np.arange(6).reshape(2, 3).astype(getattr(ml_dtypes, d))
        arrays[f"layers/{d}/vars/1"] = np.array(2, getattr(ml_dtypes, d))
    arrays["vars/0"] = np.float32(3)
    arrays["vars/1"] = np.zeros((0, 4), "float32")
    file = io.BytesIO()
    hdf5.write(file, arrays, {"vars": "model", "layers/empty/vars": "empty"})
    with h5py.File(file) as h5:
        assert h5["vars"].attrs["name"] == "model"
        assert len(h5["layers/empty/vars"]) == 0
        assert h5["layers/bfloat16/vars/0"].attrs["dtype"] == "bfloat16"
    with hdf5.Weights(file, "file") as weights:
        assert set(weights) == set(arrays)
        assert weights.below("layers/bfloat16/vars") == ["0", "1"]
        for path, array in arrays.items():
            got = weights[path]
            assert got.dtype == array.dtype
            assert weights.shape(path) == got.shape == array.shape
            np.testing.assert_array_equal(got, array)
        assert weights.nbytes == sum(a.nbytes for a in arrays.values())


def test_compressed_datasets_are_read():
    file = made(lambda h5: h5.create_dataset("vars/0", data=np.zeros((500, 500)), compression="gzip"))
    with hdf5.Weights(file, "file") as weights:
        assert weights["vars/0"].shape == (500, 500)


def test_only_numbers_are_written():
    with pytest.raises(TypeError, match="only numbers"):
        hdf5.write(io.BytesIO(), {"vars/0": np.array(["a"])}, {})


def bomb(h5):
    h5.create_dataset("vars/0", shape=(2**40, 2**20), dtype="f4", chunks=(1, 1024), compression="gzip")


def contiguous_bomb(h5):
    h5.create_dataset("vars/0", shape=(2**40,), dtype="f4")


def external_storage(h5):
    h5.create_dataset("vars/0", shape=(10,), dtype="u1", external=[("/etc/passwd", 0, 10)])


def external_link(h5):
    h5["layers"] = h5py.ExternalLink("/etc/other.h5", "/")


def soft_link(h5):
    h5["vars/0"] = np.zeros(3)
    h5["other"] = h5py.SoftLink("/vars")


def virtual(h5):
    layout = h5py.VirtualLayout(shape=(4,), dtype="f4")
    layout[:] = h5py.VirtualSource("/etc/other.h5", "x", shape=(4,))
    h5.create_virtual_dataset("vars/0", layout)


def cycle(h5):
    h5.create_group("layers/a")
    h5["layers/a/again"] = h5["layers"]


def strings(h5):
    h5["vars/0"] = np.array([b"abc"])


def objects(h5):
    h5.create_dataset("vars/0", data=["abc"], dtype=h5py.string_dtype())


def references(h5):
    h5.create_dataset("vars/0", data=[h5.ref], dtype=h5py.ref_dtype)


def compound(h5):
    h5["vars/0"] = np.zeros(2, [("a", "f4"), ("b", "f4")])


def named_type(h5):
    h5["vars"] = np.dtype("f4")


def opaque(h5):
    h5["vars/0"] = np.zeros(2, "V2")


def opaque_of_wrong_size(h5):
    h5["vars/0"] = np.zeros(2, "V4")
    h5["vars/0"].attrs["dtype"] = "bfloat16"


def opaque_with_huge_attribute(h5):
    h5["vars/0"] = np.zeros(2, "V2")
    h5["vars/0"].attrs["dtype"] = ["bfloat16"] * 10


def null_space(h5):
    h5["vars/0"] = h5py.Empty("f4")


def deep(h5):
    h5.create_group("/".join("a" * 200))


@pytest.mark.parametrize(
    "fill",
    [
        bomb, contiguous_bomb, external_storage, external_link, soft_link, virtual, cycle, strings, objects, references,
        compound, named_type, opaque, opaque_of_wrong_size, opaque_with_huge_attribute, null_space, deep,
    ],
)  # fmt: skip
def test_hostile_files_are_refused(fill):
    with pytest.raises(FileFormatError, match="file is refused"):
        hdf5.Weights(made(fill), "file")


def test_cut_short_and_not_hdf5():
    data = made(lambda h5: h5.create_dataset("vars/0", data=np.arange(1000.0))).getvalue()
    for cut in (b"", b"hello", data[:100], data[: len(data) // 2], data[:-1000]):
        with pytest.raises(FileFormatError, match=r"not an HDF5 file, or was cut short"):
            hdf5.Weights(io.BytesIO(cut), "file")
