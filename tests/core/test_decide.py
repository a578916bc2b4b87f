"""Only certain, liquid and overdue sums are handed over, and every refusal is explained."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.counts import examples

from encaisse_core.decide import (
    RULES,
    ClaimFacts,
    DebtorFacts,
    Decision,
    EcheanceFacts,
    Policy,
    SightingFacts,
    decide,
)
from encaisse_core.pa_statuses import PA_STATUSES

NOW = datetime(2026, 9, 15, 2, tzinfo=UTC)
TODAY = date(2026, 9, 15)
POLICY = Policy()
OURS, THEIRS = "123456782", "987654324"

SEEN = SightingFacts("factomos", 1200_00, 1200_00, "open", NOW - timedelta(hours=1))
ELSEWHERE = replace(SEEN, tool="myunisoft")
DEBTOR = DebtorFacts("Client SARL", "company", THEIRS, None, "5499", False, "none", NOW)
ECHEANCE = EcheanceFacts("ech_1", date(2026, 8, 31), 1200_00)
FACTS = ClaimFacts(
    claim_id="clm_1",
    number="F-12",
    issue_date=date(2026, 8, 1),
    company_siren=OURS,
    seller_siren=OURS,
    gathered_at=NOW,
    echeances=(ECHEANCE,),
    sightings=(SEEN, ELSEWHERE),
    debtor=DEBTOR,
    total=1200_00,
)


def having(**changes: Any) -> ClaimFacts:
    return replace(FACTS, **changes)


def debtor(**changes: Any) -> ClaimFacts:
    return having(debtor=replace(DEBTOR, **changes))


def echeance(**changes: Any) -> ClaimFacts:
    return having(echeances=(replace(ECHEANCE, **changes),))


def sighting(**changes: Any) -> ClaimFacts:
    return having(sightings=(SEEN, replace(ELSEWHERE, **changes)))


CHECKING = Policy(standing_within=timedelta(days=30))
GROUP = Policy(same_group=frozenset({THEIRS}))

CASES: dict[str, tuple[tuple[ClaimFacts, Policy], tuple[ClaimFacts, Policy]]] = {
    rule: (
        on if isinstance(on, tuple) else (on, POLICY),
        off if isinstance(off, tuple) else (off, POLICY),
    )
    for rule, (on, off) in {
        "not_our_invoice": (having(seller_siren=THEIRS), FACTS),
        "seller_unknown": (having(seller_siren=None), having(seller_siren=THEIRS)),
        "number_unusable": (having(number="SANS"), FACTS),
        "purchase": (having(direction="payable"), FACTS),
        "not_an_invoice": (having(kind="credit_note"), having(kind="down_payment")),
        "cancelled": (sighting(state="cancelled"), sighting(state="unknown")),
        "credit_noted": (having(credited=1200_00), having(credited=1199_99)),
        "debtor_unidentified": (debtor(siren=None), debtor(siren=None, vat_id="DE136695976")),
        "debtor_kind_unknown": (debtor(kind="unknown"), debtor(kind="public")),
        "individual_debtor": (debtor(kind="individual"), debtor(kind="unknown")),
        "public_debtor": (debtor(legal_category="7210"), debtor(legal_category="5710")),
        "same_group": ((FACTS, GROUP), (debtor(siren="732829320"), GROUP)),
        "insolvent": (debtor(insolvency="redressement"), debtor(insolvency="unknown")),
        "debtor_ceased": (debtor(ceased=True), FACTS),
        "standing_unchecked": (
            (debtor(checked_at=NOW - timedelta(days=31)), CHECKING),
            (debtor(checked_at=NOW - timedelta(days=30)), CHECKING),
        ),
        "disputed": (having(flags=frozenset({"disputed"})), having(hold="maybe_same")),
        "on_hold": (having(hold="maybe_same"), having(hold="disputed")),
        "blocked_in_approval": (
            having(flags=frozenset({"blocked_in_approval"})),
            having(flags=frozenset({"disputed"})),
        ),
        "promise_to_pay": (having(flags=frozenset({"promise_to_pay"})), FACTS),
        "payment_in_flight": (having(flags=frozenset({"payment_in_flight"})), FACTS),
        "factored": (having(flags=frozenset({"factored"})), FACTS),
        "credit_insured": (having(flags=frozenset({"credit_insured"})), FACTS),
        "paid_at_issue": (having(flags=frozenset({"paid_at_issue"})), FACTS),
        "unallocated_credit": (having(unallocated_credits=1), having(unallocated_credits=0)),
        "possible_duplicate": (having(possible_duplicates=("VE-77",)), FACTS),
        "sources_disagree": (sighting(open=1199_99), sighting(open=None)),
        "unknown_status": (sighting(state="unknown"), sighting(state="settled")),
        "unseen": (sighting(live=False), FACTS),
        "stale": (
            sighting(pulled_at=NOW - timedelta(hours=24, seconds=1)),
            sighting(pulled_at=NOW - timedelta(hours=24)),
        ),
        "currency": (having(currency="CHF"), FACTS),
        "in_procedure": (having(procedure="prc_1"), FACTS),
        "below_minimum": (echeance(open=9_99), echeance(open=10_00)),
        "paid": (echeance(open=0), echeance(open=1)),
        "not_due": (echeance(due_date=TODAY), echeance(due_date=TODAY - timedelta(days=1))),
        "due_date_missing": (echeance(due_date=None), FACTS),
        "due_date_estimated": (echeance(due_estimated=True), FACTS),
        "prescribed": (
            echeance(due_date=date(2021, 9, 14)),
            echeance(due_date=date(2021, 9, 15)),
        ),
    }.items()
} | {
    f"pa_{code}": (
        (having(pa_statuses=frozenset({code})), POLICY),
        (having(pa_statuses=frozenset(PA_STATUSES) - {code}), POLICY),
    )
    for code in PA_STATUSES
}


def rules_of(decision: Decision) -> set[str]:
    return {reason.rule for reason in decision.reasons}


def test_a_certain_overdue_invoice_is_collectible_and_nothing_speaks_against_it() -> None:
    decision = decide(FACTS, TODAY, POLICY)
    assert decision.reasons == ()
    assert decision.collectible
    assert decision.collectible_cents == 1200_00
    assert decision.policy_version == POLICY.version


def test_every_rule_has_its_cases_and_its_own_name() -> None:
    assert sorted(CASES) == sorted(rule.id for rule in RULES)
    assert len({rule.id for rule in RULES}) == len(RULES)


@pytest.mark.parametrize("rule", sorted(CASES))
def test_the_rule_forbids_where_it_holds(rule: str) -> None:
    facts, policy = CASES[rule][0]
    decision = decide(facts, TODAY, policy)
    assert rule in rules_of(decision)
    assert decision.collectible_cents == 0
    assert not any(each.collectible for each in decision.echeances)


@pytest.mark.parametrize("rule", sorted(CASES))
def test_the_rule_is_silent_where_it_does_not_hold(rule: str) -> None:
    facts, policy = CASES[rule][1]
    assert rule not in rules_of(decide(facts, TODAY, policy))


@pytest.mark.parametrize("rule", sorted(CASES))
def test_each_reason_is_a_sentence_about_the_invoice(rule: str) -> None:
    facts, policy = CASES[rule][0]
    for reason in decide(facts, TODAY, policy).reasons:
        assert reason.sentence_fr.startswith(f"Facture {facts.number} : ")
        assert reason.sentence_en.startswith(f"Invoice {facts.number}: ")
        assert reason.sentence_fr[-1] in ".?"
        assert "{" not in reason.sentence_fr + reason.sentence_en
        assert "()" not in reason.sentence_fr


def test_every_rule_names_its_source() -> None:
    assert all(rule.source for rule in RULES)


def test_the_hold_says_what_is_asked() -> None:
    decision = decide(having(hold="maybe_same", hold_text="Est-ce {le} même ?"), TODAY, POLICY)
    assert decision.reasons[0].sentence_fr.endswith("Est-ce {le} même ?")


def test_only_the_overdue_instalments_of_an_invoice_are_collectible() -> None:
    parts = (
        EcheanceFacts("paid", date(2026, 6, 30), 0),
        EcheanceFacts("late", date(2026, 7, 31), 400_00),
        EcheanceFacts("later", date(2026, 8, 31), 300_00),
        EcheanceFacts("to come", date(2026, 9, 30), 500_00),
        EcheanceFacts("no date", None, 1_00),
    )
    decision = decide(having(echeances=parts), TODAY, POLICY)
    assert [each.id for each in decision.echeances if each.collectible] == ["late", "later"]
    assert decision.collectible_cents == 700_00
    assert rules_of(decision) == {"paid", "not_due", "due_date_missing"}


def test_one_tool_that_says_paid_is_enough_to_stop() -> None:
    for said in (sighting(state="settled"), sighting(open=0)):
        assert {"paid", "sources_disagree"} <= rules_of(decide(said, TODAY, POLICY))


def test_tools_that_give_another_total_disagree_even_where_the_open_amount_is_the_same() -> None:
    assert rules_of(decide(sighting(total=1300_00), TODAY, POLICY)) == {"sources_disagree"}


def test_a_standing_nobody_knows_is_unchecked_however_lately_it_was_asked() -> None:
    unknown = debtor(insolvency="unknown", checked_at=NOW)
    assert rules_of(decide(unknown, TODAY, CHECKING)) == {"standing_unchecked"}
    assert decide(unknown, TODAY, POLICY).collectible


def test_a_credit_note_or_a_credited_invoice_is_not_called_paid() -> None:
    credit = replace(SEEN, total=-50_00, open=-50_00)
    note = having(
        kind="credit_note",
        total=-50_00,
        echeances=(replace(ECHEANCE, open=-50_00),),
        sightings=(credit,),
    )
    assert rules_of(decide(note, TODAY, POLICY)) == {"not_an_invoice"}
    credited = having(credited=1200_00, echeances=(replace(ECHEANCE, open=0),), state="settled")
    decision = decide(credited, TODAY, POLICY)
    assert rules_of(decision) == {"credit_noted"}
    assert not decision.collectible


def test_a_credit_note_is_asked_for_no_due_date_and_is_told_of_no_other_credit() -> None:
    for kind in ("credit_note", "unallocated_credit"):
        for part in (replace(ECHEANCE, due_date=None), replace(ECHEANCE, due_estimated=True)):
            note = having(
                kind=kind,
                total=-50_00,
                echeances=(replace(part, open=-50_00),),
                sightings=(replace(SEEN, total=-50_00, open=-50_00),),
                unallocated_credits=50_00,
            )
            assert rules_of(decide(note, TODAY, POLICY)) == {"not_an_invoice"}


def test_a_customer_of_unknown_kind_is_told_how_to_be_known() -> None:
    (reason,) = decide(debtor(kind="unknown"), TODAY, POLICY).reasons
    assert "ajoutez son SIREN à sa fiche (factomos, myunisoft)" in reason.sentence_fr


def test_an_invoice_payable_to_another_says_whom_the_customer_must_pay() -> None:
    (reason,) = decide(having(flags=frozenset({"factored"})), TODAY, POLICY).reasons
    assert "bénéficiaire inscrit sur la facture" in reason.sentence_fr


def test_a_tool_that_lost_the_invoice_starts_nothing() -> None:
    for facts in (having(sightings=()), having(state="unseen")):
        assert "unseen" in rules_of(decide(facts, TODAY, POLICY))


def test_a_consumer_needs_no_siren_but_is_left_to_a_person() -> None:
    decision = decide(debtor(kind="individual", siren=None), TODAY, POLICY)
    assert rules_of(decision) == {"individual_debtor"}


def test_a_consumers_debt_is_prescribed_after_two_years() -> None:
    late = replace(ECHEANCE, due_date=date(2024, 9, 14))
    person = replace(DEBTOR, kind="individual")
    assert "prescribed" in rules_of(decide(having(debtor=person, echeances=(late,)), TODAY, POLICY))
    assert "prescribed" not in rules_of(decide(having(echeances=(late,)), TODAY, POLICY))


def test_a_part_payment_starts_the_time_again_unless_it_came_too_late() -> None:
    old = (replace(ECHEANCE, due_date=date(2021, 9, 14)),)
    for acknowledged, prescribed in ((date(2026, 9, 14), False), (date(2026, 9, 15), True)):
        decision = decide(having(echeances=old, acknowledged_on=acknowledged), TODAY, POLICY)
        assert ("prescribed" in rules_of(decision)) is prescribed


def test_a_leap_day_debt_ends_on_the_28th() -> None:
    leap = echeance(due_date=date(2024, 2, 29))
    assert "prescribed" not in rules_of(decide(leap, date(2029, 2, 28), POLICY))
    assert "prescribed" in rules_of(decide(leap, date(2029, 3, 1), POLICY))


def test_no_debtor_at_all_is_unidentified() -> None:
    assert rules_of(decide(having(debtor=None), TODAY, POLICY)) == {"debtor_unidentified"}


def test_the_company_never_collects_from_itself() -> None:
    assert "same_group" in rules_of(decide(debtor(siren=OURS), TODAY, POLICY))


@settings(max_examples=examples(60), deadline=None)
@given(
    opens=st.lists(st.integers(-5_00, 5000_00), max_size=5),
    lateness=st.lists(st.integers(-60, 2000), min_size=5, max_size=5),
    flags=st.frozensets(st.sampled_from(["disputed", "factored"]), max_size=1),
)
def test_never_more_than_what_is_open_and_overdue(
    opens: list[int], lateness: list[int], flags: frozenset[Any]
) -> None:
    parts = tuple(
        EcheanceFacts(f"e{i}", TODAY - timedelta(days=days), cents)
        for i, (cents, days) in enumerate(zip(opens, lateness, strict=False))
    )
    decision = decide(having(echeances=parts, flags=flags), TODAY, POLICY)
    overdue = sum(e.open for e in parts if e.due_date and e.due_date < TODAY and e.open > 0)
    assert 0 <= decision.collectible_cents <= overdue
    assert decision.collectible_cents == sum(
        part.open for part, each in zip(parts, decision.echeances, strict=True) if each.collectible
    )
    assert not (flags and decision.collectible)


@given(days=st.lists(st.integers(0, 1700), min_size=2, max_size=6))
def test_an_overdue_invoice_stays_collectible_until_it_is_prescribed(days: list[int]) -> None:
    facts = echeance(due_date=date(2026, 1, 1))
    answers = [
        decide(facts, date(2026, 1, 2) + timedelta(days=d), POLICY).collectible
        for d in sorted(days)
    ]
    assert all(first or not second for first, second in pairwise(answers))
