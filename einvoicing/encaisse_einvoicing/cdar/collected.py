"""Declare what was collected of an invoice: the status 212 *Encaissée*, one amount per VAT rate.

Only the principal of the invoice is declared. Late interest and the 40 € indemnity are outside VAT
(CGI 256) and never part of it: whoever calls imputes the payment first (C. civ. 1343-1) and passes
what went to the principal. Rules: BR-FR-CDV-14, annex 7 G7.12, G6.27, P1.14 to P1.17; CGI 290 A.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from stdnum.fr import siren as fr_siren

from encaisse_einvoicing.cdar.codes import (
    COLLECTED,
    PLATFORM,
    PPF,
    PROFILE,
    SIREN,
    labels,
    statuses,
)
from encaisse_einvoicing.cdar.facts import InvoiceFacts, owed_by_rate
from encaisse_einvoicing.cdar.message import (
    Acknowledgement,
    CdarMessage,
    Characteristic,
    Detail,
    Party,
    Referenced,
)
from encaisse_einvoicing.cdar.rules import TREATMENT
from encaisse_einvoicing.cdar.split import CENT, in_cents, split_next
from encaisse_einvoicing.issues import Refused
from encaisse_einvoicing.model import Identifier, Note

PARIS: Final = ZoneInfo("Europe/Paris")
EURO: Final = "EUR"
SELLERS: Final = ("SE", "SR", "PE", "II", "DL")
"""Roles that stand on the seller's side, the only one that declares a 212 (DG8)."""


def collected(
    invoice: InvoiceFacts,
    *,
    principal: Decimal,
    currency: str,
    received_on: date,
    already: Decimal,
    message_id: str,
    at: datetime,
    reason: str | None = None,
    declared_by: Party | None = None,
    sender_role: str = "SE",
    to_ppf: bool = False,
) -> CdarMessage:
    """Make the 212 of one payment of the principal, TTC, received on a day.

    `already` is what was declared collected before, all payments less all reversals, without the
    amount prepaid. A negative `principal` takes a payment back and wants a `reason`. `at` is when
    it is declared: with a zone it is brought to French time, without one it is French time.
    `declared_by` is who declares where it is not the seller (an agent, a factor), with identifier
    and role (MDT-38, MDT-40); `sender_role` is who transmits (MDT-21). `to_ppf` also addresses the
    administration, which platforms usually do by themselves. Raises `Refused`.
    """
    moment = _plain(at)
    _check_invoice(invoice, currency)
    owed = owed_by_rate(invoice)
    seller = Party(global_ids=_siren(invoice.seller_siren), name=invoice.seller_name, role="SE")
    issuer = declared_by or seller
    _check_roles(issuer.role, sender_role)
    _check_amounts(invoice, principal, already)
    if received_on > moment.date():
        raise Refused(
            "received_in_the_future",
            f"Le paiement est daté du {received_on:%d/%m/%Y}, après la déclaration : corrigez la "
            "date.",
            "MDT-219",
        )
    why = (reason or "").strip()
    if principal < 0 and not why:
        raise Refused(
            "reversal_without_reason",
            "Dites pourquoi l'encaissement est annulé (rejet de prélèvement, chèque impayé…) : ce "
            "texte accompagne le montant négatif (MDT-126).",
            "MDT-126",
        )
    before = invoice.prepaid + already
    parts = split_next(before, principal, owed)
    data = [
        _amount("MEN", parts[rate], day=received_on, percent=rate) for rate in owed if parts[rate]
    ]
    left = invoice.total - before - principal
    if left > 0:
        data.append(_amount("RAP", left))
    return _message(
        invoice,
        Detail(
            sequence=Decimal(1),
            notes=(Note(text=why),) if why else (),
            characteristics=tuple(data),
        ),
        message_id=message_id,
        moment=moment,
        issuer=issuer,
        sender_role=sender_role,
        to_ppf=to_ppf,
    )


def _plain(at: datetime) -> datetime:
    """Bring a moment to French wall-clock time, to the second, as the message writes it."""
    local = at if at.tzinfo is None else at.astimezone(PARIS)
    return local.replace(tzinfo=None, microsecond=0)


def _check_invoice(invoice: InvoiceFacts, currency: str) -> None:
    if invoice.type_code in labels("credit"):
        raise Refused(
            "credit_note",
            f"{invoice.number} est un avoir : un avoir ne s'encaisse pas, son remboursement se "
            "déclare par le statut 211.",
            "BT-3",
        )
    if currency != invoice.currency:
        raise Refused(
            "currency_mismatch",
            f"Le paiement est en {currency or '?'}, la facture {invoice.number} en "
            f"{invoice.currency} : donnez le montant dans la devise de la facture.",
            "BT-5",
        )
    if currency != EURO:
        raise Refused(
            "currency_not_euro",
            f"La facture {invoice.number} est en {currency} : l'administration attend des euros "
            "(G6.27), et le cours à appliquer est à décider par une personne. Déclarez cet "
            "encaissement sur votre plateforme.",
            "BT-5",
        )
    if not fr_siren.is_valid(invoice.seller_siren):
        raise Refused(
            "siren_invalid",
            f"« {invoice.seller_siren} » n'est pas un SIREN : corrigez celui du vendeur.",
            "BT-30",
        )
    if not (in_cents(invoice.total) and in_cents(invoice.prepaid) and invoice.total > 0):
        raise Refused(
            "total_not_collectible",
            f"Facture {invoice.number} : total {invoice.total}, déjà payé {invoice.prepaid} ; il "
            "faut un total positif et des centimes entiers.",
            "BT-112",
        )


