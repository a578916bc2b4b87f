"""Run the benchmark: `python -m encaisse_lab.bench`, in the environment of the peers."""

from __future__ import annotations

import json
import logging
import time
import warnings
from datetime import UTC, datetime
from pathlib import Path

import click

from encaisse_lab.bench import page
from encaisse_lab.bench.goals import Measured, verdicts
from encaisse_lab.bench.memory import held
from encaisse_lab.bench.peers import peers
from encaisse_lab.bench.sets import gathered
from encaisse_lab.bench.timing import measure
from encaisse_lab.bench.xsd import checked

CORPUS = Path(__file__).parents[3].parent / "shared" / "corpus"
"""Where the public test suites are kept, beside the project."""

NOT_MET = 1


@click.command()
@click.option("--corpus", type=click.Path(path_type=Path), default=CORPUS, help="Dossier lu.")
@click.option(
    "--rounds", type=click.IntRange(5), default=25, show_default=True, help="Nombre de tours."
)
@click.option(
    "--memory",
    type=click.IntRange(0),
    default=10_000,
    show_default=True,
    help="Fichiers lus pour suivre la mémoire ; 0 : aucun.",
)
@click.option("--json", "as_json", is_flag=True, help="Écrit toutes les mesures en JSON.")
@click.option("--write", type=click.Path(path_type=Path), help="Écrit la page (Markdown).")
@click.option("--check", is_flag=True, help="Sort avec 1 si un but n'est pas atteint.")
@click.pass_context
def bench(
    context: click.Context,
    corpus: Path,
    rounds: int,
    memory: int,
    as_json: bool,
    write: Path | None,
    check: bool,
) -> None:
    """Mesure le lecteur de factures à côté de ses pairs, sur les mêmes fichiers."""
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    started = time.monotonic()

    def tell(words: str) -> None:
        click.echo(f"{time.monotonic() - started:5.1f} s  {words}", err=True)

    try:
        libraries = peers()
    except ModuleNotFoundError as missing:
        raise click.ClickException(
            f"Le module « {missing.name} » n'est pas installé : lancez « {page.COMMAND} », qui "
            "prépare l'environnement des pairs."
        ) from None
    files, what = gathered(corpus)
    times = measure(libraries, files, rounds, tell)
    tell("contrôle XSD")
    xsd = checked(files, rounds)
    tell(f"mémoire sur {memory} fichiers")
    found = Measured(
        {file.name: file.syntax for file in files},
        times,
        held(files, memory) if memory else None,
        xsd,
    )
    if write is not None:
        today = datetime.now(UTC).date()
        write.write_text(page.page(found, what, rounds, today), encoding="utf-8")
    if as_json:
        click.echo(json.dumps(page.as_json(found, what, rounds), ensure_ascii=False, indent=1))
    else:
        for line in page.spoken(found, what):
            click.echo(line)
    if check and any(each.value is not None and not each.met for each in verdicts(found)):
        context.exit(NOT_MET)


if __name__ == "__main__":
    bench()
