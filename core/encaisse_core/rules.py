"""The rules of what may be collected: each a stable name, its sentences, its source, a predicate.

Names are stored with decisions, shown by the console and counted in the digest. The sentences
speak to the person who can settle the matter; `{number}` is the invoice. Sources: articles of law,
the charter of smart recouvrement (only certain, liquid and due sums; dialogue first), or the policy
the company chose.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Literal

from encaisse_core import predicates as p
from encaisse_core.cents import euros
from encaisse_core.claim_facts import SightingFacts
from encaisse_core.pa_statuses import LIFE_CYCLE, PA_STATUSES
from encaisse_core.predicates import Case


@dataclass(frozen=True, slots=True)
class Rule:
    """Forbid collection where `holds` is true; `scope` says of the whole claim or one échéance."""

    id: str
    scope: Literal["claim", "echeance"]
    sentence_fr: str
    sentence_en: str
    source: str
    holds: Callable[[Case], bool]


def _claim(rule: str, fr: str, en: str, source: str, holds: Callable[[Case], bool]) -> Rule:
    return Rule(
        rule, "claim", f"Facture {{number}} : {fr}", f"Invoice {{number}}: {en}", source, holds
    )


def _echeance(rule: str, fr: str, en: str, source: str, holds: Callable[[Case], bool]) -> Rule:
    return Rule(
        rule, "echeance", f"Facture {{number}} : {fr}", f"Invoice {{number}}: {en}", source, holds
    )


CHARTER = "charte smart recouvrement"
CERTAIN = "créance certaine, liquide et exigible (CPCE L111-2, déontologie ANCR et FIGEC)"
POLICY = "règle choisie par l'entreprise"

RULES: tuple[Rule, ...] = (
    # --- whose invoice --------------------------------------------------------------------------
    _claim(
        "not_our_invoice",
        "elle est émise par une autre entreprise ({seller}), elle n'est pas à vous.",
        "it was issued by another company ({seller}), it is not yours.",
        CERTAIN,
        p.not_our_invoice,
    ),
    _claim(
        "seller_unknown",
        "rien ne dit qui l'a émise ; complétez le SIREN du vendeur dans l'outil ({tools}).",
        "nothing says who issued it; add the seller's SIREN in the tool ({tools}).",
        CERTAIN,
        p.seller_unknown,
    ),
    _claim(
        "number_unusable",
        "son numéro n'a aucun chiffre, un mandat ne peut pas la désigner ; corrigez-le dans "
        "l'outil ({tools}).",
        "its number has no figure, a mandate cannot name it; correct it in the tool ({tools}).",
        CERTAIN,
        p.number_without_figure,
    ),
    _claim(
        "purchase",
        "c'est un achat, c'est vous qui la devez.",
        "this is a purchase, you owe it.",
        CERTAIN,
        p.purchase,
    ),
    _claim(
        "not_an_invoice",
        "c'est un avoir ou un acompte reçu, rien n'est dû.",
        "this is a credit note or money received, nothing is owed.",
        CERTAIN,
        p.is_credit,
    ),
    _claim(
        "cancelled",
        "elle est annulée ({tools}).",
        "it is cancelled ({tools}).",
        CERTAIN,
        p.cancelled,
    ),
    _claim(
        "credit_noted",
        "des avoirs l'annulent en entier.",
        "credit notes cancel all of it.",
        CERTAIN,
        p.credit_noted,
    ),
    # --- who owes -------------------------------------------------------------------------------
    _claim(
        "debtor_unidentified",
        "le client {debtor} n'a ni SIREN ni numéro de TVA ; complétez sa fiche ({tools}).",
        "the customer {debtor} has neither SIREN nor VAT number; complete it ({tools}).",
        CERTAIN,
        p.debtor_unidentified,
    ),
    _claim(
        "debtor_kind_unknown",
        "on ne sait pas si le client {debtor} est une entreprise ou un particulier ; si c'est "
        "une entreprise, ajoutez son SIREN à sa fiche ({tools}), sinon une personne décide.",
        "nobody knows whether the customer {debtor} is a company or a consumer; a company's SIREN "
        "goes on its card ({tools}), of a consumer a person decides what follows.",
        "B2B et B2C suivent d'autres règles (L441-10 C. com., L218-2 C. conso)",
        p.debtor_is("unknown"),
    ),
    _claim(
        "individual_debtor",
        "le client {debtor} est un particulier ; une personne décide de la suite.",
        "the customer {debtor} is a consumer; a person decides what follows.",
        "droit de la consommation (L218-2, L121-1 C. conso)",
        p.debtor_is("individual"),
    ),
    _claim(
        "public_debtor",
        "le client {debtor} est public ; passez par Chorus Pro et le comptable public.",
        "the customer {debtor} is public; use Chorus Pro and the public accountant.",
        "code de la commande publique (L2192-10 et suivants)",
        p.public_debtor,
    ),
    _claim(
        "same_group",
        "le client {debtor} est du même groupe, l'entreprise le règle en interne.",
        "the customer {debtor} is in the same group, settled internally.",
        POLICY,
        p.same_group,
    ),
    _claim(
        "insolvent",
        "le client {debtor} est en {insolvency} ; déclarez la créance au mandataire.",
        "the customer {debtor} is in {insolvency}; declare the claim to the trustee.",
        "L622-7, L622-21 et R622-24 C. com.",
        p.insolvent,
    ),
    _claim(
        "debtor_ceased",
        "le client {debtor} est radié ; une personne décide de la suite.",
        "the customer {debtor} was struck off; a person decides what follows.",
        CERTAIN,
        p.ceased,
    ),
    _claim(
        "standing_unchecked",
        "la situation du client {debtor} n'a pas été vérifiée récemment.",
        "the standing of the customer {debtor} was not checked lately.",
        POLICY,
        p.standing_unchecked,
    ),
    # --- is it certain --------------------------------------------------------------------------
    _claim(
        "disputed",
        "elle est contestée ; rien d'automatique avant qu'une personne réponde au client.",
        "it is disputed; nothing automatic before a person answers the customer.",
        CHARTER,
        p.disputed,
    ),
    _claim(
        "on_hold",
        "une question attend votre réponse. {hold}",
        "a question waits for your answer. {hold}",
        CHARTER,
        p.on_hold,
    ),
    _claim(
        "blocked_in_approval",
        "elle est bloquée en validation.",
        "it is blocked in approval.",
        CHARTER,
        p.flagged("blocked_in_approval"),
    ),
    _claim(
        "promise_to_pay",
        "le client a promis de payer ; attendez la date promise.",
        "the customer promised to pay; wait for that date.",
        CHARTER,
        p.flagged("promise_to_pay"),
    ),
    _claim(
        "payment_in_flight",
        "un paiement est en route ; attendez qu'il arrive.",
        "a payment is on its way; wait for it.",
        CHARTER,
        p.flagged("payment_in_flight"),
    ),
    _claim(
        "factored",
        "elle est cédée, affacturée ou payable à un autre que vous : c'est au bénéficiaire inscrit "
        "sur la facture ({tools}) que le client doit payer.",
        "it is assigned, factored or payable to another than you: the customer must pay the payee "
        "written on the invoice ({tools}).",
        "C. civ. 1321 et 1346-1, C. mon. fin. L313-23",
        p.flagged("factored"),
    ),
    _claim(
        "credit_insured",
        "elle est couverte par une assurance-crédit ; l'assureur mène le recouvrement.",
        "it is credit-insured; the insurer leads the collection.",
        "clauses usuelles d'assurance-crédit",
        p.flagged("credit_insured"),
    ),
    _claim(
        "paid_at_issue",
        "elle a été payée à l'émission.",
        "it was paid when issued.",
        "BT-23, cadre de facturation B2, S2 ou M2 (BR-FR)",
        p.flagged("paid_at_issue"),
    ),
    _claim(
        "unallocated_credit",
        "le client a {credits} {currency} non imputés chez vous ; imputez-les d'abord.",
        "the customer has {credits} {currency} unallocated with you; allocate them first.",
        CERTAIN,
        p.unallocated_credit,
    ),
    _claim(
        "possible_duplicate",
        "elle est peut-être la même que {duplicates} ; dites si c'est le cas.",
        "it may be the same as {duplicates}; say whether it is.",
        CERTAIN,
        p.possible_duplicate,
    ),
    _claim(
        "sources_disagree",
        "vos outils ({tools}) ne donnent pas le même montant ou le même état.",
        "your tools ({tools}) do not give the same amount or state.",
        CERTAIN,
        p.disagree,
    ),
    _claim(
        "unknown_status",
        "{unknown} donne un statut inconnu ; vérifiez la facture dans l'outil.",
        "{unknown} gives an unknown status; check the invoice in the tool.",
        CERTAIN,
        p.unknown_status,
    ),
    _claim(
        "unseen",
        "un outil ne la montre plus ({tools}) ; vérifiez ce qu'elle est devenue.",
        "a tool does not show it any more ({tools}); check what became of it.",
        CERTAIN,
        p.unseen,
    ),
    _claim(
        "stale",
        "{stale} n'a pas été lu en entier récemment ; rien ne part sur des faits anciens.",
        "{stale} was not read in full lately; nothing leaves on old facts.",
        CHARTER,
        p.stale,
    ),
    *(
        _claim(f"pa_{code}", fr, en, LIFE_CYCLE.format(code=code), p.in_status(code))
        for code, (fr, en) in PA_STATUSES.items()
    ),
    # --- is it for us ---------------------------------------------------------------------------
    _claim(
        "currency",
        "elle est en {currency} ; seules les factures en EUR sont transmises.",
        "it is in {currency}; only invoices in EUR are handed over.",
        POLICY,
        p.foreign_currency,
    ),
    _claim(
        "in_procedure",
        "elle est déjà confiée ({procedure}).",
        "it is already handed over ({procedure}).",
        "une créance, une procédure",
        p.in_procedure,
    ),
    _claim(
        "below_minimum",
        "{due_cents} EUR à recouvrer, moins que votre minimum de {minimum} EUR.",
        "{due_cents} EUR to collect, less than your minimum of {minimum} EUR.",
        POLICY,
        p.below_minimum,
    ),
    # --- is the échéance due --------------------------------------------------------------------
    _echeance("paid", "cette échéance est réglée.", "this instalment is paid.", CERTAIN, p.paid),
    _echeance(
        "not_due",
        "l'échéance du {due_date} n'est pas dépassée.",
        "the instalment of {due_date} is not overdue.",
        "L441-10 II C. com. : le lendemain de la date de règlement",
        p.not_due,
    ),
    _echeance(
        "due_date_missing",
        "elle n'a pas de date d'échéance ; complétez-la dans l'outil ({tools}).",
        "it has no due date; add it in the tool ({tools}).",
        CERTAIN,
        p.due_date_missing,
    ),
    _echeance(
        "due_date_estimated",
        "l'échéance du {due_date} est estimée ; confirmez-la dans l'outil ({tools}).",
        "the due date {due_date} is estimated; confirm it in the tool ({tools}).",
        CHARTER,
        p.due_date_estimated,
    ),
    _echeance(
        "prescribed",
        "l'échéance du {due_date} est prescrite, le délai a pris fin le {prescribed}.",
        "the instalment of {due_date} is time-barred, its time ended on {prescribed}.",
        "L110-4 C. com. (5 ans), L218-2 C. conso (2 ans)",
        p.prescribed,
    ),
)
"""All rules, in the order a person reads the reasons."""

HOLDS = {
    "maybe_same": "Un paiement vu deux fois est-il le même argent ?",
    "amount_rose": "Le montant ouvert a augmenté sans paiement connu à annuler.",
    "total_changed": "Son total a été corrigé dans l'outil : vérifiez-le.",
    "unknown_status": "Son montant ouvert a changé sous un statut inconnu.",
    "currency_changed": "Sa devise a changé dans l'outil.",
    "cited": "Une autre facture la cite : est-elle rectifiée, ou un acompte déjà soldé ?",
    "entry_altered": "Le comptable a changé une écriture que nous avions proposée.",
    "misplaced": "Un paiement d'une autre facture y est inscrit dans l'outil.",
    "conflict": "Le partenaire a trouvé autre chose que ce que nous avons envoyé.",
}
"""What each word of a hold asks, where no sentence was kept with it."""


def words(case: Case) -> dict[str, str]:
    """Give the values the sentences may name."""
    facts, debtor, echeance = case.facts, case.facts.debtor, case.echeance
    last = p.prescribed_after(case)
    return {
        "number": facts.number,
        "seller": f"SIREN {facts.seller_siren}" if facts.seller_siren else "à l'étranger",
        "debtor": debtor.name if debtor and debtor.name else "sans nom",
        "insolvency": debtor.insolvency if debtor else "",
        "currency": facts.currency,
        "credits": euros(facts.unallocated_credits),
        "minimum": euros(case.policy.minimum),
        "due_cents": euros(case.due),
        "due_date": _day(echeance.due_date) if echeance and echeance.due_date else "",
        "prescribed": _day(last) if last else "",
        "hold": facts.hold_text or HOLDS.get(facts.hold or "", facts.hold or ""),
        "duplicates": ", ".join(facts.possible_duplicates),
        "procedure": facts.procedure or "",
        "tools": _tools(facts.sightings),
        "stale": _tools(p.stale_sightings(case)),
        "unknown": _tools(s for s in facts.live if s.state == "unknown"),
    }


def _day(day: date) -> str:
    """Write a date the French way: 05/03/2026."""
    return f"{day:%d/%m/%Y}"


def _tools(sightings: Iterable[SightingFacts]) -> str:
    """Name the tools; a claim of a connection that was ended is shown by none."""
    return ", ".join(sorted({sighting.tool for sighting in sightings})) or "aucun outil raccordé"
