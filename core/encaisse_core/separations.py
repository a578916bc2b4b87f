"""Take a record out of a claim a rung had it join: a person said that it is another invoice.

It makes a claim of its own, which starts with what its tool shows today. What only it showed leaves
the claim it was in; a rung never brings the two together again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, select

from encaisse_core import (
    claim_states,
    doubts,
    journal,
    mergeable,
    observed,
    portfolio,
    referrers,
    sides,
)
from encaisse_core.errors import UsageError
from encaisse_core.host import Host, link
from encaisse_core.join import CREDITS
from encaisse_core.merges import BY_PERSON, Said, claim_row
from encaisse_core.payments import standing, undo_payment
from encaisse_core.sightings import record_of
from encaisse_core.store import schema
from encaisse_core.store.engine import rows
from encaisse_core.unmerges import ask_about_misplaced, unmerge


def separate(host: Host, tx: Connection, company_id: str, sighting_id: str, said: Said) -> str:
    """Give a record a claim of its own; return that claim's id.

    One a person had joined goes back with all that came with it. Raises `UsageError` for the record
    that made its claim: the others are what can be taken out.
    """
    host.store.one_at_a_time(tx, company_id)
    row = _row(tx, company_id, sighting_id)
    if row["rung"] == BY_PERSON:
        merge_id, gone_id = _merge_of(tx, company_id, row)
        unmerge(host, tx, company_id, merge_id, said)
        return gone_id
    claim = claim_row(tx, company_id, row["claim_id"])
    _check(tx, company_id, row, claim)
    where = link(tx, company_id, row["connection_id"])
    before = sides.read(host, tx, company_id, claim["id"])
    invoice = record_of(row["record"])
    today = host.clock.today().isoformat()
    for payment in standing(tx, company_id, claim["id"], "source", "credit"):
        if payment["shown_by"] == sighting_id:
            undo_payment(host, tx, company_id, payment["id"], today)
    own = portfolio.new_claim(host, tx, where, invoice)
    s, k = schema.sighting.c, schema.claim_key.c
    tx.execute(
        schema.sighting.update()
        .where(s.company_id == company_id, s.id == sighting_id)
        .values(
            claim_id=own,
            rung=0,
            untold=0,
            expected=s.open,
            expected_credited=s.credited,
        )
    )
    tx.execute(
        schema.claim_key.update()
        .where(k.company_id == company_id, k.sighting_id == sighting_id)
        .values(claim_id=own)
    )
    if claim["kind"] not in CREDITS and invoice.direction != "payable":
        sides.settle(host, tx, company_id, claim["id"], before.distances(), before.total)
    doubts.different(host, tx, company_id, claim["id"], own)
    referrers.reconsider(tx, company_id, claim["id"])
    for each in (claim["id"], own):
        claim_states.refresh(host, tx, company_id, each)
    observed.observe(host, tx, company_id)
    ask_about_misplaced(host, tx, company_id, own)
    _note(host, tx, company_id, row, own, said)
    return own


def _row(tx: Connection, company_id: str, sighting_id: str) -> dict[str, Any]:
    s = schema.sighting.c
    found = rows(
        tx.execute(select(schema.sighting).where(s.company_id == company_id, s.id == sighting_id))
    )
    if not found or found[0]["claim_id"] is None:
        raise UsageError(f"L'enregistrement {sighting_id} n'est rapproché d'aucune créance.")
    return found[0]


def _merge_of(tx: Connection, company_id: str, row: Mapping[str, Any]) -> tuple[str, str]:
    """Find the merge that brought a record where it is: the newest that stands and moved it."""
    m = schema.claim_merge.c
    merge = tx.execute(
        select(m.id, m.gone_id)
        .where(
            m.company_id == company_id,
            m.kept_id == row["claim_id"],
            m.undone_at.is_(None),
            m.moved.contains(f'"{row["id"]}"'),
        )
        .order_by(m.made_at.desc(), m.id.desc())
    ).all()
    for found in merge:
        if row["id"] in moved_sightings(tx, company_id, found.id):
            return found.id, found.gone_id
    raise UsageError(f"Aucune réunion n'a apporté l'enregistrement {row['id']} à sa créance.")


def moved_sightings(tx: Connection, company_id: str, merge_id: str) -> set[str]:
    """Name the records a merge moved."""
    m = schema.claim_merge.c
    moved = tx.execute(
        select(m.moved).where(m.company_id == company_id, m.id == merge_id)
    ).scalar_one()
    return {each["id"] for each in json.loads(moved)["sightings"]}


def _check(
    tx: Connection, company_id: str, row: Mapping[str, Any], claim: Mapping[str, Any]
) -> None:
    if row["rung"] == 0:
        raise UsageError(
            f"C'est cet enregistrement qui a fait la créance « {claim['number']} » : séparez "
            "plutôt les autres (encaisse explain les montre)."
        )
    mergeable.at_rest(tx, company_id, claim)
    mergeable.answered(tx, company_id, claim)


def _note(
    host: Host, tx: Connection, company_id: str, row: Mapping[str, Any], own: str, said: Said
) -> None:
    words = journal.seal_personal(tx, company_id, f"{said.by} : {said.reason}", host.ids.nonce(16))
    for claim_id in (row["claim_id"], own):
        journal.append(
            tx,
            company_id,
            host.clock.now(),
            "sighting_separated",
            claim_id,
            {"sighting": row["id"], "from": row["claim_id"], "to": own, "words": words},
        )
