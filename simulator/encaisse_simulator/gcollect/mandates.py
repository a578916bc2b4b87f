"""Mandates: asked for by a machine, signed by a person."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from encaisse_simulator.gcollect.books import Books
from encaisse_simulator.gcollect.calls import Call, content_tag, tagged
from encaisse_simulator.gcollect.entities import AnnexLine, Mandate, Parts, Signature
from encaisse_simulator.gcollect.feeds import Placed, feed
from encaisse_simulator.gcollect.fields import Fields
from encaisse_simulator.gcollect.pages import mandate_document
from encaisse_simulator.gcollect.problems import Problem
from encaisse_simulator.gcollect.rows import Row, annex_row, moment
from encaisse_simulator.ledger import Via
from encaisse_simulator.paris import instant
from encaisse_simulator.wire import SimResponse, json_response

SIGN_WITHIN = timedelta(days=30)


def request_mandate(call: Call) -> SimResponse:
    """Prepare a mandate for a person to sign."""
    body = call.fields()
    creditor_id = call.creditor(body)
    reference = body.text("external_reference", longest=128)
    quote_ids = body.texts("quote_ids")
    if not quote_ids:
        body.fault("quote_ids", "required", "Au moins un devis est attendu.")
    body.text_or_none("scope", among=("amicable",))
    annex = tuple(read_line(each) for each in body.records("invoices"))
    body.check()
    call.claim_reference(creditor_id, "mandate", reference)
    _refuse_unquoted(call, creditor_id, quote_ids, annex)
    mandate = _prepared(call.books, creditor_id, reference, tuple(quote_ids), annex)
    call.keep_reference(creditor_id, "mandate", reference, mandate.id)
    row = mandate_row(mandate, call.books, call.base_url)
    return json_response(201, row, headers={"etag": content_tag(mandate.id, row)})


def read_mandate(call: Call) -> SimResponse:
    """Read a mandate."""
    mandate = call.books.mandates.get(call.values["id"])
    if mandate is None or not call.owns(mandate.creditor_id):
        raise Problem("not_found")
    row = mandate_row(mandate, call.books, call.base_url)
    return tagged(call.request, 200, row, content_tag(mandate.id, row))


def list_mandates(call: Call) -> SimResponse:
    """List mandates, or find the one with an external reference."""
    wanted = call.request.one("external_reference")
    return feed(
        call,
        [
            Placed(each.updated_at, each.id, partial(mandate_row, each, call.books, call.base_url))
            for each in call.books.mandates.values()
            if call.owns(each.creditor_id) and wanted in (None, each.external_reference)
        ],
    )


def sign_mandate(books: Books, mandate: Mandate, *, name: str, email: str) -> None:
    """Sign, as the form on the signing page does; no call of the API leads here."""
    _decide(books, mandate, "signed")
    mandate.signature = Signature(name, email, mandate.updated_at, books.ids.draw("evi"))
    creditor = books.creditors[mandate.creditor_id]
    kept = books.keep_document(creditor.id, mandate_document(mandate, creditor))
    mandate.document_id = kept.id
    _enter(books, mandate, "mandate_signed")


def refuse_mandate(books: Books, mandate: Mandate) -> None:
    """Refuse to sign."""
    _decide(books, mandate, "refused")


def revoke_mandate(books: Books, mandate: Mandate) -> None:
    """Take a signed mandate back: it opens nothing any more."""
    if mandate.status != "signed":
        raise ValueError(f"mandate {mandate.id} is {mandate.status}, not signed")
    mandate.status, mandate.updated_at = "revoked", books.stamp()
    books.emit(mandate.creditor_id, "mandate.revoked", mandate.id)


def signing_url(mandate: Mandate, base_url: str) -> str:
    """Give the address of a mandate's signing page."""
    return f"{base_url}/sign/{mandate.token}"


