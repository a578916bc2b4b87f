"""Decide which échéances may be handed to collection today, and say why the others may not.

Every rule is asked, not only the first that says no, so that a person sees all there is to settle
at once. A claim-level reason stops every échéance; an échéance-level one stops only its own. The
rules, their sentences and their sources are the table in `rules.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from encaisse_core.cents import Cents
from encaisse_core.claim_facts import (
    ClaimFacts,
    DebtorFacts,
    EcheanceFacts,
    Policy,
    SightingFacts,
)
from encaisse_core.predicates import Case
from encaisse_core.rules import RULES, Rule, words

__all__ = [
    "RULES",
    "ClaimFacts",
    "DebtorFacts",
    "Decision",
    "EcheanceDecision",
    "EcheanceFacts",
    "Policy",
    "Reason",
    "Rule",
    "SightingFacts",
    "decide",
]


@dataclass(frozen=True, slots=True)
class Reason:
    """Say why not: the rule's stable id, and a sentence a person reads, with the invoice number."""

    rule: str
    sentence_fr: str
    sentence_en: str


@dataclass(frozen=True, slots=True)
class EcheanceDecision:
    """Tell whether one échéance is collectible; `reasons` are its own, beside the claim's."""

    id: str
    collectible: bool
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """Tell what is collectible of one claim, under which version of the policy.

    `reasons` are the claim's, then each échéance's, without repeating a rule.
    """

    claim_id: str
    echeances: tuple[EcheanceDecision, ...]
    reasons: tuple[Reason, ...]
    collectible_cents: Cents
    policy_version: str

    @property
    def collectible(self) -> bool:
        """Tell whether anything may be handed over today."""
        return self.collectible_cents > 0


def decide(facts: ClaimFacts, on: date, policy: Policy) -> Decision:
    """Ask every rule about one claim on one business date (Europe/Paris)."""
    own = {
        echeance.id: _reasons("echeance", Case(facts, on, policy, echeance))
        for echeance in facts.echeances
    }
    due = sum(echeance.open for echeance in facts.echeances if not own[echeance.id])
    shared = _reasons("claim", Case(facts, on, policy, None, due))
    decided = tuple(
        EcheanceDecision(echeance.id, not shared and not own[echeance.id], own[echeance.id])
        for echeance in facts.echeances
    )
    reasons = {reason.rule: reason for reason in shared}
    for each in decided:
        for reason in each.reasons:
            reasons.setdefault(reason.rule, reason)
    return Decision(
        claim_id=facts.claim_id,
        echeances=decided,
        reasons=tuple(reasons.values()),
        collectible_cents=0 if shared else due,
        policy_version=policy.version,
    )


def _reasons(scope: str, case: Case) -> tuple[Reason, ...]:
    held = [rule for rule in RULES if rule.scope == scope and rule.holds(case)]
    if not held:
        return ()
    fill = words(case)
    return tuple(
        Reason(rule.id, rule.sentence_fr.format_map(fill), rule.sentence_en.format_map(fill))
        for rule in held
    )
