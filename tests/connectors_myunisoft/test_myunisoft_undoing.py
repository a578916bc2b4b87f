"""Entries undone, followed and lettered in the simulated dossier."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import httpx
import pytest
from tests.connectors_myunisoft.office import (
    DIRECT,
    F1,
    KEY,
    OURS,
    UNDO,
    Office,
    paid,
    payment,
    reversal,
)

from encaisse_api import (
    Absent,
    Conflict,
    Drift,
    LetteringEntry,
    OutcomeUnknown,
    Receipt,
    Rejected,
)
from encaisse_simulator.myunisoft import Choices
from encaisse_simulator.transport import SimTransport


def test_a_payment_is_undone_by_a_counter_entry(office: Office) -> None:
    paid(office, **DIRECT)
    connector = office.connector(**DIRECT)
    undo = reversal(F1, OURS)
    assert isinstance(connector.find_reversal(UNDO, undo), Absent)
    receipt = connector.reverse_payment(UNDO, undo)
    assert receipt.state == "posted"
    assert connector.find_reversal(UNDO, undo) == receipt
    assert office.told()[F1] == ("invoice", "open", 120_000)
    assert [entry.kind for entry in office.books.payments("F1")] == ["payment", "reversal"]


def test_a_payment_that_was_lettered_is_undone_too(office: Office) -> None:
    connector = office.connector(**DIRECT)
    connector.record_payment(KEY, payment(F1, 120_000))
    lines = LetteringEntry(account=office.customer, line_refs=(F1, OURS), reference=UNDO)
    connector.letter(UNDO, lines)
    assert F1 not in office.pulled()
    connector.reverse_payment(UNDO, reversal(F1, OURS, 120_000))
    assert office.told()[F1] == ("invoice", "open", 120_000)


def test_what_is_not_there_cannot_be_undone(office: Office) -> None:
    with pytest.raises(Rejected, match="rien à annuler"):
        office.connector().reverse_payment(UNDO, reversal(F1, OURS))


def test_the_fate_of_a_draft_is_told(office: Office) -> None:
    paid(office)

    def fate() -> tuple[str, str]:
        (told,) = office.connector().follow_up([OURS])
        assert told.remote_id == OURS
        return told.state, told.note or ""

    assert fate()[0] == "pending"
    entry = office.books.validate(OURS)
    assert fate() == ("posted", f"Validée sous le numéro {entry}.")


def test_a_refused_draft_is_told_and_its_money_is_owed_again(office: Office) -> None:
    paid(office)
    office.books.reject(OURS)
    (told,) = office.connector().follow_up([OURS])
    assert (told.state, told.note) == (
        "rejected",
        "L'écriture en attente n'existe plus : le comptable l'a refusée.",
    )
    assert office.told()[F1] == ("invoice", "open", 120_000)


def test_an_entry_the_accountant_changed_is_told_as_altered(office: Office) -> None:
    paid(office)
    (draft,) = office.books._dossier.pending.values()
    for line in draft.lines:
        line.debit, line.credit = line.debit // 2, line.credit // 2
    office.books.validate(OURS)
    (told,) = office.connector().follow_up([OURS])
    assert told.state == "altered"
    assert told.note is not None
    assert "250,00 € au crédit du compte 411CLIENT0 au lieu de 500,00 €" in told.note


@pytest.mark.parametrize("starred", [True, False])
def test_an_invoice_and_its_payments_are_lettered_together(office: Office, starred: bool) -> None:
    office.world.myunisoft.choices = Choices(partial_code_starred=starred)
    connector = office.connector(**DIRECT)
    connector.record_payment(KEY, payment(F1, 50_000))
    part = LetteringEntry(account=office.customer, line_refs=(F1, OURS), reference=KEY)
    assert isinstance(connector.find_lettering(KEY, part), Absent)
    receipt = connector.letter(KEY, part)
    assert receipt.remote_id.startswith("411CLIENT0:*")
    assert connector.find_lettering(KEY, part) == receipt == connector.letter(KEY, part)
    assert office.told()[F1] == ("invoice", "open", 70_000)
    connector.record_payment(UNDO, payment(F1, 70_000, key=UNDO))
    rest = LetteringEntry(account=office.customer, line_refs=(F1, f"GCO-{UNDO}"), reference=UNDO)
    assert isinstance(connector.find_lettering(UNDO, rest), Absent)
    whole = connector.letter(UNDO, rest)
    assert "*" not in whole.remote_id
    assert office.pulled() == {}
    assert office.read(F1).state == "settled"


def test_a_draft_is_not_lettered(office: Office) -> None:
    paid(office)
    lines = LetteringEntry(account=office.customer, line_refs=(F1, OURS), reference=KEY)
    for call in (office.connector().find_lettering, office.connector().letter):
        with pytest.raises(Rejected, match="attend sa validation"):
            call(KEY, lines)


def test_lines_lettered_otherwise_are_left_to_the_accountant(office: Office) -> None:
    office.books.receive(office.customer, date(2026, 4, 9), 120_000, number="F1", lettered=True)
    office.invoice("F2")
    lines = LetteringEntry(
        account=office.customer, line_refs=(F1, "411CLIENT0/2026/F2"), reference=KEY
    )
    with pytest.raises(Conflict, match="laissez faire le comptable"):
        office.connector().find_lettering(KEY, lines)


def test_lines_the_tool_letters_by_itself_are_a_success(office: Office) -> None:
    office.books.set_autolettering(True)
    connector = office.connector(**DIRECT)
    connector.record_payment(KEY, payment(F1, 120_000))
    lines = LetteringEntry(account=office.customer, line_refs=(F1, OURS), reference=KEY)
    assert isinstance(connector.find_lettering(KEY, lines), Receipt)
    assert isinstance(connector.letter(KEY, lines), Receipt)


def test_lines_lettered_while_we_ask_are_a_success(office: Office) -> None:
    connector = office.connector(**DIRECT)
    connector.record_payment(KEY, payment(F1, 120_000))

    class Late(httpx.BaseTransport):
        """Let the accountant letter right before our request arrives."""

        def handle_request(self, request: httpx.Request) -> httpx.Response:
            if request.method == "PUT":
                office.books.letter_invoice(office.customer, "F1")
            return SimTransport(office.world).handle_request(request)

    lines = LetteringEntry(account=office.customer, line_refs=(F1, OURS), reference=KEY)
    assert isinstance(office.connector(Late()).letter(KEY, lines), Receipt)


@pytest.mark.parametrize("kind", ["lost_reply", "5xx_after", "malformed"])
def test_a_lettering_whose_reply_is_lost_is_found(office: Office, kind: str) -> None:
    connector = office.connector(**DIRECT)
    connector.record_payment(KEY, payment(F1, 120_000))
    lines = LetteringEntry(account=office.customer, line_refs=(F1, OURS), reference=KEY)
    office.world.faults.schedule(kind, method="PUT")  # type: ignore[arg-type]
    with pytest.raises(OutcomeUnknown):
        connector.letter(KEY, lines)
    assert isinstance(connector.find_lettering(KEY, lines), Receipt)


def test_lines_that_are_not_there_are_a_doubt(office: Office) -> None:
    calls: list[Callable[[str, LetteringEntry], object]] = [
        office.connector().find_lettering,
        office.connector().letter,
    ]
    for ref in ("411CLIENT0/2026/F9", "GCO-enc-x", "411CLIENT0#9"):
        lines = LetteringEntry(account=office.customer, line_refs=(F1, ref), reference=KEY)
        for call in calls:
            with pytest.raises(Drift, match="n'y est pas"):
                call(KEY, lines)
