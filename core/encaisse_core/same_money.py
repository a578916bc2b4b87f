"""Ask whether money a tool showed first is what a collector names later.

Somebody may type a collector's payment into the books before we hear of it from the collector. The
tool's fall was then recorded as money paid to the company, and would be declared to the collector
as such: its own money a second time. The other order, the collector first, is `observed.py`'s.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

from sqlalchemy import Connection, select

from encaisse_core import retractions, tasks, typed
from encaisse_core.cents import euros
from encaisse_core.claim_states import number_of, standing_claim
from encaisse_core.holds import hold
from encaisse_core.host import Host
from encaisse_core.observed import SAME_WITHIN, adding_up, expect
from encaisse_core.payments import standing, undo_payment
from encaisse_core.store import schema
from encaisse_core.store.engine import rows

Row = Mapping[str, Any]


def twin(tx: Connection, settlement: Row, denied: Collection[str] = ()) -> dict[str, Any] | None:
    """Find money a tool showed that may be this settlement, not heard of before.

    Equal to its principal, gross or net of the fee, and seen from the day the collector received it
    on: what a tool showed before cannot be that money. `denied` was said to be other money. What is
    recorded on another claim is new on this one.
    """
    company_id, principal = settlement["company_id"], settlement["principal"]
    claim_id = standing_claim(tx, company_id, settlement["claim_id"])
    told = settlement["state"] in ("verified", "reversed")
    if not told or _recorded_on(tx, settlement) == claim_id:
        return None
    net = principal - (settlement["fee"] or 0) - (settlement["fee_vat"] or 0)
    first = date.fromisoformat(settlement["received_on"])
    last = (first + SAME_WITHIN).isoformat()
    for payment in standing(tx, company_id, claim_id, "source"):
        seen_in_time = first.isoformat() <= payment["paid_on"] <= last
        alike = payment["amount"] in (principal, net) and payment["id"] not in denied
        if alike and seen_in_time:
            return dict(payment)
    return None


def in_question(tx: Connection, company_id: str) -> set[str]:
    """Name the settlements and payments a person is asked about, on whatever claim they were then.

    They wait for the answer, whatever the collector says of them meanwhile.
    """
    asked = tasks.all_in_question(tx, company_id, "maybe_same")
    named = (about.get(what) for about in asked for what in ("settlement", "payment"))
    return {str(each) for each in named if each is not None}


def _recorded_on(tx: Connection, settlement: Row) -> str | None:
    """Name the claim a settlement's payment was recorded on; None where none was."""
    p = schema.payment.c
    query = select(p.claim_id).where(
        p.company_id == settlement["company_id"], p.id == settlement["payment_id"]
    )
    return tx.execute(query).scalar_one_or_none()


def ask(host: Host, tx: Connection, settlement: Row, denied: Collection[str] = ()) -> bool:
    """Hold the claim and ask, where a settlement may be known already; tell whether it waits."""
    company_id = settlement["company_id"]
    claim_id = standing_claim(tx, company_id, settlement["claim_id"])
    known = twin(tx, settlement, denied)
    if known is None:
        return False
    hold(
        host,
        tx,
        company_id,
        claim_id,
        "maybe_same",
        f"Facture {number_of(tx, company_id, claim_id)} : le partenaire annonce un encaissement de "
        f"{euros(settlement['principal'])}, et votre outil montrait déjà un paiement de "
        f"{euros(known['amount'])}. Est-ce le même argent ? Le recouvrement est arrêté et rien "
        "n'est déclaré ni inscrit avant votre réponse.",
        about={
            "settlement": settlement["id"],
            "payment": known["id"],
            "denied": sorted(denied),
        },
    )
    return True


def is_the_collectors(host: Host, tx: Connection, payment: Row, payment_id: str | None) -> None:
    """Take back what a tool showed: it was the collector's payment, recorded under its own name.

    The tools that show it were told by hand: nothing is written there again. The others are told by
    our write-backs, as of any money collected. `payment_id` is None where no principal is left.
    """
    company_id, claim_id, amount = payment["company_id"], payment["claim_id"], payment["amount"]
    s = schema.sighting.c
    found = tx.execute(
        select(schema.sighting)
        .where(s.company_id == company_id, s.claim_id == claim_id, s.presence == "live")
        .order_by(s.id)
    )
    for row in rows(found):
        if _yet_to_show(tx, row, payment):
            expect(tx, row, untold=row["untold"] - amount)
        else:
            typed.note(tx, row, payment_id, amount)
    retractions.own_money(host, tx, payment)


def _yet_to_show(tx: Connection, row: Row, payment: Row) -> bool:
    """Tell whether a tool has yet to show a payment another tool showed.

    What it has yet to show is one sum; payments add up to it with this one, or without it. Where
    both do, tools are taken to show older money first.
    """
    amount, untold = payment["amount"], row["untold"]
    if row["id"] == payment["shown_by"] or untold < amount:
        return False
    known = standing(tx, row["company_id"], row["claim_id"], "source", "credit")
    others = [
        each
        for each in known
        if each["shown_by"] not in (None, row["id"]) and each["id"] != payment["id"]
    ]
    with_it = untold == amount or bool(adding_up(others, untold - amount))
    without = bool(adding_up(others, untold))
    if with_it != without:
        return with_it
    newer = [each["amount"] for each in others if each["created_at"] > payment["created_at"]]
    return bool(untold >= sum(newer) + amount)


def taken_back(host: Host, tx: Connection, company_id: str, payment_id: str) -> None:
    """Undo what a tool showed, before the same money is recorded as the collector's."""
    undo_payment(host, tx, company_id, payment_id, host.clock.today().isoformat())
