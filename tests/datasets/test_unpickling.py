"""Pickles: data is read, code is not run."""

from __future__ import annotations

import io
import os
import pickle

import numpy as np
import pytest

from tricera.datasets.unpickling import load, object_arrays


class Harm:
    def __reduce__(self):
        return os.mkdir, ("harm-done",)


def texts(*lists):
    array = np.empty(len(lists), object)
    array[:] = lists
    return array


# Protocol 5 holds arrays in another way, which no data set uses.
@pytest.mark.parametrize("protocol", range(5))
def test_data_is_read(protocol):
    value = {
        "data": np.arange(6, dtype="uint8").reshape(2, 3),
        b"labels": [1, 2],
        "x": np.float32(2.5),
        "t": ("a", None),
    }
    found = load(io.BytesIO(pickle.dumps(value, protocol)), "test")
    np.testing.assert_array_equal(found["data"], value["data"])
    assert found[b"labels"] == [1, 2] and found["x"] == 2.5 and found["t"] == ("a", None)


@pytest.mark.parametrize("value", [Harm(), [Harm()], os.mkdir, print, np.save, getattr])
def test_code_is_not_run(value, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="not a plain pickle of data"):
        load(io.BytesIO(pickle.dumps(value)), "test")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("data", [b"", b"\x80", b"garbage", pickle.dumps(np.zeros(5))[:-9]])
def test_damaged(data):
    with pytest.raises(ValueError, match="not a plain pickle of data"):
        load(io.BytesIO(data), "test")


def test_arrays_of_lists(tmp_path):
    x, y = texts([1, 2], [3]), np.arange(2)
    np.savez(tmp_path / "a.npz", x=x, y=y)
    found = object_arrays(tmp_path / "a.npz", "x", "y")
    assert found[0].tolist() == x.tolist() and found[1].tolist() == [0, 1]


def test_arrays_that_hold_code(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.savez("a.npz", x=texts([1], Harm()))
    with pytest.raises(ValueError, match="names posix.mkdir|names nt.mkdir"):
        object_arrays(tmp_path / "a.npz", "x")
    assert [p.name for p in tmp_path.iterdir()] == ["a.npz"]


def test_other_files(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.zeros(3))
    with pytest.raises(ValueError, match="not the data set"):
        object_arrays(tmp_path / "a.npz", "y")
    (tmp_path / "b.npz").write_text("no zip")
    with pytest.raises(ValueError, match="not the data set"):
        object_arrays(tmp_path / "b.npz", "x")
