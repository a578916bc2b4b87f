"""One call of a command: its environment, the host it opens, the company it is about."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from encaisse_core.errors import UsageError

if TYPE_CHECKING:  # the host costs half a second: imported when a command opens it
    from sqlalchemy import Connection

    from encaisse_core.app import App
    from encaisse_core.clock import Clock, Ids

Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass
class Session:
    """Hold what a call starts from. `secrets` are masked wherever a fault is written down."""

    environ: Mapping[str, str]
    folder: Path | None = None
    clock: Clock | None = None
    ids: Ids | None = None
    debug: bool = False
    secrets: list[str] = field(default_factory=list[str])

    def who(self, by: str | None, does: str) -> str:
        """Name the person behind a decision: `--by`, else the user of the machine.

        Raises `UsageError` where there is neither; `does` is what they do, in French.
        """
        named = by or self.environ.get("USER") or self.environ.get("USERNAME")
        if not named:
            raise UsageError(f"Dites qui {does} : --by NOM.")
        return named

    @contextmanager
    def open(self) -> Generator[App]:
        """Open the host for one command and close it afterwards."""
        from encaisse_core.app import open_app

        app = open_app(self.environ, folder=self.folder, clock=self.clock, ids=self.ids)
        try:
            yield app
        finally:
            app.close()

    @contextmanager
    def working(self, asked: str | None) -> Generator[tuple[App, Company]]:
        """Open the host for one command about one company, as that company's."""
        with self.open() as app:
            company = company_of(app, asked)
            yield app.of(company.id), company


@dataclass(frozen=True, slots=True)
class Company:
    """Name the company a command is about."""

    id: str
    siren: str
    name: str
    environment: str

    def shown(self) -> dict[str, str]:
        """Give it as JSON shows it."""
        return {"siren": self.siren, "name": self.name, "environment": self.environment}


def json_option(function: Function) -> Function:
    """Add `--json`."""
    return click.option(
        "--json", "as_json", is_flag=True, help="Écrit du JSON sur la sortie standard."
    )(function)


def company_option(function: Function) -> Function:
    """Add `--company`."""
    return click.option(
        "--company",
        "asked",
        metavar="SIREN",
        help="Société (SIREN, ou SIREN:test, SIREN:live) ; par défaut la seule.",
    )(function)


def companies_of(app: App) -> list[Company]:
    """List the companies, by SIREN."""
    from encaisse_core.host import companies

    with app.host.store.listing().begin() as tx:
        return [
            Company(row["id"], row["siren"], row["name"], row["environment"])
            for row in companies(tx)
        ]


def company_of(app: App, asked: str | None) -> Company:
    """Choose the company: the one asked for, else the only one; several: say which there are."""
    known = companies_of(app)
    if not known:
        raise UsageError(
            "Aucune société n'est enregistrée. Commencez par : "
            'encaisse connect folder --siren 123456782 --name "Ma société" --set path=DOSSIER'
        )
    wanted = known if asked is None else matching(known, asked)
    if len(wanted) == 1:
        return wanted[0]
    if not wanted:
        raise UsageError(f"Aucune société {asked}. Enregistrées : {listed(known)}.")
    raise UsageError(f"Plusieurs sociétés : précisez avec --company. Au choix : {listed(wanted)}.")


@contextmanager
def reading(session: Session, asked: str | None) -> Generator[tuple[Company, Connection]]:
    """Open the host to read of one company, in one transaction."""
    with session.working(asked) as (app, company), app.host.store.begin() as tx:
        yield company, tx


def matching(known: Sequence[Company], asked: str) -> list[Company]:
    """Keep the companies a SIREN, `SIREN:environment` or id names."""
    siren, _, environment = asked.replace(" ", "").partition(":")
    return [
        company
        for company in known
        if company.id == asked
        or (company.siren == siren and environment in ("", company.environment))
    ]


def listed(companies: Sequence[Company]) -> str:
    """List companies in a sentence, with what to type for each."""
    return ", ".join(f"{c.siren}:{c.environment} ({c.name})" for c in companies)
