"""Hand-written payloads of the assumed shapes, read into the contract's values."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from pydantic import ValidationError
from tests.connectors_gcollect.counter import FIRST, LINES, euros, payload

from encaisse_api import roles_of
from encaisse_gcollect import GCollectConnector, mapping, settlements
from encaisse_gcollect.wire import (
    AttestationRow,
    MandateRow,
    Me,
    MoneyRow,
    PaymentRow,
    PayoutRow,
    ProcedureRow,
    QuoteRow,
)


def test_a_quote_tells_its_price_and_until_when_it_holds() -> None:
    quote = mapping.quote(QuoteRow.model_validate(payload("quote")))
    assert quote.eligible
    assert quote.fee_rate == Decimal("13.75")
    assert (quote.fee, quote.fee_vat, quote.net) == (
        euros("275.00"),
        euros("55.00"),
        euros("1670.00"),
    )
    assert quote.expires_at == datetime(2026, 9, 30, 22, tzinfo=UTC)


def test_a_refused_quote_gives_its_reasons_in_french_and_unknown_ones_as_they_came() -> None:
    quote = mapping.quote(QuoteRow.model_validate(payload("quote_refused")))
    assert not quote.eligible
    assert quote.reasons == (mapping.REASONS["public_debtor"], "autre_motif")
    assert quote.fee is None


@pytest.mark.parametrize(
    "changed",
    [
        {"status": "expired"},
        {"status": "zz_new"},
        {"success_only": False},
        {"upfront_cost": {"amount": "25.00", "currency": "EUR"}},
    ],
)
def test_a_quote_that_is_not_plainly_success_only_is_not_eligible(
    changed: dict[str, object],
) -> None:
    quote = mapping.quote(QuoteRow.model_validate(payload("quote", **changed)))
    assert not quote.eligible
    assert quote.reasons


def test_a_signed_mandate_reads_back_its_annex_line_by_line() -> None:
    mandate = mapping.mandate(MandateRow.model_validate(payload("mandate_signed")))
    assert mandate.state == "signed"
    assert mandate.annex == LINES
    assert mandate.signed_at == datetime(2026, 9, 15, 9, 2, 11, tzinfo=UTC)
    assert mandate.document_sha256 == "5d" * 32


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("pending_signature", "pending"),
        ("refused", "refused"),
        ("expired", "expired"),
        ("revoked", "revoked"),
        ("signed_by_somebody", "unknown"),
    ],
)
def test_only_the_word_signed_makes_a_mandate_signed(word: str, state: str) -> None:
    row = MandateRow.model_validate(payload("mandate_signed", status=word))
    assert mapping.mandate(row).state == state


def test_a_procedure_tells_where_it_stands() -> None:
    state = mapping.procedure_state(ProcedureRow.model_validate(payload("procedure")))
    assert (state.state, state.phase, state.close_code) == ("active", "classic", None)
    assert (state.claimed, state.collected) == (euros("2093.36"), euros("0.00"))
    assert not state.disputed


def test_a_contested_procedure_says_so() -> None:
    state = mapping.procedure_state(ProcedureRow.model_validate(payload("procedure_disputed")))
    assert (state.state, state.disputed) == ("paused", True)


@pytest.mark.parametrize("word", ["quoted", "Closed", "archived"])
def test_an_unknown_procedure_status_is_unknown(word: str) -> None:
    row = ProcedureRow.model_validate(payload("procedure", status=word))
    assert mapping.procedure_state(row).state == "unknown"
    assert mapping.opened(row).state == "pending"


def test_a_payment_tells_what_each_part_pays_on_the_day_it_was_in_paris() -> None:
    (paid,) = settlements.collected(PaymentRow.model_validate(payload("payment")))
    assert (paid.remote_id, paid.claim_ref, paid.invoice_number) == (
        "pay_70",
        FIRST,
        "L-2026-118",
    )
    assert (paid.principal, paid.interest, paid.indemnity, paid.costs) == (
        euros("800.00"),
        euros("12.31"),
        euros("40.00"),
        euros("0.00"),
    )
    assert (paid.fee, paid.fee_vat) == (euros("110.00"), euros("22.00"))
    assert paid.received_on == date(2026, 9, 22), "22:40 UTC is past midnight in Paris"
    assert (paid.state, paid.received_by) == ("verified", "collector")


def test_a_payment_not_yet_verified_states_no_fee() -> None:
    (paid,) = settlements.collected(PaymentRow.model_validate(payload("payment_pending")))
    assert (paid.state, paid.fee, paid.fee_vat) == ("pending", None, None)


def test_a_reversal_is_the_same_payment_reversed() -> None:
    (paid,) = settlements.collected(PaymentRow.model_validate(payload("payment_reversed")))
    assert (paid.remote_id, paid.state) == ("pay_70", "reversed")
    assert paid.reversed_on == date(2026, 10, 1)


def test_a_direct_payment_seen_again_carries_the_id_of_our_declaration() -> None:
    (paid,) = settlements.collected(PaymentRow.model_validate(payload("payment_direct")))
    assert (paid.remote_id, paid.received_by) == ("dir_12", "creditor")


def test_a_payment_on_two_invoices_becomes_two_and_the_payout_meets_both() -> None:
    shares = settlements.collected(PaymentRow.model_validate(payload("payment_two_invoices")))
    assert [share.amount for share in shares] == [euros("700.00"), euros("300.00")]
    assert [share.fee for share in shares] == [None, None], "stated for both together only"
    payout = settlements.payout(PayoutRow.model_validate(payload("payout")))
    assert [line.payment_ref for line in payout.lines] == [
        "pay_70",
        shares[0].remote_id,
        shares[1].remote_id,
    ]


def test_an_unknown_payment_status_is_pending() -> None:
    (paid,) = settlements.collected(PaymentRow.model_validate(payload("payment", status="ok")))
    assert paid.state == "pending"


def test_a_payment_whose_parts_do_not_add_up_is_refused() -> None:
    row = PaymentRow.model_validate(
        payload("payment", amount={"amount": "852.30", "currency": "EUR"})
    )
    with pytest.raises(ValueError, match="somme"):
        settlements.collected(row)


def test_a_payment_received_by_nobody_we_know_is_refused() -> None:
    row = PaymentRow.model_validate(payload("payment", received_by="huissier"))
    with pytest.raises(ValueError, match="qui a reçu"):
        settlements.collected(row)


def test_an_executed_payout_tells_its_lines_fees_and_day() -> None:
    payout = settlements.payout(PayoutRow.model_validate(payload("payout")))
    assert (payout.state, payout.net) == ("executed", euros("1555.31"))
    assert payout.executed_on == date(2026, 9, 26)
    assert sum(line.fee.minor for line in payout.lines) == 24_750


def test_a_payout_takes_a_reversed_payment_back() -> None:
    payout = settlements.payout(PayoutRow.model_validate(payload("payout_taking_back")))
    assert (payout.state, payout.net) == ("scheduled", euros("-720.31"))
    assert payout.lines[0].payment_ref == "pay_70"


def test_an_unknown_payout_status_is_scheduled() -> None:
    row = PayoutRow.model_validate(payload("payout", status="sent"))
    assert settlements.payout(row).state == "scheduled"


@pytest.mark.parametrize("total", ["gross", "fees", "fees_vat", "net"])
def test_a_payout_whose_totals_are_not_its_lines_is_refused(total: str) -> None:
    wrong = {total: {"amount": "1.00", "currency": "EUR"}}
    row = PayoutRow.model_validate(payload("payout", **wrong))
    with pytest.raises(ValueError):
        settlements.payout(row)


def test_an_attestation_is_dated_in_paris_and_names_its_document_with_its_fingerprint() -> None:
    read = mapping.attestation("prc_401", AttestationRow.model_validate(payload("attestation")))
    assert read.issued_on == date(2027, 1, 1)
    assert read.document_ref == "doc_78@" + "ab" * 32


@pytest.mark.parametrize("amount", [12.5, 12, "12,50", "1e3", "", None])
def test_an_amount_is_decimal_text_and_nothing_else(amount: object) -> None:
    with pytest.raises(ValidationError):
        MoneyRow.model_validate({"amount": amount, "currency": "EUR"})


def test_a_bare_amount_without_its_currency_is_refused() -> None:
    with pytest.raises(ValidationError):
        MoneyRow.model_validate("12.50")


def test_the_scopes_decide_what_the_grant_may_do() -> None:
    me = Me.model_validate(payload("me_two_creditors"))
    may = mapping.granted(me, me.creditors[0])
    assert may.roles is not None
    assert {"ReportsProgress", "ReportsSettlements"} <= may.roles
    assert not {"OpensProcedures", "Quotes", "AcceptsDirectPayments"} & may.roles
    assert may.note is not None and "vérification" in may.note


def test_every_role_of_the_connector_has_its_rights() -> None:
    assert set(roles_of(GCollectConnector)) == set(mapping.RIGHTS)
