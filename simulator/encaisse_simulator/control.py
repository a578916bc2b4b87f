"""Let a person move a served world: its clock, and what debtors do. No partner has such calls."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import cast

from encaisse_simulator.myunisoft.admin import ACTS, Act
from encaisse_simulator.paris import instant
from encaisse_simulator.wire import Json, SimRequest, SimResponse, json_response
from encaisse_simulator.world import World

PREFIX = "/_sim/"

Ask = Mapping[str, object]


def control(world: World, request: SimRequest) -> SimResponse:
    """Answer the calls of `ACTIONS`: state, clock, debtors, and MyUnisoft's accountants."""
    name = request.path.removeprefix(PREFIX)
    action = ACTIONS.get((request.method, name))
    if action is None:
        known: list[Json] = [f"{method} {PREFIX}{each}" for method, each in ACTIONS]
        return json_response(404, {"error": "unknown", "known": known})
    try:
        value: object = json.loads(request.body or b"{}")
        with world.locked():
            return json_response(200, action(world, cast("Ask", value)))
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        return json_response(400, {"error": f"{type(error).__name__}: {error}"})


def _state(world: World, _: Ask) -> Json:
    return {
        "now": instant(world.now),
        "faults": dict(world.faults.counts),
        "messages_to_debtors": len(world.gcollect.outreach()),
        "mandates_to_sign": [
            world.gcollect.signing_url(each) for each in world.gcollect.pending_mandates()
        ],
        "effects": [
            {
                "partner": entry.partner,
                "siren": entry.account_siren,
                "invoice": entry.invoice_number,
                "cents": entry.amount_cents,
                "on": entry.on.isoformat(),
                "kind": entry.kind,
                "via": entry.via,
            }
            for entry in world.ledger()
        ],
    }


def _advance(world: World, ask: Ask) -> Json:
    world.advance(timedelta(hours=_whole(ask, "hours")))
    return {"now": instant(world.now)}


def _debtor_pays(world: World, ask: Ask) -> Json:
    number = str(ask["invoice_number"])
    for procedure_id in world.gcollect.procedure_ids(number):
        paid = world.gcollect.debtor_pays(procedure_id, number, _whole(ask, "cents"))
        return {"payment_id": paid, "procedure_id": procedure_id}
    raise KeyError(f"invoice {number} is in no procedure")


def _in_myunisoft(act: Act) -> Callable[[World, Ask], Json]:
    return lambda world, ask: act(world.myunisoft, ask)


def _whole(ask: Ask, name: str) -> int:
    text = str(ask[name])
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise ValueError(f"{name} is a whole number")
    return int(text)


ACTIONS: Mapping[tuple[str, str], Callable[[World, Ask], Json]] = {
    ("GET", "state"): _state,
    ("POST", "advance"): _advance,
    ("POST", "debtor_pays"): _debtor_pays,
    **{(method, f"myunisoft/{name}"): _in_myunisoft(act) for (method, name), act in ACTS.items()},
}
