"""From the contract's values to what is sent: pure, and the same bytes for the same effect.

Lists are put in one order and no instant, count or random value enters, so that a second try of an
effect is recognised by its key instead of refused as another content.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping

from pydantic import JsonValue

from encaisse_api import (
    Amendment,
    AnnexLine,
    ClaimFile,
    Contact,
    Debtor,
    DirectPayment,
    Dispute,
    Document,
    MandateDraft,
    Money,
    Pause,
    PostalAddress,
    QuoteRequest,
    SignedMandate,
    Withdrawal,
)

Body = dict[str, JsonValue]


def quote(request: QuoteRequest, creditor_id: str | None) -> Body:
    """Ask for a price; nothing in it names the debtor but a SIREN."""
    debtor: Body = {"kind": request.debtor_kind, "country": "FR"}
    return {
        **_creditor_id(creditor_id),
        "debtor": debtor | _told(siren=request.debtor_siren, department=request.department),
        "invoices": [
            {
                "external_id": claim.claim_id,
                "issue_date": claim.issue_date.isoformat(),
                "due_date": claim.due_date.isoformat(),
                "amount_due": money(claim.amount),
            }
            for claim in sorted(request.claims, key=lambda claim: claim.claim_id)
        ],
    }


def mandate(key: str, draft: MandateDraft, creditor_id: str | None) -> Body:
    """Ask for a mandate on a batch."""
    return {
        **_creditor_id(creditor_id),
        "external_reference": key,
        "scope": "amicable",
        "quote_ids": [*sorted(draft.quote_ids)],
        "invoices": _annex(draft.annex),
    }


def procedure(key: str, file: ClaimFile, mandate: SignedMandate, creditor_id: str | None) -> Body:
    """Hand over one debtor's file; only what the manifest says leaves."""
    documents = [
        _document(filed.line.invoice_number, document)
        for filed in file.claims
        for document in sorted(filed.documents, key=lambda each: (each.filename, each.ref))
    ]
    documents.sort(key=lambda each: (str(each["invoice_number"]), str(each["filename"])))
    return {
        **_creditor_id(creditor_id),
        "external_reference": key,
        "mandate_id": mandate.mandate.remote_id,
        "scenario": "auto",
        "debtor": _debtor(file.debtor),
        "invoices": _annex(filed.line for filed in file.claims),
        "documents": [*documents],
    }


def withdrawal(key: str, wanted: Withdrawal) -> Body:
    """Take claims back."""
    return {
        "external_reference": key,
        "reason": wanted.reason,
        "external_ids": [*sorted(wanted.claim_ids)],
    }


def pause(key: str, wanted: Pause) -> Body:
    """Suspend a procedure."""
    return {"external_reference": key, "reason": wanted.reason}


def amendment(key: str, wanted: Amendment) -> Body:
    """Lower the principal of one claim."""
    line: Body = {"external_id": wanted.claim_id, "principal": money(wanted.principal)}
    return {"external_reference": key, "invoices": [line]}


def direct_payment(key: str, payment: DirectPayment) -> Body:
    """Declare money the debtor paid to the creditor."""
    return {
        "external_reference": key,
        "external_id": payment.claim_id,
        "amount": money(payment.amount),
        "paid_on": payment.paid_on.isoformat(),
        "settles": payment.settles,
        "source": "connector",
    }


def dispute(key: str, contested: Dispute) -> Body:
    """Hand a contested claim to a person there."""
    return {
        "external_reference": key,
        "external_id": contested.claim_id,
        "reason": contested.reason,
    }


def money(amount: Money) -> Body:
    """Write an amount as decimal text with its currency."""
    return {**amount.model_dump(mode="json")}


def _creditor_id(creditor_id: str | None) -> Body:
    return _told(creditor_id=creditor_id)


def _annex(lines: Iterable[AnnexLine]) -> list[JsonValue]:
    return [
        {
            "external_id": line.claim_id,
            "number": line.invoice_number,
            "issue_date": line.issue_date.isoformat(),
            "due_date": line.due_date.isoformat(),
            "principal": money(line.principal),
            "interest": money(line.interest),
            "indemnity": money(line.indemnity),
        }
        for line in sorted(lines, key=lambda line: line.claim_id)
    ]


def _debtor(debtor: Debtor) -> Body:
    """Write who owes. A SIREN only derived from a VAT number stays here: it may be another's."""
    siren = None if debtor.siren_derived else debtor.siren
    body: Body = {"kind": debtor.kind, "contacts": [_contact(each) for each in debtor.contacts]}
    if debtor.address is not None:
        body["address"] = _address(debtor.address)
    return body | _told(name=debtor.name, siren=siren)


def _contact(contact: Contact) -> Body:
    return _told(name=contact.name, email=contact.email, phone=contact.phone)


def _address(address: PostalAddress) -> Body:
    parts: Body = {"lines": [*address.lines], "country": address.country}
    return parts | _told(postcode=address.postcode, city=address.city)


def _document(invoice_number: str, document: Document) -> Body:
    return {
        "invoice_number": invoice_number,
        "filename": document.filename,
        "media_type": document.media_type,
        "content_base64": base64.b64encode(document.content).decode("ascii"),
        "sha256": hashlib.sha256(document.content).hexdigest(),
    }


def _told(**fields: str | None) -> Body:
    """Keep the fields that are known; an empty one would say something."""
    known: Mapping[str, str] = {name: text for name, text in fields.items() if text is not None}
    return {**known}
