"""Refusals as problem documents (RFC 9457); codes are assumed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from encaisse_simulator.wire import Json, SimResponse, json_response

TITLES: dict[str, tuple[int, str]] = {
    "validation_error": (422, "Des champs sont refusés."),
    "bad_request": (400, "Le corps n'est pas un objet JSON."),
    "idempotency_key_required": (400, "L'en-tête Idempotency-Key manque ou dépasse 255 signes."),
    "unauthorized": (401, "Le jeton d'accès manque, est expiré ou révoqué."),
    "forbidden_scope": (403, "L'accès n'ouvre pas ce droit."),
    "not_found": (404, "Cet élément n'existe pas."),
    "attestation_unavailable": (404, "Aucune attestation n'a été émise."),
    "method_not_allowed": (405, "Cette méthode n'est pas servie ici."),
    "duplicate_external_reference": (409, "Cette référence existe déjà."),
    "duplicate_invoice": (409, "Une procédure en cours porte déjà cette facture."),
    "mandate_required": (409, "Aucun mandat signé ne couvre cette demande."),
    "invalid_transition": (409, "L'état actuel ne permet pas cette demande."),
    "procedure_closed": (409, "La procédure est close."),
    "dispute_open": (409, "Un litige est ouvert."),
    "debtor_insolvent": (409, "Le débiteur est en procédure collective."),
    "cursor_expired": (410, "Cette marque de lecture n'est pas connue."),
    "precondition_failed": (412, "L'élément a changé entre-temps."),
    "idempotency_conflict": (422, "Cette clé porte déjà un autre contenu."),
    "quote_expired": (422, "Le devis a expiré."),
    "not_eligible": (422, "Le devis n'est pas éligible."),
    "not_in_mandate": (422, "Le mandat signé ne couvre pas cette facture pour ce montant."),
    "amount_may_only_fall": (422, "Un montant ne peut que baisser."),
    "precondition_required": (428, "L'en-tête If-Match manque."),
    "rate_limited": (429, "Trop de demandes à la fois."),
}
"""Status and title of each code; `bad_request` is sent under the code `validation_error`."""


@dataclass(frozen=True, slots=True)
class FieldFault:
    """Name one field at fault by JSON pointer."""

    pointer: str
    code: str
    message: str


class Problem(Exception):
    """Stop a request with a refusal."""

    def __init__(
        self,
        code: str,
        detail: str = "",
        *,
        faults: Sequence[FieldFault] = (),
        solution_url: str | None = None,
        existing_id: str | None = None,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail
        self.faults = tuple(faults)
        self.solution_url = solution_url
        self.existing_id = existing_id


def problem_response(problem: Problem, instance: str) -> SimResponse:
    """Write a refusal."""
    status, title = TITLES[problem.code]
    code = "validation_error" if problem.code == "bad_request" else problem.code
    value: dict[str, Json] = {
        "type": f"https://api.gcollect.example/problems/{code}",
        "title": title,
        "status": status,
        "detail": problem.detail or title,
        "instance": instance,
        "code": code,
        "errors": [
            {"pointer": fault.pointer, "code": fault.code, "message": fault.message}
            for fault in problem.faults
        ],
    }
    if problem.solution_url is not None:
        value["solution_url"] = problem.solution_url
    if problem.existing_id is not None:
        value["existing_id"] = problem.existing_id
    headers = {"www-authenticate": 'Bearer error="invalid_token"'} if status == 401 else {}
    return json_response(status, value, media_type="application/problem+json", headers=headers)
