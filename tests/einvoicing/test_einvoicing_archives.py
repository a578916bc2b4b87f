"""Folders and archives give every invoice they hold; a broken one never hides the others."""

import io
import os
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from encaisse_einvoicing import FileReading, read_paths
from encaisse_einvoicing.reading import archive


def zipped(files: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in files.items():
            made.writestr(name, content)
    return out.getvalue()


def tarred(files: Mapping[str, bytes], mode: str) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as made:  # type: ignore[call-overload]
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            made.addfile(entry, io.BytesIO(content))
    return out.getvalue()


def told(path: Path) -> dict[str, str]:
    """Read a path and give, per file, "ok" or the code of the first issue."""
    return {short(each): outcome(each) for each in read_paths([path])}


def short(each: FileReading) -> str:
    return each.file.rpartition("/")[2] if "!" not in each.file else each.file.partition("!")[2]


def outcome(each: FileReading) -> str:
    return "ok" if each.reading.ok else each.reading.issues[0].code


def test_a_folder_is_read_in_order_with_its_archives_and_without_other_kinds(
    cii: str, ubl: str, tmp_path: Path
) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "a.xml").write_text(cii)
    (tmp_path / "b" / "broken.XML").write_text("<a")
    (tmp_path / "b" / "c.xml").write_text(ubl)
    (tmp_path / "d.zip").write_bytes(zipped({"in/e.xml": cii.encode(), "lisez.txt": b"x"}))
    for other in ("notes.md", "truth.json", "x.txt"):
        (tmp_path / other).write_text("x")
    found = list(read_paths([tmp_path]))
    assert [each.file.removeprefix(f"{tmp_path}/") for each in found] == [
        "a.xml",
        "d.zip!in/e.xml",
        "b/broken.XML",
        "b/c.xml",
    ]
    assert [outcome(each) for each in found] == ["ok", "ok", "xml_malformed", "ok"]


def test_a_file_of_another_kind_is_refused_when_it_is_named(tmp_path: Path) -> None:
    note = tmp_path / "notes.md"
    note.write_text("# Notes")
    assert told(note) == {"notes.md": "unknown_kind"}


def test_the_bytes_tell_what_a_file_is_whatever_its_name(cii: str, tmp_path: Path) -> None:
    odd = tmp_path / "facture.dat"
    odd.write_text(cii)
    assert told(odd) == {"facture.dat": "ok"}
    packed = tmp_path / "facture.xml"
    packed.write_bytes(zipped({"a.xml": cii.encode()}))
    assert told(packed) == {"a.xml": "ok"}


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz"])
def test_each_archive_gives_its_invoices_and_names_what_it_refuses(
    cii: str, ubl: str, tmp_path: Path, kind: str
) -> None:
    files = {
        "2026/a.xml": cii.encode(),
        "2026/b.xml": b"<a",
        "../../evade.xml": ubl.encode(),
        "/etc/absolu.xml": ubl.encode(),
        "dedans.zip": zipped({"c.xml": cii.encode()}),
        "photo.png": b"x",
    }
    path = tmp_path / f"lot.{kind}"
    if kind == "zip":
        path.write_bytes(zipped(files))
    else:
        path.write_bytes(tarred(files, "w:gz" if kind == "tar.gz" else "w"))
    before = sorted(tmp_path.rglob("*"))
    assert told(path) == {
        "2026/a.xml": "ok",
        "2026/b.xml": "xml_malformed",
        "../../evade.xml": "ok",
        "/etc/absolu.xml": "ok",
        "dedans.zip": "nested_archive",
    }
    assert sorted(tmp_path.rglob("*")) == before


def test_control_characters_in_a_member_name_are_not_printed(cii: str, tmp_path: Path) -> None:
    path = tmp_path / "lot.zip"
    path.write_bytes(zipped({"a\x1b[31m.xml": cii.encode()}))
    assert list(told(path)) == ["a\ufffd[31m.xml"]


def test_a_zip_bomb_is_refused_member_by_member(cii: str, tmp_path: Path) -> None:
    path = tmp_path / "lot.zip"
    path.write_bytes(zipped({"a.xml": cii.encode(), "bombe.xml": b" " * (40 << 20)}))
    assert told(path) == {"a.xml": "ok", "bombe.xml": "archive_member_too_large"}


