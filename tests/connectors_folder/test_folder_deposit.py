"""A folder, a file or an archive of invoices as a source, with what goes wrong in them."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from encaisse_api import Denied, Drift, Missing, Page, Rejected, SourceInvoice, Transient
from encaisse_folder.connector import FolderConnector
from encaisse_folder.deposit import Deposit, OutOfReach
from encaisse_folder.reading import PAGE

Written = Callable[..., bytes]
Connect = Callable[[Path], FolderConnector]


def refs(pages: list[Page[SourceInvoice]]) -> list[str]:
    return [item.ref for page in pages for item in page.items]


def zipped(**members: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return packed.getvalue()


@pytest.fixture
def deposit(tmp_path: Path, written: Written) -> Path:
    """Lay out two files, one below a folder, an archive, and what is no invoice."""
    (tmp_path / "b.xml").write_bytes(written("FA-2"))
    (tmp_path / "2026").mkdir()
    (tmp_path / "2026" / "a.xml").write_bytes(written("FA-1"))
    (tmp_path / "lot.zip").write_bytes(
        zipped(**{"c.xml": written("FA-3"), "lisez-moi.txt": b"bonjour"})
    )
    (tmp_path / "notes.txt").write_text("rien")
    return tmp_path


def test_every_invoice_is_named_by_where_it_lies(deposit: Path, connect: Connect) -> None:
    pages = list(connect(deposit).pull_invoices(None))
    assert refs(pages) == ["b.xml", "lot.zip!c.xml", "2026/a.xml"]
    assert [page.end for page in pages] == [True]
    digest = hashlib.sha256((deposit / "b.xml").read_bytes()).hexdigest()
    assert (pages[0].items[0].version, pages[0].items[0].document_sha256) == (digest, digest)


def test_two_passes_are_equal(deposit: Path, connect: Connect) -> None:
    connector = connect(deposit)
    assert list(connector.pull_invoices(None)) == list(connector.pull_invoices(None))


def test_one_file_or_one_archive_is_a_deposit_too(deposit: Path, connect: Connect) -> None:
    assert refs(list(connect(deposit / "b.xml").pull_invoices(None))) == ["b.xml"]
    assert refs(list(connect(deposit / "lot.zip").pull_invoices(None))) == ["lot.zip!c.xml"]


def test_a_tar_is_read_like_a_zip(tmp_path: Path, written: Written, connect: Connect) -> None:
    content = written("FA-9")
    with tarfile.open(tmp_path / "lot.tar.gz", "w:gz") as archive:
        entry = tarfile.TarInfo("sous/f.xml")
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    assert refs(list(connect(tmp_path).pull_invoices(None))) == ["lot.tar.gz!sous/f.xml"]


def test_a_large_folder_comes_in_pages_of_two_hundred(
    tmp_path: Path, written: Written, connect: Connect
) -> None:
    for place in range(PAGE + 1):
        (tmp_path / f"{place:04}.xml").write_bytes(written(f"FA-{place}"))
    pages = list(connect(tmp_path).pull_invoices(None))
    assert [(len(page.items), page.end) for page in pages] == [(PAGE, False), (1, True)]


def test_an_empty_folder_is_a_complete_pass_of_nothing(tmp_path: Path, connect: Connect) -> None:
    assert list(connect(tmp_path).pull_invoices(None)) == [Page[SourceInvoice](end=True)]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"<a", "XML"),
        (b"", "vide"),
        (b"bonjour", "ni un XML, ni un PDF"),
        (b"%PDF-1.7 rien", "PDF"),
        (b"\x00\x01\x02", "ni un XML"),
    ],
)
def test_a_file_that_is_no_invoice_is_set_aside_and_the_rest_lives(
    deposit: Path, connect: Connect, content: bytes, told: str
) -> None:
    (deposit / "a-faux.xml").write_bytes(content)
    page = next(iter(connect(deposit).pull_invoices(None)))
    assert len(page.items) == 3
    (bad,) = page.unreadable
    assert bad.ref == "a-faux.xml"
    assert told in bad.reason
    assert json.loads(bad.raw) == {
        "name": "a-faux.xml",
        "sha256": hashlib.sha256(content).hexdigest(),
        "size": len(content),
    }


def test_an_invoice_whose_sums_disagree_is_set_aside_by_its_number(
    tmp_path: Path, written: Written, connect: Connect
) -> None:
    (tmp_path / "a.xml").write_bytes(written("FA-7", payable="1100.00"))
    page = next(iter(connect(tmp_path).pull_invoices(None)))
    assert page.unreadable[0].reason.startswith("Facture FA-7 : le montant à payer 1100.00")
    assert page.unreadable[0].reason.endswith(".")


def test_files_are_read_again_one_answer_each_in_order(deposit: Path, connect: Connect) -> None:
    asked = ["lot.zip!c.xml", "gone.xml", "b.xml", "lot.zip!gone.xml", "b.xml"]
    answers = connect(deposit).read_invoices(asked)
    assert [answer.ref for answer in answers] == asked
    assert [isinstance(answer, Missing) for answer in answers] == [False, True, False, True, False]


def test_a_changed_file_is_read_as_it_is_now(
    deposit: Path, written: Written, connect: Connect
) -> None:
    connector = connect(deposit)
    before = connector.read_invoices(["b.xml"])[0]
    (deposit / "b.xml").write_bytes(written("FA-2", prepaid="200.00", payable="1000.00"))
    after = connector.read_invoices(["b.xml"])[0]
    assert isinstance(before, SourceInvoice)
    assert isinstance(after, SourceInvoice)
    assert (before.open.minor, after.open.minor) == (120_000, 100_000)
    assert before.version != after.version


def test_a_file_that_became_unreadable_is_not_gone(deposit: Path, connect: Connect) -> None:
    (deposit / "b.xml").write_bytes(b"<broken")
    with pytest.raises(Drift) as caught:
        connect(deposit).read_invoices(["b.xml"])
    assert caught.value.message.startswith("b.xml : ")


@pytest.mark.parametrize("ref", ["../b.xml", "/etc/hostname", "2026/../b.xml", "lot.zip!../c.xml"])
def test_a_ref_is_looked_up_and_never_followed(deposit: Path, connect: Connect, ref: str) -> None:
    connector = connect(deposit / "2026")
    assert isinstance(connector.read_invoices([ref])[0], Missing)
    with pytest.raises(Rejected):
        connector.fetch_document(ref)


def test_a_broken_archive_never_ends_a_pass_and_hides_no_invoice(
    deposit: Path, connect: Connect
) -> None:
    whole = (deposit / "lot.zip").read_bytes()
    (deposit / "lot.zip").write_bytes(whole[: len(whole) // 2])
    connector = connect(deposit)
    pages = []
    with pytest.raises(Drift, match=r"^lot\.zip : L'archive est abîmée.*remplacée ou retirée\.$"):
        for page in connector.pull_invoices(None):
            pages.append(page)
    assert not any(page.end for page in pages)
    assert pages[0].unreadable[0].ref == "lot.zip"
    with pytest.raises(Drift):
        connector.read_invoices(["lot.zip!c.xml"])


def test_two_members_of_one_name_are_told_apart(
    tmp_path: Path, written: Written, connect: Connect
) -> None:
    with tarfile.open(tmp_path / "lot.tar", "w") as archive:
        for number in ("FA-1", "FA-2"):
            content = written(number)
            entry = tarfile.TarInfo("f.xml")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    (page,) = connect(tmp_path).pull_invoices(None)
    assert [item.number for item in page.items] == ["FA-1"]
    assert "deux fichiers de ce nom" in page.unreadable[0].reason


def test_a_document_is_given_byte_for_byte(
    deposit: Path, connect: Connect, written: Written
) -> None:
    connector = connect(deposit)
    plain, member = (connector.fetch_document(ref) for ref in ("2026/a.xml", "lot.zip!c.xml"))
    assert plain.content == (deposit / "2026" / "a.xml").read_bytes()
    assert (plain.filename, plain.media_type) == ("a.xml", "application/xml")
    assert (member.content, member.filename) == (written("FA-3"), "c.xml")


def test_a_document_of_an_unreadable_invoice_can_still_be_fetched(
    deposit: Path, connect: Connect
) -> None:
    (deposit / "d.xml").write_bytes(b"<broken")
    assert connect(deposit).fetch_document("d.xml").content == b"<broken"


def test_a_folder_that_is_gone_is_refused_when_connected_and_awaited_when_read(
    tmp_path: Path, written: Written, connect: Connect
) -> None:
    connector = connect(tmp_path / "parti")
    for call in (
        lambda: list(connector.pull_invoices(None)),
        lambda: connector.read_invoices(["a.xml"]),
        lambda: connector.fetch_document("a.xml"),
    ):
        with pytest.raises(Transient) as awaited:
            call()
        assert "path" in awaited.value.message
    with pytest.raises(Denied) as refused:
        connector.probe()
    assert "path" in refused.value.message
    (tmp_path / "parti").mkdir()
    (tmp_path / "parti" / "a.xml").write_bytes(written("FA-1"))
    assert refs(list(connector.pull_invoices(None))) == ["a.xml"]


def test_a_folder_that_does_not_open_makes_no_invoice_vanish(deposit: Path) -> None:
    names = Deposit(deposit).names()
    assert next(names)[0] == "b.xml"
    shutil.rmtree(deposit / "2026")
    with pytest.raises(OutOfReach) as caught:
        list(names)
    assert "2026" in str(caught.value)


def test_a_name_with_broken_bytes_is_still_a_name(
    tmp_path: Path, written: Written, connect: Connect
) -> None:
    odd = os.fsdecode(b"f\xff\n.xml")
    (tmp_path / odd).write_bytes(written("FA-1"))
    connector = connect(tmp_path)
    (ref,) = refs(list(connector.pull_invoices(None)))
    assert ref.isprintable()
    assert isinstance(connector.read_invoices([ref])[0], SourceInvoice)


def test_a_name_with_the_mark_of_archives_is_a_plain_file(
    tmp_path: Path, written: Written, connect: Connect
) -> None:
    (tmp_path / "a!b.xml").write_bytes(written("FA-1"))
    connector = connect(tmp_path)
    assert isinstance(connector.read_invoices(["a!b.xml"])[0], SourceInvoice)


def test_the_probe_counts_the_files_without_opening_them(deposit: Path, connect: Connect) -> None:
    assert connect(deposit).probe().note == "3 fichier(s) de facture trouvé(s)"


def test_the_corpus_of_a_nested_archive_is_not_opened(
    tmp_path: Path, written: Written, connect: Connect
) -> None:
    inner = zipped(**{"f.xml": written("FA-1")})
    (tmp_path / "lot.zip").write_bytes(zipped(**{"dedans.zip": inner, "g.xml": written("FA-2")}))
    (page,) = connect(tmp_path).pull_invoices(None)
    assert [item.number for item in page.items] == ["FA-2"]
    assert "archive dans une archive" in page.unreadable[0].reason
