"""What GCollect's refusals mean: a table from its codes to the errors the host acts upon.

Assumed: errors are `application/problem+json` (RFC 9457) with `code`, `errors[].pointer` and, where
a person must act, `solution_url`. Their `detail` is left out of our messages: it is free text that
may repeat a debtor's name, and messages end up in logs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from encaisse_api import (
    ActionNeeded,
    Conflict,
    CursorLost,
    Denied,
    OutcomeUnknown,
    PartnerError,
    Rejected,
    Transient,
)
from encaisse_gcollect.wire import Problem


@dataclass(frozen=True, slots=True)
class Verdict:
    """Say which error a code is, what happened, and what a person does next."""

    error: type[PartnerError]
    happened: str
    next_step: str


CODES: Mapping[str, Verdict] = {
    "validation_error": Verdict(
        Rejected, "des données sont refusées", "Corrigez-les dans votre outil, puis relancez."
    ),
    "duplicate_invoice": Verdict(
        Conflict,
        "une procédure existe déjà sur cette facture",
        "Ouvrez votre espace GCollect et dites laquelle garder ; rien n'est renvoyé.",
    ),
    "idempotency_conflict": Verdict(
        Conflict,
        "la même clé y porte déjà un autre contenu",
        "Comparez avec votre espace GCollect ; rien n'est renvoyé.",
    ),
    "mandate_required": Verdict(
        ActionNeeded,
        "aucun mandat signé ne couvre cet envoi",
        "Signez le mandat, puis relancez.",
    ),
    "kyb_required": Verdict(
        ActionNeeded,
        "la vérification de votre entreprise n'est pas terminée",
        "Terminez-la dans votre espace GCollect, puis relancez.",
    ),
    "duplicate_external_reference": Verdict(
        OutcomeUnknown,
        "notre référence y désigne déjà quelque chose",
        "C'est recherché là-bas et comparé avant tout nouvel envoi.",
    ),
    "not_in_mandate": Verdict(
        Rejected,
        "le mandat signé ne couvre pas cette facture ou ce montant",
        "Faites signer un mandat qui la couvre, puis relancez.",
    ),
    "amount_may_only_fall": Verdict(
        Rejected,
        "un montant réclamé ne peut que baisser",
        "Vérifiez le solde de la facture dans votre outil et chez GCollect.",
    ),
    "attestation_unavailable": Verdict(
        Rejected,
        "aucune attestation n'est délivrée",
        "Elle l'est à la clôture d'une procédure sans résultat.",
    ),
    "idempotency_key_required": Verdict(
        Rejected, "la clé de la demande manque", "Signalez-le : le connecteur doit l'envoyer."
    ),
    "quote_expired": Verdict(
        Rejected, "le devis a expiré", "Demandez un nouveau devis et faites-le approuver."
    ),
    "not_eligible": Verdict(
        Rejected,
        "la créance n'est pas éligible",
        "Lisez le motif et gardez-la dans votre propre relance.",
    ),
    "debtor_insolvent": Verdict(
        Rejected,
        "le client est en procédure collective",
        "Déclarez la créance au mandataire judiciaire.",
    ),
    "dispute_open": Verdict(
        Rejected, "un litige est ouvert", "Une personne doit d'abord le résoudre."
    ),
    "invalid_transition": Verdict(
        Rejected,
        "l'état actuel ne permet pas cette demande",
        "Relisez l'état de la procédure avant d'agir.",
    ),
    "procedure_closed": Verdict(
        Rejected, "la procédure est close", "Vérifiez son résultat ; rien d'autre n'est à faire."
    ),
    "not_found": Verdict(
        Rejected,
        "cet élément n'y existe pas ou n'est pas ouvert à cet accès",
        "Vérifiez l'identifiant et le compte relié.",
    ),
    "precondition_failed": Verdict(
        Transient, "l'élément a changé entre-temps", "Il est relu, puis la demande est refaite."
    ),
    "precondition_required": Verdict(
        Rejected,
        "la version attendue manque",
        "Signalez-le : le connecteur doit l'envoyer.",
    ),
    "forbidden_scope": Verdict(
        Denied, "l'accès n'ouvre pas ce droit", "Reconnectez GCollect avec ce droit."
    ),
    "unauthorized": Verdict(Denied, "l'accès n'est plus valable", "Reconnectez GCollect."),
    "rate_limited": Verdict(
        Transient, "trop de demandes à la fois", "La demande est refaite après le délai donné."
    ),
    "cursor_expired": Verdict(
        CursorLost, "la marque de lecture est oubliée", "La lecture reprend du début."
    ),
}
"""Codes of the assumed contract; an unknown code falls back on its HTTP status below."""

STATUSES: Mapping[int, str] = {
    400: "validation_error",
    401: "unauthorized",
    403: "forbidden_scope",
    404: "not_found",
    409: "invalid_transition",
    412: "precondition_failed",
    422: "validation_error",
    428: "precondition_required",
    429: "rate_limited",
}
"""The code an HTTP status stands for when the problem's own code is unknown (RFC 9110 §15.5)."""

WITHOUT_BODY = frozenset({401, 403, 429})
"""Statuses that decide by themselves: a gateway may answer them before the partner's own code."""


def refusal(
    status: int,
    problem: Problem | None,
    *,
    subject: str,
    retry_after: timedelta | None = None,
    request_id: str | None = None,
) -> PartnerError | None:
    """Build the error of a refusal, or None where the answer leaves doubt.

    Doubt is a status outside the table, or a 4xx that is no problem document: the caller knows
    whether that is a `Drift` (it read) or an `OutcomeUnknown` (it wrote).
    """
    if problem is None and status not in WITHOUT_BODY:
        return None
    known = problem is not None and problem.code in CODES
    code = problem.code if known and problem is not None else STATUSES.get(status)
    if code is None or not 400 <= status < 500:
        return None
    verdict = CODES[code]
    where = ", ".join(entry.pointer for entry in problem.errors) if problem is not None else ""
    fields = f" (champs {where})" if where else ""
    message = f"GCollect, {subject} : {verdict.happened}{fields}. {verdict.next_step}"
    error = verdict.error
    if error is Transient:
        return Transient(message, retry_after=retry_after, request_id=request_id)
    if error is ActionNeeded:
        if problem is None or problem.solution_url is None:
            return Rejected(message, code=code, request_id=request_id)
        return ActionNeeded(message, url=problem.solution_url, request_id=request_id)
    if error in (Denied, CursorLost, OutcomeUnknown):
        return error(message, request_id=request_id)
    word = problem.code if problem is not None and problem.code else code
    return (Conflict if error is Conflict else Rejected)(message, code=word, request_id=request_id)
