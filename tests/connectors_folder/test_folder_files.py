"""Pipes, devices and links in a deposit: told apart, never waited for, never followed out of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from encaisse_api import Denied, SourceInvoice
from encaisse_folder.connector import FolderConnector

Written = Callable[..., bytes]
Connect = Callable[[Path], FolderConnector]

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes on this system")


@pytest.fixture
def deposit(tmp_path: Path, written: Written) -> Iterator[Path]:
    """Lay out a folder with one invoice, beside a file outside of it."""
    (tmp_path / "dehors.xml").write_bytes(written("FA-9"))
    folder = tmp_path / "factures"
    folder.mkdir()
    (folder / "a.xml").write_bytes(written("FA-1"))
    return folder


def read(connector: FolderConnector) -> tuple[list[str], dict[str | None, str], bool]:
    (page,) = connector.pull_invoices(None)
    told = {bad.ref: bad.reason for bad in page.unreadable}
    return [item.ref for item in page.items], told, page.end


def test_a_pipe_is_set_aside_without_waiting_for_a_writer(deposit: Path, connect: Connect) -> None:
    os.mkfifo(deposit / "b.xml")
    read_, told, ended = read(connect(deposit))
    assert (read_, ended) == (["a.xml"], True)
    assert "pas un fichier ordinaire" in told["b.xml"]


def test_a_pipe_behind_a_link_or_put_in_place_of_a_file_is_not_waited_for(
    deposit: Path, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(deposit / "tube")
    (deposit / "b.xml").symlink_to("tube")
    assert "pas un fichier ordinaire" in read(connect(deposit))[1]["b.xml"]
    (deposit / "b.xml").unlink()
    os.mkfifo(deposit / "b.xml")
    regular, now = (deposit / "a.xml").stat(), Path.stat

    def a_moment_ago(path: Path, *, follow_symlinks: bool = True) -> os.stat_result:
        known = path.name == "b.xml"
        return regular if known else now(path, follow_symlinks=follow_symlinks)

    monkeypatch.setattr(Path, "stat", a_moment_ago)
    assert "pas un fichier ordinaire" in read(connect(deposit))[1]["b.xml"]


def test_a_device_is_set_aside(deposit: Path, connect: Connect) -> None:
    (deposit / "b.xml").symlink_to("/dev/zero")
    assert "hors du dossier" in read(connect(deposit))[1]["b.xml"]
    with pytest.raises(Denied) as refused:
        connect(Path("/dev/zero")).probe()
    assert "ni un fichier, ni un dossier" in refused.value.message


def test_links_that_turn_in_circles_or_lead_nowhere_are_set_aside(
    deposit: Path, connect: Connect
) -> None:
    (deposit / "b.xml").symlink_to("c.xml")
    (deposit / "c.xml").symlink_to("b.xml")
    (deposit / "d.xml").symlink_to("parti.xml")
    read_, told, ended = read(connect(deposit))
    assert (read_, ended) == (["a.xml"], True)
    assert set(told) == {"b.xml", "c.xml", "d.xml"}
    assert all("ne mène à aucun fichier" in reason for reason in told.values())


def test_a_link_out_of_the_folder_is_not_followed(deposit: Path, connect: Connect) -> None:
    (deposit / "b.xml").symlink_to("../dehors.xml")
    (deposit / "c.xml").symlink_to(deposit.parent / "dehors.xml")
    read_, told, _ = read(connect(deposit))
    assert read_ == ["a.xml"]
    assert all("hors du dossier" in told[ref] for ref in ("b.xml", "c.xml"))


def test_a_link_to_a_folder_is_told_and_not_followed(deposit: Path, connect: Connect) -> None:
    (deposit / "2026").mkdir()
    (deposit / "boucle").symlink_to(".")
    (deposit / "annee").symlink_to("2026")
    (deposit / "dehors").symlink_to("..")
    read_, told, ended = read(connect(deposit))
    assert (read_, ended) == (["a.xml"], True)
    assert "mène à un dossier" in told["boucle"]
    assert "mène à un dossier" in told["annee"]
    assert "hors du dossier" in told["dehors"]


def test_a_link_inside_the_folder_is_a_copy_of_its_file(deposit: Path, connect: Connect) -> None:
    (deposit / "b.xml").symlink_to("a.xml")
    connector = connect(deposit)
    assert read(connector)[0] == ["a.xml", "b.xml"]
    assert isinstance(connector.read_invoices(["b.xml"])[0], SourceInvoice)
    assert connector.fetch_document("b.xml").content == (deposit / "a.xml").read_bytes()


def test_the_deposit_itself_may_be_a_link(deposit: Path, connect: Connect) -> None:
    (deposit.parent / "lien").symlink_to("factures")
    (deposit.parent / "lien.xml").symlink_to("factures/a.xml")
    assert read(connect(deposit.parent / "lien"))[0] == ["a.xml"]
    assert read(connect(deposit.parent / "lien.xml"))[0] == ["lien.xml"]
