"""Companies kept apart: by PostgreSQL, row by row; on SQLite by what every statement says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event, func, make_url, select, text
from sqlalchemy.exc import ProgrammingError
from tests.conftest import WORKER, as_owner, fresh_postgres
from tests.core.houses import House, line_of, make

from encaisse_core import connecting, reconcile
from encaisse_core.cli import examining
from encaisse_core.clock import VirtualClock
from encaisse_core.errors import StoreError, UsageError
from encaisse_core.store import Store, open_store, preparing, schema, upsert
from encaisse_core.store.apart import APPEND_ONLY, REACHES, owner_column

INVOICES = 3
OTHER = "987654324"
NOT_YET = {"effect", "delivery"}
"""Tables that are empty after a first night."""
OWNED = [table for table in schema.metadata.sorted_tables if owner_column(table)]


@pytest.fixture
def pg(request: pytest.FixtureRequest, tmp_path: Path, clock: VirtualClock) -> Iterator[House]:
    """Give a house that had its first night on PostgreSQL."""
    made = make(fresh_postgres(request), tmp_path, clock, invoices=INVOICES)
    made.night()
    yield made
    made.app.close()


def seen(tx: Connection) -> dict[str, int]:
    found = {t.name: tx.execute(select(func.count()).select_from(t)).scalar_one() for t in OWNED}
    return {name: int(count) for name, count in found.items() if count}


def test_what_no_company_was_named_for_sees_and_writes_nothing(pg: House) -> None:
    store = Store(pg.host.store.engine)
    with pg.host.store.begin() as tx:
        own = seen(tx)
    assert {"company", "claim", "debtor", "event", "connection", "night"} <= set(own)
    with store.begin() as tx:
        assert seen(tx) == {}
        assert tx.execute(schema.claim.update().values(open=0)).rowcount == 0
        assert tx.execute(schema.task.delete()).rowcount == 0
    with pg.host.store.begin() as tx:
        assert seen(tx) == own

    elsewhere = connecting.add_company(pg.app.host, siren=OTHER, name="B", environment="test")
    with store.of(elsewhere).begin() as tx:
        assert seen(tx) == {"company": 1, "access": 2, "event": 1}
        assert tx.execute(schema.claim.update().values(open=0)).rowcount == 0
    with pg.host.store.begin() as tx:
        row = dict(tx.execute(select(schema.debtor).limit(1)).mappings().one())
    for wrong in (row | {"id": "dbt_x"}, row | {"id": "dbt_x", "company_id": elsewhere}):
        theirs = elsewhere if wrong["company_id"] == pg.company else pg.company
        with (
            pytest.raises(ProgrammingError, match="row-level security"),
            store.of(theirs).begin() as tx,
        ):
            tx.execute(schema.debtor.insert().values(wrong))
    with (
        pytest.raises(ProgrammingError, match="row-level security"),
        pg.host.store.begin() as tx,
    ):
        tx.execute(schema.debtor.update().values(company_id=elsewhere))

    # A transaction that was undone, and one that ended, leave nothing on their connection.
    with pytest.raises(RuntimeError), pg.host.store.begin() as tx:
        assert seen(tx) == own
        raise RuntimeError
    with store.begin() as tx:
        assert seen(tx) == {}


def test_a_reach_reads_what_it_is_for_and_writes_nothing(pg: House) -> None:
    store = Store(pg.host.store.engine)
    connecting.add_company(pg.app.host, siren=OTHER, name="B", environment="test")
    views = {
        "companies": store.listing(),
        "nights": store.planning(),
        "due": store.attending(),
        "all": store.overseeing(),
    }
    assert set(views) == set(REACHES)
    for reach, view in views.items():
        tables, _ = REACHES[reach]  # type: ignore[index]
        with view.begin() as tx:
            counts = seen(tx)
            if tables is None or "company" in tables:
                assert counts["company"] == 2
            assert tables is None or set(counts) == set(tables) - NOT_YET
            assert tx.execute(schema.claim.update().values(open=0)).rowcount == 0
            assert tx.execute(schema.company.update().values(name="x")).rowcount == 0


def test_every_table_of_a_company_is_held_its_owner_included(
    request: pytest.FixtureRequest,
) -> None:
    url = fresh_postgres(request)
    store = open_store(url)
    with store.begin() as tx:
        held = set(
            tx.execute(
                text(
                    "select relname from pg_class where relnamespace = 'public'::regnamespace"
                    " and relrowsecurity and relforcerowsecurity"
                )
            ).scalars()
        )
        rights = {
            table: set(
                tx.execute(
                    text(
                        "select privilege_type from information_schema.role_table_grants"
                        " where table_name = :table"
                    ),
                    {"table": table},
                ).scalars()
            )
            for table in APPEND_ONLY
        }
        policies = tx.execute(
            text("select count(*) from pg_policies where schemaname = 'public'")
        ).scalar_one()
    store.close()
    assert held == {table.name for table in OWNED}
    assert policies == 2 * len(OWNED)
    assert all(each == {"SELECT", "INSERT"} for each in rights.values())


def test_doctor_says_whom_postgresql_does_not_hold(pg: House) -> None:
    def apart(app: Any) -> examining.Check:
        return next(each for each in examining.of_the_host(app, {}) if each.name == "apart")

    held = apart(pg.app)
    assert held.ok and WORKER in held.sentence
    whole = open_store(as_owner(pg.app.host.store.engine.url.render_as_string(hide_password=False)))
    with whole.begin() as tx:
        role = preparing.standing(tx)
    whole.close()
    assert role == preparing.Standing("postgres", bypasses=True, owns=True)


@pytest.mark.parametrize("role", ["postgres", "nobody_at_all"])
def test_no_role_is_prepared_that_would_not_be_held(
    request: pytest.FixtureRequest, role: str
) -> None:
    with pytest.raises(UsageError, match=role):
        preparing.prepare(as_owner(fresh_postgres(request)), role)


def test_a_role_may_lay_sets_out_where_everybodys_right_to_was_revoked(
    request: pytest.FixtureRequest,
) -> None:
    """And only the database's owner can let it: anybody else is told so, before a night fails."""
    url = fresh_postgres(request)
    owner = open_store(as_owner(url))
    here = owner.engine.dialect.identifier_preparer.quote(str(owner.engine.url.database))
    with owner.begin() as tx:
        tx.exec_driver_sql(f"revoke temporary on database {here} from public")
        tx.exec_driver_sql("create role encaisse_tables nosuperuser nobypassrls")
        tx.exec_driver_sql(f"grant create on database {here} to encaisse_tables")
        tx.exec_driver_sql("grant select on alembic_version to encaisse_tables")
    rows = [{"name": f"n{number}", "at": "a", "body": "{}"} for number in range(2 * upsert.FEW)]
    store = open_store(url)
    try:
        with pytest.raises(StoreError, match="database prepare"), store.begin() as tx:
            upsert.bulk_upsert(tx, schema.heartbeat, rows, key=("name",))
        other = make_url(as_owner(url)).update_query_dict({"options": "-c role=encaisse_tables"})
        with pytest.raises(UsageError, match="propriétaire de la base"):
            preparing.prepare(other.render_as_string(hide_password=False), WORKER)
        preparing.prepare(as_owner(url), WORKER)
        with store.begin() as tx:
            upsert.bulk_upsert(tx, schema.heartbeat, rows, key=("name",))
            assert tx.execute(select(func.count()).select_from(schema.heartbeat)).scalar_one() == 16
    finally:
        store.close()
        with owner.begin() as tx:
            tx.exec_driver_sql("drop owned by encaisse_tables")
            tx.exec_driver_sql("drop role encaisse_tables")
        owner.close()


