"""The questions the rules ask of a claim: small, pure, each about one thing.

A predicate is true when it *forbids* collection. The table that names them, with the sentences a
person reads and the sources, is `rules.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from encaisse_api.source import Flag
from encaisse_core.cents import Cents
from encaisse_core.claim_facts import ClaimFacts, DebtorKind, EcheanceFacts, Policy, SightingFacts
from encaisse_core.numbers import annex_number

PRESCRIPTION_YEARS: dict[DebtorKind, int] = {"individual": 2, "company": 5}
"""Years from the due date: L218-2 C. conso against a consumer, L110-4 C. com. otherwise."""

INSOLVENT = frozenset({"sauvegarde", "redressement", "liquidation"})
DISPUTE_HOLDS = frozenset({"disputed", "dispute"})
PUBLIC_LEGAL_CATEGORY = "7"
"""First digit of INSEE's catégories juridiques under administrative law."""


@dataclass(frozen=True, slots=True)
class Case:
    """Put one claim, or one of its échéances, to the rules on one business date.

    `due` is what no échéance-level rule forbids, in cents; it is only known at claim level.
    """

    facts: ClaimFacts
    on: date
    policy: Policy
    echeance: EcheanceFacts | None
    due: Cents = 0


def flagged(flag: Flag) -> Callable[[Case], bool]:
    """Make the predicate of something any one tool may know."""
    return lambda case: flag in case.facts.flags


def in_status(code: int) -> Callable[[Case], bool]:
    """Make the predicate of a life-cycle status in force."""
    return lambda case: code in case.facts.pa_statuses


def is_credit(case: Case) -> bool:
    """Tell whether the record owes the customer money instead of claiming it."""
    return case.facts.kind in ("credit_note", "unallocated_credit")


def credit_noted(case: Case) -> bool:
    """Tell whether credit notes took the whole invoice away."""
    return not is_credit(case) and 0 < case.facts.total <= case.facts.credited


def paid(case: Case) -> bool:
    """Tell whether the échéance is settled; one tool that says so is enough to stop."""
    if is_credit(case) or credit_noted(case):
        return False
    nothing_open = case.echeance is not None and case.echeance.open <= 0
    settled = case.facts.state == "settled" or any(
        s.state == "settled" or (s.open is not None and s.open <= 0) for s in case.facts.live
    )
    return nothing_open or settled


def disagree(case: Case) -> bool:
    """Tell whether live tools contradict each other on total, open amount or state."""
    live = case.facts.live
    opens = {s.open for s in live if s.open is not None}
    return any(len(said) > 1 for said in (opens, {s.total for s in live}, {s.state for s in live}))


def stale_sightings(case: Case) -> list[SightingFacts]:
    """List the sightings whose connection did not complete a pull lately."""
    oldest = case.facts.gathered_at - case.policy.fresh_within
    return [s for s in case.facts.live if s.pulled_at is None or s.pulled_at < oldest]


def debtor_unidentified(case: Case) -> bool:
    """Tell whether nobody official stands behind the name; a person has no SIREN to give."""
    debtor = case.facts.debtor
    if debtor is None:
        return True
    return debtor.kind != "individual" and not (debtor.siren or debtor.vat_id)


def public_debtor(case: Case) -> bool:
    """Tell whether the debtor is under administrative law."""
    debtor = case.facts.debtor
    if debtor is None:
        return False
    return debtor.kind == "public" or (debtor.legal_category or "").startswith(
        PUBLIC_LEGAL_CATEGORY
    )


def same_group(case: Case) -> bool:
    """Tell whether the debtor is the company itself or settled inside its group."""
    debtor, company = case.facts.debtor, case.facts.company_siren
    if debtor is None or debtor.siren is None:
        return False
    return debtor.siren in case.policy.same_group | {company}


def standing_unchecked(case: Case) -> bool:
    """Tell whether the policy wants the debtor's standing checked more lately than it was."""
    within, debtor = case.policy.standing_within, case.facts.debtor
    if within is None or debtor is None or debtor.kind == "individual":
        return False
    if debtor.insolvency == "unknown" or debtor.checked_at is None:
        return True
    return debtor.checked_at < case.facts.gathered_at - within


