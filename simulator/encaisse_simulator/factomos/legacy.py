"""The older Factomos interface: one address, sealed forms, over the same books as REST v1.

Actions, fields, codes and the quota are documented [fac-legacy]. Assumed: HTTP 200 for all answers,
errors about the token in the clear, the answer of `createPayment` (the vendor prints none), the
hour of `email_date` being that of Paris, `articleList` left empty.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from encaisse_simulator.factomos import legacy_rows as rows
from encaisse_simulator.factomos.account import STATUSES, Account, Contact, Invoice, Payment
from encaisse_simulator.factomos.calls import PAYMENT_TYPES, PER_PAGE
from encaisse_simulator.factomos.refusals import Refused
from encaisse_simulator.factomos.seal import seal, unseal
from encaisse_simulator.ledger import LedgerEntry
from encaisse_simulator.paris import paris_date
from encaisse_simulator.partner import Clock
from encaisse_simulator.wire import (
    Json,
    SimRequest,
    SimResponse,
    as_json,
    json_response,
    parse_query,
)

HOST = "app.factomos.com"
PATH = "/api/api.php"
MAX_CENTS = 10**12

CODES: Mapping[str, tuple[int, str]] = {
    "no_token": (-1, "Missing Token"),
    "no_request": (-2, "Missing Crypted Request"),
    "bad_token": (-3, "Invalid Token"),
    "quota": (-4, "Too many API calls for the day"),
    "bad_request": (-5, "Invalid Crypted Request"),
    "unknown_action": (-6, "Action not found or invalid"),
    "no_contact": (-8, "Missing parameter client_id"),
    "unknown_contact": (-9, "Client not found"),
    "no_invoice": (-17, "Missing parameter invoice_id"),
    "unknown_invoice": (-20, "Invoice not found"),
    "several_payments": (-21, "Several payments for this invoice"),
    "no_status": (-39, "Missing parameter invoice_status"),
    "bad_status": (-40, "Invalid parameter invoice_status"),
    "bad_page": (-41, "Invalid parameter page_index"),
    "bad_amount": (-50, "Invalid parameter montant"),
    "bad_type": (-51, "Invalid parameter type"),
    "bad_date": (-52, "Invalid parameter payment_date"),
}
"""Documented but for the last three, which nothing names."""

Shortened = Literal["", "agreeing", "contradicting"]
"""Whether lists end half-way, and what their count then says: a sealed list is cut by its tool."""

Fields = Mapping[str, str]
Record = Callable[[Account, Invoice, Payment], None]


@dataclass(frozen=True, slots=True)
class Access:
    """Hold what opens one account: the key that deciphers, and whose books they are."""

    secret: str
    account: Account


@dataclass(frozen=True, slots=True)
class Asked:
    """Hold one deciphered request."""

    fields: Fields
    account: Account
    today: date
    record: Record
    shortened: Shortened

    def invoice(self) -> Invoice:
        """Find the invoice that is meant."""
        if not (wanted := self.fields.get("invoice_id")):
            raise Refused("no_invoice")
        pid = self.account.named(wanted)
        if pid is None or pid not in self.account.invoices:
            raise Refused("unknown_invoice")
        return self.account.invoices[pid]

    def contact(self) -> Contact:
        """Find the contact that is meant."""
        if not (wanted := self.fields.get("client_id")):
            raise Refused("no_contact")
        pid = self.account.named(wanted)
        if pid is None or pid not in self.account.contacts:
            raise Refused("unknown_contact")
        return self.account.contacts[pid]


class LegacyFactomos:
    """Answer the older interface for each account that was given a pair of keys."""

    host = HOST

    def __init__(self, clock: Clock, record: Record) -> None:
        self._clock = clock
        self._record = record
        self._accesses: dict[str, Access] = {}
        self.shortened: Shortened = ""

    def open(self, token: str, secret: str, account: Account) -> None:
        """Give an account a pair of keys, as the vendor's consent page does."""
        self._accesses[token] = Access(secret, account)

    def revoke(self, token: str) -> None:
        """Take a pair of keys back."""
        del self._accesses[token]

    def serves(self, path: str) -> bool:
        """Tell whether a path is this interface's."""
        return path == PATH

    def handle(self, request: SimRequest) -> SimResponse:
        """Answer one request; sealed once the secret is known."""
        form = parse_query(request.body.decode("utf-8", "replace"))
        token = (form.get("token") or [""])[-1]
        access = self._accesses.get(token)
        if request.path != PATH or request.method != "POST":
            return SimResponse(404, {"content-type": "text/html"}, b"<h1>Not Found</h1>")
        if access is None:
            return in_the_clear("bad_token" if token else "no_token")
        answer = as_json(self._answer(access, (form.get("crequest") or [""])[-1]))
        return SimResponse(200, {"content-type": "text/html"}, seal(access.secret, answer))

    def _answer(self, access: Access, sealed: str) -> Mapping[str, Json]:
        try:
            if not sealed:
                raise Refused("no_request")
            plain = unseal(access.secret, sealed)
            if plain is None:
                raise Refused("bad_request")
            if not access.account.spend_call(self._clock.now):
                raise Refused("quota")
            fields = {name: values[-1] for name, values in parse_query(plain).items()}
            action = ACTIONS.get(fields.get("action", ""))
            if action is None:
                raise Refused("unknown_action")
            today = paris_date(self._clock.now)
            said = action(Asked(fields, access.account, today, self._record, self.shortened))
        except Refused as refused:
            return error(refused.name)
        return {**said, "error": {"code": 0, "message": "OK"}}

    def tick(self) -> None:
        """Do nothing: statuses are worked out when they are read."""

    def published_at(self, base_url: str | None) -> None:
        """Do nothing: no answer carries an address."""

    def ledger(self) -> list[LedgerEntry]:
        """Tell nothing: the books are those of REST v1, which tells them."""
        return []

    def unauthorized(self) -> SimResponse:
        """Refuse a token."""
        return in_the_clear("bad_token")

    def too_many(self, retry_after: int) -> SimResponse:
        """Refuse for speed; that a gateway does it with a status of its own is assumed."""
        return in_the_clear("quota", 429).with_headers({"retry-after": str(retry_after)})

    def cut(self, listing: Mapping[str, Json], *, honest_total: bool) -> Json:
        """Cut nothing: a sealed list cannot be opened on its way."""
        return None


