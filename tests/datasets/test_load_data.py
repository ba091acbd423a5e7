"""Each `load_data`, on small files of the same form in the cache folders."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import pickle
import tarfile

import numpy as np
import pytest

from tricera.datasets import (
    boston_housing,
    california_housing,
    cifar10,
    cifar100,
    digits,
    fashion_mnist,
    imdb,
    mnist,
    reuters,
)


def texts(*lists):
    array = np.empty(len(lists), object)
    array[:] = lists
    return array


def save(path, module, monkeypatch, **arrays):
    """An `.npz` file, which the module takes for its own."""
    np.savez(path, **arrays)
    monkeypatch.setattr(module, "_SHA256", hashlib.sha256(path.read_bytes()).hexdigest())


def test_digits():
    (x, y), (x_test, y_test) = digits.load_data()
    assert x.shape == (8500, 28, 28) and x_test.shape == (1500, 28, 28) and x.dtype == y.dtype == np.uint8
    assert (np.bincount(y, minlength=10) > 700).all() and (np.bincount(y_test, minlength=10) > 100).all()
    # Real digits: the nearest of the training images has the same class nearly always.
    a, b = x.reshape(-1, 784).astype("float32"), x_test[:200].reshape(-1, 784).astype("float32")
    nearest = ((a**2).sum(1) - 2 * b @ a.T).argmin(1)
    assert (y[nearest] == y_test[:200]).mean() > 0.92
    assert len(np.unique(np.concatenate([x, x_test]).reshape(-1, 784), axis=0)) > 9990


def test_mnist(caches, monkeypatch):
    x, y = np.arange(8, dtype="uint8").reshape(2, 2, 2), np.arange(2)
    save(caches[1] / "mnist.npz", mnist, monkeypatch, x_train=x, y_train=y, x_test=x + 1, y_test=y + 1)
    (a, b), (c, d) = mnist.load_data()
    assert (a == x).all() and (b == y).all() and (c == x + 1).all() and (d == y + 1).all()


def test_a_file_with_other_content_is_passed_over(caches):
    np.savez(caches[0] / "mnist.npz", x_train=np.zeros(3))
    with pytest.raises(OSError, match="there, but with another hash"):
        mnist.load_data()


def test_an_absolute_path(tmp_path):
    np.savez(tmp_path / "own.npz", x=np.zeros((10, 13)), y=np.arange(10.0))
    (x, y), (_, y_test) = boston_housing.load_data(str(tmp_path / "own.npz"))
    assert x.shape == (8, 13) and sorted([*y, *y_test]) == list(range(10))
    with pytest.raises(ValueError, match="not the data set"):
        mnist.load_data(str(tmp_path / "own.npz"))


def test_paths_stay_in_the_caches():
    with pytest.raises(ValueError, match="below the cache folder"):
        mnist.load_data("../mnist.npz")


@pytest.mark.parametrize(
    "module", [boston_housing, california_housing, cifar10, cifar100, fashion_mnist, imdb, mnist, reuters]
)
def test_offline(module, caches, monkeypatch, tmp_path):
    monkeypatch.setattr(fashion_mnist, "SYSTEM", tmp_path / "none")
    with pytest.raises(OSError, match=r"Download it elsewhere and put it to"):
        module.load_data()
    assert not [p for p in caches[0].rglob("*") if p.is_file()]


def write_idx(folder, counts, monkeypatch):
    folder.mkdir(parents=True, exist_ok=True)
    files = tuple((name, counts[i]) for i, (name, _) in enumerate(fashion_mnist._FILES))
    monkeypatch.setattr(fashion_mnist, "_FILES", files)
    for name, count in files:
        shape = (count, 28, 28) if "images" in name else (count,)
        header = bytes([0, 0, 8, len(shape)]) + np.array(shape, ">i4").tobytes()
        data = (np.arange(np.prod(shape)) % 251).astype("uint8")
        (folder / name).write_bytes(gzip.compress(header + data.tobytes()))


@pytest.mark.parametrize("place", ["cache", "system"])
def test_fashion_mnist(place, caches, monkeypatch, tmp_path):
    folder = caches[1] / "fashion-mnist" if place == "cache" else tmp_path / "system"
    monkeypatch.setattr(fashion_mnist, "SYSTEM", tmp_path / "system")
    write_idx(folder, (3, 3, 2, 2), monkeypatch)
    (x, y), (x_test, y_test) = fashion_mnist.load_data()
    assert (
        x.shape == (3, 28, 28) and x_test.shape == (2, 28, 28) and y.tolist() == [0, 1, 2] and y_test.tolist() == [0, 1]
    )
    assert x.reshape(-1)[:300].tolist() == (np.arange(300) % 251).tolist()


def test_fashion_mnist_damaged(monkeypatch, tmp_path):
    monkeypatch.setattr(fashion_mnist, "SYSTEM", tmp_path)
    write_idx(tmp_path, (3, 3, 2, 2), monkeypatch)
    path = tmp_path / "train-images-idx3-ubyte.gz"
    whole = path.read_bytes()
    for damaged in (
        whole[:200],
        b"nothing",
        gzip.compress(gzip.decompress(whole)[:-1]),
        gzip.compress(b"\1" + gzip.decompress(whole)[1:]),
    ):
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match="damaged|does not hold 3 entries"):
            fashion_mnist.load_data()


@pytest.mark.skipif(not fashion_mnist.SYSTEM.is_dir(), reason="the package dataset-fashion-mnist is not installed")
def test_fashion_mnist_of_the_system():
    (x, y), (x_test, y_test) = fashion_mnist.load_data()
    assert x.shape == (60000, 28, 28) and x_test.shape == (10000, 28, 28)
    assert (np.bincount(y) == 6000).all() and (np.bincount(y_test) == 1000).all()


def cifar_batch(count, labels):
    return pickle.dumps(
        {b"data": (np.arange(count * 3072) % 256).astype("uint8").reshape(count, 3072), labels: list(range(count))}, 2
    )


def cifar_files(module, monkeypatch, labels=b"labels"):
    files = dict.fromkeys(module._FILES, 4)
    monkeypatch.setattr(module, "_FILES", files)
    return {name: cifar_batch(count, labels) for name, count in files.items()}


def check_cifar(data, batches):
    (x, y), (x_test, y_test) = data
    assert x.shape == (4 * batches, 32, 32, 3) and x_test.shape == (4, 32, 32, 3) and y.shape == (4 * batches, 1)
    assert y.dtype == np.uint8 and y_test[:, 0].tolist() == [0, 1, 2, 3]
    assert x[0, 0, 1].tolist() == [1, (1024 + 1) % 256, (2048 + 1) % 256]  # planes of red, green, blue
    assert x[0, 1, 0].tolist() == [32, (1024 + 32) % 256, (2048 + 32) % 256]


@pytest.mark.parametrize("inside", ["cifar-10-batches-py", "cifar-10-batches-py-target/cifar-10-batches-py"])
def test_cifar10_unpacked(inside, caches, monkeypatch):
    (caches[1] / inside).mkdir(parents=True)
    for name, data in cifar_files(cifar10, monkeypatch).items():
        (caches[1] / inside / name).write_bytes(data)
    check_cifar(cifar10.load_data(), 5)


@pytest.mark.parametrize("mode", ["fine", "coarse"])
def test_cifar100_from_the_tar_file(mode, caches, monkeypatch):
    path = caches[0] / "cifar-100-python.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name, data in cifar_files(cifar100, monkeypatch, f"{mode}_labels".encode()).items():
            info = tarfile.TarInfo(f"cifar-100-python/{name}")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    monkeypatch.setattr(cifar100, "_SHA256", hashlib.sha256(path.read_bytes()).hexdigest())
    check_cifar(cifar100.load_data(mode), 1)
    with pytest.raises(ValueError, match="is not a batch of 4 images"):
        cifar100.load_data("coarse" if mode == "fine" else "fine")


def test_cifar_runs_no_code(caches, monkeypatch, tmp_path):
    class Harm:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "harm"),)

    folder = caches[0] / "cifar-100-python"
    folder.mkdir()
    for name in cifar_files(cifar100, monkeypatch):
        (folder / name).write_bytes(pickle.dumps({b"data": Harm()}))
    with pytest.raises(ValueError, match="not a plain pickle"):
        cifar100.load_data()
    assert not (tmp_path / "harm").exists()
    with pytest.raises(ValueError, match="label_mode"):
        cifar100.load_data("medium")


def test_california_housing(caches, monkeypatch):
    x = np.arange(1000.0 * 8).reshape(1000, 8)
    save(caches[0] / "california_housing.npz", california_housing, monkeypatch, x=x, y=np.arange(1000.0))
    (a, y), (b, _) = california_housing.load_data()
    assert a.shape == (800, 8) and b.shape == (200, 8) and (a[:, 0] == 8 * y).all() and (np.diff(y) < 0).any()
    (a, _), (b, _) = california_housing.load_data("small", test_split=0.5)
    assert a.shape == b.shape == (300, 8)
    for arguments, name in (({"version": "tiny"}, "version"), ({"test_split": 1.0}, "test_split")):
        with pytest.raises(ValueError, match=name):
            california_housing.load_data(**arguments)


# Numbers 1 to 5 by frequency.
REVIEWS = texts([1, 5], [2], [3, 4, 5])


def load_imdb(caches, monkeypatch, **arguments):
    y = np.arange(3)
    save(caches[0] / "imdb.npz", imdb, monkeypatch, x_train=REVIEWS, y_train=y, x_test=REVIEWS[:2], y_test=y[:2] + 10)
    train, test = imdb.load_data(**arguments)
    return ({int(k): v for k, v in zip(y_, x_)} for x_, y_ in (train, test))


def test_imdb(caches, monkeypatch):
    train, test = load_imdb(caches, monkeypatch)
    assert train == {0: [1, 4, 2], 1: [1, 5], 2: [1, 6, 7, 2]} and test == {10: [1, 4, 2], 11: [1, 5]}


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"num_words": 7}, {0: [1, 4, 2], 1: [1, 5], 2: [1, 6, 2, 2]}),
        ({"num_words": 7, "oov_char": None}, {0: [1, 4], 1: [1, 5], 2: [1, 6]}),
        ({"skip_top": 5, "num_words": 9}, {0: [2, 2, 8], 1: [2, 5], 2: [2, 6, 7, 8]}),
        ({"maxlen": 4, "num_words": 9}, {0: [1, 4, 8], 1: [1, 5]}),
        ({"maxlen": 3, "num_words": 9}, {1: [1, 5]}),
        ({"start_char": None, "index_from": 0, "num_words": 6}, {0: [1, 5], 1: [2], 2: [3, 4, 5]}),
        ({"start_char": 9, "index_from": 10, "num_words": 16}, {0: [9, 11, 15], 1: [9, 12], 2: [9, 13, 14, 15]}),
    ],
)
def test_imdb_options(arguments, expected, caches, monkeypatch):
    train, _ = load_imdb(caches, monkeypatch, **arguments)
    assert train == expected


@pytest.mark.parametrize("arguments", [{"maxlen": 1}, {"maxlen": 0}, {"num_words": 0}, {"skip_top": -1}])
def test_imdb_wrong_arguments(arguments, caches, monkeypatch):
    with pytest.raises(ValueError, match=next(iter(arguments))):
        load_imdb(caches, monkeypatch, **arguments)


def test_imdb_unknown_arguments():
    with pytest.raises(TypeError, match="nb_words"):
        imdb.load_data(nb_words=3)


def test_reuters(caches, monkeypatch):
    save(caches[0] / "reuters.npz", reuters, monkeypatch, x=texts(*([i] for i in range(1, 11))), y=np.arange(10))
    (x, y), (x_test, y_test) = reuters.load_data(test_split=0.3, num_words=20)
    assert len(x) == 7 and len(x_test) == 3 and sorted([*y, *y_test]) == list(range(10))
    assert all(text == [1, label + 4] for text, label in zip([*x, *x_test], [*y, *y_test]))
    assert len(reuters.get_label_names()) == 46


@pytest.mark.parametrize("module", [imdb, reuters])
def test_word_index(module, caches, monkeypatch):
    path = caches[0] / f"{module.__name__.rpartition('.')[2]}_word_index.json"
    for content, error in (
        ({"the": 1, "naïve": 2}, None),
        ({"the": "1"}, "not a word index"),
        ([1], "not a word index"),
    ):
        path.write_text(json.dumps(content))
        monkeypatch.setattr(module, "_WORDS_MD5", hashlib.md5(path.read_bytes()).hexdigest())
        if error is None:
            assert module.get_word_index() == content
        else:
            with pytest.raises(ValueError, match=error):
                module.get_word_index()