def mandate_row(mandate: Mandate, books: Books, base_url: str) -> Row:
    """Write a mandate."""
    signature, document = mandate.signature, books.documents.get(mandate.document_id or "")
    return {
        "id": mandate.id,
        "creditor_id": mandate.creditor_id,
        "external_reference": mandate.external_reference,
        "status": mandate.status,
        "scope": "amicable",
        "quote_ids": list(mandate.quote_ids),
        "invoices": [annex_row(line) for line in mandate.annex],
        "signing_url": signing_url(mandate, base_url),
        "expires_at": instant(mandate.expires_at),
        "signature": None
        if signature is None
        else {
            "provider": "simulated",
            "method": "click",
            "signed_at": moment(signature.signed_at),
            "signer": {"name": signature.name, "email": signature.email},
            "evidence_id": signature.evidence_id,
        },
        "document": None if document is None else {"id": document.id, "sha256": document.sha256},
        "created_at": instant(mandate.created_at),
        "updated_at": instant(mandate.updated_at),
    }


def read_line(fields: Fields) -> AnnexLine:
    """Read one claim, each part apart."""
    return AnnexLine(
        external_id=fields.text("external_id", longest=128),
        number=fields.text("number", longest=70),
        issue_date=fields.day("issue_date"),
        due_date=fields.day("due_date"),
        parts=Parts(
            principal=fields.money("principal", least=1),
            interest=fields.money("interest"),
            indemnity=fields.money("indemnity"),
        ),
    )


def _refuse_unquoted(
    call: Call, creditor_id: str, quote_ids: list[str], annex: tuple[AnnexLine, ...]
) -> None:
    quoted: dict[str, int] = {}
    for quote_id in quote_ids:
        quote = call.books.quotes.get(quote_id)
        if quote is None or quote.creditor_id != creditor_id:
            raise Problem("validation_error", f"Le devis {quote_id} n'existe pas.")
        if quote.reasons:
            raise Problem("not_eligible", f"Le devis {quote_id} n'est pas éligible.")
        if quote.expires_at <= call.books.now:
            raise Problem("quote_expired", f"Le devis {quote_id} a expiré.")
        quoted |= {invoice.external_id: invoice.cents for invoice in quote.invoices}
    if len({line.external_id for line in annex}) != len(annex):
        raise Problem("validation_error", "Une créance est citée deux fois.")
    for line in annex:
        if line.parts.principal > quoted.get(line.external_id, 0):
            raise Problem(
                "validation_error",
                f"La facture {line.number} n'est dans aucun de ces devis pour ce montant.",
            )


def _prepared(
    books: Books,
    creditor_id: str,
    reference: str,
    quote_ids: tuple[str, ...],
    annex: tuple[AnnexLine, ...],
) -> Mandate:
    created = books.stamp()
    mandate = Mandate(
        id=books.ids.draw("mdt"),
        creditor_id=creditor_id,
        external_reference=reference,
        quote_ids=quote_ids,
        annex=annex,
        token=books.ids.token("sign"),
        created_at=created,
        updated_at=created,
        expires_at=created + SIGN_WITHIN,
    )
    books.mandates[mandate.id] = mandate
    for quote_id in quote_ids:
        books.quotes[quote_id].accepted = True

    def expire() -> None:
        if mandate.status == "pending_signature":
            mandate.status, mandate.updated_at = "expired", books.stamp()
            books.emit(creditor_id, "mandate.expired", mandate.id)

    books.at(mandate.expires_at, expire)
    _enter(books, mandate, "mandate_requested")
    return mandate


def _decide(books: Books, mandate: Mandate, status: str) -> None:
    if mandate.status != "pending_signature":
        raise ValueError(f"mandate {mandate.id} is {mandate.status}, not waiting to be signed")
    mandate.status = "signed" if status == "signed" else "refused"
    mandate.updated_at = books.stamp()
    books.emit(mandate.creditor_id, f"mandate.{status}", mandate.id)


def _enter(books: Books, mandate: Mandate, kind: str) -> None:
    via: Via = "user" if kind == "mandate_signed" else "api"
    for line in mandate.annex:
        cents = line.parts.principal
        books.enter(mandate.creditor_id, line.number, cents, kind, via, mandate.updated_at)
