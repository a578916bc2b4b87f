"""Say in French what a run's checks found wrong, so that a bad figure can be followed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from encaisse_core.cents import euros
from encaisse_lab import books_check, checker, tally
from encaisse_lab.checker import Effect, Verdict
from encaisse_lab.demo import Run
from encaisse_lab.summary import judged

PARTNERS: Mapping[str, str] = {
    "factomos": "Factomos",
    "gcollect": "GCollect",
    "myunisoft": "MyUnisoft",
}

KINDS: Mapping[str, str] = {
    "payment": "le paiement de {sum}",
    "reversal": "le rejet de {sum}",
    "payment_draft": "le paiement proposé de {sum}",
    "reversal_draft": "le rejet proposé de {sum}",
    "direct_payment": "le paiement direct de {sum}",
    "procedure_withdrawn": "le retrait de la procédure",
    "procedure_amended": "la baisse du montant réclamé",
    "procedure_paused": "la mise en pause de la procédure",
    "procedure_opened": "l'ouverture de la procédure pour {sum}",
    "mandate_requested": "la demande de mandat pour {sum}",
}
"""What the host writes at partners, as a person says it."""


def wrongs(told: Run) -> list[str]:
    """Check a finished run again and say what is wrong; an empty list is right."""
    app, company_id = told.app, told.company_id
    wrong, missed = checker.merges(tally.sightings(app, company_id), told.partners.truth)
    return [
        *of_the_partners(judged(told)),
        *(f"Créance {claim} : elle réunit deux factures différentes." for claim in wrong),
        *(f"Facture {true_id} : elle est comptée deux fois." for true_id in missed),
        *books_check.unbalanced(app, company_id, told.partners.world.ledger()),
        *_journal(told),
    ]


def of_the_partners(verdict: Verdict) -> list[str]:
    """Say what stands at the partners and should not, or should and does not."""
    return [
        *_effects(verdict.duplicates, "est en trop chez"),
        *_effects(verdict.missing, "manque chez"),
        *(f"Facture {one} : dans deux procédures à la fois." for one in verdict.double_procedures),
        *(
            f"Facture {one} : le client a été relancé alors qu'elle était réglée ou contestée."
            for one in verdict.messages_after_payment
        ),
    ]


def _effects(found: Iterable[Effect], where: str) -> list[str]:
    return [
        f"Facture {number} : {KINDS[kind].format(sum=f'{euros(abs(cents))} €')} {where} "
        f"{PARTNERS[partner]}."
        for partner, number, kind, cents in found
    ]


def _journal(told: Run) -> list[str]:
    if books_check.journal_holds(told.app, told.company_id, told.anchor):
        return []
    return ["Le journal ne se vérifie pas : un événement a été modifié après coup."]
