"""The signing page: the only way to sign, and it asks for a person, not for a token."""

from __future__ import annotations

from encaisse_simulator.gcollect.books import Books
from encaisse_simulator.gcollect.entities import Mandate
from encaisse_simulator.gcollect.mandates import refuse_mandate, sign_mandate
from encaisse_simulator.gcollect.pages import page, signing_page
from encaisse_simulator.gcollect.rows import percent
from encaisse_simulator.wire import SimRequest, SimResponse, parse_query

LONGEST = 200


def show(books: Books, token: str) -> SimResponse:
    """Show a mandate to whoever holds its link."""
    mandate = _of(books, token)
    return _unknown() if mandate is None else _show(books, mandate)


def submit(books: Books, token: str, request: SimRequest) -> SimResponse:
    """Take the form: sign, refuse, or say what is missing."""
    mandate = _of(books, token)
    if mandate is None:
        return _unknown()
    if mandate.status != "pending_signature":
        return _show(books, mandate)
    try:
        form = parse_query(request.body.decode("utf-8"))
    except ValueError:
        form = {}
    decision = _one(form, "decision")
    if decision == "refuse":
        refuse_mandate(books, mandate)
        return _show(books, mandate)
    name, email = _one(form, "signer_name"), _one(form, "signer_email")
    error = None
    if decision != "sign":
        error = "Choisissez de signer ou de refuser."
    elif not name or len(name) > LONGEST:
        error = "Indiquez le nom du signataire."
    elif "@" not in email or len(email) > LONGEST:
        error = "Indiquez un courriel valable."
    elif _one(form, "accept") != "yes":
        error = "Cochez la case pour donner mandat."
    if error is None:
        sign_mandate(books, mandate, name=name, email=email)
    return _show(books, mandate, error)


def _of(books: Books, token: str) -> Mandate | None:
    return next((each for each in books.mandates.values() if each.token == token), None)


def _show(books: Books, mandate: Mandate, error: str | None = None) -> SimResponse:
    rates = sorted({percent(books.quotes[each].rate) for each in mandate.quote_ids})
    french = [rate.replace(".", ",") for rate in rates]
    return signing_page(mandate, books.creditors[mandate.creditor_id], french, error=error)


def _unknown() -> SimResponse:
    text = "<p>Ce lien ne mène à aucun mandat. Vérifiez l'adresse reçue.</p>"
    return page(404, "Lien inconnu", text)


def _one(form: dict[str, list[str]], name: str) -> str:
    return form.get(name, [""])[-1].strip()
