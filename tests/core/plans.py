"""How SQLite answers what the host asks: by an index, or by reading everything."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import event
from tests.core.houses import House


def statements(house: House, act: Callable[[], object], *parts: str) -> list[tuple[str, Any]]:
    """Give the statements with all of these parts that are said while something is done."""
    asked: list[tuple[str, Any]] = []

    def note(*seen: Any) -> None:
        _, _, statement, parameters, *_ = seen
        words = " ".join(statement.split())
        if all(part in words for part in parts):
            asked.append((statement, parameters))

    engine = house.host.store.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        act()
    finally:
        event.remove(engine, "before_cursor_execute", note)
    return asked


def steps(house: House, asked: tuple[str, Any], table: str) -> list[str]:
    """Give the steps of a statement's plan that read a table."""
    statement, parameters = asked
    with house.host.store.begin() as tx:
        plan = tx.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
    return [str(row.detail) for row in plan if f" {table} " in f" {row.detail} "]
