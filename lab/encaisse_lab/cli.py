"""The commands of the lab: the demo a newcomer runs, and the proofs."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from encaisse_lab.progress import progress

if TYPE_CHECKING:  # the host costs half a second: imported when a command runs
    from encaisse_lab.broken_on_purpose import Break

BREAKS = ("lookup", "stop", "journal")

WIDE = 120
"""Columns of the demo's story where nothing says how many there are: nothing of it is cut there."""


@click.command("demo")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Graine.")
@click.option(
    "--nights", type=click.IntRange(1, 60), default=10, show_default=True, help="Nombre de nuits."
)
@click.option(
    "--folder",
    type=click.Path(exists=True, path_type=Path),
    help="Ajoute vos propres factures (fichier, dossier ou archive) comme source.",
)
@click.option("--json", "as_json", is_flag=True, help="Écrit le bilan en JSON.")
@click.option(
    "--break",
    "broken",
    type=click.Choice(BREAKS),
    help="Introduit un défaut connu, pour voir le contrôle le trouver (sortie 6).",
)
def demo(seed: int, nights: int, folder: Path | None, as_json: bool, broken: Break | None) -> None:
    """Déroule dix nuits de recouvrement chez des partenaires simulés.

    De vraies factures d'exemple, de vrais échanges HTTP locaux, des pannes ; à la fin, le contrôle
    de ce qui se trouve vraiment chez les partenaires. Sortie 6 si un contrôle échoue.
    """
    from encaisse_core.errors import CheckFailed
    from encaisse_lab.demo import run
    from encaisse_lab.summary import sound, summary
    from encaisse_lab.wrongs import wrongs

    started = time.monotonic()
    with run(seed, nights, folder=folder, broken=broken, tell=progress(started)) as told:
        figures = summary(told)
        found = [] if sound(figures) else wrongs(told)
        if as_json:
            click.echo(json.dumps(figures, ensure_ascii=False, indent=2))
        else:
            from rich.console import Console

            from encaisse_core.cli.showing import width
            from encaisse_lab.story import tell

            tell(told, figures, found, Console(width=width() or WIDE, highlight=False))
    click.echo(f"{time.monotonic() - started:.1f} s en tout", err=True)
    if not sound(figures):
        raise CheckFailed(f"Un contrôle a échoué. {' '.join(found[:3])}")


@click.command("year")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Graine.")
@click.option("--turn", is_flag=True, help="Ne vit que le tournant de l'année (17 nuits).")
@click.option("--nights", type=click.IntRange(1, 365), help="S'arrête après autant de nuits.")
@click.option(
    "--invoices",
    type=click.IntRange(50, 100_000),
    help="Vit plutôt l'année d'une entreprise d'autant de factures, dont la moitié est déjà là.",
)
@click.option("--twice", is_flag=True, help="Avec --invoices : deux fois, dont une nuit par HTTP.")
@click.option("--outage", is_flag=True, help="Met plutôt chaque source en panne à chaque étape.")
@click.option("--every", type=click.IntRange(1), default=1, help="Avec --outage : un cas sur N.")
@click.option("--case", "named", help="Avec --outage : ce seul cas.")
@click.option("--json", "as_json", is_flag=True, help="Écrit le bilan en JSON.")
def year(
    seed: int,
    turn: bool,
    nights: int | None,
    invoices: int | None,
    twice: bool,
    outage: bool,
    every: int,
    named: str | None,
    as_json: bool,
) -> None:
    """Vit une année de deux dossiers MyUnisoft simulés, sur deux exercices.

    L'un est lettré par exercice (MONO), l'autre sur plusieurs (MULTI). Chaque nuit, ce qui est
    ouvert ici est comparé aux soldes du dossier ; à la fin, chaque paiement encaissé doit y être
    inscrit une fois, lettré ou en attente du comptable. Sortie 6 si un contrôle échoue.

    --invoices 10000 : une entreprise, cinq outils et GCollect, un appel sur cinq en panne.
    """
    if outage:
        from encaisse_lab.large.cli import outages

        outages(seed, every, named, as_json=as_json, tell=progress(time.monotonic()))
        return
    if invoices is not None:
        from encaisse_lab.large.cli import large

        tell = progress(time.monotonic())
        large(seed, invoices, nights or 365, twice=twice, as_json=as_json, tell=tell)
        return
    from encaisse_core.errors import CheckFailed
    from encaisse_lab import year_told
    from encaisse_lab.year_calendar import TURN, WHOLE

    started = time.monotonic()
    calendar = year_told.shortened(TURN if turn else WHOLE, nights)
    found = year_told.both(seed, calendar, progress(started))
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False, indent=2))
    else:
        for told in found:
            click.echo("\n".join([year_told.sentence(told), *told["faults"]]))
    click.echo(f"{time.monotonic() - started:.1f} s en tout", err=True)
    bad = [fault for told in found for fault in told["faults"]]
    if not all(year_told.sound(told) for told in found):
        raise CheckFailed(f"Un contrôle a échoué. {' ; '.join(bad[:3])}")
