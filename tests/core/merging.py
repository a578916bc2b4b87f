"""Merge and part claims, and compare the store before and after."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import select
from tests.core.houses import House
from tests.core.paper import Paper, invoice, paper_connectors

from encaisse_api import Money
from encaisse_core import connecting, merges, routing, unmerges
from encaisse_core.host import links
from encaisse_core.merges import Said
from encaisse_core.store import schema

WHY = Said("essai", "c'est la même facture")
TABLES = (
    "claim",
    "echeance",
    "allocation",
    "payment",
    "payment_sighting",
    "sighting",
    "claim_key",
    "attribution",
    "reservation",
    "settlement",
    "commission_line",
)
"""What a merge touches, or must leave alone."""


def second_tool(house: House, numbers: tuple[int, ...] = (1, 2, 3), **how: Any) -> Paper:
    """Connect a tool that shows the same invoices under numbers and dates of its own."""
    second = Paper()
    for n in numbers:
        second.add(invoice(f"X-{n}", 100_00 * n, **{"due": date(2026, 1, 20), **how}))
    kind = paper_connectors(second)["papertool"]
    kind.manifest = kind.manifest.model_copy(update={"slug": "othertool"})
    house.shelf.known["othertool"] = kind
    connecting.connect(
        house.host, house.app.vault, company_id=house.company, connector="othertool", values={}
    )
    with house.host.store.begin() as tx:
        first = next(x for x in links(tx, house.company) if x.connector == "papertool")
        routing.answer(
            house.host, tx, house.company, "record_payment", first.id, decided_by="essai"
        )
    return second


def claim_id(house: House, number: str) -> str:
    return str(house.claim(number)["id"])


def merge(house: House, kept: str, gone: str) -> str:
    first, second = claim_id(house, kept), claim_id(house, gone)
    with house.host.store.begin() as tx:
        return merges.merge(house.host, tx, house.company, first, second, WHY)


def unmerge(house: House, merge_id: str) -> None:
    with house.host.store.begin() as tx:
        unmerges.unmerge(house.host, tx, house.company, merge_id, WHY)


def semantic(house: House) -> dict[str, list[dict[str, Any]]]:
    """Export what claims are, in a fixed order."""
    with house.host.store.begin() as tx:
        return {
            name: sorted((dict(row) for row in tx.execute(select(table)).mappings()), key=repr)
            for name in TABLES
            for table in (schema.metadata.tables[name],)
        }


def changed(
    before: dict[str, list[dict[str, Any]]], after: dict[str, list[dict[str, Any]]]
) -> list[str]:
    """Say which rows and fields are not as they were."""
    found: list[str] = []
    for name in TABLES:
        key = schema.metadata.tables[name].primary_key.columns.keys()
        old, new = (
            {tuple(row[part] for part in key): row for row in rows[name]}
            for rows in (before, after)
        )
        for which in sorted(set(old) | set(new)):
            had, has = old.get(which), new.get(which)
            if had is None or has is None:
                found.append(f"{name} {which}: {'new' if had is None else 'gone'}")
            elif had != has:
                fields = {k: (had[k], has[k]) for k in had if had[k] != has[k]}
                found.append(f"{name} {which}: {fields}")
    return found


def sums(house: House) -> None:
    """Check that every cent of every payment is in a line or unallocated, and échéances add up."""
    found = semantic(house)
    for row in found["payment"]:
        put = sum(a["amount"] for a in found["allocation"] if a["payment_id"] == row["id"])
        assert row["amount"] == put + row["unallocated"], row
    for row in found["echeance"]:
        on = sum(a["amount"] for a in found["allocation"] if a["echeance_id"] == row["id"])
        assert 0 <= row["open"] <= row["amount"] - on, row  # what was paid before we came aside
    opened = {
        row["id"]: sum(e["open"] for e in found["echeance"] if e["claim_id"] == row["id"])
        for row in found["claim"]
        if row["merged_into"] is None
    }
    assert opened == {r["id"]: r["open"] for r in found["claim"] if r["merged_into"] is None}


def pay(paper: Paper, number: str, cents: int) -> None:
    """Let the tool show less open, or more for money that went back."""
    known = paper.invoices[f"r-{number}"]
    left = Money.of_minor(known.open.minor - cents)
    parts = tuple(i.model_copy(update={"open": left}) for i in known.instalments)
    state = "settled" if left.minor <= 0 else "open"
    paper.add(known.model_copy(update={"open": left, "state": state, "instalments": parts}))
