"""What Factomos answers when it says no.

The body and codes -1 to -41 are documented for the older interface [fac-legacy]; that REST v1 keeps
them, the HTTP status of each, and codes -50 to -54 are assumed.
"""

from __future__ import annotations

from encaisse_simulator.wire import SimResponse, json_response

CONTENT_TYPE = "application/json; charset=utf-8"

REFUSALS: dict[str, tuple[int, int, str]] = {
    "no_token": (401, -1, "Missing token"),
    "bad_token": (401, -3, "Invalid token"),
    "quota": (429, -4, "Daily API calls quota exceeded"),
    "unknown_action": (404, -6, "Unknown action"),
    "bad_method": (405, -6, "Unknown action"),
    "unknown_contact": (404, -10, "Client not found"),
    "unknown_invoice": (404, -20, "Invoice not found"),
    "no_document": (404, -20, "Invoice document not found"),
    "bad_status": (400, -39, "Unknown invoice status"),
    "bad_page": (400, -41, "Wrong page or per_page"),
    "bad_amount": (400, -50, "Wrong montant"),
    "bad_type": (400, -51, "Unknown payment type"),
    "bad_date": (400, -52, "Wrong payment_date"),
    "bad_reference": (400, -53, "Reference too long"),
    "bad_body": (400, -54, "The body is no JSON object"),
}


class Refused(Exception):
    """Stop a request with one of the refusals."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def refusal(name: str) -> SimResponse:
    """Write a refusal."""
    status, code, message = REFUSALS[name]
    return json_response(
        status, {"error": {"code": code, "message": message}}, media_type=CONTENT_TYPE
    )
