"""Bring a run down to the figures that are compared, printed and proven."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TypedDict

from encaisse_lab import books_check, checker, tally
from encaisse_lab.checker import Done, Verdict
from encaisse_lab.demo import Run


class Commissions(TypedDict):
    """Tell what the referrer earned."""

    lines: int
    total: str
    currency: str


class Summary(TypedDict):
    """Be the JSON of `encaisse demo`; the same seed gives the same bytes."""

    seed: int
    nights: int
    copied: int | None
    pulled: dict[str, int]
    refused_files: int
    sightings: int
    claims: int
    seen_twice: int
    double_procedures: int
    wrong_merges: int
    missed_merges: int
    collectible: int
    not_collectible: dict[str, int]
    procedures_opened: int
    stopped_by_direct_payment: int
    settlements: int
    written_back: dict[str, int]
    lettered: int
    commissions: Commissions
    faults: dict[str, int]
    remote_duplicates: int
    remote_missing: int
    unstopped: int
    messages_after_payment: int
    journal_ok: bool
    ledger_balanced: bool
    played: dict[str, int]
    failures: list[str]


def zeros(figures: Summary) -> dict[str, int]:
    """Give the figures that must be zero."""
    return {
        "double_procedures": figures["double_procedures"],
        "wrong_merges": figures["wrong_merges"],
        "missed_merges": figures["missed_merges"],
        "remote_duplicates": figures["remote_duplicates"],
        "remote_missing": figures["remote_missing"],
        "unstopped": figures["unstopped"],
        "messages_after_payment": figures["messages_after_payment"],
    }


def summary(told: Run) -> Summary:
    """Count and check a finished run."""
    app, company_id, world = told.app, told.company_id, told.partners.world
    verdict = judged(told)
    sightings = tally.sightings(app, company_id)
    wrong, missed = checker.merges(sightings, told.partners.truth)
    lines, total = tally.commissions(app, company_id)
    ledger = world.ledger()
    unbalanced = books_check.unbalanced(app, company_id, ledger)
    portfolio = told.evening.portfolio
    return Summary(
        seed=told.seed,
        nights=told.nights,
        copied=None if (bridge := told.partners.firm.bridge) is None else bridge.payments,
        pulled=told.evening.pulled,
        refused_files=tally.rows(app, company_id, "unreadable"),
        sightings=len(sightings),
        claims=tally.rows(app, company_id, "claim"),
        seen_twice=_seen_twice(sightings),
        double_procedures=len(verdict.double_procedures),
        wrong_merges=len(wrong),
        missed_merges=len(missed),
        collectible=portfolio.collectible,
        not_collectible=portfolio.reasons,
        procedures_opened=len(_opened(told)),
        stopped_by_direct_payment=len(_ended_by_direct_payment(told)),
        settlements=tally.rows(app, company_id, "settlement"),
        written_back=tally.written_back(app, company_id),
        lettered=tally.lettered(app, company_id),
        commissions=Commissions(
            lines=lines, total=str((Decimal(total) / 100).quantize(Decimal("0.01"))), currency="EUR"
        ),
        faults=told.partners.fault_counts(),
        remote_duplicates=len(verdict.duplicates),
        remote_missing=len(verdict.missing),
        unstopped=len(verdict.unstopped),
        messages_after_payment=len(verdict.messages_after_payment),
        journal_ok=books_check.journal_holds(app, company_id, told.anchor),
        ledger_balanced=not unbalanced,
        played=_played(told),
        failures=_failures(verdict, wrong, missed, unbalanced),
    )


def judged(told: Run) -> Verdict:
    """Compare the partners' ledgers with what the cast did."""
    world, known = told.partners.world, told.partners.true_numbers()

    def true(number: str) -> str:
        return known.get(number, number)

    return checker.compare(
        [Done(each.act, each.sample, each.at) for each in told.played],
        [replace(e, invoice_number=true(e.invoice_number)) for e in world.ledger()],
        [
            replace(line, invoice_number=true(line.invoice_number))
            for line in world.gcollect.procedures_ledger()
        ],
        [
            replace(sent, invoice_numbers=tuple(true(n) for n in sent.invoice_numbers))
            for sent in world.gcollect.outreach()
        ],
        told.ends,
        told.partners.books,
    )


def sound(figures: Summary) -> bool:
    """Tell whether every figure that must be zero is, and both checks passed."""
    return not bad(figures)


def bad(figures: Summary) -> set[str]:
    """Name the figures that are not what they must be."""
    checks = {name: figures[name] for name in ("journal_ok", "ledger_balanced")}
    return {
        *(name for name, count in zeros(figures).items() if count),
        *(name for name, holds in checks.items() if not holds),
    }


def _opened(told: Run) -> set[str]:
    """Name each procedure that was ever opened at the collector."""
    gcollect = told.partners.world.gcollect
    return {
        procedure
        for line in gcollect.procedures_ledger()
        for procedure in gcollect.procedure_ids(line.invoice_number, line.issue_year)
    }


def _ended_by_direct_payment(told: Run) -> set[str]:
    """Name each procedure that is closed because the customer paid the company itself."""
    gcollect = told.partners.world.gcollect
    return {
        gcollect.procedure_ids(line.invoice_number, line.issue_year)[-1]
        for line in gcollect.procedures_ledger()
        if line.close_code == "paid_directly"
    }


def _played(told: Run) -> dict[str, int]:
    """Count the invoices on which each role was really played, never-payers included."""
    invoices: dict[str, set[str]] = {}
    for each in told.played:
        invoices.setdefault(each.act.role, set()).add(each.sample.true_id)
    for true_id, role in told.cast.roles.items():
        sample = next(one for one in told.known.invoices if one.true_id == true_id)
        if role == "never_payer" and told.partners.procedure_of(sample) is not None:
            invoices.setdefault(role, set()).add(true_id)
    return {role: len(found) for role, found in sorted(invoices.items())}


def _seen_twice(sightings: list[tuple[str, str, str]]) -> int:
    """Count claims that more than one tool shows."""
    tools: dict[str, set[str]] = {}
    for connector, _, claim_id in sightings:
        tools.setdefault(claim_id, set()).add(connector)
    return sum(1 for shown in tools.values() if len(shown) > 1)


def _failures(
    verdict: Verdict, wrong: list[str], missed: list[str], unbalanced: list[str]
) -> list[str]:
    """Say in words what is wrong, so that a bad figure can be followed."""
    effects = [(f"duplicate {e}") for e in verdict.duplicates]
    effects += [f"missing {e}" for e in verdict.missing]
    effects += [f"two procedures at once: {name}" for name in verdict.double_procedures]
    effects += [f"message after payment: {name}" for name in verdict.messages_after_payment]
    effects += [f"wrong merge: {name}" for name in wrong]
    effects += [f"missed merge: {name}" for name in missed]
    return effects + [f"unbalanced {what}" for what in unbalanced]
