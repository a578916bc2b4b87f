"""What Libeo answers when it says no: statuses, codes and the body are assumed."""

from __future__ import annotations

from encaisse_simulator.wire import SimResponse, json_response

REFUSALS: dict[str, tuple[int, str]] = {
    "missing_key": (401, "L'en-tête X-Api-Key manque."),
    "invalid_key": (401, "Cette clé d'API n'est pas connue."),
    "unknown_path": (404, "Cette adresse n'existe pas."),
    "company_not_found": (404, "Cette entreprise n'est pas celle de la clé."),
    "invoice_not_found": (404, "Cette facture n'existe pas."),
    "document_not_found": (404, "Cette facture n'a pas de document."),
    "method_not_allowed": (405, "Cette méthode n'est pas servie ici."),
    "cursor_unknown": (410, "Cette marque de lecture n'est pas connue."),
    "invalid_parameter": (422, "Un paramètre n'a pas la forme attendue."),
    "quota_exceeded": (429, "Les appels du jour sont épuisés."),
}
"""HTTP status and sentence of each code."""


class Refused(Exception):
    """Stop a request with one of the refusals."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def refusal(code: str) -> SimResponse:
    """Write a refusal."""
    status, message = REFUSALS[code]
    return json_response(status, {"error": {"code": code, "message": message}})
