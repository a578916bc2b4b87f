"""Name every command, where its code is, and what it does, without importing any of it.

`encaisse --help` must answer at once, and a room that is broken must not take the others with it:
so the code behind a name is imported only when that name is called.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import NoReturn, cast

import click

from encaisse_core.errors import UsageError
from encaisse_einvoicing.cli.french import FrenchGroup, in_french

GROUP = "encaisse.commands"
"""The entry-point group by which other rooms add their commands."""


@dataclass(frozen=True, slots=True)
class Named:
    """Describe one command of this room: the module of `encaisse_core.cli`, its name there."""

    section: str
    module: str
    attribute: str
    summary: str


CONNECT, DAILY, COLLECT, MONEY, PROOF, OTHERS = (
    "Raccorder",
    "Chaque jour",
    "Recouvrer",
    "Argent",
    "Preuves",
    "Autres paquets",
)

COMMANDS: dict[str, Named] = {
    "connectors": Named(CONNECT, "connecting", "connectors", "Liste les connecteurs installés."),
    "capabilities": Named(
        CONNECT, "capable", "capabilities", "Dit ce que chaque connecteur sait faire."
    ),
    "connect": Named(CONNECT, "connecting", "connect", "Raccorde une société à un outil."),
    "disconnect": Named(
        CONNECT, "disconnecting", "disconnect", "Met fin à une connexion et oublie ses secrets."
    ),
    "connections": Named(CONNECT, "connecting", "connections", "Liste les connexions."),
    "companies": Named(CONNECT, "companies", "companies", "Liste les sociétés."),
    "referrer": Named(CONNECT, "referring", "referrer", "Gère les apporteurs d'affaires."),
    "routing": Named(CONNECT, "routes", "routing", "Dit où vont les écritures, ou le décide."),
    "sync": Named(DAILY, "syncing", "sync", "Lit les outils, rapproche, arrête ce qui est payé."),
    "worker": Named(DAILY, "working", "worker", "Fait les nuits à plusieurs, sur PostgreSQL."),
    "claims": Named(DAILY, "claims", "claims", "Liste les créances et ce qui les retient."),
    "explain": Named(DAILY, "claims", "explain", "Dit tout d'une créance ou d'une facture."),
    "tasks": Named(DAILY, "questions", "tasks", "Liste les questions posées, et y répond."),
    "join": Named(DAILY, "joining", "join", "Réunit deux créances qui sont la même facture."),
    "unjoin": Named(DAILY, "joining", "unjoin", "Sépare ce qui a été réuni."),
    "unreadable": Named(DAILY, "questions", "unreadable", "Liste ce qui n'a pas pu être lu."),
    "differences": Named(DAILY, "questions", "differences", "Liste les écarts avec les outils."),
    "nightly": Named(DAILY, "syncing", "nightly", "Fait la nuit de chaque société maintenant."),
    "propose": Named(COLLECT, "proposing", "propose", "Chiffre ce qui est à recouvrer."),
    "proposals": Named(COLLECT, "proposing", "proposals", "Liste les propositions."),
    "approve": Named(COLLECT, "proposing", "approve", "Approuve des propositions."),
    "decline": Named(COLLECT, "proposing", "decline", "Écarte des propositions."),
    "procedures": Named(COLLECT, "procedures", "procedures", "Liste les procédures confiées."),
    "effects": Named(COLLECT, "effects", "effects", "Liste ce qui part, et règle les doutes."),
    "commissions": Named(MONEY, "money", "commissions", "Liste les commissions."),
    "payouts": Named(MONEY, "money", "payouts", "Liste les reversements et leurs écritures."),
    "journal": Named(PROOF, "proof", "journal", "Vérifie ou exporte le journal."),
    "backup": Named(PROOF, "backing_up", "backup", "Sauvegarde la base dans un fichier."),
    "restore": Named(PROOF, "backing_up", "restore", "Restaure une sauvegarde."),
    "database": Named(PROOF, "database", "database", "Prépare une base PostgreSQL."),
    "doctor": Named(PROOF, "doctor", "doctor", "Examine l'installation."),
}


def of_other_rooms() -> dict[str, EntryPoint]:
    """List the commands other distributions announce; ours keep their names."""
    found: dict[str, EntryPoint] = {}
    for entry in sorted(set(entry_points(group=GROUP)), key=lambda e: (e.name, e.value)):
        if entry.name not in COMMANDS:
            found.setdefault(entry.name, entry)
    return found


def load_ours(name: str) -> click.Command:
    """Import a command of this room."""
    where = COMMANDS[name]
    module = importlib.import_module(f"encaisse_core.cli.{where.module}")
    return in_french(cast("click.Command", getattr(module, where.attribute)))


def load_other(entry: EntryPoint) -> click.Command:
    """Import a command of another room; a broken one answers with why, and only it."""
    loaded = imported(entry)
    return broken(entry.name, loaded) if isinstance(loaded, str) else in_french(loaded)


def imported(entry: EntryPoint) -> click.Command | str:
    """Import what an entry point names, or give the sentence that says why it cannot be used."""
    try:
        loaded: object = entry.load()
    except (Exception, SystemExit) as error:
        return why_broken(entry, error)
    if not isinstance(loaded, click.Command):
        return why_broken(entry, TypeError("ce n'est pas une commande Click"))
    return loaded


def why_broken(entry: EntryPoint, error: BaseException) -> str:
    """Say in one sentence why a command of another room cannot be used."""
    package = entry.dist.name if entry.dist else "paquet inconnu"
    if isinstance(error, ModuleNotFoundError):
        what = f"le module « {error.name} » n'est pas installé"
    else:
        what = " ".join(f"{type(error).__name__} : {error}".split())[:200]
    return (
        f"La commande « {entry.name} » ({package}) ne peut pas être chargée : {what}. "
        f"Réinstallez {package} ; les autres commandes marchent."
    )


def broken(name: str, sentence: str) -> click.Command:
    """Stand in for a command that cannot be loaded: whatever it is asked, it says why."""

    def say() -> NoReturn:
        raise UsageError(sentence)

    return click.Command(
        name,
        callback=say,
        add_help_option=False,
        context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
    )


class Catalogue(FrenchGroup):
    """Offer the commands of the catalogue and of other rooms, each imported when called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name every command, ours first."""
        return [*COMMANDS, *of_other_rooms()]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command."""
        if cmd_name in COMMANDS:
            return load_ours(cmd_name)
        entry = of_other_rooms().get(cmd_name)
        return None if entry is None else load_other(entry)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands by section from the catalogue alone."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for name, named in COMMANDS.items():
            sections.setdefault(named.section, []).append((name, named.summary))
        sections[OTHERS] = [(name, _origin(entry)) for name, entry in of_other_rooms().items()]
        width = max(len(name) for rows in sections.values() for name, _ in rows)
        for section, rows in sections.items():
            if rows:
                with formatter.section(section):
                    formatter.write_dl([(name.ljust(width), text) for name, text in rows])


def _origin(entry: EntryPoint) -> str:
    return f"Fournie par {entry.dist.name}." if entry.dist else "Fournie par un autre paquet."
