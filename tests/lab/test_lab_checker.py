"""The comparison with the partners' ledgers finds what is doubled, missing, late or mixed up."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from encaisse_lab import proof
from encaisse_lab.cast import Act, Deed, Method, Role
from encaisse_lab.checker import (
    Done,
    Verdict,
    compare,
    double_procedures,
    merges,
)
from encaisse_lab.samples import Sample, samples
from encaisse_simulator.gcollect.collector import ProcedureLine
from encaisse_simulator.gcollect.entities import Message
from encaisse_simulator.ledger import LedgerEntry, Via

DAY = date(2026, 2, 3)
NOON = datetime(2026, 2, 3, 12, tzinfo=UTC)
NIGHTS = [NOON + timedelta(days=day, hours=15) for day in range(-1, 8)]
INVOICE = samples(1).collectible[1]


def done(
    role: Role, deed: Deed, cents: int = 0, *, day: int = 0, payment: int = 1, by: Method = "card"
) -> Done:
    act = Act(1 + day, 12, role, INVOICE.true_id, deed, cents, payment=payment, method=by)
    return Done(act, INVOICE, NOON + timedelta(days=day))


def entry(partner: str, kind: str, cents: int, via: Via = "api") -> LedgerEntry:
    return LedgerEntry(partner, "999000000", INVOICE.number, cents, DAY, kind, via)


def judge(
    acts: list[Done], ledger: list[LedgerEntry], sent: list[Message] | None = None
) -> Verdict:
    return compare(acts, ledger, [], sent or [], NIGHTS)


def message(at: datetime) -> Message:
    return Message(at, "999000000", "prc", "email", (INVOICE.number,))


OWED = INVOICE.owed


def test_what_should_stand_and_stands_is_no_finding() -> None:
    verdict = judge(
        [
            done("reversed", "pays_collector", OWED),
            done("reversed", "goes_back", OWED, day=2),
        ],
        [entry("myunisoft", "payment_draft", OWED), entry("myunisoft", "reversal_draft", -OWED)],
    )
    assert verdict == Verdict((), (), (), (), ())


def test_a_payment_written_twice_is_a_duplicate() -> None:
    paid = [done("full", "pays_collector", OWED)]
    verdict = judge(paid, [entry("myunisoft", "payment_draft", OWED)] * 2)
    assert verdict.duplicates == (("myunisoft", INVOICE.number, "payment_draft", OWED),)
    assert verdict.missing == ()


def test_a_payment_never_written_is_missing() -> None:
    verdict = judge([done("full", "pays_collector", OWED)], [])
    assert verdict.missing == (("myunisoft", INVOICE.number, "payment_draft", OWED),)


def test_a_wrong_amount_is_both() -> None:
    paid = [done("full", "pays_collector", OWED)]
    verdict = judge(paid, [entry("myunisoft", "payment_draft", OWED - 1)])
    assert len(verdict.duplicates) == len(verdict.missing) == 1


def test_the_second_of_two_payments_belongs_to_the_customer_and_not_in_the_books() -> None:
    twice = [
        done("double", "pays_collector", OWED),
        done("double", "pays_collector", OWED, day=1, payment=2),
    ]
    assert judge(twice, [entry("myunisoft", "payment_draft", OWED)]).missing == ()
    assert len(judge(twice, [entry("myunisoft", "payment_draft", OWED)] * 2).duplicates) == 1


def test_what_the_companys_own_people_enter_is_not_ours() -> None:
    paid = [done("direct_full", "pays_directly", OWED)]
    ledger = [entry("factomos", "payment", OWED, "user"), entry("gcollect", "direct_payment", OWED)]
    assert judge(paid, ledger) == Verdict((), (), (), (), ())


def test_a_direct_payment_not_declared_is_a_procedure_not_stopped() -> None:
    verdict = judge([done("direct_full", "pays_directly", OWED)], [])
    assert verdict.unstopped == (INVOICE.number,)


@pytest.mark.parametrize(
    ("cents", "kind"), [(OWED, "procedure_withdrawn"), (9, "procedure_amended")]
)
def test_a_credit_note_withdraws_or_lowers(cents: int, kind: str) -> None:
    credited = [done("credit_note", "is_credited", cents)]
    assert judge(credited, [entry("gcollect", kind, 123)]).missing == ()
    assert judge(credited, []).missing == (("gcollect", INVOICE.number, kind, 0),)


def test_a_transfer_not_yet_verified_is_not_expected() -> None:
    last = (NIGHTS[-1] - NOON).days
    late = [done("full", "pays_collector", OWED, day=last, by="bank_transfer")]
    assert judge(late, []).missing == ()
    assert len(judge([done("full", "pays_collector", OWED, day=last)], []).missing) == 1


def test_a_message_after_the_night_of_the_payment_is_found() -> None:
    paid = [done("direct_full", "pays_directly", OWED)]
    ledger = [entry("gcollect", "direct_payment", OWED)]
    before, after = message(NOON + timedelta(hours=2)), message(NOON + timedelta(days=2))
    assert judge(paid, ledger, [before]).messages_after_payment == ()
    assert judge(paid, ledger, [before, after]).messages_after_payment == (INVOICE.number,)


def line(opened: int, closed: int | None) -> ProcedureLine:
    return ProcedureLine(
        creditor_siren="999000000",
        invoice_number="FA-1",
        issue_year=2025,
        status="closed" if closed else "active",
        opened_at=NOON + timedelta(days=opened),
        closed_at=None if closed is None else NOON + timedelta(days=closed),
        close_code=None,
    )


def test_two_procedures_at_once_are_found_two_in_turn_are_not() -> None:
    assert double_procedures([line(0, 2), line(3, None)]) == []
    assert double_procedures([line(0, None), line(3, None)]) == ["FA-1 (2025)"]
    assert double_procedures([line(0, 4), line(3, 5)]) == ["FA-1 (2025)"]


def test_merges_are_judged_by_the_truth_and_strangers_files_are_not() -> None:
    truth = {("factomos", "a"): "inv-1", ("folder:x", "b"): "inv-1", ("factomos", "c"): "inv-2"}
    right = [("factomos", "a", "clm-1"), ("folder:x", "b", "clm-1"), ("factomos", "c", "clm-2")]
    assert merges([*right, ("folder:mine", "z", "clm-1")], truth) == ([], [])
    mixed = [*right[:2], ("factomos", "c", "clm-1")]
    assert merges(mixed, truth) == (["clm-1"], [])
    split = [right[0], ("folder:x", "b", "clm-3"), right[2]]
    assert merges(split, truth) == ([], ["inv-1"])


def test_what_was_not_run_does_not_hold() -> None:
    assert proof.faults(proof.SLICE, [])
    assert proof.faults(proof.FULL, [])


def test_the_sample_of_these_tests_owes_all_of_it() -> None:
    untouched: Sample = INVOICE
    assert untouched.paid == untouched.credited == 0
