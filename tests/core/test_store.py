"""The store: its migrations, its time, its upsert, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine, func, select, text
from sqlalchemy.exc import IntegrityError
from tests.conftest import as_owner

from encaisse_core.clock import VirtualClock
from encaisse_core.errors import StoreError
from encaisse_core.store import open_store, schema
from encaisse_core.store.engine import instant, stamp
from encaisse_core.store.upsert import bulk_upsert


def test_migrations_make_exactly_the_declared_tables(database_url: str) -> None:
    store = open_store(database_url)
    with store.begin() as tx:
        context = MigrationContext.configure(tx, opts={"compare_type": True})
        assert compare_metadata(context, schema.metadata) == []
    store.close()


def test_a_database_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'new.db'}"
    open_store(url).close()
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("update alembic_version set version_num = '9999'"))
    engine.dispose()
    before = (tmp_path / "new.db").read_bytes()
    with pytest.raises(StoreError, match="version plus récente"):
        open_store(url)
    assert (tmp_path / "new.db").read_bytes() == before


def test_a_full_disk_undoes_the_write_and_says_so(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'full.db'}")
    with store.begin() as tx:
        tx.execute(schema.organisation.insert().values(_organisation(0)))
        pages = tx.execute(text("pragma page_count")).scalar_one()
        tx.exec_driver_sql(f"pragma max_page_count = {pages}")

    def fill() -> None:
        with store.begin() as tx:
            tx.exec_driver_sql(f"pragma max_page_count = {pages}")
            for number in range(1, 400):
                row = _organisation(number) | {"name": "x" * 3000}
                tx.execute(schema.organisation.insert().values(row))

    with pytest.raises(StoreError, match="disque est plein"):
        fill()
    with store.begin() as tx:
        count = tx.execute(select(func.count()).select_from(schema.organisation)).scalar_one()
    assert count == 1
    store.close()


def test_leases_are_judged_by_the_database_clock(database_url: str) -> None:
    store = open_store(database_url)
    with store.begin() as tx:
        real = store.db_now(tx)
    assert abs((datetime.now(UTC) - real).total_seconds()) < 60
    clock = VirtualClock(datetime(2026, 2, 2, 19, 0, tzinfo=UTC))
    store.set_virtual_now(clock.now())
    clock.on_advance.append(store.set_virtual_now)
    clock.sleep(90)
    with store.begin() as tx:
        assert store.db_now(tx) == clock.now()
    store.close()


def test_an_unchanged_row_is_not_written(database_url: str) -> None:
    store = open_store(database_url)
    rows = [_organisation(number) for number in range(1200)]
    with store.begin() as tx:
        assert bulk_upsert(tx, schema.organisation, rows, key=("id",)) == 1200
    with store.begin() as tx:
        assert bulk_upsert(tx, schema.organisation, rows, key=("id",)) == 0
        rows[7]["name"] = "autre"
        assert bulk_upsert(tx, schema.organisation, rows, key=("id",)) == 1
    store.close()


def test_a_row_cannot_point_at_another_company(database_url: str) -> None:
    store = open_store(as_owner(database_url))  # held by keys alone
    now = stamp(datetime(2026, 2, 2, tzinfo=UTC))
    with store.begin() as tx:
        for number, siren in enumerate(("123456782", "987654324")):
            tx.execute(
                schema.company.insert().values(
                    id=f"cmp_{number}", siren=siren, name="A", environment="test", created_at=now
                )
            )
        tx.execute(
            schema.debtor.insert().values(
                company_id="cmp_0",
                id="dbt_0",
                key="k",
                kind="company",
                name="D",
                detail="{}",
                created_at=now,
            )
        )

    def steal() -> None:
        with store.begin() as tx:
            tx.execute(
                schema.claim.insert().values(
                    company_id="cmp_1",
                    id="clm_1",
                    number="F1",
                    kind="invoice",
                    issue_date="2026-01-01",
                    currency="EUR",
                    total=1,
                    open=1,
                    state="open",
                    debtor_id="dbt_0",
                    created_at=now,
                )
            )

    with pytest.raises(IntegrityError):
        steal()
    store.close()


def test_instants_sort_as_they_read() -> None:
    first = datetime(2026, 2, 2, 23, 59, 59, 999999, tzinfo=UTC)
    second = datetime(2026, 2, 3, tzinfo=UTC)
    assert stamp(first) < stamp(second)
    assert instant(stamp(first)) == first


def _organisation(number: int) -> dict[str, str]:
    return {
        "id": f"org_{number}",
        "name": "Cabinet",
        "kind": "cabinet",
        "created_at": stamp(datetime(2026, 2, 2, tzinfo=UTC)),
    }