def test_on_sqlite_every_statement_of_a_night_names_the_company(house: House) -> None:
    """What PostgreSQL would hold by itself: no table of a company is met without its company."""
    said: set[str] = set()

    def hear(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        said.add(" ".join(statement.split()))

    event.listen(house.host.store.engine, "before_cursor_execute", hear)
    house.open_everything()
    assert len(said) > 100
    assert _forgotten(said) == []
    house.count("claim")  # which asks for everybody's
    assert _forgotten(said) == ["SELECT count(*) AS count_1 FROM claim"]


def test_a_command_about_a_company_works_as_that_company() -> None:
    """By `Session.working` or `reading`; `connect` alone may be about one that is yet to come."""
    folder = Path(examining.__file__).parent
    asking = {
        path.name for path in folder.glob("*.py") if "company_of(app" in path.read_text("utf-8")
    }
    assert asking == {"session.py", "connecting.py"}


def _forgotten(said: set[str]) -> list[str]:
    owned = {table.name: owner_column(table) for table in OWNED}
    return [
        statement
        for statement in sorted(said)
        for table in set(re.findall(r"(?:from|join|update|into|,) (\w+)", statement, re.I))
        if table in owned and not _names(statement, table, str(owned[table]))
    ]


def _names(statement: str, table: str, column: str) -> bool:
    alias = re.findall(rf"\b{table} AS (\w+)", statement)
    condition = statement.partition(" WHERE ")[2] + "".join(re.findall(r" ON .*", statement))
    if statement.startswith("INSERT"):
        return column in statement
    return any(f"{name}.{column} = " in condition for name in (table, *alias)) or any(
        f"= {name}.{column}" in condition for name in (table, *alias)
    )


def test_reconciling_one_company_brings_up_nothing_of_another(
    database_url: str, tmp_path: Path, clock: VirtualClock
) -> None:
    house = make(database_url, tmp_path, clock, invoices=INVOICES)
    try:
        (procedure,) = house.open_everything()
        house.paper.collect("p1", procedure, line_of(house, [procedure]), 100_00, date(2026, 2, 4))
        house.night()
        other = connecting.add_company(house.app.host, siren=OTHER, name="B", environment="test")
        news = schema.settlement.update().values(followed_state="pending")
        with house.host.store.begin() as tx:
            assert tx.execute(news).rowcount == 1
        reconcile.reconcile(house.app.host.of(other), other)
        with house.host.store.begin() as tx:
            followed = tx.execute(select(schema.settlement.c.followed_state)).scalar_one()
        assert followed == "pending"
    finally:
        house.app.close()
