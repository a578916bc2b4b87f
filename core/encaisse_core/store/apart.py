"""Keep companies apart in the database itself: what one transaction may see of their rows.

PostgreSQL holds it with row-level security: a transaction says whose it is by `app.company`, and a
statement that forgot its predicate then finds nothing of anybody else's. SQLite has no such thing;
there composite keys and the predicate in every statement hold, and a test reads them all.

Whoever may run any SQL may say any company: this is no wall against an intruder on the connection,
it is one against our own mistakes. What looks across companies says so by `app.reach`, may read
and not write, and is named in `REACHES`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, Table

Reach = Literal["companies", "nights", "due", "all"]

REACHES: Mapping[Reach, tuple[frozenset[str] | None, str]] = {
    "companies": (frozenset({"company"}), "a command that chooses one, the daemon's round"),
    "nights": (frozenset({"company", "night"}), "whose night is still to be run"),
    "due": (frozenset({"effect", "delivery"}), "the lookout: who is waited for, by id"),
    "all": (None, "a backup, a store before it is restored, doctor, readiness and figures"),
}
"""What may be read across companies (None: every table), and by whom."""

APPEND_ONLY = frozenset({"event", "journal_head"})
"""Tables in which nobody changes or removes what stands."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Say whose rows a transaction is about: one company's, or what it may read of all."""

    company: str | None = None
    reach: Reach | None = None

    def begin(self, connection: Connection) -> None:
        """Say so, until the transaction ends; SQLite does not listen."""
        if connection.dialect.name != "postgresql":
            return
        if self.company is not None:
            within(connection, self.company)
        if self.reach is not None:
            connection.exec_driver_sql("select set_config('app.reach', %s, true)", (self.reach,))

    def settle(self, connection: Connection) -> None:
        """Say so for all transactions of a connection, until `unsettle`."""
        if connection.dialect.name == "postgresql":
            both = (self.company or "", self.reach or "")
            connection.exec_driver_sql(_SETTLE, both)

    def unsettle(self, connection: Connection) -> None:
        """Make a connection nobody's again."""
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(_SETTLE, ("", ""))


_SETTLE = "select set_config('app.company', %s, false), set_config('app.reach', %s, false)"

NOWHERE = Scope()
"""A transaction that said nothing sees no company at all."""


def within(connection: Connection, company_id: str) -> None:
    """Go on as this company, until the transaction ends or another is named."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("select set_config('app.company', %s, true)", (company_id,))


def owner_column(table: Table) -> str | None:
    """Name the column that says whose a row is; None where it is nobody's in particular."""
    if table.name == "company":
        return "id"
    return "company_id" if "company_id" in table.columns else None


def policies(table: str, column: str) -> list[str]:
    """Write what keeps a table's rows apart; a migration runs it for each table it makes.

    FORCE holds the owner to it as well. A company's own rows are read and written; a reach reads.
    The settings are read once a statement, which a sub-select makes of them.
    """
    reaches = [name for name, (tables, _) in REACHES.items() if tables is None or table in tables]
    listed = ", ".join(f"'{name}'" for name in reaches)
    own = f"{column} = (select current_setting('app.company', true))"
    return [
        f"alter table {table} enable row level security",
        f"alter table {table} force row level security",
        f"create policy own on {table} using ({own}) with check ({own})",
        f"create policy reached on {table} for select "
        f"using ((select current_setting('app.reach', true)) in ({listed}))",
    ]


def grants(role: str, tables: Iterable[Table]) -> list[str]:
    """Write the rights of a role that works and owns nothing. `role` is quoted already."""
    written = [
        f"grant usage on schema public to {role}",
        f"grant select on alembic_version to {role}",
    ]
    for table in tables:
        rights = "select, insert" + ("" if table.name in APPEND_ONLY else ", update, delete")
        written.append(f"grant {rights} on {table.name} to {role}")
    return written
