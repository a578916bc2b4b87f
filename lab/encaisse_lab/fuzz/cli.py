"""The command that mutates documents and says what broke."""

from __future__ import annotations

import json
import time
from pathlib import Path

import click

FAILED = 1


@click.command("fuzz")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Graine.")
@click.option(
    "--cases", type=click.IntRange(1), default=2_000, show_default=True, help="Nombre de cas."
)
@click.option(
    "--first", type=click.IntRange(0), default=0, show_default=True, help="Premier cas, à rejouer."
)
@click.option(
    "--corpus",
    type=click.Path(path_type=Path),
    help="Ajoute les factures de ce dossier (XML, PDF) aux exemples.",
)
@click.option("--json", "as_json", is_flag=True, help="Écrit le bilan en JSON.")
@click.pass_context
def fuzz(
    context: click.Context, seed: int, cases: int, first: int, corpus: Path | None, as_json: bool
) -> None:
    """Abîme des factures et des FEC, et vérifie que chacun reçoit une réponse.

    Aucun plantage, aucune attente sans fin, chaque refus en toutes lettres ; la même facture
    écrite autrement se lit de même. Sortie 1 si un cas échoue, avec la commande qui le rejoue.
    """
    from encaisse_lab.fuzz import run

    if corpus is not None and not corpus.is_dir():
        raise click.UsageError(f"« {corpus} » n'est pas un dossier : vérifiez --corpus.")
    started = time.monotonic()

    def tell(words: str) -> None:
        click.echo(f"{time.monotonic() - started:5.1f} s  {words}", err=True)

    click.echo(f"Graine {seed}, {cases} cas à partir de {first}", err=True)
    figures = run.fuzz(seed, cases, first=first, folder=corpus, tell=tell)
    if as_json:
        click.echo(json.dumps(figures, ensure_ascii=False, indent=2))
    else:
        click.echo(run.sentence(figures))
        for each in figures["failures"]:
            click.echo(f"{each['fault']} : {each['what']}\n  {each['repeat']}\n  {each['file']}")
    if not run.sound(figures):
        context.exit(FAILED)
