"""Say what a life-cycle message has against the rules of the French reform.

Pure: a message in, issues out. The reader tells them beside the message; the writer refuses on the
first. The code of an issue is the official rule where there is one: BR-FR-CDV-… of the FNFE
schematron V1.4.0 (its fatal rules, and CL-06), P…/G… of the DGFiP's annex 7 v1.9, BR-FR-DEC-….
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from encaisse_einvoicing.cdar.codes import (
    CHORUS,
    COLLECTED,
    INADMISSIBLE,
    PLATFORM,
    PPF,
    PROFILE,
    PROFILE_PPF,
    REFUSED_B2G,
    SIREN,
    labels,
    reasons,
    reasons_of,
    statuses,
)
from encaisse_einvoicing.cdar.message import (
    Acknowledgement,
    CdarMessage,
    Characteristic,
    Detail,
    Party,
    Referenced,
)
from encaisse_einvoicing.issues import Issue

TREATMENT: Final = "23"
TRANSMISSION: Final = "305"
CREDITS_AND_INVOICES: Final = ("invoice", "credit")
NO_ADDRESS: Final = ("WK", "DFH")
"""Roles that are reached without an electronic address (BR-FR-CDV-08)."""
MAX_DIGITS: Final = 19


def faults(message: CdarMessage) -> Iterator[Issue]:
    """Give every breach, from the head of the message down to its amounts."""
    yield from _head(message)
    for said in message.acknowledgements:
        yield from _acknowledgement(message, said)
    count = len(message.documents())
    if count == 0:
        yield _issue("BR-FR-CDV-10", "MDT-87", "Le message ne vise aucune facture.")
    if count > 1:
        yield _issue(
            "P1.14",
            "MDT-74",
            f"Le message vise {count} factures : la réforme en veut une seule par message.",
        )


def _issue(code: str, term: str, message: str, where: str = "", raw: str | None = None) -> Issue:
    return Issue(
        code=code, message=message, where=f"{where}, {term}" if where else term, term=term, raw=raw
    )


def _unknown(code: str, term: str, what: str, value: str, where: str = "") -> Issue:
    return _issue(
        code,
        term,
        f"{what} « {value} » n'est pas dans la liste des codes admis ({term}) : il est gardé tel "
        "quel, à vérifier avec celui qui l'a écrit.",
        where,
        value,
    )


def _missing(code: str, term: str, what: str, where: str = "") -> Issue:
    return _issue(code, term, f"{what} manque dans le message ({term}).", where)


def _head(message: CdarMessage) -> Iterator[Issue]:
    if message.profile is None:
        yield _missing("BR-FR-CDV-01", "MDT-3", "Le profil")
    elif message.profile != PROFILE and not (message.profile == PROFILE_PPF and _only_ppf(message)):
        yield _unknown("BR-FR-CDV-02", "MDT-3", "Le profil", message.profile)
    if _only_ppf(message):
        if message.process is not None and len(message.process) > 3:
            yield _unknown("BR-FR-CDV-CL-01", "MDT-2", "Le cadre", message.process)
    elif message.process is None:
        yield _missing("BR-FR-CDV-CL-01", "MDT-2", "Le cadre")
    elif message.process not in labels("process"):
        yield _unknown("BR-FR-CDV-CL-01", "MDT-2", "Le cadre", message.process)
    if message.id is None:
        yield _missing("BR-FR-CDV-03", "MDT-4", "L'identifiant du message")
    if message.issued_at is None:
        yield _missing("BR-FR-CDV-04", "MDT-8", "La date du message")
    if message.sender is None or message.sender.role is None:
        yield _missing("BR-FR-CDV-06", "MDT-21", "Le rôle de celui qui transmet")
    if message.issuer is None or message.issuer.role is None:
        yield _missing("BR-FR-CDV-CL-03", "MDT-40", "Le rôle de celui qui déclare")
    if not message.recipients:
        yield _missing("BR-FR-CDV-08", "MDT-57", "Le destinataire")
    for party in message.recipients:
        if party.role is not None and party.role not in labels("role"):
            yield _unknown("BR-FR-CDV-CL-04", "MDT-59", "Le rôle de destinataire", party.role)
        if party.role not in NO_ADDRESS and party.endpoint is None:
            yield _issue(
                "BR-FR-CDV-08",
                "MDT-73",
                f"Le destinataire « {party.name or party.role or '?'} » n'a pas d'adresse "
                "électronique (MDT-73) : le message ne peut pas lui parvenir.",
            )


def _only_ppf(message: CdarMessage) -> bool:
    """Tell whether the administration is the sole addressee, which changes MDT-2 and MDT-3."""
    named = [each for party in message.recipients for each in party.global_ids]
    return (
        len(named) == 1
        and (named[0].scheme, named[0].value) == (PLATFORM, PPF)
        and any(party.role == "DFH" for party in message.recipients)
    )


def _acknowledgement(message: CdarMessage, said: Acknowledgement) -> Iterator[Issue]:
    kind = said.type_code
    if kind is None:
        yield _missing("BR-FR-CDV-09", "MDT-77", "La nature de la déclaration")
    elif kind not in (TREATMENT, TRANSMISSION):
        yield _unknown("BR-FR-CDV-09", "MDT-77", "La nature de déclaration", kind)
    else:
        yield from _roles(message, kind)
    if kind == TREATMENT and (message.issuer is None or not message.issuer.global_ids):
        yield _missing("BR-FR-CDV-07", "MDT-38", "L'identifiant de celui qui déclare")
    if said.issued_at is None:
        yield _missing("missing_issued_at", "MDT-78", "La date du statut")
    for document in said.documents:
        yield from _document(message, document, kind)


def _roles(message: CdarMessage, kind: str) -> Iterator[Issue]:
    """Check who may transmit and who may declare: platforms alone for a transmission."""
    known = set(labels("role")) - {"DFH"}
    for rule, term, what, party, allowed in (
        ("BR-FR-CDV-CL-02", "MDT-21", "transmettre", message.sender, known),
        ("BR-FR-CDV-CL-03", "MDT-40", "déclarer", message.issuer, known - {"WK"}),
    ):
        role = None if party is None else party.role
        if role is not None and role not in ({"WK"} if kind == TRANSMISSION else allowed):
            yield _issue(
                rule, term, f"Le rôle « {role} » ne peut pas {what} ce message ({term}).", raw=role
            )


def _document(message: CdarMessage, document: Referenced, kind: str | None) -> Iterator[Issue]:
    where = f"facture {document.number or '?'}"
    code = document.process_code
    if document.number is None:
        yield _missing("BR-FR-CDV-10", "MDT-87", "Le numéro de la facture")
    if code is None:
        yield _missing("BR-FR-CDV-12", "MDT-105", "Le statut de la facture", where)
    elif code not in statuses():
        yield _unknown("BR-FR-CDV-CL-06", "MDT-105", "Le statut", code, where)
    if document.type_code is not None and not any(
        document.type_code in labels(each) for each in CREDITS_AND_INVOICES
    ):
        yield _unknown("BR-FR-04", "MDT-91", "Le type de facture", document.type_code, where)
    if document.issue_date is None and code != INADMISSIBLE:
        yield _missing("BR-FR-CDV-11", "MDT-100", "La date de la facture", where)
    stage = document.status_code
    known = labels(f"stage{kind}")
    if stage is not None and known and stage not in known:
        yield _unknown("BR-FR-CDV-CL-05", "MDT-88", "L'étape", stage, where)
    yield from _seller(document.issuer, code, where)
    for party in document.recipients:
        if party.role is not None and party.role not in labels("role"):
            yield _unknown(
                "BR-FR-CDV-CL-08", "MDT-158", "Le rôle de destinataire", party.role, where
            )
    yield from _reasons(message, document, where)
    yield from _collected(document, where)
    for detail in document.details:
        yield from _detail(detail, where)


def _seller(seller: Party | None, status: str | None, where: str) -> Iterator[Issue]:
    if status != INADMISSIBLE:
        sirens = [] if seller is None else [e for e in seller.global_ids if e.scheme == SIREN]
        if len(sirens) != 1:
            yield _issue(
                "BR-FR-CDV-13",
                "MDT-129",
                f"Le vendeur de la facture doit avoir un SIREN et un seul (MDT-129, registre "
                f"{SIREN}) ; il en a {len(sirens)}.",
                where,
            )
    if seller is not None and seller.role not in (None, "SE"):
        yield _unknown("BR-FR-CDV-CL-07", "MDT-132", "Le rôle de vendeur", str(seller.role), where)


def _reasons(message: CdarMessage, document: Referenced, where: str) -> Iterator[Issue]:
    status = statuses().get(document.process_code or "")
    given = [each for each in document.details if each.reason_code is not None]
    public = message.sender is not None and message.sender.number(PLATFORM) == CHORUS
    if status is not None and status.needs_reason and not given:
        yield _issue(
            "BR-FR-CDV-15",
            "MDT-113",
            f"Le statut {status.code} ({status.label}) demande un motif, et n'en a pas : demandez "
            "à celui qui l'a déclaré ce qu'il reproche à la facture.",
            where,
        )
    sender = message.sender
    unplaced = sender is not None and sender.global_ids and not sender.number(PLATFORM)
    for detail in given:
        code = str(detail.reason_code)
        known = reasons().get(code)
        about = detail.process_code or document.process_code or ""
        if about == "210" and unplaced:  # the rule cannot tell a public buyer from another
            yield _issue(
                "BR-FR-CDV-CL-09",
                "MDT-21",
                "Celui qui transmet un refus (210) est désigné sans numéro de plateforme "
                f"(registre {PLATFORM}) : donnez ce numéro, ou aucun.",
                where,
            )
        if about == "210" and public:
            about = REFUSED_B2G
        if known is None or not (known.listed or about in known.statuses):
            yield _unknown("BR-FR-CDV-CL-09", "MDT-113", "Le motif", code, where)
        elif reasons_of(about) and code not in reasons_of(about):
            yield _issue(
                "BR-FR-CDV-CL-09",
                "MDT-113",
                f"Le motif {code} ({known.label}) ne va pas avec le statut {about} : il est gardé, "
                "à vérifier avec celui qui l'a déclaré.",
                where,
                code,
            )


def _collected(document: Referenced, where: str) -> Iterator[Issue]:
    """Hold a 212 to its amounts: each with its rate, and a reason where it takes money back."""
    if document.process_code != COLLECTED:
        return
    data = [
        (detail, each)
        for detail in document.details
        for each in detail.characteristics
        if each.type_code == "MEN"
    ]
    if not data:
        yield _issue(
            "BR-FR-CDV-14",
            "MDT-207",
            "Le statut 212 (Encaissée) ne dit aucun montant encaissé (MEN).",
            where,
        )
    for detail, each in data:
        for value, term, what in (
            (each.amount, "MDT-215", "montant"),
            (each.percent, "MDT-224", "taux de TVA"),
        ):
            if value is None:
                yield _issue(
                    "BR-FR-CDV-14",
                    term,
                    f"Un montant encaissé (MEN) n'a pas de {what} ({term}) : il faut un montant "
                    "par taux de TVA.",
                    where,
                )
        if each.amount is not None and each.amount < 0 and not any(n.text for n in detail.notes):
            yield _issue(
                "P1.17",
                "MDT-126",
                "Un encaissement est annulé (MEN négatif) sans dire pourquoi (MDT-126).",
                where,
            )


def _detail(detail: Detail, where: str) -> Iterator[Issue]:
    if detail.sequence is None:
        yield _missing("BR-FR-CDV-16", "MDT-124-2", "Le numéro d'ordre d'un motif", where)
    if detail.process_code is not None and detail.process_code not in statuses():
        yield _unknown("BR-FR-CDV-CL-06", "MDT-115", "Le statut", detail.process_code, where)
    if detail.action_code is not None and detail.action_code not in labels("action"):
        yield _unknown("BR-FR-CDV-CL-10", "MDT-121", "L'action demandée", detail.action_code, where)
    for each in detail.characteristics:
        yield from _characteristic(each, where)


def _characteristic(each: Characteristic, where: str) -> Iterator[Issue]:
    if each.type_code is not None and each.type_code not in labels("characteristic"):
        yield _unknown("BR-FR-CDV-CL-11", "MDT-207", "Le type de donnée", each.type_code, where)
    if each.amount is not None:
        if each.currency is None:
            yield _issue(
                "G6.27", "MDT-215", f"Le montant {each.amount} n'a pas de devise (MDT-215).", where
            )
        yield from _digits("BR-FR-DEC-01", "MDT-215", each.amount, where)
    if each.percent is not None:
        yield from _digits("BR-FR-DEC-04", "MDT-224", each.percent, where)


def _digits(rule: str, term: str, value: Decimal, where: str) -> Iterator[Issue]:
    exponent = value.as_tuple().exponent
    places = -exponent if isinstance(exponent, int) else 0
    if places > 2 or len(f"{abs(value):f}".replace(".", "")) > MAX_DIGITS:
        yield _issue(
            rule,
            term,
            f"« {value} » a plus de deux décimales ou de {MAX_DIGITS} chiffres ({term}).",
            where,
            str(value),
        )