def _check_roles(role: str | None, sender_role: str) -> None:
    for term, given, allowed in (
        ("MDT-40", role, SELLERS),
        ("MDT-21", sender_role, (*SELLERS, "WK")),
    ):
        if given not in allowed:
            raise Refused(
                "role_not_of_the_seller",
                f"Le statut 212 se déclare du côté du vendeur : le rôle « {given or '?'} » "
                f"({term}) n'en est pas. Rôles admis : {', '.join(allowed)}.",
                term,
            )


def _check_amounts(invoice: InvoiceFacts, principal: Decimal, already: Decimal) -> None:
    if not (in_cents(principal) and in_cents(already)):
        raise Refused(
            "amount_not_in_cents",
            f"Les montants {principal} et {already} ne sont pas en centimes entiers : arrondissez "
            "avant de déclarer.",
            "MDT-215",
        )
    if principal == 0:
        raise Refused("amount_zero", "Aucun montant n'est encaissé : rien à déclarer.", "MDT-215")
    payable = invoice.total - invoice.prepaid
    if invoice.prepaid < 0 or payable < 0:
        raise Refused(
            "total_not_collectible",
            f"Facture {invoice.number} : {invoice.prepaid} déjà payés (BT-113) sur {invoice.total} "
            "(BT-112) ; vérifiez la facture.",
            "BT-113",
        )
    if already < 0 or already > payable:
        raise Refused(
            "already_out_of_bounds",
            f"Il a déjà été déclaré {already} pour la facture {invoice.number}, dont {payable} "
            "étaient à payer : vérifiez ses encaissements.",
            "MDT-215",
        )
    if already + principal > payable:
        raise Refused(
            "more_than_the_invoice",
            f"{principal} après {already} dépasse les {payable} à payer de la facture "
            f"{invoice.number}. Ne déclarez que le principal : ni intérêts de retard, ni indemnité "
            "de 40 €, ni trop-perçu.",
            "MDT-215",
        )
    if already + principal < 0:
        raise Refused(
            "reversal_beyond_collected",
            f"{-principal} ne peuvent pas être annulés : {already} seulement ont été déclarés "
            f"encaissés pour la facture {invoice.number}.",
            "MDT-215",
        )


def _amount(
    code: str, amount: Decimal, *, day: date | None = None, percent: Decimal | None = None
) -> Characteristic:
    return Characteristic(
        type_code=code,
        amount=amount.quantize(CENT),
        currency=EURO,
        day=day,
        percent=None if percent is None else _rate(percent),
    )


def _rate(rate: Decimal) -> Decimal:
    """Write a rate with two decimals, as MDT-224 is shown; one with more is left to the rules."""
    short = rate.quantize(CENT)
    return short if short == rate else rate


def _siren(number: str | None) -> tuple[Identifier, ...]:
    return () if number is None else (Identifier(value=number, scheme=SIREN),)


def _message(
    invoice: InvoiceFacts,
    detail: Detail,
    *,
    message_id: str,
    moment: datetime,
    issuer: Party,
    sender_role: str,
    to_ppf: bool,
) -> CdarMessage:
    buyer = Party(
        global_ids=_siren(invoice.buyer_siren),
        name=invoice.buyer_name,
        role="BY",
        endpoint=invoice.buyer_endpoint,
        endpoint_scheme=invoice.buyer_endpoint_scheme,
    )
    ppf = Party(global_ids=(Identifier(value=PPF, scheme=PLATFORM),), name="PPF", role="DFH")
    status = statuses()[COLLECTED]
    document = Referenced(
        number=invoice.number,
        status_code=status.stage,
        type_code=invoice.type_code,
        issue_date=invoice.issue_date,
        process_code=status.code,
        process_label=status.label,
        issuer=Party(global_ids=_siren(invoice.seller_siren), role="SE"),
        details=(detail,),
    )
    return CdarMessage(
        process="REGULATED",
        profile=PROFILE,
        id=message_id,
        issued_at=moment,
        sender=Party(role=sender_role),
        issuer=issuer,
        recipients=(buyer, ppf) if to_ppf else (buyer,),
        acknowledgements=(
            Acknowledgement(
                multiple=False, type_code=TREATMENT, issued_at=moment, documents=(document,)
            ),
        ),
    )
