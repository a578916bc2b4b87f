"""Run the host's benchmark, in the peers' environment: `python -m encaisse_lab.bench.host`."""

from __future__ import annotations

import json
import logging
import resource
import tempfile
import time
import warnings
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import click

from encaisse_core.cli import start
from encaisse_lab.bench.host import chart, databases, joining, page
from encaisse_lab.bench.host.found import Bench, Finding
from encaisse_lab.bench.host.measures import MEASURES

NOT_MET = 1


class _Names(click.ParamType[tuple[str, ...]]):
    """Take several names of a table, separated by commas."""

    name = "noms"

    def __init__(self, known: Iterable[str]) -> None:
        self._known = tuple(known)

    def convert(self, value: str, param: object, ctx: object) -> tuple[str, ...]:
        """Give the names; one that is unknown is a mistake of whoever typed it."""
        names = tuple(value.split(","))
        for each in names:
            if each not in self._known:
                self.fail(f"« {each} » n'est pas une mesure : {', '.join(self._known)}.")
        return names


PEER_ROWS = 20_000
LIBRARIES = ("encaisse", "sqlalchemy", "psycopg", "dlt")


@click.command()
@click.option("--rows", type=click.IntRange(1_000), default=20_000, show_default=True,
              help="Factures ; 1000000 est la taille des buts.")  # fmt: skip
@click.option("--peer-rows", type=click.IntRange(1_000), default=PEER_ROWS, show_default=True,
              help="Lignes données à dlt, et à nous à côté de lui.")  # fmt: skip
@click.option("--page", "page_", type=click.IntRange(1), default=500, show_default=True,
              help="Factures d'une page.")  # fmt: skip
@click.option("--rounds", type=click.IntRange(1), default=5, show_default=True,
              help="Nombre de tours.")  # fmt: skip
@click.option("--only", type=_Names(MEASURES), default=",".join(MEASURES),
              help="Mesures faites, séparées par des virgules (toutes par défaut).")  # fmt: skip
@click.option("--keep", type=click.Path(path_type=Path, dir_okay=False),
              help="Fichier JSON où les passages se rejoignent ; la page le dit tout.")  # fmt: skip
@click.option("--database", multiple=True, type=click.Choice(databases.NAMES), help="Bases.")
@click.option("--json", "as_json", is_flag=True, help="Écrit toutes les mesures en JSON.")
@click.option("--write", type=click.Path(path_type=Path), help="Écrit la page (Markdown).")
@click.option("--check", is_flag=True, help="Sort avec 1 si un but n'est pas atteint.")
@click.pass_context
def bench(
    context: click.Context,
    rows: int,
    peer_rows: int,
    page_: int,
    rounds: int,
    only: Sequence[str],
    keep: Path | None,
    database: Sequence[str],
    as_json: bool,
    write: Path | None,
    check: bool,
) -> None:
    """Mesure l'hôte à côté de SQL brut et de dlt, sur les mêmes lignes et les deux bases."""
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    start.seldom()  # as in every process of ours; the peers have it too
    sizes = {"rows": rows, "peer_rows": min(peer_rows, rows), "page": page_, "rounds": rounds}
    found: list[Finding] = []
    for name in database or databases.NAMES:
        for piece in _on(name, only, sizes):
            found += piece
            if keep is not None:  # at once: a run of hours may be cut
                joining.joined(keep, piece, sizes)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    if keep is not None:
        found = joining.read(keep)
    if write is not None:
        versions = ", ".join(f"{library} {version(library)}" for library in LIBRARIES)
        today = datetime.now(UTC).date()
        picture = write.with_suffix(".svg")
        picture.write_text(chart.draw(found), encoding="utf-8")
        told = page.page(found, sizes, versions, today, picture.name)
        write.write_text(told, encoding="utf-8")
    if as_json:
        click.echo(json.dumps(page.as_json(found, sizes, peak), ensure_ascii=False, indent=1))
    else:
        for line in page.spoken(found):
            click.echo(line)
    if check and any(each.verdict.value is not None and not each.verdict.met for each in found):
        context.exit(NOT_MET)


def _on(name: str, asked: Sequence[str], sizes: page.Sizes) -> Iterator[list[Finding]]:
    """Measure one after the other; give what each found as soon as it is over."""
    started = time.monotonic()

    def tell(words: str) -> None:
        click.echo(f"{time.monotonic() - started:6.1f} s  {words}", err=True)

    with databases.opened(name) as database, tempfile.TemporaryDirectory() as folder:
        for each in asked:
            there = Bench(
                database=database,
                folder=Path(folder),
                rows=sizes["rows"],
                rounds=sizes["rounds"],
                page=sizes["page"],
                peer_rows=sizes["peer_rows"],
                tell=tell,
            )
            yield list(MEASURES[each](there))


if __name__ == "__main__":
    bench()
