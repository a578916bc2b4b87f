"""Make the frozen invoice out of what a walk gathered, the same way for every syntax."""

from datetime import date
from decimal import Decimal
from typing import Final, Literal

from encaisse_einvoicing.model import Invoice
from encaisse_einvoicing.reading.identifiers import NO_NUMBERS, french_numbers
from encaisse_einvoicing.reading.shape import (
    gather_extensions,
    group,
    groups,
    move,
    parties,
    scalar,
    taken,
    text,
)
from encaisse_einvoicing.reading.walker import Raw, Walk

ESSENTIAL: Final = (
    ("number", "BT-1", "numéro de facture"),
    ("issue_date", "BT-2", "date d'émission"),
    ("currency", "BT-5", "devise"),
)
STRAY: Literal["ignore", "forbid"] = "ignore"
"""What is done with a field the invoice lacks. What the table lacks is told by the walk, so looking
again costs a sixth of the time for nothing; tests and the fuzz forbid, to find what is forgotten.
"""
NAMED: Final = 20
"""Due dates said in a message; the others are counted."""
_NAMING: Final = ("name", "trade_name", "legal_id", "vat_id", "siret")
_REGISTERED: Final = (("legal_id", "legal_id_scheme"), ("endpoint", "endpoint_scheme"))
_OBJECT: Final = "130"
"""UNTDID 1001: a document reference of this type is the invoiced object (BT-18)."""


def assemble(walk: Walk, raw: Raw, vat_scheme: str) -> Invoice:
    """Finish the raw fields both syntaxes share and freeze them; issues go to the walk.

    `vat_scheme` is how the syntax writes that a tax number is a VAT number.
    """
    for label, party in parties(raw):
        _party(walk, party, label, vat_scheme)
    _documents(raw)
    _due_dates(walk, raw)
    _tax_totals(walk, raw)
    _currencies(walk, raw)
    for field, term, label in ESSENTIAL:
        if field not in raw:
            walk.report(
                f"missing_{field}",
                f"{label[0].upper()}{label[1:]} ({term}) : rien de lisible dans la facture.",
                term,
                term,
            )
    if not is_named(group(raw, "seller")):
        walk.report("missing_seller", "Vendeur (BG-4) : rien de lisible.", "BG-4", "BG-4")
    gather_extensions(raw)
    for line in groups(raw, "lines"):
        if "line_notes" in line:
            _line_notes(line)
        gather_extensions(line)
    return Invoice.model_validate(raw, extra=STRAY)


def is_named(party: Raw) -> bool:
    """Tell whether a party can be recognised at all."""
    return any(party.get(key) for key in _NAMING)


def _party(walk: Walk, party: Raw, label: str, vat_scheme: str) -> None:
    if "registrations" in party:
        _registrations(walk, party, label, vat_scheme)
    for field, scheme in _REGISTERED:
        if scheme in party and field not in party:
            del party[scheme]  # a register alone names nothing
    ids = groups(party, "ids")
    if ids:
        party["ids"] = ids = [each for each in ids if "value" in each]
    legal_id, vat_id = party.get("legal_id"), party.get("vat_id")
    if legal_id is None and vat_id is None and not ids:
        return
    found = french_numbers(
        legal_id if isinstance(legal_id, str) else None,
        text(party, "legal_id_scheme"),
        [(text(each, "value"), text(each, "scheme")) for each in ids],
        vat_id if isinstance(vat_id, str) else None,
        text(group(party, "address"), "country"),
    )
    if found is NO_NUMBERS:
        return
    siren, source, siret, wrong = found
    if siren is not None and source is not None:
        party["siren"], party["siren_source"] = siren, source
    if siret is not None:
        party["siret"] = siret
    for code, sentence in wrong:
        walk.report(code, f"{label[0].upper()}{label[1:]} : {sentence}.", label)


def _registrations(walk: Walk, party: Raw, label: str, vat_scheme: str) -> None:
    """Tell the VAT number of a party from its other tax number."""
    for registration in taken(party, "registrations"):
        number = text(registration, "id")
        if number is None:
            continue
        field = "vat_id" if registration.get("scheme") == vat_scheme else "tax_id"
        if party.setdefault(field, number) != number:
            walk.report(
                "repeated_term",
                f"Le {label} a plusieurs numéros fiscaux de même nature : « {number} » n'est "
                f"pas retenu, « {party[field]} » l'est. À vérifier sur la facture.",
                label,
                raw=number,
            )