def error(name: str) -> Mapping[str, Json]:
    """Write a refusal."""
    code, message = CODES[name]
    return {"error": {"code": code, "message": message}}


def in_the_clear(name: str, status: int = 200) -> SimResponse:
    """Refuse where no secret is known yet."""
    return json_response(status, error(name))


def list_invoices(asked: Asked) -> Mapping[str, Json]:
    """List one status, fifty rows from an offset."""
    if not (status := asked.fields.get("invoice_status")):
        raise Refused("no_status")
    if status not in STATUSES:
        raise Refused("bad_status")
    found = asked.account.of_status(status, asked.today)
    index = asked.fields.get("page_index", "0")
    if not index.isdecimal() or int(index) > len(found):
        raise Refused("bad_page")
    first = int(index)
    shown = found[first : first + PER_PAGE]
    total = len(found)
    if asked.shortened:
        shown = shown[: len(shown) // 2]
        total = total if asked.shortened == "contradicting" else first + len(shown)
    return {
        "pagination": {
            "first_row": str(first),
            "last_row": first + len(shown) - 1,
            "total_invoices": total,
        },
        "invoices": [rows.listed(one, asked.account, asked.today) for one in shown],
    }


def get_invoice(asked: Asked) -> Mapping[str, Json]:
    """Give one invoice, without its payments: no action of this interface lists them."""
    return {"invoice": rows.alone(asked.invoice(), asked.account, asked.today)}


def get_client(asked: Asked) -> Mapping[str, Json]:
    """Give one contact's card."""
    return {"client": rows.client(asked.contact(), asked.account)}


def mail_history(asked: Asked) -> Mapping[str, Json]:
    """List the e-mails sent of one invoice."""
    invoice = asked.invoice()
    return {"invoice-emails": [rows.mail(one, invoice, asked.account) for one in invoice.mails]}


def create_payment(asked: Asked) -> Mapping[str, Json]:
    """Record a payment. Two equal requests make two."""
    invoice = asked.invoice()
    payment = Payment(
        payment_id=asked.account.new_payment(),
        cents=rows.cents(asked.fields.get("montant"), MAX_CENTS),
        kind=_kind(asked.fields.get("type")),
        reference=asked.fields.get("reference", ""),
        on=_day(asked.fields.get("payment_date"), asked.today),
        via="api",
    )
    asked.record(asked.account, invoice, payment)
    return {"payment_id": payment.payment_id}


def edit_payment(asked: Asked) -> Mapping[str, Json]:
    """Change the one payment of an invoice, or the one that is named."""
    invoice = asked.invoice()
    named = asked.fields.get("payment_id")
    if named is None and len(invoice.payments) > 1:
        raise Refused("several_payments")
    kept = [one for one in invoice.payments if named in (None, one.payment_id)]
    if not kept:
        raise Refused("bad_amount")
    changed = Payment(
        payment_id=kept[0].payment_id,
        cents=rows.cents(asked.fields.get("montant"), MAX_CENTS),
        kind=_kind(asked.fields.get("type", kept[0].kind)),
        reference=asked.fields.get("reference", kept[0].reference),
        on=_day(asked.fields.get("payment_date"), kept[0].on),
        via="api",
    )
    _undo(asked, invoice, kept[0])
    asked.record(asked.account, invoice, changed)
    return {}


def delete_all_payments(asked: Asked) -> Mapping[str, Json]:
    """Delete every payment of an invoice, whoever recorded it."""
    invoice = asked.invoice()
    for payment in list(invoice.payments):
        _undo(asked, invoice, payment)
    return {}


ACTIONS: Mapping[str, Callable[[Asked], Mapping[str, Json]]] = {
    "listInvoice": list_invoices,
    "getInvoice": get_invoice,
    "getClient": get_client,
    "getInvoiceMailHistory": mail_history,
    "createPayment": create_payment,
    "editPayment": edit_payment,
    "deleteAllPayments": delete_all_payments,
}


def _undo(asked: Asked, invoice: Invoice, payment: Payment) -> None:
    """Take a payment off the books, and leave its mirror in the ledger of effects."""
    mirror = Payment(
        payment.payment_id, -payment.cents, payment.kind, payment.reference, payment.on, "api"
    )
    asked.record(asked.account, invoice, mirror)
    invoice.payments.remove(mirror)
    invoice.payments.remove(payment)
    asked.account.moved()


def _kind(value: str | None) -> str:
    if value not in PAYMENT_TYPES:
        raise Refused("bad_type")
    return value


def _day(value: str | None, default: date) -> date:
    if not value:
        return default
    try:
        return datetime.strptime(value, "%Y-%m-%d").date()  # noqa: DTZ007 - a day has no hour
    except ValueError:
        raise Refused("bad_date") from None
