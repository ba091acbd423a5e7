"""`utils.get_file`: names, hashes, caches, and archives that mean harm."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
import urllib.request
import zipfile
from pathlib import Path

import pytest

from tricera.utils.archive_utils import extract
from tricera.utils.file_utils import get_file

SHA = hashlib.sha256(b"plain").hexdigest()
MD5 = hashlib.md5(b"plain").hexdigest()


@pytest.fixture
def plain(tmp_path):
    (tmp_path / "p.txt").write_bytes(b"plain")
    return (tmp_path / "p.txt").as_uri()


def make_tar(path, *members, mode="w:gz"):
    with tarfile.open(path, mode) as archive:
        for member, content in members:
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def make_zip(path, **files):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "/"), content)
    return path


def files(folder):
    return sorted(str(p.relative_to(folder)) for p in Path(folder).rglob("*") if p.is_file())


def test_a_new_file_goes_to_our_cache(plain, caches):
    path = get_file(origin=plain)
    assert path == str(caches[0] / "p.txt") and Path(path).read_bytes() == b"plain"
    assert files(caches[0]) == ["p.txt"]  # nothing temporary is left


def test_keras_s_cache_is_read(plain, caches):
    (caches[1] / "p.txt").write_bytes(b"theirs")
    assert get_file(origin=plain) == str(caches[1] / "p.txt")
    assert get_file(origin=plain, force_download=True) == str(caches[0] / "p.txt")
    assert get_file(origin="https://nowhere.invalid/p.txt") == str(caches[0] / "p.txt")


@pytest.mark.parametrize("hash_", [SHA, SHA.upper(), MD5])
def test_hashes(plain, tmp_path, hash_):
    assert Path(get_file("q", plain, file_hash=hash_, cache_dir=tmp_path)).read_bytes() == b"plain"


def test_another_hash_is_downloaded_again(plain, caches):
    (caches[0] / "p.txt").write_bytes(b"cut sho")
    assert Path(get_file(origin=plain, file_hash=SHA)).read_bytes() == b"plain"


def test_wrong_content_is_not_kept(plain, caches):
    with pytest.raises(ValueError, match=r"has the sha256 hash .* not kept"):
        get_file(origin=plain, file_hash="0" * 64)
    assert files(caches[0]) == []


def test_old_arguments(plain, tmp_path):
    with pytest.warns(DeprecationWarning, match="file_hash"):
        get_file(origin=plain, md5_hash=MD5, cache_dir=tmp_path)


@pytest.mark.parametrize("fname", ["a/b", "../b", "/etc/x", "..", "a\\b", "a\0b"])
def test_a_name_is_not_a_path(plain, fname):
    with pytest.raises(ValueError, match="must be a file's name"):
        get_file(fname, plain)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "needs `origin`"),
        ({"origin": "https://x.invalid/"}, "does not end in a file's name"),
        ({"origin": "gopher://x/y"}, "scheme"),
        ({"origin": "file:///x", "file_hash": "12"}, "no MD5 or SHA-256"),
        ({"origin": "file:///x", "hash_algorithm": "crc"}, "hash_algorithm"),
        ({"origin": "file:///x", "archive_format": "rar"}, "archive_format"),
    ],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        get_file(**arguments)


def test_offline_says_what_to_put_where(caches):
    with pytest.raises(OSError, match="no network in tests.*put it to") as error:
        get_file("data.bin", "https://example.invalid/data.bin")
    assert str(caches[0] / "data.bin") in str(error.value)
    assert files(caches[0]) == []


def test_a_download_cut_short_is_not_kept(caches, monkeypatch):
    class Response(io.BytesIO):
        headers = {"Content-Length": "100"}

    monkeypatch.setattr(urllib.request, "urlopen", lambda url, timeout: Response(b"half"))
    with pytest.raises(OSError, match="only 4 of 100 bytes"):
        get_file(origin="https://example.invalid/x")
    assert files(caches[0]) == []


@pytest.mark.parametrize(
    ("fname", "folder", "archive"),
    [
        (None, "d.tar.gz", "d.tar.gz_archive"),
        ("named", "named", "named_archive"),
        ("n.v1.tar.gz", "n_extracted", "n.v1.tar.gz"),
    ],
)
def test_unpacking_names_as_in_keras(tmp_path, fname, folder, archive):
    source = make_tar(tmp_path / "d.tar.gz", (tarfile.TarInfo("d/a.txt"), b"hi"))
    path = get_file(fname, source.as_uri(), extract=True, cache_dir=tmp_path / "cache")
    assert path == str(tmp_path / "cache/datasets" / folder)
    assert files(tmp_path / "cache/datasets") == sorted([archive, f"{folder}/d/a.txt"])
    source.unlink()
    assert get_file(fname, source.as_uri(), extract=True, cache_dir=tmp_path / "cache") == path


def test_zip(tmp_path):
    source = make_zip(tmp_path / "z.zip", d__a="hi")
    assert files(get_file("z", source.as_uri(), extract=True, cache_dir=tmp_path / "c")) == ["d/a"]


def test_what_is_no_archive(plain):
    with pytest.raises(ValueError, match="no archive of the format"):
        get_file("x", plain, extract=True)


def hostile_member(kind):
    member = tarfile.TarInfo("d/a")
    match kind:
        case "absolute":
            member.name = "/tmp/tricera-escaped"
        case "parent":
            member.name = "d/../../escaped"
        case "drive":
            member.name = "C:\\escaped"
        case "link":
            member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
        case "hard link":
            member.type, member.linkname = tarfile.LNKTYPE, "../x"
        case "device":
            member.type = tarfile.CHRTYPE
    return member


@pytest.mark.parametrize("kind", ["absolute", "parent", "drive", "link", "hard link", "device"])
def test_hostile_tar_files_touch_nothing(tmp_path, kind):
    path = make_tar(tmp_path / "d.tar", (tarfile.TarInfo("d/good"), b"x"), (hostile_member(kind), b""), mode="w")
    with pytest.raises(ValueError, match="Nothing was unpacked"):
        extract(path, tmp_path / "in/here")
    assert files(tmp_path) == ["d.tar"] and list((tmp_path / "in").iterdir()) == []


@pytest.mark.parametrize("name", ["/escaped", "d/../../escaped", "C:\\escaped"])
def test_hostile_zip_files_touch_nothing(tmp_path, name):
    path = make_zip(tmp_path / "d.zip", good="x", **{name: "y"})
    with pytest.raises(ValueError, match="lies outside"):
        extract(path, tmp_path / "here")
    assert files(tmp_path) == ["d.zip"]


def test_links_in_zip_files(tmp_path):
    with zipfile.ZipFile(tmp_path / "d.zip", "w") as archive:
        info = zipfile.ZipInfo("link")
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
    with pytest.raises(ValueError, match="link or device"):
        extract(tmp_path / "d.zip", tmp_path / "here")


@pytest.mark.parametrize("kind", ["tar", "zip"])
def test_bombs(tmp_path, kind):
    path = tmp_path / f"d.{kind}"
    make_tar(path, (tarfile.TarInfo("a"), bytes(10_000))) if kind == "tar" else make_zip(path, a=bytes(10_000))
    with pytest.raises(ValueError, match="10000 bytes together"):
        extract(path, tmp_path / "here", max_bytes=9_999)
    assert files(tmp_path) == [path.name]
    assert extract(path, tmp_path / "here", max_bytes=10_000)


def test_a_damaged_archive_leaves_the_old_folder(tmp_path):
    path = make_tar(tmp_path / "d.tar.gz", (tarfile.TarInfo("a"), os.urandom(50_000)))
    assert extract(path, tmp_path / "here")
    path.write_bytes(path.read_bytes()[:30_000])
    with pytest.raises(ValueError, match="damaged"):
        extract(path, tmp_path / "here")
    assert files(tmp_path / "here") == ["a"]