def prescribed_after(case: Case) -> date | None:
    """Give the last day the échéance can be claimed, None without a due date.

    The period runs from the due date, again in full from an acknowledgement made before its end
    (C. civ. 2231, 2240). A 29 February ends on the 28th where the year has none.
    """
    echeance, debtor = case.echeance, case.facts.debtor
    if echeance is None or echeance.due_date is None:
        return None
    kind = debtor.kind if debtor else "unknown"
    years = PRESCRIPTION_YEARS.get(kind, PRESCRIPTION_YEARS["company"])
    last = _years_after(echeance.due_date, years)
    again = case.facts.acknowledged_on
    if again is not None and echeance.due_date < again <= last:
        return _years_after(again, years)
    return last


def _years_after(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)


def prescribed(case: Case) -> bool:
    """Tell whether the time to claim is over."""
    last = prescribed_after(case)
    return last is not None and case.on > last


def debtor_is(kind: DebtorKind) -> Callable[[Case], bool]:
    """Make the predicate of a kind of debtor."""
    return lambda case: case.facts.debtor is not None and case.facts.debtor.kind == kind


def number_without_figure(case: Case) -> bool:
    """Tell whether the number could not be named in a mandate's annex."""
    return not any(character.isdigit() for character in annex_number(case.facts.number))


def seller_unknown(case: Case) -> bool:
    """Tell whether nothing says who issued the invoice."""
    return not case.facts.seller_siren and not case.facts.seller_abroad


def not_our_invoice(case: Case) -> bool:
    """Tell whether somebody else issued the invoice."""
    seller = case.facts.seller_siren
    return case.facts.seller_abroad or (bool(seller) and seller != case.facts.company_siren)


def purchase(case: Case) -> bool:
    """Tell whether the company owes this instead of being owed."""
    return case.facts.direction == "payable"


def foreign_currency(case: Case) -> bool:
    """Tell whether the claim is in another currency: shown, never sent."""
    return case.facts.currency != "EUR"


def insolvent(case: Case) -> bool:
    """Tell whether a collective procedure forbids individual chasing (L622-7, L622-21 C. com.)."""
    debtor = case.facts.debtor
    return debtor is not None and debtor.insolvency in INSOLVENT


def ceased(case: Case) -> bool:
    """Tell whether the debtor was struck off."""
    return case.facts.debtor is not None and case.facts.debtor.ceased


def unallocated_credit(case: Case) -> bool:
    """Tell whether the customer has money with us that no invoice took yet; a credit is it."""
    return not is_credit(case) and case.facts.unallocated_credits > 0


def disputed(case: Case) -> bool:
    """Tell whether a tool, the collector or a person says that the claim is contested."""
    return "disputed" in case.facts.flags or case.facts.hold in DISPUTE_HOLDS


def on_hold(case: Case) -> bool:
    """Tell whether a question to a person is open."""
    return case.facts.hold is not None and case.facts.hold not in DISPUTE_HOLDS


def below_minimum(case: Case) -> bool:
    """Tell whether what could be collected today is too small to be worth somebody's time."""
    return 0 < case.due < case.policy.minimum


def possible_duplicate(case: Case) -> bool:
    """Tell whether the same invoice may be known under another number."""
    return bool(case.facts.possible_duplicates)


def unseen(case: Case) -> bool:
    """Tell whether a tool that showed the invoice does not any more, or none shows it."""
    facts = case.facts
    return facts.state == "unseen" or not facts.sightings or len(facts.live) < len(facts.sightings)


def stale(case: Case) -> bool:
    """Tell whether the facts are too old to start anything on."""
    return bool(stale_sightings(case))


def in_procedure(case: Case) -> bool:
    """Tell whether the claim is already spoken for."""
    return case.facts.procedure is not None


def cancelled(case: Case) -> bool:
    """Tell whether the invoice was cancelled; one tool that says so is enough."""
    return case.facts.state == "cancelled" or any(s.state == "cancelled" for s in case.facts.live)


def unknown_status(case: Case) -> bool:
    """Tell whether a tool gives a status nobody here knows: never a reason to start."""
    return any(s.state == "unknown" for s in case.facts.live)


def not_due(case: Case) -> bool:
    """Tell whether the debtor still has the day: an échéance is overdue from the day after."""
    due = case.echeance.due_date if case.echeance else None
    return due is not None and due >= case.on


def due_date_missing(case: Case) -> bool:
    """Tell whether nobody knows when it is due; a credit is due on no date, and asked for none."""
    return not is_credit(case) and case.echeance is not None and case.echeance.due_date is None


def due_date_estimated(case: Case) -> bool:
    """Tell whether the date was computed, not read."""
    return not is_credit(case) and case.echeance is not None and case.echeance.due_estimated
