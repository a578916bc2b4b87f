"""Blind quotes: what collecting would cost, before anybody is named.

Rates are invented; public pages give none. Only their shape (older costs more) follows the market.
"""

from __future__ import annotations

from datetime import timedelta

from encaisse_simulator.gcollect.books import Books
from encaisse_simulator.gcollect.calls import Call
from encaisse_simulator.gcollect.entities import Quote, QuotedInvoice
from encaisse_simulator.gcollect.fields import Fields
from encaisse_simulator.gcollect.problems import Problem
from encaisse_simulator.gcollect.rows import Row, money, percent
from encaisse_simulator.paris import instant, paris_date
from encaisse_simulator.wire import Json, SimResponse, json_response

RATES = ((547, 2800), (365, 2400), (180, 1950), (90, 1500), (45, 1200), (0, 1050))
"""Invented: days overdue from, rate in hundredths of a percent."""

BASE_RATE = RATES[-1][1]
VAT_PERCENT = 20
MINIMUM_CENTS = 1000
VALID = timedelta(days=15)
PARAMETERS_VERSION = "2026-10-invented"
PROBABILITIES = ((365, "0.21"), (180, "0.38"), (90, "0.52"), (0, "0.74"))
"""Invented: days overdue from, chance to recover."""


def create_quote(call: Call) -> SimResponse:
    """Price claims; nothing changes but that the price is remembered."""
    body = call.fields()
    creditor_id = call.creditor(body)
    debtor = body.record("debtor")
    kind = debtor.text("kind", among=("company", "individual", "public"))
    siren = debtor.digits("siren", 9)
    debtor.text_or_none("department", longest=3)
    debtor.text_or_none("country", longest=2)
    read = [_quoted(each) for each in body.records("invoices")]
    body.check()
    invoices = tuple(invoice for invoice, _ in read)
    today = paris_date(call.books.now)
    age = max((today - invoice.due_date).days for invoice in invoices)
    rate = next((rate for days, rate in RATES if age >= days), BASE_RATE)
    reasons = {
        "public_debtor": kind == "public",
        "debtor_insolvent": siren in call.books.insolvent,
        "currency": any(currency != "EUR" for _, currency in read),
        "below_minimum": any(invoice.cents < MINIMUM_CENTS for invoice in invoices),
        "not_due": any(invoice.due_date >= today for invoice in invoices),
    }
    quote = Quote(
        id=call.books.ids.draw("quo"),
        creditor_id=creditor_id,
        debtor_kind=kind,
        invoices=invoices,
        reasons=tuple(name for name, holds in reasons.items() if holds),
        base_rate=BASE_RATE,
        rate=rate,
        days_overdue=age,
        created_at=call.books.now,
        expires_at=call.books.now + VALID,
    )
    call.books.quotes[quote.id] = quote
    return json_response(200, quote_row(quote, call.books))


def read_quote(call: Call) -> SimResponse:
    """Read a quote again."""
    quote = call.books.quotes.get(call.values["id"])
    if quote is None or not call.owns(quote.creditor_id):
        raise Problem("not_found")
    return json_response(200, quote_row(quote, call.books))


def quote_row(quote: Quote, books: Books) -> Row:
    """Write a quote."""
    eligible = not quote.reasons
    cents = sum(invoice.cents for invoice in quote.invoices)
    fee = share(cents, quote.rate)
    vat = vat_on(fee)
    status = "accepted" if quote.accepted else "open"
    if not quote.accepted and quote.expires_at <= books.now:
        status = "expired"
    breakdown: Row = {
        "base_rate": percent(quote.base_rate),
        "age_surcharge": percent(quote.rate - quote.base_rate),
        "parameters_version": PARAMETERS_VERSION,
    }
    modulable = quote.debtor_kind == "company" and quote.days_overdue < 90
    probability = next((text for days, text in PROBABILITIES if quote.days_overdue >= days), "0.74")
    return {
        "id": quote.id,
        "status": status,
        "eligible": eligible,
        "ineligibility_reasons": list(quote.reasons),
        "fee_rate": percent(quote.rate) if eligible else None,
        "fee_breakdown": breakdown if eligible else None,
        "fee_estimate": money(fee) if eligible else None,
        "fee_vat": money(vat) if eligible else None,
        "net_estimate": money(cents - fee - vat) if eligible else None,
        "success_only": True,
        "upfront_cost": money(0),
        "recommendation": {
            "scenario": "modulable" if modulable else "classic",
            "probability": probability,
            "expected_days": 21 if modulable else 45,
        },
        "required_actions": _actions(eligible),
        "expires_at": instant(quote.expires_at),
        "created_at": instant(quote.created_at),
    }


def share(cents: int, rate: int) -> int:
    """Take a rate in hundredths of a percent of an amount, halves up."""
    return (cents * rate + 5000) // 10000


def vat_on(fee: int) -> int:
    """Give the VAT on a fee, halves up."""
    return (fee * VAT_PERCENT + 50) // 100


def _actions(eligible: bool) -> list[Json]:
    if not eligible:
        return []
    return [{"type": "sign_mandate", "blocking": True, "solution_url": None}]


def _quoted(fields: Fields) -> tuple[QuotedInvoice, str]:
    cents, currency = fields.money_of_any_currency("amount_due", least=1)
    invoice = QuotedInvoice(
        external_id=fields.text("external_id", longest=128),
        number=fields.text_or_none("number", longest=70),
        issue_date=fields.day("issue_date"),
        due_date=fields.day("due_date"),
        cents=cents,
    )
    return invoice, currency
