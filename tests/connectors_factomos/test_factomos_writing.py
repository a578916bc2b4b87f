"""Writing into the simulated tool: lost replies, doubles, and searches that prove nothing."""

from __future__ import annotations

import pytest
from tests.connectors_factomos.books import KEY, UNDO, Books, payment, reversal

from encaisse_api import (
    Absent,
    Conflict,
    Drift,
    Money,
    OutcomeUnknown,
    Receipt,
    Rejected,
    SourceInvoice,
    Transient,
)
from encaisse_factomos.connector import FactomosConnector


def test_a_payment_is_absent_then_written_then_found(
    books: Books, connector: FactomosConnector
) -> None:
    pid = books.invoice("F-1")
    before = connector.find_payment(KEY, payment(pid))
    assert isinstance(before, Absent)
    assert KEY in before.searched
    receipt = connector.record_payment(KEY, payment(pid))
    assert connector.find_payment(KEY, payment(pid)) == receipt
    assert books.world.factomos.payment_references(pid) == [KEY]
    (after,) = connector.read_invoices([pid])
    assert isinstance(after, SourceInvoice)
    assert after.open.minor == 70_000


def test_a_reversal_is_its_own_entry_with_its_own_look_up(
    books: Books, connector: FactomosConnector
) -> None:
    pid = books.invoice("F-1")
    receipt = connector.record_payment(KEY, payment(pid))
    undone = reversal(pid, receipt)
    assert isinstance(connector.find_reversal(UNDO, undone), Absent)
    done = connector.reverse_payment(UNDO, undone)
    assert connector.find_reversal(UNDO, undone) == done
    assert connector.find_payment(KEY, payment(pid)) == receipt
    assert [entry.amount_cents for entry in books.world.ledger()] == [50_000, -50_000]


@pytest.mark.parametrize("kind", ["lost_reply", "slow_after", "5xx_after", "malformed"])
def test_a_reply_lost_after_the_write_is_found_again_and_not_repeated(
    books: Books, connector: FactomosConnector, kind: str
) -> None:
    pid = books.invoice("F-1")
    books.world.faults.schedule(kind, method="POST")  # type: ignore[arg-type]
    with pytest.raises(OutcomeUnknown):
        connector.record_payment(KEY, payment(pid))
    found = connector.find_payment(KEY, payment(pid))
    assert isinstance(found, Receipt)
    assert found.amount == Money.of_minor(50_000)
    assert [entry.amount_cents for entry in books.world.ledger()] == [50_000]


@pytest.mark.parametrize("kind", ["5xx", "slow"])
def test_a_write_that_never_landed_is_absent_afterwards(
    books: Books, connector: FactomosConnector, kind: str
) -> None:
    pid = books.invoice("F-1")
    books.world.faults.schedule(kind, method="POST")  # type: ignore[arg-type]
    with pytest.raises(OutcomeUnknown):
        connector.record_payment(KEY, payment(pid))
    assert isinstance(connector.find_payment(KEY, payment(pid)), Absent)


@pytest.mark.parametrize("kind", ["truncated_list", "miscounted_list", "5xx", "malformed", "slow"])
def test_a_doubtful_search_is_never_an_absence(
    books: Books, connector: FactomosConnector, kind: str
) -> None:
    pid = books.invoice("F-1")
    connector.record_payment(KEY, payment(pid))
    books.world.faults.schedule(kind, path="/payments$")  # type: ignore[arg-type]
    with pytest.raises((Transient, Drift)):
        connector.find_payment(KEY, payment(pid))
    assert books.world.faults.counts[kind] == 1


def test_our_reference_on_another_sum_is_for_a_person(
    books: Books, connector: FactomosConnector
) -> None:
    pid = books.invoice("F-1")
    connector.record_payment(KEY, payment(pid))
    with pytest.raises(Conflict):
        connector.find_payment(KEY, payment(pid, 50_001))


def test_a_double_is_seen_and_given_to_a_person(books: Books, connector: FactomosConnector) -> None:
    pid = books.invoice("F-1")
    connector.record_payment(KEY, payment(pid))
    connector.record_payment(KEY, payment(pid))
    with pytest.raises(Conflict) as caught:
        connector.find_payment(KEY, payment(pid))
    assert "inscrit 2 fois" in caught.value.message


def test_a_payment_on_an_invoice_that_is_gone_is_refused_by_name(
    books: Books, connector: FactomosConnector
) -> None:
    pid = books.invoice("F-1")
    books.world.factomos.delete_invoice(pid)
    for call in (connector.find_payment, connector.record_payment):
        with pytest.raises(Rejected) as caught:
            call(KEY, payment(pid))
        assert caught.value.message.startswith("Facture F-1, règlement de 500,00 €")
