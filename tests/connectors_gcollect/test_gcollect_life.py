"""A file's whole life against the simulated GCollect, in process."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.connectors_gcollect.counter import (
    CONTESTED,
    FILE,
    FIRST,
    KEY,
    LINES,
    PAID,
    REQUEST,
    SECOND,
    euros,
    items_of,
)
from tests.connectors_gcollect.town import MANDATE_KEY, OPENING_KEY, Town, found_town

from encaisse_api import (
    ActionNeeded,
    CollectedPayment,
    Conflict,
    Denied,
    Receipt,
    Rejected,
    SignedMandate,
    Since,
)


@pytest.fixture
def town() -> Town:
    return found_town()


def test_from_quote_to_payout(town: Town) -> None:
    connector = town.connector()
    granted = connector.probe()
    assert (granted.account, granted.siren) == (town.account, "123456782")

    quote = connector.quote(REQUEST)
    assert quote.eligible and quote.fee is not None and quote.fee_vat is not None
    link = connector.request_mandate(MANDATE_KEY, town.draft(quote.remote_id))
    assert connector.read_mandate(link.remote_id).state == "pending"
    town.sign(link)
    mandate = connector.read_mandate(link.remote_id)
    assert (mandate.state, mandate.signer, mandate.annex) == ("signed", "Alix Exemple", LINES)
    receipt = connector.open_procedure(OPENING_KEY, FILE, SignedMandate(mandate=mandate))
    assert (receipt.state, receipt.amount) == ("posted", euros("2093.36"))

    debtor, documents = town.world.gcollect.received_file(receipt.remote_id)
    assert (debtor.name, debtor.siren) == ("Client Exemple SAS", "987654324")
    assert [document.content for document in documents] == [b"%PDF-1.4 exemple"]

    town.world.advance(timedelta(days=2))
    paid = town.world.gcollect.debtor_pays(
        receipt.remote_id, "L-2026-118", 155_231, interest_cents=1_231, indemnity_cents=4_000
    )
    connector = town.connector()
    (payment,) = items_of(connector.pull_payments_collected(None))
    assert isinstance(payment, CollectedPayment)
    assert (payment.remote_id, payment.claim_ref, payment.state) == (paid, FIRST, "verified")
    assert (payment.principal, payment.interest, payment.indemnity) == (
        euros("1500.00"),
        euros("12.31"),
        euros("40.00"),
    )
    assert payment.fee is not None and payment.fee.minor > 0

    town.world.advance(timedelta(hours=73))
    connector = town.connector()
    (payout,) = items_of(connector.pull_payouts(None))
    assert payout.state == "executed"
    (line,) = payout.lines
    assert (line.payment_ref, line.gross) == (paid, payment.amount)
    assert (line.fee, line.fee_vat) == (payment.fee, payment.fee_vat)
    assert payout.bank_reference

    (state,) = items_of(connector.pull_progress(None))
    assert (state.state, state.reference) == ("active", OPENING_KEY)
    assert state.collected == payment.amount


def test_a_refused_mandate_opens_nothing(town: Town) -> None:
    connector = town.connector()
    quote = connector.quote(REQUEST)
    link = connector.request_mandate(MANDATE_KEY, town.draft(quote.remote_id))
    town.sign(link, decision="refuse")
    refused = connector.read_mandate(link.remote_id)
    assert refused.state == "refused"
    with pytest.raises(ValueError, match="not signed"):
        SignedMandate(mandate=refused)


def test_a_mandate_revoked_after_it_was_read_needs_a_person(town: Town) -> None:
    signed = town.signed()
    town.world.gcollect.revoke_mandate(signed.mandate.remote_id)
    with pytest.raises((ActionNeeded, Rejected)):
        town.connector().open_procedure(OPENING_KEY, FILE, signed)


def test_an_invoice_already_in_a_procedure_is_a_conflict(town: Town) -> None:
    signed = town.signed()
    town.connector().open_procedure(OPENING_KEY, FILE, signed)
    with pytest.raises(Conflict, match="L-2026-118"):
        town.connector().open_procedure(KEY, FILE, signed)


def test_a_declared_direct_payment_silences_the_claim_and_comes_back_as_our_own(
    town: Town,
) -> None:
    ref = town.opened().remote_id
    settled = PAID.model_copy(
        update={"procedure_ref": ref, "amount": euros("1500.00"), "settles": True}
    )
    receipt = town.connector().declare_direct_payment(KEY, settled)
    (echo,) = items_of(town.connector().pull_payments_collected(None))
    assert (echo.remote_id, echo.received_by) == (receipt.remote_id, "creditor")
    before = len(town.world.gcollect.outreach())
    town.world.advance(timedelta(days=10))
    said = [m for m in town.world.gcollect.outreach()[before:] if "L-2026-118" in m.invoice_numbers]
    assert said == []


def test_a_reversed_payment_is_told_as_the_same_payment(town: Town) -> None:
    ref = town.opened().remote_id
    paid = town.world.gcollect.debtor_pays(ref, "L-2026-131", 50_000)
    (first,) = items_of(town.connector().pull_payments_collected(None))
    town.world.advance(timedelta(days=1))
    town.world.gcollect.reverse_payment(paid)
    since = Since(at=first.updated_at, after_id=first.remote_id)
    (again,) = items_of(town.connector().pull_payments_collected(since))
    assert (again.remote_id, again.state, again.claim_ref) == (paid, "reversed", SECOND)
    assert again.reversed_on is not None


def test_a_dispute_pauses_the_procedure_and_says_so(town: Town) -> None:
    ref = town.opened().remote_id
    receipt = town.connector().open_dispute(
        KEY, CONTESTED.model_copy(update={"procedure_ref": ref})
    )
    assert receipt.state == "posted"
    (state,) = items_of(town.connector().pull_progress(None))
    assert (state.state, state.disputed) == ("paused", True)


def test_a_claim_given_up_is_attested_and_its_document_proves_itself(town: Town) -> None:
    ref = town.opened().remote_id
    assert town.connector().attestation(ref) is None
    town.world.gcollect.close_irrecoverable(ref)
    attested = town.connector().attestation(ref)
    assert attested is not None and attested.number.startswith("ANR-")
    document = town.connector().fetch_document(attested.document_ref)
    assert document.media_type == "text/html"
    assert attested.number.encode() in document.content


def test_a_pass_resumes_after_the_last_row_even_when_moments_are_coarse(town: Town) -> None:
    town.world.gcollect.coarse_clock = True
    ref = town.opened().remote_id
    paid = [town.world.gcollect.debtor_pays(ref, "L-2026-118", cents) for cents in (100, 200, 300)]
    seen: list[str] = []
    since: Since | None = None
    for _ in range(6):
        (page,) = town.connector().pull_payments_collected(since)
        seen += [item.remote_id for item in page.items]
        assert page.cursor is None or isinstance(page.cursor, Since)
        since = page.cursor
    assert sorted(seen) == sorted(paid), "each once, none lost between two passes"


def test_a_withdrawn_access_is_denied(town: Town) -> None:
    connector = town.connector()
    town.world.gcollect.disable_client("app-essai")
    with pytest.raises(Denied):
        connector.probe()


def test_two_creditors_of_one_access_never_see_each_other(town: Town) -> None:
    other = town.world.gcollect.register_creditor(
        "987654324", "Boussole SAS", "app-essai", "secret-essai"
    )
    ref = town.opened().remote_id
    town.world.gcollect.debtor_pays(ref, "L-2026-118", 1_000)
    town.world.advance(timedelta(days=5))
    theirs = town.connector(account=other)
    assert items_of(theirs.pull_progress(None)) == []
    assert items_of(theirs.pull_payments_collected(None)) == []
    assert items_of(theirs.pull_payouts(None)) == []
    ours = town.connector()
    assert len(items_of(ours.pull_progress(None))) == 1
    assert len(items_of(ours.pull_payments_collected(None))) == 1
    assert len(items_of(ours.pull_payouts(None))) == 1
    assert isinstance(ours.find_procedure(OPENING_KEY, FILE), Receipt)
