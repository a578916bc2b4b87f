"""Rows of MAD 1.0.0: text ids, ISO dates, an amount that is credit less debit [D]."""

from __future__ import annotations

from collections.abc import Iterable

from encaisse_simulator.myunisoft.amounts import Row, Value, euros, written
from encaisse_simulator.myunisoft.dossier import Dossier
from encaisse_simulator.myunisoft.entries import Document, Entry, Line
from encaisse_simulator.myunisoft.numbers import Shuffler
from encaisse_simulator.myunisoft.plan import (
    JOURNAL_TYPES,
    Account,
    Company,
    Exercice,
    Journal,
    PaymentType,
)

GED_URL = "https://app.prodcomptable.myunisoft.fr/api/ged/ged/document"
"""Where attachments are read [D]."""


def account_row(account: Account) -> Row:
    """Write an account; `company` for tiers only, as documented."""
    row: Row = {
        "producerId": str(account.id),
        "number": account.number,
        "name": account.name,
        "closed": account.closed,
        "counterpartAccount": None,
    }
    if account.company is not None:
        row["company"] = _company(account.company)
    else:
        row["correspondanceAccount"] = None
    return row


def _company(company: Company) -> Row:
    address: Row = {
        "addressNumber": company.address_number or None,
        "locatingIndex": None,
        "streetType": company.street_type or None,
        "streetName": company.street or None,
        "addressComplement": company.complement or None,
        "postalCode": company.postcode or None,
        "city": company.city or None,
        "country": company.country or None,
        "fullName": company.full_street or None,
    }
    contacts: list[Value] = [
        {
            "firstname": each.first_name or None,
            "lastname": each.last_name or None,
            "phoneNumber": each.phone or None,
            "role": each.role or None,
            "email": each.email or None,
        }
        for each in company.contacts
    ]
    return {
        "name": company.name,
        "SIREN": company.siren or None,
        "CEO": company.ceo or None,
        "payment": None,
        "address": address,
        "ape": None,
        "vat": {"number": company.vat_number} if company.vat_number else None,
        "IBANs": [],
        "contacts": contacts,
        "miscellaneous": {
            "referent": None,
            "language": "Français",
            "group": None,
            "archived": company.archived,
        },
    }


def brief_account(account: Account) -> Row:
    """Name an account."""
    return {"producerId": str(account.id), "number": account.number, "name": account.name}


def journal_row(journal: Journal) -> Row:
    """Write a journal."""
    return {
        "producerId": str(journal.id),
        "name": journal.name,
        "customerReferenceCode": journal.code,
        "type": JOURNAL_TYPES[journal.type][1],
        "counterpartAccount": brief_account(journal.account) if journal.account else None,
        "additionalProducerProperties": {"type": journal.type, "locked": journal.locked},
    }


def exercice_row(dossier: Dossier, exercice: Exercice) -> Row:
    """Write an exercice with its lettering method."""
    start, end = exercice.start, exercice.end
    closed: Value = None
    if exercice.closed_on is not None:
        by: Value = {"producerId": "31", "firstName": "Inès", "lastName": "COMPTABLE"}
        closed = {"at": exercice.closed_on.isoformat(), "by": by}
    return {
        "producerId": str(exercice.id),
        "name": dossier.label_of(exercice),
        "period": {
            "start": start.isoformat(),
            "end": end.isoformat(),
            "duration": (end.year - start.year) * 12 + end.month - start.month + 1,
            "closed": closed,
        },
        "state": "open" if exercice.closed_on is None else "closed",
        "additionalProducerProperties": {"lettering": dossier.method},
    }


def payment_row(payment: PaymentType) -> Row:
    """Write a way to pay, its code as TRA has it."""
    return {
        "producerId": str(payment.id),
        "code": payment.mad_code,
        "name": payment.name,
        "additionalProducerProperties": {"code": payment.code},
    }


def attachments(documents: Iterable[Document]) -> Row:
    """Map file names to links."""
    return {
        each.name: {"type": "URL", "value": f"{GED_URL}/{each.key}/download"} for each in documents
    }


def line_row(line: Line) -> Row:
    """Write a movement without its entry."""
    payment = line.payment_type
    return {
        "producerId": str(line.id),
        "description": line.label,
        "dueDate": line.due.isoformat() if line.due else None,
        "freeNumber": line.piece or None,
        "invoiceNumber": line.number or None,
        "value": {
            "credit": euros(line.credit),
            "debit": euros(line.debit),
            "amount": euros(-line.signed),
        },
        "lettering": {"state": line.state, "value": line.lettering},
        "account": brief_account(line.account),
        "payment": {"producerId": str(payment.id), "name": payment.name, "code": payment.mad_code}
        if payment
        else None,
        "analytics": [],
        "attachments": attachments(line.documents),
    }


def movement_row(entry: Entry, line: Line) -> Row:
    """Write a movement with the entry it is in, which has no movements there."""
    return {**line_row(line), "entry": _entry(entry)}


def movement_json(entry: Entry, line: Line) -> bytes:
    """Write the same as JSON, anew only once something of it changed: books are read every night.

    What an entry or a line is made of and nobody changes afterwards is not compared.
    """
    stands = (
        (line.id, line.debit, line.credit, line.lettering, line.documents),
        (entry.id, entry.comment, entry.accounted_on, tuple(entry.documents)),
        (line.account.id, line.account.number, line.account.name),
    )
    if line.told is None or line.told[0] != stands:
        line.told = (stands, written(movement_row(entry, line)))
    return line.told[1]


def entry_row(entry: Entry, order: Shuffler) -> Row:
    """Write an entry with its movements, in whatever order."""
    movements: list[Value] = [line_row(line) for line in order.shuffled(entry.lines)]
    return {**_entry(entry), "movements": movements}


def _entry(entry: Entry) -> Row:
    origin, journal = entry.origin, entry.journal
    source: Row = {"name": origin.source}
    if origin.third_party is not None:
        source["thirdParty"] = {"name": origin.third_party[0], "code": origin.third_party[1]}
    metadata: Value = None
    if origin.partner_id is not None or origin.json is not None:
        metadata = {"partnerId": origin.partner_id, "json": origin.json}
    return {
        "producerId": str(entry.id),
        "date": entry.day.isoformat(),
        "dueDate": None,
        "currency": {"code": "EUR"},
        "journal": {
            "producerId": str(journal.id),
            "customerReferenceCode": journal.code,
            "name": journal.name,
            "type": JOURNAL_TYPES[journal.type][1],
        },
        "attachments": attachments(entry.documents),
        "additionalProducerProperties": {
            "source": source,
            "partnerMetadata": metadata,
            "comment": {"content": entry.comment} if entry.comment else None,
            "createdAt": int(entry.created_at.timestamp()),
            "accountedAt": entry.accounted_on.isoformat() if entry.accounted_on else None,
        },
    }
