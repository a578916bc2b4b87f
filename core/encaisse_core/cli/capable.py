"""`encaisse capabilities`: what each installed connector can do, and how it takes differences."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click

from encaisse_core.cli import showing
from encaisse_core.cli.session import json_option
from encaisse_core.errors import UsageError


@click.command(
    "capabilities", help="Dit ce que chaque connecteur sait faire, et comment il lit son outil."
)
@click.option(
    "--write",
    "target",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FICHIER",
    help="Écrit la page (Markdown).",
)
@json_option
def capabilities(target: Path | None, as_json: bool) -> None:
    """Read declarations alone: no store is opened, and nobody is asked."""
    from encaisse_core.capabilities import capable, page
    from encaisse_core.loader import load

    found = capable(load().connectors)
    if target is not None:
        try:
            target.write_text(page(found), "utf-8")
        except OSError as error:
            from encaisse_einvoicing.complaints import of_the_system

            raise UsageError(
                f"La page n'a pas pu être écrite dans {target} ({of_the_system(error)}) : "
                "choisissez un autre fichier."
            ) from None
        click.echo(f"Page écrite : {target}", err=True)
    if as_json:
        showing.as_json({"connectors": [one.as_json() for one in found]})
        return
    if target is None:
        showing.table(
            ("Connecteur", "Contrat", "Flux", "Écritures", "Lu", "Refusé", "Sans objet"),
            [
                (
                    one.manifest.slug,
                    "documenté" if one.manifest.contract == "documented" else "supposé",
                    ", ".join(f"{n} ({s.mode})" for n, s in one.manifest.streams.items()),
                    ", ".join(f"{n} ({w.guarantee})" for n, w in one.manifest.writes.items()),
                    *_counted(one.differences.values()),
                )
                for one in found
            ],
            empty="Aucun connecteur n'est installé.",
        )


def _counted(results: Iterable[tuple[str, str]]) -> tuple[str, str, str]:
    told = [result for result, _ in results]
    read, refused = told.count("read"), told.count("refused")
    return str(read), str(refused), str(len(told) - read - refused)
