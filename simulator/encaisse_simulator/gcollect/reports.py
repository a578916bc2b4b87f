"""What a creditor reads to check: history, events, attestation, documents, its portfolio."""

from __future__ import annotations

from functools import partial

from encaisse_simulator.gcollect.books import event_row
from encaisse_simulator.gcollect.calls import Call
from encaisse_simulator.gcollect.entities import SCOPES
from encaisse_simulator.gcollect.feeds import Placed, feed
from encaisse_simulator.gcollect.problems import Problem
from encaisse_simulator.gcollect.rows import money, money_or_none, timeline_row
from encaisse_simulator.paris import instant
from encaisse_simulator.wire import Json, SimResponse, json_response

ISSUER = "GCollect (simulé)"


def read_me(call: Call) -> SimResponse:
    """Tell what this access opens."""
    answer: dict[str, Json] = {
        "client_id": call.client.client_id,
        "scope": " ".join(scope for scope in SCOPES if scope in call.scopes),
        "creditors": [
            {"id": each.id, "siren": each.siren, "name": each.name, "kyb_status": "verified"}
            for each in call.creditors()
        ],
    }
    return json_response(200, answer)


def read_timeline(call: Call) -> SimResponse:
    """List a procedure's history, or what one reference left in it."""
    procedure = call.procedure()
    reference = call.request.one("external_reference")
    return feed(
        call,
        [
            Placed(each.at, each.id, partial(timeline_row, each))
            for each in call.books.timeline
            if each.procedure_id == procedure.id and reference in (None, each.external_reference)
        ],
    )


def list_events(call: Call) -> SimResponse:
    """List events from an instant on."""
    return feed(
        call,
        [
            Placed(each.created_at, each.id, partial(event_row, each))
            for each in call.books.events
            if call.owns(each.creditor_id)
        ],
        since="since",
    )


def read_attestation(call: Call) -> SimResponse:
    """Read the attestation of non-recovery, once there is one."""
    procedure, books = call.procedure(), call.books
    attestation = books.attestations.get(procedure.id)
    if attestation is None:
        raise Problem("attestation_unavailable")
    invoices: list[Json] = []
    for each in procedure.invoices:
        if each.status != "irrecoverable":
            continue
        total = each.line.parts.principal
        without_vat = (total * 200 + 120) // 240
        invoices.append(
            {
                "number": each.line.number,
                "ht": money(without_vat),
                "vat": money(total - without_vat),
                "ttc": money(total),
                "remaining": money(each.balance),
            }
        )
    answer: dict[str, Json] = {
        "number": attestation.number,
        "issued_at": instant(attestation.issued_at),
        "issuer": ISSUER,
        "invoices": invoices,
        "cause": attestation.cause,
        "actions_summary": [f"{procedure.messages_sent} messages au débiteur"],
        "document_id": attestation.document_id,
        "sha256": books.documents[attestation.document_id].sha256,
    }
    return json_response(200, answer)


def read_document(call: Call) -> SimResponse:
    """Give a document GCollect made."""
    document = call.books.documents.get(call.values["id"])
    if document is None or not call.owns(document.creditor_id):
        raise Problem("not_found")
    return SimResponse(200, {"content-type": "text/html; charset=utf-8"}, document.content)


def compare_portfolio(call: Call) -> SimResponse:
    """Tell where a creditor's open balances differ from the open procedures'."""
    body = call.fields()
    creditor_id = call.creditor(body)
    as_of = body.day("as_of")
    given = {
        each.text("external_id", longest=128): each.money("balance")
        for each in body.records("items", least=0)
    }
    body.check()
    here = {
        invoice.line.external_id: (procedure.id, invoice.balance)
        for procedure in call.books.procedures.values()
        if procedure.creditor_id == creditor_id and procedure.status != "closed"
        for invoice in procedure.invoices
        if invoice.status == "in_procedure"
    }
    differences: list[Json] = []
    for external_id in sorted(here.keys() | given.keys()):
        procedure_id, ours = here.get(external_id, (None, None))
        theirs = given.get(external_id)
        if ours == theirs:
            continue
        kind = (
            "unknown_here" if ours is None else "missing_in_request" if theirs is None else "amount"
        )
        differences.append(
            {
                "external_id": external_id,
                "kind": kind,
                "balance_here": money_or_none(ours),
                "balance_given": money_or_none(theirs),
                "procedure_id": procedure_id,
            }
        )
    return json_response(200, {"as_of": as_of.isoformat(), "differences": differences})
