"""A movement written once is written anew as soon as anything of it changed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from tests.simulator.office import Office

from encaisse_simulator.myunisoft.amounts import written
from encaisse_simulator.myunisoft.dossier import Dossier
from encaisse_simulator.myunisoft.mad_rows import movement_json, movement_row

ON = date(2026, 8, 1)


def test_what_is_kept_of_a_line_is_what_stands(office: Office) -> None:
    books, customer = office.mono, office.customer
    dossier = books._dossier
    entry_id = books.issue("FA1", customer, ON, (date(2026, 8, 31), 100_000))
    entry = dossier.posted[entry_id]

    def comment() -> None:
        entry.comment = "vu avec le client"

    def rename() -> None:
        entry.lines[0].account.name = "AUTRE NOM"

    def correct() -> None:
        for line in entry.lines:
            line.debit, line.credit = 2 * line.debit, 2 * line.credit

    deeds: tuple[Callable[[], object], ...] = (
        lambda: books.receive(customer, ON, 40_000, number="FA1"),
        lambda: books.letter(*books.line_ids(customer, "FA1"), partial=True),
        lambda: books.receive(customer, ON, 60_000, number="FA1", lettered=True),
        lambda: books.attach(entry_id, "avenant.pdf", b"%PDF-1.4"),
        comment,
        rename,
        correct,
    )
    for deed in deeds:
        before = said(dossier)
        deed()
        assert said(dossier) != before
        anew = [written(movement_row(entry, line)) for entry, line in dossier.lines()]
        assert said(dossier) == anew


def said(dossier: Dossier) -> list[bytes]:
    return [movement_json(entry, line) for entry, line in dossier.lines()]
