"""The check of the host's own books finds a cent that is out of place."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import select, update

from encaisse_core.store import schema
from encaisse_lab import books_check
from encaisse_lab.demo import Run, run

pytestmark = pytest.mark.timeout(300)  # whole nights, on a machine that may be busy


@pytest.fixture(scope="module")
def told() -> Iterator[Run]:
    with run(1, 6) as finished:
        yield finished


def wrong(told: Run) -> list[str]:
    return books_check.unbalanced(told.app, told.company_id, told.partners.world.ledger())


@pytest.mark.parametrize(
    ("table", "column", "named"),
    [
        ("commission_entry", "amount", "Commission"),
        ("voucher_line", "debit", "Reversement"),
        ("payout", "net", "Reversement"),
        ("allocation", "amount", "Paiement"),
    ],
)
def test_one_cent_too_many_is_found(told: Run, table: str, column: str, named: str) -> None:
    assert wrong(told) == []
    kept = schema.metadata.tables[table]
    keys = list(kept.primary_key.columns)
    with told.app.host.store.begin() as tx:
        row = tx.execute(select(kept).where(kept.c[column] > 1).limit(1)).mappings().one()
        here = [key == row[key.name] for key in keys]
        tx.execute(update(kept).where(*here).values({column: row[column] + 1}))
    try:
        assert any(found.startswith(named) for found in wrong(told))
    finally:
        with told.app.host.store.begin() as tx:
            tx.execute(update(kept).where(*here).values({column: row[column]}))
    assert wrong(told) == []


def test_the_journal_holds_from_the_first_nights_head(told: Run) -> None:
    assert told.anchor is not None
    assert books_check.journal_holds(told.app, told.company_id, told.anchor)
    assert not books_check.journal_holds(told.app, told.company_id, "0" * 64)
