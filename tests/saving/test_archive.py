"""Zip archives: what is written, what is refused, and that nothing is left behind when writing fails."""

from __future__ import annotations

import io
import stat
import zipfile
import zlib

import pytest

from tricera.saving import archive
from tricera.saving.archive import Archive, FileFormatError, Member

MEMBERS = [
    Member("config.json", b"{}"),
    Member("model.weights.h5", lambda file: file.write(b"x" * 1000)),
    Member("assets/a/b.txt", b"hi"),
]


def zip_of(*members, compression=zipfile.ZIP_STORED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as made:
        for name, content in members:
            made.writestr(name, content)
    return file.getvalue()


def test_round_trip(tmp_path):
    path = tmp_path / "m.keras"
    with archive.replacing(path) as file:
        archive.write_zip(file, MEMBERS, tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["m.keras"]
    assert {info.compress_type for info in zipfile.ZipFile(path).infolist()} == {zipfile.ZIP_STORED}
    with Archive(path) as opened:
        assert opened.names == ["config.json", "model.weights.h5", "assets/a/b.txt"]
        assert opened.read("config.json") == b"{}"
        section = opened.section("model.weights.h5")
        section.seek(-10, io.SEEK_END)
        assert (section.read(), section.tell()) == (b"x" * 10, 1000)
        (tmp_path / "out").mkdir()
        assert archive.read_assets(opened, "a", tmp_path / "out")
        assert not archive.read_assets(opened, "c", tmp_path / "out")
    assert (tmp_path / "out" / "b.txt").read_bytes() == b"hi"


def test_compressed_members_are_read():
    with Archive(zip_of(("config.json", b"{}"), ("w", b"0" * 5000), compression=zipfile.ZIP_DEFLATED)) as opened:
        assert opened.section("w").read() == b"0" * 5000


def test_folder_round_trip(tmp_path):
    folder = tmp_path / "model"
    for _ in range(2):  # the second time replaces
        archive.write_folder(folder, MEMBERS)
    with Archive(folder) as opened:
        assert opened.read("config.json") == b"{}"
        assert opened.section("model.weights.h5").read() == b"x" * 1000
    assert [p.name for p in tmp_path.iterdir()] == ["model"]
    (tmp_path / "mine").mkdir()
    with pytest.raises(FileExistsError, match="not a model's folder"):
        archive.write_folder(tmp_path / "mine", MEMBERS)
    with pytest.raises(FileFormatError, match=r"without a config\.json"):
        Archive(tmp_path / "mine")


def test_failed_writing_leaves_the_old_file(tmp_path):
    path = tmp_path / "m.keras"
    path.write_bytes(b"old")
    with pytest.raises(RuntimeError), archive.replacing(path) as file:
        file.write(b"new")
        raise RuntimeError
    assert path.read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 1


def test_link_is_written_through(tmp_path):
    (tmp_path / "real").mkdir()
    link = tmp_path / "m.keras"
    link.symlink_to(tmp_path / "real" / "m.keras")
    with archive.replacing(link) as file:
        file.write(b"new")
    assert link.is_symlink()
    assert (tmp_path / "real" / "m.keras").read_bytes() == b"new"


def test_unwritable_paths_name_the_path(tmp_path):
    with (
        pytest.raises(FileNotFoundError, match=r"nowhere.*folder does not exist"),
        archive.replacing(tmp_path / "nowhere" / "m"),
    ):
        pass
    with pytest.raises(IsADirectoryError, match="is a folder"), archive.replacing(tmp_path):
        pass
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OSError, match="Cannot write"), archive.replacing(tmp_path / "file" / "m"):
        pass


@pytest.mark.parametrize("path", ["gs://bucket/m.keras", "https://x.org/m.keras", "hf:/a/b", "", "a\0b"])
def test_paths_that_are_not_local(path):
    with pytest.raises(ValueError, match=r"address|not a path"):
        archive.local_path(path)


@pytest.mark.parametrize("path", [None, 3, b"m.keras", ["m.keras"]])
def test_paths_of_other_types(path):
    with pytest.raises(TypeError, match="string or a pathlib"):
        archive.local_path(path)


@pytest.mark.parametrize(("answer", "goes_on"), [("y", True), ("n", False), ("", False)])
def test_overwrite_asks(tmp_path, monkeypatch, answer, goes_on):
    (tmp_path / "m").write_bytes(b"")
    monkeypatch.setattr("builtins.input", lambda prompt: answer)
    assert archive.may_write(tmp_path / "m", False) is goes_on
    assert archive.may_write(tmp_path / "m", True)
    assert archive.may_write(tmp_path / "other", False)


def test_overwrite_with_nobody_to_ask(tmp_path, monkeypatch):
    (tmp_path / "m").write_bytes(b"")
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    with pytest.raises(FileExistsError, match="overwrite=True"):
        archive.may_write(tmp_path / "m", False)


@pytest.mark.parametrize(
    "name",
    [
        "/etc/passwd",
        "../up",
        "a/../../up",
        "assets/..",
        "a\\b",
        "C:/x",
        "a//b",
        "./a",
        "a/ ",
        "a.",
        "a\nb",
        "assets/x/../y",
    ],
)
def test_hostile_names(name):
    with pytest.raises(FileFormatError, match=r"refused: its member"):
        Archive(zip_of(("config.json", b"{}"), (name, b"x")))


def test_hidden_null_in_a_name():
    data = zip_of(("config.json", b"{}"), ("abXcd", b"x")).replace(b"abXcd", b"ab\0cd")
    with pytest.raises(FileFormatError, match="control character"):
        Archive(data)


def test_links_and_devices():
    for kind in (stat.S_IFLNK, stat.S_IFIFO):
        info = zipfile.ZipInfo("config.json")
        info.external_attr = (kind | 0o777) << 16
        with pytest.raises(FileFormatError, match="link or a device"):
            Archive(zip_of((info, b"/etc/passwd")))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_duplicate_names():
    with pytest.raises(FileFormatError, match="twice"):
        Archive(zip_of(("config.json", b"{}"), ("config.json", b"[]")))


def test_unusual_compression():
    with pytest.raises(FileFormatError, match="compressed by a method"):
        Archive(zip_of(("config.json", b"{}"), compression=zipfile.ZIP_LZMA))


def test_decompression_bomb():
    bomb = zip_of(("config.json", b"{}"), ("model.weights.h5", bytes(200 * 2**20)), compression=zipfile.ZIP_DEFLATED)
    assert len(bomb) < 2**20
    with pytest.raises(FileFormatError, match="would unpack to"):
        Archive(bomb)


def test_long_config():
    with Archive(zip_of(("config.json", b" " * 1000))) as opened, pytest.raises(FileFormatError, match="at most 10"):
        opened.read("config.json", limit=10)


def test_lies_about_sizes():
    data = bytearray(zip_of(("config.json", b"{}" * 50)))
    central = data.rindex(b"PK\x01\x02")
    data[central + 24 : central + 28] = (10).to_bytes(4, "little")  # the declared size
    with Archive(bytes(data)) as opened, pytest.raises(FileFormatError, match=r"damaged|bytes long"):
        opened.read("config.json")


@pytest.mark.parametrize("keep", [0, 10, 500, -1, -30])
def test_cut_short(keep):
    whole = zip_of(("config.json", b"{}"), ("model.weights.h5", bytes(1000)))
    with pytest.raises(FileFormatError, match=r"not a \.keras file, or was cut short"):
        Archive(whole[:keep])


def test_changed_bytes_are_noticed():
    data = zip_of(("config.json", b"{}"), ("model.weights.h5", b"y" * 100)).replace(b"yyyy", b"yyyz", 1)
    with Archive(data) as opened, pytest.raises(FileFormatError, match="checksum"):
        opened.section("model.weights.h5")
    data = zip_of(("config.json", b"y" * 100)).replace(b"yyyy", b"yyyz", 1)
    with Archive(data) as opened, pytest.raises(FileFormatError, match="damaged"):
        opened.read("config.json")
    squeezed = zip_of(("w", b"y" * 100), compression=zipfile.ZIP_DEFLATED)
    body = zlib.compress(b"y" * 100)[2:-4]
    with (
        Archive(squeezed.replace(body, bytes(len(body)), 1)) as opened,
        pytest.raises(FileFormatError, match="damaged"),
    ):
        opened.section("w")


def test_not_a_plain_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="no file"):
        Archive(tmp_path / "nothing")
    (tmp_path / "text").write_text("hello")
    with pytest.raises(FileFormatError, match="zip archive"):
        Archive(tmp_path / "text")
    with pytest.raises(FileFormatError, match="plain file"):
        Archive(archive.local_path("/dev/null"))


def test_link_in_a_folder(tmp_path):
    (tmp_path / "config.json").symlink_to("/etc/passwd")
    with pytest.raises(FileFormatError, match="is a link"):
        Archive(tmp_path)


def test_missing_member():
    with (
        Archive(zip_of(("config.json", b"{}"))) as opened,
        pytest.raises(FileFormatError, match=r"holds no 'model\.weights\.h5'"),
    ):
        opened.section("model.weights.h5")
