"""Webhook subscriptions [D AP/webhooks], [P]."""

from __future__ import annotations

from collections.abc import Collection
from typing import cast

from encaisse_simulator.myunisoft.amounts import answer, parse
from encaisse_simulator.myunisoft.calls import Call
from encaisse_simulator.myunisoft.historic_calls import dossiers_of
from encaisse_simulator.myunisoft.refusals import Refused
from encaisse_simulator.myunisoft.webhooks import EVENTS, Webhook
from encaisse_simulator.wire import SimResponse


def subscribe(call: Call) -> SimResponse:
    """Keep a subscription to events of dossiers the key opens."""
    body = parsed(call)
    if not isinstance(body, dict):
        raise Refused("GBL10", "corps")
    fields = cast("dict[str, object]", body)
    url = fields.get("postUrl")
    if not isinstance(url, str) or not url.startswith("https://"):
        raise Refused("GBL10", "postUrl")
    events = _texts(fields.get("onEvents"), "onEvents", EVENTS)
    mine = {str(each.society_id) for each in dossiers_of(call)}
    dossiers = _texts(fields.get("accountingFolderId"), "accountingFolderId", mine)
    made = call.books.subscribe(
        call.key.partner.name, url, events, [int(each) for each in dossiers]
    )
    return answer(made.row())


def subscriptions(call: Call) -> SimResponse:
    """List the partner's subscriptions."""
    return answer([each.row() for each in _mine(call)])


def read(call: Call) -> SimResponse:
    """Read one."""
    return answer(_named(call).row())


def of_event(call: Call) -> SimResponse:
    """List those to one event of one dossier."""
    name, dossier = call.values["name"], call.values["dossier"]
    found = [
        each.row()
        for each in _mine(call)
        if name in each.events and dossier in map(str, each.dossiers)
    ]
    return answer(found)


def change(call: Call) -> SimResponse:
    """Change the address by JSON Patch; only `replace` of `/postUrl` is documented."""
    webhook, steps = _named(call), parsed(call)
    if not isinstance(steps, list):
        raise Refused("GBL10", "JSON Patch")
    for step in cast("list[object]", steps):
        fields = cast("dict[str, object]", step) if isinstance(step, dict) else {}
        url = fields.get("value")
        known = (fields.get("op"), fields.get("path")) == ("replace", "/postUrl")
        if not known or not isinstance(url, str) or not url.startswith("https://"):
            raise Refused("GBL10", "JSON Patch")
        webhook.post_url = url
    return answer(webhook.row())


def unsubscribe(call: Call) -> SimResponse:
    """End a subscription."""
    webhook = _named(call)
    del call.books.webhooks[webhook.id]
    return answer(webhook.row())


def parsed(call: Call) -> object:
    """Read a JSON body."""
    try:
        return parse(call.request.body)
    except ValueError as error:
        raise Refused("GBL10", "corps illisible") from error


def _mine(call: Call) -> list[Webhook]:
    name = call.key.partner.name
    return [each for each in call.books.webhooks.values() if each.partner == name]


def _named(call: Call) -> Webhook:
    for each in _mine(call):
        if str(each.id) == call.values["id"]:
            return each
    raise Refused("GBL10", "webhook")


def _texts(value: object, name: str, among: Collection[str]) -> list[str]:
    listed = cast("list[object]", value) if isinstance(value, list) else []
    texts = [each for each in listed if isinstance(each, str) and each in among]
    if not texts or len(texts) != len(listed):
        raise Refused("GBL10", name)
    return texts