def _line_notes(line: Raw) -> None:
    """Split the notes of a line: what has a subject is an extension, the rest is BT-127."""
    notes = taken(line, "line_notes")
    plain = [text(note, "text") for note in notes if "subject_code" not in note]
    said = "\n".join(each for each in plain if each)
    if said:
        line["note"] = said
    subjects: list[Raw] = [note for note in notes if "subject_code" in note]
    if subjects:
        line["extensions.notes"] = subjects


def _documents(raw: Raw) -> None:
    """Split document references: the invoiced object (BT-18) and the attachments (BG-24)."""
    attachments: list[Raw] = []
    for document in taken(raw, "documents"):
        kind = document.pop("type_code", None)
        scheme = document.pop("scheme", None)
        named = "id" in document or scheme is not None
        if kind == _OBJECT and named and "invoiced_object" not in raw:
            target: Raw = {}
            move(document, "id", target, "value")
            if scheme is not None:
                target["scheme"] = scheme
            raw["invoiced_object"] = target
        elif document:
            attachments.append(document)
    if attachments:
        raw["attachments"] = attachments


def _due_dates(walk: Walk, raw: Raw) -> None:
    """Gather the due dates: one is BT-9; several are instalments, and BT-9 the last of them.

    The last, so that nothing is held for late before the day on which all of it is due. An
    explicit BT-9 (UBL DueDate) stands as it is.
    """
    terms = taken(raw, "terms")
    if not terms:
        return
    texts: list[str] = []
    instalments: list[Raw] = []
    seen: set[str] = set()
    explicit = raw.get("due_date")
    stated = {explicit} if isinstance(explicit, date) else set[date]()
    for term in terms:
        said = term.pop("text", None)
        if isinstance(said, str):
            texts.append(said)
        key = repr(sorted(term.items())) if len(terms) > 1 else ""
        if term and ("amount" in term or key not in seen):
            seen.add(key)
            instalments.append(term)
            if isinstance(day := term.get("due_date"), date):
                stated.add(day)
    if texts:
        raw["payment_terms"] = "\n".join(texts)
    if len(stated) > 1:
        walk.report(
            "several_due_dates",
            f"La facture porte {len(stated)} dates d'échéance (BT-9), "
            f"{', '.join(day.isoformat() for day in sorted(stated)[:NAMED])}"
            f"{'…' if len(stated) > NAMED else ''} : chacune est gardée comme échéance.",
            "BT-9",
            "BT-9",
        )
    if stated and explicit is None:
        raw["due_date"] = max(stated)
    if len(stated) > 1 or any("amount" in term for term in instalments):
        raw["instalments"] = instalments


def _tax_totals(walk: Walk, raw: Raw) -> None:
    """Tell BT-110 from BT-111 by the currency each total is in."""
    found = taken(raw, "tax_totals")
    totals = group(raw, "totals")
    currency, accounting = text(raw, "currency"), text(raw, "tax_currency")
    for total in found:
        amount = scalar(total, "amount")
        if not isinstance(amount, Decimal):
            continue
        written = text(total, "currency") or currency
        if written == currency:
            field = "tax"
        elif written == accounting:
            field = "tax_accounting"
        elif len(found) == 1:
            field = "tax"  # the only total there is: its currency is reported below
            walk.currencies.setdefault(str(written), "BT-110")
        else:
            field = ""
        if not field or totals.setdefault(field, amount) != amount:
            walk.report(
                "repeated_term",
                f"Total de TVA (BT-110) : {amount} {written or ''} s'ajoute à un autre total ; "
                "il n'est pas retenu. À vérifier sur la facture.",
                "BT-110",
                "BT-110",
                str(amount),
            )
    if totals:
        raw["totals"] = totals


def _currencies(walk: Walk, raw: Raw) -> None:
    """Report amounts written in another currency than the invoice's."""
    currency = text(raw, "currency")
    for written, where in walk.currencies.items():
        if currency is not None and written != currency:
            walk.report(
                "currency_mismatch",
                f"Un montant est en {written} dans une facture en {currency} (BT-5) : il est gardé "
                "tel quel, à vérifier sur la facture.",
                where,
                "BT-5",
                written,
            )