def test_a_zip_whose_directory_lies_about_a_size_is_refused(cii: str, tmp_path: Path) -> None:
    data = bytearray(zipped({"bombe.xml": b" " * (8 << 20), "z.xml": cii.encode()}))
    small = (1000).to_bytes(4, "little")
    directory = data.index(b"PK\x01\x02")
    data[22:26] = small
    data[directory + 24 : directory + 28] = small
    path = tmp_path / "lot.zip"
    path.write_bytes(bytes(data))
    found = told(path)
    assert found["z.xml"] == "ok"
    assert found["bombe.xml"] in ("archive_member_damaged", "archive_member_too_large")


def test_an_encrypted_member_is_refused_and_the_next_is_read(cii: str, tmp_path: Path) -> None:
    data = bytearray(zipped({"a.xml": cii.encode(), "b.xml": cii.encode()}))
    directory = data.index(b"PK\x01\x02")
    data[6] |= 1
    data[directory + 8] |= 1
    path = tmp_path / "lot.zip"
    path.write_bytes(bytes(data))
    assert told(path) == {"a.xml": "archive_encrypted", "b.xml": "ok"}


def test_links_in_a_tar_are_not_followed(cii: str, tmp_path: Path) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as made:
        link = tarfile.TarInfo("lien.xml")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/hostname"
        made.addfile(link)
        entry = tarfile.TarInfo("a.xml")
        entry.size = len(cii.encode())
        made.addfile(entry, io.BytesIO(cii.encode()))
    path = tmp_path / "lot.tar"
    path.write_bytes(out.getvalue())
    assert told(path) == {"lien.xml": "archive_link", "a.xml": "ok"}


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz"])
def test_a_truncated_archive_keeps_what_was_read_and_says_so(
    cii: str, tmp_path: Path, kind: str
) -> None:
    files = {f"{n}.xml": cii.encode() for n in range(20)}
    whole = zipped(files) if kind == "zip" else tarred(files, "w:gz" if "gz" in kind else "w")
    for part in (0.1, 0.5, 0.9):
        path = tmp_path / f"lot.{kind}"
        path.write_bytes(whole[: int(len(whole) * part)])
        found = told(path)
        assert found.pop(f"lot.{kind}") == "archive_damaged"
        assert set(found.values()) <= {"ok"}


def test_the_caps_of_an_archive_end_it_with_a_sentence(
    cii: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for kind, mode in (("zip", ""), ("tar", "w"), ("tar.gz", "w:gz")):
        files = {f"{n}.xml": cii.encode() for n in range(9)}
        path = tmp_path / f"lot.{kind}"
        path.write_bytes(zipped(files) if kind == "zip" else tarred(files, mode))
        for cap, value in (("MAX_MEMBERS", 5), ("MAX_TOTAL_BYTES", 30_000)):
            with monkeypatch.context() as patch:
                patch.setattr(archive, cap, value)
                assert told(path)[f"lot.{kind}"] == "archive_too_large", (kind, cap)


def test_missing_and_special_paths_are_refused_and_the_rest_is_read(
    cii: str, tmp_path: Path
) -> None:
    good = tmp_path / "a.xml"
    good.write_text(cii)
    pipe = tmp_path / "tube.xml"
    os.mkfifo(pipe)
    found = list(read_paths([tmp_path / "absent.xml", pipe, good]))
    assert [outcome(each) for each in found] == ["not_found", "not_a_file", "ok"]
    long_name = tmp_path / ("x" * 300)
    found = list(read_paths([long_name, good]))
    assert [outcome(each) for each in found] == ["unreadable", "ok"]


def test_a_folder_that_does_not_open_is_told(
    cii: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.xml").write_text(cii)
    closed = tmp_path / "ferme"
    closed.mkdir()
    real = os.scandir

    def scandir(path: str) -> object:
        if str(path) == str(closed):
            raise PermissionError(13, "Permission denied", str(closed))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    found = list(read_paths([tmp_path]))
    assert [outcome(each) for each in found] == ["ok", "unreadable"]
