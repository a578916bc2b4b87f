"""What every table is made of: types of columns, and the company first in each key."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    TextClause,
    text,
)
from sqlalchemy.schema import SchemaItem

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Ident = String(64)
Moment = String(32)
Day = String(10)


def money(name: str, *, nullable: bool = False) -> Column[int]:
    return Column(name, BigInteger, nullable=nullable)


def count(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False, server_default="0")


def words(name: str, *, nullable: bool = True, default: str | None = None) -> Column[str]:
    return Column(name, Text, nullable=nullable, server_default=default)


def flag(name: str) -> Column[int]:
    return Column(name, Integer, nullable=False, server_default="0")


def company_table(name: str, *items: SchemaItem, key: Sequence[str] = ("id",)) -> Table:
    """Make a table whose rows belong to a company and whose key starts with it."""
    own: list[SchemaItem] = [
        Column("company_id", Ident, ForeignKey("company.id"), nullable=False),
    ]
    if "id" in key:
        own.append(Column("id", Ident, nullable=False))
    return Table(name, metadata, *own, *items, PrimaryKeyConstraint("company_id", *key))


def to(table: str, *columns: str) -> ForeignKeyConstraint:
    """Reference a row of the same company."""
    return ForeignKeyConstraint(
        ["company_id", *columns], [f"{table}.company_id", *[f"{table}.id" for _ in columns]]
    )


def holding(condition: str) -> TextClause:
    """Say the condition of an index beside others, in brackets of its own.

    Without them its `or` reaches over the others, the company too: on SQLite a statement meant for
    one company's rows would be about all companies'.
    """
    return text(f"({condition})")


def only(name: str, *columns: str, where: str) -> Index:
    """Index the few rows a condition holds for, on both databases.

    A query uses it when it says the condition in the same words: no value of it may be bound.
    """
    return Index(name, *columns, sqlite_where=text(where), postgresql_where=text(where))
