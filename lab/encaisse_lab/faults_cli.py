"""The command that strikes: `encaisse faults`."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import click

from encaisse_lab.progress import progress

if TYPE_CHECKING:  # the host costs half a second: imported when a command runs
    from encaisse_lab.faults_case import Action


@click.command("faults")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Graine.")
@click.option(
    "--cases", type=click.IntRange(1), default=20, show_default=True, help="Nombre de cas."
)
@click.option(
    "--database",
    metavar="URL",
    help="Serveur PostgreSQL où faire les bases d'essai ; SQLite par défaut.",
)
@click.option("--point", "points", multiple=True, help="Ne frappe que ce point (répétable).")
@click.option(
    "--action",
    type=click.Choice(("crash", "freeze", "rival", "zombie")),
    help="Frappe toujours ainsi.",
)
@click.option("--stage", metavar="ÉTAPE", help="Ne frappe que dans cette étape (« night 3 »).")
@click.option(
    "--faults",
    "percent",
    type=click.IntRange(0, 50),
    default=0,
    show_default=True,
    help="Pannes des partenaires, en pour cent des appels.",
)
@click.option(
    "--processes", type=click.IntRange(1, 64), default=1, show_default=True, help="Processus."
)
@click.option("--list", "listed", is_flag=True, help="Liste les points, avec leur sens.")
@click.option("--json", "as_json", is_flag=True, help="Écrit le bilan en JSON.")
def faults(
    seed: int,
    cases: int,
    database: str | None,
    points: tuple[str, ...],
    action: Action | None,
    stage: str | None,
    percent: int,
    processes: int,
    listed: bool,
    as_json: bool,
) -> None:
    """Tue, endort ou double le processus à chaque point, le relance, et compare ce qui reste.

    Une petite société vit un mois chez des partenaires simulés ; à chaque cas, le processus meurt à
    un commit ou à un appel, puis reprend jusqu'au calme. Ce qui se trouve chez les partenaires doit
    y être une fois, et une seule. Sortie 6 si un cas est en défaut.
    """
    from encaisse_core import chaos
    from encaisse_core.errors import UsageError
    from encaisse_lab import faults as harness
    from encaisse_lab import faults_report
    from encaisse_lab.faults_host import STAGES

    if listed:
        click.echo("\n".join(f"{name}\n    {told}" for name, told in chaos.POINTS.items()))
        return
    unknown = [name for name in points if name not in chaos.POINTS]
    if unknown:
        raise UsageError(f"Point inconnu : {', '.join(unknown)}. Voir : encaisse faults --list.")
    stages = [each.name for each in STAGES]
    if stage is not None and stage not in stages:
        raise UsageError(f"Étape inconnue : {stage}. Il y a : {', '.join(stages)}.")
    started = time.monotonic()
    asked = [
        faults_report.Wanted(each.seed, each.point, action, stage)
        for each in harness.wanted(seed, cases, points or tuple(chaos.POINTS))
    ]
    report = harness.run(
        asked, database=database, percent=percent, processes=processes, tell=progress(started)
    )
    told = faults_report.as_json(report, seed=seed, database=database, percent=percent)
    if as_json:
        click.echo(json.dumps(told, ensure_ascii=False, indent=2))
    else:
        click.echo(faults_report.spoken(report))
    click.echo(f"{time.monotonic() - started:.1f} s en tout", err=True)
    faults_report.check(report)
